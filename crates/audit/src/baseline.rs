//! What is different since an earlier report: flaws that came, went, got worse or milder, or could not be judged again.

use std::collections::HashMap;

use serde::Serialize;

use crate::finding::Verdict;
use crate::report::{Entry, Report};
use crate::rule::Severity;

/// The way from one report to a later one.
#[derive(Debug, Clone)]
pub struct Drift<'a> {
    /// The earlier one.
    pub since: &'a Report,
    before: HashMap<&'a str, &'a Entry>,
    /// Flaws that are no longer there.
    pub gone: Vec<&'a Entry>,
    /// Flaws of before about which this run could not say anything.
    pub unjudged: Vec<&'a Entry>,
}

/// What a flaw was before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// None: not looked at, not sure, or sound.
    New,
    /// A milder one.
    Worse,
    /// A worse one.
    Milder,
    /// The same.
    Known,
}

impl<'a> Drift<'a> {
    /// From `before` to `now`.
    pub fn between(before: &'a Report, now: &Report) -> Self {
        let flaws: Vec<_> = before.of_verdict(Verdict::Flaw).collect();
        let (mut gone, mut unjudged) = (Vec::new(), Vec::new());
        for flaw in &flaws {
            match now.findings.iter().find(|entry| entry.fingerprint == flaw.fingerprint).map(|entry| entry.verdict) {
                Some(Verdict::Flaw) => {}
                Some(Verdict::Sound) => gone.push(*flaw),
                None if judged(&flaw.rule, now) => gone.push(*flaw),
                Some(Verdict::Inconclusive | Verdict::Skipped) | None => unjudged.push(*flaw),
            }
        }
        let before_flaws = flaws.into_iter().map(|flaw| (flaw.fingerprint.as_str(), flaw)).collect();
        Self { since: before, before: before_flaws, gone, unjudged }
    }

    /// What a flaw of the later report was before.
    pub fn state(&self, flaw: &Entry) -> State {
        match self.severity_before(flaw).map(|severity| flaw.severity.cmp(&severity)) {
            None => State::New,
            Some(std::cmp::Ordering::Greater) => State::Worse,
            Some(std::cmp::Ordering::Less) => State::Milder,
            Some(std::cmp::Ordering::Equal) => State::Known,
        }
    }

    /// How bad it was.
    pub fn severity_before(&self, flaw: &Entry) -> Option<Severity> {
        self.before.get(flaw.fingerprint.as_str()).map(|entry| entry.severity)
    }
}

/// Whether a rule came to a verdict anywhere, or was not even skipped: its place is gone then, and the flaw with it.
fn judged(rule: &str, report: &Report) -> bool {
    let mut all = report.findings.iter().filter(|entry| entry.rule == rule).peekable();
    all.peek().is_none() || all.any(|entry| matches!(entry.verdict, Verdict::Flaw | Verdict::Sound))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    /// A report with the sample's sign-out flaw changed, and the sample itself.
    fn reports(change: impl Fn(&mut Entry)) -> (Report, Report) {
        let before = Report::of(&samples::outcome());
        let mut now = before.clone();
        now.findings.iter_mut().filter(|entry| entry.rule == "sign-out-replay").for_each(change);
        (before, now)
    }

    #[test]
    fn nothing_changes_between_a_report_and_itself() {
        let (before, now) = reports(|_| {});
        let drift = Drift::between(&before, &now);
        assert!(drift.gone.is_empty() && drift.unjudged.is_empty());
        assert!(now.flaws(Severity::Info).all(|flaw| drift.state(flaw) == State::Known));
    }

    #[test]
    fn a_flaw_that_is_not_found_again_is_gone_only_where_the_site_was_seen_to_hold() {
        #[rustfmt::skip]
        let cases = [
            (Verdict::Sound,        1, 0),
            (Verdict::Inconclusive, 0, 1),
            (Verdict::Skipped,      0, 1),
            (Verdict::Flaw,         0, 0),
        ];
        for (verdict, gone, unjudged) in cases {
            let (before, now) = reports(|entry| entry.verdict = verdict);
            let drift = Drift::between(&before, &now);
            assert_eq!((drift.gone.len(), drift.unjudged.len()), (gone, unjudged), "{verdict:?}");
            let elsewhere = reports(|entry| {
                entry.verdict = verdict;
                entry.fingerprint = "another place".to_owned();
            });
            let drift = Drift::between(&elsewhere.0, &elsewhere.1);
            let gone = gone.max(usize::from(verdict == Verdict::Flaw));
            assert_eq!((drift.gone.len(), drift.unjudged.len()), (gone, unjudged), "{verdict:?} elsewhere");
        }
    }

    #[test]
    fn a_flaw_is_new_worse_milder_or_known() {
        #[rustfmt::skip]
        let cases = [
            (Severity::Critical, State::Worse),
            (Severity::High,     State::Known),
            (Severity::Low,      State::Milder),
        ];
        for (severity, expected) in cases {
            let (before, now) = reports(|entry| entry.severity = severity);
            let drift = Drift::between(&before, &now);
            let flaw = now.findings.iter().find(|entry| entry.rule == "sign-out-replay").unwrap();
            assert_eq!(drift.state(flaw), expected);
        }
        let (now, before) = reports(|entry| entry.verdict = Verdict::Inconclusive);
        let flaw = now.findings.iter().find(|entry| entry.rule == "sign-out-replay").unwrap();
        assert_eq!(Drift::between(&before, &now).state(flaw), State::New);
    }
}
