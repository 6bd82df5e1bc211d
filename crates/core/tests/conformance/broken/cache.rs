//! Near caches on one memory store: a sound one, and those that are not.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use counterfoil_core::conformance::{Factory, Stage};
use counterfoil_core::rules::EndReason;
use counterfoil_core::store::{
    Activity, BoxError, BoxFuture, Committed, DynStore, Ending, Epoch, Inserted, Limit, Live, Loaded, Replaced,
    Revision, Store,
};
use counterfoil_core::{Change, MemoryStore, Moment, Record, SessionId, SubjectRef};

use super::Kept;
use crate::twist::{Answer, Twist, Twisted};

/// What a node's cache does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing: it answers accepted sessions only, and forgets what others changed.
    None,
    /// It never hears of what other nodes did.
    Stale,
    /// It takes what it had not seen for absent.
    AnswersRejections,
}

/// Nodes with a cache each.
#[derive(Debug)]
pub(crate) struct Cached(pub(crate) Fault);

impl Factory for Cached {
    fn make(&self, nodes: usize) -> BoxFuture<'_, Result<Box<dyn Stage>, BoxError>> {
        let shared: Arc<Shared> = Arc::default();
        let caches: Vec<Arc<Cache>> = (0..nodes).map(|_| Arc::default()).collect();
        let node = |own: &Arc<Cache>| {
            let told = if self.0 == Fault::Stale { vec![Arc::clone(own)] } else { caches.clone() };
            let node = Node { shared: Arc::clone(&shared), own: Arc::clone(own), told, fault: self.0 };
            Arc::new(Twisted(node)) as Arc<dyn DynStore>
        };
        let others = caches.iter().skip(1).map(node).collect();
        let first = caches.first().map_or_else(|| node(&Arc::default()), node);
        let stage: Box<dyn Stage> = Box::new(Nodes(first, others));
        Box::pin(std::future::ready(Ok(stage)))
    }
}

/// The first node, and the others.
struct Nodes(Arc<dyn DynStore>, Vec<Arc<dyn DynStore>>);

impl Stage for Nodes {
    fn node(&self, index: usize) -> Arc<dyn DynStore> {
        let other = index.checked_sub(1).and_then(|index| self.1.get(index));
        Arc::clone(other.unwrap_or(&self.0))
    }
}

#[derive(Debug, Default)]
struct Shared(MemoryStore);

#[derive(Debug, Default)]
struct Cache {
    kept: Kept,
    /// Rises with everything that is dropped, so that a load under way does not put it back.
    dropped: AtomicU64,
}

#[derive(Debug)]
struct Node {
    shared: Arc<Shared>,
    own: Arc<Cache>,
    /// Whose caches hear of this node's writes.
    told: Vec<Arc<Cache>>,
    fault: Fault,
}

impl Node {
    fn drop_one(&self, id: SessionId) {
        for cache in &self.told {
            cache.dropped.fetch_add(1, Ordering::SeqCst);
            cache.kept.take(id);
        }
    }

    fn drop_all(&self) {
        for cache in &self.told {
            cache.dropped.fetch_add(1, Ordering::SeqCst);
            cache.kept.all().clear();
        }
    }

    fn fill(&self, live: &Live, dropped: u64) {
        let mut kept = self.own.kept.all();
        if self.own.dropped.load(Ordering::SeqCst) == dropped {
            kept.insert(live.record.id, live.clone());
        }
    }
}

impl Twist for Node {
    fn inner(&self) -> &MemoryStore {
        &self.shared.0
    }

    async fn load(&self, id: SessionId, now: Moment, activity: Option<Activity>) -> Answer<Loaded> {
        if let (Fault::Stale, Some(live)) = (self.fault, self.own.kept.get(id)) {
            return Ok(Loaded::Live(live));
        }
        let dropped = self.own.dropped.load(Ordering::SeqCst);
        let loaded = Store::load(self.inner(), id, now, activity).await?;
        if let Loaded::Live(live) = &loaded {
            self.fill(live, dropped);
        }
        Ok(loaded)
    }

    /// Nothing that a touch is due for; the store must hear of that.
    fn peek(&self, id: SessionId, now: Moment, activity: Option<Activity>) -> Option<Loaded> {
        match self.own.kept.get(id) {
            None if self.fault == Fault::AnswersRejections => Some(Loaded::Absent),
            None => None,
            Some(live) if activity.is_some_and(|activity| activity.touch(&live, now).is_some()) => None,
            Some(live) => Some(Loaded::Live(live)),
        }
    }

    async fn insert(&self, record: Record, limit: Option<Limit>, now: Moment) -> Answer<Inserted> {
        let inserted = Store::insert(self.inner(), record, limit, now).await?;
        if let Inserted::Done(yielded) = &inserted {
            for id in yielded {
                self.drop_one(*id);
            }
        }
        Ok(inserted)
    }

    async fn replace(
        &self,
        old: SessionId,
        expect: Revision,
        record: Record,
        limit: Option<Limit>,
        now: Moment,
    ) -> Answer<Replaced> {
        let replaced = Store::replace(self.inner(), old, expect, record, limit, now).await?;
        self.drop_all();
        Ok(replaced)
    }

    async fn commit(&self, id: SessionId, expect: Revision, change: Change, now: Moment) -> Answer<Committed> {
        let committed = Store::commit(self.inner(), id, expect, change, now).await?;
        self.drop_one(id);
        if let Committed::Done(_, yielded) = &committed {
            for id in yielded {
                self.drop_one(*id);
            }
        }
        Ok(committed)
    }

    async fn end(&self, id: SessionId, expect: Option<Revision>, reason: EndReason, now: Moment) -> Answer<Ending> {
        let ending = Store::end(self.inner(), id, expect, reason, now).await?;
        self.drop_one(id);
        Ok(ending)
    }

    async fn end_subject(
        &self,
        subject: SubjectRef,
        except: Option<SessionId>,
        reason: EndReason,
        now: Moment,
    ) -> Answer<Epoch> {
        let epoch = Store::end_subject(self.inner(), subject, except, reason, now).await?;
        self.drop_all();
        Ok(epoch)
    }

    async fn end_all(&self, reason: EndReason, now: Moment) -> Answer<Epoch> {
        let epoch = Store::end_all(self.inner(), reason, now).await?;
        self.drop_all();
        Ok(epoch)
    }
}
