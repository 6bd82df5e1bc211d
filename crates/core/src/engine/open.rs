//! Opening the session a request presents: load, judge, and write what the judgement says.

use parking_lot::MutexGuard;

use super::Engine;
use super::exchange::{Exchange, Holding, Presence, State};
use super::sight::Look;
use crate::event::EventKind;
use crate::moment::Moment;
use crate::policy::OnReuse;
use crate::record::{Change, Elevation, Holder, Record};
use crate::rules::{Context, EndReason, Judgement, Presented, Standing, Verdict};
use crate::seam::Care;
use crate::store::{Activity, Committed, Ending, Live, Loaded, StoreError};
use crate::token::Token;

/// What one look at a session came to.
enum Step {
    /// It is decided.
    Done(Option<Holding>),
    /// Somebody else changed it; look again.
    Again,
}

impl Exchange {
    /// Opens the session now, so that later looks find it opened. Routes that are not public do this first.
    ///
    /// # Errors
    /// [`StoreError`]: reply 503 and keep the client's cookie. It is neither a session nor the absence of one.
    pub async fn open(&self) -> Result<(), StoreError> {
        self.see(|_| ()).await
    }

    /// As [`open`](Self::open), without waiting: `false` where the store has to be asked. For most requests it has not:
    /// they bring no token, or one that the store accepts from memory.
    pub fn open_at_once(&self) -> bool {
        self.look_at_once().presence.is_some()
    }

    pub(super) async fn presence(&self) -> Result<Presence, StoreError> {
        self.see(Presence::clone).await
    }

    /// What `look` makes of who is there. It must not look for itself: the state is locked meanwhile.
    pub(super) async fn see<T>(&self, look: impl FnOnce(&Presence) -> T) -> Result<T, StoreError> {
        if let Some(presence) = &self.look_at_once().presence {
            return Ok(look(presence));
        }
        // Apart, because whoever waits here would else have to hold all that this may take, in every request.
        let presence = Box::pin(self.find_presence()).await?;
        Ok(look(self.state.lock().presence.get_or_insert(presence)))
    }

    fn look_at_once(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock();
        if state.presence.is_none() {
            state.presence = self.peek();
            state.remembered = state.presence.as_ref().is_some_and(|presence| presence.holding().is_some());
        }
        state
    }

    /// Looks at the store itself, if memory alone told who is there. For what is too grave for the time that a revocation
    /// on another node may go unheard.
    pub(super) async fn make_sure(&self) -> Result<(), StoreError> {
        if !self.look_at_once().remembered {
            return Ok(());
        }
        let presence = Box::pin(self.find_presence()).await?;
        let mut state = self.state.lock();
        // Unless the session was changed or ended by this very request meanwhile: that is the store's word too.
        if std::mem::take(&mut state.remembered) {
            state.presence = Some(presence);
        }
        Ok(())
    }

    /// Who is there, if memory alone can tell.
    fn peek(&self) -> Option<Presence> {
        match (&self.arrival.session, &self.arrival.visit) {
            _ if self.arrival.legacy.is_present() => None,
            (Some(token), _) => self.peek_session(token).map(Presence::Member),
            (None, Some(token)) => self.peek_visit(token).map(Presence::Visitor),
            (None, None) => Some(Presence::Nobody),
        }
    }

    async fn find_presence(&self) -> Result<Presence, StoreError> {
        if let Some(token) = &self.arrival.session
            && let Some(holding) = self.open_session(token).await?
        {
            return Ok(Presence::Member(holding));
        }
        let visit = self.open_visit().await?;
        if self.arrival.legacy.is_present()
            && let Some(holding) = Box::pin(self.inherit(visit.as_ref())).await?
        {
            return Ok(Presence::Member(holding));
        }
        Ok(visit.map_or(Presence::Nobody, Presence::Visitor))
    }

    /// The anonymous session, also where it lies beside a signed-in one.
    pub(super) async fn open_visit(&self) -> Result<Option<Holding>, StoreError> {
        let Some(token) = &self.arrival.visit else {
            return Ok(None);
        };
        if let Some(holding) = self.peek_visit(token) {
            return Ok(Some(holding));
        }
        let presented = token.presented();
        let loaded = self.engine.store().load(token.id(), self.arrival.at, self.activity(&presented)).await?;
        Ok(self.good_visit(&loaded, &presented))
    }

    /// The anonymous session from memory. A cache's "no" is asked again.
    fn peek_visit(&self, token: &Token) -> Option<Holding> {
        let presented = token.presented();
        let loaded = self.recall(token, self.activity(&presented))?;
        self.good_visit(&loaded, &presented)
    }

    /// The anonymous session, if the token opens it.
    fn good_visit(&self, loaded: &Loaded, presented: &Presented) -> Option<Holding> {
        let now = self.arrival.at;
        let (live, standing) = self.engine.standing(loaded, now).ok()?;
        let good = live.record.member().is_none() && live.record.family.admits(presented, now);
        let good = good && standing == Standing::Live;
        good.then_some(Holding { standing, ..Holding::new(live) })
    }

