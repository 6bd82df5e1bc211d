//! A note of a change to an account, kept until its sessions know of it. Pure.

use std::path::PathBuf;

use counterfoil::{Moment, Rfc3339, Trigger};
use serde::{Deserialize, Serialize};

use super::name::AccountName;

/// That an account was changed, and its sessions have yet to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Whose.
    pub account: AccountName,
    /// What changed.
    pub change: AccountChange,
    /// When.
    pub at: Moment,
}

/// A note and the file it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Left {
    /// What it says.
    pub(super) note: Note,
    /// Where it is.
    pub(super) path: PathBuf,
}

/// What changed about an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AccountChange {
    /// Its owner set another password. Such a note outlives only a crash: then all sessions end, the one that asked too.
    PasswordChanged,
    /// An operator set another password.
    PasswordReset,
    /// A second factor was set up or removed.
    MfaChanged,
    /// Nobody signs in with it any more.
    AccountDisabled,
}

/// It is no note. It is left where it is: somebody may know what it says.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotANote {
    /// It was written by a version that knows more.
    #[error("was written by a newer version (format {found}; this one reads {FORMAT})")]
    Newer {
        /// Its format.
        found: u32,
    },
    /// It is something else.
    #[error("is not a note of a changed account")]
    Toml(#[source] Box<toml::de::Error>),
    /// Its name or time is none.
    #[error("is not a note of a changed account: its `{0}` is none")]
    Value(&'static str),
}

impl AccountChange {
    /// What the engine knows it as.
    pub const fn trigger(self) -> Trigger {
        match self {
            Self::PasswordChanged => Trigger::PasswordChanged,
            Self::PasswordReset => Trigger::PasswordReset,
            Self::MfaChanged => Trigger::MfaChanged,
            Self::AccountDisabled => Trigger::AccountDisabled,
        }
    }
}

impl Note {
    /// As it is kept.
    pub(super) fn print(&self) -> Result<String, toml::ser::Error> {
        let (account, at) = (self.account.to_string(), Rfc3339(self.at).to_string());
        toml::to_string(&Wire { format: FORMAT, account, change: self.change, at })
    }

    /// From what was kept.
    pub(super) fn read(text: &str) -> Result<Self, NotANote> {
        let not_toml = |error| NotANote::Toml(Box::new(error));
        let Version { format } = toml::from_str(text).map_err(not_toml)?;
        if format > FORMAT {
            return Err(NotANote::Newer { found: format });
        }
        let wire: Wire = toml::from_str(text).map_err(not_toml)?;
        Ok(Self {
            account: wire.account.parse().map_err(|_| NotANote::Value("account"))?,
            change: wire.change,
            at: Rfc3339::read(&wire.at).ok_or(NotANote::Value("at"))?,
        })
    }
}

#[derive(Deserialize)]
struct Version {
    format: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    format: u32,
    account: String,
    change: AccountChange,
    at: String,
}

const FORMAT: u32 = 1;
