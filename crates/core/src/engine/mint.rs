//! Making sessions: records with their first token, and the cookies that carry tokens.

use std::sync::Arc;

use super::Engine;
use super::error::SessionError;
use super::exchange::{Exchange, Holding, Phase, Presence};
use crate::cookie::{CookieKind, SetCookie};
use crate::data::Payload;
use crate::entropy::NoEntropy;
use crate::event::EventKind;
use crate::id::{Bucket, SessionId};
use crate::moment::Moment;
use crate::record::{Holder, Member, Pending, Record};
use crate::rules::{EndReason, Family, Limits};
use crate::store::{Epochs, Inserted, Live};
use crate::token::{Token, TokenKind};

/// A new record and its token, neither of them stored nor sent.
pub(super) struct Minted {
    pub(super) record: Record,
    pub(super) token: Token,
}

impl Exchange {
    /// Begins an anonymous session. `false` if another part of this request was faster.
    pub(super) async fn begin_visit(&self, data: Payload, pending: Option<Box<Pending>>) -> Result<bool, SessionError> {
        if !self.is_in_time() {
            return Err(SessionError::TooLate);
        }
        let (engine, now, is_pending) = (&self.engine, self.engine.now(), pending.is_some());
        let epochs = engine.store().epochs(None).await?;
        let Minted { record, token } = engine.mint_visitor(data, pending, epochs, now)?;
        let Inserted::Done(_) = engine.store().insert(record.clone(), None, now).await? else {
            return Ok(false);
        };
        let id = record.id;
        let cookie = engine.cookie(CookieKind::Anonymous, &token, record.limits.end_of(now), now);
        let kept = self.keep_visit(record, cookie, is_pending);
        if let Ok(true) = kept {
            self.tell(Some(id), None, EventKind::SessionCreated { previous: None });
        } else {
            // Nobody will ever present it. If the store fails here, it idles out.
            let _ = engine.store().end(id, None, EndReason::Superseded, now).await;
        }
        kept
    }

    /// Makes a stored anonymous session that of this request, if none is yet.
    fn keep_visit(&self, record: Record, cookie: Option<SetCookie>, is_pending: bool) -> Result<bool, SessionError> {
        let mut state = self.state.lock();
        if state.phase == Phase::Concluded {
            return Err(SessionError::TooLate);
        }
        match state.presence {
            // A half-done sign-in beside a session that goes on.
            Some(Presence::Member(_)) if is_pending => {}
            None | Some(Presence::Nobody | Presence::Ended) => {
                state.presence = Some(Presence::Visitor(Holding::new(Live::born(record))));
            }
            Some(_) => return Ok(false),
        }
        state.outbox = cookie;
        Ok(true)
    }
}

impl Engine {
    /// A new anonymous session.
    pub(super) fn mint_visitor(
        &self,
        data: Payload,
        pending: Option<Box<Pending>>,
        epochs: Epochs,
        now: Moment,
    ) -> Result<Minted, NoEntropy> {
        let id = SessionId::fresh(Bucket::random(self.entropy())?, self.entropy())?;
        let limits = Limits { remember_for: None, ..*self.policy().limits() };
        self.mint(TokenKind::Visit, id, Holder::Visitor(pending), data, epochs, limits, now)
    }

    /// A new session of `member`, in the bucket of its subject.
    pub(super) fn mint_member(
        &self,
        member: Member,
        data: Payload,
        epochs: Epochs,
        remember: bool,
        now: Moment,
    ) -> Result<Minted, NoEntropy> {
        let id = SessionId::fresh(member.reference.bucket(), self.entropy())?;
        let limits = *self.policy().limits();
        let limits = Limits { remember_for: limits.remember_for.filter(|_| remember), ..limits };
        self.mint(TokenKind::Session, id, Holder::Member(Arc::new(member)), data, epochs, limits, now)
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of a record, named by its two callers")]
    fn mint(
        &self,
        kind: TokenKind,
        id: SessionId,
        holder: Holder,
        data: Payload,
        epochs: Epochs,
        limits: Limits,
        now: Moment,
    ) -> Result<Minted, NoEntropy> {
        let token = Token::fresh(kind, id, self.entropy())?;
        let family = Family::born(token.hash(), now);
        Ok(Minted { record: Record { id, created_at: now, epochs, limits, family, holder, data }, token })
    }

    /// The cookie that carries `token` until `end`. This is the one place where a token becomes text.
    pub(super) fn cookie(&self, kind: CookieKind, token: &Token, end: Moment, now: Moment) -> Option<SetCookie> {
        let lifetime = self.policy().cookie_lifetime(end.since(now));
        // The writer refuses only values that are too long or not cookie octets; a token is neither.
        self.policy().cookies().set(kind, &token.reveal(&self.keys()), lifetime).ok()
    }
}
