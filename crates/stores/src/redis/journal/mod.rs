//! What ended of late: told to a server that has forgotten it. In memory, and what this node did on its disk too.

mod file;
mod line;

use std::collections::{HashSet, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use counterfoil_core::Moment;
use parking_lot::Mutex;

pub use self::file::JournalError;
use self::file::{Kept, Lines};
use super::fact::Fact;

/// The facts of the last while, each once, in their order.
pub(super) struct Journal {
    recent: Arc<Mutex<Recent>>,
    kept: Option<Kept>,
    lasts: Duration,
}

/// When something ended, and what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    at: Moment,
    fact: Fact,
}

#[derive(Default)]
struct Recent {
    entries: VecDeque<Entry>,
    facts: HashSet<Fact>,
}

impl Journal {
    /// With what is in the file, if there is to be one.
    pub(super) fn open(path: Option<&Path>, lasts: Duration, now: Moment) -> Result<Self, JournalError> {
        let recent = Arc::<Mutex<Recent>>::default();
        let Some(path) = path else { return Ok(Self { recent, kept: None, lasts }) };
        let (file, entries) = Lines::open_free(path)?;
        for entry in entries {
            recent.lock().add(entry, lasts, now);
        }
        let kept = Kept::begin(file, Arc::clone(&recent))?;
        Ok(Self { recent, kept: Some(kept), lasts })
    }

    /// Whether what this node does survives it.
    pub(super) const fn is_kept(&self) -> bool {
        self.kept.is_some()
    }

    /// Remembers what somebody did.
    pub(super) fn hear(&self, fact: Fact, now: Moment) {
        self.recent.lock().add(Entry { at: now, fact }, self.lasts, now);
    }

    /// Remembers what this node did, and has it on the disk before it answers.
    pub(super) async fn keep(&self, facts: Vec<Fact>, now: Moment) -> Result<(), JournalError> {
        for fact in &facts {
            self.hear(*fact, now);
        }
        let Some(kept) = &self.kept else { return Ok(()) };
        kept.write(facts.into_iter().map(|fact| Entry { at: now, fact }).collect()).await
    }

    /// What is remembered, of one tag or of all.
    pub(super) fn facts(&self, tag: Option<u8>, now: Moment) -> Vec<Fact> {
        let mut recent = self.recent.lock();
        recent.forget(self.lasts, now);
        let facts = recent.entries.iter().map(|entry| entry.fact);
        facts.filter(|fact| tag.is_none_or(|tag| fact.tag() == tag)).collect()
    }
}

impl Recent {
    fn add(&mut self, entry: Entry, lasts: Duration, now: Moment) {
        self.forget(lasts, now);
        if self.facts.insert(entry.fact) {
            self.entries.push_back(entry);
        }
        if self.entries.len() > MOST {
            self.drop_oldest();
        }
    }

    fn forget(&mut self, lasts: Duration, now: Moment) {
        while self.entries.front().is_some_and(|entry| now.since(entry.at) > lasts) {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        if let Some(entry) = self.entries.pop_front() {
            self.facts.remove(&entry.fact);
        }
    }
}

/// How many facts are remembered at most: some 15 MB.
const MOST: usize = 100_000;

#[cfg(test)]
mod tests;
