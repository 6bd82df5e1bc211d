//! One shard of the memory store: plain data under one lock.

mod limit;
mod sweep;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;

use hashbrown::HashMap;

use crate::id::{SessionId, SubjectRef};
use crate::moment::Moment;
use crate::record::{Change, Record, Reference};
use crate::rules::EndReason;
use crate::store::{Activity, Committed, Ending, Epoch, Inserted, Limit, Live, Loaded, Revision};

/// Sessions, tombstones and subjects of some buckets.
#[derive(Debug, Default)]
pub(super) struct Shard {
    slots: HashMap<SessionId, Slot, foldhash::fast::RandomState>,
    subjects: HashMap<SubjectRef, Member, foldhash::fast::RandomState>,
    references: HashMap<Reference, Vec<SessionId>, foldhash::fast::RandomState>,
    /// When to look at each id again. Every slot has exactly one entry.
    due: BinaryHeap<Reverse<(Moment, SessionId)>>,
    /// Subjects whose epoch rose, in that order: their entries outlive their sessions for a while.
    moved: VecDeque<SubjectRef>,
    /// How often any subject's epoch rose.
    rises: u64,
}

/// What an id stands for.
#[derive(Debug)]
pub(super) enum Slot {
    Live(Entry),
    /// A tombstone: what ended stays ended until nothing could be alive.
    Ended {
        reason: EndReason,
        forget_at: Moment,
    },
}

/// A session, and what is known of its subject's epoch.
#[derive(Debug)]
pub(super) struct Entry {
    live: Live,
    /// How often any subject's epoch had risen when this session's was last looked up. As long as none rises, a read
    /// spares that second look: it is memory that no processor has at hand.
    looked_up: u64,
}

/// A subject: its epoch, and which sessions it has.
#[derive(Debug)]
struct Member {
    epoch: Epoch,
    reason: EndReason,
    moved_at: Moment,
    sessions: Vec<SessionId>,
}

impl Shard {
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn load(&mut self, id: SessionId, now: Moment, activity: Option<Activity>) -> Loaded {
        match self.slots.get_mut(&id) {
            None => Loaded::Absent,
            Some(Slot::Ended { reason, .. }) => Loaded::Ended(*reason),
            Some(Slot::Live(Entry { live, looked_up })) => {
                if *looked_up != self.rises {
                    if let Some(reason) = ended_by_subject(&self.subjects, &live.record) {
                        return Loaded::Ended(reason);
                    }
                    *looked_up = self.rises;
                }
                if let Some(seen_at) = activity.and_then(|activity| activity.touch(live, now)) {
                    live.seen_at = seen_at;
                }
                Loaded::Live(live.clone())
            }
        }
    }

    pub(super) fn insert(&mut self, record: Record, limit: Option<Limit>, now: Moment) -> Inserted {
        if self.slots.contains_key(&record.id) {
            return Inserted::Exists;
        }
        let Some(subject) = record.subject() else {
            self.store(record);
            return Inserted::Done(Vec::new());
        };
        if record.epochs.subject != self.epoch(subject) {
            return Inserted::SubjectMoved;
        }
        let Some(yielding) = self.make_room(&record, limit, now) else {
            return Inserted::OverLimit;
        };
        self.end_each(&yielding, EndReason::Limit);
        self.link(&record);
        self.store(record);
        Inserted::Done(yielding)
    }

    /// Whether `id` is live and at `expect`: `Done` then, and nothing has been changed.
    pub(super) fn expect(&self, id: SessionId, expect: Revision) -> Committed {
        match self.slots.get(&id) {
            None => Committed::Gone(None),
            Some(Slot::Ended { reason, .. }) => Committed::Gone(Some(*reason)),
            Some(Slot::Live(Entry { live, .. })) => match ended_by_subject(&self.subjects, &live.record) {
                Some(reason) => Committed::Gone(Some(reason)),
                None if live.revision == expect => Committed::Done(expect, Vec::new()),
                None => Committed::Conflict(live.clone()),
            },
        }
    }

    pub(super) fn record(&self, id: SessionId) -> Option<Arc<Record>> {
        match self.slots.get(&id) {
            Some(Slot::Live(Entry { live, .. })) => Some(Arc::clone(&live.record)),
            _ => None,
        }
    }

    /// Applies `change`; the caller has made sure that the session is live and at its expected revision.
    pub(super) fn commit(&mut self, id: SessionId, change: &Change, now: Moment) -> Committed {
        let yielding = self.yield_to_first_use(id, change, now);
        self.end_each(&yielding, EndReason::Limit);
        let Some(Slot::Live(Entry { live, .. })) = self.slots.get_mut(&id) else {
            return Committed::Gone(None);
        };
        *live = live.changed(change);
        Committed::Done(live.revision, yielding)
    }

