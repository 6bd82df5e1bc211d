//! The system's clock.

use counterfoil_core::{Clock, Moment};

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Moment::from_unix_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}
