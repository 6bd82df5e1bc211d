//! Everything an audit came to: what reports print.

use std::time::Duration;

use crate::finding::{Finding, Verdict};
use crate::rule::Severity;

/// A whole audit.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Outcome {
    /// The site, as an origin.
    pub site: String,
    /// The cookies that are the session, as their removal showed; empty where that was not looked at.
    pub session_cookies: Vec<String>,
    /// The framework the responses speak of, for the words of the fixes.
    pub framework: Option<Framework>,
    /// Every verdict, by group and rule.
    pub findings: Vec<Finding>,
    /// How many requests were sent.
    pub requests: u32,
    /// How long it took.
    pub took: Duration,
    /// When it began, in milliseconds since 1970.
    pub began_millis: u64,
    /// What must not be printed: whatever the site set as a cookie or gave as a token, and the passwords.
    pub secrets: Vec<String>,
}

/// Whose words a fix is put into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "names")]
pub enum Framework {
    Express,
    Django,
    Flask,
    Rails,
    Laravel,
    Spring,
    AspNet,
    Php,
    Nginx,
    Counterfoil,
}

impl Outcome {
    /// What is wrong, of at least that severity.
    pub fn flaws(&self, least: Severity) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(move |one| one.verdict == Verdict::Flaw && one.severity >= least)
    }
}
