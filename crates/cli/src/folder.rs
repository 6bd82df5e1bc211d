//! Which data folder is meant, and whoever runs on it.

use std::path::PathBuf;

use clap::Args;
use counterfoil_gateway::config::ConfigError;
use counterfoil_gateway::options::{CheckArgs, Source};
use counterfoil_serve::control::Caller;

#[derive(Debug, Args)]
pub(crate) struct Data {
    /// The data folder; without it, the one that `serve` would use
    ///
    /// That of the demo is named in its banner.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The configuration that names the folder
    #[arg(long, value_name = "FILE", env = "COUNTERFOIL_CONFIG")]
    config: Option<PathBuf>,
}

impl Data {
    /// The folder.
    pub(crate) fn path(&self) -> Result<PathBuf, ConfigError> {
        match &self.data {
            Some(data) => Ok(data.clone()),
            None => Ok(self.read()?.config.data),
        }
    }

    /// Where the audit trail is: as the configuration says, or where it would be in the folder.
    pub(crate) fn trail(&self) -> Result<PathBuf, ConfigError> {
        if let Some(data) = &self.data {
            return Ok(data.join(TRAIL));
        }
        let config = self.read()?.config;
        Ok(config.events.trail.map_or_else(|| config.data.join(TRAIL), |trail| trail.folder))
    }

    /// Whoever runs on it.
    pub(crate) fn caller(&self) -> Result<Caller, ConfigError> {
        Ok(Caller::at(&self.path()?))
    }

    fn read(&self) -> Result<counterfoil_gateway::config::Checked, ConfigError> {
        Source::from(CheckArgs { config: self.config.clone() }).read()
    }
}

/// What the examples of the documentation call it.
const TRAIL: &str = "trail";
