//! The subjects of one shard: each with its epoch, and the chain of its sessions through the rows.

use counterfoil_core::rules::EndReason;
use counterfoil_core::store::Epoch;
use counterfoil_core::{Moment, SubjectRef};
use hashbrown::HashTable;

use super::row::{NONE, Row, Slab};

/// The subjects of one shard.
#[derive(Debug, Default)]
pub(super) struct Subjects {
    slab: Slab<Subject>,
    names: HashTable<u32>,
    hasher: foldhash::fast::RandomState,
}

/// One subject: 56 bytes.
#[derive(Debug, Clone)]
pub(super) struct Subject {
    pub(super) name: SubjectRef,
    pub(super) epoch: Epoch,
    pub(super) moved_at: Moment,
    pub(super) reason: EndReason,
    /// Whether its epoch is on its way to the disk.
    pub(super) in_flight: bool,
    /// The first row of its sessions.
    pub(super) first: u32,
}

impl Subjects {
    pub(super) fn find(&self, name: SubjectRef) -> Option<u32> {
        let same = |index: &u32| self.slab.get(*index).is_some_and(|subject| subject.name == name);
        self.names.find(self.hash(name), same).copied()
    }

    pub(super) fn get(&self, index: u32) -> Option<&Subject> {
        self.slab.get(index)
    }

    pub(super) fn get_mut(&mut self, index: u32) -> Option<&mut Subject> {
        self.slab.get_mut(index)
    }

    /// The number of a subject, which is there from now on.
    pub(super) fn enter(&mut self, name: SubjectRef) -> u32 {
        if let Some(index) = self.find(name) {
            return index;
        }
        let subject = Subject {
            name,
            epoch: Epoch(0),
            moved_at: Moment::EPOCH,
            reason: EndReason::Admin,
            in_flight: false,
            first: NONE,
        };
        let index = self.slab.insert(subject);
        let Self { slab, names, hasher } = self;
        let hash_of = |index: &u32| slab.get(*index).map_or(0, |subject| hash(hasher, subject.name));
        names.insert_unique(hash(hasher, name), index, hash_of);
        index
    }

    pub(super) fn forget(&mut self, index: u32) {
        let Some(name) = self.slab.get(index).map(|subject| subject.name) else { return };
        if let Ok(entry) = self.names.find_entry(hash(&self.hasher, name), |other| *other == index) {
            entry.remove();
            self.slab.release(index);
        }
    }

    /// Enters row `index` under its subject.
    pub(super) fn link(&mut self, rows: &mut Slab<Row>, index: u32) {
        let Some(subject) = rows.get(index).and_then(|row| self.slab.get_mut(row.subject)) else { return };
        let second = std::mem::replace(&mut subject.first, index);
        if let Some(row) = rows.get_mut(second) {
            row.previous = index;
        }
        if let Some(row) = rows.get_mut(index) {
            (row.next, row.previous) = (second, NONE);
        }
    }

    /// Strikes it out again. A subject without sessions is forgotten, unless its epoch is still of use.
    pub(super) fn unlink(&mut self, rows: &mut Slab<Row>, index: u32) {
        let Some(row) = rows.get_mut(index) else { return };
        let of = std::mem::replace(&mut row.subject, NONE);
        let (next, previous) = (std::mem::replace(&mut row.next, NONE), std::mem::replace(&mut row.previous, NONE));
        let Some(subject) = self.slab.get_mut(of) else { return };
        if let Some(row) = rows.get_mut(next) {
            row.previous = previous;
        }
        match rows.get_mut(previous) {
            Some(row) => row.next = next,
            None => subject.first = next,
        }
        if subject.first == NONE && subject.epoch == Epoch(0) {
            self.forget(of);
        }
    }

    /// The rows of a subject's sessions.
    pub(super) fn rows<'a>(
        &self,
        rows: &'a Slab<Row>,
        name: SubjectRef,
    ) -> impl Iterator<Item = (u32, &'a Row)> + use<'a> {
        let first = self.find(name).and_then(|index| self.slab.get(index)).map_or(NONE, |subject| subject.first);
        let mut at = first;
        std::iter::from_fn(move || {
            let index = at;
            let row = rows.get(index)?;
            at = row.next;
            Some((index, row))
        })
    }

    fn hash(&self, name: SubjectRef) -> u64 {
        hash(&self.hasher, name)
    }
}

fn hash(hasher: &foldhash::fast::RandomState, name: SubjectRef) -> u64 {
    std::hash::BuildHasher::hash_one(hasher, name)
}
