//! Asking the operator's own detector: on which requests, once for each, and what its answer leaves in the session.

use super::Engine;
use super::error::SignInError;
use super::exchange::Exchange;
use super::familiar::Familiar;
use super::sight::Look;
use crate::csrf::MethodKind;
use crate::detector::{Asking, Detector, DynDetector, Occasion, Occasions, Question};
use crate::event::EventKind;
use crate::id::{SessionId, SubjectRef};
use crate::record::Record;
use crate::rules::{Decision, Evidence, Finding, Heard, History, Sensitivity, Signal, Signals, Verdict};
use crate::store::Live;

/// The operator's detector, and when it is asked.
pub(super) struct Consulted {
    detector: Box<dyn DynDetector>,
    asking: Asking,
}

/// A sign-in about which the detector was asked, if it was.
pub(super) struct Admitted {
    heard: Heard,
    evidence: Evidence,
    /// What the new session remembers of where it is used.
    pub(super) history: History,
}

impl Engine {
    /// Has `detector` asked from now on, about the requests that `asking` names. The first call counts.
    ///
    /// # Security
    /// The engine waits for as long as the detector takes: give it one that is bounded.
    pub fn detect_by(&self, detector: impl Detector, asking: Asking) {
        // A second call changes nothing.
        let _ = self.0.detector.set(Consulted { detector: Box::new(detector), asking });
    }
}

impl Consulted {
    async fn ask(&self, question: Question) -> Heard {
        match DynDetector::judge(&*self.detector, question).await {
            Ok(verdict) => Heard::Verdict(verdict),
            Err(_) => Heard::Silence(self.asking.on_silence),
        }
    }
}

impl Exchange {
    /// Whether the detector wants to be asked about this request, whatever the session says. What memory has does not do then.
    pub(super) fn is_asked_about(&self) -> bool {
        self.engine.consulted().is_some_and(|consulted| !consulted.asking.on.and(self.declared()).is_empty())
    }

    /// `look` with what the detector says about the request, where it is asked.
    pub(super) async fn consult(&self, live: &Live, look: Look, verdict: Verdict) -> Look {
        let (Some(consulted), Some(subject)) = (self.engine.consulted(), live.record.subject()) else { return look };
        let asked_on = self.asked_on(consulted, &look, verdict);
        if asked_on.is_empty() {
            return look;
        }
        let (sight, Look { finding, decision, .. }) = (self.arrival.sight(&self.engine), &look);
        let signals =
            finding.signals.or(finding.doubts).and_if(verdict == Verdict::RolledBack, Signal::TokenRolledBack);
        let evidence = Evidence::of(finding, &sight);
        let question = Question {
            session: Some(live.record.id),
            sensitivity: self.sensitivity(),
            signals,
            decision: *decision,
            ..self.question(asked_on, subject, evidence)
        };
        let before = self.state.lock().heard.clone();
        let heard = match before {
            Some(heard) => heard,
            None => consulted.ask(question).await,
        };
        // Whoever changed the session meanwhile makes us judge again, and not ask again.
        self.state.lock().heard = Some(heard.clone());
        self.having_heard(&live.record, look, heard, evidence)
    }

    fn asked_on(&self, consulted: &Consulted, look: &Look, verdict: Verdict) -> Occasions {
        let (finding, grades) = (&look.finding, self.engine.policy().grades());
        let route = finding.heard_on(self.sensitivity());
        let counts = |signal| grades.of(signal).on(route) != Decision::None;
        let signalled = finding.fresh.iter().any(counts) || verdict == Verdict::RolledBack;
        let holds = self.declared().and_if(finding.is_new, Occasion::NewContext).and_if(signalled, Occasion::Signal);
        // What its silence left is for it to take away.
        let was_silent = finding.doubts.has(Signal::DetectorSilent);
        consulted.asking.on.and(holds).and_if(was_silent, Occasion::NewContext)
    }

    /// The occasions that the request itself is.
    fn declared(&self) -> Occasions {
        Occasions::NONE
            .with(Occasion::EveryRequest)
            .and_if(self.sensitivity() == Sensitivity::Sensitive, Occasion::SensitiveRoute)
            .and_if(self.changes_state(), Occasion::Write)
    }

    fn changes_state(&self) -> bool {
        self.arrival.route.csrf.changes_state || self.arrival.method != MethodKind::Safe
    }

    fn question(&self, asked_on: Occasions, subject: SubjectRef, evidence: Evidence) -> Question {
        let (changes_state, navigation) = (self.changes_state(), self.arrival.navigation);
        Question { asked_on, changes_state, navigation, ..Question::new(self.arrival.at, subject, evidence) }
    }

