//! Draws from distributions, in whole milliseconds.

use std::ops::RangeInclusive;
use std::time::Duration;

use fastrand::Rng;

/// True in `share` of all draws.
pub(super) fn happens(random: &mut Rng, share: f64) -> bool {
    share > 0.0 && random.f64() < share
}

/// Uniform between two numbers of milliseconds.
pub(super) fn between(random: &mut Rng, range: RangeInclusive<u64>) -> u64 {
    random.u64(range)
}

/// Uniform between two numbers of seconds, to the millisecond.
pub(super) fn seconds(random: &mut Rng, range: &RangeInclusive<u64>) -> u64 {
    random.u64(range.start() * 1_000..=range.end() * 1_000)
}

/// How long until something that has no memory, in milliseconds, by its mean.
pub(super) fn exponential(random: &mut Rng, mean: u64) -> u64 {
    let mean = Duration::from_millis(mean);
    // `1 - f64()` is never zero, so its logarithm is finite.
    let span = mean.mul_f64(-(1.0 - random.f64()).ln());
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
