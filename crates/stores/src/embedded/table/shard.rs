//! One shard: the rows of some buckets, their subjects, and the records that are in memory. Plain data under one lock.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;

use counterfoil_core::rules::{EndReason, Standing};
use counterfoil_core::store::{Activity, Epoch, Live, Rival};
use counterfoil_core::{Moment, Record, SessionId, SubjectRef};
use hashbrown::HashTable;

use super::super::LiveSessions;
use super::cache::Cache;
use super::row::{NONE, Row, Slab, State, Traits, Whose};
use super::subjects::Subjects;

/// Sessions, tombstones and subjects of some buckets.
#[derive(Debug, Default)]
pub(in crate::embedded) struct Shard {
    pub(super) rows: Slab<Row>,
    ids: HashTable<u32>,
    hasher: foldhash::fast::RandomState,
    pub(super) subjects: Subjects,
    cache: Cache,
    /// When to look at each row again. Every row has exactly one entry.
    pub(super) due: BinaryHeap<Reverse<(Moment, u32)>>,
    /// Subjects whose epoch rose, in that order: their entries outlive their sessions for a while.
    pub(super) moved: VecDeque<SubjectRef>,
    /// Rows whose `seen_at` is to be written.
    touched: Vec<u32>,
}

/// What a shard knows of an id.
#[derive(Debug)]
pub(in crate::embedded) struct Known {
    pub(in crate::embedded) index: u32,
    /// Whether this is on its way to the disk: an answer that rests on it waits.
    pub(in crate::embedded) in_flight: bool,
    pub(in crate::embedded) is: Is,
}

#[derive(Debug)]
pub(in crate::embedded) enum Is {
    Live(Live),
    /// Live, and its record is not in memory.
    Cold,
    Ended(EndReason),
    Unreadable,
}

impl Shard {
    pub(in crate::embedded) fn find(&self, id: SessionId) -> Option<u32> {
        let same = |index: &u32| self.rows.get(*index).is_some_and(|row| row.id == id);
        self.ids.find(hash(&self.hasher, id), same).copied()
    }

    /// How many sessions there are: none that a clock or an epoch ended.
    pub(in crate::embedded) fn sessions(&self, global: Epoch, now: Moment) -> LiveSessions {
        let mut live = LiveSessions::default();
        for row in self.ids.iter().filter_map(|index| self.rows.get(*index)) {
            let State::Live(Traits { whose, .. }) = row.state else { continue };
            let subject = self.subjects.get(row.subject);
            if row.epochs.global < global || subject.is_some_and(|subject| row.epochs.subject < subject.epoch) {
                continue;
            }
            match (whose, row.limits.judge(&row.life(), now)) {
                (Whose::Memo, _) | (_, Standing::Over(_)) => {}
                (Whose::Visitor, _) => live.anonymous += 1,
                (_, Standing::Remembered) => live.remembered += 1,
                (_, Standing::Live) => live.authenticated += 1,
            }
        }
        live
    }

    pub(in crate::embedded) fn row(&self, index: u32) -> Option<&Row> {
        self.rows.get(index)
    }

    pub(in crate::embedded) fn row_mut(&mut self, index: u32) -> Option<&mut Row> {
        self.rows.get_mut(index)
    }

    /// What `id` is, under the subject's epoch and the global one. `read` is what the disk had a moment ago: of use if
    /// it is still the same and the record is not in memory.
    pub(in crate::embedded) fn known(
        &mut self,
        id: SessionId,
        global: (Epoch, EndReason),
        read: Option<&Live>,
    ) -> Option<Known> {
        let index = self.find(id)?;
        let row = self.rows.get(index)?;
        let subject = self.subjects.get(row.subject);
        let in_flight = row.in_flight || subject.is_some_and(|subject| subject.in_flight);
        let is = match row.state {
            State::Ended(reason) => Is::Ended(reason),
            State::Unreadable => Is::Unreadable,
            State::Live(_) => match subject.filter(|subject| row.epochs.subject < subject.epoch) {
                Some(subject) => Is::Ended(subject.reason),
                None if row.epochs.global < global.0 => Is::Ended(global.1),
                None => {
                    let read = read.filter(|live| live.revision == row.revision).map(|live| &live.record);
                    self.cache.get(row.cached).or(read).map_or(Is::Cold, |record| {
                        Is::Live(Live { record: Arc::clone(record), seen_at: row.seen_at, revision: row.revision })
                    })
                }
            },
        };
        Some(Known { index, in_flight, is })
    }

