//! How a stolen session is noticed, and what is done then: from what an operator writes.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use super::{PolicyError, Span};
use crate::rules::{Decision, Grade, Grades, NetworkRule, Signal, Vigilance};

/// How a stolen session is noticed. What is not set is the default.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DetectionSettings {
    /// When another network is a change: `strict` another address, `subnet` another /24 or /48, `asn` another operator (the
    /// default: phones change all else all day), `off` never.
    pub network: NetworkRule,
    /// Faster than this nobody travels, in kilometres per hour: 1,000, what airliners do.
    pub speed_kmh: Option<u32>,
    /// Two places or clients that are used within this time take turns: 10 minutes.
    pub window: Option<Span>,
    /// How long a place is remembered that is not used any more: 30 days.
    pub retain: Option<Span>,
    /// What `shorten` makes of a session's limits.
    pub shorten: ShortenSettings,
    /// What is decided on a signal: one decision, or one for ordinary and one for sensitive routes.
    pub decisions: BTreeMap<Signal, GradeSetting>,
}

/// What `shorten` makes of a session's limits; neither is ever made longer, and nobody is remembered any more.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ShortenSettings {
    /// From the last activity: 15 minutes, as in `aal3`.
    pub idle: Option<Span>,
    /// From then on: an hour.
    pub absolute: Option<Span>,
}

/// What is decided on a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum GradeSetting {
    /// The same on every route.
    Everywhere(Decision),
    /// By route.
    ByRoute {
        /// On most routes.
        ordinary: Decision,
        /// On those that are declared to be sensitive.
        sensitive: Decision,
    },
}

impl DetectionSettings {
    pub(super) fn vigilance(&self, grades: &Grades) -> Result<Vigilance, PolicyError> {
        let or = |span: Option<Span>, default: Duration| span.map_or(default, Duration::from);
        let vigilance = Vigilance {
            network: self.network,
            speed_kmh: self.speed_kmh.unwrap_or(SPEED_KMH),
            window: or(self.window, WINDOW),
            retain: or(self.retain, RETAIN),
            grave: grades.grave(),
        };
        for (key, is_zero) in [
            ("detection.speed_kmh", vigilance.speed_kmh == 0),
            ("detection.window", vigilance.window.is_zero()),
            ("detection.retain", vigilance.retain.is_zero()),
        ] {
            if is_zero {
                return Err(PolicyError::Zero { key });
            }
        }
        Ok(vigilance)
    }

    /// The idle limit, and the absolute one counted from now.
    pub(super) fn shortened(&self) -> Result<(Duration, Duration), PolicyError> {
        let or = |span: Option<Span>, default: Duration| span.map_or(default, Duration::from);
        let (idle, absolute) = (or(self.shorten.idle, SHORT_IDLE), or(self.shorten.absolute, SHORT_ABSOLUTE));
        for (key, span) in [("detection.shorten.idle", idle), ("detection.shorten.absolute", absolute)] {
            if span.is_zero() {
                return Err(PolicyError::Zero { key });
            }
        }
        Ok((idle, absolute))
    }

    pub(super) fn grades(&self) -> Grades {
        let grave = matches!(self.network, NetworkRule::Strict | NetworkRule::Subnet);
        let settings = self.decisions.iter();
        settings.fold(Grades::standard(grave), |grades, (signal, setting)| grades.with(*signal, setting.grade()))
    }
}

impl GradeSetting {
    const fn grade(self) -> Grade {
        match self {
            Self::Everywhere(decision) => Grade { ordinary: decision, sensitive: decision },
            Self::ByRoute { ordinary, sensitive } => Grade { ordinary, sensitive },
        }
    }
}

/// Airliners do 900; with the wind, little more.
const SPEED_KMH: u32 = 1_000;
/// Long enough for somebody who reads in between.
const WINDOW: Duration = Duration::from_mins(10);
/// As long as a session of the longest preset.
const RETAIN: Duration = Duration::from_hours(30 * 24);
/// NIST SP 800-63B-4, AAL3.
const SHORT_IDLE: Duration = Duration::from_mins(15);
/// Long enough to finish what one is at.
const SHORT_ABSOLUTE: Duration = Duration::from_hours(1);
