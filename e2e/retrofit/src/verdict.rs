//! What a row comes to: what was seen, or which promise was broken, or why nothing could be shown.

use std::io;
use std::path::PathBuf;

use counterfoil_browser::chromium::ChromiumError;
use counterfoil_browser::devtools::DevToolsError;
use counterfoil_proxies::verdict::Failure as HouseFailure;

/// What was seen, in words for the report.
pub(crate) type Shown = Result<String, Failure>;

/// Why a row is not green.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// A promise is broken.
    #[error("{promise}: {seen}")]
    Broken { promise: &'static str, seen: String },
    /// The browser did not do as told.
    #[error(transparent)]
    DevTools(#[from] DevToolsError),
    #[error(transparent)]
    Chromium(#[from] ChromiumError),
    /// The gateway, its proxy, or the application.
    #[error(transparent)]
    House(#[from] HouseFailure),
    #[error("{0} is missing; `cargo xtask retrofit` installs it")]
    Missing(PathBuf),
    #[error("{program} said: {said}")]
    Preparation { program: &'static str, said: String },
    #[error("the suite itself could not read or write")]
    Io(#[from] io::Error),
    /// A helper thread of ours ended early.
    #[error("a part of the suite ended early")]
    Ended(#[from] tokio::task::JoinError),
}

/// Holds a promise to what was seen.
///
/// # Errors
/// [`Failure::Broken`] with what was seen, where it was not kept.
pub(crate) fn promise(promise: &'static str, kept: bool, seen: impl FnOnce() -> String) -> Result<(), Failure> {
    if kept { Ok(()) } else { Err(Failure::Broken { promise, seen: seen() }) }
}

impl Failure {
    pub(crate) const fn is_broken_promise(&self) -> bool {
        matches!(self, Self::Broken { .. })
    }

    /// The error with all its causes.
    pub(crate) fn in_full(&self) -> String {
        let first = std::error::Error::source(self);
        let causes = std::iter::successors(first, |cause| cause.source());
        causes.fold(self.to_string(), |text, cause| format!("{text}: {cause}"))
    }
}
