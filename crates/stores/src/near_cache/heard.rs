//! Up to when everything that happened was heard.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use counterfoil_core::Moment;

/// The last [`Notice::UpTo`](counterfoil_core::store::Notice::UpTo), if there is one that counts.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// In milliseconds, one too many; zero is nothing.
    up_to: AtomicU64,
}

impl Heard {
    /// Everything before `moment` was heard.
    pub(super) fn note(&self, moment: Moment) {
        self.up_to.store(moment.unix_millis().saturating_add(1), Ordering::Release);
    }

    /// Whether there is one.
    pub(super) fn is_anything(&self) -> bool {
        self.up_to.load(Ordering::Acquire) != NOTHING
    }

    /// Whether what happened more than `bound` before `now` was heard. A clock that was set back tells no age: whatever
    /// counted by it counts no longer, not even when the clock has come that far again.
    pub(super) fn is_within(&self, bound: Duration, now: Moment) -> bool {
        let found = self.up_to.load(Ordering::Acquire);
        let Some(up_to) = moment(found) else { return false };
        if up_to > now {
            // If another came meanwhile, that one stays.
            let _ = self.up_to.compare_exchange(found, NOTHING, Ordering::AcqRel, Ordering::Acquire);
            return false;
        }
        now.since(up_to) <= bound
    }

    /// How long ago it was, if there is one.
    pub(super) fn lag(&self, now: Moment) -> Option<Duration> {
        moment(self.up_to.load(Ordering::Acquire)).map(|up_to| now.since(up_to))
    }
}

fn moment(found: u64) -> Option<Moment> {
    found.checked_sub(1).map(Moment::from_unix_millis)
}

const NOTHING: u64 = 0;
