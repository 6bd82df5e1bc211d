//! Who is signed in, as handlers see it.

use std::sync::Arc;
use std::time::Duration;

use super::Engine;
use super::exchange::{Exchange, Presence};
use crate::event::EventKind;
use crate::id::{SessionId, Subject, SubjectRef};
use crate::moment::Moment;
use crate::record::{Holder, Member};
use crate::rules::{Assurance, Factor, Standing};
use crate::seam::{Care, Denial};
use crate::store::{Live, StoreError};

/// Who is signed in, and how surely. `Debug` shows ids alone.
#[derive(Clone)]
pub struct Identity {
    member: Arc<Member>,
    /// The name under which stores and events know them.
    pub reference: SubjectRef,
    /// The session's public id.
    pub session: SessionId,
    /// What the request may rely on.
    pub assurance: Assurance,
    /// When they signed in.
    pub created_at: Moment,
    /// When they stepped up, if that still counts.
    pub elevated_at: Option<Moment>,
    /// How long the session lasts if nobody uses it: the sooner of idle and absolute, or the end of being remembered.
    pub expires_in: Duration,
    /// How long the session lasts at most, whatever anybody does: until absolute, or the end of being remembered.
    pub ends_in: Duration,
}

impl Identity {
    /// Who.
    pub fn subject(&self) -> &Subject {
        &self.member.subject
    }

    /// What was verified, and when.
    pub fn factors(&self) -> &[Factor] {
        &self.member.factors
    }

    /// When they last proved who they are.
    pub fn auth_time(&self) -> Moment {
        self.member.auth_time().unwrap_or(self.created_at)
    }
}

impl std::fmt::Debug for Identity {
    /// The rest of the record is nobody's business who prints this: the device, names at identity providers.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { reference, session, assurance, .. } = self;
        out.debug_struct("Identity")
            .field("reference", reference)
            .field("session", session)
            .field("assurance", assurance)
            .finish_non_exhaustive()
    }
}

impl Exchange {
    /// Who is signed in or remembered, if anybody.
    ///
    /// # Errors
    /// [`StoreError`]: reply 503. An outage is not absence.
    pub async fn identity(&self) -> Result<Option<Identity>, StoreError> {
        self.see(|presence| self.identity_in(presence)).await
    }

    /// Who is signed in now; a remembered user is not. On a route that is `sensitive`, a request that shows another client
    /// or place than its session's waits for a step-up here; so it does wherever the policy or the operator's detector asks for
    /// one, but on the routes where people step up.
    ///
    /// # Errors
    /// The [`Denial`] to answer with.
    pub async fn require_signed_in(&self) -> Result<Identity, Denial> {
        let (identity, held_back) = self
            .see(|presence| {
                let held_back = presence.holding().is_some_and(|holding| holding.held_back);
                let held_back = held_back && self.arrival.route.care != Care::StepUp;
                (self.identity_in(presence), held_back)
            })
            .await
            .map_err(|_| Denial::Unavailable)?;
        if let Some(identity) = identity.as_ref().filter(|_| held_back) {
            return Err(self.ask_to_step_up(identity, self.engine.policy().elevated_for()));
        }
        identity.filter(|identity| identity.assurance >= Assurance::Authenticated).ok_or(Denial::SignInRequired)
    }

    /// Who is signed in and stepped up no longer than `max_age` ago. A fresh sign-in alone is not enough. However large
    /// `max_age` is, a step-up lasts no longer than the policy says. The store itself is asked, whatever this node remembers.
    ///
    /// # Errors
    /// The [`Denial`] to answer with; it names the shorter of the two times, which is what would be sufficient.
    pub async fn require_recent(&self, max_age: Duration) -> Result<Identity, Denial> {
        self.make_sure().await.map_err(|_| Denial::Unavailable)?;
        let identity = self.require_signed_in().await?;
        let max_age = max_age.min(self.engine.policy().elevated_for());
        let now = self.arrival.at;
        if identity.elevated_at.is_some_and(|at| now.since(at) < max_age) {
            return Ok(identity);
        }
        Err(self.ask_to_step_up(&identity, max_age))
    }

    fn ask_to_step_up(&self, identity: &Identity, max_age: Duration) -> Denial {
        self.tell(Some(identity.session), Some(identity.reference), EventKind::StepUpRequired);
        Denial::StepUpRequired { max_age }
    }

    fn identity_in(&self, presence: &Presence) -> Option<Identity> {
        let Presence::Member(holding) = presence else {
            return None;
        };
        let record = &holding.live.record;
        let Holder::Member(member) = &record.holder else {
            return None;
        };
        let assurance = match (holding.standing, holding.elevation) {
            (Standing::Live, Some(_)) => Assurance::Elevated,
            (Standing::Live, None) => Assurance::Authenticated,
            _ => Assurance::Remembered,
        };
        Some(Identity {
            member: Arc::clone(member),
            reference: member.reference,
            session: record.id,
            assurance,
            created_at: record.created_at,
            elevated_at: holding.elevation.map(|elevation| elevation.at),
            expires_in: self.engine.expiry(&holding.live, holding.standing).since(self.arrival.at),
            ends_in: self.engine.latest_end(&holding.live, holding.standing).since(self.arrival.at),
        })
    }
}

impl Engine {
    /// When a session ends if nobody uses it: the sooner of idle and absolute, or the end of being remembered.
    pub(super) fn expiry(&self, live: &Live, standing: Standing) -> Moment {
        let limits = live.record.limits.tightest(self.policy().limits());
        let end = self.latest_end(live, standing);
        if standing == Standing::Live { end.min(live.seen_at + limits.idle) } else { end }
    }

    /// When a session ends whatever anybody does: at absolute, or at the end of being remembered.
    pub(super) fn latest_end(&self, live: &Live, standing: Standing) -> Moment {
        let record = &live.record;
        let limits = record.limits.tightest(self.policy().limits());
        if standing == Standing::Live { record.created_at + limits.absolute } else { limits.end_of(record.created_at) }
    }
}
