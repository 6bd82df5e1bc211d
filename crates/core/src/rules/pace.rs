//! How often something may happen: so many at once, and then one every so often. Pure: the time comes in.

use std::num::NonZeroU32;
use std::time::Duration;

/// So many at once, and then one every so often: the generic cell rate algorithm (ITU-T I.371).
///
/// One number for each key is all there is to keep: when everything will have recovered. Times are in milliseconds since
/// a beginning that the caller chooses and keeps.
///
/// # Security
/// A refusal changes nothing: whoever keeps hammering never prolongs anybody's wait, and the longest one is
/// [`every`](Self::every). So it is too after a clock stepped back, however far: a number beyond what the pace can make
/// counts as used up, no more. A clock that leaps ahead gives the whole burst again, once.
///
/// # Examples
/// ```
/// use counterfoil_core::rules::{Pace, Spent};
/// use std::{num::NonZeroU32, time::Duration};
///
/// let pace = Pace::new(NonZeroU32::new(2).unwrap(), Duration::from_secs(6));
/// let Ok(Spent { until, left: 1 }) = pace.take(0, 1_000) else { panic!() };
/// let Ok(Spent { until, left: 0 }) = pace.take(until, 1_000) else { panic!() };
/// assert_eq!(pace.take(until, 1_000), Err(Duration::from_secs(6)));
/// assert!(pace.take(until, 7_000).is_ok());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    at_once: NonZeroU32,
    every_millis: u64,
}

/// What one more makes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spent {
    /// When everything will have recovered: what is kept for the key.
    pub until: u64,
    /// How many more could follow at once.
    pub left: u32,
}

impl Pace {
    /// `at_once`, and then one `every`: at least a millisecond, and whole ones, rounded up.
    pub const fn new(at_once: NonZeroU32, every: Duration) -> Self {
        let whole = every.as_nanos().div_ceil(1_000_000);
        let longest = LONGEST_MILLIS / at_once.get() as u128;
        let millis = if whole == 0 {
            1
        } else if whole > longest {
            longest
        } else {
            whole
        };
        // At most `LONGEST_MILLIS`, which fits.
        #[expect(clippy::cast_possible_truncation, reason = "bounded above")]
        let every_millis = millis as u64;
        Self { at_once, every_millis }
    }

    /// How many at once.
    pub const fn at_once(self) -> NonZeroU32 {
        self.at_once
    }

    /// And then one every so often.
    pub const fn every(self) -> Duration {
        Duration::from_millis(self.every_millis)
    }

    /// How long it takes to recover from all that may happen at once.
    pub const fn window(self) -> Duration {
        Duration::from_millis(self.window_millis())
    }

    const fn window_millis(self) -> u64 {
        self.every_millis.saturating_mul(self.at_once.get() as u64)
    }

    /// One more, `now`.
    ///
    /// # Errors
    /// After how long asking again makes sense. Nothing changes then.
    pub fn take(self, until: u64, now: u64) -> Result<Spent, Duration> {
        let until = self.believed(until, now).saturating_add(self.every_millis);
        let full = now.saturating_add(self.window_millis());
        match until.checked_sub(full) {
            None | Some(0) => Ok(Spent { until, left: self.left(until, now) }),
            Some(wait) => Err(Duration::from_millis(wait)),
        }
    }

    /// One more whether it may or not, as far as there is anything to use up: for what others have admitted.
    pub fn note(self, until: u64, now: u64) -> u64 {
        let used_up = now.saturating_add(self.window_millis());
        self.believed(until, now).saturating_add(self.every_millis).min(used_up)
    }

    /// One fewer: it turned out not to count.
    pub fn give_back(self, until: u64, now: u64) -> u64 {
        self.believed(until, now).saturating_sub(self.every_millis).max(now)
    }

    /// How many could happen at once, `now`.
    pub fn left(self, until: u64, now: u64) -> u32 {
        let spent = self.believed(until, now).saturating_sub(now).div_ceil(self.every_millis);
        self.at_once.get().saturating_sub(u32::try_from(spent).unwrap_or(u32::MAX))
    }

    /// What is kept, as far as this pace can have made it.
    fn believed(self, until: u64, now: u64) -> u64 {
        until.clamp(now, now.saturating_add(self.window_millis()))
    }
}

