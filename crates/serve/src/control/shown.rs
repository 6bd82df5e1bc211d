//! What is said over the socket, by both ends.

use counterfoil_core::engine::{Inspected, Inspection, Visited};
use counterfoil_core::rules::Signal;
use counterfoil_core::store::Summary;
use counterfoil_core::{Moment, Rfc3339};
use serde::{Deserialize, Serialize};

/// Something that is said in JSON, as over the socket.
pub trait Answer: Serialize {
    /// It in one line.
    fn json(&self) -> String {
        // Texts, numbers and lists of them can always be written.
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Answer for Vec<Entry> {}
impl Answer for Found {}
impl Answer for Ended {}
impl Answer for Reached {}

/// One session of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its public id.
    pub id: String,
    /// What people call the device.
    pub label: String,
    /// When it began.
    pub created_at: String,
    /// The last activity.
    pub seen_at: String,
}

/// What is known of an id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Found {
    /// It may be used.
    Live(Box<Kept>),
    /// It is over.
    Over {
        /// Why.
        reason: String,
    },
    /// Never heard of it, or forgotten long ago.
    Absent,
}

/// A session that may be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Its public id.
    pub id: String,
    /// Whose it is; nothing while anonymous.
    pub subject: Option<String>,
    /// The name under which events know the subject: their `user.hash`.
    pub reference: Option<String>,
    /// What people call the device.
    pub label: String,
    /// When it began.
    pub created_at: String,
    /// The last activity.
    pub seen_at: String,
    /// When it ends if nobody uses it.
    pub expires_at: String,
    /// When it ends whatever anybody does.
    pub ends_at: String,
    /// Whether it only greets.
    pub remembered: bool,
    /// Whether it was ever used.
    pub presented: bool,
    /// What was verified (RFC 8176), and when.
    pub factors: Vec<(String, String)>,
    /// Until when a step-up counts.
    pub elevated_until: Option<String>,
    /// Until when a sign-in is under way.
    pub signing_in_until: Option<String>,
    /// How often its token was renewed.
    pub rotations: u32,
    /// Where and by what it was used, the one in use first.
    pub contexts: Vec<Context>,
}

/// Where and by what a session was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Context {
    /// The client, in words.
    pub client: String,
    /// The country, by its two letters.
    pub country: Option<String>,
    /// The operator's number.
    pub asn: Option<u32>,
    /// Of what kind the network is.
    pub network: String,
    /// When it was first seen.
    pub first: String,
    /// When it was last seen.
    pub last: String,
    /// Signals against it that nobody has answered.
    pub doubts: Vec<String>,
}

/// Whether a session ended now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// `false` if it was over before, or never was.
    pub ended: bool,
}

/// How far ending several reached: all of somebody's, or all there are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reached {
    /// All of the subject whom events know by this `user.hash`.
    Subject(String),
    /// All there are.
    Everybody,
}

/// Why a question has no answer (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The status of the answer.
    pub status: u16,
    /// What is wrong, and what to do.
    pub title: String,
}

impl From<&Summary> for Entry {
    fn from(summary: &Summary) -> Self {
        let Summary { id, label, created_at, seen_at } = summary;
        let (created_at, seen_at) = (time(*created_at), time(*seen_at));
        Self { id: id.to_string(), label: label.to_string(), created_at, seen_at }
    }
}

impl From<Inspection> for Found {
    fn from(inspection: Inspection) -> Self {
        match inspection {
            Inspection::Live(found) => Self::Live(Box::new((*found).into())),
            Inspection::Over(reason) => Self::Over { reason: reason.as_str().to_owned() },
            _ => Self::Absent,
        }
    }
}

impl From<Inspected> for Kept {
    fn from(found: Inspected) -> Self {
        let factor =
            |factor: &counterfoil_core::rules::Factor| (factor.amr.as_str().to_owned(), time(factor.verified_at));
        Self {
            id: found.id.to_string(),
            subject: found.subject.map(|subject| subject.as_str().to_owned()),
            reference: found.reference.map(|reference| reference.to_string()),
            label: found.label.into(),
            created_at: time(found.created_at),
            seen_at: time(found.seen_at),
            expires_at: time(found.expires_at),
            ends_at: time(found.ends_at),
            remembered: found.remembered,
            presented: found.presented,
            factors: found.factors.iter().map(factor).collect(),
            elevated_until: found.elevated_until.map(time),
            signing_in_until: found.signing_in_until.map(time),
            rotations: found.rotations,
            contexts: found.contexts.iter().map(Context::from).collect(),
        }
    }
}

impl From<&Visited> for Context {
    fn from(visited: &Visited) -> Self {
        let Visited { glimpse, first, last, doubts } = visited;
        let country = glimpse.place.country.map(|code| code.map(char::from).iter().collect());
        Self {
            client: glimpse.agent.to_string(),
            country,
            asn: glimpse.place.asn,
            network: glimpse.place.kind.as_str().to_owned(),
            first: time(*first),
            last: time(*last),
            doubts: doubts.iter().map(Signal::as_str).map(str::to_owned).collect(),
        }
    }
}

fn time(at: Moment) -> String {
    Rfc3339(at).to_string()
}
