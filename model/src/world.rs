//! The world around the rules: from each state, every step that anybody can take.

use counterfoil_core::Moment;

use crate::bounds::{Actor, Setting};
use crate::event::Event;
use crate::property::Property;
use crate::rules::{Commit, Rules};
use crate::state::{Record, State, signed};
use crate::symbol::{self, Keys};

/// A setting under some rules.
pub struct World<'w> {
    pub(crate) rules: &'w dyn Rules,
    pub(crate) setting: &'w Setting,
    pub(crate) keys: Keys,
}

/// One step out of a state.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// What happens.
    pub event: Event,
    /// The state it leads to.
    pub after: State,
    /// How many generations the record moved on.
    pub ahead: i8,
    /// The property it breaks.
    pub broken: Option<Property>,
}

impl<'w> World<'w> {
    /// `setting` under `rules`. `None` only if a key id were malformed.
    pub fn new(rules: &'w dyn Rules, setting: &'w Setting) -> Option<Self> {
        Some(Self { rules, setting, keys: Keys::new()? })
    }

    /// Every step out of `state`, appended to `steps`.
    pub fn steps(&self, state: &State, steps: &mut Vec<Step>) {
        if is_over(state) {
            return;
        }
        steps.extend(state.tick(self.setting.bounds).map(|after| Step::to(Event::Tick, after)));
        self.browser_steps(state, steps);
        self.server_steps(state, steps);
        self.thief_steps(state, steps);
        for step in steps {
            if self.rules.commit() == Commit::IfAsLoaded {
                step.after.forget_stale_write();
            }
            step.after = step.after.canonical();
        }
    }

    /// What `node` takes for the time `ago` ticks ago.
    pub(crate) fn clock(&self, node: u8, ago: u8) -> Moment {
        symbol::moment(signed(ago) - signed(node * self.setting.bounds.skew))
    }

    pub(crate) fn has(&self, actor: Actor) -> bool {
        self.setting.has(actor)
    }
}

/// Ended, and no cache and no write could say otherwise.
fn is_over(state: &State) -> bool {
    matches!(state.record, Record::Ended { .. }) && state.cache.is_none() && state.pending.is_none()
}

impl std::fmt::Debug for World<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("World").field("setting", &self.setting).finish_non_exhaustive()
    }
}

impl Step {
    /// A step that leaves the record's generation as it is and breaks nothing.
    pub(crate) const fn to(event: Event, after: State) -> Self {
        Self { event, after, ahead: 0, broken: None }
    }
}

/// Node 0 keeps the time; node 1's clock is ahead by `skew`. Which node serves is open at every step, so this covers
/// any two clocks that never differ by more.
pub(crate) const NODES: [u8; 2] = [0, 1];
