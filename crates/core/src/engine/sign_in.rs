//! Signing in: the only road to a subject. It replaces the session and its token, always.

use std::sync::Arc;

use super::consult::Admitted;
use super::error::{SessionError, SignInError};
use super::exchange::{Exchange, Holding, Presence};
use super::mint::Minted;
use crate::cookie::CookieKind;
use crate::data::{BadPayload, Fields, Payload};
use crate::event::EventKind;
use crate::id::{SessionId, Subject};
use crate::moment::Moment;
use crate::policy::Policy;
use crate::record::{Change, Holder, Member, Pending, Record, Reference};
use crate::rules::{Amr, EndReason, Factor};
use crate::store::{Committed, Epochs, Inserted, Live, Replaced};

/// A sign-in under way: the subject, its epochs as they were before any credential was checked, and what was verified.
///
/// Worth nothing until [`Exchange::complete`]: nothing that yields a subject accepts it.
#[derive(Debug, Clone)]
#[must_use = "nobody is signed in before `complete`"]
pub struct Attempt {
    subject: Subject,
    epochs: Epochs,
    factors: Vec<Factor>,
    remember: bool,
    until: Moment,
}

/// What may be said about a sign-in.
#[derive(Debug, Clone, Default)]
pub struct SignInOptions {
    /// The user asked to be remembered, as by [`Attempt::remembering`]; counts only where the policy remembers at all.
    pub remember: bool,
    /// Names under which others know the session.
    pub references: Vec<Reference>,
}

/// Who was signed in, in which session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedInNow {
    /// Who.
    pub subject: Subject,
    /// The new session.
    pub session: SessionId,
    /// The session it replaced.
    pub previous: Option<SessionId>,
}

impl Attempt {
    /// Who it would be.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// What was verified so far.
    pub fn factors(&self) -> &[Factor] {
        &self.factors
    }

    /// The same for a user who asked to be remembered. Kept while the sign-in is half done.
    pub fn remembering(self) -> Self {
        Self { remember: true, ..self }
    }
}

impl Exchange {
    /// Begins a sign-in. Call it **before** the credential is checked: a password reset in between then wins.
    ///
    /// # Errors
    /// [`SignInError::Session`] if the store did not answer.
    pub async fn begin(&self, subject: Subject) -> Result<Attempt, SignInError> {
        let reference = self.engine.reference(&subject);
        let epochs = self.engine.store().epochs(Some(reference)).await?;
        let until = self.engine.now() + Policy::PENDING_FOR;
        Ok(Attempt { subject, epochs, factors: Vec::new(), remember: false, until })
    }

    /// Notes a factor that was verified.
    pub fn verified(&self, mut attempt: Attempt, amr: Amr) -> Attempt {
        attempt.factors.retain(|factor| factor.amr != amr);
        attempt.factors.push(Factor { amr, verified_at: self.engine.now() });
        attempt
    }

    /// Keeps a half-done sign-in in the anonymous session, until [`pending`](Self::pending) takes it up again. The
    /// session stays nobody's.
    ///
    /// # Errors
    /// [`SignInError::Session`] if it could not be kept.
    pub async fn hold(&self, attempt: Attempt) -> Result<(), SignInError> {
        let Attempt { subject, epochs, factors, remember, until } = attempt;
        let pending = Some(Box::new(Pending { subject, epochs, factors, remember, until }));
        for _ in 0..ATTEMPTS {
            let Some(visit) = self.visit().await? else {
                if self.begin_visit(Payload::default(), pending.clone()).await? {
                    return Ok(());
                }
                continue;
            };
            let change = Change { pending: Some(pending.clone()), ..Change::default() };
            let changed = visit.live.record.with(&change);
            match self
                .engine
                .store()
                .commit(visit.live.record.id, visit.live.revision, change, self.engine.now())
                .await?
            {
                Committed::Done(revision, _) => {
                    self.renew_visit(Live { record: Arc::new(changed), seen_at: visit.live.seen_at, revision });
                    return Ok(());
                }
                Committed::Conflict(live) => self.renew_visit(live),
                Committed::Gone(_) => return Err(SessionError::Ended.into()),
            }
        }
        Err(SessionError::Contended.into())
    }

    /// Remembers a new state of the anonymous session, if it is the one in use and not opened anew at each look.
    fn renew_visit(&self, live: Live) {
        let mut state = self.state.lock();
        if let Some(Presence::Visitor(holding)) = &mut state.presence
            && holding.live.record.id == live.record.id
        {
            holding.live = live;
        }
    }

    /// The half-done sign-in of this browser, if it has not lapsed.
    ///
    /// # Errors
    /// [`SignInError::Session`] if the store did not answer.
    pub async fn pending(&self) -> Result<Option<Attempt>, SignInError> {
        let Some(visit) = self.visit().await? else {
            return Ok(None);
        };
        let Holder::Visitor(Some(pending)) = &visit.live.record.holder else {
            return Ok(None);
        };
        let Pending { subject, epochs, factors, remember, until } = (**pending).clone();
        Ok((self.engine.now() < until).then_some(Attempt { subject, epochs, factors, remember, until }))
    }

