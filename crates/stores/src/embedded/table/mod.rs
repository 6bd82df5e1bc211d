//! What is in memory: a row for every session, and as many records as the budget allows. In shards by bucket.

mod cache;
mod row;
mod shard;
mod subjects;
mod sweep;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use counterfoil_core::Bucket;
use counterfoil_core::rules::EndReason;
use counterfoil_core::store::{Epoch, Epochs};
use parking_lot::{Mutex, MutexGuard, RwLock};

pub(super) use self::row::{Row, State, Traits, Whose};
pub(super) use self::shard::{Is, Known, Moved, Shard};
pub(super) use self::sweep::{Over, Swept};

/// Every session, in memory. Only the writer changes it, but for touches and for records that come and go.
///
/// No lock is held across an await, and none while another is taken.
#[derive(Debug)]
pub(super) struct Table {
    shards: Box<[Mutex<Shard>]>,
    global: RwLock<Global>,
    /// Whether what is here is not what is on the disk: nothing may be answered from it.
    away: AtomicBool,
    /// The batch that is being made, or was made last.
    turn: AtomicU64,
    budget_of_shard: usize,
}

/// The epoch of all sessions, and why it last rose.
#[derive(Debug, Clone, Copy)]
pub(super) struct Global {
    pub(super) epoch: Epoch,
    pub(super) reason: EndReason,
    /// Whether it is on its way to the disk.
    pub(super) in_flight: bool,
}

/// The table does not hold what the disk holds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Away;

impl Table {
    /// Nothing yet, and away until it is loaded.
    pub(super) fn new(cache_bytes: usize) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            global: RwLock::new(Global { epoch: Epoch(0), reason: EndReason::Admin, in_flight: false }),
            away: AtomicBool::new(true),
            turn: AtomicU64::new(0),
            budget_of_shard: cache_bytes / SHARDS,
        }
    }

    /// A shard, for an answer: only if the table is what the disk holds.
    ///
    /// Asked under the lock: whoever empties the shard for a new start said `away` before.
    pub(super) fn shard(&self, bucket: Bucket) -> Result<MutexGuard<'_, Shard>, Away> {
        let shard = self.shard_of(bucket);
        if self.is_away() { Err(Away) } else { Ok(shard) }
    }

    /// A shard, for the writer.
    pub(super) fn shard_of(&self, bucket: Bucket) -> MutexGuard<'_, Shard> {
        #[expect(clippy::indexing_slicing, reason = "the index is taken modulo the length")]
        self.shards[usize::from(bucket.number()) % SHARDS].lock()
    }

    /// Each shard, one after the other.
    pub(super) fn shards(&self) -> impl Iterator<Item = MutexGuard<'_, Shard>> {
        self.shards.iter().map(Mutex::lock)
    }

    /// The shards from `first` on, each once.
    pub(super) fn shards_from(&self, first: usize) -> impl Iterator<Item = MutexGuard<'_, Shard>> {
        let start = first % SHARDS;
        let (before, from) = self.shards.split_at(start);
        from.iter().chain(before).map(Mutex::lock)
    }

    pub(super) fn global(&self) -> Global {
        *self.global.read()
    }

    pub(super) fn set_global(&self, global: Global) {
        *self.global.write() = global;
    }

    pub(super) fn is_away(&self) -> bool {
        self.away.load(Ordering::SeqCst)
    }

    /// From now on nothing is answered from here.
    pub(super) fn leave(&self) {
        self.away.store(true, Ordering::SeqCst);
        for mut shard in self.shards() {
            *shard = Shard::default();
        }
    }

    /// What is here is what the disk holds.
    pub(super) fn come_back(&self) {
        self.away.store(false, Ordering::SeqCst);
    }

    pub(super) fn turn(&self) -> u64 {
        self.turn.load(Ordering::SeqCst)
    }

    /// The next batch begins; its number.
    pub(super) fn next_turn(&self) -> u64 {
        self.turn.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// How many bytes of records each shard may keep.
    pub(super) const fn budget_of_shard(&self) -> usize {
        self.budget_of_shard
    }
}

impl Global {
    pub(super) const fn pair(&self) -> (Epoch, EndReason) {
        (self.epoch, self.reason)
    }

    pub(super) const fn with(&self, subject: Epoch) -> Epochs {
        Epochs { global: self.epoch, subject }
    }
}

/// As in the memory store: enough that two cores rarely meet in one.
pub(super) const SHARDS: usize = 64;
