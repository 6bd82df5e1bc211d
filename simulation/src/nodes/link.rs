//! One node's way to the store: requests and answers that are late or lost.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use counterfoil_core::rules::{EndReason, Presented};
use counterfoil_core::store::{
    Activity, Committed, DynStore, Ending, Epoch, Epochs, Inserted, Limit, Live, Loaded, Notice, Notices, Page,
    Replaced, Revision, Store, StoreError, Summary, Watch,
};
use counterfoil_core::{Change, Moment, Record, SessionId, SubjectRef};
use futures_channel::oneshot;
use futures_util::future::{Either, select};
use futures_util::{FutureExt as _, StreamExt as _};
use parking_lot::Mutex;

use super::Mutant;
use super::truth::Truth;
use super::weather::{Lost, Weather};
use super::world::{SECOND, World};

/// The store, as one node reaches it.
pub(super) struct Link {
    pub(super) world: World,
    pub(super) truth: Truth,
    pub(super) weather: Weather,
    /// What the node was told.
    pub(super) notices: Arc<Notices>,
    pub(super) flaw: Flaw,
}

/// What a mutant needs to go wrong without a line of the near cache being changed.
#[derive(Default)]
pub(super) struct Flaw {
    pub(super) mutant: Option<Mutant>,
    /// The near cache before this link.
    pub(super) near: OnceLock<Weak<dyn DynStore>>,
    /// An answer that is given once more, at once.
    again: Arc<Mutex<Option<(SessionId, Loaded)>>>,
    /// What this node's changes made last.
    made: Arc<Mutex<BTreeMap<SessionId, Revision>>>,
}

impl Flaw {
    pub(super) fn of(mutant: Option<Mutant>) -> Self {
        Self { mutant, ..Self::default() }
    }
}

impl Link {
    /// Has the store do `work`: the request goes there, the store does it, the answer comes back; or not.
    async fn call<T: Send + 'static>(
        &self,
        verb: &'static str,
        work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, StoreError> {
        let way = self.weather.way(&self.world);
        let (answer, answered) = oneshot::channel();
        let (world, truth) = (self.world.clone(), self.truth.clone());
        self.world.spawn(None, async move {
            world.sleep(way.there).await;
            truth.at_work().await;
            if way.lost == Some(Lost::Request) {
                return;
            }
            let done = work.await;
            truth.look(verb);
            world.sleep(way.back).await;
            if way.lost.is_none() {
                let _ = answer.send(done);
            }
        });
        let timeout = Box::pin(self.world.sleep(u64::try_from(TIMEOUT.as_micros()).unwrap_or(u64::MAX)));
        match select(answered, timeout).await {
            Either::Left((Ok(done), _)) => return done,
            Either::Left((Err(_), timeout)) => timeout.await,
            Either::Right(_) => {}
        }
        Err(StoreError::Timeout { verb, limit: TIMEOUT })
    }

    /// What a flawed cache makes of a reading that came back: it takes it in, whatever it heard meanwhile.
    fn fill_unchecked(
        &self,
        id: SessionId,
        now: Moment,
        activity: Option<Activity>,
        loaded: Loaded,
    ) -> impl Future<Output = ()> + Send + use<> {
        let (near, again) = (self.flaw.near.get().and_then(Weak::upgrade), Arc::clone(&self.flaw.again));
        async move {
            let Some(near) = near else { return };
            *again.lock() = Some((id, loaded));
            // A reading of no time at all: nothing can be heard during it.
            let _ = near.load(id, now, activity).await;
        }
    }

    /// What a flawed cache makes of a change that came back: it takes it in when it gets to it, whatever it heard meanwhile.
    fn keep_unchecked(&self, live: Live, now: Moment) {
        let token = Presented { generation: 0, hash: live.record.family.current };
        let (id, activity) = (live.record.id, Activity { token: Some(token), limits: live.record.limits });
        let late = self.world.sleep(self.world.draw(|random| random.u64(..SECOND / 4)));
        let fill = self.fill_unchecked(id, now, Some(activity), Loaded::Live(live));
        self.world.spawn(None, late.then(|()| fill));
    }
}

impl Store for Link {
    async fn load(&self, id: SessionId, now: Moment, activity: Option<Activity>) -> Result<Loaded, StoreError> {
        if let Some((_, loaded)) = self.flaw.again.lock().take_if(|(other, _)| *other == id) {
            return Ok(loaded);
        }
        if self.flaw.mutant == Some(Mutant::VerdictFromMemory)
            && let Some(loaded) =
                self.flaw.near.get().and_then(Weak::upgrade).and_then(|near| near.peek(id, now, activity))
        {
            return Ok(loaded);
        }
        let store = Arc::clone(self.truth.store());
        let loaded = self.call("load", async move { Store::load(&*store, id, now, activity).await }).await?;
        if self.flaw.mutant == Some(Mutant::FillUnchecked) {
            self.fill_unchecked(id, now, activity, loaded.clone()).await;
        }
        Ok(loaded)
    }

