//! A store around another one, with one place that every verb passes.

use std::sync::Arc;

use crate::id::{SessionId, SubjectRef};
use crate::moment::Moment;
use crate::record::{Change, Record};
use crate::rules::EndReason;
use crate::store::{
    Activity, Committed, DynStore, Ending, Epoch, Epochs, Inserted, Limit, Loaded, Page, Replaced, Revision, Store,
    StoreError, Summary, Watch,
};

/// What stands between whoever asks and the store: a fault, a network, a meter.
///
/// # Examples
/// ```
/// use counterfoil_core::MemoryStore;
/// use counterfoil_core::store::{Store, StoreError};
/// use counterfoil_core::testing::{Hook, Hooked, Verb};
///
/// /// A store behind a cable that was pulled out.
/// struct Unplugged;
///
/// impl Hook for Unplugged {
///     async fn pass<T: Send>(
///         &self,
///         _: Verb,
///         _: impl Future<Output = Result<T, StoreError>> + Send,
///     ) -> Result<T, StoreError> {
///         Err(StoreError::Unavailable("the cable is out".into()))
///     }
/// }
///
/// # futures_executor::block_on(async {
/// let store = Hooked::new(MemoryStore::new().into(), Unplugged);
/// assert!(store.epochs(None).await.is_err());
/// # });
/// ```
pub trait Hook: Send + Sync + 'static {
    /// What becomes of one verb: `work` is the store's, done when awaited. By default nothing.
    fn pass<T: Send>(
        &self,
        _verb: Verb,
        work: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> impl Future<Output = Result<T, StoreError>> + Send {
        work
    }

    /// Whether the store may answer from memory. By default it may not.
    fn peeks(&self) -> bool {
        false
    }

    /// Whether `verb` is answered as done and is not done, as by a store that forgets it in a failover. By default none
    /// is.
    fn forgets(&self, _verb: Verb) -> bool {
        false
    }

    /// What becomes of the store's notices. By default nothing.
    fn watch(&self, notices: Watch) -> Watch {
        notices
    }

    /// What becomes of the question what time it is. By default nothing.
    fn time(
        &self,
        told: impl Future<Output = Result<Option<Moment>, StoreError>> + Send,
    ) -> impl Future<Output = Result<Option<Moment>, StoreError>> + Send {
        told
    }
}

/// A store behind a hook. Clones share the store.
#[derive(Debug)]
pub struct Hooked<S: ?Sized, H> {
    pub(super) store: Arc<S>,
    pub(super) hook: H,
}

/// A verb of [`Store`] that can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each verb is documented on `Store`")]
pub enum Verb {
    Load,
    Insert,
    Replace,
    Commit,
    End,
    Epochs,
    EndSubject,
    EndAll,
    Resolve,
    List,
    Sweep,
}

impl<S: ?Sized, H> Hooked<S, H> {
    /// A store behind `hook`.
    pub const fn new(store: Arc<S>, hook: H) -> Self {
        Self { store, hook }
    }

    /// The hook.
    pub const fn hook(&self) -> &H {
        &self.hook
    }
}

impl Verb {
    /// Its name on [`Store`].
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Load => "load",
            Self::Insert => "insert",
            Self::Replace => "replace",
            Self::Commit => "commit",
            Self::End => "end",
            Self::Epochs => "epochs",
            Self::EndSubject => "end_subject",
            Self::EndAll => "end_all",
            Self::Resolve => "resolve",
            Self::List => "list",
            Self::Sweep => "sweep",
        }
    }

    /// Whether it only reads. A load may note activity; that is the store's own business.
    #[cfg(feature = "conformance")]
    pub(crate) const fn reads(self) -> bool {
        matches!(self, Self::Load | Self::Epochs | Self::Resolve | Self::List)
    }
}

impl<S: ?Sized, H: Clone> Clone for Hooked<S, H> {
    fn clone(&self) -> Self {
        Self { store: Arc::clone(&self.store), hook: self.hook.clone() }
    }
}

impl<S: DynStore + ?Sized, H: Hook> Store for Hooked<S, H> {
    async fn load(&self, id: SessionId, now: Moment, activity: Option<Activity>) -> Result<Loaded, StoreError> {
        self.hook.pass(Verb::Load, self.store.load(id, now, activity)).await
    }

    fn peek(&self, id: SessionId, now: Moment, activity: Option<Activity>) -> Option<Loaded> {
        self.hook.peeks().then(|| self.store.peek(id, now, activity)).flatten()
    }

    async fn insert(&self, record: Record, limit: Option<Limit>, now: Moment) -> Result<Inserted, StoreError> {
        if self.hook.forgets(Verb::Insert) {
            return Ok(Inserted::Done(Vec::new()));
        }
        self.hook.pass(Verb::Insert, self.store.insert(record, limit, now)).await
    }

    async fn replace(
        &self,
        old: SessionId,
        expect: Revision,
        record: Record,
        limit: Option<Limit>,
        now: Moment,
    ) -> Result<Replaced, StoreError> {
        self.hook.pass(Verb::Replace, self.store.replace(old, expect, record, limit, now)).await
    }

    async fn commit(
        &self,
        id: SessionId,
        expect: Revision,
        change: Change,
        now: Moment,
    ) -> Result<Committed, StoreError> {
        if self.hook.forgets(Verb::Commit) {
            return Ok(Committed::Done(Revision(expect.0.wrapping_add(1)), Vec::new()));
        }
        self.hook.pass(Verb::Commit, self.store.commit(id, expect, change, now)).await
    }

    async fn end(
        &self,
        id: SessionId,
        expect: Option<Revision>,
        reason: EndReason,
        now: Moment,
    ) -> Result<Ending, StoreError> {
        self.hook.pass(Verb::End, self.store.end(id, expect, reason, now)).await
    }

    async fn epochs(&self, subject: Option<SubjectRef>) -> Result<Epochs, StoreError> {
        self.hook.pass(Verb::Epochs, self.store.epochs(subject)).await
    }

    async fn end_subject(
        &self,
        subject: SubjectRef,
        except: Option<SessionId>,
        reason: EndReason,
        now: Moment,
    ) -> Result<Epoch, StoreError> {
        self.hook.pass(Verb::EndSubject, self.store.end_subject(subject, except, reason, now)).await
    }

    async fn end_all(&self, reason: EndReason, now: Moment) -> Result<Epoch, StoreError> {
        self.hook.pass(Verb::EndAll, self.store.end_all(reason, now)).await
    }

    async fn resolve(&self, kind: &str, value: &str) -> Result<Vec<SessionId>, StoreError> {
        self.hook.pass(Verb::Resolve, self.store.resolve(kind, value)).await
    }

    async fn list(&self, subject: SubjectRef, page: Page, now: Moment) -> Result<Vec<Summary>, StoreError> {
        self.hook.pass(Verb::List, self.store.list(subject, page, now)).await
    }

    async fn sweep(&self, limit: usize, now: Moment) -> Result<usize, StoreError> {
        self.hook.pass(Verb::Sweep, self.store.sweep(limit, now)).await
    }

    fn watch(&self) -> Watch {
        self.hook.watch(self.store.watch())
    }

    async fn time(&self) -> Result<Option<Moment>, StoreError> {
        self.hook.time(self.store.time()).await
    }
}
