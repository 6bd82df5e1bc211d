//! By how much a node's clock is corrected so that it shows its store's time, and when that is too much. Pure.

use std::time::Duration;

use crate::moment::Moment;

/// One look at the store's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockReading {
    /// What the node's clock showed when the store was asked.
    pub asked: Moment,
    /// How long the answer took.
    pub took: Duration,
    /// What the store's clock showed in between.
    pub theirs: Moment,
}

/// What is added to a node's clock, in milliseconds: negative where it is ahead of the store's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Correction(i64);

impl ClockReading {
    /// A reading that took longer tells too little.
    pub const LONGEST: Duration = Duration::from_secs(1);

    /// The correction after this reading; `None` if it took too long to tell one. The one in force stays for as long as
    /// the reading does not contradict it, so that the clock does not tremble with the network. In either case it differs
    /// from the right one by no more than the time the answer took, and a millisecond.
    pub fn correction(self, in_force: Option<Correction>) -> Option<Correction> {
        if self.took > Self::LONGEST {
            return None;
        }
        // Both clocks leave out what is less than a millisecond.
        let most = difference(self.asked, self.theirs).saturating_add(1);
        let least = most.saturating_sub(millis(self.took)).saturating_sub(2);
        let stays = in_force.filter(|correction| (least..=most).contains(&correction.0));
        Some(stays.unwrap_or(Correction(least.midpoint(most))))
    }
}

impl Correction {
    /// None at all.
    pub const NONE: Self = Self(0);
    /// Further apart than this, one of the two clocks is wrong, and nobody can tell which.
    pub const MOST: Duration = Duration::from_secs(5);

    /// So many milliseconds.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// In milliseconds.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whether the clocks are too far apart to judge by either.
    pub fn is_too_much(self) -> bool {
        self.size() > Self::MOST
    }

    /// Without its sign.
    pub const fn size(self) -> Duration {
        Duration::from_millis(self.0.unsigned_abs())
    }

    /// What a clock that shows `moment` should show.
    pub const fn of(self, moment: Moment) -> Moment {
        Moment::from_unix_millis(moment.unix_millis().saturating_add_signed(self.0))
    }
}

/// How far `to` is after `from`.
fn difference(from: Moment, to: Moment) -> i64 {
    if to >= from { millis(to.since(from)) } else { -millis(from.since(to)) }
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const START: u64 = 1_800_000_000_000;

    fn reading(took: u64, theirs: i64) -> ClockReading {
        let (asked, theirs) = (Moment::from_unix_millis(START), START.saturating_add_signed(theirs));
        ClockReading { asked, took: Duration::from_millis(took), theirs: Moment::from_unix_millis(theirs) }
    }

    #[test]
    fn a_clock_is_set_by_the_middle_of_a_reading_and_left_alone_where_none_contradicts() {
        #[rustfmt::skip]
        let rows = [
            // name                                       took   theirs   in force     becomes
            ("both show the same",                        0,     0,       None,        Some(0)),
            ("half of the way is behind us",              100,   50,      None,        Some(0)),
            ("the node is behind",                        100,   3_050,   None,        Some(3_000)),
            ("the node is ahead",                         100,   -2_950,  None,        Some(-3_000)),
            ("too far apart is a correction all the same",100,   30_050,  None,        Some(30_000)),
            ("one in force that may be right stays",      100,   50,      Some(-50),   Some(-50)),
            ("at the other edge too",                     100,   50,      Some(51),    Some(51)),
            ("one that cannot be right goes",             100,   50,      Some(52),    Some(0)),
            ("so does one far off",                       100,   50,      Some(-4_000),Some(0)),
            ("as long as may be",                         1_000, 500,     None,        Some(0)),
            ("too long",                                  1_001, 500,     None,        None),
            ("too long says nothing of the one in force", 1_001, 9_000,   Some(7),     None),
        ];
        for (name, took, theirs, in_force, becomes) in rows {
            let in_force = in_force.map(Correction::from_millis);
            let found = reading(took, theirs).correction(in_force).map(Correction::millis);
            assert_eq!(found, becomes, "{name}");
        }
    }

    #[test]
    fn five_seconds_are_corrected_and_more_is_too_much() {
        for (millis, too_much) in [(0, false), (5_000, false), (-5_000, false), (5_001, true), (-5_001, true)] {
            assert_eq!(Correction::from_millis(millis).is_too_much(), too_much, "{millis}");
        }
        assert!(Correction::from_millis(i64::MIN).is_too_much());
    }

    #[test]
    fn no_clock_is_so_wrong_that_arithmetic_fails() {
        let wild = [0, 1, START, u64::MAX].map(Moment::from_unix_millis);
        for (asked, theirs) in wild.into_iter().flat_map(|asked| wild.map(|theirs| (asked, theirs))) {
            let reading = ClockReading { asked, took: Duration::ZERO, theirs };
            let correction = reading.correction(None).unwrap();
            assert_eq!(correction.is_too_much(), asked.since(theirs).max(theirs.since(asked)) > Correction::MOST);
            let _ = correction.of(asked);
        }
    }

    /// A node whose clock is off, and what it makes of readings that take their time on either way, one after another.
    fn corrected(off: i64, trips: &[(u64, u64)]) -> (i64, u64) {
        let (mut now, mut in_force, mut took) = (START, None, 0);
        for (there, back) in trips {
            let theirs = now + there;
            let reading = ClockReading {
                asked: Moment::from_unix_millis(now.saturating_add_signed(off)),
                took: Duration::from_millis(there + back),
                theirs: Moment::from_unix_millis(theirs),
            };
            in_force = reading.correction(in_force).or(in_force);
            took = there + back;
            now += 1_000;
        }
        (off + in_force.unwrap_or_default().millis(), took)
    }

    fn trips() -> impl Strategy<Value = Vec<(u64, u64)>> {
        prop::collection::vec((0..500_u64, 0..500_u64), 1..20)
    }

    proptest! {
        #[test]
        fn two_nodes_show_the_same_to_within_their_round_trips(
            one in (-4_000..4_000_i64, trips()),
            other in (-4_000..4_000_i64, trips()),
        ) {
            let (one, other) = (corrected(one.0, &one.1), corrected(other.0, &other.1));
            let apart = one.0.abs_diff(other.0);
            prop_assert!(apart <= one.1 + other.1 + 2, "{apart} ms apart after readings of {} and {} ms", one.1, other.1);
        }

        #[test]
        fn a_first_reading_is_off_by_half_its_round_trip_at_most(off in -9_000..9_000_i64, trip in (0..500_u64, 0..500_u64)) {
            let (left, took) = corrected(off, &[trip]);
            prop_assert!(left.unsigned_abs() <= took / 2 + 2, "{left} ms off after a reading of {took} ms");
        }
    }
}
