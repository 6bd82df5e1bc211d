//! Stepping up: a second cookie beside the session's, with a clock of its own. The token family is not touched.

use std::sync::Arc;

use super::error::{SessionError, StepUpError};
use super::exchange::{Exchange, Holding, Presence};
use crate::cookie::CookieKind;
use crate::event::EventKind;
use crate::record::{Change, Elevation, StepUp};
use crate::rules::{Amr, Factor, Standing};
use crate::store::{Committed, Live};
use crate::token::{Token, TokenKind};

impl Exchange {
    /// Grants a step-up, after `amr` was verified anew. If its reply is lost, only the elevation is lost.
    ///
    /// # Errors
    /// [`StepUpError::NotSignedIn`] if nobody is signed in, or only remembered; [`StepUpError::JustSignedIn`] in the
    /// request that signed in, because one response carries one cookie. The session is as it was.
    pub async fn step_up(&self, amr: Amr) -> Result<(), StepUpError> {
        for _ in 0..ATTEMPTS {
            let presence = self.presence().await?;
            let Presence::Member(holding) = &presence else {
                return Err(StepUpError::NotSignedIn);
            };
            if holding.standing != Standing::Live {
                return Err(StepUpError::NotSignedIn);
            }
            let presented = self.arrival.session.as_ref().map(Token::id);
            if presented != Some(holding.live.record.id) {
                return Err(StepUpError::JustSignedIn);
            }
            if !self.is_in_time() {
                return Err(SessionError::TooLate.into());
            }
            if self.try_step_up(&presence, holding, amr).await? {
                return Ok(());
            }
        }
        Err(SessionError::Contended.into())
    }

    async fn try_step_up(&self, presence: &Presence, holding: &Holding, amr: Amr) -> Result<bool, StepUpError> {
        let (record, now) = (&holding.live.record, self.engine.now());
        let token = Token::fresh(TokenKind::Elevated, record.id, self.engine.entropy())?;
        let elevation = Elevation { hash: token.hash(), at: now, until: now + self.engine.policy().elevated_for() };
        let family = record.family.hastened(now);
        let step_up = Some(StepUp::Granted(elevation, Factor { amr, verified_at: now }));
        let change = Change { family, step_up, ..self.trusting(record) };
        let changed = record.with(&change);
        match self.engine.store().commit(record.id, holding.live.revision, change, now).await? {
            Committed::Done(revision, _) => {
                let live = Live { record: Arc::new(changed), seen_at: holding.live.seen_at, revision };
                let elevated = Holding { live, elevation: Some(elevation), held_back: false, ..holding.clone() };
                self.tell(Some(record.id), record.subject(), EventKind::SteppedUp);
                self.settle(Presence::Member(elevated));
                self.send(self.engine.cookie(CookieKind::Elevated, &token, elevation.until, now));
                Ok(true)
            }
            Committed::Conflict(live) => {
                self.settle(presence.with(live));
                Ok(false)
            }
            Committed::Gone(_) => {
                self.settle(Presence::Ended);
                Err(SessionError::Ended.into())
            }
        }
    }
}

/// How often the session may change under our hands. Each round somebody else got through.
const ATTEMPTS: usize = 64;
