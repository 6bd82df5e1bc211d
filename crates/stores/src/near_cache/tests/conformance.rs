//! The conformance suite through near caches: of one node, and of two whose notices come late.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use counterfoil_core::conformance::{self, Factory, Outage, Stage};
use counterfoil_core::store::{BoxError, BoxFuture, DynStore, Notice};
use counterfoil_core::{FakeClock, Moment};

use super::link::{Linked, Links};
use super::records::NOW;
use crate::near_cache::{NearCache, Settings};

/// Makes a store and its nodes for each case.
struct Caches {
    /// How many caches the suite's two nodes have: each its own, or one for both.
    own: usize,
    clock: FakeClock,
    hits: Arc<AtomicU64>,
}

struct Nodes {
    caches: Vec<Arc<NearCache<Linked>>>,
    links: Links,
    hits: Arc<AtomicU64>,
}

impl Factory for Caches {
    fn make(&self, _: usize) -> BoxFuture<'_, Result<Box<dyn Stage>, BoxError>> {
        let (links, stores) = Links::new(self.own, &self.clock);
        let spawn = |task| drop(tokio::spawn(task));
        let cache = |store| NearCache::new(store, self.clock.clone(), Settings::default(), spawn).map(Arc::new);
        let caches = stores.into_iter().map(cache).collect::<Result<_, _>>().unwrap();
        let stage: Box<dyn Stage> = Box::new(Nodes { caches, links, hits: Arc::clone(&self.hits) });
        Box::pin(std::future::ready(Ok(stage)))
    }
}

impl Stage for Nodes {
    fn node(&self, index: usize) -> Arc<dyn DynStore> {
        Arc::clone(&self.caches[index % self.caches.len()]) as Arc<dyn DynStore>
    }

    fn settle(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            for (index, node) in self.caches.iter().enumerate() {
                self.links.deliver(index);
                // A moment the store never says: once it was heard, so was everything before it.
                until(node, |lag| lag > AGES, || self.links.tell(index, Notice::UpTo(Moment::EPOCH))).await;
                until(node, |lag| lag < AGES, || self.links.deliver(index)).await;
            }
        })
    }

    fn printed(&self) -> String {
        format!("{:?}", self.caches)
    }

    fn outage(&self) -> Option<&dyn Outage> {
        Some(self)
    }
}

/// Says something to a node until its lag shows that it was heard: one that was told much may have lost it.
async fn until(node: &NearCache<Linked>, is: impl Fn(Duration) -> bool, say: impl Fn()) {
    loop {
        say();
        for _ in 0..1_000 {
            if node.figures().lag.is_some_and(&is) {
                return;
            }
            tokio::task::yield_now().await;
        }
    }
}

impl Outage for Nodes {
    fn begin(&self) -> BoxFuture<'_, Result<(), BoxError>> {
        self.links.cut(true);
        Box::pin(std::future::ready(Ok(())))
    }

    fn end(&self) -> BoxFuture<'_, Result<(), BoxError>> {
        self.links.cut(false);
        Box::pin(std::future::ready(Ok(())))
    }
}

impl Drop for Nodes {
    fn drop(&mut self) {
        self.hits.fetch_add(self.caches.iter().map(|node| node.figures().hits).sum(), Ordering::SeqCst);
    }
}

/// Runs the suite; how many sessions were answered from memory in it.
fn suite(caches: usize) -> u64 {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).build().unwrap();
    let (clock, hits) = (FakeClock::at(NOW), Arc::default());
    let spawner = |work: BoxFuture<'static, ()>| drop(tokio::spawn(work));
    let factory = Caches { own: caches, clock: clock.clone(), hits: Arc::clone(&hits) };
    let report = runtime.block_on(conformance::run(&factory, &clock, spawner));
    println!("{report}");
    report.assert();
    hits.load(Ordering::SeqCst)
}

/// Longer than any case takes.
const AGES: Duration = Duration::from_hours(24 * 365);

#[test]
fn a_store_behind_one_near_cache_keeps_the_contract() {
    assert!(suite(1) > 100, "next to nothing was answered from memory");
}

#[test]
fn a_store_behind_two_near_caches_that_hear_late_keeps_the_contract() {
    assert!(suite(2) > 100, "next to nothing was answered from memory");
}