    fn having_heard(&self, record: &Record, look: Look, heard: Heard, evidence: Evidence) -> Look {
        let (policy, route) = (self.engine.policy(), self.sensitivity());
        let (grades, Look { mut finding, limits, .. }) = (policy.grades(), look);
        let doubts = heard.doubts(finding.doubts, grades.grave());
        let newly = doubts.without(finding.doubts).has(Signal::DetectorSilent);
        finding.fresh = finding.fresh.and_if(newly, Signal::DetectorSilent);
        let sight = self.arrival.sight(&self.engine);
        let known = finding.becomes.as_ref().or(record.member().and_then(|member| member.history.as_ref()));
        let known = known.cloned().unwrap_or_else(|| History::born(sight));
        finding.becomes = known.doubting(&sight, doubts, policy.vigilance()).or(finding.becomes);
        finding.doubts = doubts;
        let shortens = heard.shortens(grades, route);
        let shortened = || policy.shortened(self.arrival.at.since(record.created_at));
        Look {
            decision: heard.decide(grades, &finding, route),
            limits: limits.or_else(|| shortens.then(shortened)),
            evidence: Some(evidence),
            finding,
            heard,
        }
    }

    /// Asks about a sign-in whose credential was found good.
    ///
    /// # Errors
    /// [`SignInError::Refused`]: the detector wants it refused.
    pub(super) async fn admit(
        &self,
        subject: SubjectRef,
        familiar: Option<&Familiar>,
    ) -> Result<Admitted, SignInError> {
        let (sight, policy) = (self.arrival.sight(&self.engine), self.engine.policy());
        let finding = familiar.map(|familiar| familiar.judge(&sight, policy.vigilance())).unwrap_or_default();
        let evidence = Evidence::of(&finding, &sight);
        let heard = self.ask_about_sign_in(subject, &finding, evidence).await;
        if heard.strongest(policy.grades(), Sensitivity::Ordinary) == Decision::Revoke {
            self.tell_heard(None, Some(subject), &heard, Some(evidence), Sensitivity::Ordinary);
            return Err(SignInError::Refused);
        }
        let born = History::born(sight);
        let doubts = heard.doubts(Signals::NONE, policy.grades().grave());
        let history = born.doubting(&sight, doubts, policy.vigilance()).unwrap_or(born);
        Ok(Admitted { heard, evidence, history })
    }

    async fn ask_about_sign_in(&self, subject: SubjectRef, finding: &Finding, evidence: Evidence) -> Heard {
        let Some(consulted) = self.engine.consulted() else { return Heard::Unasked };
        let news = finding.news();
        let decision = news.map(|signal| self.engine.policy().grades().of(signal).on(Sensitivity::Ordinary));
        let holds = Occasions::NONE
            .with(Occasion::SignIn)
            .and_if(finding.is_new, Occasion::NewContext)
            .and_if(decision.is_some_and(|decision| decision != Decision::None), Occasion::Signal);
        let asked_on = consulted.asking.on.and(holds);
        if asked_on.is_empty() {
            return Heard::Unasked;
        }
        let (signals, decision) = (news.into_iter().collect(), decision.unwrap_or_default());
        consulted.ask(Question { signals, decision, ..self.question(asked_on, subject, evidence) }).await
    }

    /// Tells what the detector said, each signal with what is decided on it.
    pub(super) fn tell_heard(
        &self,
        session: Option<SessionId>,
        subject: Option<SubjectRef>,
        heard: &Heard,
        evidence: Option<Evidence>,
        route: Sensitivity,
    ) {
        let Heard::Verdict(verdict) = heard else { return };
        for named in verdict.signals() {
            let decision = self.engine.policy().grades().of_verdict(named.decision, route);
            if decision != Decision::None {
                let (signal, own) = (Signal::Detector, Some(named.signal));
                self.tell(session, subject, EventKind::Signalled { signal, decision, evidence, own });
            }
        }
    }

    /// Tells what was heard of a sign-in that led to this session.
    pub(super) fn tell_admitted(&self, session: SessionId, subject: SubjectRef, admitted: &Admitted) {
        let (evidence, route) = (Some(admitted.evidence), Sensitivity::Ordinary);
        self.tell_heard(Some(session), Some(subject), &admitted.heard, evidence, route);
        let signal = Signal::DetectorSilent;
        let decision = self.engine.policy().grades().of(signal).on(route);
        if admitted.is_doubted_for(signal) && decision != Decision::None {
            let kind = EventKind::Signalled { signal, decision, evidence, own: None };
            self.tell(Some(session), Some(subject), kind);
        }
    }

    /// What of the policy's limits is left to a session that begins so.
    pub(super) fn tightened(&self, admitted: &Admitted, record: Record) -> Record {
        let policy = self.engine.policy();
        if !admitted.heard.shortens(policy.grades(), Sensitivity::Ordinary) {
            return record;
        }
        let limits = record.limits.tightest(&policy.shortened(std::time::Duration::ZERO));
        Record { limits, ..record }
    }
}

impl Admitted {
    /// Whether somebody who signed in so has yet to prove who they are.
    pub(super) fn is_doubted(&self) -> bool {
        self.history.contexts().iter().any(|known| !known.doubts.is_empty())
    }

    fn is_doubted_for(&self, signal: Signal) -> bool {
        self.history.contexts().iter().any(|known| known.doubts.has(signal))
    }
}

#[cfg(test)]
mod tests;
