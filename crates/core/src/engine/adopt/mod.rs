//! Taking over a session of the layer before: its cookie leads to one session of ours, and never to a second.

mod heir;
mod legacy;

use std::sync::Arc;
use std::time::Duration;

use self::heir::Heir;
pub(super) use self::legacy::Legacy;
use super::exchange::{Exchange, Holding};
use super::sign_in::carried_over;
use crate::cookie::{CookieKind, ForeignCookie, OldCookie};
use crate::data::BadPayload;
use crate::event::EventKind;
use crate::id::{SessionId, Subject};
use crate::moment::Moment;
use crate::record::{Holder, Member, Record};
use crate::rules::{Amr, EndReason, Factor, Family, History, Limits};
use crate::store::{BoxError, BoxFuture, DynStore, Epoch, Epochs, Inserted, Limit, Live, Replaced, StoreError};
use crate::token::Token;

/// The session layer an application moves away from.
///
/// # Security
/// Its cookie is worth what it was worth there: whoever holds it becomes its user. What is ours to keep: it leads to one
/// session only, on every node; that session counts its absolute limit from the old sign-in; it is never stepped up; and
/// it does not come to be by a request that the CSRF decision did not let pass.
pub trait Predecessor: Send + Sync + 'static {
    /// The cookie its sessions lie under.
    fn cookie(&self) -> &ForeignCookie;

    /// Whether its sessions are still taken over at `now`.
    fn is_open(&self, now: Moment) -> bool;

    /// Finds the session of a cookie. Nothing is ended by it. An error is an outage, never absence.
    fn find(&self, cookie: OldCookie) -> BoxFuture<'static, Result<Option<OldSession>, BoxError>>;

    /// Runs `entry` to its end even if whoever waits for it goes away: a client that hangs up must not leave half of it.
    fn to_the_end(&self, entry: BoxFuture<'static, Entry>) -> BoxFuture<'static, Entry>;
}

/// A session of the layer before, as it was found.
pub struct OldSession {
    /// Whose.
    pub subject: Subject,
    /// When they signed in; the absolute limit counts from it.
    pub signed_in_at: Moment,
    /// How. Empty where it is not known; then somebody else vouched for it.
    pub factors: Vec<Amr>,
    /// Ends it. Run once, when ours is stored.
    pub end: BoxFuture<'static, ()>,
}

/// What came of storing an adopted session.
pub struct Entry(Result<Entered, StoreError>);

#[derive(Debug)]
struct Entered {
    inserted: Inserted,
    /// As it was offered to the store.
    record: Record,
    previous: Option<SessionId>,
}

/// What came of an old cookie before.
enum Before {
    /// Nothing that still is.
    Never,
    /// A session, and the cookie still stands for it.
    Standing(Holding),
    /// A session with a token of its own by now. The cookie is a copy.
    Over,
}

/// An adopted session that is to be stored, in place of a visitor's.
struct Entrance {
    store: Arc<dyn DynStore>,
    record: Record,
    subject: Subject,
    visitor: Option<Live>,
    limit: Option<Limit>,
    now: Moment,
}

impl Exchange {
    /// The session that the old cookie of this request leads to.
    pub(super) async fn inherit(&self, visitor: Option<&Holding>) -> Result<Option<Holding>, StoreError> {
        let Some(predecessor) = self.engine.predecessor() else {
            return Ok(None);
        };
        let cookie = match &self.arrival.legacy {
            Legacy::Cookie(cookie) if self.is_in_time() => cookie,
            Legacy::NotNow => return Err(StoreError::Unavailable("no old session is taken over ahead of time".into())),
            _ => return Ok(None),
        };
        let heir = Heir::of(self.engine.keys().adoption().clone(), predecessor.cookie().name(), cookie);
        match self.adopted_before(&heir).await? {
            Before::Standing(holding) => return Ok(Some(holding)),
            Before::Over => return Ok(None),
            Before::Never => {}
        }
        // Before the old session is looked at: when all sessions are ended meanwhile, that wins.
        let global = self.engine.store().epochs(None).await?.global;
        match predecessor.find(cookie.clone()).await.map_err(StoreError::Unavailable)? {
            Some(old) => self.adopt(predecessor, &heir, old, global, visitor).await,
            // Another request may have taken it over since we looked; the old session ends only after that.
            None => Ok(self.adopted_before(&heir).await?.standing()),
        }
    }

