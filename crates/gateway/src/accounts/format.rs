//! The text of `accounts.toml`: read and printed. Pure.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use counterfoil::accounts::BadPasswordHash;
use counterfoil::{Moment, Rfc3339};
use serde::{Deserialize, Serialize};

use super::book::{Account, Book, Totp};
use super::name::{AccountName, BadAccountName};

/// The format this version reads and writes.
pub(super) const FORMAT: u32 = 1;

/// Why a text is no accounts file. Nobody is let in by part of one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// It was written by a version that knows more.
    #[error(
        "was written by a newer version (format {found}; this one reads {FORMAT}): run that version, or restore a backup"
    )]
    Newer {
        /// Its format.
        found: u32,
    },
    /// It is no TOML, lacks a key, or has one that is unknown.
    #[error("is not an accounts file: restore a backup, or correct it")]
    Toml(#[source] Box<toml::de::Error>),
    /// Its end is missing: it was cut off, and with it perhaps a second factor.
    #[error("ends too early: it holds {found} accounts and says {said}; restore a backup")]
    Cut {
        /// How many there are.
        found: usize,
        /// How many there should be.
        said: usize,
    },
    /// A name that cannot be one.
    #[error("account `{name}`")]
    Name {
        /// As it is written.
        name: String,
        /// What names are.
        source: BadAccountName,
    },
    /// A password's hash that cannot be checked.
    #[error("account `{name}`: its `password`")]
    Password {
        /// Whose.
        name: String,
        /// What hashes are.
        source: BadPasswordHash,
    },
    /// A value of another shape.
    #[error("account `{name}`: its `{key}` is not {expected}")]
    Value {
        /// Whose.
        name: String,
        /// Which.
        key: &'static str,
        /// What it should be.
        expected: &'static str,
    },
}

/// Reads the text of an accounts file.
///
/// # Errors
/// [`Malformed`] names the account and the key.
pub(super) fn read(text: &str) -> Result<Book, Malformed> {
    let not_toml = |error| Malformed::Toml(Box::new(error));
    let Version { format } = toml::from_str(text).map_err(not_toml)?;
    if format > FORMAT {
        return Err(Malformed::Newer { found: format });
    }
    let File { account, end, .. } = toml::from_str(text).map_err(not_toml)?;
    if account.len() != end.accounts {
        return Err(Malformed::Cut { found: account.len(), said: end.accounts });
    }
    account.into_iter().map(|(name, wire)| wire.read(name)).collect()
}

/// The text of an accounts file; [`read`] reads it back.
///
/// # Errors
/// None that can occur: every part has a form in TOML.
pub(super) fn print(book: &Book) -> Result<String, toml::ser::Error> {
    let account = book.iter().map(|(name, account)| (name.to_string(), Wire::of(account))).collect();
    let file = File { format: FORMAT, account, end: End { accounts: book.len() } };
    toml::to_string(&file).map(|text| format!("{REMARK}{text}"))
}

#[derive(Deserialize)]
struct Version {
    format: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: u32,
    #[serde(default)]
    account: BTreeMap<String, Wire>,
    /// Last, so that a file whose end is missing is not taken for a whole one.
    end: End,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct End {
    accounts: usize,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    password: String,
    created: String,
    changed: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    disabled: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    totp: Option<WireTotp>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireTotp {
    sealed: String,
    since: String,
    used: u64,
}

impl Wire {
    fn of(account: &Account) -> Self {
        let time = |moment| Rfc3339(moment).to_string();
        Self {
            password: account.password.to_string(),
            created: time(account.created),
            changed: time(account.changed),
            disabled: account.disabled.map(time),
            totp: account.totp.as_ref().map(|totp| WireTotp {
                sealed: URL_SAFE_NO_PAD.encode(&totp.sealed),
                since: time(totp.since),
                used: totp.used,
            }),
        }
    }

    fn read(self, name: String) -> Result<(AccountName, Account), Malformed> {
        let value = |key, expected| Malformed::Value { name: name.clone(), key, expected };
        let time = |key, text: &str| moment(text).ok_or_else(|| value(key, "a time such as 2026-11-22T10:00:00Z"));
        let password = match self.password.parse() {
            Ok(password) => password,
            Err(source) => return Err(Malformed::Password { name, source }),
        };
        let totp = |totp: WireTotp| {
            let sealed = URL_SAFE_NO_PAD.decode(&totp.sealed);
            let sealed = sealed.map_err(|_| value("totp.sealed", "what `counterfoil serve` sealed"))?;
            Ok(Totp { sealed, since: time("totp.since", &totp.since)?, used: totp.used })
        };
        let account = Account {
            password,
            created: time("created", &self.created)?,
            changed: time("changed", &self.changed)?,
            disabled: self.disabled.map(|text| time("disabled", &text)).transpose()?,
            totp: self.totp.map(totp).transpose()?,
        };
        match name.parse() {
            Ok(checked) => Ok((checked, account)),
            Err(source) => Err(Malformed::Name { name, source }),
        }
    }
}

fn moment(text: &str) -> Option<Moment> {
    Rfc3339::read(text)
}

const REMARK: &str = "\
# Who may sign in. Made and changed by `counterfoil user`, and by people who change what is theirs.
# Only its owner may read it: whoever has it can try passwords at home.

";
