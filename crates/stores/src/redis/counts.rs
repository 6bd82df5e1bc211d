//! Up to which notice of each tag something is so: of 256 tags, the first bytes of ids.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number for each tag.
pub(super) struct Counts(Box<[AtomicU64]>);

impl Default for Counts {
    fn default() -> Self {
        Self(TAGS.map(|_| AtomicU64::new(0)).collect())
    }
}

impl Counts {
    pub(super) fn get(&self, tag: u8) -> u64 {
        self.of(tag).map_or(0, |number| number.load(Ordering::Acquire))
    }

    pub(super) fn set(&self, tag: u8, number: u64) {
        if let Some(at) = self.of(tag) {
            at.store(number, Ordering::Release);
        }
    }

    pub(super) fn raise(&self, tag: u8, number: u64) {
        if let Some(at) = self.of(tag) {
            at.fetch_max(number, Ordering::AcqRel);
        }
    }

    pub(super) fn all(&self) -> Vec<u64> {
        self.0.iter().map(|number| number.load(Ordering::Acquire)).collect()
    }

    /// There are as many as a byte has values.
    fn of(&self, tag: u8) -> Option<&AtomicU64> {
        self.0.get(usize::from(tag))
    }
}

/// All there are.
pub(super) const TAGS: std::ops::RangeInclusive<u8> = 0..=u8::MAX;

/// Where an id lies: a session's, a subject, a name's hash.
pub(super) fn tag_of(id: &[u8]) -> u8 {
    id.first().copied().unwrap_or_default()
}
