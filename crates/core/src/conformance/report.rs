//! The cases, and what came of them.

use std::fmt;

use super::bench::Bench;
use super::failure::{Failure, Verdict};
use super::stage::Capability;
use crate::store::BoxFuture;

/// One thing a store must get right.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// The item of the design it belongs to; 0 for the store's verbs themselves.
    pub number: u8,
    /// Its name.
    pub name: &'static str,
    /// What it shows.
    pub shows: &'static str,
    /// What it needs beyond the store contract.
    pub needs: &'static [Capability],
    pub(super) run: fn(Bench) -> BoxFuture<'static, Verdict>,
}

/// What came of one case.
#[derive(Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// It holds.
    Passed,
    /// It does not.
    Failed(Failure),
    /// The stage lacks what the case needs.
    NotApplicable(Capability),
}

/// What came of every case.
#[derive(Debug)]
pub struct Report {
    outcomes: Vec<(&'static Case, Outcome)>,
}

impl Report {
    pub(super) const fn new(outcomes: Vec<(&'static Case, Outcome)>) -> Self {
        Self { outcomes }
    }

    /// Every case with what came of it.
    pub fn outcomes(&self) -> impl Iterator<Item = (&'static Case, &Outcome)> {
        self.outcomes.iter().map(|(case, outcome)| (*case, outcome))
    }

    /// The names of the cases that do not hold.
    pub fn failed(&self) -> impl Iterator<Item = &'static str> {
        let failed = self.outcomes().filter(|(_, outcome)| matches!(outcome, Outcome::Failed(_)));
        failed.map(|(case, _)| case.name)
    }

    /// The names of the cases that the stage could not meet.
    pub fn not_applicable(&self) -> impl Iterator<Item = &'static str> {
        let skipped = self.outcomes().filter(|(_, outcome)| matches!(outcome, Outcome::NotApplicable(_)));
        skipped.map(|(case, _)| case.name)
    }

    /// Whether every case holds that could be asked.
    pub fn holds(&self) -> bool {
        self.failed().next().is_none()
    }

    /// For tests: passes if every case holds that could be asked.
    ///
    /// # Panics
    /// With the whole report, if one does not hold.
    pub fn assert(&self) {
        assert!(self.holds(), "the store does not keep the contract\n{self}");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (case, outcome) in self.outcomes() {
            match outcome {
                Outcome::Passed => writeln!(out, "passed          {}: {}", case.name, case.shows)?,
                Outcome::Failed(why) => writeln!(out, "FAILED          {}: {}: {why}", case.name, case.shows)?,
                Outcome::NotApplicable(why) => writeln!(out, "not applicable  {}: {why}", case.name)?,
            }
        }
        let count = |is: fn(&Outcome) -> bool| self.outcomes().filter(|(_, outcome)| is(outcome)).count();
        write!(
            out,
            "{} passed, {} failed, {} not applicable",
            count(|outcome| matches!(outcome, Outcome::Passed)),
            count(|outcome| matches!(outcome, Outcome::Failed(_))),
            count(|outcome| matches!(outcome, Outcome::NotApplicable(_))),
        )
    }
}
