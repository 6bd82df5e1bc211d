//! One shard of the cache: plain data under one lock, and the fill rule.

use std::collections::BTreeMap;
use std::ops::AddAssign;
use std::time::Duration;

use counterfoil_core::rules::{Life, Limits};
use counterfoil_core::store::{Activity, Live, Loaded, Revision};
use counterfoil_core::{Bucket, Change, Moment, Record, SessionId};

use super::happened::{Concerned, Happened};
use crate::weight;

/// Sessions of some buckets, as the store had them.
#[derive(Default)]
pub(super) struct Shard {
    entries: BTreeMap<SessionId, Entry>,
    /// The ids by the number of the reading they come from: the first goes first.
    by_age: BTreeMap<u64, SessionId>,
    bytes: usize,
    /// What was heard or done here: what was being read meanwhile may be older than that.
    happened: Happened,
    readings: u64,
    pub(super) counted: Counted,
}

/// What a shard did so far.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counted {
    pub(super) hits: u64,
    pub(super) misses: u64,
    pub(super) dropped: u64,
    pub(super) overtaken: u64,
    pub(super) kept: u64,
    pub(super) sessions: usize,
    pub(super) bytes: usize,
}

/// A reading of the store that began.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    generation: u64,
    number: u64,
    began: Moment,
}

/// A session that a change of ours is about to be made of, and what it becomes by that.
pub(super) struct Becomes {
    reading: Reading,
    live: Live,
    limits: Option<Limits>,
}

/// What one reading found, or a write of ours left.
struct Entry {
    found: Found,
    /// Whether it is what a change of ours made of it: then the notice of that change is no news.
    ours: bool,
    number: u64,
    read_at: Moment,
    bytes: usize,
}

enum Found {
    Session(Session),
    /// It is over, or never was. Answers nothing: it keeps a reading that began earlier from saying otherwise.
    Over,
}

struct Session {
    live: Live,
    /// The record's limits under the policy's, for requests that do not say the policy's; if any ever said them.
    limits: Option<Limits>,
}

impl Shard {
    /// The session, if memory may answer for it at `clock`: the reading's lease lasts, and nothing would come out
    /// differently by activity that was not told here.
    pub(super) fn recall(
        &mut self,
        id: SessionId,
        clock: Moment,
        lease: Duration,
        (now, activity): (Moment, Option<Activity>),
    ) -> Option<Loaded> {
        let session = self.entries.get(&id).filter(|entry| entry.is_leased(clock, lease)).and_then(Entry::session);
        let answer = session.filter(|session| session.answers(now, activity)).map(|session| session.live.clone());
        *(if answer.is_some() { &mut self.counted.hits } else { &mut self.counted.misses }) += 1;
        answer.map(Loaded::Live)
    }

    /// A reading of the store begins.
    pub(super) fn begin(&mut self, began: Moment) -> Reading {
        self.readings += 1;
        Reading { generation: self.happened.generation(), number: self.readings, began }
    }

    /// Takes in what a reading found. Not if anything that concerns it was heard or done here since it began; and of two
    /// readings that cross, the one that began later counts.
    pub(super) fn fill(&mut self, id: SessionId, reading: Reading, loaded: &Loaded, limits: Option<Limits>) {
        if self.happened.concerns(id, reading.generation, None) {
            self.counted.overtaken += 1;
            return;
        }
        if self.entries.get(&id).is_some_and(|entry| entry.number > reading.number) {
            return;
        }
        let found = match (loaded, limits) {
            (Loaded::Live(live), Some(limits)) => {
                let limits = live.record.limits.tightest(&limits);
                Found::Session(Session { live: live.clone(), limits: Some(limits) })
            }
            // Requests without activity do not say under which limits it is good.
            (Loaded::Live(_), None) => return,
            (Loaded::Ended(_) | Loaded::Absent, _) => Found::Over,
        };
        self.put(id, reading, found, false);
    }

    /// What a session in memory that is at `expect` becomes by a change of ours, which begins.
    pub(super) fn becomes(
        &mut self,
        (id, expect): (SessionId, Revision),
        change: &Change,
        (began, lease): (Moment, Duration),
    ) -> Option<Becomes> {
        let session = self.entries.get(&id).filter(|entry| entry.is_leased(began, lease)).and_then(Entry::session);
        let session = session.filter(|session| session.live.revision == expect)?;
        let (live, limits) = (session.live.changed(change), session.limits);
        Some(Becomes { reading: self.begin(began), live, limits })
    }

    /// Takes in what a write of ours left, which is done, and forgets what else it concerns. As a reading that began when
    /// the write did: nothing that concerns it may have been heard or done since, but the notice of this very change.
    pub(super) fn keep(&mut self, concerned: Concerned, becomes: Becomes) {
        let Becomes { reading, live, limits } = becomes;
        let (id, own) = (live.record.id, Some(live.revision));
        let counts = !self.happened.concerns(id, reading.generation, own)
            && self.entries.get(&id).is_none_or(|entry| entry.number < reading.number);
        if counts {
            // It is not dropped, it became something else.
            self.take(id);
        }
        self.forget(concerned);
        if counts {
            self.counted.kept += 1;
            self.put(id, reading, Found::Session(Session { live, limits }), true);
        } else {
            self.counted.overtaken += 1;
        }
    }

