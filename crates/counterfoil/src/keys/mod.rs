//! Where a site's keys come from: a file, the environment, or what a command prints. The one place of the library that
//! reads them.
//!
//! ```no_run
//! use std::time::Duration;
//! use counterfoil::keys::FileKeys;
//! use counterfoil::{Counterfoil, MemoryStore, Policy};
//!
//! let keys = FileKeys::at("/etc/shop/keys"); // made by `counterfoil keys new --file /etc/shop/keys`
//! let site = Counterfoil::builder(Policy::aal2("https://shop.example")?, &keys, MemoryStore::new())?
//!     .follow_keys(keys, Duration::from_secs(5)) // `counterfoil keys rotate` needs no restart
//!     .build();
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! # Rotating
//!
//! A key verifies on every node before it signs on any, and stays until the last token made with it has ended.
//! `counterfoil keys rotate` does both: the new key verifies at once and signs `--signs-in` later; the old one gets its end
//! written beside it. One process that follows its file needs no delay; with several, let the delay be longer than it takes
//! to bring the file to all of them. [`EnvironmentKeys`] have no times in them: there the steps are yours.

mod command;
mod environment;
mod file;
mod follow;
#[cfg(test)]
mod tests;

pub use counterfoil_core::keys::{
    BadKeyId, GeneratedKeys, KeyEntry, KeyError, KeyFile, KeyFileError, KeyFileProblem, KeyId, KeyMaterial, KeyRing,
    KeySource, KeyState, Offshoot, ReferenceMoved, RetireError, RootKey, RotateError, SharedRing, SourceProblem,
};

pub use self::command::CommandKeys;
pub use self::environment::EnvironmentKeys;
pub use self::file::FileKeys;
pub use self::follow::NotExchanged;
pub(crate) use self::follow::{Follow, exchange, tell_left_out};

/// The error of `place`.
fn at(place: impl std::fmt::Display, problem: SourceProblem) -> KeyError {
    KeyError::Source { place: place.to_string().into(), problem: Box::new(problem) }
}

/// What the operating system refused.
fn refused(what: &'static str) -> impl Fn(std::io::Error) -> SourceProblem {
    move |error| SourceProblem::Refused { what, why: error.to_string().into() }
}

/// No key file is larger: 32 keys of 200 bytes, and remarks.
const LARGEST: usize = 64 * 1024;
