//! One folder: which names are surely on the disk, and which may be.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

/// One folder's names. A number stands for what is under the name.
#[derive(Debug, Default)]
pub(super) struct Names {
    now: BTreeMap<OsString, usize>,
    durable: BTreeMap<OsString, usize>,
    /// What was done since the folder was last synchronised, each with its place in the order of all such changes.
    pending: Vec<(u64, Naming)>,
}

/// One change of a folder's names.
#[derive(Debug, Clone)]
pub(super) enum Naming {
    Added(OsString, usize),
    Removed(OsString),
    Moved(OsString, OsString),
}

impl Names {
    pub(super) fn of(durable: BTreeMap<OsString, usize>) -> Self {
        Self { now: durable.clone(), durable, pending: Vec::new() }
    }

    pub(super) fn get(&self, name: &OsStr) -> Option<usize> {
        self.now.get(name).copied()
    }

    pub(super) fn change(&mut self, number: u64, naming: Naming) {
        naming.apply(&mut self.now);
        self.pending.push((number, naming));
    }

    /// The changes up to `number` are on the disk.
    pub(super) fn synchronise(&mut self, number: u64) {
        let new = self.pending.partition_point(|(at, _)| *at <= number);
        for (_, naming) in self.pending.drain(..new) {
            naming.apply(&mut self.durable);
        }
    }

    pub(super) fn pending(&self) -> impl Iterator<Item = u64> {
        self.pending.iter().map(|(number, _)| *number)
    }

    pub(super) const fn now(&self) -> &BTreeMap<OsString, usize> {
        &self.now
    }

    /// The names a power cut leaves, if the changes before `number` were on the disk.
    pub(super) fn left(&self, number: u64) -> BTreeMap<OsString, usize> {
        let mut left = self.durable.clone();
        for (_, naming) in self.pending.iter().take_while(|(at, _)| *at < number) {
            naming.apply(&mut left);
        }
        left
    }
}

impl Naming {
    fn apply(&self, to: &mut BTreeMap<OsString, usize>) {
        match self {
            Self::Added(name, node) => {
                to.insert(name.clone(), *node);
            }
            Self::Removed(name) => {
                to.remove(name);
            }
            Self::Moved(from, name) => {
                if let Some(node) = to.remove(from) {
                    to.insert(name.clone(), node);
                }
            }
        }
    }
}
