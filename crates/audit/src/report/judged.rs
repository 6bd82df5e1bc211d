//! A report beside what it is judged by: an earlier one, and from where on a flaw fails a run.

use super::{Entry, Report};
use crate::baseline::{Drift, State};
use crate::rule::Severity;

/// What is printed.
#[derive(Debug, Clone)]
pub struct Judged<'a> {
    /// What the audit came to.
    pub report: &'a Report,
    /// Since when only differences count.
    pub drift: Option<Drift<'a>>,
    /// From where on a flaw fails the run; `None` for never.
    pub fail_on: Option<Severity>,
}

impl<'a> Judged<'a> {
    /// By itself, or by what is different since `baseline`.
    pub fn new(report: &'a Report, baseline: Option<&'a Report>, fail_on: Option<Severity>) -> Self {
        Self { report, drift: baseline.map(|before| Drift::between(before, report)), fail_on }
    }

    /// Whether a flaw fails the run: bad enough, and not known before to be that bad.
    pub fn fails(&self, flaw: &Entry) -> bool {
        let counts = matches!(self.state(flaw), State::New | State::Worse);
        counts && self.fail_on.is_some_and(|least| flaw.severity >= least)
    }

    /// The flaws that fail the run.
    pub fn failures(&self) -> impl Iterator<Item = &'a Entry> {
        self.report.flaws(Severity::Info).filter(|flaw| self.fails(flaw))
    }

    pub(crate) fn state(&self, flaw: &Entry) -> State {
        self.drift.as_ref().map_or(State::New, |drift| drift.state(flaw))
    }

    /// The flaws that were something else before.
    pub(crate) fn of_state(&self, state: State) -> Vec<&'a Entry> {
        self.report.flaws(Severity::Info).filter(|flaw| self.state(flaw) == state).collect()
    }
}
