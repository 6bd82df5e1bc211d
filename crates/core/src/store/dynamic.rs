//! The store contract as an object, so that nothing in a handler's signature is generic over the store.

use std::pin::Pin;

use super::{
    Activity, Committed, Ending, Epoch, Epochs, Inserted, Limit, Loaded, Page, Replaced, Revision, Store, StoreError,
    Summary, Watch,
};
use crate::id::{SessionId, SubjectRef};
use crate::moment::Moment;
use crate::record::{Change, Record};
use crate::rules::EndReason;

/// A boxed future.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

type Reply<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

/// [`Store`] as an object. Implemented for every store; implement [`Store`] instead.
#[expect(missing_docs, reason = "each verb is documented on `Store`")]
pub trait DynStore: Send + Sync + 'static {
    fn load(&self, id: SessionId, now: Moment, activity: Option<Activity>) -> Reply<'_, Loaded>;
    fn peek(&self, id: SessionId, now: Moment, activity: Option<Activity>) -> Option<Loaded>;
    fn insert(&self, record: Record, limit: Option<Limit>, now: Moment) -> Reply<'_, Inserted>;
    fn replace(
        &self,
        old: SessionId,
        expect: Revision,
        record: Record,
        limit: Option<Limit>,
        now: Moment,
    ) -> Reply<'_, Replaced>;
    fn commit(&self, id: SessionId, expect: Revision, change: Change, now: Moment) -> Reply<'_, Committed>;
    fn end(&self, id: SessionId, expect: Option<Revision>, reason: EndReason, now: Moment) -> Reply<'_, Ending>;
    fn epochs(&self, subject: Option<SubjectRef>) -> Reply<'_, Epochs>;
    fn end_subject(
        &self,
        subject: SubjectRef,
        except: Option<SessionId>,
        reason: EndReason,
        now: Moment,
    ) -> Reply<'_, Epoch>;
    fn end_all(&self, reason: EndReason, now: Moment) -> Reply<'_, Epoch>;
    fn resolve<'a>(&'a self, kind: &'a str, value: &'a str) -> Reply<'a, Vec<SessionId>>;
    fn list(&self, subject: SubjectRef, page: Page, now: Moment) -> Reply<'_, Vec<Summary>>;
    fn sweep(&self, limit: usize, now: Moment) -> Reply<'_, usize>;
    fn watch(&self) -> Watch;
    fn time(&self) -> Reply<'_, Option<Moment>>;
}

impl<S: Store> DynStore for S {
    fn load(&self, id: SessionId, now: Moment, activity: Option<Activity>) -> Reply<'_, Loaded> {
        Box::pin(Store::load(self, id, now, activity))
    }

    fn peek(&self, id: SessionId, now: Moment, activity: Option<Activity>) -> Option<Loaded> {
        Store::peek(self, id, now, activity)
    }

    fn insert(&self, record: Record, limit: Option<Limit>, now: Moment) -> Reply<'_, Inserted> {
        Box::pin(Store::insert(self, record, limit, now))
    }

    fn replace(
        &self,
        old: SessionId,
        expect: Revision,
        record: Record,
        limit: Option<Limit>,
        now: Moment,
    ) -> Reply<'_, Replaced> {
        Box::pin(Store::replace(self, old, expect, record, limit, now))
    }

    fn commit(&self, id: SessionId, expect: Revision, change: Change, now: Moment) -> Reply<'_, Committed> {
        Box::pin(Store::commit(self, id, expect, change, now))
    }

    fn end(&self, id: SessionId, expect: Option<Revision>, reason: EndReason, now: Moment) -> Reply<'_, Ending> {
        Box::pin(Store::end(self, id, expect, reason, now))
    }

    fn epochs(&self, subject: Option<SubjectRef>) -> Reply<'_, Epochs> {
        Box::pin(Store::epochs(self, subject))
    }

    fn end_subject(
        &self,
        subject: SubjectRef,
        except: Option<SessionId>,
        reason: EndReason,
        now: Moment,
    ) -> Reply<'_, Epoch> {
        Box::pin(Store::end_subject(self, subject, except, reason, now))
    }

    fn end_all(&self, reason: EndReason, now: Moment) -> Reply<'_, Epoch> {
        Box::pin(Store::end_all(self, reason, now))
    }

    fn resolve<'a>(&'a self, kind: &'a str, value: &'a str) -> Reply<'a, Vec<SessionId>> {
        Box::pin(Store::resolve(self, kind, value))
    }

    fn list(&self, subject: SubjectRef, page: Page, now: Moment) -> Reply<'_, Vec<Summary>> {
        Box::pin(Store::list(self, subject, page, now))
    }

    fn sweep(&self, limit: usize, now: Moment) -> Reply<'_, usize> {
        Box::pin(Store::sweep(self, limit, now))
    }

    fn watch(&self) -> Watch {
        Store::watch(self)
    }

    fn time(&self) -> Reply<'_, Option<Moment>> {
        Box::pin(Store::time(self))
    }
}
