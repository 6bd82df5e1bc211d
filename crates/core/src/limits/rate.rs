//! A pace as people write it: `10 per minute`, `12 per hour, burst 5`.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use crate::policy::Span;
use crate::rules::Pace;

/// A pace in a setting.
///
/// Without `burst` as many may come at once as in the whole time.
///
/// # Examples
/// ```
/// use counterfoil_core::limits::Rate;
///
/// let rate: Rate = "12 per hour, burst 5".parse()?;
/// assert_eq!((rate.pace().at_once().get(), rate.pace().every().as_secs()), (5, 300));
/// assert_eq!("10 per 1m".parse::<Rate>()?.pace(), "10 per minute".parse::<Rate>()?.pace());
/// assert_eq!(rate.to_string(), "12 per hour, burst 5");
/// # Ok::<_, counterfoil_core::limits::NotARate>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(try_from = "String")]
pub struct Rate {
    count: NonZeroU32,
    span: Duration,
    burst: Option<NonZeroU32>,
}

/// Not a rate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no rate: write `10 per minute`, `12 per hour, burst 5` or `3 per 10m`")]
pub struct NotARate(Box<str>);

impl Rate {
    /// So many in this time, and as many at once.
    pub const fn new(count: NonZeroU32, span: Duration) -> Self {
        Self { count, span, burst: None }
    }

    /// With so many at once.
    #[must_use]
    pub const fn burst(self, burst: NonZeroU32) -> Self {
        Self { burst: Some(burst), ..self }
    }

    /// So many times as much, at once and on the way.
    #[must_use]
    pub const fn times(self, factor: NonZeroU32) -> Self {
        let burst = match self.burst {
            Some(burst) => Some(burst.saturating_mul(factor)),
            None => None,
        };
        Self { count: self.count.saturating_mul(factor), burst, ..self }
    }

    /// The rule it stands for.
    pub fn pace(self) -> Pace {
        let every = self.span.as_nanos().div_ceil(u128::from(self.count.get()));
        let every = Duration::from_nanos(u64::try_from(every).unwrap_or(u64::MAX));
        Pace::new(self.burst.unwrap_or(self.count), every)
    }
}

impl FromStr for Rate {
    type Err = NotARate;

    fn from_str(text: &str) -> Result<Self, NotARate> {
        read(text).ok_or_else(|| NotARate(text.chars().take(60).collect()))
    }
}

fn read(text: &str) -> Option<Rate> {
    let (rate, burst) = match text.split_once(',') {
        None => (text, None),
        Some((rate, burst)) => (rate, Some(burst.trim().strip_prefix("burst ")?.trim().parse().ok()?)),
    };
    let (count, span) = rate.split_once(" per ")?;
    let count = count.trim().parse().ok()?;
    let span = span.trim();
    let unit = UNITS.iter().find_map(|(name, unit)| (*name == span).then_some(*unit));
    let span = match unit {
        Some(unit) => unit,
        None => Duration::from(span.parse::<Span>().ok()?),
    };
    (!span.is_zero() && span <= LONGEST).then_some(Rate { count, span, burst })
}

impl TryFrom<String> for Rate {
    type Error = NotARate;

    fn try_from(text: String) -> Result<Self, NotARate> {
        text.parse()
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match UNITS.iter().find(|(_, unit)| *unit == self.span) {
            Some((name, _)) => write!(out, "{} per {name}", self.count)?,
            None => write!(out, "{} per {}", self.count, Span::from(self.span))?,
        }
        self.burst.map_or(Ok(()), |burst| write!(out, ", burst {burst}"))
    }
}

const UNITS: [(&str, Duration); 4] = [
    ("second", Duration::from_secs(1)),
    ("minute", Duration::from_mins(1)),
    ("hour", Duration::from_hours(1)),
    ("day", Duration::from_hours(24)),
];
const LONGEST: Duration = Duration::from_hours(31 * 24);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_number_a_time_and_perhaps_a_burst() {
        #[rustfmt::skip]
        let table = [
            // text                      at once, milliseconds between
            ("10 per minute",            Some((10, 6_000))),
            ("1 per second",             Some((1, 1_000))),
            ("100 per day, burst 20",    Some((20, 864_000))),
            ("12 per hour,burst 5",      Some((5, 300_000))),
            (" 3 per 10m ",              Some((3, 200_000))),
            ("7 per minute",             Some((7, 8_572))),
            ("5000 per second",          Some((5_000, 1))),
            ("0 per minute",             None),
            ("10 per minute, burst 0",   None),
            ("10 per minute, max 5",     None),
            ("10 per fortnight",         None),
            ("10 per 0s",                None),
            ("10 per 32days",            None),
            ("10/minute",                None),
            ("-1 per minute",            None),
            ("4294967296 per minute",    None),
            ("per minute",               None),
            ("",                         None),
        ];
        for (text, expected) in table {
            let pace = text.parse::<Rate>().ok().map(Rate::pace);
            let pace = pace.map(|pace| (pace.at_once().get(), pace.every().as_millis()));
            assert_eq!(pace, expected, "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for text in ["10 per minute", "100 per day, burst 20", "3 per 10m"] {
            assert_eq!(text.parse::<Rate>().unwrap().to_string(), text);
        }
        let wrong = "ten a minute".parse::<Rate>().unwrap_err().to_string();
        assert_eq!(wrong, "`ten a minute` is no rate: write `10 per minute`, `12 per hour, burst 5` or `3 per 10m`");
    }
}
