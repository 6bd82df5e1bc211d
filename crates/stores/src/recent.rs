//! Records that were read or written a moment ago, as they lie in the store and opened: what a change is made from. Never
//! what anything is decided by.

use std::sync::Arc;

use counterfoil_core::SessionId;
use counterfoil_core::store::Live;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::weight;

pub(crate) struct Recent(Cache<SessionId, Known, Size>);

/// One of them.
#[derive(Clone)]
pub(crate) struct Known {
    pub(crate) sealed: Arc<[u8]>,
    /// What that opens to: opening it costs as much as all else that is done here for a change.
    pub(crate) live: Live,
}

impl Recent {
    pub(crate) fn new(bytes: u64) -> Self {
        let items = usize::try_from(bytes / USUAL).unwrap_or(usize::MAX).max(1);
        Self(Cache::with_weighter(items, bytes, Size))
    }

    pub(crate) fn get(&self, id: SessionId) -> Option<Known> {
        self.0.get(&id)
    }

    /// `live` must be what `sealed` opens to.
    pub(crate) fn put(&self, sealed: impl Into<Arc<[u8]>>, live: &Live) {
        self.0.insert(live.record.id, Known { sealed: sealed.into(), live: live.clone() });
    }

    pub(crate) fn drop(&self, id: SessionId) {
        self.0.remove(&id);
    }
}

#[derive(Clone)]
struct Size;

impl Weighter<SessionId, Known> for Size {
    fn weight(&self, _: &SessionId, known: &Known) -> u64 {
        let bytes = known.sealed.len() + weight::of_record(&known.live.record);
        BESIDE + u64::try_from(bytes).unwrap_or(u64::MAX)
    }
}

/// What an entry takes beside its bytes, roughly.
const BESIDE: u64 = 120;
/// What an entry usually takes.
const USUAL: u64 = 1_800;
