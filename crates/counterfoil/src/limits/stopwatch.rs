//! The time that limits go by: a clock that no change of the system's time moves.

#[cfg(test)]
use std::sync::{Arc, atomic::AtomicU64};
use std::time::Instant;

/// Milliseconds since some beginning.
#[derive(Debug, Clone)]
pub(super) enum Stopwatch {
    Running(Instant),
    Standing,
    #[cfg(test)]
    Set(Arc<AtomicU64>),
}

impl Stopwatch {
    pub(super) fn running() -> Self {
        Self::Running(Instant::now())
    }

    pub(super) const fn standing() -> Self {
        Self::Standing
    }

    pub(super) fn now(&self) -> u64 {
        match self {
            Self::Running(since) => u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX),
            Self::Standing => 0,
            #[cfg(test)]
            Self::Set(now) => now.load(std::sync::atomic::Ordering::Relaxed),
        }
    }
}
