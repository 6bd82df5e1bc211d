//! What the gateway runs with. Checked when it is made: after this nothing is looked at twice.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::app::AppConfig;

/// A checked configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// The folder of sessions, keys and accounts.
    pub data: PathBuf,
    /// Where it listens.
    pub listen: Listen,
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
