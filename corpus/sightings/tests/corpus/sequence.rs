//! A sequence as the tests read it, with every field of the format and no other.

use std::collections::BTreeMap;

use counterfoil_sightings::{Origin, files};
use serde::Deserialize;

/// A file, and what it says.
pub(crate) struct Filed {
    /// Without its extension.
    pub(crate) name: String,
    pub(crate) origin: Origin,
    pub(crate) sequence: Sequence,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sequence {
    #[serde(rename = "format")]
    pub(crate) _format: u8,
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) story: String,
    pub(crate) kind: Kind,
    pub(crate) tags: Vec<String>,
    pub(crate) policy: Policy,
    pub(crate) history: Option<History>,
    #[serde(default)]
    pub(crate) sessions: BTreeMap<String, Other>,
    #[serde(default)]
    pub(crate) copies: BTreeMap<String, Copied>,
    pub(crate) clients: BTreeMap<String, Client>,
    pub(crate) places: BTreeMap<String, Option<serde_json::Value>>,
    pub(crate) requests: Vec<Request>,
    pub(crate) expect: Expect,
    pub(crate) never: Vec<Decision>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Honest,
    Theft,
    Mixed,
}

/// Ordered by strength.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Decision {
    None,
    Note,
    Notify,
    Shorten,
    StepUp,
    Revoke,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Policy {
    pub(crate) preset: String,
    pub(crate) idle: Option<u64>,
    pub(crate) absolute: Option<u64>,
    pub(crate) rotate_every: Option<u64>,
    pub(crate) remember_for: Option<u64>,
    pub(crate) network: Option<String>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct History {
    pub(crate) clients: Vec<String>,
    pub(crate) ips: Vec<String>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Other {
    #[serde(rename = "subject")]
    pub(crate) _subject: String,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Copied {
    pub(crate) of: String,
    pub(crate) at: u64,
    pub(crate) follows: bool,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Client {
    pub(crate) user_agent: String,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    #[serde(rename = "tls_fp")]
    pub(crate) _tls_fp: Option<String>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    pub(crate) at: u64,
    pub(crate) session: String,
    pub(crate) jar: Option<String>,
    pub(crate) token: Shown,
    pub(crate) holder: Holder,
    pub(crate) ip: String,
    pub(crate) client: String,
    pub(crate) route: String,
    pub(crate) device_key: Option<bool>,
    #[serde(default, rename = "headers")]
    pub(crate) _headers: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) quiet: bool,
    #[serde(default)]
    pub(crate) lost: bool,
    pub(crate) result: Option<String>,
    pub(crate) csrf: Option<String>,
    pub(crate) trigger: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Shown {
    Current,
    Previous,
    Forged,
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Holder {
    Owner,
    Thief,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expect {
    pub(crate) each: BTreeMap<String, Vec<Decision>>,
    #[serde(default)]
    pub(crate) at: Vec<At>,
    pub(crate) from: Option<usize>,
    #[serde(default)]
    pub(crate) detect: Vec<Detect>,
    #[serde(default)]
    pub(crate) must: Vec<String>,
    #[serde(default)]
    pub(crate) must_any: Vec<String>,
    #[serde(default)]
    pub(crate) must_not: Vec<String>,
    #[serde(default)]
    pub(crate) spare: Vec<String>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct At {
    pub(crate) request: usize,
    pub(crate) decisions: Option<Vec<Decision>>,
    #[serde(default)]
    pub(crate) must: Vec<String>,
    #[serde(default)]
    pub(crate) must_not: Vec<String>,
    pub(crate) admitted: Option<bool>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Detect {
    pub(crate) level: Decision,
    pub(crate) by: u64,
}

impl Sequence {
    pub(crate) fn tagged(&self, tag: &str) -> bool {
        self.tags.iter().any(|own| own == tag)
    }

    pub(crate) fn has_thief(&self) -> bool {
        self.requests.iter().any(|request| request.holder == Holder::Thief)
    }

    /// Whether something demands `signal`, of one request or of the whole file.
    pub(crate) fn demands(&self, signal: &str) -> bool {
        let Expect { must, must_any, at, .. } = &self.expect;
        let named = |signals: &[String]| signals.iter().any(|own| own == signal);
        named(must) || named(must_any) || at.iter().any(|at| named(&at.must))
    }

    /// Whether something forbids `signal`.
    pub(crate) fn forbids(&self, signal: &str) -> bool {
        let named = |signals: &[String]| signals.iter().any(|own| own == signal);
        named(&self.expect.must_not) || self.expect.at.iter().any(|at| named(&at.must_not))
    }
}

impl Request {
    /// In which cookie jar.
    pub(crate) fn jar(&self) -> &str {
        self.jar.as_deref().unwrap_or(&self.session)
    }

    /// Whether it makes a session.
    pub(crate) fn signs_in(&self) -> bool {
        self.route == "sign-in" && self.result.is_none()
    }
}

/// Every sequence, public ones first.
pub(crate) fn all() -> Vec<Filed> {
    Origin::ALL.into_iter().flat_map(of).collect()
}

/// The sequences of one origin.
pub(crate) fn of(origin: Origin) -> Vec<Filed> {
    let read = |path: std::path::PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        let sequence = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Filed { name: path.file_stem().unwrap().to_string_lossy().into_owned(), origin, sequence }
    };
    files(origin).unwrap().into_iter().map(read).collect()
}
