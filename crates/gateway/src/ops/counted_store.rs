//! The store of all sites, with every verb timed and every failure counted where it happens.

use std::sync::Arc;

use counterfoil_core::rules::EndReason;
use counterfoil_core::store::{
    Activity, BoxFuture, Committed, DynStore, Ending, Epoch, Epochs, Inserted, Limit, Loaded, Page, Replaced, Revision,
    StoreError, Summary, Watch,
};
use counterfoil_core::{Change, Moment, Record, SessionId, SubjectRef};

use super::store_meters::{StoreMeters, Verb};

/// Passes everything on.
pub(crate) struct CountedStore {
    inner: Arc<dyn DynStore>,
    meters: StoreMeters,
}

type Reply<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

impl CountedStore {
    pub(crate) fn new(inner: Arc<dyn DynStore>, meters: StoreMeters) -> Self {
        Self { inner, meters }
    }

    fn counted<'a, T: 'a>(&'a self, verb: Verb, reply: Reply<'a, T>) -> Reply<'a, T> {
        Box::pin(async move {
            let call = self.meters.call(verb);
            let reply = reply.await;
            if reply.is_err() {
                call.failed();
            }
            reply
        })
    }
}

impl DynStore for CountedStore {
    fn load(&self, id: SessionId, now: Moment, activity: Option<Activity>) -> Reply<'_, Loaded> {
        self.counted(Verb::Load, self.inner.load(id, now, activity))
    }

    fn peek(&self, id: SessionId, now: Moment, activity: Option<Activity>) -> Option<Loaded> {
        self.inner.peek(id, now, activity)
    }

    fn insert(&self, record: Record, limit: Option<Limit>, now: Moment) -> Reply<'_, Inserted> {
        self.counted(Verb::Insert, self.inner.insert(record, limit, now))
    }

    fn replace(
        &self,
        old: SessionId,
        expect: Revision,
        record: Record,
        limit: Option<Limit>,
        now: Moment,
    ) -> Reply<'_, Replaced> {
        self.counted(Verb::Replace, self.inner.replace(old, expect, record, limit, now))
    }

    fn commit(&self, id: SessionId, expect: Revision, change: Change, now: Moment) -> Reply<'_, Committed> {
        self.counted(Verb::Commit, self.inner.commit(id, expect, change, now))
    }

    fn end(&self, id: SessionId, expect: Option<Revision>, reason: EndReason, now: Moment) -> Reply<'_, Ending> {
        self.counted(Verb::End, self.inner.end(id, expect, reason, now))
    }

    fn epochs(&self, subject: Option<SubjectRef>) -> Reply<'_, Epochs> {
        self.counted(Verb::Epochs, self.inner.epochs(subject))
    }

    fn end_subject(
        &self,
        subject: SubjectRef,
        except: Option<SessionId>,
        reason: EndReason,
        now: Moment,
    ) -> Reply<'_, Epoch> {
        self.counted(Verb::EndSubject, self.inner.end_subject(subject, except, reason, now))
    }

    fn end_all(&self, reason: EndReason, now: Moment) -> Reply<'_, Epoch> {
        self.counted(Verb::EndAll, self.inner.end_all(reason, now))
    }

    fn resolve<'a>(&'a self, kind: &'a str, value: &'a str) -> Reply<'a, Vec<SessionId>> {
        self.counted(Verb::Resolve, self.inner.resolve(kind, value))
    }

    fn list(&self, subject: SubjectRef, page: Page, now: Moment) -> Reply<'_, Vec<Summary>> {
        self.counted(Verb::List, self.inner.list(subject, page, now))
    }

    fn sweep(&self, limit: usize, now: Moment) -> Reply<'_, usize> {
        self.counted(Verb::Sweep, self.inner.sweep(limit, now))
    }

    fn watch(&self) -> Watch {
        self.inner.watch()
    }

    fn time(&self) -> Reply<'_, Option<Moment>> {
        self.counted(Verb::Time, self.inner.time())
    }
}
