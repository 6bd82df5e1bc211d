//! A length of time as people write it: `15m`, `2s`, `500ms`, `30days`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A length of time in a setting: its unit stands in the text.
///
/// # Examples
/// ```
/// use counterfoil_core::policy::Span;
/// use std::time::Duration;
///
/// let span: Span = "1h 30m".parse()?;
/// assert_eq!(Duration::from(span), Duration::from_secs(5_400));
/// assert!("90".parse::<Span>().is_err(), "a number without a unit says nothing");
/// # Ok::<_, counterfoil_core::policy::PolicyError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(try_from = "String")]
pub struct Span(Duration);

impl From<Duration> for Span {
    fn from(span: Duration) -> Self {
        Self(span)
    }
}

impl From<Span> for Duration {
    fn from(span: Span) -> Self {
        span.0
    }
}

impl FromStr for Span {
    type Err = super::PolicyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || super::PolicyError::NotASpan { text: text.chars().take(40).collect() };
        humantime::parse_duration(text).map(Self).map_err(|_| refused())
    }
}

impl TryFrom<String> for Span {
    type Error = super::PolicyError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl fmt::Display for Span {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_duration(self.0).fmt(out)
    }
}
