//! The store of all sites, with every failure counted where it happens.

use std::sync::Arc;

use counterfoil_core::rules::EndReason;
use counterfoil_core::store::{
    Activity, BoxFuture, Committed, DynStore, Ending, Epoch, Epochs, Inserted, Limit, Loaded, Page, Replaced, Revision,
    StoreError, Summary, Watch,
};
use counterfoil_core::{Change, Moment, Record, SessionId, SubjectRef};

use super::Meters;

/// Passes everything on.
pub(crate) struct CountedStore {
    inner: Arc<dyn DynStore>,
    meters: Meters,
}

type Reply<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

impl CountedStore {
    pub(crate) fn new(inner: Arc<dyn DynStore>, meters: Meters) -> Self {
        Self { inner, meters }
    }

    fn counted<'a, T: 'a>(&'a self, verb: &'static str, reply: Reply<'a, T>) -> Reply<'a, T> {
        Box::pin(async move {
            let reply = reply.await;
            if reply.is_err() {
                self.meters.store_failed(verb);
            }
            reply
        })
    }
}

impl DynStore for CountedStore {
    fn load(&self, id: SessionId, now: Moment, activity: Option<Activity>) -> Reply<'_, Loaded> {
        self.counted("load", self.inner.load(id, now, activity))
    }

    fn peek(&self, id: SessionId, now: Moment, activity: Option<Activity>) -> Option<Loaded> {
        self.inner.peek(id, now, activity)
    }

    fn insert(&self, record: Record, limit: Option<Limit>, now: Moment) -> Reply<'_, Inserted> {
        self.counted("insert", self.inner.insert(record, limit, now))
    }

    fn replace(
        &self,
        old: SessionId,
        expect: Revision,
        record: Record,
        limit: Option<Limit>,
        now: Moment,
    ) -> Reply<'_, Replaced> {
        self.counted("replace", self.inner.replace(old, expect, record, limit, now))
    }

    fn commit(&self, id: SessionId, expect: Revision, change: Change, now: Moment) -> Reply<'_, Committed> {
        self.counted("commit", self.inner.commit(id, expect, change, now))
    }

    fn end(&self, id: SessionId, expect: Option<Revision>, reason: EndReason, now: Moment) -> Reply<'_, Ending> {
        self.counted("end", self.inner.end(id, expect, reason, now))
    }

    fn epochs(&self, subject: Option<SubjectRef>) -> Reply<'_, Epochs> {
        self.counted("epochs", self.inner.epochs(subject))
    }

    fn end_subject(
        &self,
        subject: SubjectRef,
        except: Option<SessionId>,
        reason: EndReason,
        now: Moment,
    ) -> Reply<'_, Epoch> {
        self.counted("end_subject", self.inner.end_subject(subject, except, reason, now))
    }

    fn end_all(&self, reason: EndReason, now: Moment) -> Reply<'_, Epoch> {
        self.counted("end_all", self.inner.end_all(reason, now))
    }

    fn resolve<'a>(&'a self, kind: &'a str, value: &'a str) -> Reply<'a, Vec<SessionId>> {
        self.counted("resolve", self.inner.resolve(kind, value))
    }

    fn list(&self, subject: SubjectRef, page: Page, now: Moment) -> Reply<'_, Vec<Summary>> {
        self.counted("list", self.inner.list(subject, page, now))
    }

    fn sweep(&self, limit: usize, now: Moment) -> Reply<'_, usize> {
        self.counted("sweep", self.inner.sweep(limit, now))
    }

    fn watch(&self) -> Watch {
        self.inner.watch()
    }

    fn time(&self) -> Reply<'_, Option<Moment>> {
        self.counted("time", self.inner.time())
    }
}
