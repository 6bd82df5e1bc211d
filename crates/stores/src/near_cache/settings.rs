//! How much is kept, and for how long it may count.

use std::time::Duration;

/// What the cache may take, and how old what it decides from may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// The longest a session may be admitted here after it was ended elsewhere, by this node's clock. By default 3 s:
    /// stores say every second that everything was told, so two of those may be late. At most the lease.
    pub bound: Duration,
    /// How long one reading of the store may count, however well everything was told since. By default, and at most,
    /// 60 s: whatever else goes wrong, nobody is admitted for longer than that.
    pub lease: Duration,
    /// Sessions in memory, in bytes. By default 256 MiB, which is some 250,000 sessions in use; one takes about 1 kB
    /// beside its data. What was read first goes first.
    pub bytes: usize,
}

/// The settings contradict each other, or the promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadSettings {
    /// Nothing would ever be answered from memory.
    #[error("near_cache.bound is zero: leave the cache out instead")]
    NoBound,
    /// The bound would not be the bound.
    #[error("near_cache.bound ({bound:?}) exceeds near_cache.lease ({lease:?})")]
    BoundBeyondLease {
        /// The bound.
        bound: Duration,
        /// The lease.
        lease: Duration,
    },
    /// The lease is what holds when all else fails.
    #[error("near_cache.lease ({lease:?}) exceeds {longest:?}", longest = Settings::LONGEST_LEASE)]
    LeaseTooLong {
        /// The lease.
        lease: Duration,
    },
}

impl Settings {
    /// The longest lease there may be.
    pub const LONGEST_LEASE: Duration = Duration::from_mins(1);

    /// The same, if they do not contradict each other.
    ///
    /// # Errors
    /// [`BadSettings`] names both values.
    pub fn checked(self) -> Result<Self, BadSettings> {
        let Self { bound, lease, .. } = self;
        if bound.is_zero() {
            return Err(BadSettings::NoBound);
        }
        if lease > Self::LONGEST_LEASE {
            return Err(BadSettings::LeaseTooLong { lease });
        }
        if bound > lease {
            return Err(BadSettings::BoundBeyondLease { bound, lease });
        }
        Ok(self)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self { bound: Duration::from_secs(3), lease: Self::LONGEST_LEASE, bytes: 256 * 1_024 * 1_024 }
    }
}
