//! One node's own count: what was admitted here, and which places accounts are known at.

use std::num::NonZeroU32;
use std::time::Duration;

use super::{Answer, Ask, Budget, Granted, Per, Refused, Table};
use crate::rules::Pace;

/// What one node has admitted. The time comes in, in milliseconds since any beginning that stays the same.
#[derive(Debug)]
pub struct Ledger {
    /// One for each kind of key, so that many of one kind never drive out another.
    spent: [Table; Per::ALL.len()],
    known: Table,
    told: Table,
    told_of_all: u64,
}

impl Ledger {
    /// With room for this many keys of each kind; 16 bytes for each that was used.
    pub fn of(keys: usize) -> Self {
        Self { spent: Per::ALL.map(|_| Table::of(keys)), known: Table::of(keys), told: Table::of(TOLD), told_of_all: 0 }
    }

    /// Admits what fits in all its budgets, and charges them; or charges none.
    pub fn ask(&mut self, ask: &Ask, now: u64) -> Answer {
        let familiar = self.is_familiar(ask, now);
        let refusals = ask.charged(familiar).filter_map(|budget| {
            let wait = budget.pace.take(self.spent(budget), now).err()?;
            Some(Refused { act: ask.act, per: budget.per, pace: budget.pace, wait, key: budget.key })
        });
        if let Some(refused) = refusals.max_by_key(|refused| refused.wait) {
            return Answer::Refused(refused);
        }
        self.note(ask, familiar, now);
        let left = ask.charged(familiar).filter(|budget| budget.per.is_the_askers_own());
        let left = left.map(|budget| (budget.per, budget.pace, budget.pace.left(self.spent(budget), now)));
        Answer::Granted(Granted { familiar, left: left.min_by_key(|(.., left)| *left) })
    }

    /// Charges what somebody else has admitted.
    pub fn note(&mut self, ask: &Ask, familiar: bool, now: u64) {
        for budget in ask.charged(familiar) {
            let until = budget.pace.note(self.spent(budget), now);
            self.put(budget, until);
        }
    }

    /// Takes a charge back: what was tried did not fail.
    pub fn give_back(&mut self, ask: &Ask, familiar: bool, now: u64) {
        for budget in ask.charged(familiar) {
            let until = budget.pace.give_back(self.spent(budget), now);
            self.put(budget, until);
        }
    }

    /// From now on the account is known at this place.
    pub fn learn(&mut self, ask: &Ask, now: u64) {
        if let Some(place) = ask.place {
            self.known.put(place, now.saturating_add(ask.known_for_millis()));
        }
    }

    /// Whether this refusal is worth an event: the first one of a key within a while, and not too many of all.
    pub fn is_news(&mut self, refused: &Refused, now: u64) -> bool {
        if self.told.get(refused.key) > now {
            return false;
        }
        let Ok(spent) = NEWS.take(self.told_of_all, now) else { return false };
        self.told_of_all = spent.until;
        self.told.put(refused.key, now.saturating_add(QUIET_MILLIS));
        true
    }

    fn is_familiar(&self, ask: &Ask, now: u64) -> bool {
        ask.familiar || ask.place.is_some_and(|place| self.known.get(place) > now)
    }

    fn spent(&self, budget: &Budget) -> u64 {
        self.spent.get(budget.per.index()).map_or(0, |table| table.get(budget.key))
    }

    fn put(&mut self, budget: &Budget, until: u64) {
        if let Some(table) = self.spent.get_mut(budget.per.index()) {
            table.put(budget.key, until);
        }
    }
}

/// The same key is told of once a minute.
const QUIET_MILLIS: u64 = 60_000;
const TOLD: usize = 4_096;
/// Of all keys: a hundred, and then as many each minute.
const NEWS: Pace = Pace::new(NonZeroU32::MIN.saturating_add(99), Duration::from_millis(600));
