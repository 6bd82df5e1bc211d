//! What the gateway runs with. Checked when it is made: after this nothing is looked at twice.

mod check;
mod error;
mod explained;
mod read;
mod reader;
mod settings;
mod shown;
#[cfg(test)]
mod tests;
mod tree;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use counterfoil::LimitSettings;
use counterfoil::geo::{Databases, GeoError, GeoSettings};
use counterfoil::stores::near_cache;
use counterfoil_serve::Peers;
use counterfoil_serve::detector::{CalledOut, DetectorFailed, DetectorSettings};
use counterfoil_serve::keep::Keep;
use counterfoil_telemetry::EventSettings;

pub use self::check::Checked;
pub use self::error::{ConfigError, Mistake};
pub use self::explained::{Change, Drift, Explained, Kind, NotComparable};
pub use self::read::{ASSUMED_ORIGIN, ASSUMED_UPSTREAM, Asked, Environment, VARIABLES, assume, read};
pub use self::tree::Place;
use crate::app::AppConfig;

/// A checked configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// The folder of keys and accounts, and of sessions unless those are elsewhere.
    pub data: PathBuf,
    /// Where sessions are; in the folder where nothing was said.
    pub store: Option<counterfoil_serve::place::Place>,
    /// This node's memory before a store that others share.
    pub near_cache: near_cache::Settings,
    /// How often things may be tried, on all apps together.
    pub limits: LimitSettings,
    /// What tells where addresses are.
    pub geo: GeoSettings,
    /// Who is told what happens, beside the log.
    pub events: EventSettings,
    /// What is asked about requests before they are decided.
    pub detector: Option<DetectorSettings>,
    /// Where it listens.
    pub listen: Listen,
    /// Whose word on who connects to the public listener counts, if connections begin with a header of the PROXY protocol.
    pub proxy_protocol: Option<Peers>,
    /// What it protects: at least one, each with a name and origins of its own.
    pub apps: Vec<AppConfig>,
}

/// Where the gateway listens. Each has one kind of caller, so that none can reach what is meant for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listen {
    /// For browsers, by way of the operator's proxy: `/.session/…` and `/.well-known/counterfoil/…`.
    pub public: SocketAddr,
    /// For the operator's proxy alone: `/authz/…`.
    pub decision: SocketAddr,
    /// For whoever watches: `/healthz`, `/readyz`, `/metrics`.
    pub health: SocketAddr,
}

impl Config {
    /// Where keys and sessions are.
    pub fn keep(&self) -> Keep {
        match &self.store {
            None => Keep::in_folder(&self.data),
            Some(store) => Keep::with_store(&self.data, store.clone()).near_cache(self.near_cache),
        }
    }

    /// Reads the databases of places, if any are named.
    ///
    /// # Errors
    /// [`GeoError`]: a file must be put right, or another be named; it says which.
    pub fn places(&self) -> Result<Option<Databases>, GeoError> {
        (!self.geo.is_empty()).then(|| Databases::open(&self.geo)).transpose()
    }

    /// The operator's detector, if one is named: its files are read, and it is not asked yet.
    ///
    /// # Errors
    /// [`DetectorFailed`]: a setting or a file must be put right; it says which.
    pub fn detector(&self) -> Result<Option<CalledOut>, DetectorFailed> {
        self.detector.as_ref().map(DetectorSettings::open).transpose()
    }

    /// The file of the keys that sign assertions: `counterfoil keys` reads and changes it.
    pub fn assertion_keys(&self) -> PathBuf {
        self.data.join("assertion-keys")
    }
}

impl Listen {
    /// Each with the name of its key.
    pub fn named(&self) -> [(&'static str, SocketAddr); 3] {
        [("public", self.public), ("decision", self.decision), ("health", self.health)]
    }
}

/// Ports next to each other on loopback; 9402 is kept for the API.
impl Default for Listen {
    fn default() -> Self {
        let at = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Self { public: at(9_400), decision: at(9_401), health: at(9_403) }
    }
}
