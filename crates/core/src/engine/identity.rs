//! Who is signed in, as handlers see it.

use std::time::Duration;

use super::Engine;
use super::exchange::{Exchange, Presence};
use crate::id::{SessionId, Subject, SubjectRef};
use crate::moment::Moment;
use crate::record::Member;
use crate::rules::{Assurance, Factor, Standing};
use crate::seam::Denial;
use crate::store::{Live, StoreError};

/// Who is signed in, and how surely.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Who.
    pub subject: Subject,
    /// The name under which stores and events know them.
    pub reference: SubjectRef,
    /// The session's public id.
    pub session: SessionId,
    /// What the request may rely on.
    pub assurance: Assurance,
    /// What was verified, and when.
    pub factors: Vec<Factor>,
    /// When they last proved who they are.
    pub auth_time: Moment,
    /// When they signed in.
    pub created_at: Moment,
    /// When they stepped up, if that still counts.
    pub elevated_at: Option<Moment>,
    /// How long the session lasts if nobody uses it: the sooner of idle and absolute, or the end of being remembered.
    pub expires_in: Duration,
}

impl Exchange {
    /// Who is signed in or remembered, if anybody.
    ///
    /// # Errors
    /// [`StoreError`]: reply 503. An outage is not absence.
    pub async fn identity(&self) -> Result<Option<Identity>, StoreError> {
        Ok(self.identity_in(&self.presence().await?))
    }

    /// Who is signed in now; a remembered user is not.
    ///
    /// # Errors
    /// The [`Denial`] to answer with.
    pub async fn require_signed_in(&self) -> Result<Identity, Denial> {
        let presence = self.presence().await.map_err(|_| Denial::Unavailable)?;
        self.identity_in(&presence)
            .filter(|identity| identity.assurance >= Assurance::Authenticated)
            .ok_or(Denial::SignInRequired)
    }

    /// Who is signed in and stepped up no longer than `max_age` ago. A fresh sign-in alone is not enough. However large
    /// `max_age` is, a step-up lasts no longer than the policy says.
    ///
    /// # Errors
    /// The [`Denial`] to answer with; it names the shorter of the two times, which is what would be sufficient.
    pub async fn require_recent(&self, max_age: Duration) -> Result<Identity, Denial> {
        let identity = self.require_signed_in().await?;
        let max_age = max_age.min(self.engine.policy().elevated_for());
        let now = self.arrival.at;
        if identity.elevated_at.is_some_and(|at| now.since(at) < max_age) {
            return Ok(identity);
        }
        self.tell(Some(identity.session), Some(identity.reference), crate::event::EventKind::StepUpRequired);
        Err(Denial::StepUpRequired { max_age })
    }

    fn identity_in(&self, presence: &Presence) -> Option<Identity> {
        let Presence::Member(holding) = presence else {
            return None;
        };
        let record = &holding.live.record;
        let member: &Member = record.member()?;
        let assurance = match (holding.standing, holding.elevation) {
            (Standing::Live, Some(_)) => Assurance::Elevated,
            (Standing::Live, None) => Assurance::Authenticated,
            _ => Assurance::Remembered,
        };
        Some(Identity {
            subject: member.subject.clone(),
            reference: member.reference,
            session: record.id,
            assurance,
            factors: member.factors.clone(),
            auth_time: member.auth_time().unwrap_or(record.created_at),
            created_at: record.created_at,
            elevated_at: holding.elevation.map(|elevation| elevation.at),
            expires_in: self.engine.expiry(&holding.live, holding.standing).since(self.arrival.at),
        })
    }
}

impl Engine {
    /// When a session ends if nobody uses it: the sooner of idle and absolute, or the end of being remembered.
    pub(super) fn expiry(&self, live: &Live, standing: Standing) -> Moment {
        let record = &live.record;
        let limits = record.limits.tightest(self.policy().limits());
        match standing {
            Standing::Live => (record.created_at + limits.absolute).min(live.seen_at + limits.idle),
            _ => limits.end_of(record.created_at),
        }
    }
}
