//! How long whoever sends waits after a failure: longer each time, never the same for all, and as the receiver asks.

use std::time::Duration;

use aws_lc_rs::rand;
use http::HeaderMap;
use http::header::RETRY_AFTER;

/// The pause after so many failures in a row.
#[derive(Debug, Default)]
pub(crate) struct Patience {
    failures: u32,
}

impl Patience {
    /// It went well: the next failure is a first one.
    pub(crate) const fn rest(&mut self) {
        self.failures = 0;
    }

    /// Whether the last time failed.
    pub(crate) const fn is_tried(&self) -> bool {
        self.failures > 0
    }

    /// It failed. Half of the pause is by chance, so that many who failed together do not come back together; and it is at
    /// least what the receiver asked for, within reason.
    pub(crate) fn after_failure(&mut self, asked: Option<Duration>) -> Duration {
        let whole = FIRST.saturating_mul(1 << self.failures.min(16)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        let mut chance = [0; 1];
        let _ = rand::fill(&mut chance);
        let pause = whole / 2 + whole * u32::from(u8::from_ne_bytes(chance)) / 512;
        pause.max(asked.unwrap_or_default().min(LONGEST_ASKED))
    }
}

/// What `Retry-After` asks for, in seconds (RFC 9110, section 10.2.3); a date is not read, for clocks differ.
pub(crate) fn asked_for(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_mins(5);
/// A receiver that asks for more is asked again after this.
const LONGEST_ASKED: Duration = Duration::from_mins(15);

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn each_pause_is_twice_the_one_before_up_to_five_minutes_and_half_of_it_is_chance() {
        let mut patience = Patience::default();
        for whole in [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300].map(Duration::from_secs) {
            let pause = patience.after_failure(None);
            assert!((whole / 2..=whole).contains(&pause), "{pause:?} of {whole:?}");
        }
        patience.rest();
        assert!(!patience.is_tried() && patience.after_failure(None) <= FIRST && patience.is_tried());
        patience.failures = u32::MAX;
        assert!(patience.after_failure(None) <= LONGEST);
    }

    #[test]
    fn a_receiver_may_ask_for_more_within_reason_and_not_for_less() {
        #[rustfmt::skip]
        let rows = [
            ("30",                            Some(30)),
            (" 7 ",                           Some(7)),
            ("0",                             Some(0)),
            ("-1",                            None),
            ("1.5",                           None),
            ("99999999999999999999",          None),
            ("Fri, 31 Dec 1999 23:59:59 GMT", None),
        ];
        for (text, seconds) in rows {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_str(text).unwrap())]);
            assert_eq!(asked_for(&headers), seconds.map(Duration::from_secs), "{text}");
        }
        assert_eq!(asked_for(&HeaderMap::new()), None);
        let after = |asked| Patience::default().after_failure(Some(Duration::from_secs(asked)));
        assert_eq!(after(30), Duration::from_secs(30));
        assert!(after(0) >= FIRST / 2);
        assert_eq!(after(u64::MAX), LONGEST_ASKED);
    }
}
