//! What an audit came to, as it may be shown: masked once, here, and printed in five ways.

mod fingerprint;
pub mod html;
pub mod json;
mod judged;
pub mod junit;
mod moment;
#[cfg(test)]
pub(crate) mod samples;
pub mod sarif;
pub mod terminal;
#[cfg(test)]
pub(crate) mod tests;

use serde::{Deserialize, Serialize};

pub use self::judged::Judged;
use crate::finding::{Finding, Verdict};
use crate::fix;
use crate::mask::Mask;
use crate::outcome::Outcome;
use crate::rule::{Group, Severity};

/// A whole audit without its secrets; read and written as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Report {
    /// Always [`FORMAT`].
    pub format: String,
    /// The site, as an origin.
    pub site: String,
    /// When the audit began, as RFC 3339 has it.
    pub began: String,
    /// How long it took.
    pub took_millis: u64,
    /// How many requests were sent.
    pub requests: u32,
    /// The cookies that are the session.
    pub session_cookies: Vec<String>,
    /// Whose words the fixes are in.
    pub framework: Option<String>,
    /// Every verdict, by group and rule.
    pub findings: Vec<Entry>,
}

/// A verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Entry {
    /// The rule's id.
    pub rule: String,
    /// What the rule belongs to.
    pub group: Group,
    /// What the rule says is wrong.
    pub title: String,
    /// What it came to.
    pub verdict: Verdict,
    /// How bad it is here.
    pub severity: Severity,
    /// What it is about.
    pub place: String,
    /// What was seen.
    pub seen: String,
    /// Of the OWASP Web Security Testing Guide.
    pub wstg: String,
    /// Of OWASP ASVS 5.0.
    pub asvs: String,
    /// Of the Common Weakness Enumeration.
    pub cwe: u16,
    /// What to do, in the framework's words where they are known.
    pub fix: String,
    /// The same for the same rule and place in every run.
    pub fingerprint: String,
    /// The requests that show it.
    pub evidence: Vec<Shown>,
}

/// A request and its response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Shown {
    /// What it is there for.
    pub note: String,
    /// As it was sent, masked.
    pub request: String,
    /// Its head and the beginning of its body, masked.
    pub response: String,
}

impl Report {
    /// Of an audit; nothing secret gets past this line.
    pub fn of(outcome: &Outcome) -> Self {
        let mask = Mask::of(outcome);
        let mut findings: Vec<_> = outcome.findings.iter().map(|finding| Entry::of(finding, outcome, &mask)).collect();
        findings.sort_by_key(|entry| entry.group);
        fingerprint::tell_apart(&mut findings);
        Self {
            format: FORMAT.to_owned(),
            site: mask.text(&outcome.site),
            began: moment::rfc3339(outcome.began_millis),
            took_millis: u64::try_from(outcome.took.as_millis()).unwrap_or(u64::MAX),
            requests: outcome.requests,
            session_cookies: outcome.session_cookies.iter().map(|name| mask.text(name)).collect(),
            framework: outcome.framework.map(|framework| fix::name(framework).to_owned()),
            findings,
        }
    }

    /// What is wrong, of at least that severity.
    pub fn flaws(&self, least: Severity) -> impl Iterator<Item = &Entry> {
        self.of_verdict(Verdict::Flaw).filter(move |entry| entry.severity >= least)
    }

    pub(crate) fn of_verdict(&self, verdict: Verdict) -> impl Iterator<Item = &Entry> {
        self.findings.iter().filter(move |entry| entry.verdict == verdict)
    }
}

impl Entry {
    fn of(finding: &Finding, outcome: &Outcome, mask: &Mask) -> Self {
        let rule = finding.rule;
        let place = if finding.place.is_empty() { &outcome.site } else { &finding.place };
        let place = mask.text(place);
        Self {
            rule: rule.id.to_owned(),
            group: rule.group,
            title: rule.title.to_owned(),
            verdict: finding.verdict,
            severity: finding.severity,
            fingerprint: fingerprint::of(rule.id, &place),
            place,
            seen: mask.text(&finding.seen),
            wstg: rule.wstg.to_owned(),
            asvs: rule.asvs.to_owned(),
            cwe: rule.cwe,
            fix: fix::of(rule, outcome.framework),
            evidence: finding
                .evidence
                .iter()
                .map(|proof| Shown::of(&proof.note, &mask.exchange(&proof.exchange), mask))
                .collect(),
        }
    }

    /// Where the rule comes from, as people write it.
    pub(crate) fn sources(&self) -> String {
        format!("{}, ASVS {}, CWE-{}", self.wstg, self.asvs, self.cwe)
    }
}

impl Shown {
    fn of(note: &str, exchange: &crate::mask::Masked, mask: &Mask) -> Self {
        Self { note: mask.text(note), request: exchange.request.clone(), response: exchange.response.clone() }
    }

    /// `GET /account → 200`
    pub(crate) fn line(&self) -> String {
        let request = self.request.lines().next().unwrap_or_default();
        let request = request.strip_suffix(" HTTP/1.1").unwrap_or(request);
        let status = self.response.split(' ').nth(1).unwrap_or("no response");
        format!("{request} → {}", status.trim())
    }
}

/// The first thing a reader of the JSON looks at.
pub const FORMAT: &str = "counterfoil-audit/1";