    pub(super) fn end(&mut self, id: SessionId, expect: Option<Revision>, reason: EndReason) -> Ending {
        let current = match self.slots.get(&id) {
            Some(Slot::Live(Entry { live, .. })) if ended_by_subject(&self.subjects, &live.record).is_none() => {
                live.clone()
            }
            _ => return Ending::Already,
        };
        if expect.is_some_and(|expect| expect != current.revision) {
            return Ending::Conflict(current);
        }
        self.end_each(&[id], reason);
        Ending::Done
    }

    /// Takes a slot out for the moment of a replace. `put_back` follows under the same lock.
    pub(super) fn take(&mut self, id: SessionId) -> Option<Slot> {
        let taken = self.slots.remove(&id);
        if let Some(Slot::Live(Entry { live, .. })) = &taken {
            self.unlink(&live.record);
        }
        taken
    }

    /// Puts a slot back: as a tombstone if it was ended, as it was if not.
    pub(super) fn put_back(&mut self, id: SessionId, slot: Option<Slot>, ended: Option<EndReason>) {
        let Some(slot) = slot else { return };
        let slot = match (slot, ended) {
            (Slot::Live(Entry { live, .. }), Some(reason)) => {
                Slot::Ended { reason, forget_at: live.record.forget_at() }
            }
            (slot, _) => slot,
        };
        if let Slot::Live(Entry { live, .. }) = &slot {
            self.link(&live.record);
        }
        self.slots.insert(id, slot);
    }

    pub(super) fn epoch(&self, subject: SubjectRef) -> Epoch {
        self.subjects.get(&subject).map(|member| member.epoch).unwrap_or_default()
    }

    pub(super) fn end_subject(
        &mut self,
        subject: SubjectRef,
        except: Option<SessionId>,
        reason: EndReason,
        now: Moment,
    ) -> Epoch {
        let spared = except.filter(|id| {
            let record = self.record(*id);
            record.is_some_and(|record| {
                record.subject() == Some(subject) && ended_by_subject(&self.subjects, &record).is_none()
            })
        });
        let member = self.subjects.entry(subject).or_insert_with(Member::new);
        member.epoch = member.epoch.after(now);
        (member.reason, member.moved_at) = (reason, now);
        self.moved.push_back(subject);
        self.rises = self.rises.wrapping_add(1);
        let epoch = member.epoch;
        if let Some(Slot::Live(Entry { live, .. })) = spared.and_then(|id| self.slots.get_mut(&id)) {
            *live = live.spared(epoch);
        }
        epoch
    }

    pub(super) fn resolve(&self, reference: &Reference) -> Vec<SessionId> {
        self.references.get(reference).cloned().unwrap_or_default()
    }

    fn store(&mut self, record: Record) {
        let id = record.id;
        let first_look = record.limits.first_look(record.created_at);
        self.slots.insert(id, Slot::Live(Entry { live: Live::born(record), looked_up: self.rises }));
        self.due.push(Reverse((first_look, id)));
    }

    fn end_each(&mut self, ids: &[SessionId], reason: EndReason) {
        for id in ids {
            let taken = self.take(*id);
            self.put_back(*id, taken, Some(reason));
        }
    }

    /// Enters a session under its subject and its names elsewhere.
    fn link(&mut self, record: &Record) {
        let Some(member) = record.member() else { return };
        self.subjects.entry(member.reference).or_insert_with(Member::new).sessions.push(record.id);
        for reference in &member.references {
            self.references.entry(reference.clone()).or_default().push(record.id);
        }
    }

    /// Strikes it out again. A subject without sessions is forgotten, unless its epoch is still of use.
    fn unlink(&mut self, record: &Record) {
        let Some(member) = record.member() else { return };
        let strike = |sessions: &mut Vec<SessionId>| sessions.retain(|other| *other != record.id);
        if let Some(entry) = self.subjects.get_mut(&member.reference) {
            strike(&mut entry.sessions);
            if entry.sessions.is_empty() && entry.epoch == Epoch(0) {
                self.subjects.remove(&member.reference);
            }
        }
        for reference in &member.references {
            if let Some(sessions) = self.references.get_mut(reference) {
                strike(sessions);
                if sessions.is_empty() {
                    self.references.remove(reference);
                }
            }
        }
    }
}

impl Member {
    fn new() -> Self {
        Self { epoch: Epoch(0), reason: EndReason::Admin, moved_at: Moment::EPOCH, sessions: Vec::new() }
    }
}

fn ended_by_subject(
    subjects: &HashMap<SubjectRef, Member, foldhash::fast::RandomState>,
    record: &Record,
) -> Option<EndReason> {
    let member = subjects.get(&record.subject()?)?;
    (record.epochs.subject < member.epoch).then_some(member.reason)
}
