//! A wrapper around the user's store: yields at random points, fails where a case wants it to, counts the verbs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use parking_lot::Mutex;

use super::random::Random;
use crate::store::{DynStore, StoreError};
use crate::testing::{Faults, Hook, Hooked, Verb};

/// One node's handle on the store under test.
pub(super) type Probe = Hooked<dyn DynStore, Watched>;

/// What a case does to one node's handle, and what it learns of it.
pub(super) struct Watched {
    faults: Faults,
    dice: Mutex<Random>,
    /// Whether verbs yield: only where a case races.
    yields: AtomicBool,
    errors: Mutex<Vec<String>>,
}

impl Probe {
    pub(super) fn around(store: Arc<dyn DynStore>, seed: u64) -> Self {
        let dice = Mutex::new(Random::seeded(seed));
        let hook =
            Watched { faults: Faults::default(), dice, yields: AtomicBool::new(false), errors: Mutex::default() };
        Self::new(store, hook)
    }

    /// What it does wrong. With a fault on loads it answers nothing from memory either, as a case that takes them away
    /// wants it.
    pub(super) fn faults(&self) -> &Faults {
        &self.hook().faults
    }

    /// From now on, verbs yield before and after they are done, at random.
    pub(super) fn interleave(&self) {
        self.hook().yields.store(true, Ordering::SeqCst);
    }

    /// How many verbs were asked for so far that may write.
    pub(super) fn writes(&self) -> usize {
        self.faults().asked_where(|verb| !verb.reads())
    }

    /// How many verbs were asked for so far.
    pub(super) fn calls(&self) -> usize {
        self.faults().asked_where(|_| true)
    }

    /// What the store's own errors said so far.
    pub(super) fn errors(&self) -> String {
        self.hook().errors.lock().join("\n")
    }
}

impl Watched {
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

impl Hook for Watched {
    async fn pass<T: Send>(
        &self,
        verb: Verb,
        work: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        let observed = async {
            self.linger().await;
            let answer = work.await;
            self.linger().await;
            if let Err(error) = &answer {
                self.errors.lock().push(format!("{error} {error:?}"));
            }
            answer
        };
        self.faults.pass(verb, observed).await
    }

    fn peeks(&self) -> bool {
        self.faults.peeks()
    }

    fn forgets(&self, verb: Verb) -> bool {
        self.faults.forgets(verb)
    }
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
