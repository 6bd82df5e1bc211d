//! What became of what was to be sent: counted, and read by metrics.

use std::sync::atomic::{AtomicU64, Ordering};

/// How sending to one receiver does. Counted since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    /// Tokens or events that the receiver confirmed.
    pub delivered: u64,
    /// Times that some were not delivered and may be yet; for a polled stream, polls that were refused.
    pub failed_attempts: u64,
    /// Those that the receiver refused for good, or that were tried for too long.
    pub given_up: u64,
    /// Those for which there was no room, or no key to sign with.
    pub lost: u64,
    /// Those not yet delivered.
    pub waiting: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) delivered: AtomicU64,
    pub(crate) failed_attempts: AtomicU64,
    pub(crate) given_up: AtomicU64,
    pub(crate) lost: AtomicU64,
}

impl Counts {
    pub(crate) fn add(counter: &AtomicU64, some: usize) {
        counter.fetch_add(some as u64, Ordering::Relaxed);
    }

    pub(crate) fn figures(&self, waiting: usize) -> Figures {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Figures {
            delivered: read(&self.delivered),
            failed_attempts: read(&self.failed_attempts),
            given_up: read(&self.given_up),
            lost: read(&self.lost),
            waiting: waiting as u64,
        }
    }
}
