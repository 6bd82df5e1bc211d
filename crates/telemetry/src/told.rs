//! An event as everybody outside gets it: one flat JSON object, with the names that logs and metrics use too.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use aws_lc_rs::rand;
use counterfoil_core::agent::Agent;
use counterfoil_core::limits::{Act, Per};
use counterfoil_core::rules::{Decision, Evidence, Glimpse, Signal};
use counterfoil_core::{Event, EventKind, Moment, Rfc3339, SessionId};
use serde::{Serialize, Serializer};

use crate::cause::Cause;

/// One event, written down once for all who are told.
#[derive(Debug, Clone)]
pub struct Told {
    /// What tells it from every other: whoever gets it twice sees so.
    pub id: EventId,
    /// On which site, where a program has several.
    pub site: Option<Arc<str>>,
    /// What happened.
    pub event: Event,
    /// On whose word it was done, where others told of something.
    pub cause: Option<Arc<Cause>>,
    json: Arc<str>,
}

/// The id of an event: the millisecond and 80 random bits, so that ids of one node sort by time. Its text is `evt_` and 32
/// hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventId([u8; 16]);

/// How much an event asks for somebody's attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The day's work.
    Info,
    /// Refused or unusual, and mostly harmless.
    Notice,
    /// It may be an attack.
    Warning,
    /// Somebody has what is not theirs, or something was done about it.
    Alert,
}

/// The version of the JSON object. Names are added within a version, and never change their meaning.
pub(crate) const VERSION: u8 = 1;

impl Told {
    /// Writes `event` down.
    pub fn new(id: EventId, site: Option<Arc<str>>, event: Event) -> Self {
        Self::caused(id, site, event, None)
    }

    /// As [`new`](Self::new), for what was done because others told of something.
    pub fn caused(id: EventId, site: Option<Arc<str>>, event: Event, cause: Option<Arc<Cause>>) -> Self {
        let json = serde_json::to_string(&Line::of(id, site.as_deref(), &event, cause.as_deref())).unwrap_or_default();
        Self { id, site, event, cause, json: json.into() }
    }

    /// The event with which it all began, here or on a site that told of it.
    pub fn transaction(&self) -> EventId {
        self.cause.as_ref().and_then(|cause| cause.txn).unwrap_or(self.id)
    }

    /// The JSON object, without a line break.
    pub fn json(&self) -> &Arc<str> {
        &self.json
    }

    /// How much it asks for attention.
    pub const fn severity(&self) -> Severity {
        Severity::of(&self.event.kind)
    }

    /// Whether one of these patterns means it: a name (`session.ended`), all of a kind (`risk.*`), or `*`.
    pub fn is_any_of(&self, patterns: &[impl AsRef<str>]) -> bool {
        let name = self.event.kind.name();
        patterns.iter().map(AsRef::as_ref).any(|pattern| match pattern.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => name == pattern,
        })
    }
}

impl EventId {
    /// A new one. Where the system has no randomness, the time alone has to do: it names, and protects nothing.
    pub fn fresh(at: Moment) -> Self {
        let mut id = [0; 16];
        let (time, random) = id.split_at_mut(6);
        let millis = at.unix_millis().to_be_bytes();
        time.iter_mut().zip(millis.iter().skip(2)).for_each(|(to, from)| *to = *from);
        let _ = rand::fill(random);
        Self(id)
    }

    /// From its bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl Severity {
    /// How much this asks for attention.
    pub const fn of(kind: &EventKind) -> Self {
        match kind {
            EventKind::TokenReused { .. } | EventKind::TokenMisplaced => Self::Alert,
            EventKind::Signalled { decision, .. } => Self::of_decision(*decision),
            EventKind::AllEnded { .. }
            | EventKind::TokenForged
            | EventKind::CookieTossing
            | EventKind::LimitHit { .. }
            | EventKind::CsrfDenied { enforced: true, .. } => Self::Warning,
            EventKind::DeadToken { .. } => match kind.signal() {
                Some(_) => Self::Warning,
                None => Self::Notice,
            },
            EventKind::CsrfDenied { .. }
            | EventKind::AdoptionRefused { .. }
            | EventKind::AccountChanged { .. }
            | EventKind::CspViolated { .. }
            | EventKind::LimitReached
            | EventKind::SignInOvertaken
            | EventKind::SubjectEnded { .. }
            | EventKind::TokenForgotten
            | EventKind::TokenRolledBack
            | EventKind::WriteDropped => Self::Notice,
            _ => Self::Info,
        }
    }

    const fn of_decision(decision: Decision) -> Self {
        match decision {
            Decision::None | Decision::Note => Self::Notice,
            Decision::Notify | Decision::Shorten => Self::Warning,
            Decision::StepUp | Decision::Revoke => Self::Alert,
        }
    }

    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Alert => "alert",
        }
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "evt_{:032x}", u128::from_be_bytes(self.0))
    }
}

/// The text is not the id of an event: `evt_` and 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the id of an event: expected `evt_` and 32 hexadecimal digits")]
pub struct NotAnEventId;

