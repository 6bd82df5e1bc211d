//! The arguments of `counterfoil serve` and `counterfoil config check`, and the configuration they ask for.

use std::path::PathBuf;

use crate::config::{Asked, Checked, ConfigError, Environment, assume, read};

/// What can be written after `counterfoil serve`.
#[derive(Debug, Clone, clap::Args)]
pub struct ServeArgs {
    /// The configuration
    ///
    /// Every key can be overridden by a variable: `COUNTERFOIL__LISTEN__PUBLIC` is `listen.public`. Without a file one app
    /// is protected, for whoever is signed in, as the options below say.
    #[arg(long, value_name = "FILE", env = "COUNTERFOIL_CONFIG", conflicts_with_all = ["origin", "upstream", "proxy", "data"])]
    pub config: Option<PathBuf>,

    /// Where browsers see the app, without a file (repeatable) [default: `http://127.0.0.1:8080`]
    #[arg(long, value_name = "URL")]
    pub origin: Vec<String>,

    /// Where the app itself is, without a file [default: `http://127.0.0.1:3000`]
    #[arg(long, value_name = "URL")]
    pub upstream: Option<String>,

    /// Which proxy stands before the app, without a file [default: nginx]
    #[arg(long, value_name = "PROXY")]
    pub proxy: Option<String>,

    /// The folder of sessions, keys and accounts, without a file; made if it is missing
    ///
    /// Without this option: `$XDG_STATE_HOME/counterfoil/gateway`, which mostly is `~/.local/state/counterfoil/gateway`.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

/// What can be written after `counterfoil config check`.
#[derive(Debug, Clone, clap::Args)]
pub struct CheckArgs {
    /// The configuration; without it, what is assumed, and the environment above it
    #[arg(long, value_name = "FILE", env = "COUNTERFOIL_CONFIG")]
    pub config: Option<PathBuf>,
}

/// Where the configuration comes from, at the start and at each reload.
#[derive(Debug, Clone)]
pub struct Source {
    file: Option<PathBuf>,
    asked: Asked,
    environment: Environment,
}

impl Source {
    /// The file, or what is assumed without one.
    pub const fn file(&self) -> Option<&PathBuf> {
        self.file.as_ref()
    }

    /// Reads and checks it.
    ///
    /// # Errors
    /// [`ConfigError`] names every mistake that was found.
    pub fn read(&self) -> Result<Checked, ConfigError> {
        match &self.file {
            Some(file) => read(file, &self.environment),
            None => assume(&self.asked, &self.environment),
        }
    }

    /// The same, with another environment than that of this process.
    pub fn under(self, environment: Environment) -> Self {
        Self { environment, ..self }
    }
}

impl From<ServeArgs> for Source {
    fn from(arguments: ServeArgs) -> Self {
        let ServeArgs { config, origin, upstream, proxy, data } = arguments;
        let asked = Asked { origins: origin, upstream, proxy, data };
        Self { file: config, asked, environment: Environment::of_process() }
    }
}

impl From<CheckArgs> for Source {
    fn from(arguments: CheckArgs) -> Self {
        Self { file: arguments.config, asked: Asked::default(), environment: Environment::of_process() }
    }
}
