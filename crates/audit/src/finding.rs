//! What a check came to: a verdict about one rule and one place, with the requests that show it.

use serde::{Deserialize, Serialize};

use crate::exchange::Exchange;
use crate::rule::{Rule, Severity};

/// A verdict, with what it rests on.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Finding {
    /// What was looked at.
    pub rule: &'static Rule,
    /// What it came to.
    pub verdict: Verdict,
    /// How bad it is here: the rule's own, or less where the cookie is not the session.
    pub severity: Severity,
    /// What it is about: a cookie's name, a request such as `POST /note`, or a host.
    pub place: String,
    /// What was seen, in a sentence.
    pub seen: String,
    /// The requests that show it, control first.
    pub evidence: Vec<Proof>,
}

/// A request of the evidence, and what it is there for.
#[derive(Debug, Clone)]
pub struct Proof {
    /// Such as `control: the same request from the site itself`.
    pub note: String,
    /// The request and its response.
    pub exchange: Exchange,
}

/// What a check came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It is so, shown with its controls and shown again.
    Flaw,
    /// A control failed or a repetition disagreed; what was seen says what was missing.
    Inconclusive,
    /// Tried, and the site holds.
    Sound,
    /// Not tried; what was seen says what the profile would have to say, or why it does not apply.
    Skipped,
}

impl Verdict {
    /// As in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Flaw => "flaw",
            Self::Inconclusive => "inconclusive",
            Self::Sound => "sound",
            Self::Skipped => "skipped",
        }
    }
}

impl Finding {
    /// A verdict about `place`, as bad as its rule says.
    pub fn new(rule: &'static Rule, verdict: Verdict, place: impl Into<String>, seen: impl Into<String>) -> Self {
        Self { rule, verdict, severity: rule.severity, place: place.into(), seen: seen.into(), evidence: Vec::new() }
    }

    /// It is so.
    pub fn flaw(rule: &'static Rule, place: impl Into<String>, seen: impl Into<String>) -> Self {
        Self::new(rule, Verdict::Flaw, place, seen)
    }

    /// The site holds.
    pub fn sound(rule: &'static Rule, place: impl Into<String>, seen: impl Into<String>) -> Self {
        Self::new(rule, Verdict::Sound, place, seen)
    }

    /// Something was missing.
    pub fn inconclusive(rule: &'static Rule, place: impl Into<String>, missing: impl Into<String>) -> Self {
        Self::new(rule, Verdict::Inconclusive, place, missing)
    }

    /// Not tried.
    pub fn skipped(rule: &'static Rule, place: impl Into<String>, why: impl Into<String>) -> Self {
        Self::new(rule, Verdict::Skipped, place, why)
    }

    /// With a request that shows it.
    pub fn because(mut self, note: impl Into<String>, exchange: &Exchange) -> Self {
        self.evidence.push(Proof { note: note.into(), exchange: exchange.clone() });
        self
    }

    /// At most as bad as `severity`.
    pub fn at_most(mut self, severity: Severity) -> Self {
        self.severity = self.severity.min(severity);
        self
    }
}
