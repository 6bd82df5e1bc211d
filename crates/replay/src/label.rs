//! What a sequence is called, who held its clients, and what is expected. The engine never sees any of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::scene::Route;

/// The labels of a sequence.
#[derive(Debug, Clone, Deserialize)]
pub struct Label {
    /// Its name.
    pub id: String,
    /// Whether there is a thief.
    pub kind: Kind,
    /// Words that say what it is about.
    pub tags: Vec<String>,
    /// What is expected.
    pub expect: Expect,
    /// Decisions that must not occur at all.
    #[serde(default)]
    pub never: Vec<Decision>,
    /// The requests, as people see them.
    pub requests: Vec<Held>,
}

/// Whether there is a thief.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// No thief, no copy.
    Honest,
    /// A thief.
    Theft,
    /// A copy that nobody stole, or a theft beside sessions that must live.
    Mixed,
}

/// What is decided, by strength.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Nothing.
    None,
    /// An event.
    Note,
    /// The user is told.
    Notify,
    /// Tighter limits.
    Shorten,
    /// A step-up is asked for.
    StepUp,
    /// The session ends.
    Revoke,
}

/// A request, as people see it.
#[derive(Debug, Clone, Deserialize)]
pub struct Held {
    /// When.
    pub at: u64,
    /// Which session's cookie.
    pub session: String,
    /// Who held the client.
    pub holder: Holder,
    /// What for.
    pub route: Route,
}

/// Who held a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holder {
    /// Whose session it is.
    Owner,
    /// Somebody else.
    Thief,
}

/// What is expected.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// Acceptable decisions by route; `*` is all others.
    pub each: BTreeMap<String, Vec<Decision>>,
    /// What is expected of single requests.
    #[serde(default)]
    pub at: Vec<At>,
    /// The first request at which a theft can show.
    pub from: Option<usize>,
    /// What is to be decided, and by when.
    #[serde(default)]
    pub detect: Vec<Detect>,
    /// Signals that must occur.
    #[serde(default)]
    pub must: Vec<String>,
    /// Signals of which one must occur.
    #[serde(default)]
    pub must_any: Vec<String>,
    /// Signals that must not occur.
    #[serde(default)]
    pub must_not: Vec<String>,
    /// Sessions that must live.
    #[serde(default)]
    pub spare: Vec<String>,
}

/// What is expected of one request.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct At {
    /// Which.
    pub request: usize,
    /// Acceptable decisions, in place of those by route.
    pub decisions: Option<Vec<Decision>>,
    /// Signals that must occur.
    #[serde(default)]
    pub must: Vec<String>,
    /// Signals that must not occur.
    #[serde(default)]
    pub must_not: Vec<String>,
    /// Whether it is admitted.
    pub admitted: Option<bool>,
}

/// A decision that is to be taken in time.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Detect {
    /// At least this.
    pub level: Decision,
    /// Not later than this second.
    pub by: u64,
}

impl Label {
    /// Whether it has this tag.
    pub fn has(&self, tag: &str) -> bool {
        self.tags.iter().any(|own| own == tag)
    }

    /// Whether its sessions are bound to devices: it counts once such sessions exist.
    pub fn is_device_bound(&self) -> bool {
        self.has("device-bound")
    }
}

impl Route {
    /// Its name in the format.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Sensitive => "sensitive",
            Self::SignIn => "sign-in",
            Self::StepUp => "step-up",
            Self::SignOut => "sign-out",
        }
    }
}
