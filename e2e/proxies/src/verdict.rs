//! What a case comes to: what was seen, or which promise was broken, or why nothing could be shown.

use std::io;
use std::path::PathBuf;

/// What a case saw, in words for the report.
pub type Shown = Result<String, Failure>;

/// Why a case is not green.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A promise is broken.
    #[error("{promise}: {seen}")]
    Broken {
        /// Which.
        promise: &'static str,
        /// What was seen instead.
        seen: String,
    },
    /// The proxy has no words for it. Why, and what its page says instead.
    #[error("{0}")]
    Inexpressible(&'static str),
    /// A program is not there, or does not start.
    #[error("{0} cannot be started; `cargo xtask proxies` installs it")]
    Start(PathBuf, #[source] io::Error),
    /// A program ended, or never answered.
    #[error("{program} is not ready: {said}")]
    NotReady {
        /// Which.
        program: &'static str,
        /// The end of what it printed.
        said: String,
    },
    /// The gateway's command did not write a configuration.
    #[error("`counterfoil proxy-config` failed: {0}")]
    Config(String),
    /// A file or a socket.
    #[error("the suite itself could not read or write")]
    Io(#[from] io::Error),
}

/// Holds a promise to what was seen.
///
/// # Errors
/// [`Failure::Broken`] with what was seen, where it was not kept.
pub fn promise(promise: &'static str, kept: bool, seen: impl FnOnce() -> String) -> Result<(), Failure> {
    if kept { Ok(()) } else { Err(Failure::Broken { promise, seen: seen() }) }
}

impl Failure {
    /// The error with all its causes.
    pub fn in_full(&self) -> String {
        let first = std::error::Error::source(self);
        let causes = std::iter::successors(first, |cause| cause.source());
        causes.fold(self.to_string(), |text, cause| format!("{text}: {cause}"))
    }
}
