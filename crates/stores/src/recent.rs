//! Sealed records that were read or written a moment ago: what a change is made from. Never what anything is decided by.

use std::sync::Arc;

use counterfoil_core::SessionId;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

pub(crate) struct Recent(Cache<SessionId, Arc<[u8]>, Size>);

impl Recent {
    pub(crate) fn new(bytes: u64) -> Self {
        let items = usize::try_from(bytes / USUAL).unwrap_or(usize::MAX).max(1);
        Self(Cache::with_weighter(items, bytes, Size))
    }

    pub(crate) fn get(&self, id: SessionId) -> Option<Arc<[u8]>> {
        self.0.get(&id)
    }

    pub(crate) fn put(&self, id: SessionId, sealed: impl Into<Arc<[u8]>>) {
        self.0.insert(id, sealed.into());
    }

    pub(crate) fn drop(&self, id: SessionId) {
        self.0.remove(&id);
    }
}
#[derive(Clone)]
struct Size;

impl Weighter<SessionId, Arc<[u8]>> for Size {
    fn weight(&self, _: &SessionId, sealed: &Arc<[u8]>) -> u64 {
        BESIDE + u64::try_from(sealed.len()).unwrap_or(u64::MAX)
    }
}

/// What an entry takes beside its bytes, roughly.
const BESIDE: u64 = 120;
/// What an entry usually takes.
const USUAL: u64 = 800;
