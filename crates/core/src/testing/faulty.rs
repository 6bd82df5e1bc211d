//! A store that fails or waits when told to, before or after the effect, and counts what it was asked.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Duration;

use parking_lot::Mutex;

use crate::id::{SessionId, SubjectRef};
use crate::moment::Moment;
use crate::record::{Change, Record};
use crate::rules::EndReason;
use crate::store::{
    Activity, Committed, Ending, Epoch, Epochs, Inserted, Limit, Loaded, Page, Replaced, Revision, Store, StoreError,
    Summary, Watch,
};

/// A store around another one that fails when told to. Clones share the store and its faults.
///
/// # Examples
/// ```
/// use counterfoil_core::testing::{Fault, FaultyStore, Verb};
/// use counterfoil_core::{MemoryStore, Moment, store::Store};
/// # futures_executor::block_on(async {
/// let store = FaultyStore::around(MemoryStore::new());
/// store.faults().on(Verb::Epochs, Fault::Before);
/// assert!(store.epochs(None).await.is_err());
/// store.faults().heal();
/// assert!(store.epochs(None).await.is_ok());
/// assert_eq!(store.faults().asked(), 2);
/// # });
/// ```
#[derive(Debug)]
pub struct FaultyStore<S> {
    store: Arc<S>,
    faults: Faults,
}

/// What a faulty store does wrong, and what it was asked. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    all: Option<Fault>,
    some: Vec<(Verb, Fault)>,
    held: Vec<Verb>,
    waiting: Vec<Waker>,
    asked: Vec<Verb>,
}

/// When a verb fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing was done: [`StoreError::Unavailable`].
    Before,
    /// It was done, but the answer was lost: [`StoreError::Timeout`].
    After,
}

/// A verb of [`Store`] that a request may need.
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
}

impl<S> FaultyStore<S> {
    /// A store that does as `store` does until it is told to fail.
    pub fn around(store: S) -> Self {
        Self { store: Arc::new(store), faults: Faults::default() }
    }

    /// What it does wrong.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// The store inside.
    pub fn inner(&self) -> &S {
        &self.store
    }

    async fn meet<T>(
        &self,
        verb: Verb,
        answer: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        let fault = self.faults.meet(verb);
        self.faults.released(verb).await;
        match fault {
            None => answer.await,
            Some(Fault::Before) => Err(StoreError::Unavailable("it was told to fail".into())),
            Some(Fault::After) => {
                answer.await?;
                Err(StoreError::Timeout { verb: verb.name(), limit: Duration::from_secs(1) })
            }
        }
    }
}

impl Faults {
    /// Every verb fails from now on.
    pub fn on_all(&self, fault: Fault) {
        self.0.lock().all = Some(fault);
    }

    /// One verb fails from now on.
    pub fn on(&self, verb: Verb, fault: Fault) {
        let mut state = self.0.lock();
        state.some.retain(|(other, _)| *other != verb);
        state.some.push((verb, fault));
    }

    /// One verb waits from now on, before it does anything, until [`heal`](Self::heal).
    pub fn hold(&self, verb: Verb) {
        self.0.lock().held.push(verb);
    }

    /// No verb fails or waits any more.
    pub fn heal(&self) {
        let waiting = {
            let mut state = self.0.lock();
            (state.all, state.some, state.held) = (None, Vec::new(), Vec::new());
            std::mem::take(&mut state.waiting)
        };
        waiting.into_iter().for_each(Waker::wake);
    }

    /// How often the store was asked anything on behalf of a request, answers from memory included.
    pub fn asked(&self) -> usize {
        self.0.lock().asked.len()
    }

    /// How often it was asked for `verb`.
    pub fn asked_for(&self, verb: Verb) -> usize {
        self.0.lock().asked.iter().filter(|asked| **asked == verb).count()
    }

    async fn released(&self, verb: Verb) {
        let look = |context: &mut std::task::Context<'_>| {
            let mut state = self.0.lock();
            if state.held.contains(&verb) {
                state.waiting.push(context.waker().clone());
                return Poll::Pending;
            }
            Poll::Ready(())
        };
        poll_fn(look).await;
    }

    fn meet(&self, verb: Verb) -> Option<Fault> {
        let mut state = self.0.lock();
        state.asked.push(verb);
        state.all.or_else(|| state.some.iter().find(|(other, _)| *other == verb).map(|(_, fault)| *fault))
    }
}

impl Verb {
    const fn name(self) -> &'static str {
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
        }
    }
}

impl<S> Clone for FaultyStore<S> {
    fn clone(&self) -> Self {
        Self { store: Arc::clone(&self.store), faults: self.faults.clone() }
    }
}

impl<S: Store> Store for FaultyStore<S> {
    async fn load(&self, id: SessionId, now: Moment, activity: Option<Activity>) -> Result<Loaded, StoreError> {
        self.meet(Verb::Load, self.store.load(id, now, activity)).await
    }

    /// A store that fails or waits has nothing in memory either.
    fn peek(&self, id: SessionId, now: Moment, activity: Option<Activity>) -> Option<Loaded> {
        let answers = self.faults.meet(Verb::Load).is_none() && !self.faults.0.lock().held.contains(&Verb::Load);
        answers.then(|| self.store.peek(id, now, activity)).flatten()
    }

    async fn insert(&self, record: Record, limit: Option<Limit>, now: Moment) -> Result<Inserted, StoreError> {
        self.meet(Verb::Insert, self.store.insert(record, limit, now)).await
    }

    async fn replace(
        &self,
        old: SessionId,
        expect: Revision,
        record: Record,
        limit: Option<Limit>,
        now: Moment,
    ) -> Result<Replaced, StoreError> {
        self.meet(Verb::Replace, self.store.replace(old, expect, record, limit, now)).await
    }

    async fn commit(
        &self,
        id: SessionId,
        expect: Revision,
        change: Change,
        now: Moment,
    ) -> Result<Committed, StoreError> {
        self.meet(Verb::Commit, self.store.commit(id, expect, change, now)).await
    }

    async fn end(
        &self,
        id: SessionId,
        expect: Option<Revision>,
        reason: EndReason,
        now: Moment,
    ) -> Result<Ending, StoreError> {
        self.meet(Verb::End, self.store.end(id, expect, reason, now)).await
    }

    async fn epochs(&self, subject: Option<SubjectRef>) -> Result<Epochs, StoreError> {
        self.meet(Verb::Epochs, self.store.epochs(subject)).await
    }

    async fn end_subject(
        &self,
        subject: SubjectRef,
        except: Option<SessionId>,
        reason: EndReason,
        now: Moment,
    ) -> Result<Epoch, StoreError> {
        self.meet(Verb::EndSubject, self.store.end_subject(subject, except, reason, now)).await
    }

    async fn end_all(&self, reason: EndReason, now: Moment) -> Result<Epoch, StoreError> {
        self.meet(Verb::EndAll, self.store.end_all(reason, now)).await
    }

    async fn resolve(&self, kind: &str, value: &str) -> Result<Vec<SessionId>, StoreError> {
        self.meet(Verb::Resolve, self.store.resolve(kind, value)).await
    }

    async fn list(&self, subject: SubjectRef, page: Page, now: Moment) -> Result<Vec<Summary>, StoreError> {
        self.meet(Verb::List, self.store.list(subject, page, now)).await
    }

    async fn sweep(&self, limit: usize, now: Moment) -> Result<usize, StoreError> {
        self.store.sweep(limit, now).await
    }

    fn watch(&self) -> Watch {
        self.store.watch()
    }

    async fn time(&self) -> Result<Option<Moment>, StoreError> {
        self.store.time().await
    }
}
