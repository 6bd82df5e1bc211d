//! What was seen and what was expected, for whoever reads why a signal was raised.

use std::fmt;
use std::time::Duration;

use super::history::{Finding, Known, Sight};
use super::place::{NetworkKind, Place};
use crate::agent::Agent;

/// Why a signal was raised: what the request showed, and what it was held against. Coarse: no address, no prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evidence {
    /// What the request showed.
    pub seen: Glimpse,
    /// What the session was used by before.
    pub expected: Option<Glimpse>,
    /// How far apart the two are at least, if both places are known.
    pub gap_km: Option<u32>,
    /// How long ago the other was seen.
    pub after: Option<Duration>,
}

/// A client and where it is, as far as may be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glimpse {
    /// What it says it is.
    pub agent: Agent,
    /// Where it is.
    pub place: Place,
}

impl Evidence {
    /// Of what was found about a request.
    pub fn of(finding: &Finding, sight: &Sight) -> Self {
        let expected = finding.expected.as_ref().map(|known| known.sight);
        Self {
            seen: Glimpse::of(sight),
            expected: expected.as_ref().map(Glimpse::of),
            gap_km: expected.and_then(|before| before.place.gap_km(&sight.place)),
            after: expected.map(|before| sight.at.since(before.at)),
        }
    }
}

impl Glimpse {
    const fn of(sight: &Sight) -> Self {
        Self { agent: sight.agent, place: sight.place }
    }
}

impl From<&Known> for Glimpse {
    fn from(known: &Known) -> Self {
        Self::of(&known.sight)
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.seen)?;
        let Some(expected) = &self.expected else { return Ok(()) };
        write!(out, "; before that {expected}")?;
        if let Some(km) = self.gap_km.filter(|km| *km > 0) {
            write!(out, ", at least {km} km away")?;
        }
        match self.after {
            Some(after) => write!(out, ", {} ago", humantime::format_duration(Duration::from_secs(after.as_secs()))),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Glimpse {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { agent, place } = self;
        write!(out, "{agent}")?;
        if let Some([one, two]) = place.country {
            write!(out, " in {}{}", char::from(one), char::from(two))?;
        }
        if let Some(asn) = place.asn {
            write!(out, " by AS{asn}")?;
        }
        match place.kind {
            NetworkKind::Ordinary => Ok(()),
            NetworkKind::Hosting => out.write_str(", a rented computer"),
            NetworkKind::Vpn => out.write_str(" through a VPN"),
            NetworkKind::Relay => out.write_str(" through a relay"),
        }
    }
}
