//! A store that fails, waits or forgets when told to, before or after the effect, and counts what it was asked.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Duration;

use parking_lot::Mutex;

use super::hooked::{Hook, Hooked, Verb};
use crate::store::StoreError;

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
pub type FaultyStore<S> = Hooked<S, Faults>;

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

/// How a verb fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing was done: [`StoreError::Unavailable`].
    Before,
    /// It was done, but the answer was lost: [`StoreError::Timeout`].
    After,
    /// The answer says that it was done, and nothing was: as if a failover had forgotten it. Inserts and commits only;
    /// other verbs are done.
    Forgotten,
}

impl<S> FaultyStore<S> {
    /// A store that does as `store` does until it is told to fail.
    pub fn around(store: S) -> Self {
        Self { store: Arc::new(store), hook: Faults::default() }
    }

    /// What it does wrong.
    pub fn faults(&self) -> &Faults {
        &self.hook
    }

    /// The store inside.
    pub fn inner(&self) -> &S {
        &self.store
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
        self.asked_where(|verb| verb != Verb::Sweep)
    }

    /// How often it was asked for `verb`.
    pub fn asked_for(&self, verb: Verb) -> usize {
        self.asked_where(|asked| asked == verb)
    }

    pub(crate) fn asked_where(&self, counts: impl Fn(Verb) -> bool) -> usize {
        self.0.lock().asked.iter().filter(|verb| counts(**verb)).count()
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
        self.0.lock().asked.push(verb);
        self.fault_of(verb)
    }

    fn fault_of(&self, verb: Verb) -> Option<Fault> {
        let state = self.0.lock();
        state.all.or_else(|| state.some.iter().find(|(other, _)| *other == verb).map(|(_, fault)| *fault))
    }
}

impl Hook for Faults {
    async fn pass<T: Send>(
        &self,
        verb: Verb,
        work: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        let fault = self.meet(verb);
        self.released(verb).await;
        match fault {
            None | Some(Fault::Forgotten) => work.await,
            Some(Fault::Before) => Err(StoreError::Unavailable("it was told to fail".into())),
            Some(Fault::After) => {
                work.await?;
                Err(StoreError::Timeout { verb: verb.name(), limit: Duration::from_secs(1) })
            }
        }
    }

    /// A store that fails or waits has nothing in memory either.
    fn peeks(&self) -> bool {
        self.meet(Verb::Load).is_none() && !self.0.lock().held.contains(&Verb::Load)
    }

    fn forgets(&self, verb: Verb) -> bool {
        self.fault_of(verb) == Some(Fault::Forgotten)
    }
}
