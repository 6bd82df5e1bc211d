//! A store that is the memory store but for the verbs somebody twists.

use std::fmt;

use counterfoil_core::rules::EndReason;
use counterfoil_core::store::{
    Activity, Committed, Ending, Epoch, Epochs, Inserted, Limit, Loaded, Page, Replaced, Revision, Store, StoreError,
    Summary, Watch,
};
use counterfoil_core::{Change, MemoryStore, Moment, Record, SessionId, SubjectRef};

pub(crate) type Answer<T> = Result<T, StoreError>;

/// The memory store, verb by verb. Overriding one breaks the contract in one way.
pub(crate) trait Twist: Send + Sync + fmt::Debug + 'static {
    fn inner(&self) -> &MemoryStore;

    fn load(
        &self,
        id: SessionId,
        now: Moment,
        activity: Option<Activity>,
    ) -> impl Future<Output = Answer<Loaded>> + Send {
        Store::load(self.inner(), id, now, activity)
    }

    fn peek(&self, id: SessionId, now: Moment, activity: Option<Activity>) -> Option<Loaded> {
        Store::peek(self.inner(), id, now, activity)
    }

    fn insert(
        &self,
        record: Record,
        limit: Option<Limit>,
        now: Moment,
    ) -> impl Future<Output = Answer<Inserted>> + Send {
        Store::insert(self.inner(), record, limit, now)
    }

    fn replace(
        &self,
        old: SessionId,
        expect: Revision,
        record: Record,
        limit: Option<Limit>,
        now: Moment,
    ) -> impl Future<Output = Answer<Replaced>> + Send {
        Store::replace(self.inner(), old, expect, record, limit, now)
    }

    fn commit(
        &self,
        id: SessionId,
        expect: Revision,
        change: Change,
        now: Moment,
    ) -> impl Future<Output = Answer<Committed>> + Send {
        Store::commit(self.inner(), id, expect, change, now)
    }

    fn end(
        &self,
        id: SessionId,
        expect: Option<Revision>,
        reason: EndReason,
        now: Moment,
    ) -> impl Future<Output = Answer<Ending>> + Send {
        Store::end(self.inner(), id, expect, reason, now)
    }

    fn epochs(&self, subject: Option<SubjectRef>) -> impl Future<Output = Answer<Epochs>> + Send {
        Store::epochs(self.inner(), subject)
    }

    fn end_subject(
        &self,
        subject: SubjectRef,
        except: Option<SessionId>,
        reason: EndReason,
        now: Moment,
    ) -> impl Future<Output = Answer<Epoch>> + Send {
        Store::end_subject(self.inner(), subject, except, reason, now)
    }

    fn end_all(&self, reason: EndReason, now: Moment) -> impl Future<Output = Answer<Epoch>> + Send {
        Store::end_all(self.inner(), reason, now)
    }

    fn resolve(&self, kind: &str, value: &str) -> impl Future<Output = Answer<Vec<SessionId>>> + Send {
        Store::resolve(self.inner(), kind, value)
    }

    fn list(&self, subject: SubjectRef, page: Page, now: Moment) -> impl Future<Output = Answer<Vec<Summary>>> + Send {
        Store::list(self.inner(), subject, page, now)
    }

    fn sweep(&self, limit: usize, now: Moment) -> impl Future<Output = Answer<usize>> + Send {
        Store::sweep(self.inner(), limit, now)
    }

    fn watch(&self) -> Watch {
        Store::watch(self.inner())
    }
}

/// A twist as a store.
#[derive(Debug, Default)]
pub(crate) struct Twisted<T>(pub(crate) T);

impl<T: Twist> Store for Twisted<T> {
    fn load(
        &self,
        id: SessionId,
        now: Moment,
        activity: Option<Activity>,
    ) -> impl Future<Output = Answer<Loaded>> + Send {
        self.0.load(id, now, activity)
    }

    fn peek(&self, id: SessionId, now: Moment, activity: Option<Activity>) -> Option<Loaded> {
        self.0.peek(id, now, activity)
    }

    fn insert(
        &self,
        record: Record,
        limit: Option<Limit>,
        now: Moment,
    ) -> impl Future<Output = Answer<Inserted>> + Send {
        self.0.insert(record, limit, now)
    }

    fn replace(
        &self,
        old: SessionId,
        expect: Revision,
        record: Record,
        limit: Option<Limit>,
        now: Moment,
    ) -> impl Future<Output = Answer<Replaced>> + Send {
        self.0.replace(old, expect, record, limit, now)
    }

    fn commit(
        &self,
        id: SessionId,
        expect: Revision,
        change: Change,
        now: Moment,
    ) -> impl Future<Output = Answer<Committed>> + Send {
        self.0.commit(id, expect, change, now)
    }

    fn end(
        &self,
        id: SessionId,
        expect: Option<Revision>,
        reason: EndReason,
        now: Moment,
    ) -> impl Future<Output = Answer<Ending>> + Send {
        self.0.end(id, expect, reason, now)
    }

    fn epochs(&self, subject: Option<SubjectRef>) -> impl Future<Output = Answer<Epochs>> + Send {
        self.0.epochs(subject)
    }

    fn end_subject(
        &self,
        subject: SubjectRef,
        except: Option<SessionId>,
        reason: EndReason,
        now: Moment,
    ) -> impl Future<Output = Answer<Epoch>> + Send {
        self.0.end_subject(subject, except, reason, now)
    }

    fn end_all(&self, reason: EndReason, now: Moment) -> impl Future<Output = Answer<Epoch>> + Send {
        self.0.end_all(reason, now)
    }

    fn resolve(&self, kind: &str, value: &str) -> impl Future<Output = Answer<Vec<SessionId>>> + Send {
        self.0.resolve(kind, value)
    }

    fn list(&self, subject: SubjectRef, page: Page, now: Moment) -> impl Future<Output = Answer<Vec<Summary>>> + Send {
        self.0.list(subject, page, now)
    }

    fn sweep(&self, limit: usize, now: Moment) -> impl Future<Output = Answer<usize>> + Send {
        self.0.sweep(limit, now)
    }

    fn watch(&self) -> Watch {
        self.0.watch()
    }

    async fn time(&self) -> Answer<Option<Moment>> {
        Ok(None)
    }
}