    /// The session made from this cookie a moment ago: by another tab, or by a request whose answer was lost. Its first
    /// token is derived, so every answer carries the same one.
    async fn adopted_before(&self, heir: &Heir<'_>) -> Result<Before, StoreError> {
        let now = self.engine.now();
        for id in self.engine.store().resolve(REFERENCE, heir.name()).await? {
            let loaded = self.engine.store().load(id, now, None).await?;
            let Ok((live, _)) = self.engine.standing(&loaded, now) else { continue };
            let Some(token) = heir.token(id) else { continue };
            if stands_for(&live.record, &token, self.engine.policy().grace(), now) {
                return Ok(Before::Standing(self.enter(live, &token)));
            }
            self.refuse(Some(id), "adopted_before");
            return Ok(Before::Over);
        }
        Ok(Before::Never)
    }

    async fn adopt(
        &self,
        predecessor: &dyn Predecessor,
        heir: &Heir<'_>,
        old: OldSession,
        global: Epoch,
        visitor: Option<&Holding>,
    ) -> Result<Option<Holding>, StoreError> {
        let now = self.engine.now();
        let reference = self.engine.reference(&old.subject);
        let epochs = Epochs { global, ..self.engine.store().epochs(Some(reference)).await? };
        if epochs.subject > Epoch::default() {
            // Their sessions were ended here, all or all others. The old one is one of them.
            old.end.await;
            self.dismiss_old_cookie();
            return Ok(self.refuse(None, "subject_ended"));
        }
        let Some(limits) = self.engine.policy().limits().left_since(old.signed_in_at, now) else {
            return Ok(self.refuse(None, "too_old"));
        };
        let Some((id, token)) = heir.first_token(reference.bucket()) else {
            return Ok(None);
        };
        let record = self.record_of(&old, id, &token, epochs, limits, heir, now);
        let entrance = Entrance {
            store: Arc::clone(self.engine.store()),
            record,
            subject: old.subject,
            visitor: visitor.map(|visitor| visitor.live.clone()),
            limit: self.engine.policy().session_limit(),
            now,
        };
        let entry = predecessor.to_the_end(Box::pin(entrance.take(old.end))).await;
        let Entered { inserted, record, previous } = entry.0?;
        match inserted {
            Inserted::Done(yielded) => {
                if previous.is_some() {
                    self.tell(previous, None, EventKind::SessionEnded { reason: EndReason::Superseded });
                }
                self.engine.tell_yielded(&yielded, Some(reference));
                self.tell(Some(id), Some(reference), EventKind::SessionAdopted { previous });
                Ok(Some(self.enter(Live::born(record), &token)))
            }
            Inserted::Exists => match self.adopted_before(heir).await? {
                // Another tab was faster.
                Before::Standing(holding) => Ok(Some(holding)),
                Before::Over => Ok(None),
                // It was there and has ended; the old one could not be.
                Before::Never => Ok(self.refuse(Some(id), "ended")),
            },
            Inserted::OverLimit => Ok(self.refuse(None, "limit_reached")),
            Inserted::SubjectMoved => Ok(self.refuse(None, "subject_ended")),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of a record, named by its one caller")]
    fn record_of(
        &self,
        old: &OldSession,
        id: SessionId,
        token: &Token,
        epochs: Epochs,
        limits: Limits,
        heir: &Heir<'_>,
        now: Moment,
    ) -> Record {
        let verified_at = old.signed_in_at.min(now);
        let known = if old.factors.is_empty() { &[Amr::Fed] } else { old.factors.as_slice() };
        let member = Member {
            subject: old.subject.clone(),
            reference: self.engine.reference(&old.subject),
            factors: known.iter().map(|amr| Factor { amr: *amr, verified_at }).collect(),
            presented: false,
            label: self.arrival.label(self.engine.labels()),
            elevations: [None, None],
            references: vec![heir.reference()],
            history: Some(History::born(self.arrival.sight(&self.engine))),
        };
        let (family, holder) = (Family::born(token.hash(), now), Holder::Member(Arc::new(member)));
        Record { id, created_at: now, epochs, limits, family, holder, data: crate::data::Payload::default() }
    }

    /// Its first token leaves with this response, the old cookie goes.
    fn enter(&self, live: Live, token: &Token) -> Holding {
        let (now, end) = (self.engine.now(), live.record.limits.end_of(live.record.created_at));
        self.send(self.engine.cookie(CookieKind::Session, token, end, now));
        self.dismiss_old_cookie();
        Holding::new(live)
    }

    /// The cookie of the layer before shall be removed by this response, if there was such a layer.
    pub(super) fn dismiss_old_cookie(&self) {
        let open = self.engine.predecessor().filter(|predecessor| predecessor.is_open(self.arrival.at));
        if let Some(predecessor) = open {
            let secure = self.engine.policy().cookies().names().name(CookieKind::Session).is_secure();
            self.state.lock().remove_old = Some(predecessor.cookie().removal(secure).into());
        }
    }

    fn refuse(&self, session: Option<SessionId>, reason: &'static str) -> Option<Holding> {
        self.tell(session, None, EventKind::AdoptionRefused { reason });
        None
    }
}

impl Before {
    fn standing(self) -> Option<Holding> {
        match self {
            Self::Standing(holding) => Some(holding),
            Self::Never | Self::Over => None,
        }
    }
}

impl Entrance {
    /// Stores the session, then ends the old one: never the other way round, or an outage in between would sign its user
    /// out.
    async fn take(self, end_old: BoxFuture<'static, ()>) -> Entry {
        let entered = self.insert().await;
        if matches!(entered, Ok(Entered { inserted: Inserted::Done(_), .. })) {
            end_old.await;
        }
        Entry(entered)
    }

    async fn insert(self) -> Result<Entered, StoreError> {
        let Self { store, record, subject, mut visitor, limit, now } = self;
        for _ in 0..ATTEMPTS {
            let data = carried_over(visitor.as_ref().map(|live| &*live.record), &subject).map_err(unreadable)?;
            let record = Record { data, ..record.clone() };
            let Some(old) = visitor else {
                let inserted = store.insert(record.clone(), limit, now).await?;
                return Ok(Entered { inserted, record, previous: None });
            };
            visitor = match store.replace(old.record.id, old.revision, record.clone(), limit, now).await? {
                Replaced::Inserted(inserted) => {
                    return Ok(Entered { inserted, record, previous: Some(old.record.id) });
                }
                Replaced::Conflict(live) => Some(live),
                Replaced::Gone => None,
            };
        }
        Err(StoreError::Unavailable("the visitor's session was changed by others too often".into()))
    }
}

/// Whether the old cookie still opens the session made from it: until the new token was presented, and for `grace` after
/// the adoption, when requests sent before its answer came may still arrive. The session's first token must be its only
/// one.
fn stands_for(record: &Record, token: &Token, grace: Duration, now: Moment) -> bool {
    let unpresented = record.member().is_some_and(|member| !member.presented);
    let young = now.since(record.created_at) < grace;
    record.family.generation == 0 && record.family.current == token.hash() && (unpresented || young)
}

fn unreadable(cause: BadPayload) -> StoreError {
    StoreError::Corrupt { what: "the data of an anonymous session", cause: Some(cause.into()) }
}

impl std::fmt::Debug for OldSession {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("OldSession").field("signed_in_at", &self.signed_in_at).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_tuple("Entry").field(&self.0).finish()
    }
}

/// Under which kind of name an adopted session knows the cookie it was made from.
const REFERENCE: &str = "adopted";
/// How often the visitor's session may change while it is being replaced. Each round somebody else got through.
const ATTEMPTS: usize = 64;
