//! A world of its own: one thread, one clock, chance from one seed, and tasks of nodes that can be paused.

use std::collections::{BTreeMap, VecDeque};
use std::hash::Hasher as _;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use counterfoil_core::store::BoxFuture;
use counterfoil_core::{Clock, Moment};
use fastrand::Rng;
use futures_channel::oneshot;
use futures_util::future::{AbortHandle, abortable};
use parking_lot::Mutex;

/// How many nodes there are.
pub(super) const NODES: usize = 3;
/// Microseconds in a second.
pub(super) const SECOND: u64 = 1_000_000;

/// The world; clones are the same one.
#[derive(Clone)]
pub(super) struct World(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
    tasks: Mutex<Vec<Task>>,
    ready: Arc<Mutex<Vec<usize>>>,
}

struct State {
    /// Microseconds since the world began.
    now: u64,
    random: Rng,
    timers: BTreeMap<(u64, u64), Waker>,
    timed: u64,
    paused: [bool; NODES],
    hash: foldless::Fnv,
    history: VecDeque<String>,
}

struct Task {
    /// Whose it is; the network and browsers are nobody's.
    node: Option<usize>,
    work: Option<BoxFuture<'static, ()>>,
    waker: Arc<Awake>,
}

/// Puts a task among those that can go on.
struct Awake {
    task: usize,
    queued: AtomicBool,
    ready: Arc<Mutex<Vec<usize>>>,
}

/// One node's clock: the world's, and how far it is off.
#[derive(Clone)]
pub(super) struct NodeClock {
    world: World,
    /// Milliseconds.
    skew: Arc<AtomicI64>,
}

impl World {
    /// Everything in it comes from `seed`.
    pub(super) fn new(seed: u64) -> Self {
        let state = State {
            now: 0,
            random: Rng::with_seed(seed),
            timers: BTreeMap::new(),
            timed: 0,
            paused: [false; NODES],
            hash: foldless::Fnv::default(),
            history: VecDeque::new(),
        };
        Self(Arc::new(Inner { state: Mutex::new(state), tasks: Mutex::default(), ready: Arc::default() }))
    }

    /// Microseconds since it began.
    pub(super) fn now(&self) -> u64 {
        self.0.state.lock().now
    }

    /// A draw.
    pub(super) fn draw<T>(&self, draw: impl FnOnce(&mut Rng) -> T) -> T {
        draw(&mut self.0.state.lock().random)
    }

    /// Writes a line of history.
    pub(super) fn note(&self, line: impl std::fmt::Display) {
        let mut state = self.0.state.lock();
        let line = format!("{:>11.6} s  {line}", std::time::Duration::from_micros(state.now).as_secs_f64());
        state.hash.write(line.as_bytes());
        if state.history.len() == HISTORY {
            state.history.pop_front();
        }
        state.history.push_back(line);
    }

    /// What stands for all of the history so far.
    pub(super) fn hash(&self) -> u64 {
        self.0.state.lock().hash.finish()
    }

    /// The end of the history.
    pub(super) fn history(&self) -> Vec<String> {
        self.0.state.lock().history.iter().cloned().collect()
    }

    /// Begins `work`, on a node or nowhere in particular.
    pub(super) fn spawn(&self, node: Option<usize>, work: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.0.tasks.lock();
        let ready = Arc::clone(&self.0.ready);
        let waker = Arc::new(Awake { task: tasks.len(), queued: AtomicBool::new(false), ready });
        tasks.push(Task { node, work: Some(Box::pin(work)), waker: Arc::clone(&waker) });
        drop(tasks);
        waker.wake();
    }

