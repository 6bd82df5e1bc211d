//! What is known in this node's memory, and what becomes of it by what is heard or done.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use counterfoil_core::rules::Limits;
use counterfoil_core::store::{Activity, Loaded, Notice, Revision};
use counterfoil_core::{Bucket, Change, Clock, Moment, Record, SessionId};
use parking_lot::{Mutex, MutexGuard};

use super::happened::Concerned;
use super::heard::Heard;
use super::settings::Settings;
use super::shard::{Becomes, Counted, Reading, Shard};

/// The cache itself, shared by whoever asks and whoever listens.
pub(super) struct Cache {
    shards: Box<[Mutex<Shard>]>,
    heard: Heard,
    settings: Settings,
    clock: Box<dyn Clock>,
    bypassed: AtomicU64,
}

/// A write of ours that is under way. When it is over, however it ends, what it is about is forgotten: answered, failed, or
/// let go of by a caller whose client hung up; in each case the store may have done it. Only of what is known to be done
/// is kept what it left.
pub(super) struct Write<'c> {
    cache: &'c Cache,
    concerned: Concerned,
    becomes: Option<Becomes>,
    done: bool,
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
            Notice::Ended(id) => self.forget(Concerned::One(id)),
            Notice::Changed(id, revision) => self.forget(Concerned::Change(id, revision)),
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

    /// A write begins that leaves nothing to be kept.
    pub(super) const fn write(&self, concerned: Concerned) -> Write<'_> {
        self.begun(concerned, None)
    }

    /// A change begins. Only of what is in memory is known what it becomes.
    pub(super) fn change(&self, id: SessionId, expect: Revision, change: &Change) -> Write<'_> {
        let concerned = match change.first_use {
            // Who yields to it is of the same subject.
            Some(Some(_)) => Concerned::Bucket(id.bucket()),
            _ => Concerned::One(id),
        };
        let (clock, lease) = (self.clock.now(), self.settings.lease);
        let becomes = || self.shard(id.bucket()).becomes((id, expect), change, (clock, lease));
        let becomes = change.is_more_than_touch().then(becomes).flatten();
        self.begun(concerned, becomes)
    }

    /// A new session begins. A provisional one is kept by nobody: its first request writes.
    pub(super) fn birth(&self, record: &Record) -> Write<'_> {
        let provisional = record.member().is_some_and(|member| !member.presented);
        let becomes = (!provisional).then(|| Becomes::born(record, self.begin(record.id)));
        self.begun(Concerned::Bucket(record.id.bucket()), becomes)
    }

    const fn begun(&self, concerned: Concerned, becomes: Option<Becomes>) -> Write<'_> {
        Write { cache: self, concerned, becomes, done: false }
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
            Concerned::One(id) | Concerned::Change(id, _) => self.shard(id.bucket()).forget(concerned),
            Concerned::Bucket(bucket) => self.shard(bucket).forget(concerned),
            Concerned::All => self.shards.iter().for_each(|shard| shard.lock().forget(concerned)),
        }
    }

    fn keep(&self, concerned: Concerned, becomes: Becomes) {
        let clock = self.clock.now();
        let mut shard = self.shard(becomes.bucket());
        shard.keep(concerned, becomes);
        shard.shrink(self.settings.bytes / SHARDS, clock, self.settings.lease);
    }

    fn shard(&self, bucket: Bucket) -> MutexGuard<'_, Shard> {
        #[expect(clippy::indexing_slicing, reason = "the index is taken modulo the length")]
        self.shards[usize::from(bucket.number()) % SHARDS].lock()
    }
}

impl Write<'_> {
    /// The store has answered that it is done, and what it left is at `revision`.
    pub(super) fn done(mut self, revision: Revision) {
        self.done = self.becomes.as_ref().is_some_and(|becomes| becomes.is_at(revision));
    }
}

impl Drop for Write<'_> {
    fn drop(&mut self) {
        match self.becomes.take().filter(|_| self.done) {
            Some(becomes) => self.cache.keep(self.concerned, becomes),
            None => self.cache.forget(self.concerned),
        }
    }
}

/// So many that what happens to one session rarely overtakes the reading of another.
const SHARDS: usize = 256;
