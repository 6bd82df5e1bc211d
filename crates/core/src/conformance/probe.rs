//! A wrapper around the user's store: yields at random points, fails where a case wants it to, counts the verbs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Poll;

use parking_lot::Mutex;

use super::random::Random;
use crate::id::{SessionId, SubjectRef};
use crate::moment::Moment;
use crate::record::{Change, Record};
use crate::rules::EndReason;
use crate::store::{
    Activity, Committed, DynStore, Ending, Epoch, Epochs, Inserted, Limit, Loaded, Page, Replaced, Revision, Store,
    StoreError, Summary, Watch,
};

/// One node's handle on the store under test.
pub(super) struct Probe {
    inner: Arc<dyn DynStore>,
    dice: Mutex<Random>,
    /// Whether verbs yield: only where a case races.
    yields: AtomicBool,
    fault: Mutex<Option<(Verb, Fault)>>,
    errors: Mutex<Vec<String>>,
    reads: AtomicUsize,
    writes: AtomicUsize,
}

/// Which verbs fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Every,
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

/// How they fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The store never hears of it.
    Before,
    /// The store does it; the answer is lost.
    After,
    /// The store says that it was done and has forgotten it, as in a failover. Inserts and commits only; others are done.
    Forgotten,
}

impl Probe {
    pub(super) fn new(inner: Arc<dyn DynStore>, seed: u64) -> Self {
        Self {
            inner,
            dice: Mutex::new(Random::seeded(seed)),
            yields: AtomicBool::new(false),
            fault: Mutex::default(),
            errors: Mutex::default(),
            reads: AtomicUsize::new(0),
            writes: AtomicUsize::new(0),
        }
    }

    /// From now on, verbs yield before and after they are done, at random.
    pub(super) fn interleave(&self) {
        self.yields.store(true, Ordering::SeqCst);
    }

    /// From now on, `verb` fails.
    pub(super) fn fail(&self, verb: Verb, fault: Fault) {
        *self.fault.lock() = Some((verb, fault));
    }

    /// Nothing fails any more.
    pub(super) fn heal(&self) {
        *self.fault.lock() = None;
    }

    /// How many verbs were asked for so far that may write: all but loads and lists.
    pub(super) fn writes(&self) -> usize {
        self.writes.load(Ordering::SeqCst)
    }

    /// How many verbs were asked for so far.
    pub(super) fn calls(&self) -> usize {
        self.reads.load(Ordering::SeqCst) + self.writes()
    }

    /// What the store's own errors said so far.
    pub(super) fn errors(&self) -> String {
        self.errors.lock().join("\n")
    }

    fn fault_of(&self, verb: Verb) -> Option<Fault> {
        let fault = *self.fault.lock();
        fault.filter(|(failing, _)| *failing == verb || *failing == Verb::Every).map(|(_, fault)| fault)
    }

    async fn pass<T>(
        &self,
        verb: Verb,
        work: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        let reads = matches!(verb, Verb::Load | Verb::Epochs | Verb::Resolve | Verb::List);
        let count = if reads { &self.reads } else { &self.writes };
        count.fetch_add(1, Ordering::SeqCst);
        let fault = self.fault_of(verb);
        if fault == Some(Fault::Before) {
            return Err(injected());
        }
        self.linger().await;
        let answer = work.await;
        self.linger().await;
        if let Err(error) = &answer {
            self.errors.lock().push(format!("{error} {error:?}"));
        }
        if fault == Some(Fault::After) {
            return Err(injected());
        }
        answer
    }

    /// Lets others run, up to three times.
    async fn linger(&self) {
        if self.yields.load(Ordering::SeqCst) {
            let times = self.dice.lock().below(4);
            for _ in 0..times {
                yield_now().await;
            }
        }
    }
}

impl Store for Probe {
    async fn load(&self, id: SessionId, now: Moment, activity: Option<Activity>) -> Result<Loaded, StoreError> {
        self.pass(Verb::Load, self.inner.load(id, now, activity)).await
    }

    /// A cache may answer while the backend is away, but a case that takes loads away wants them asked.
    fn peek(&self, id: SessionId, now: Moment, activity: Option<Activity>) -> Option<Loaded> {
        if self.fault_of(Verb::Load).is_some() {
            return None;
        }
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.inner.peek(id, now, activity)
    }

    async fn insert(&self, record: Record, limit: Option<Limit>, now: Moment) -> Result<Inserted, StoreError> {
        if self.fault_of(Verb::Insert) == Some(Fault::Forgotten) {
            return Ok(Inserted::Done(Vec::new()));
        }
        self.pass(Verb::Insert, self.inner.insert(record, limit, now)).await
    }

    async fn replace(
        &self,
        old: SessionId,
        expect: Revision,
        record: Record,
        limit: Option<Limit>,
        now: Moment,
    ) -> Result<Replaced, StoreError> {
        let work = self.inner.replace(old, expect, record, limit, now);
        self.pass(Verb::Replace, work).await
    }

    async fn commit(
        &self,
        id: SessionId,
        expect: Revision,
        change: Change,
        now: Moment,
    ) -> Result<Committed, StoreError> {
        if self.fault_of(Verb::Commit) == Some(Fault::Forgotten) {
            return Ok(Committed::Done(Revision(expect.0.wrapping_add(1)), Vec::new()));
        }
        self.pass(Verb::Commit, self.inner.commit(id, expect, change, now)).await
    }

    async fn end(
        &self,
        id: SessionId,
        expect: Option<Revision>,
        reason: EndReason,
        now: Moment,
    ) -> Result<Ending, StoreError> {
        self.pass(Verb::End, self.inner.end(id, expect, reason, now)).await
    }

    async fn epochs(&self, subject: Option<SubjectRef>) -> Result<Epochs, StoreError> {
        self.pass(Verb::Epochs, self.inner.epochs(subject)).await
    }

    async fn end_subject(
        &self,
        subject: SubjectRef,
        except: Option<SessionId>,
        reason: EndReason,
        now: Moment,
    ) -> Result<Epoch, StoreError> {
        let work = self.inner.end_subject(subject, except, reason, now);
        self.pass(Verb::EndSubject, work).await
    }

    async fn end_all(&self, reason: EndReason, now: Moment) -> Result<Epoch, StoreError> {
        self.pass(Verb::EndAll, self.inner.end_all(reason, now)).await
    }

    async fn resolve(&self, kind: &str, value: &str) -> Result<Vec<SessionId>, StoreError> {
        self.pass(Verb::Resolve, self.inner.resolve(kind, value)).await
    }

    async fn list(&self, subject: SubjectRef, page: Page, now: Moment) -> Result<Vec<Summary>, StoreError> {
        self.pass(Verb::List, self.inner.list(subject, page, now)).await
    }

    async fn sweep(&self, limit: usize, now: Moment) -> Result<usize, StoreError> {
        self.pass(Verb::Sweep, self.inner.sweep(limit, now)).await
    }

    fn watch(&self) -> Watch {
        self.inner.watch()
    }

    async fn time(&self) -> Result<Option<Moment>, StoreError> {
        self.inner.time().await
    }
}

fn injected() -> StoreError {
    StoreError::Unavailable("the suite took the store away".into())
}

/// Lets other work run once.
pub(super) async fn yield_now() {
    let mut yielded = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
