//! Reacting to a change of the account: one call, one store verb, whatever the policy's table says.

use super::Engine;
use super::error::SessionError;
use super::exchange::{Exchange, Holding, Presence};
use crate::cookie::CookieKind;
use crate::event::EventKind;
use crate::id::{SessionId, Subject, SubjectRef};
use crate::record::{Change, Record, StepUp};
use crate::rules::{Reaction, Trigger};
use crate::store::{Committed, Loaded, StoreError};

impl Engine {
    /// Does to the sessions of `subject` what the policy says of `trigger`, and says what was done. Call it **after** the
    /// change was stored: a sign-in that still saw the old state is then overtaken or among the sessions that end.
    ///
    /// `current` is the session that asks, and may go on. Without one all sessions end, whatever the policy says: an
    /// operator's change takes effect at once, in one step, however many there are.
    ///
    /// # Errors
    /// [`StoreError`]: it may or may not have been done; try again. Doing it twice is fine.
    pub async fn trigger(
        &self,
        subject: &Subject,
        trigger: Trigger,
        current: Option<SessionId>,
    ) -> Result<Reaction, StoreError> {
        let reference = self.reference(subject);
        let Some(id) = current else {
            return self.trigger_reference(reference, trigger).await;
        };
        let (reaction, reason) = (self.policy().reaction(trigger), trigger.end_reason());
        match reaction {
            Reaction::Rotate | Reaction::StepUp => self.change_one(reference, id, reaction).await?,
            Reaction::EndOthers => self.end_reference(reference, Some(id), reason).await?,
            _ => self.end_reference(reference, None, reason).await?,
        }
        self.tell(current, Some(reference), EventKind::AccountChanged { trigger, reaction });
        Ok(reaction)
    }

    /// As [`trigger`](Self::trigger) where no session asks, for a subject known by its keyed reference: all of its sessions
    /// end.
    ///
    /// # Errors
    /// [`StoreError`]: it may or may not have been done; try again. Doing it twice is fine.
    pub async fn trigger_reference(&self, subject: SubjectRef, trigger: Trigger) -> Result<Reaction, StoreError> {
        let reaction = self.policy().reaction(trigger).without_a_session();
        self.end_reference(subject, None, trigger.end_reason()).await?;
        self.tell(None, Some(subject), EventKind::AccountChanged { trigger, reaction });
        Ok(reaction)
    }

    /// Rotates or questions one session. One that is over, or somebody else's, is left alone.
    async fn change_one(&self, subject: SubjectRef, id: SessionId, reaction: Reaction) -> Result<(), StoreError> {
        let now = self.now();
        for _ in 0..ATTEMPTS {
            let Loaded::Live(live) = self.0.store.load(id, now, None).await? else {
                return Ok(());
            };
            let change = change_of(&live.record, reaction, now);
            if live.record.subject() != Some(subject) || !change.is_more_than_touch() {
                return Ok(());
            }
            match self.0.store.commit(id, live.revision, change, now).await? {
                Committed::Done(..) | Committed::Gone(_) => return Ok(()),
                Committed::Conflict(_) => {}
            }
        }
        Err(StoreError::Unavailable("the session was changed by others too often".into()))
    }
}

impl Exchange {
    /// Does to the sessions of the signed-in subject what the policy says of `trigger`, and says what was done; this
    /// session is the one that asks. Call it **after** the change was stored.
    ///
    /// # Errors
    /// [`SessionError::NotSignedIn`], [`SessionError::Ended`] if this session has ended itself, or the store's: then it
    /// may or may not have been done, and may be done again.
    pub async fn trigger(&self, trigger: Trigger) -> Result<Reaction, SessionError> {
        let (holding, _) = self.signed_in_member().await?;
        let record = &holding.live.record;
        let Some(member) = record.member() else {
            return Err(SessionError::NotSignedIn);
        };
        let reaction = self.engine.trigger(&member.subject, trigger, Some(record.id)).await?;
        match reaction {
            Reaction::EndAll => {
                self.state.lock().intents.clear();
                self.settle(Presence::Nobody);
                self.send(Some(self.engine.policy().cookies().removal(CookieKind::Session)));
            }
            Reaction::StepUp => self.look_again(Holding { elevation: None, ..holding }).await?,
            _ => self.look_again(holding).await?,
        }
        Ok(reaction)
    }
}

fn change_of(record: &Record, reaction: Reaction, now: crate::moment::Moment) -> Change {
    let stepped_up = record.member().is_some_and(|member| member.elevations.iter().any(Option::is_some));
    match reaction {
        // A session that rotates already, or whose family may not be hastened, keeps its own time.
        Reaction::Rotate => Change { family: record.family.hastened(now), ..Change::default() },
        Reaction::StepUp => Change { step_up: stepped_up.then_some(StepUp::Withdrawn), ..Change::default() },
        _ => Change::default(),
    }
}

/// How often the session may change under our hands. Each round somebody else got through.
const ATTEMPTS: usize = 64;