    async fn open_session(&self, token: &Token) -> Result<Option<Holding>, StoreError> {
        let presented = token.presented();
        for _ in 0..ATTEMPTS {
            // Activity is noted once it is known whose it is: in the same step as where it was.
            let loaded = self.engine.store().load(token.id(), self.arrival.at, self.unnoted()).await?;
            match self.decide(token, &presented, &loaded).await? {
                Step::Done(holding) => return Ok(holding),
                Step::Again => {}
            }
        }
        Err(StoreError::Unavailable("the session was changed by others too often".into()))
    }

    /// From memory, only an accepted token that needs no write is decided; all else is judged on a fresh load. Activity that
    /// is due is noted once it is known whose it is.
    fn peek_session(&self, token: &Token) -> Option<Holding> {
        let (presented, now) = (token.presented(), self.arrival.at);
        let loaded = self.recall(token, self.unnoted())?;
        let (live, standing) = self.engine.standing(&loaded, now).ok()?;
        let judgement = self.judge(&live.record, &presented);
        let accepted =
            judgement.verdict == Verdict::Accept && self.write_of(&live.record, judgement, Change::default()).is_none();
        if !accepted || live.record.member().is_none() || !self.goes_on(&live.record) || self.is_asked_about() {
            return None;
        }
        let live = match self.activity(&presented).filter(|activity| activity.touch(&live, now).is_some()) {
            None => live,
            due => self.engine.standing(&self.recall(token, due)?, now).ok()?.0,
        };
        Some(self.holding(live, standing, Verdict::Accept))
    }

    /// What memory has, where the route lets it answer.
    fn recall(&self, token: &Token, activity: Option<Activity>) -> Option<Loaded> {
        if self.arrival.route.care != Care::Usual {
            return None;
        }
        self.engine.store().peek(token.id(), self.arrival.at, activity)
    }

    /// Judges a fresh load and does what the judgement says.
    async fn decide(&self, token: &Token, presented: &Presented, loaded: &Loaded) -> Result<Step, StoreError> {
        let (live, standing) = match self.engine.standing(loaded, self.arrival.at) {
            Ok(found) => found,
            Err(over) => {
                if let Some(reason) = over {
                    self.tell(Some(token.id()), None, EventKind::DeadToken { reason });
                }
                return Ok(Step::Done(None));
            }
        };
        if matches!(live.record.holder, Holder::Visitor(_)) {
            return Ok(Step::Done(None));
        }
        let judgement = self.judge(&live.record, presented);
        match judgement.verdict {
            Verdict::Reuse => self.react_to_reuse(&live).await,
            Verdict::Forgotten => {
                self.tell(Some(token.id()), live.record.subject(), EventKind::TokenForgotten);
                Ok(Step::Done(None))
            }
            Verdict::Accept | Verdict::RolledBack => self.accept(live, presented, standing, judgement).await,
        }
    }

    async fn accept(
        &self,
        live: Live,
        presented: &Presented,
        standing: Standing,
        judgement: Judgement,
    ) -> Result<Step, StoreError> {
        let (id, subject, verdict) = (live.record.id, live.record.subject(), judgement.verdict);
        let look = self.consult(&live, self.look(&live), verdict).await;
        if look.revokes() {
            return self.end_on_suspicion(&live, &look).await;
        }
        let live = match self.write_of(&live.record, judgement, look.change()) {
            None => self.note(live, presented).await,
            Some(change) => match self.write(&live, presented, change).await? {
                Some(live) => live,
                None => return Ok(Step::Again),
            },
        };
        if verdict == Verdict::RolledBack {
            self.tell(Some(id), subject, EventKind::TokenRolledBack);
        }
        self.tell_look(&live.record, &look);
        let held_back = look.holds_back();
        Ok(Step::Done(Some(Holding { held_back, ..self.holding(live, standing, verdict) })))
    }

    /// The policy ends sessions on what this one shows. Only at the revision that was judged.
    async fn end_on_suspicion(&self, live: &Live, look: &Look) -> Result<Step, StoreError> {
        let (id, reason) = (live.record.id, EndReason::Suspicion);
        match self.engine.store().end(id, Some(live.revision), reason, self.arrival.at).await? {
            Ending::Conflict(_) => return Ok(Step::Again),
            Ending::Already => return Ok(Step::Done(None)),
            Ending::Done => {}
        }
        self.tell_look(&live.record, look);
        self.tell(Some(id), live.record.subject(), EventKind::SessionEnded { reason });
        Ok(Step::Done(None))
    }

    /// Writes a change; `None` if the session changed or ended meanwhile and must be judged again.
    async fn write(&self, live: &Live, presented: &Presented, change: Change) -> Result<Option<Live>, StoreError> {
        let (id, now) = (live.record.id, self.arrival.at);
        let change = Change { seen_at: self.due(live, presented), ..change };
        let (record, seen_at) = (live.record.with(&change), change.seen_at.unwrap_or(live.seen_at));
        match self.engine.store().commit(id, live.revision, change, now).await? {
            Committed::Done(revision, yielded) => {
                self.engine.tell_yielded(&yielded, record.subject());
                Ok(Some(Live { record: record.into(), seen_at, revision }))
            }
            Committed::Conflict(_) | Committed::Gone(_) => Ok(None),
        }
    }

