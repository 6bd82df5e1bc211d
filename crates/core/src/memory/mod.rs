//! The memory store: everything in this process, nothing after it. Also the reference for the store contract.

mod shard;

use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::{Mutex, MutexGuard, RwLock};

use self::shard::Shard;
use crate::id::{Bucket, SessionId, SubjectRef};
use crate::moment::Moment;
use crate::record::{Change, Record, Reference};
use crate::rules::EndReason;
use crate::store::{
    Activity, Committed, Ending, Epoch, Epochs, Inserted, Limit, Loaded, Notice, Notices, Page, Replaced, Revision,
    Store, StoreError, Summary, Watch,
};

/// Sessions in this process's memory, in shards by bucket.
///
/// # Security
/// A restart ends every session, so sign-out is final across restarts too. A second process has its own sessions.
///
/// No lock is held across an await, and no verb holds more than two.
#[derive(Debug)]
pub struct MemoryStore {
    shards: Box<[Mutex<Shard>]>,
    global: RwLock<GlobalEpoch>,
    next_swept: AtomicUsize,
    notices: Notices,
}

/// The epoch of all sessions, and why it last rose.
#[derive(Debug, Clone, Copy)]
struct GlobalEpoch {
    epoch: Epoch,
    reason: EndReason,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            global: RwLock::new(GlobalEpoch { epoch: Epoch(0), reason: EndReason::Admin }),
            next_swept: AtomicUsize::new(0),
            notices: Notices::default(),
        }
    }

    /// How many sessions and tombstones it holds.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().len()).sum()
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn shard(&self, bucket: Bucket) -> MutexGuard<'_, Shard> {
        #[expect(clippy::indexing_slicing, reason = "the index is taken modulo the length")]
        self.shards[usize::from(bucket.number()) % SHARDS].lock()
    }

    /// Both shards, locked in one order so that two sign-ins never wait for each other. The second is `None` where
    /// both are the same.
    fn two_shards(&self, one: Bucket, two: Bucket) -> (MutexGuard<'_, Shard>, Option<MutexGuard<'_, Shard>>) {
        let index = |bucket: Bucket| usize::from(bucket.number()) % SHARDS;
        match index(one).cmp(&index(two)) {
            std::cmp::Ordering::Equal => (self.shard(one), None),
            std::cmp::Ordering::Less => {
                let first = self.shard(one);
                (first, Some(self.shard(two)))
            }
            std::cmp::Ordering::Greater => {
                let second = self.shard(two);
                (self.shard(one), Some(second))
            }
        }
    }

    fn ended_by_all(&self, record: &Record) -> Option<EndReason> {
        let global = *self.global.read();
        (record.epochs.global < global.epoch).then_some(global.reason)
    }

    fn find(&self, id: SessionId, now: Moment, activity: Option<Activity>) -> Loaded {
        let loaded = self.shard(id.bucket()).load(id, now, activity);
        match &loaded {
            Loaded::Live(live) => self.ended_by_all(&live.record).map_or(loaded, Loaded::Ended),
            _ => loaded,
        }
    }

    /// Whether `id` is live, under both epochs, and at `expect`: `Done` then, and nothing has been changed.
    fn expect(&self, shard: &Shard, id: SessionId, expect: Revision) -> Committed {
        match shard.record(id).and_then(|record| self.ended_by_all(&record)) {
            Some(reason) => Committed::Gone(Some(reason)),
            None => shard.expect(id, expect),
        }
    }

    /// The global epoch is read under the shard's lock: an `end_all` that returned before is always seen.
    fn insert_into(&self, shard: &mut Shard, record: Record, limit: Option<Limit>, now: Moment) -> Inserted {
        if record.epochs.global != self.global.read().epoch {
            return Inserted::SubjectMoved;
        }
        shard.insert(record, limit, now)
    }

    fn tell_ended(&self, ids: &[SessionId]) {
        for id in ids {
            self.notices.tell(Notice::Ended(*id));
        }
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl Store for MemoryStore {
    async fn load(&self, id: SessionId, now: Moment, activity: Option<Activity>) -> Result<Loaded, StoreError> {
        Ok(self.find(id, now, activity))
    }

    fn peek(&self, id: SessionId, now: Moment, activity: Option<Activity>) -> Option<Loaded> {
        Some(self.find(id, now, activity))
    }

    async fn insert(&self, record: Record, limit: Option<Limit>, now: Moment) -> Result<Inserted, StoreError> {
        let inserted = self.insert_into(&mut self.shard(record.id.bucket()), record, limit, now);
        if let Inserted::Done(yielded) = &inserted {
            self.tell_ended(yielded);
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
    ) -> Result<Replaced, StoreError> {
        let (mut ours, mut other) = self.two_shards(record.id.bucket(), old.bucket());
        let old_shard = other.as_deref_mut().unwrap_or(&mut ours);
        match self.expect(old_shard, old, expect) {
            Committed::Done(..) => {}
            Committed::Conflict(live) => return Ok(Replaced::Conflict(live)),
            Committed::Gone(_) => return Ok(Replaced::Gone),
        }
        let taken = old_shard.take(old);
        let inserted = self.insert_into(&mut ours, record, limit, now);
        let old_shard = other.as_deref_mut().unwrap_or(&mut ours);
        let done = matches!(inserted, Inserted::Done(_));
        old_shard.put_back(old, taken, done.then_some(EndReason::Superseded));
        drop((ours, other));
        if let Inserted::Done(yielded) = &inserted {
            self.tell_ended(yielded);
            self.tell_ended(&[old]);
        }
        Ok(Replaced::Inserted(inserted))
    }

    async fn commit(
        &self,
        id: SessionId,
        expect: Revision,
        change: Change,
        now: Moment,
    ) -> Result<Committed, StoreError> {
        let mut shard = self.shard(id.bucket());
        let committed = match self.expect(&shard, id, expect) {
            Committed::Done(..) => shard.commit(id, &change, now),
            refused => refused,
        };
        drop(shard);
        if let Committed::Done(revision, yielded) = &committed {
            self.tell_ended(yielded);
            if change.is_more_than_touch() {
                self.notices.tell(Notice::Changed(id, *revision));
            }
        }
        Ok(committed)
    }

    async fn end(
        &self,
        id: SessionId,
        expect: Option<Revision>,
        reason: EndReason,
        _now: Moment,
    ) -> Result<Ending, StoreError> {
        let ending = {
            let mut shard = self.shard(id.bucket());
            match shard.record(id).and_then(|record| self.ended_by_all(&record)) {
                Some(_) => Ending::Already,
                None => shard.end(id, expect, reason),
            }
        };
        if matches!(ending, Ending::Done) {
            self.notices.tell(Notice::Ended(id));
        }
        Ok(ending)
    }

    async fn epochs(&self, subject: Option<SubjectRef>) -> Result<Epochs, StoreError> {
        let of_subject = subject.map(|subject| self.shard(subject.bucket()).epoch(subject)).unwrap_or_default();
        Ok(Epochs { global: self.global.read().epoch, subject: of_subject })
    }

    async fn end_subject(
        &self,
        subject: SubjectRef,
        except: Option<SessionId>,
        reason: EndReason,
        now: Moment,
    ) -> Result<Epoch, StoreError> {
        let epoch = self.shard(subject.bucket()).end_subject(subject, except, reason, now);
        self.notices.tell(Notice::SubjectEnded(subject));
        Ok(epoch)
    }

    async fn end_all(&self, reason: EndReason, now: Moment) -> Result<Epoch, StoreError> {
        let epoch = {
            let mut global = self.global.write();
            let epoch = global.epoch.after(now);
            *global = GlobalEpoch { epoch, reason };
            epoch
        };
        self.notices.tell(Notice::AllEnded);
        Ok(epoch)
    }

    async fn resolve(&self, kind: &str, value: &str) -> Result<Vec<SessionId>, StoreError> {
        let reference = Reference { kind: kind.into(), value: value.into() };
        Ok(self.shards.iter().flat_map(|shard| shard.lock().resolve(&reference)).collect())
    }

    async fn list(&self, subject: SubjectRef, page: Page, now: Moment) -> Result<Vec<Summary>, StoreError> {
        let mut all = self.shard(subject.bucket()).list(subject, now);
        all.retain(|(record, _)| self.ended_by_all(record).is_none());
        all.sort_by_key(|(record, _)| std::cmp::Reverse((record.created_at, record.id)));
        let page = all.into_iter().skip(page.skip).take(page.take);
        Ok(page.filter_map(|(record, seen_at)| Summary::of(&record, seen_at)).collect())
    }

    async fn sweep(&self, limit: usize, now: Moment) -> Result<usize, StoreError> {
        let (mut left, mut forgotten) = (limit, 0);
        for _ in 0..SHARDS {
            let index = self.next_swept.fetch_add(1, Ordering::Relaxed) % SHARDS;
            let Some(shard) = self.shards.get(index) else { continue };
            let (looked_at, gone) = shard.lock().sweep(left, now, self.global.read().epoch);
            left -= looked_at;
            forgotten += gone;
            if left == 0 {
                break;
            }
        }
        Ok(forgotten)
    }

    fn watch(&self) -> Watch {
        self.notices.watch()
    }

    async fn time(&self) -> Result<Option<Moment>, StoreError> {
        Ok(None)
    }
}

/// Enough that two cores rarely meet in one.
const SHARDS: usize = 64;

#[cfg(test)]
mod tests;
