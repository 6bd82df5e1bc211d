//! When something is tried again. Pure but for the chance, which comes in.

use std::time::Duration;

use aws_lc_rs::rand;

/// A byte by chance.
pub(super) type Chance = Box<dyn FnMut() -> u8 + Send>;

pub(super) fn by_chance() -> u8 {
    let mut byte = [128; 1];
    let _ = rand::fill(&mut byte);
    u8::from_ne_bytes(byte)
}

/// How long an event waits that was tried so many times.
pub(super) fn of_an_event(tries: usize, chance: u8) -> Duration {
    let whole =
        tries.checked_sub(1).and_then(|before| DELAYS.get(before)).or(DELAYS.last()).copied().unwrap_or_default();
    about(whole, chance)
}

/// How long nobody is sent to a receiver that failed so many times in a row. Not at once: one event may be at fault.
pub(super) fn of_a_receiver(failures: u32, is_loaded: bool, chance: u8) -> Option<Duration> {
    let counted = if is_loaded { failures } else { failures.checked_sub(BEFORE_A_PAUSE - 1)? };
    let doubled = counted.checked_sub(1)?.min(16);
    Some(about(FIRST_PAUSE.saturating_mul(1 << doubled).min(LONGEST_PAUSE), chance))
}

/// A fifth more or less: who failed together does not come back together.
fn about(whole: Duration, chance: u8) -> Duration {
    whole.mul_f64(0.8 + 0.4 * f64::from(chance) / 256.0)
}

/// What the receiver asks for by `Retry-After`, within reason.
pub(super) const LONGEST_ASKED: Duration = Duration::from_hours(1);

/// As Standard Webhooks recommends.
const DELAYS: [Duration; 9] = [
    Duration::from_secs(5),
    Duration::from_mins(5),
    Duration::from_mins(30),
    Duration::from_hours(2),
    Duration::from_hours(5),
    Duration::from_hours(10),
    Duration::from_hours(14),
    Duration::from_hours(20),
    Duration::from_hours(24),
];
const BEFORE_A_PAUSE: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_tried_again_as_standard_webhooks_recommends_a_fifth_more_or_less() {
        let seconds = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400, 86_400];
        for (tries, whole) in (1..).zip(seconds) {
            assert_eq!(of_an_event(tries, 128).as_secs(), whole);
            assert_eq!(of_an_event(tries, 0).as_secs(), whole * 4 / 5);
            assert!((whole * 119 / 100..whole * 6 / 5).contains(&of_an_event(tries, 255).as_secs()));
        }
    }

    #[test]
    fn a_receiver_is_left_alone_after_three_failures_or_as_soon_as_it_says_that_it_has_too_much_to_do() {
        //  failures  of whatever kind  of load
        let table =
            [(0, None, None), (1, None, Some(5)), (2, None, Some(10)), (3, Some(5), Some(20)), (4, Some(10), Some(40))];
        for (failures, of_any, of_load) in table {
            let found =
                [false, true].map(|is_loaded| of_a_receiver(failures, is_loaded, 128).map(|pause| pause.as_secs()));
            assert_eq!(found, [of_any, of_load], "{failures}");
        }
        assert_eq!(of_a_receiver(u32::MAX, false, 128), Some(LONGEST_PAUSE));
    }
}