    /// Has a node do something. Whoever lets go of the answer hangs up: the work is dropped where it is.
    pub(super) fn ask<W: Future<Output: Send> + Send + 'static>(
        &self,
        node: usize,
        work: W,
    ) -> impl Future<Output = Option<W::Output>> + Send + use<W> {
        let (work, handle) = abortable(work);
        let (answer, answered) = oneshot::channel();
        self.spawn(Some(node), async move {
            if let Ok(done) = work.await {
                let _ = answer.send(done);
            }
        });
        let hangs_up = HangsUp(handle);
        async move {
            let answer = answered.await.ok();
            drop(hangs_up);
            answer
        }
    }

    /// Waits for so many microseconds.
    pub(super) fn sleep(&self, micros: u64) -> impl Future<Output = ()> + Send + use<> {
        let (world, at) = (self.clone(), self.now() + micros);
        std::future::poll_fn(move |context| {
            let mut state = world.0.state.lock();
            if state.now >= at {
                return Poll::Ready(());
            }
            state.timed += 1;
            let key = (at, state.timed);
            state.timers.insert(key, context.waker().clone());
            Poll::Pending
        })
    }

    /// A node stops, or goes on. What reaches it meanwhile waits.
    pub(super) fn pause(&self, node: usize, paused: bool) {
        if let Some(state) = self.0.state.lock().paused.get_mut(node) {
            *state = paused;
        }
    }

    /// Lives until `end`, in microseconds, or until nothing is left to happen.
    pub(super) fn live(&self, end: u64) {
        loop {
            while let Some(task) = self.next() {
                self.poll(task);
            }
            let mut state = self.0.state.lock();
            match state.timers.pop_first() {
                Some(((at, _), waker)) if at <= end => {
                    state.now = at;
                    drop(state);
                    waker.wake();
                }
                _ => return,
            }
        }
    }

    /// Ends whatever is still under way.
    pub(super) fn end(&self) {
        let tasks = std::mem::take(&mut *self.0.tasks.lock());
        drop(tasks);
        self.0.state.lock().timers.clear();
    }

    /// One of those that can go on, by chance.
    fn next(&self) -> Option<usize> {
        let (tasks, mut state, mut ready) = (self.0.tasks.lock(), self.0.state.lock(), self.0.ready.lock());
        let paused = state.paused;
        let runs = |task: &usize| {
            let node = tasks.get(*task).and_then(|task| task.node);
            node.is_none_or(|node| !paused.get(node).is_some_and(|paused| *paused))
        };
        let places: Vec<_> = (0..ready.len()).filter(|place| ready.get(*place).is_some_and(runs)).collect();
        let place = places.get(state.random.usize(..places.len().max(1)))?;
        Some(ready.swap_remove(*place))
    }

    fn poll(&self, task: usize) {
        let taken = self.0.tasks.lock().get_mut(task).and_then(|task| Some((task.work.take()?, task.waker.clone())));
        let Some((mut work, waker)) = taken else { return };
        waker.queued.store(false, Ordering::SeqCst);
        let waker = Waker::from(waker);
        if Pin::new(&mut work).poll(&mut Context::from_waker(&waker)).is_pending()
            && let Some(task) = self.0.tasks.lock().get_mut(task)
        {
            task.work = Some(work);
        }
    }
}

impl Wake for Awake {
    fn wake(self: Arc<Self>) {
        if !self.queued.swap(true, Ordering::SeqCst) {
            self.ready.lock().push(self.task);
        }
    }
}

struct HangsUp(AbortHandle);

impl Drop for HangsUp {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl NodeClock {
    /// A clock that is off by so many milliseconds.
    pub(super) fn new(world: &World, skew: i64) -> Self {
        Self { world: world.clone(), skew: Arc::new(AtomicI64::new(skew)) }
    }

    /// Sets it on, or back, by so many milliseconds.
    pub(super) fn set_by(&self, millis: i64) {
        self.skew.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for NodeClock {
    fn now(&self) -> Moment {
        let true_time = BEGAN + self.world.now() / 1_000;
        Moment::from_unix_millis(true_time.saturating_add_signed(self.skew.load(Ordering::SeqCst)))
    }
}

/// A hash that is the same in every run and everywhere.
mod foldless {
    use std::hash::Hasher;

    pub(super) struct Fnv(u64);

    impl Default for Fnv {
        fn default() -> Self {
            Self(0xCBF2_9CE4_8422_2325)
        }
    }

    impl Hasher for Fnv {
        fn finish(&self) -> u64 {
            self.0
        }

        fn write(&mut self, bytes: &[u8]) {
            for byte in bytes {
                self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3);
            }
        }
    }
}

/// When the world began, in milliseconds since the Unix epoch.
const BEGAN: u64 = 1_800_000_000_000;
/// How many lines of its end are kept.
const HISTORY: usize = 60;
