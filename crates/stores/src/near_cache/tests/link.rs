//! Nodes on one store of this process: what one does reaches the others late, and in order.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use counterfoil_core::store::{Notice, Notices, Store as _, StoreError, Watch};
use counterfoil_core::testing::{Hook, Hooked, Verb};
use counterfoil_core::{Clock as _, FakeClock, MemoryStore, Moment};
use futures_util::Stream as _;
use parking_lot::Mutex;

/// A store behind one node's link.
pub(super) type Linked = Hooked<MemoryStore, Link>;

/// All links to one store. They move on together, whenever any node asks the store something.
#[derive(Clone)]
pub(super) struct Links(Arc<Vec<Mutex<Wire>>>, Arc<AtomicBool>);

/// One node's way to the store.
pub(super) struct Link {
    links: Links,
    notices: Arc<Notices>,
}

/// What is on the way to one node.
struct Wire {
    told: Watch,
    waiting: VecDeque<Waiting>,
    notices: Arc<Notices>,
    clock: FakeClock,
}

struct Waiting {
    notice: Notice,
    since: Moment,
    steps: u32,
}

impl Links {
    /// A link for each of `nodes`, and the store behind all of them.
    pub(super) fn new(nodes: usize, clock: &FakeClock) -> (Self, Vec<Linked>) {
        let store = Arc::new(MemoryStore::new());
        let notices: Vec<Arc<Notices>> = (0..nodes).map(|_| Arc::default()).collect();
        let wires = notices.iter().map(|notices| {
            let (told, notices) = (store.watch(), Arc::clone(notices));
            Mutex::new(Wire { told, waiting: VecDeque::new(), notices, clock: clock.clone() })
        });
        let links = Self(Arc::new(wires.collect()), Arc::default());
        let link = |notices| Hooked::new(Arc::clone(&store), Link { links: links.clone(), notices });
        let stores = notices.into_iter().map(link).collect();
        (links, stores)
    }

    /// What is on the way to `node` arrives.
    pub(super) fn deliver(&self, node: usize) {
        self.0[node].lock().step(u32::MAX);
    }

    /// Tells `node` something the store did not say.
    pub(super) fn tell(&self, node: usize, notice: Notice) {
        self.0[node].lock().notices.tell(notice);
    }

    /// The store does not answer, or does again.
    pub(super) fn cut(&self, cut: bool) {
        self.1.store(cut, Ordering::SeqCst);
    }

    fn is_cut(&self) -> bool {
        self.1.load(Ordering::SeqCst)
    }

    fn step(&self) {
        self.0.iter().for_each(|wire| wire.lock().step(1));
    }
}

impl Wire {
    /// Everything on the way is `steps` nearer; what arrives is told, and up to when all was.
    fn step(&mut self, steps: u32) {
        let mut context = Context::from_waker(Waker::noop());
        let now = self.clock.now();
        while let Poll::Ready(Some(notice)) = Pin::new(&mut self.told).poll_next(&mut context) {
            self.waiting.push_back(Waiting { notice, since: now, steps: DELAY });
        }
        for waiting in &mut self.waiting {
            waiting.steps = waiting.steps.saturating_sub(steps);
        }
        while let Some(arrived) = self.waiting.pop_front_if(|waiting| waiting.steps == 0) {
            self.notices.tell(arrived.notice);
        }
        self.notices.tell(Notice::UpTo(self.waiting.front().map_or(now, |waiting| waiting.since)));
    }
}

impl Hook for Link {
    async fn pass<T: Send>(
        &self,
        _: Verb,
        work: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        if self.links.is_cut() {
            return Err(StoreError::Unavailable("the link is cut".into()));
        }
        let answer = work.await;
        self.links.step();
        answer
    }

    fn watch(&self, _: Watch) -> Watch {
        self.notices.watch()
    }
}

/// How many verbs of any node later a notice arrives.
const DELAY: u32 = 4;