    /// Completes a sign-in: a new session with a new id and a fresh token replaces whatever was there. Data marked as
    /// portable comes along, unless the old session was somebody else's.
    ///
    /// # Errors
    /// [`SignInError::SubjectMoved`] if the subject's sessions were ended since [`begin`](Self::begin);
    /// [`SignInError::OverLimit`] if the policy refuses one more; [`SignInError::Refused`] if the operator's detector refuses it.
    pub async fn complete(&self, attempt: Attempt, options: SignInOptions) -> Result<SignedInNow, SignInError> {
        self.check(&attempt)?;
        let reference = self.engine.reference(&attempt.subject);
        let familiar = self.engine.familiar(reference, attempt.epochs).await;
        let admitted = Box::pin(self.admit(reference, familiar.as_ref())).await?;
        for _ in 0..ATTEMPTS {
            let presence = self.presence().await?;
            let old = presence.holding().map(|holding| holding.live.clone());
            let minted = self.mint_for(&attempt, &options, &admitted, old.as_ref())?;
            let record = minted.record.clone();
            let limit = self.engine.policy().session_limit();
            let (store, now) = (self.engine.store(), self.engine.now());
            let inserted = match &old {
                None => store.insert(record, limit, now).await?,
                Some(old) => match store.replace(old.record.id, old.revision, record, limit, now).await? {
                    Replaced::Inserted(inserted) => inserted,
                    Replaced::Conflict(live) => {
                        self.settle(presence.with(live));
                        continue;
                    }
                    // It ended meanwhile. A verified credential is a new sign-in, without the old one's data.
                    Replaced::Gone => {
                        self.settle(Presence::Nobody);
                        continue;
                    }
                },
            };
            match inserted {
                Inserted::Done(yielded) => {
                    let previous = old.as_ref().map(|old| old.record.id);
                    let session = self.signed_in(minted, old.as_ref(), &yielded).await;
                    self.tell_admitted(session, reference, &admitted);
                    self.meet(familiar, session, reference, admitted.is_doubted()).await;
                    return Ok(SignedInNow { subject: attempt.subject, session, previous });
                }
                Inserted::Exists => {}
                Inserted::OverLimit => return Err(self.refused(&attempt, EventKind::LimitReached)),
                Inserted::SubjectMoved => return Err(self.refused(&attempt, EventKind::SignInOvertaken)),
            }
        }
        Err(SessionError::Contended.into())
    }

    fn check(&self, attempt: &Attempt) -> Result<(), SignInError> {
        if attempt.factors.is_empty() {
            return Err(SignInError::NoFactor);
        }
        if self.engine.now() >= attempt.until {
            return Err(SignInError::Lapsed);
        }
        if self.is_in_time() { Ok(()) } else { Err(SessionError::TooLate.into()) }
    }

    fn mint_for(
        &self,
        attempt: &Attempt,
        options: &SignInOptions,
        admitted: &Admitted,
        old: Option<&Live>,
    ) -> Result<Minted, SignInError> {
        let member = Member {
            subject: attempt.subject.clone(),
            reference: self.engine.reference(&attempt.subject),
            factors: attempt.factors.as_slice().into(),
            presented: false,
            label: self.arrival.label(self.engine.labels()),
            elevations: [None, None],
            references: options.references.clone(),
            history: Some(admitted.history.clone()),
        };
        let data = carried_over(old.map(|old| &*old.record), &attempt.subject).map_err(SessionError::from)?;
        let remember = attempt.remember || options.remember;
        let minted = self.engine.mint_member(member, data, attempt.epochs, remember, self.engine.now())?;
        Ok(Minted { record: self.tightened(admitted, minted.record), ..minted })
    }

    async fn signed_in(&self, minted: Minted, old: Option<&Live>, yielded: &[SessionId]) -> SessionId {
        let Minted { record, token } = minted;
        let (id, subject, now) = (record.id, record.subject(), self.engine.now());
        let previous = old.map(|old| old.record.id);
        if let Some(old) = old {
            let whose = old.record.subject();
            self.tell(previous, whose, EventKind::SessionEnded { reason: EndReason::Superseded });
            if whose.is_some() && whose != subject {
                // What was set in this request was somebody else's.
                self.state.lock().intents.clear();
            }
        }
        self.engine.tell_yielded(yielded, subject);
        self.tell(Some(id), subject, EventKind::SessionCreated { previous });
        self.engine.count_created();
        self.send(self.engine.cookie(CookieKind::Session, &token, record.limits.end_of(now), now));
        self.dismiss_old_cookie();
        self.settle(Presence::Member(Holding::new(Live::born(record))));
        self.drop_pending().await;
        id
    }

    /// A half-done sign-in beside the session that was replaced must not be completed a second time.
    async fn drop_pending(&self) {
        let Ok(Some(visit)) = self.open_visit().await else {
            return;
        };
        if matches!(visit.live.record.holder, Holder::Visitor(Some(_))) {
            // If the store fails here, the half-done sign-in still lapses by itself, and still needs its last factor.
            let _ = self.engine.end(visit.live.record.id, EndReason::Superseded).await;
        }
    }

    fn refused(&self, attempt: &Attempt, kind: EventKind) -> SignInError {
        self.tell(None, Some(self.engine.reference(&attempt.subject)), kind);
        match kind {
            EventKind::LimitReached => SignInError::OverLimit,
            _ => SignInError::SubjectMoved,
        }
    }

    /// The anonymous session of this browser: the one in use, or the one beside a signed-in session.
    async fn visit(&self) -> Result<Option<Holding>, SignInError> {
        match self.presence().await? {
            Presence::Visitor(holding) => Ok(Some(holding)),
            _ => Ok(self.open_visit().await?),
        }
    }
}

/// What follows its user into a new session. Never from one subject to another.
pub(super) fn carried_over(old: Option<&Record>, subject: &Subject) -> Result<Payload, BadPayload> {
    let same_person = |old: &&Record| old.member().is_none_or(|member| member.subject == *subject);
    match old.filter(same_person) {
        Some(old) => Ok(Fields::open(&old.data)?.portable().seal()),
        None => Ok(Payload::default()),
    }
}

/// How often the old session may change while it is being replaced. Each round somebody else got through.
const ATTEMPTS: usize = 64;
