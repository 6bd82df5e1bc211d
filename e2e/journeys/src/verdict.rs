//! What a case comes to: what was seen, or which promise was broken, or why nothing could be shown.

use std::io;

use counterfoil_browser::{chromium::ChromiumError, devtools::DevToolsError, keyboard::KeyboardError};

/// What a case saw, in words for the report.
pub(crate) type Shown = Result<String, Failure>;

/// Why a case is not green.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// A promise is broken.
    #[error("{promise}: {seen}")]
    Broken {
        /// Which.
        promise: &'static str,
        /// What was seen instead.
        seen: String,
    },
    /// The browser did not do as told.
    #[error(transparent)]
    DevTools(#[from] DevToolsError),
    /// There was no browser.
    #[error(transparent)]
    Chromium(#[from] ChromiumError),
    /// There was no gateway, or no proxy.
    #[error(transparent)]
    House(#[from] counterfoil_proxies::verdict::Failure),
    /// A file, a socket or a folder.
    #[error("the suite itself could not read or write")]
    Io(#[from] io::Error),
    /// It took too long.
    #[error("not done within {}", humantime::format_duration(*.0))]
    TooLong(std::time::Duration),
}

/// Holds a promise to what was seen.
///
/// # Errors
/// [`Failure::Broken`] with what was seen, where it was not kept.
pub(crate) fn promise(promise: &'static str, kept: bool, seen: impl FnOnce() -> String) -> Result<(), Failure> {
    if kept { Ok(()) } else { Err(Failure::Broken { promise, seen: seen() }) }
}

impl From<KeyboardError> for Failure {
    fn from(error: KeyboardError) -> Self {
        match error {
            KeyboardError::Broken { promise, seen } => Self::Broken { promise, seen },
            KeyboardError::DevTools(error) => Self::DevTools(error),
        }
    }
}

impl Failure {
    /// Whether a promise is broken, or nothing was shown.
    pub(crate) fn is_broken(&self) -> bool {
        matches!(self, Self::Broken { .. })
    }

    /// The error with all its causes.
    pub(crate) fn in_full(&self) -> String {
        let first = std::error::Error::source(self);
        let causes = std::iter::successors(first, |cause| cause.source());
        causes.fold(self.to_string(), |text, cause| format!("{text}: {cause}"))
    }
}