/// A year: what is limited longer is not limited by a pace.
const LONGEST_MILLIS: u128 = 366 * 24 * 60 * 60 * 1_000;

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;
    use governor::{Quota, RateLimiter};
    use proptest::prelude::*;

    use super::*;

    fn pace(at_once: u32, every_millis: u64) -> Pace {
        Pace::new(NonZeroU32::new(at_once).unwrap(), Duration::from_millis(every_millis))
    }

    /// The rule in slow words: each admitted one is a debt, paid off one after the other, `every` apiece.
    struct Naive {
        pace: Pace,
        admitted: Vec<u64>,
    }

    impl Naive {
        fn debt(&self, now: u64) -> u64 {
            let mut debt = 0_u64;
            let mut before = 0;
            for at in &self.admitted {
                debt = debt.saturating_sub(at - before) + self.pace.every_millis;
                before = *at;
            }
            debt.saturating_sub(now - before)
        }

        fn take(&mut self, now: u64) -> bool {
            let fits =
                self.debt(now) + self.pace.every_millis <= self.pace.every_millis * u64::from(self.pace.at_once.get());
            if fits {
                self.admitted.push(now);
            }
            fits
        }
    }

    proptest! {
        #[test]
        fn it_admits_what_the_slow_words_admit_and_what_another_library_does(
            at_once in 1..9_u32,
            every in 1..200_u64,
            steps in prop::collection::vec(0..300_u64, 1..80),
        ) {
            let pace = pace(at_once, every);
            let mut naive = Naive { pace, admitted: Vec::new() };
            let clock = FakeRelativeClock::default();
            let quota = Quota::with_period(pace.every()).unwrap().allow_burst(pace.at_once());
            let theirs = RateLimiter::direct_with_clock(quota, clock.clone());
            let (mut now, mut until) = (0, 0);
            for step in steps {
                now += step;
                clock.advance(Duration::from_millis(step));
                let ours = pace.take(until, now);
                prop_assert_eq!(ours.is_ok(), naive.take(now));
                prop_assert_eq!(ours.is_ok(), theirs.check().is_ok());
                match ours {
                    Ok(spent) => until = spent.until,
                    Err(wait) => {
                        prop_assert!(wait <= pace.every(), "{:?}", wait);
                        let then = now + u64::try_from(wait.as_millis()).unwrap();
                        prop_assert!(pace.take(until, then).is_ok() && pace.take(until, then - 1).is_err());
                    }
                }
                prop_assert_eq!(u64::from(pace.left(until, now)), u64::from(at_once) - naive.debt(now).div_ceil(every));
            }
        }

        #[test]
        fn whatever_is_kept_and_whatever_the_clock_says_nobody_waits_longer_than_one_step(
            at_once in 1..50_u32, every in 1..100_000_u64, until: u64, now in 0..u64::MAX / 2,
        ) {
            let pace = pace(at_once, every);
            if let Err(wait) = pace.take(until, now) {
                prop_assert!(wait <= pace.every());
            }
            prop_assert!(pace.note(until, now) <= now + u64::try_from(pace.window().as_millis()).unwrap());
        }
    }

    #[test]
    fn a_clock_that_steps_back_costs_one_step_and_one_that_leaps_ahead_gives_the_burst_once() {
        let pace = pace(3, 1_000);
        let mut until = 0;
        for _ in 0..3 {
            until = pace.take(until, 1_000_000).unwrap().until;
        }
        assert_eq!(pace.take(until, 5_000), Err(Duration::from_secs(1)), "sixteen minutes back");
        let mut ahead = 0;
        while let Ok(spent) = pace.take(until, 90_000_000) {
            (until, ahead) = (spent.until, ahead + 1);
        }
        assert_eq!(ahead, 3);
    }

    #[test]
    fn what_is_given_back_can_be_used_again_and_no_more_than_that() {
        let pace = pace(2, 1_000);
        let once = pace.take(0, 50).unwrap();
        let twice = pace.take(once.until, 50).unwrap();
        assert_eq!((once.left, twice.left), (1, 0));
        assert_eq!(pace.left(pace.give_back(twice.until, 50), 50), 1);
        assert_eq!(pace.left(pace.give_back(pace.give_back(0, 50), 50), 50), 2, "never more than there is");
    }

    #[test]
    fn what_others_admitted_counts_and_never_beyond_used_up() {
        let pace = pace(2, 1_000);
        let until = (0..10).fold(0, |until, _| pace.note(until, 50));
        assert_eq!(pace.left(until, 50), 0);
        assert!(pace.take(until, 1_050).is_ok());
    }

    #[test]
    fn times_are_whole_milliseconds_and_at_least_one() {
        #[rustfmt::skip]
        let table = [
            (Duration::ZERO,                  1),
            (Duration::from_nanos(1),         1),
            (Duration::from_micros(1_001),    2),
            (Duration::from_secs(6),          6_000),
            (Duration::MAX,                   366 * 24 * 60 * 60 * 1_000),
        ];
        for (every, millis) in table {
            assert_eq!(Pace::new(NonZeroU32::MIN, every).every(), Duration::from_millis(millis), "{every:?}");
        }
    }
}
