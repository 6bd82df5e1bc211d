//! What is in force and what is kept about people, as a document: written, read again, and compared with an earlier one.

mod drift;
mod events;
mod gateway;
#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeSet;
use std::io::Read;

use counterfoil::{LimitSettings, Policy};
use counterfoil_core::policy::explain::{Collected, Order, Statement, sizes};
use counterfoil_serve::detector::DetectorSettings;
use counterfoil_telemetry::EventSettings;
use serde::{Deserialize, Serialize};

pub use self::drift::{Change, Drift, Kind};
use super::Config;

/// What is in force, and what is kept about people. `docs/explain.md` has its JSON.
///
/// # Examples
/// ```
/// use counterfoil::{LimitSettings, Policy};
/// use counterfoil_gateway::config::{Drift, Explained};
/// use counterfoil_telemetry::EventSettings;
///
/// let (limits, events) = (LimitSettings::default(), EventSettings::default());
/// let before = Explained::of_policy(&Policy::aal3("https://shop.example")?, &limits, &events, None);
/// let kept = before.json()?;
///
/// let now = Explained::of_policy(&Policy::aal2("https://shop.example")?, &limits, &events, None);
/// let drift = Drift::between(&Explained::read(kept.as_bytes())?, &now)?;
/// assert!(drift.to_string().contains("timeouts.idle: 15m -> 1h, which is weaker"), "{drift}");
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explained {
    format: String,
    version: u32,
    of: Of,
    made_by: String,
    everywhere: Part,
    apps: Vec<App>,
}

/// What a document is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Of {
    /// One policy: a program's with the library, the demo's, or the defaults.
    Policy,
    /// A gateway's configuration.
    Gateway,
}

/// What holds for one app, or for all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Part {
    statements: Vec<Told>,
    collected: Vec<Personal>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct App {
    name: String,
    #[serde(flatten)]
    part: Part,
}

/// A [`Statement`], written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Told {
    id: String,
    value: String,
    meaning: String,
    sources: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deviation: Option<Short>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    strength: Option<Vec<i64>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    allows: Option<Vec<String>>,
}

/// A deviation, written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Short {
    standard: String,
    says: String,
    to_meet: String,
}

/// A [`Collected`], written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Personal {
    id: String,
    data: Vec<String>,
    purpose: String,
    kept_in: String,
    kept_for: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at_most_seconds: Option<u64>,
}

/// Why a document cannot be compared with what is in force.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotComparable {
    /// It cannot be read to its end.
    #[error("cannot be read")]
    Unreadable(#[source] std::io::Error),
    /// It is longer than any document of ours.
    #[error("is longer than {} MiB: name what `counterfoil explain --json` wrote", Explained::MOST_BYTES >> 20)]
    TooLarge,
    /// It is something else.
    #[error("is not what `counterfoil explain --json` writes: make it with that")]
    NotOurs,
    /// It was written by a program that says other things.
    #[error(
        "is of version {found}, and this program compares version {}: make it anew with this program",
        Explained::VERSION
    )]
    AnotherVersion {
        /// Its version.
        found: u64,
    },
    /// Somebody changed it, or cut it off.
    #[error("is damaged at line {line}, column {column}: make it anew")]
    Damaged {
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
    },
    /// Somebody changed it: which of two counts would be a guess.
    #[error("says something twice (statement {number} of a part): make it anew")]
    Twice {
        /// Counted from 1.
        number: usize,
    },
    /// One is of a policy, the other of a gateway.
    #[error("is about {of_old}, and this is about {of_new}: name the same with --config or --policy as then")]
    AnotherKind {
        /// What the earlier one is about.
        of_old: &'static str,
        /// What the present one is about.
        of_new: &'static str,
    },
}

impl Explained {
    /// The version of the document: another one has members that mean something else.
    pub const VERSION: u32 = 1;
    /// The longest document that is read: some 500 apps.
    pub const MOST_BYTES: u64 = 16 << 20;

    /// What this policy, these limits, whoever is told and whoever is asked come to, in whatever program they are.
    pub fn of_policy(
        policy: &Policy,
        limits: &LimitSettings,
        told: &EventSettings,
        detector: Option<&DetectorSettings>,
    ) -> Self {
        let asked = DetectorSettings::explain(detector);
        let statements = [policy.explain(), limits.explain(), events::statements(told), asked, sizes()].concat();
        let asked = DetectorSettings::collected(detector);
        let collected = [policy.collected(), limits.collected(), events::collected(told), asked].concat();
        Self::new(Of::Policy, Part::new(statements, collected), Vec::new())
    }

    /// What a gateway's configuration comes to: for all apps, and for each.
    pub fn of_gateway(config: &Config) -> Self {
        let app = |app: &super::AppConfig| App { name: app.name.to_string(), part: gateway::app(app) };
        Self::new(Of::Gateway, gateway::everywhere(config), config.apps.iter().map(app).collect())
    }

