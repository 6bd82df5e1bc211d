//! A store that answers only while the clocks agree.

use counterfoil_core::rules::EndReason;
use counterfoil_core::store::{
    Activity, BoxFuture, Committed, DynStore, Ending, Epoch, Epochs, Inserted, Limit, Loaded, Page, Replaced, Revision,
    StoreError, Summary, Watch,
};
use counterfoil_core::{Change, Moment, Record, SessionId, SubjectRef};

use super::StoreTime;

/// What judges by a moment waits until that moment may be believed, or fails. The rest is passed on.
pub(super) struct Guarded(pub(super) StoreTime);

type Reply<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

impl Guarded {
    fn judged<'a, T: 'a>(
        &'a self,
        now: Moment,
        verb: impl FnOnce(&'a dyn DynStore) -> Reply<'a, T> + Send + 'a,
    ) -> Reply<'a, T> {
        let time = &*self.0.0;
        if time.permits(now) {
            return verb(&*time.store);
        }
        Box::pin(async move {
            time.admit(now).await?;
            verb(&*time.store).await
        })
    }
}

impl DynStore for Guarded {
    fn load(&self, id: SessionId, now: Moment, activity: Option<Activity>) -> Reply<'_, Loaded> {
        self.judged(now, move |store| store.load(id, now, activity))
    }

    fn peek(&self, id: SessionId, now: Moment, activity: Option<Activity>) -> Option<Loaded> {
        self.0.0.permits(now).then(|| self.0.0.store.peek(id, now, activity)).flatten()
    }

    fn insert(&self, record: Record, limit: Option<Limit>, now: Moment) -> Reply<'_, Inserted> {
        self.judged(now, move |store| store.insert(record, limit, now))
    }

    fn replace(
        &self,
        old: SessionId,
        expect: Revision,
        record: Record,
        limit: Option<Limit>,
        now: Moment,
    ) -> Reply<'_, Replaced> {
        self.judged(now, move |store| store.replace(old, expect, record, limit, now))
    }

    fn commit(&self, id: SessionId, expect: Revision, change: Change, now: Moment) -> Reply<'_, Committed> {
        self.judged(now, move |store| store.commit(id, expect, change, now))
    }

    fn end(&self, id: SessionId, expect: Option<Revision>, reason: EndReason, now: Moment) -> Reply<'_, Ending> {
        self.judged(now, move |store| store.end(id, expect, reason, now))
    }

    fn epochs(&self, subject: Option<SubjectRef>) -> Reply<'_, Epochs> {
        self.0.0.store.epochs(subject)
    }

    fn end_subject(
        &self,
        subject: SubjectRef,
        except: Option<SessionId>,
        reason: EndReason,
        now: Moment,
    ) -> Reply<'_, Epoch> {
        self.judged(now, move |store| store.end_subject(subject, except, reason, now))
    }

    fn end_all(&self, reason: EndReason, now: Moment) -> Reply<'_, Epoch> {
        self.judged(now, move |store| store.end_all(reason, now))
    }

    fn resolve<'a>(&'a self, kind: &'a str, value: &'a str) -> Reply<'a, Vec<SessionId>> {
        self.0.0.store.resolve(kind, value)
    }

    fn list(&self, subject: SubjectRef, page: Page, now: Moment) -> Reply<'_, Vec<Summary>> {
        self.judged(now, move |store| store.list(subject, page, now))
    }

    fn sweep(&self, limit: usize, now: Moment) -> Reply<'_, usize> {
        self.judged(now, move |store| store.sweep(limit, now))
    }

    fn watch(&self) -> Watch {
        self.0.0.store.watch()
    }

    fn time(&self) -> Reply<'_, Option<Moment>> {
        self.0.0.store.time()
    }
}
