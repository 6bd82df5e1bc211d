//! Stores that break the contract, each in one way that stores of the field do.

pub(crate) mod cache;
pub(crate) mod limits;
pub(crate) mod loss;
pub(crate) mod revival;
pub(crate) mod saves;
pub(crate) mod special;
pub(crate) mod touches;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use counterfoil_core::store::{Live, Loaded, Revision, Store};
use counterfoil_core::{MemoryStore, Moment, Record, SessionId};

/// Records that a store remembers beside the contract.
#[derive(Debug, Default)]
pub(crate) struct Kept(Mutex<HashMap<SessionId, Live>>);

impl Kept {
    fn all(&self) -> MutexGuard<'_, HashMap<SessionId, Live>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, id: SessionId) -> Option<Live> {
        self.all().get(&id).cloned()
    }

    fn put(&self, record: Record) {
        let mut live = Live::born(record);
        live.revision = Revision(1_000_000);
        self.all().insert(live.record.id, live);
    }

    fn take(&self, id: SessionId) -> Option<Live> {
        self.all().remove(&id)
    }
}

/// What is live under an id.
async fn current(store: &MemoryStore, id: SessionId, now: Moment) -> Option<Live> {
    match Store::load(store, id, now, None).await {
        Ok(Loaded::Live(live)) => Some(live),
        _ => None,
    }
}
