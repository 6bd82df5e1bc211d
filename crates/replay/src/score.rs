//! Holds what the engine answered against what a sequence expects, as `FORMAT.md` says.

use std::collections::BTreeSet;
use std::fmt;

use crate::Answer;
use crate::label::{Decision, Expect, Holder, Kind, Label};
use crate::scene::Route;

/// Something that is not as expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// At which request; `None` if it is about all of them.
    pub request: Option<usize>,
    /// What.
    pub what: What,
}

/// In what way an answer is not as expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A session was ended, or a request refused, whose holder was honest.
    FalseSignOut,
    /// Something was admitted that was over.
    DeadAdmitted,
    /// A theft was not found in time.
    Missed(Decision),
    /// An honest reader or writer was asked to step up.
    Nuisance,
    /// Another decision than is acceptable.
    OtherDecision(Decision),
    /// A signal that must occur did not.
    Missing(String),
    /// A signal occurred that must not.
    Forbidden(String),
}

impl Finding {
    /// How grave it is.
    pub const fn weight(&self) -> u32 {
        match self.what {
            What::FalseSignOut | What::DeadAdmitted => 100,
            What::Missed(_) => 50,
            What::Nuisance => 10,
            What::OtherDecision(_) => 3,
            What::Missing(_) | What::Forbidden(_) => 2,
        }
    }
}

/// All that is not as expected.
pub fn score(label: &Label, answers: &[Answer]) -> Vec<Finding> {
    let scored = Scored { label, expect: &label.expect, answers };
    let mut findings = Vec::new();
    scored.decisions(&mut findings);
    scored.admissions(&mut findings);
    scored.detections(&mut findings);
    scored.signals(&mut findings);
    findings
}

struct Scored<'a> {
    label: &'a Label,
    expect: &'a Expect,
    answers: &'a [Answer],
}

impl Scored<'_> {
    fn decisions(&self, findings: &mut Vec<Finding>) {
        for (answer, held) in self.answers.iter().zip(&self.label.requests) {
            let acceptable = self.acceptable(answer.request_index, held.route);
            let never = self.label.never.contains(&answer.decision);
            if !never && acceptable.is_none_or(|acceptable| acceptable.contains(&answer.decision)) {
                continue;
            }
            let what = match (answer.decision, held.route) {
                (Decision::Revoke, _) => What::FalseSignOut,
                (Decision::StepUp, Route::Read | Route::Write) if held.holder == Holder::Owner => What::Nuisance,
                (decision, _) => What::OtherDecision(decision),
            };
            findings.push(Finding { request: Some(answer.request_index), what });
        }
    }

    /// What is acceptable of a request; `None` if anything is.
    fn acceptable(&self, index: usize, route: Route) -> Option<&[Decision]> {
        let at = self.expect.at.iter().find(|at| at.request == index).and_then(|at| at.decisions.as_deref());
        at.or_else(|| {
            let by_route = self.expect.each.get(route.as_str()).or_else(|| self.expect.each.get("*"));
            by_route.filter(|_| self.is_honest(index)).map(Vec::as_slice)
        })
    }

    /// Whether `each` speaks of this request: all of an honest file; elsewhere the owner's before the theft, and those of
    /// sessions that must live.
    fn is_honest(&self, index: usize) -> bool {
        let Some(held) = self.label.requests.get(index) else { return false };
        let before = self.expect.from.is_none_or(|from| index < from);
        let owners = held.holder == Holder::Owner;
        self.label.kind == Kind::Honest || (owners && (before || self.expect.spare.contains(&held.session)))
    }

    fn admissions(&self, findings: &mut Vec<Finding>) {
        let mut refused = BTreeSet::new();
        for (answer, held) in self.answers.iter().zip(&self.label.requests) {
            let index = answer.request_index;
            let expected = self.expect.at.iter().find(|at| at.request == index).and_then(|at| at.admitted);
            let anonymous = matches!(held.route, Route::SignIn);
            let live = expected.unwrap_or(self.is_honest(index) && !anonymous);
            let what = match (answer.admitted, expected) {
                (true, Some(false)) => What::DeadAdmitted,
                (false, _) if live && refused.insert(&held.session) => What::FalseSignOut,
                _ => continue,
            };
            findings.push(Finding { request: Some(index), what });
        }
    }

    fn detections(&self, findings: &mut Vec<Finding>) {
        if self.label.has("undetectable") {
            return;
        }
        let from = self.expect.from.unwrap_or_default();
        for wanted in &self.expect.detect {
            let in_time = |answer: &Answer| {
                let at = self.label.requests.get(answer.request_index).map(|held| held.at);
                answer.request_index >= from && at.is_some_and(|at| at <= wanted.by) && answer.decision >= wanted.level
            };
            if !self.answers.iter().any(in_time) {
                findings.push(Finding { request: None, what: What::Missed(wanted.level) });
            }
        }
    }

    fn signals(&self, findings: &mut Vec<Finding>) {
        let seen: BTreeSet<&str> = self.answers.iter().flat_map(|answer| answer.signals.iter().copied()).collect();
        held(&self.expect.must, &self.expect.must_not, &seen, None, findings);
        let any = &self.expect.must_any;
        if !any.is_empty() && !any.iter().any(|signal| seen.contains(signal.as_str())) {
            findings.push(Finding { request: None, what: What::Missing(any.join(" or ")) });
        }
        for at in &self.expect.at {
            let answer = self.answers.get(at.request);
            let seen = answer.map(|answer| answer.signals.iter().copied().collect()).unwrap_or_default();
            held(&at.must, &at.must_not, &seen, Some(at.request), findings);
        }
    }
}

fn held(
    must: &[String],
    must_not: &[String],
    seen: &BTreeSet<&str>,
    request: Option<usize>,
    findings: &mut Vec<Finding>,
) {
    let missing = must.iter().filter(|signal| !seen.contains(signal.as_str())).cloned().map(What::Missing);
    let forbidden = must_not.iter().filter(|signal| seen.contains(signal.as_str())).cloned().map(What::Forbidden);
    findings.extend(missing.chain(forbidden).map(|what| Finding { request, what }));
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(request) = self.request {
            write!(out, "request {request}: ")?;
        }
        match &self.what {
            What::FalseSignOut => out.write_str("an honest user was signed out"),
            What::DeadAdmitted => out.write_str("what was over was admitted"),
            What::Missed(level) => write!(out, "no {} in time", level.as_str()),
            What::Nuisance => out.write_str("an honest reader was asked to step up"),
            What::OtherDecision(decision) => write!(out, "{} is not acceptable", decision.as_str()),
            What::Missing(signal) => write!(out, "no signal {signal}"),
            What::Forbidden(signal) => write!(out, "signal {signal}, which must not be"),
        }
    }
}

impl Decision {
    /// Its name in the format.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Note => "note",
            Self::Notify => "notify",
            Self::Shorten => "shorten",
            Self::StepUp => "step_up",
            Self::Revoke => "revoke",
        }
    }
}
