//! The time as it goes into a hash: its unit, how it is written, and the moments a token may be from.

/// One way to write the time.
pub(super) struct Format {
    pub(super) name: &'static str,
    /// How long a tick is.
    micros: u64,
    /// How far before and after its coming a token may have been made.
    before_micros: u64,
    after_micros: u64,
    /// How far the next ones may be from where the first was.
    near_micros: u64,
    write: fn(u64) -> String,
}

impl Format {
    /// Every tick that the token may be from, for one that came at `clock`, in milliseconds: the nearest first.
    pub(super) fn window(&self, clock: u64) -> impl Iterator<Item = u64> + use<> {
        let at = clock * 1_000;
        let (first, last) = ((at - self.before_micros) / self.micros, (at + self.after_micros) / self.micros);
        (first..=last).rev()
    }

    /// Where a tick is, seen from the clock, in microseconds.
    pub(super) fn offset(&self, tick: u64, clock: u64) -> i64 {
        i64::try_from(tick * self.micros).unwrap_or(i64::MAX) - i64::try_from(clock * 1_000).unwrap_or_default()
    }

    /// Ticks about as far from the clock as another one was.
    pub(super) fn near(&self, clock: u64, offset: i64) -> impl Iterator<Item = u64> + use<> {
        let middle = (clock * 1_000).saturating_add_signed(offset);
        (middle - self.near_micros) / self.micros..=(middle + self.near_micros) / self.micros
    }

    pub(super) fn write(&self, tick: u64) -> String {
        (self.write)(tick)
    }

    /// How many ticks are tried for one token.
    pub(super) fn candidates(&self) -> f64 {
        super::fold::real(2 * self.near_micros / self.micros + 1)
    }

    /// Whether there are so many ticks that only a few templates can be tried.
    pub(super) const fn many(&self) -> bool {
        self.micros < 100
    }

    /// How many tokens are looked at first: the clock of one may be off where a try costs little.
    pub(super) const fn begun(&self) -> usize {
        if self.micros < 1_000_000 { 1 } else { 2 }
    }

    /// How many held-out tokens are tried.
    pub(super) const fn confirmed(&self) -> usize {
        if self.many() { 8 } else { 60 }
    }
}

/// From the cheapest.
pub(super) const FORMATS: [Format; 13] = [
    seconds("seconds", |tick| tick.to_string()),
    seconds("seconds, in hex", |tick| format!("{tick:x}")),
    seconds("seconds, as a date", |tick| date(tick, "-", " ", ":")),
    seconds("seconds, as a date without separators", |tick| date(tick, "", "", "")),
    seconds("seconds, as an ISO 8601 date", |tick| date(tick, "-", "T", ":")),
    seconds("seconds, as an ISO 8601 date in UTC", |tick| date(tick, "-", "T", ":") + "Z"),
    millis("milliseconds", |tick| tick.to_string()),
    millis("milliseconds, in hex", |tick| format!("{tick:x}")),
    Format {
        micros: 100,
        ..millis("tenths of milliseconds, as PHP's microtime(true) prints them", |tick| {
            let whole = format!("{}.{:04}", tick / 10_000, tick % 10_000);
            whole.trim_end_matches('0').trim_end_matches('.').to_owned()
        })
    },
    micros("microseconds, as PHP's uniqid writes them", |tick| {
        format!("{:08x}{:05x}", tick / 1_000_000, tick % 1_000_000)
    }),
    micros("microseconds, as PHP's microtime writes them", |tick| {
        format!("0.{:06}00 {}", tick % 1_000_000, tick / 1_000_000)
    }),
    micros("microseconds", |tick| tick.to_string()),
    micros("seconds with six decimals", |tick| format!("{}.{:06}", tick / 1_000_000, tick % 1_000_000)),
];

const fn seconds(name: &'static str, write: fn(u64) -> String) -> Format {
    Format { name, micros: 1_000_000, before_micros: 5_000_000, after_micros: 3_000_000, near_micros: 2_000_000, write }
}

const fn millis(name: &'static str, write: fn(u64) -> String) -> Format {
    Format { name, micros: 1_000, before_micros: 2_500_000, after_micros: 300_000, near_micros: 500_000, write }
}

const fn micros(name: &'static str, write: fn(u64) -> String) -> Format {
    Format { name, micros: 1, before_micros: 60_000, after_micros: 2_000, near_micros: 40_000, write }
}

/// Of the proleptic Gregorian calendar, in UTC.
fn date(seconds: u64, dash: &str, between: &str, colon: &str) -> String {
    let (days, second) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year}{dash}{month:02}{dash}{day:02}{between}{hour:02}{colon}{minute:02}{colon}{second:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(date(0, "-", " ", ":"), "1970-01-01 00:00:00");
        assert_eq!(date(951_782_399, "", "", ""), "20000228235959");
        assert_eq!(date(951_782_400, "-", "T", ":"), "2000-02-29T00:00:00");
        assert_eq!(date(1_700_000_000, "-", " ", ":"), "2023-11-14 22:13:20");
    }

    #[test]
    fn php_drops_zeros_at_the_end_of_a_fraction() {
        let format = FORMATS.iter().find(|format| format.name.contains("microtime(true)")).unwrap();
        assert_eq!(format.write(17_000_000_001_230), "1700000000.123");
        assert_eq!(format.write(17_000_000_000_000), "1700000000");
    }
}