impl FromStr for EventId {
    type Err = NotAnEventId;

    fn from_str(text: &str) -> Result<Self, NotAnEventId> {
        let digits = text.strip_prefix("evt_").filter(|digits| digits.len() == 32).ok_or(NotAnEventId)?;
        let is_a_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        // Only what we write ourselves: no signs, and no capitals.
        let number = digits.bytes().all(is_a_digit).then(|| u128::from_str_radix(digits, 16).ok()).flatten();
        number.map(|number| Self(number.to_be_bytes())).ok_or(NotAnEventId)
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

/// The object's members, in their order.
#[derive(Serialize)]
struct Line<'a> {
    version: u8,
    #[serde(serialize_with = "as_text")]
    id: EventId,
    time: String,
    event: &'static str,
    severity: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    site: Option<&'a str>,
    #[serde(rename = "session.id", skip_serializing_if = "Option::is_none")]
    session: Option<String>,
    #[serde(rename = "session.previous_id", skip_serializing_if = "Option::is_none")]
    previous: Option<String>,
    #[serde(rename = "user.hash", skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    told_by: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    txn: Option<String>,
    #[serde(flatten)]
    details: Details,
}

/// What only some events have.
#[derive(Serialize, Default)]
struct Details {
    #[serde(skip_serializing_if = "Option::is_none")]
    reaction: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enforced: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blocked: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    act: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    per: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signal: Option<&'static str>,
    #[serde(rename = "detector.signal", skip_serializing_if = "Option::is_none")]
    own: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<EvidenceLine>,
}

/// What was seen and what was expected, as events have it: no address, no version of anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EvidenceLine {
    seen: GlimpseLine,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<GlimpseLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gap_km: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after_seconds: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct GlimpseLine {
    #[serde(serialize_with = "as_text")]
    client: Agent,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    asn: Option<u32>,
    network: &'static str,
}

impl<'a> Line<'a> {
    fn of(id: EventId, site: Option<&'a str>, event: &Event, cause: Option<&'a Cause>) -> Self {
        let Event { at, session, subject, kind } = event;
        Self {
            version: VERSION,
            id,
            time: to_the_millisecond(*at),
            event: kind.name(),
            severity: Severity::of(kind).as_str(),
            site,
            session: session.map(|id| id.to_string()),
            previous: previous(kind).map(|id| id.to_string()),
            subject: subject.map(|subject| subject.to_string()),
            reason: kind.reason(),
            told_by: cause.map(|cause| &*cause.issuer),
            txn: cause.and_then(|cause| cause.txn).map(|txn| txn.to_string()),
            details: Details::of(kind),
        }
    }
}

/// A time as events have it.
pub fn to_the_millisecond(at: Moment) -> String {
    let seconds = Rfc3339(at).to_string();
    format!("{}.{:03}Z", seconds.trim_end_matches('Z'), at.unix_millis() % 1_000)
}

const fn previous(kind: &EventKind) -> Option<SessionId> {
    match kind {
        EventKind::SessionCreated { previous } | EventKind::SessionAdopted { previous } => *previous,
        _ => None,
    }
}

impl Details {
    fn of(kind: &EventKind) -> Self {
        let signal = kind.signal().map(Signal::as_str);
        let rest = Self { signal, ..Self::default() };
        match *kind {
            EventKind::AccountChanged { reaction, .. } => Self { reaction: Some(reaction.as_str()), ..rest },
            EventKind::TokenReused { ended } => Self { ended: Some(ended), ..rest },
            EventKind::CsrfDenied { enforced, .. } => Self { enforced: Some(enforced), ..rest },
            EventKind::CspViolated { blocked, enforced, .. } => {
                Self { blocked: Some(blocked), enforced: Some(enforced), ..rest }
            }
            EventKind::LimitHit { act, per } => {
                Self { act: Some(Act::as_str(act)), per: Some(Per::as_str(per)), ..rest }
            }
            EventKind::Signalled { decision, evidence, own, .. } => Self {
                own: own.map(|name| name.to_string()),
                decision: Some(decision.as_str()),
                evidence: evidence.as_ref().map(EvidenceLine::of),
                ..rest
            },
            _ => rest,
        }
    }
}

impl EvidenceLine {
    /// Of this.
    pub fn of(evidence: &Evidence) -> Self {
        Self {
            seen: GlimpseLine::of(&evidence.seen),
            expected: evidence.expected.as_ref().map(GlimpseLine::of),
            gap_km: evidence.gap_km,
            after_seconds: evidence.after.map(|after| after.as_secs()),
        }
    }
}

impl GlimpseLine {
    fn of(glimpse: &Glimpse) -> Self {
        let Glimpse { agent, place } = glimpse;
        Self {
            client: *agent,
            country: place.country.map(|code| code.map(char::from).iter().collect()),
            asn: place.asn,
            network: place.kind.as_str(),
        }
    }
}

fn as_text<T: fmt::Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

#[cfg(test)]
mod tests;
