//! Counting what is a signal only when there is much of it, and telling it then.

use std::hash::Hash;

use super::Engine;
use super::exchange::Exchange;
use crate::address::NetworkPrefix;
use crate::event::EventKind;
use crate::id::{SessionId, SubjectRef};
use crate::rules::{Counted, Decision, Sensitivity, Signal};
use crate::token::Token;

impl Exchange {
    /// Tells that somebody failed to sign in under `name`: call it where a credential was wrong. From one network at many
    /// accounts it is a signal. An account that does not exist counts, too.
    pub fn sign_in_failed(&self, name: &str) {
        let Some(network) = self.arrival.prefix() else { return };
        self.engine.count(Counted::SignInFailed, network, name, None, None);
    }

    /// Tells that a step-up failed: call it where the factor was wrong. Too often in one session it is a signal.
    pub fn step_up_failed(&self) {
        let Some(session) = self.arrival.session.as_ref().map(Token::id) else { return };
        let subject =
            self.state.lock().presence.as_ref().and_then(|presence| presence.holding()?.live.record.subject());
        self.engine.count(Counted::StepUpFailed, session, self.arrival.at, Some(session), subject);
    }
}

impl Engine {
    /// Counts something nobody can be blamed for but a network.
    pub(super) fn count_forged(&self, network: Option<NetworkPrefix>) {
        self.count(Counted::Forged, network, (), None, None);
    }

    /// Counts something that happened in a session, or in none.
    pub(super) fn count_denied(&self, session: Option<SessionId>) {
        if let Some(session) = session {
            self.count(Counted::CsrfDenied, session, (), Some(session), None);
        }
    }

    /// Counts a session that began.
    pub(super) fn count_created(&self) {
        let spikes = self.bursts().lock().count_creation(self.now());
        if spikes {
            self.signal(Signal::CreationSpike, None, None);
        }
    }

    fn count(
        &self,
        counted: Counted,
        key: impl Hash,
        what: impl Hash,
        session: Option<SessionId>,
        subject: Option<SubjectRef>,
    ) {
        let bursts = self.bursts().lock().count(counted, key, what, self.now());
        if bursts {
            self.signal(counted.signal(), session, subject);
        }
    }

    fn signal(&self, signal: Signal, session: Option<SessionId>, subject: Option<SubjectRef>) {
        let decision = self.policy().grades().of(signal).on(Sensitivity::Ordinary);
        if decision != Decision::None {
            self.tell(session, subject, EventKind::Signalled { signal, decision, evidence: None, own: None });
        }
    }
}