    /// Lets go of what is over its lease at `clock`, and of the oldest until the rest fits.
    pub(super) fn shrink(&mut self, budget: usize, clock: Moment, lease: Duration) {
        while let Some((_, id)) = self.by_age.first_key_value() {
            let id = *id;
            let kept = self.entries.get(&id).is_some_and(|entry| entry.is_leased(clock, lease));
            if kept && self.bytes <= budget {
                return;
            }
            self.take(id);
        }
    }

    /// Something was heard or done: drops what it concerns.
    pub(super) fn forget(&mut self, concerned: Concerned) {
        let dropped = match concerned {
            // It is what this made of it. Whoever began to read before that was told when it was kept.
            Concerned::Change(id, revision) if self.is_ours(id, revision) => return,
            Concerned::One(id) | Concerned::Change(id, _) => u64::from(self.take(id)),
            // A subject's sessions all lie in its bucket, and hardly any other does.
            Concerned::Bucket(bucket) => {
                let all: Vec<_> = self.entries.range(first(bucket)..=last(bucket)).map(|(id, _)| *id).collect();
                all.into_iter().map(|id| u64::from(self.take(id))).sum()
            }
            Concerned::All => {
                self.by_age.clear();
                self.bytes = 0;
                std::mem::take(&mut self.entries).len() as u64
            }
        };
        self.counted.dropped += dropped;
        self.happened.note(concerned);
    }

    pub(super) fn counted(&self) -> Counted {
        Counted { sessions: self.entries.len(), bytes: self.bytes, ..self.counted }
    }

    fn is_ours(&self, id: SessionId, revision: Revision) -> bool {
        let ours = self.entries.get(&id).filter(|entry| entry.ours).and_then(Entry::session);
        ours.is_some_and(|session| session.live.revision == revision)
    }

    fn put(&mut self, id: SessionId, reading: Reading, found: Found, ours: bool) {
        self.take(id);
        let entry = Entry { bytes: found.bytes(), found, ours, number: reading.number, read_at: reading.began };
        self.bytes += entry.bytes;
        self.by_age.insert(entry.number, id);
        self.entries.insert(id, entry);
    }

    fn take(&mut self, id: SessionId) -> bool {
        let Some(entry) = self.entries.remove(&id) else { return false };
        self.by_age.remove(&entry.number);
        self.bytes -= entry.bytes;
        true
    }
}

impl Becomes {
    /// A session that a write of ours makes.
    pub(super) fn born(record: &Record, reading: Reading) -> Self {
        Self { reading, live: Live::born(record.clone()), limits: None }
    }

    pub(super) fn bucket(&self) -> Bucket {
        self.live.record.id.bucket()
    }

    /// Whether it is of this revision.
    pub(super) fn is_at(&self, revision: Revision) -> bool {
        self.live.revision == revision
    }
}

impl Entry {
    /// Not either if its reading lies ahead: the clock was set back, and its age cannot be told.
    fn is_leased(&self, clock: Moment, lease: Duration) -> bool {
        self.read_at <= clock && clock.since(self.read_at) < lease
    }

    const fn session(&self) -> Option<&Session> {
        match &self.found {
            Found::Session(session) => Some(session),
            Found::Over => None,
        }
    }
}

impl Session {
    fn answers(&self, now: Moment, activity: Option<Activity>) -> bool {
        let asked = activity.map(|activity| self.live.record.limits.tightest(&activity.limits));
        let Some(limits) = asked.or(self.limits) else { return false };
        let known = self.live.record.life(self.live.seen_at);
        let active = Life { seen_at: now, ..known };
        let certain = limits.judge(&known, now) == limits.judge(&active, now);
        certain && activity.is_none_or(|activity| activity.touch(&self.live, now).is_none())
    }
}

impl Found {
    fn bytes(&self) -> usize {
        size_of::<Entry>()
            + INDEX
            + match self {
                Self::Session(session) => weight::of_record(&session.live.record),
                Self::Over => 0,
            }
    }
}

impl AddAssign for Counted {
    fn add_assign(&mut self, other: Self) {
        self.hits += other.hits;
        self.misses += other.misses;
        self.dropped += other.dropped;
        self.overtaken += other.overtaken;
        self.kept += other.kept;
        self.sessions += other.sessions;
        self.bytes += other.bytes;
    }
}

fn first(bucket: Bucket) -> SessionId {
    edge(bucket, u8::MIN)
}

fn last(bucket: Bucket) -> SessionId {
    edge(bucket, u8::MAX)
}

fn edge(bucket: Bucket, rest: u8) -> SessionId {
    let mut bytes = [rest; SessionId::LENGTH];
    bytes.iter_mut().zip(bucket.number().to_be_bytes()).for_each(|(to, from)| *to = from);
    SessionId::from_bytes(bytes)
}

/// What an entry's places in two trees take, roughly.
const INDEX: usize = 64;
