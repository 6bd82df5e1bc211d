//! Which events somebody is told of: names and beginnings of names, each of which means something.

use serde::{Deserialize, Serialize};

use crate::told::Told;

/// Patterns of events: a name (`session.ended`), the beginning of some (`risk.*`), or `*`.
///
/// # Examples
/// ```
/// use counterfoil_telemetry::Only;
///
/// assert!(Only::new(["session.*", "risk.signal"]).is_ok());
/// let error = Only::new(["sesion.*"]).unwrap_err();
/// assert_eq!(error.to_string(), "no event is called `sesion.*`");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Only(Vec<String>);

/// No event is called so: a mistyped pattern would hear nothing for ever.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no event is called `{0}`")]
pub struct NoSuchEvent(pub String);

impl Only {
    /// Checks patterns.
    ///
    /// # Errors
    /// One of them means no event.
    pub fn new<P: Into<String>>(patterns: impl IntoIterator<Item = P>) -> Result<Self, NoSuchEvent> {
        let patterns: Vec<String> = patterns.into_iter().map(Into::into).collect();
        match patterns.iter().find(|pattern| !NAMES.iter().any(|name| means(pattern, name))) {
            Some(none) => Err(NoSuchEvent(none.clone())),
            None => Ok(Self(patterns)),
        }
    }

    /// Whether this event is meant.
    pub fn means(&self, told: &Told) -> bool {
        told.is_any_of(&self.0)
    }
}

pub(crate) fn means(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(name == pattern, |start| name.starts_with(start))
}

impl Default for Only {
    /// All of them.
    fn default() -> Self {
        Self(vec!["*".to_owned()])
    }
}

impl TryFrom<Vec<String>> for Only {
    type Error = NoSuchEvent;

    fn try_from(patterns: Vec<String>) -> Result<Self, NoSuchEvent> {
        Self::new(patterns)
    }
}

impl From<Only> for Vec<String> {
    fn from(only: Only) -> Self {
        only.0
    }
}

/// The name of every event. A test holds them against the events themselves.
pub(crate) const NAMES: &[&str] = &[
    "account.changed",
    "all.ended",
    "csp.violated",
    "csrf.denied",
    "limit.hit",
    "risk.signal",
    "session.adopted",
    "session.adoption_refused",
    "session.created",
    "session.ended",
    "session.rotated",
    "session.write_dropped",
    "sign_in.limit_reached",
    "sign_in.overtaken",
    "sign_in.required_again",
    "signal.received",
    "step_up.done",
    "step_up.required",
    "subject.ended",
    "token.dead",
    "token.forged",
    "token.forgotten",
    "token.misplaced",
    "token.reused",
    "token.rolled_back",
    "token.tossed",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_that_means_nothing_is_refused() {
        for good in ["*", "session.*", "s*", "risk.signal"] {
            assert!(Only::new([good]).is_ok(), "{good}");
        }
        for bad in ["", "session", "session.*.*", "sesion.*", "risk.signal ", "*.ended"] {
            assert_eq!(Only::new(["*", bad]), Err(NoSuchEvent(bad.to_owned())));
        }
    }

    #[test]
    fn every_event_has_its_name_here() {
        let lines = include_str!(
            "told/snapshots/counterfoil_telemetry__told__tests__each_event_is_one_line_that_says_all_of_it.snap"
        );
        let told: std::collections::BTreeSet<_> =
            lines.lines().filter_map(|line| line.split_once(r#""event":""#)?.1.split('"').next()).collect();
        assert!(told.iter().eq(NAMES), "{told:?}");
    }
}