    /// Notes activity where nothing else is written. Where it could not be noted the session was found all the same; at worst
    /// it ends early.
    async fn note(&self, live: Live, presented: &Presented) -> Live {
        let (id, now) = (live.record.id, self.arrival.at);
        let Some(seen_at) = self.due(&live, presented) else { return live };
        // Stores that keep sessions in memory gather such notes there.
        if let Some(Loaded::Live(noted)) = self.engine.store().peek(id, now, self.activity(presented)) {
            return noted;
        }
        let touch = Change { seen_at: Some(seen_at), ..Change::default() };
        match self.engine.store().commit(id, live.revision, touch, now).await {
            Ok(Committed::Done(revision, _)) => Live { seen_at, revision, ..live },
            Ok(Committed::Conflict(_) | Committed::Gone(_)) | Err(_) => live,
        }
    }

    /// The activity that is to be noted of this session, if any.
    fn due(&self, live: &Live, presented: &Presented) -> Option<Moment> {
        self.activity(presented)?.touch(live, self.arrival.at)
    }

    /// A genuine token that was superseded: somebody holds a copy. Only at the revision that was judged.
    async fn react_to_reuse(&self, live: &Live) -> Result<Step, StoreError> {
        let (id, subject) = (live.record.id, live.record.subject());
        let ended = self.engine.policy().on_reuse() == OnReuse::Revoke;
        if ended {
            match self.engine.store().end(id, Some(live.revision), EndReason::Reuse, self.arrival.at).await? {
                Ending::Conflict(_) => return Ok(Step::Again),
                Ending::Already => return Ok(Step::Done(None)),
                Ending::Done => {}
            }
        }
        self.tell(Some(id), subject, EventKind::TokenReused { ended });
        if ended {
            self.tell(Some(id), subject, EventKind::SessionEnded { reason: EndReason::Reuse });
        }
        Ok(Step::Done(None))
    }

    fn judge(&self, record: &Record, presented: &Presented) -> Judgement {
        let (now, grace) = (self.arrival.at, self.engine.policy().grace());
        let context = record.family.next.as_ref().map_or(Context::UNSEEN, |_| self.arrival.context());
        record.family.judge(presented, context, now, grace)
    }

    /// What must be written before the token counts: its family's next state, its session's first use, and where that was.
    fn write_of(&self, record: &Record, judgement: Judgement, look: Change) -> Option<Change> {
        let first_use = record.member().is_some_and(|member| !member.presented);
        let writes = first_use || judgement.becomes.is_some() || look.is_more_than_touch();
        writes.then(|| Change {
            family: judgement.becomes,
            first_use: first_use.then(|| self.engine.policy().session_limit()),
            ..look
        })
    }

    fn holding(&self, live: Live, standing: Standing, verdict: Verdict) -> Holding {
        let elevation = (standing == Standing::Live).then(|| self.elevation_in(&live.record)).flatten();
        Holding { live, standing, verdict, elevation, held_back: false }
    }

    /// The step-up whose cookie came along. It counts only beside a live token of its own session.
    fn elevation_in(&self, record: &Record) -> Option<Elevation> {
        let tokens = self.arrival.elevated.iter().filter(|token| token.id() == record.id);
        let hashes: Vec<_> = tokens.map(Token::hash).collect();
        let granted = record.member()?.elevations.iter().flatten();
        granted
            .filter(|granted| self.arrival.at < granted.until)
            .find(|granted| hashes.contains(&granted.hash))
            .copied()
    }

    fn activity(&self, presented: &Presented) -> Option<Activity> {
        let limits = *self.engine.policy().limits();
        (!self.arrival.route.quiet).then_some(Activity { token: Some(*presented), limits })
    }

    /// Activity that the store is to leave to us.
    fn unnoted(&self) -> Option<Activity> {
        let limits = *self.engine.policy().limits();
        (!self.arrival.route.quiet).then_some(Activity { token: None, limits })
    }
}

impl Engine {
    /// Whether a session is good by its clocks, and if not, why it is over; `Err(None)` if it never was.
    pub(super) fn standing(&self, loaded: &Loaded, now: Moment) -> Result<(Live, Standing), Option<EndReason>> {
        match loaded {
            Loaded::Absent => Err(None),
            Loaded::Ended(reason) => Err(Some(*reason)),
            Loaded::Live(live) => {
                let limits = live.record.limits.tightest(self.policy().limits());
                match limits.judge(&live.record.life(live.seen_at), now) {
                    Standing::Over(reason) => Err(Some(reason)),
                    standing => Ok((live.clone(), standing)),
                }
            }
        }
    }

    pub(super) fn tell_yielded(&self, yielded: &[crate::id::SessionId], subject: Option<crate::id::SubjectRef>) {
        for id in yielded {
            self.tell(Some(*id), subject, EventKind::SessionEnded { reason: EndReason::Limit });
        }
    }
}

/// How often a session may change under our hands before we give up. Each round somebody else got through.
const ATTEMPTS: usize = 64;
