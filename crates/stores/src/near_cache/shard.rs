//! One shard of the cache: plain data under one lock, and the fill rule.

use std::collections::BTreeMap;
use std::ops::AddAssign;
use std::time::Duration;

use counterfoil_core::rules::{Life, Limits};
use counterfoil_core::store::{Activity, Live, Loaded};
use counterfoil_core::{Bucket, Moment, SessionId};

use crate::weight;

/// Sessions of some buckets, as the store had them.
#[derive(Default)]
pub(super) struct Shard {
    entries: BTreeMap<SessionId, Entry>,
    /// The ids by the number of the reading they come from: the first goes first.
    by_age: BTreeMap<u64, SessionId>,
    bytes: usize,
    /// Rises with whatever was heard or done here: what was being read meanwhile may be older than that.
    generation: u64,
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

/// What one reading found.
struct Entry {
    found: Found,
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
    /// The record's limits under the policy's, for requests that do not say the policy's.
    limits: Limits,
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
        Reading { generation: self.generation, number: self.readings, began }
    }

    /// Takes in what a reading found. Not if anything was heard or done here since it began; and of two readings that
    /// cross, the one that began later counts.
    pub(super) fn fill(&mut self, id: SessionId, reading: Reading, loaded: &Loaded, limits: Option<Limits>) {
        if self.generation != reading.generation {
            self.counted.overtaken += 1;
            return;
        }
        if self.entries.get(&id).is_some_and(|entry| entry.number > reading.number) {
            return;
        }
        let found = match (loaded, limits) {
            (Loaded::Live(live), Some(limits)) => {
                let limits = live.record.limits.tightest(&limits);
                Found::Session(Session { live: live.clone(), limits })
            }
            // Requests without activity do not say under which limits it is good.
            (Loaded::Live(_), None) => return,
            (Loaded::Ended(_) | Loaded::Absent, _) => Found::Over,
        };
        self.take(id);
        let entry = Entry { bytes: found.bytes(), found, number: reading.number, read_at: reading.began };
        self.bytes += entry.bytes;
        self.by_age.insert(entry.number, id);
        self.entries.insert(id, entry);
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

    /// Something happened to a session.
    pub(super) fn drop_one(&mut self, id: SessionId) {
        self.generation += 1;
        self.counted.dropped += u64::from(self.take(id));
    }

    /// Something happened to the sessions of a subject: they all lie in its bucket, and hardly any other does.
    pub(super) fn drop_bucket(&mut self, bucket: Bucket) {
        self.generation += 1;
        let all: Vec<_> = self.entries.range(first(bucket)..=last(bucket)).map(|(id, _)| *id).collect();
        for id in all {
            self.counted.dropped += u64::from(self.take(id));
        }
    }

    /// Something happened to all.
    pub(super) fn drop_all(&mut self) {
        self.generation += 1;
        self.counted.dropped += self.entries.len() as u64;
        self.entries.clear();
        self.by_age.clear();
        self.bytes = 0;
    }

    pub(super) fn counted(&self) -> Counted {
        Counted { sessions: self.entries.len(), bytes: self.bytes, ..self.counted }
    }

    fn take(&mut self, id: SessionId) -> bool {
        let Some(entry) = self.entries.remove(&id) else { return false };
        self.by_age.remove(&entry.number);
        self.bytes -= entry.bytes;
        true
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
        let limits = activity.map_or(self.limits, |activity| self.live.record.limits.tightest(&activity.limits));
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
