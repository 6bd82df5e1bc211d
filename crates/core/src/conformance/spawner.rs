//! Running futures in parallel, on whatever runtime the caller has.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_channel::oneshot;

use super::failure::{Failure, Verdict};
use super::probe::yield_now;
use crate::store::BoxFuture;

/// Runs futures in parallel, for real: on a multi-threaded runtime, or the races prove little.
///
/// A closure is one: `|work: BoxFuture<'static, ()>| drop(tokio::spawn(work))`.
pub trait Spawner: Send + Sync + 'static {
    /// Begins `work` and does not wait for it.
    fn spawn(&self, work: BoxFuture<'static, ()>);
}

impl<F: Fn(BoxFuture<'static, ()>) + Send + Sync + 'static> Spawner for F {
    fn spawn(&self, work: BoxFuture<'static, ()>) {
        self(work);
    }
}

/// Runs all of `work` at once and waits for every one; answers in their order. Nobody begins before all are there, or
/// the first would be done before the last was spawned.
pub(super) async fn together<T: Send + 'static>(
    spawner: &dyn Spawner,
    work: impl IntoIterator<Item = impl Future<Output = Verdict<T>> + Send + 'static>,
) -> Verdict<Vec<T>> {
    let work: Vec<_> = work.into_iter().collect();
    let gate = Arc::new(Gate { waiting: AtomicUsize::new(work.len()) });
    let behind_gate = work.into_iter().map(|work| {
        let gate = Arc::clone(&gate);
        async move {
            gate.pass().await;
            work.await
        }
    });
    let begun: Vec<_> = behind_gate.map(|work| begin(spawner, work)).collect();
    let mut done = Vec::with_capacity(begun.len());
    for outcome in begun {
        done.push(outcome.await);
    }
    done.into_iter().collect()
}

/// Where work waits for the rest of it.
struct Gate {
    waiting: AtomicUsize,
}

impl Gate {
    /// Waits for all others, but not for ever: a runtime may have lost one.
    async fn pass(&self) {
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        for _ in 0..PATIENCE {
            if self.waiting.load(Ordering::SeqCst) == 0 {
                return;
            }
            yield_now().await;
        }
    }
}

/// How often a piece of work lets others run before it goes ahead without them.
const PATIENCE: usize = 100_000;

/// Begins one piece of work; what it answers can be awaited. A panic in it is a failure of its own.
pub(super) fn begin<T: Send + 'static>(
    spawner: &dyn Spawner,
    work: impl Future<Output = Verdict<T>> + Send + 'static,
) -> impl Future<Output = Verdict<T>> + Send + 'static {
    let (answer, answered) = oneshot::channel();
    spawner.spawn(Box::pin(async move {
        // Nobody listens any more: the case has failed already.
        let _ = answer.send(work.await);
    }));
    async move { answered.await.unwrap_or_else(|_| Err(Failure::new("it panicked"))) }
}