    async fn insert(&self, record: Record, limit: Option<Limit>, now: Moment) -> Result<Inserted, StoreError> {
        let (store, id) = (Arc::clone(self.truth.store()), record.id);
        let truth = self.truth.clone();
        self.call("insert", async move {
            let inserted = Store::insert(&*store, record, limit, now).await;
            if matches!(inserted, Ok(Inserted::Done(_))) {
                truth.begun(id);
            }
            inserted
        })
        .await
    }

    async fn replace(
        &self,
        old: SessionId,
        expect: Revision,
        record: Record,
        limit: Option<Limit>,
        now: Moment,
    ) -> Result<Replaced, StoreError> {
        let (store, truth, id) = (Arc::clone(self.truth.store()), self.truth.clone(), record.id);
        self.call("replace", async move {
            let replaced = Store::replace(&*store, old, expect, record, limit, now).await;
            if matches!(replaced, Ok(Replaced::Inserted(Inserted::Done(_)))) {
                truth.begun(id);
            }
            replaced
        })
        .await
    }

    async fn commit(
        &self,
        id: SessionId,
        expect: Revision,
        change: Change,
        now: Moment,
    ) -> Result<Committed, StoreError> {
        let (store, truth) = (Arc::clone(self.truth.store()), self.truth.clone());
        let work = async move { Ok((Store::commit(&*store, id, expect, change, now).await?, truth.live(id))) };
        let (committed, live) = self.call("commit", work).await?;
        if let (Committed::Done(revision, _), Some(live)) = (&committed, live) {
            self.flaw.made.lock().insert(id, *revision);
            if self.flaw.mutant == Some(Mutant::KeepUnchecked) {
                self.keep_unchecked(live, now);
            }
        }
        Ok(committed)
    }

    async fn end(
        &self,
        id: SessionId,
        expect: Option<Revision>,
        reason: EndReason,
        now: Moment,
    ) -> Result<Ending, StoreError> {
        let store = Arc::clone(self.truth.store());
        self.call("end", async move { Store::end(&*store, id, expect, reason, now).await }).await
    }

    async fn epochs(&self, subject: Option<SubjectRef>) -> Result<Epochs, StoreError> {
        let store = Arc::clone(self.truth.store());
        self.call("epochs", async move { Store::epochs(&*store, subject).await }).await
    }

    async fn end_subject(
        &self,
        subject: SubjectRef,
        except: Option<SessionId>,
        reason: EndReason,
        now: Moment,
    ) -> Result<Epoch, StoreError> {
        let store = Arc::clone(self.truth.store());
        self.call("end_subject", async move { Store::end_subject(&*store, subject, except, reason, now).await }).await
    }

    async fn end_all(&self, reason: EndReason, now: Moment) -> Result<Epoch, StoreError> {
        let store = Arc::clone(self.truth.store());
        self.call("end_all", async move { Store::end_all(&*store, reason, now).await }).await
    }

    async fn resolve(&self, _: &str, _: &str) -> Result<Vec<SessionId>, StoreError> {
        Ok(Vec::new())
    }

    async fn list(&self, subject: SubjectRef, page: Page, now: Moment) -> Result<Vec<Summary>, StoreError> {
        let store = Arc::clone(self.truth.store());
        self.call("list", async move { Store::list(&*store, subject, page, now).await }).await
    }

    async fn sweep(&self, limit: usize, now: Moment) -> Result<usize, StoreError> {
        let store = Arc::clone(self.truth.store());
        self.call("sweep", async move { Store::sweep(&*store, limit, now).await }).await
    }

    fn watch(&self) -> Watch {
        if self.flaw.mutant != Some(Mutant::ChangeMistaken) {
            return self.notices.watch();
        }
        let made = Arc::clone(&self.flaw.made);
        Watch::new(self.notices.watch().map(move |notice| match notice {
            Notice::Changed(id, revision) => Notice::Changed(id, made.lock().get(&id).copied().unwrap_or(revision)),
            other => other,
        }))
    }

    async fn time(&self) -> Result<Option<Moment>, StoreError> {
        Ok(None)
    }
}

/// How long a node waits for an answer.
const TIMEOUT: Duration = Duration::from_secs(1);