    /// Notes `activity` if it is worth it; `live` follows.
    pub(in crate::embedded) fn touch(&mut self, index: u32, live: &mut Live, activity: &Activity, now: Moment) {
        let Some(seen_at) = activity.touch(live, now) else { return };
        let Some(row) = self.rows.get_mut(index) else { return };
        (row.seen_at, live.seen_at) = (seen_at, seen_at);
        if !std::mem::replace(&mut row.touched, true) {
            self.touched.push(index);
        }
    }

    /// Up to `most` sessions whose last activity is to be written, and when that was.
    pub(in crate::embedded) fn take_touched(&mut self, most: usize) -> Vec<(SessionId, Moment)> {
        let mut touched = Vec::new();
        while touched.len() < most
            && let Some(index) = self.touched.pop()
        {
            if let Some(row) = self.rows.get_mut(index)
                && std::mem::take(&mut row.touched)
                && matches!(row.state, State::Live(_))
            {
                touched.push((row.id, row.seen_at));
            }
        }
        touched
    }

    /// Adds a row that is not there yet, with its record if it is at hand.
    pub(in crate::embedded) fn add(
        &mut self,
        mut row: Row,
        subject: Option<SubjectRef>,
        record: Option<Arc<Record>>,
    ) -> u32 {
        let (id, due) = (row.id, first_look(&row));
        let subject = subject.map_or(NONE, |subject| self.subjects.enter(subject));
        row.subject = subject;
        let index = self.rows.insert(row);
        let Self { rows, ids, hasher, .. } = self;
        let hash_of = |index: &u32| rows.get(*index).map_or(0, |row| hash(hasher, row.id));
        ids.insert_unique(hash(hasher, id), index, hash_of);
        self.subjects.link(&mut self.rows, index);
        self.due.push(Reverse((due, index)));
        if let Some(record) = record {
            self.keep(index, record);
        }
        index
    }

    /// Keeps a record in memory, in the place of the one that is there.
    pub(in crate::embedded) fn keep(&mut self, index: u32, record: Arc<Record>) {
        self.drop_record(index);
        let place = self.cache.insert(index, record);
        if let Some(row) = self.rows.get_mut(index) {
            row.cached = place;
        }
    }

    /// Lets records go until `budget` is met.
    pub(in crate::embedded) fn shrink(&mut self, budget: usize) {
        if self.cache.bytes() <= budget {
            return;
        }
        let rows = &self.rows;
        let gone = self.cache.shrink(budget, |index| rows.get(index).is_none_or(|row| !row.in_flight));
        for index in gone {
            if let Some(row) = self.rows.get_mut(index) {
                row.cached = NONE;
            }
        }
    }

    /// Makes a tombstone of a session.
    pub(in crate::embedded) fn end(&mut self, index: u32, reason: EndReason) {
        self.subjects.unlink(&mut self.rows, index);
        self.drop_record(index);
        if let Some(row) = self.rows.get_mut(index) {
            (row.state, row.in_flight) = (State::Ended(reason), true);
        }
    }

    /// Forgets a row whose entry in `due` is gone already.
    pub(super) fn forget(&mut self, index: u32) {
        self.subjects.unlink(&mut self.rows, index);
        self.drop_record(index);
        let Some(row) = self.rows.get_mut(index) else { return };
        row.touched = false;
        let hash = hash(&self.hasher, row.id);
        if let Ok(entry) = self.ids.find_entry(hash, |other| *other == index) {
            entry.remove();
            self.rows.release(index);
        }
    }

