//! What the store asks of a storage engine: a few sorted maps, read by key or in order, changed by durable batches.

mod engine;
mod journal;

use std::sync::Arc;

use hashbrown::HashMap;

pub(super) use self::engine::Fjall;
use super::error::DiskError;

/// A storage engine, open. All its methods may block for as long as the disk does.
pub(super) trait Disk: Send + Sync + 'static {
    /// The value under `key`.
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, DiskError>;

    /// Does all of `batch` or nothing. Once it returns `Ok`, no power cut takes it away. After an error nothing is known
    /// of the batch, and the engine may have to be opened anew.
    fn write(&self, batch: &Batch) -> Result<(), DiskError>;

    /// Everything as it is now, whatever is written meanwhile.
    fn view(&self) -> Arc<dyn View>;

    /// About how many entries there are.
    fn about(&self) -> u64;

    /// How many bytes lie on the disk.
    fn bytes(&self) -> Result<u64, DiskError>;
}

/// The state of all spaces at one moment.
pub(super) trait View: Send + Sync {
    /// Calls `visit` for every key that begins with `prefix`, in order, until it says so.
    fn scan(&self, space: Space, prefix: &[u8], visit: &mut Visit<'_>) -> Result<(), DiskError>;
}

/// What is done with a key and its value. `Err` ends the scan.
pub(super) type Visit<'a> = dyn FnMut(&[u8], &[u8]) -> Result<(), DiskError> + 'a;

/// Opens the engine: at start, and again after it failed.
pub(super) trait Opener: Send + Sync + 'static {
    /// Opens it, and repairs what a power cut left.
    fn open(&self) -> Result<Arc<dyn Disk>, DiskError>;
}

/// One sorted map of the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Space {
    /// Session id → record, or tombstone.
    Sessions,
    /// Subject reference → its epoch.
    Subjects,
    /// Keyed hash of a name elsewhere, then a session id → nothing.
    References,
    /// The global epoch and the latest time.
    Meta,
}

impl Space {
    /// All of them.
    pub(super) const ALL: [Self; 4] = [Self::Sessions, Self::Subjects, Self::References, Self::Meta];

    /// Its name on the disk.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Sessions => "sessions",
            Self::Subjects => "subjects",
            Self::References => "references",
            Self::Meta => "meta",
        }
    }
}

/// Changes that happen together: for each key, the last one that was asked for.
#[derive(Debug, Default)]
pub(super) struct Batch {
    writes: HashMap<(Space, Vec<u8>), Option<Vec<u8>>, foldhash::fast::RandomState>,
    bytes: usize,
}

impl Batch {
    pub(super) fn put(&mut self, space: Space, key: &[u8], value: Vec<u8>) {
        self.bytes += key.len() + value.len();
        self.writes.insert((space, key.to_vec()), Some(value));
    }

    pub(super) fn remove(&mut self, space: Space, key: &[u8]) {
        self.bytes += key.len();
        self.writes.insert((space, key.to_vec()), None);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// Bytes of keys and values, at least.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Each change: the value, or that the key goes.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Space, &[u8], Option<&[u8]>)> {
        self.writes.iter().map(|((space, key), value)| (*space, key.as_slice(), value.as_deref()))
    }
}
