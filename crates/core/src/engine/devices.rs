//! The sessions of the signed-in subject: seen, named, ended one by one, or all others at once.

use super::error::SessionError;
use super::exchange::{Exchange, Holding, Presence};
use crate::device::DeviceName;
use crate::event::EventKind;
use crate::id::{SessionId, SubjectRef};
use crate::record::Change;
use crate::rules::{EndReason, Standing};
use crate::store::{Committed, Ending, Loaded, Page, Summary};

impl Exchange {
    /// The sessions of the signed-in subject, newest first. Provisional ones are not among them.
    ///
    /// # Errors
    /// [`SessionError::NotSignedIn`], or the store's.
    pub async fn devices(&self, page: Page) -> Result<Vec<Summary>, SessionError> {
        let (_, subject) = self.signed_in_member().await?;
        Ok(self.engine.store().list(subject, page, self.engine.now()).await?)
    }

    /// Ends another session of the signed-in subject. `false` if there is no such session of theirs. Ending one's own
    /// is a sign-out without the cookie's removal; prefer [`sign_out`](Self::sign_out).
    ///
    /// # Errors
    /// [`SessionError::NotSignedIn`], or the store's.
    pub async fn end_device(&self, id: SessionId) -> Result<bool, SessionError> {
        let (_, subject) = self.signed_in_member().await?;
        let (store, now, reason) = (self.engine.store(), self.engine.now(), EndReason::EndedByUser);
        let Loaded::Live(live) = store.load(id, now, None).await? else {
            return Ok(false);
        };
        if live.record.subject() != Some(subject) {
            return Ok(false);
        }
        if matches!(store.end(id, None, reason, now).await?, Ending::Done) {
            self.tell(Some(id), Some(subject), EventKind::SessionEnded { reason });
        }
        Ok(true)
    }

    /// Gives one of the signed-in subject's devices the name its user wants. `false` if there is no such session of theirs.
    ///
    /// # Errors
    /// [`SessionError::NotSignedIn`], or the store's.
    pub async fn rename_device(&self, id: SessionId, name: &DeviceName) -> Result<bool, SessionError> {
        let (holding, subject) = self.signed_in_member().await?;
        let (store, now) = (self.engine.store(), self.engine.now());
        for _ in 0..ATTEMPTS {
            let loaded = store.load(id, now, None).await?;
            let Ok((live, _)) = self.engine.standing(&loaded, now) else {
                return Ok(false);
            };
            if live.record.subject() != Some(subject) {
                return Ok(false);
            }
            let change = Change { label: Some(name.as_str().into()), ..Change::default() };
            match store.commit(id, live.revision, change, now).await? {
                Committed::Done(..) if id == holding.live.record.id => {
                    return self.look_again(holding).await.map(|()| true);
                }
                Committed::Done(..) => return Ok(true),
                Committed::Gone(_) => return Ok(false),
                Committed::Conflict(_) => {}
            }
        }
        Err(SessionError::Contended)
    }

    /// Ends all other sessions of the signed-in subject, and overtakes their sign-ins under way. Where the account changed,
    /// use [`trigger`](Self::trigger): the policy says what follows.
    ///
    /// # Errors
    /// [`SessionError::NotSignedIn`] if this session has ended itself, or the store's.
    pub async fn end_others(&self, reason: EndReason) -> Result<(), SessionError> {
        let (holding, subject) = self.signed_in_member().await?;
        let id = holding.live.record.id;
        self.engine.end_reference(subject, Some(id), reason).await?;
        self.look_again(holding).await
    }

    /// This session was changed from beside it: a later write must expect its new state. What was done stays done if the
    /// store does not answer now; a later write then learns the new state by its conflict.
    pub(super) async fn look_again(&self, holding: Holding) -> Result<(), SessionError> {
        let now = self.engine.now();
        let Ok(loaded) = self.engine.store().load(holding.live.record.id, now, None).await else {
            self.settle(Presence::Member(holding));
            return Ok(());
        };
        let Ok((live, standing)) = self.engine.standing(&loaded, now) else {
            self.settle(Presence::Ended);
            return Err(SessionError::Ended);
        };
        self.settle(Presence::Member(Holding { live, standing, ..holding }));
        Ok(())
    }

    pub(super) async fn signed_in_member(&self) -> Result<(Holding, SubjectRef), SessionError> {
        let Presence::Member(holding) = self.presence().await? else {
            return Err(SessionError::NotSignedIn);
        };
        let subject = holding.live.record.subject().filter(|_| holding.standing == Standing::Live);
        subject.map(|subject| (holding, subject)).ok_or(SessionError::NotSignedIn)
    }
}

/// How often a session may change under our hands. Each round somebody else got through.
const ATTEMPTS: usize = 64;