    fn new(of: Of, everywhere: Part, apps: Vec<App>) -> Self {
        let made_by = concat!("counterfoil ", env!("CARGO_PKG_VERSION")).to_owned();
        Self { format: FORMAT.into(), version: Self::VERSION, of, made_by, everywhere, apps }
    }

    /// The document, for people and programs.
    ///
    /// # Errors
    /// Only where memory does not suffice for it.
    pub fn json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self)
    }

    /// Reads a document that [`json`](Self::json) wrote.
    ///
    /// # Errors
    /// [`NotComparable`] says what it is instead, and never repeats what is in it.
    pub fn read(from: impl Read) -> Result<Self, NotComparable> {
        let mut bytes = Vec::new();
        from.take(Self::MOST_BYTES + 1).read_to_end(&mut bytes).map_err(NotComparable::Unreadable)?;
        if u64::try_from(bytes.len()).is_ok_and(|length| length > Self::MOST_BYTES) {
            return Err(NotComparable::TooLarge);
        }
        let head: Head = serde_json::from_slice(&bytes).map_err(|error| {
            let damaged = bytes.trim_ascii_start().starts_with(b"{") && !error.is_data();
            if damaged { NotComparable::damaged(&error) } else { NotComparable::NotOurs }
        })?;
        match head {
            Head { format, .. } if format != FORMAT => Err(NotComparable::NotOurs),
            Head { version, .. } if version != u64::from(Self::VERSION) => {
                Err(NotComparable::AnotherVersion { found: version })
            }
            Head { .. } => {
                let read: Self = serde_json::from_slice(&bytes).map_err(|error| NotComparable::damaged(&error))?;
                read.says_nothing_twice().map(|()| read)
            }
        }
    }

    fn says_nothing_twice(&self) -> Result<(), NotComparable> {
        let apps = self.apps.iter().map(|app| app.name.as_str()).collect::<Vec<_>>();
        let parts = [&self.everywhere].into_iter().chain(self.apps.iter().map(|app| &app.part));
        let named = parts.flat_map(|part| {
            let kept = part.collected.iter().map(|kept| kept.id.as_str());
            [part.statements.iter().map(|told| told.id.as_str()).collect::<Vec<_>>(), kept.collect()]
        });
        for ids in named.chain([apps]) {
            let mut seen = BTreeSet::new();
            if let Some(at) = ids.iter().position(|id| !seen.insert(*id)) {
                return Err(NotComparable::Twice { number: at + 1 });
            }
        }
        Ok(())
    }

    /// How many things in force fall short of a standard.
    pub fn deviations(&self) -> usize {
        let parts = [&self.everywhere].into_iter().chain(self.apps.iter().map(|app| &app.part));
        parts.flat_map(|part| &part.statements).filter(|told| told.deviation.is_some()).count()
    }
}

/// What every version of the document begins with.
#[derive(Deserialize)]
struct Head {
    format: String,
    version: u64,
}

impl NotComparable {
    fn damaged(error: &serde_json::Error) -> Self {
        Self::Damaged { line: error.line(), column: error.column() }
    }
}

impl Of {
    const fn words(self) -> &'static str {
        match self {
            Self::Policy => "one policy",
            Self::Gateway => "a gateway's configuration",
        }
    }
}

impl Part {
    fn new(statements: Vec<Statement>, collected: Vec<Collected>) -> Self {
        Self {
            statements: statements.into_iter().map(Told::from).collect(),
            collected: collected.into_iter().map(Personal::from).collect(),
        }
    }
}

impl Told {
    fn order(&self) -> Order {
        match (&self.strength, &self.allows) {
            (Some(strength), _) => Order::Strength(strength.clone()),
            (None, Some(allows)) => Order::Allows(allows.clone()),
            (None, None) => Order::None,
        }
    }
}

impl From<Statement> for Told {
    fn from(statement: Statement) -> Self {
        let (strength, allows) = match statement.order {
            Order::Strength(strength) => (Some(strength), None),
            Order::Allows(allows) => (None, Some(allows)),
            _ => (None, None),
        };
        Self {
            id: statement.id.into_owned(),
            value: statement.value,
            meaning: statement.meaning.into_owned(),
            sources: statement.sources.iter().map(|source| (*source).to_owned()).collect(),
            deviation: statement.deviation.map(|deviation| Short {
                standard: deviation.standard.into(),
                says: deviation.says.into_owned(),
                to_meet: deviation.to_meet.into_owned(),
            }),
            strength,
            allows,
        }
    }
}

impl From<Collected> for Personal {
    fn from(kept: Collected) -> Self {
        Self {
            id: kept.id.into(),
            data: kept.data.into_iter().map(std::borrow::Cow::into_owned).collect(),
            purpose: kept.purpose.into_owned(),
            kept_in: kept.kept_in.into_owned(),
            kept_for: kept.kept_for,
            at_most_seconds: kept.at_most.map(|time| time.as_secs()),
        }
    }
}

/// What tells the document from every other JSON.
const FORMAT: &str = "counterfoil-explain";
