//! Doing what a token says: which sessions end by it.

use counterfoil_core::rules::EndReason;
use counterfoil_core::store::StoreError;
use counterfoil_core::{Engine, EventKind, SessionId, Subject, SubjectRef};

use super::{About, Received, SessionName, UserName, What};
use crate::cause::Cause;

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Acted {
    /// This session ended, unless it was over.
    Session(SessionId),
    /// All sessions of this user ended.
    User(SubjectRef),
    /// Nothing ends by it, or it is about nobody who is known here.
    Nothing,
}

/// Whom a token means here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whom {
    Session(SessionId),
    User(SubjectRef),
    Nobody,
}

impl Received {
    /// Does what the token says to the sessions of `engine`, tells that it came (`signal.received`) and remembers that it was
    /// dealt with. All events of it say on whose word it was.
    ///
    /// # Errors
    /// [`StoreError`]: it may or may not have been done. Refuse the token, so that it is sent again; doing it twice is fine.
    pub async fn act(self, engine: &Engine) -> Result<Acted, StoreError> {
        let cause = Cause { issuer: self.issuer.clone(), txn: self.txn };
        let whom = Whom::is(&self.about, engine);
        let acted = cause.of(self.what.act(whom, engine)).await?;
        self.is_done();
        Ok(acted)
    }
}

impl Whom {
    /// Where a session is named it is that session, also if it is none of ours, and never all of a user's.
    fn is(about: &About, engine: &Engine) -> Self {
        match (&about.session, &about.user) {
            (Some(SessionName::Ours(id)), _) => Self::Session(*id),
            (Some(SessionName::Theirs(_) | SessionName::Unknown), _) | (None, None) => Self::Nobody,
            (None, Some(UserName::Reference(reference))) => Self::User(*reference),
            (None, Some(UserName::At { subject, .. } | UserName::Email(subject))) => {
                // Nobody has a name that is none.
                Subject::new(subject).map_or(Self::Nobody, |subject| Self::User(engine.reference(&subject)))
            }
        }
    }

    const fn named(self) -> (Option<SessionId>, Option<SubjectRef>) {
        match self {
            Self::Session(id) => (Some(id), None),
            Self::User(subject) => (None, Some(subject)),
            Self::Nobody => (None, None),
        }
    }
}

impl What {
    async fn act(&self, whom: Whom, engine: &Engine) -> Result<Acted, StoreError> {
        let acted = match (self.ends(), whom) {
            (Some(reason), Whom::Session(id)) => {
                engine.end_by_id(id, reason).await?;
                Acted::Session(id)
            }
            (Some(reason), Whom::User(subject)) => {
                match (self.trigger(), self) {
                    (Some(trigger), _) => drop(engine.trigger_reference(subject, trigger).await?),
                    (None, Self::SessionRevoked { except }) => engine.end_reference(subject, *except, reason).await?,
                    (None, _) => engine.end_reference(subject, None, reason).await?,
                }
                Acted::User(subject)
            }
            (None, _) | (_, Whom::Nobody) => Acted::Nothing,
        };
        if let Some(what) = self.name() {
            let (session, subject) = whom.named();
            engine.tell(session, subject, EventKind::SignalReceived { what });
        }
        Ok(acted)
    }

    /// Why sessions end by it, if they do.
    const fn ends(&self) -> Option<EndReason> {
        match (self, self.trigger()) {
            (Self::SessionRevoked { .. }, _) => Some(EndReason::SharedSignal),
            (_, Some(trigger)) => Some(trigger.end_reason()),
            (_, None) => None,
        }
    }
}

#[cfg(test)]
mod tests;
