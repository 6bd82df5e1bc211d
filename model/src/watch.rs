//! Which tokens must be dead by now: the specification's own bookkeeping, independent of the rules.
//!
//! "The predecessor dies `grace` after its successor was used at two moments at least `grace` apart; its own use never
//! delays that." Clocks may be `skew` apart and a write `stall` under way, so both spans are taken that much longer.

use crate::bounds::Bounds;

/// The last successor that was used, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Watch {
    successor: i8,
    first: u8,
    second: Option<u8>,
    /// Tokens of this generation and older are dead.
    dead: Option<i8>,
}

impl Watch {
    /// Nothing was used yet.
    pub(crate) const START: Self = Self { successor: 0, first: 0, second: None, dead: None };

    /// A token of `generation` counted now.
    pub(crate) fn used(&mut self, generation: i8, bounds: Bounds) {
        if generation > self.successor {
            *self = Self { successor: generation, first: 0, second: None, dead: self.dead };
        } else if generation == self.successor && self.second.is_none() && self.first >= slack(bounds) {
            self.second = Some(0);
        }
    }

    /// Whether a token of `generation` must be refused.
    pub(crate) fn is_dead(self, generation: i8) -> bool {
        self.dead.is_some_and(|dead| generation <= dead)
    }

    pub(crate) fn tick(&mut self, bounds: Bounds) {
        let limit = slack(bounds) + 1;
        self.first = (self.first + 1).min(limit);
        self.second = self.second.map(|age| (age + 1).min(limit));
        if self.second == Some(limit) {
            self.dead = Some(self.successor - 1);
        }
    }

    pub(crate) fn recount(&mut self, ahead: i8) {
        self.successor = self.successor.saturating_sub(ahead).max(-2);
        self.dead = self.dead.map(|dead| dead.saturating_sub(ahead).max(-2));
    }
}

/// A span after which every node agrees that `grace` is over.
const fn slack(bounds: Bounds) -> u8 {
    bounds.grace + bounds.skew + bounds.stall + 1
}
