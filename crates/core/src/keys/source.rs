//! What can be wrong with a file or command that should give the keys. No variant carries key text.

use std::time::Duration;

use super::file::KeyFileError;
use crate::policy::Span;

/// What is wrong with a source of keys, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SourceProblem {
    /// There is no such file.
    #[error("there is no such file: make it with `counterfoil keys new`")]
    Missing,
    /// There is such a file already, and it may be the only copy of keys in use.
    #[error("exists already, and is never overwritten: `counterfoil keys rotate` adds a key to it")]
    Exists,
    /// The operating system refused.
    #[error("{what} ({why})")]
    Refused {
        /// What it refused.
        what: &'static str,
        /// Its words.
        why: Box<str>,
    },
    /// Others than its owner may read it.
    #[error(
        "can be read or changed by others than its owner (mode {mode:04o}): `chmod 600` it, and if others may have read it, rotate"
    )]
    OpenToOthers {
        /// The file's mode.
        mode: u32,
    },
    /// It is a folder, a device or the like.
    #[error("is not a regular file")]
    NotAFile,
    /// Nobody has that many keys.
    #[error("has more than {max} bytes: this is no key file")]
    TooLarge {
        /// The most there may be.
        max: usize,
    },
    /// It is not text.
    #[error("is not text")]
    NotText,
    /// Somebody else is changing it, or was interrupted.
    #[error("another change is under way; if none is, one was interrupted: remove {left}")]
    BeingChanged {
        /// The file that was left.
        left: Box<str>,
    },
    /// A command ended with an error.
    #[error("the command ended with {status}; what it wrote to standard error may say why")]
    Failed {
        /// How it ended.
        status: Box<str>,
    },
    /// A command did not end.
    #[error("the command did not end within {}", Span::from(*limit))]
    TimedOut {
        /// How long it was given.
        limit: Duration,
    },
    /// What it holds is wrong.
    #[error(transparent)]
    Text(#[from] KeyFileError),
}