    pub(in crate::embedded) fn epoch(&self, subject: SubjectRef) -> (Epoch, bool) {
        let subject = self.subjects.find(subject).and_then(|index| self.subjects.get(index));
        subject.map(|subject| (subject.epoch, subject.in_flight)).unwrap_or_default()
    }

    /// Sets a subject's epoch: as it was stored, or as it has just become.
    pub(in crate::embedded) fn set_epoch(&mut self, name: SubjectRef, moved: Moved) {
        let index = self.subjects.enter(name);
        if let Some(subject) = self.subjects.get_mut(index) {
            (subject.epoch, subject.reason, subject.moved_at) = (moved.epoch, moved.reason, moved.at);
            subject.in_flight = moved.in_flight;
        }
        self.moved.push_back(name);
    }

    /// A subject's epoch reached the disk.
    pub(in crate::embedded) fn epoch_landed(&mut self, name: SubjectRef) {
        if let Some(subject) = self.subjects.find(name).and_then(|index| self.subjects.get_mut(index)) {
            subject.in_flight = false;
        }
    }

    /// The sessions that share the limit with one of `subject`; those of an earlier global epoch hold no place.
    pub(in crate::embedded) fn rivals(&self, subject: SubjectRef, global: Epoch, now: Moment) -> Vec<Rival> {
        let sessions = self.sessions_of(subject, now).filter(|(_, row, _)| row.epochs.global >= global);
        let rivals = sessions.map(|(_, row, traits)| Rival {
            id: row.id,
            created_at: row.created_at,
            presented: traits.whose == Whose::Presented,
        });
        rivals.collect()
    }

    /// The sessions of `subject` that were presented, are not over, and no epoch ended. Whether one is in flight.
    pub(in crate::embedded) fn listed(&self, subject: SubjectRef, global: Epoch, now: Moment) -> (Vec<Row>, bool) {
        let in_use = |traits: &Traits| traits.whose == Whose::Presented;
        let sessions =
            self.sessions_of(subject, now).filter(|(_, row, traits)| in_use(traits) && row.epochs.global >= global);
        let rows: Vec<_> = sessions.map(|(_, row, _)| row.clone()).collect();
        let in_flight = self.epoch(subject).1 || rows.iter().any(|row| row.in_flight);
        (rows, in_flight)
    }

    fn sessions_of(&self, subject: SubjectRef, now: Moment) -> impl Iterator<Item = (u32, &Row, Traits)> {
        let epoch = self.epoch(subject).0;
        self.subjects.rows(&self.rows, subject).filter_map(move |(index, row)| {
            let State::Live(traits) = row.state else { return None };
            let over = matches!(row.limits.judge(&row.life(), now), Standing::Over(_));
            (!over && row.epochs.subject >= epoch).then_some((index, row, traits))
        })
    }

    fn drop_record(&mut self, index: u32) {
        if let Some(row) = self.rows.get_mut(index) {
            let place = std::mem::replace(&mut row.cached, NONE);
            self.cache.remove(place);
        }
    }
}

/// How a subject's epoch came to be.
#[derive(Debug, Clone, Copy)]
pub(in crate::embedded) struct Moved {
    pub(in crate::embedded) epoch: Epoch,
    pub(in crate::embedded) reason: EndReason,
    pub(in crate::embedded) at: Moment,
    pub(in crate::embedded) in_flight: bool,
}

fn first_look(row: &Row) -> Moment {
    match row.state {
        State::Live(_) => row.limits.first_look(row.created_at),
        State::Ended(_) | State::Unreadable => row.forget_at(),
    }
}

fn hash(hasher: &foldhash::fast::RandomState, id: SessionId) -> u64 {
    std::hash::BuildHasher::hash_one(hasher, id)
}
