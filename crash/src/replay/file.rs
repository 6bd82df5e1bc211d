//! One file: what is surely on the disk of it, and what may be.

use std::collections::BTreeMap;

use super::sparse::Sparse;

/// One file's content.
#[derive(Debug, Default)]
pub(super) struct Content {
    durable: Sparse,
    /// What was done since it was last synchronised.
    pending: Vec<Edit>,
    /// How many edits are in `durable`.
    done: u64,
}

/// One change of a file's bytes.
#[derive(Debug)]
pub(super) enum Edit {
    Write { at: u64, bytes: Vec<u8> },
    Length(u64),
}

/// What of the pending edits a power cut leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kept {
    /// None of them.
    Nothing,
    /// The first ones in order, and of the next one the first sectors.
    First { edits: usize, sectors: u64 },
    /// Each sector as it was at some moment of its own, chosen by these dice; the length likewise.
    Sectors(u64),
    /// All of them.
    Everything,
}

impl Content {
    pub(super) fn of(durable: Sparse) -> Self {
        Self { durable, ..Self::default() }
    }

    pub(super) fn edit(&mut self, edit: Edit) {
        self.pending.push(edit);
    }

    /// How many edits there were so far.
    pub(super) const fn edits(&self) -> u64 {
        self.done + self.pending.len() as u64
    }

    /// The first `edits` there ever were are on the disk.
    pub(super) fn synchronise(&mut self, edits: u64) {
        let new = usize::try_from(edits.saturating_sub(self.done)).unwrap_or(usize::MAX).min(self.pending.len());
        for edit in self.pending.drain(..new) {
            edit.apply(&mut self.durable);
        }
        self.done = self.done.max(edits);
    }

    pub(super) const fn pending(&self) -> usize {
        self.pending.len()
    }

    /// What a power cut leaves of the file.
    pub(super) fn left(&self, kept: &Kept) -> Sparse {
        match kept {
            Kept::Nothing => self.durable.clone(),
            Kept::First { edits, sectors } => self.first(*edits, *sectors),
            Kept::Everything => self.first(self.pending.len(), 0),
            // Which sectors survive of a file that was cut short is for its file system to know; in order, then.
            Kept::Sectors(seed) if self.shrinks() => {
                let mut dice = fastrand::Rng::with_seed(*seed);
                self.first(dice.usize(..=self.pending.len()), dice.u64(..8))
            }
            Kept::Sectors(seed) => self.sectors(&mut fastrand::Rng::with_seed(*seed)),
        }
    }

    fn first(&self, edits: usize, sectors: u64) -> Sparse {
        let mut left = self.durable.clone();
        let (whole, rest) = self.pending.split_at(edits.min(self.pending.len()));
        for edit in whole {
            edit.apply(&mut left);
        }
        if let Some(Edit::Write { at, bytes }) = rest.first() {
            for (at, part) in in_sectors(*at, bytes).take(usize::try_from(sectors).unwrap_or(usize::MAX)) {
                left.write(at, part);
            }
        }
        left
    }

    fn shrinks(&self) -> bool {
        let mut length = self.durable.length();
        self.pending.iter().any(|edit| {
            let before = length;
            length = edit.length_after(before);
            length < before
        })
    }

    /// A disk writes whole sectors, each as it was in memory at some moment.
    fn sectors(&self, dice: &mut fastrand::Rng) -> Sparse {
        let mut parts: BTreeMap<u64, Vec<(u64, &[u8])>> = BTreeMap::new();
        let mut lengths = vec![self.durable.length()];
        for edit in &self.pending {
            lengths.push(edit.length_after(lengths.last().copied().unwrap_or_default()));
            if let Edit::Write { at, bytes } = edit {
                for (at, part) in in_sectors(*at, bytes) {
                    parts.entry(at / SECTOR).or_default().push((at, part));
                }
            }
        }
        let mut left = self.durable.clone();
        for writes in parts.values() {
            for (at, part) in writes.iter().take(dice.usize(..=writes.len())) {
                left.write(*at, part);
            }
        }
        left.set_length(dice.choice(&lengths).copied().unwrap_or_default());
        left
    }
}

impl Edit {
    fn apply(&self, to: &mut Sparse) {
        match self {
            Self::Write { at, bytes } => to.write(*at, bytes),
            Self::Length(length) => to.set_length(*length),
        }
    }

    fn length_after(&self, before: u64) -> u64 {
        match self {
            Self::Write { at, bytes } => before.max(at + bytes.len() as u64),
            Self::Length(length) => *length,
        }
    }
}

/// The parts of a write that lie in one sector each.
fn in_sectors(at: u64, bytes: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    let (mut at, mut left) = (at, bytes);
    std::iter::from_fn(move || {
        let room = usize::try_from(SECTOR - at % SECTOR).unwrap_or(usize::MAX);
        let (now, later) = left.split_at(left.len().min(room));
        let from = at;
        at += now.len() as u64;
        left = later;
        (!now.is_empty()).then_some((from, now))
    })
}

/// What a disk writes whole or not at all.
const SECTOR: u64 = 512;
