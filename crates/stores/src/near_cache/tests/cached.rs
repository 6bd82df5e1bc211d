//! What the tests of a shared store try, tried through near caches before it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use counterfoil_core::conformance::{self, Backup, Dump, Factory, Formats, Outage, Report, Stage};
use counterfoil_core::store::{BoxError, BoxFuture, DynStore, Notice, Notices, Watch};
use counterfoil_core::testing::{Hook, Hooked};
use counterfoil_core::{Clock as _, FakeClock, Moment};
use futures_util::stream::{PollNext, select_with_strategy};

use crate::near_cache::{NearCache, Settings};

/// Puts a near cache before each node of what another factory makes.
struct Cached<F> {
    inner: F,
    nodes: usize,
    clock: FakeClock,
    made: AtomicUsize,
    hits: Arc<AtomicU64>,
}

struct Nodes {
    inner: Box<dyn Stage>,
    caches: Vec<Near>,
    /// Which cache is the suite's first node: with three of them, each is left out in turn, and only hears.
    first: usize,
    clock: FakeClock,
    hits: Arc<AtomicU64>,
}

struct Near {
    cache: Arc<NearCache<Hooked<dyn DynStore, Said>>>,
    said: Arc<Notices>,
}

/// What tests say comes after whatever the store has said.
struct Said(Arc<Notices>);

/// Runs the suite through `nodes` near caches before what `inner` makes, and asserts that they were of use.
pub(crate) async fn suite(inner: impl Factory, nodes: usize, clock: FakeClock) -> Report {
    let hits = Arc::<AtomicU64>::default();
    let cached = Cached { inner, nodes, clock: clock.clone(), made: AtomicUsize::default(), hits: Arc::clone(&hits) };
    let report = conformance::run(&cached, &clock, |work: BoxFuture<'static, ()>| drop(tokio::spawn(work))).await;
    println!("{report}");
    report.assert();
    assert!(hits.load(Ordering::SeqCst) > 100, "next to nothing was answered from memory");
    report
}

impl<F: Factory> Factory for Cached<F> {
    fn make(&self, _: usize) -> BoxFuture<'_, Result<Box<dyn Stage>, BoxError>> {
        Box::pin(async {
            let inner = self.inner.make(self.nodes).await?;
            let caches = (0..self.nodes).map(|index| Near::before(inner.node(index), &self.clock)).collect();
            let first = self.made.fetch_add(1, Ordering::Relaxed);
            let stage: Box<dyn Stage> =
                Box::new(Nodes { inner, caches, first, clock: self.clock.clone(), hits: Arc::clone(&self.hits) });
            Ok(stage)
        })
    }
}

impl Near {
    fn before(store: Arc<dyn DynStore>, clock: &FakeClock) -> Self {
        let said = Arc::<Notices>::default();
        let store = Hooked::new(store, Said(Arc::clone(&said)));
        let cache = NearCache::new(store, clock.clone(), Settings::default(), |task| drop(tokio::spawn(task)));
        Self { cache: Arc::new(cache.unwrap()), said }
    }

    /// Says something until the cache's lag shows that it was heard: one that was told much may have lost it.
    async fn hears(&self, notice: Notice, is: impl Fn(Duration) -> bool) {
        loop {
            self.said.tell(notice);
            for _ in 0..1_000 {
                if self.cache.figures().lag.is_some_and(&is) {
                    return;
                }
                tokio::task::yield_now().await;
            }
        }
    }
}

impl Hook for Said {
    fn watch(&self, notices: Watch) -> Watch {
        Watch::new(select_with_strategy(notices, self.0.watch(), |(): &mut ()| PollNext::Left))
    }
}

impl Stage for Nodes {
    fn node(&self, index: usize) -> Arc<dyn DynStore> {
        Arc::clone(&self.caches[(self.first + index) % self.caches.len()].cache) as Arc<dyn DynStore>
    }

    fn settle(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            self.inner.settle().await;
            for near in &self.caches {
                // A moment the store never says: once it was heard, so was everything before it.
                near.hears(Notice::UpTo(Moment::EPOCH), |lag| lag > AGES).await;
                near.hears(Notice::UpTo(self.clock.now()), |lag| lag < AGES).await;
            }
        })
    }

    fn printed(&self) -> String {
        let caches: Vec<_> = self.caches.iter().map(|near| format!("{:?}", near.cache)).collect();
        [self.inner.printed(), caches.concat()].concat()
    }

    fn dump(&self) -> Option<&dyn Dump> {
        self.inner.dump()
    }

    fn formats(&self) -> Option<&dyn Formats> {
        self.inner.formats()
    }

    fn backup(&self) -> Option<&dyn Backup> {
        self.inner.backup()
    }

    fn outage(&self) -> Option<&dyn Outage> {
        self.inner.outage()
    }
}

impl Drop for Nodes {
    fn drop(&mut self) {
        self.hits.fetch_add(self.caches.iter().map(|near| near.cache.figures().hits).sum(), Ordering::SeqCst);
    }
}

/// Longer than any case takes.
const AGES: Duration = Duration::from_hours(24 * 365);
