//! Records in memory, bounded by bytes: second chance for what was used, none for what the disk does not have yet.

use std::sync::Arc;

use counterfoil_core::Record;

use crate::weight;

/// The records of one shard that are in memory.
#[derive(Debug, Default)]
pub(super) struct Cache {
    entries: Vec<Option<Entry>>,
    free: Vec<u32>,
    hand: usize,
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    record: Arc<Record>,
    row: u32,
    bytes: usize,
    /// Whether it was asked for since the hand came by.
    used: bool,
}

impl Cache {
    /// The record at `place`, which counts as used.
    pub(super) fn get(&mut self, place: u32) -> Option<&Arc<Record>> {
        let entry = self.entries.get_mut(index(place))?.as_mut()?;
        entry.used = true;
        Some(&entry.record)
    }

    /// Puts a record in; its place.
    pub(super) fn insert(&mut self, row: u32, record: Arc<Record>) -> u32 {
        let bytes = weight::of_record(&record);
        self.bytes += bytes;
        let entry = Some(Entry { record, row, bytes, used: true });
        if let Some(place) = self.free.pop() {
            if let Some(slot) = self.entries.get_mut(index(place)) {
                *slot = entry;
            }
            return place;
        }
        self.entries.push(entry);
        u32::try_from(self.entries.len() - 1).unwrap_or(super::row::NONE)
    }

    pub(super) fn remove(&mut self, place: u32) {
        if let Some(entry) = self.entries.get_mut(index(place)).and_then(Option::take) {
            self.bytes -= entry.bytes;
            self.free.push(place);
        }
    }

    /// Takes out what was not used for longest, until it fits into `budget` or nothing more may go. The rows whose records
    /// went; `may_go` says of a row whether the disk has its record.
    pub(super) fn shrink(&mut self, budget: usize, may_go: impl Fn(u32) -> bool) -> Vec<u32> {
        let mut gone = Vec::new();
        // Twice round: the first time takes the second chances away.
        let mut steps = self.entries.len() * 2;
        while self.bytes > budget && steps > 0 {
            steps -= 1;
            self.hand = if self.hand + 1 < self.entries.len() { self.hand + 1 } else { 0 };
            let Some(Some(entry)) = self.entries.get_mut(self.hand) else { continue };
            if std::mem::take(&mut entry.used) || !may_go(entry.row) {
                continue;
            }
            gone.push(entry.row);
            let place = u32::try_from(self.hand).unwrap_or(super::row::NONE);
            self.remove(place);
        }
        gone
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }
}

fn index(place: u32) -> usize {
    usize::try_from(place).unwrap_or(usize::MAX)
}
