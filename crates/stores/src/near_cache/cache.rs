//! What is known in this node's memory, and what becomes of it by what is heard or done.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use counterfoil_core::rules::Limits;
use counterfoil_core::store::{Activity, Loaded, Notice};
use counterfoil_core::{Bucket, Clock, Moment, SessionId};
use parking_lot::{Mutex, MutexGuard};

use super::heard::Heard;
use super::settings::Settings;
use super::shard::{Counted, Reading, Shard};

/// The cache itself, shared by whoever asks and whoever listens.
pub(super) struct Cache {
    shards: Box<[Mutex<Shard>]>,
    heard: Heard,
    settings: Settings,
    clock: Box<dyn Clock>,
    bypassed: AtomicU64,
}

/// What a verb of ours, or a notice, is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Concerned {
    One(SessionId),
    Bucket(Bucket),
    All,
}

/// Forgets what a verb is about when it is over, however it ends: answered, failed, or let go of by a caller whose client
/// hung up. In each case the store may have done it.
pub(super) struct Forgets<'c> {
    cache: &'c Cache,
    concerned: Concerned,
}

impl Cache {
    pub(super) fn new(settings: Settings, clock: impl Clock) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            heard: Heard::default(),
            settings,
            clock: Box::new(clock),
            bypassed: AtomicU64::new(0),
        }
    }

    pub(super) fn recall(&self, id: SessionId, now: Moment, activity: Option<Activity>) -> Option<Loaded> {
        let mut shard = self.shard(id.bucket());
        // The clock is read, and what was heard is looked at, while the lock keeps the entry from being dropped.
        let clock = self.clock.now();
        if !self.heard.is_within(self.settings.bound, clock) {
            drop(shard);
            self.bypassed.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        shard.recall(id, clock, self.settings.lease, (now, activity))
    }

    /// A reading of the store begins: before it is asked.
    pub(super) fn begin(&self, id: SessionId) -> Reading {
        let clock = self.clock.now();
        self.shard(id.bucket()).begin(clock)
    }

    pub(super) fn fill(&self, id: SessionId, reading: Reading, loaded: &Loaded, limits: Option<Limits>) {
        let clock = self.clock.now();
        let mut shard = self.shard(id.bucket());
        shard.fill(id, reading, loaded, limits);
        shard.shrink(self.settings.bytes / SHARDS, clock, self.settings.lease);
    }

    /// Takes in one notice. They must come in their order.
    pub(super) fn hear(&self, notice: Notice) {
        match notice {
            Notice::Ended(id) | Notice::Changed(id) => self.forget(Concerned::One(id)),
            Notice::SubjectEnded(subject) => self.forget(Concerned::Bucket(subject.bucket())),
            Notice::AllEnded | Notice::Gap => self.forget(Concerned::All),
            Notice::UpTo(moment) => {
                if !self.heard.is_anything() {
                    // Nothing was said of the time before: a store may begin to tell after it was asked to.
                    self.forget(Concerned::All);
                }
                self.heard.note(moment);
            }
        }
    }

    /// Forgets what a verb is about, when the answer is dropped.
    pub(super) const fn forgets(&self, concerned: Concerned) -> Forgets<'_> {
        Forgets { cache: self, concerned }
    }

    pub(super) fn bypassed(&self) -> u64 {
        self.bypassed.load(Ordering::Relaxed)
    }

    pub(super) fn lag(&self) -> Option<Duration> {
        self.heard.lag(self.clock.now())
    }

    pub(super) fn counted(&self) -> Counted {
        let mut all = Counted::default();
        self.shards.iter().for_each(|shard| all += shard.lock().counted());
        all
    }

    pub(super) const fn settings(&self) -> Settings {
        self.settings
    }

    fn forget(&self, concerned: Concerned) {
        match concerned {
            Concerned::One(id) => self.shard(id.bucket()).drop_one(id),
            Concerned::Bucket(bucket) => self.shard(bucket).drop_bucket(bucket),
            Concerned::All => self.shards.iter().for_each(|shard| shard.lock().drop_all()),
        }
    }

    fn shard(&self, bucket: Bucket) -> MutexGuard<'_, Shard> {
        #[expect(clippy::indexing_slicing, reason = "the index is taken modulo the length")]
        self.shards[usize::from(bucket.number()) % SHARDS].lock()
    }
}

impl Drop for Forgets<'_> {
    fn drop(&mut self) {
        self.cache.forget(self.concerned);
    }
}

/// So many that what happens to one session rarely overtakes the reading of another.
const SHARDS: usize = 256;
