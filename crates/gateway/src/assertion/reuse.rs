//! Assertions that were made a moment ago, for the same request of the same person: signing costs more than all the rest.

use counterfoil::Moment;
use http::HeaderValue;
use quick_cache::Weighter;
use quick_cache::sync::{Cache, DefaultLifecycle};

use super::LIFE;

/// A bounded number of assertions, by all that is in them but the time.
///
/// # Security
/// What is handed out again has at least half its life before it, and says of the same session, on the same path, what was
/// decided just now: the decision itself is made anew for every request. So a session that ended gets none.
pub(super) struct Reuse(Cache<Vec<u8>, Made, Bytes, foldhash::fast::RandomState>);

#[derive(Clone)]
struct Made {
    assertion: HeaderValue,
    at: Moment,
}

#[derive(Clone)]
struct Bytes;

impl Reuse {
    pub(super) fn new() -> Self {
        let (hasher, lifecycle) = (foldhash::fast::RandomState::default(), DefaultLifecycle::default());
        Self(Cache::with(MOST / TYPICAL, MOST as u64, Bytes, hasher, lifecycle))
    }

    /// One that is not half through its life, nor from the future.
    pub(super) fn find(&self, same: &[u8], now: Moment) -> Option<HeaderValue> {
        let made = self.0.get(same)?;
        (made.at <= now && now.since(made.at) < LIFE / 2).then_some(made.assertion)
    }

    pub(super) fn keep(&self, same: Vec<u8>, assertion: HeaderValue, now: Moment) {
        self.0.insert(same, Made { assertion, at: now });
    }
}

impl Weighter<Vec<u8>, Made> for Bytes {
    fn weight(&self, same: &Vec<u8>, made: &Made) -> u64 {
        (same.len() + made.assertion.len() + 128) as u64
    }
}

/// All of them together, in bytes: some 8,000 requests within half a minute.
const MOST: usize = 8 * 1024 * 1024;
const TYPICAL: usize = 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_many_requests_differ_memory_is_bounded() {
        let (reuse, now) = (Reuse::new(), Moment::from_unix_seconds(1_000));
        let assertion = HeaderValue::try_from("x".repeat(700)).unwrap();
        for number in 0..40_000_u32 {
            reuse.keep([&number.to_be_bytes()[..], &[b'x'; 300]].concat(), assertion.clone(), now);
        }
        assert!(reuse.0.weight() <= MOST as u64, "{}", reuse.0.weight());
        assert!(reuse.0.len() > 1_000);
    }
}
