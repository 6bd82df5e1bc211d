//! Reads a key file line by line. What is wrong is told by line and name, never by its text.

use std::time::Duration;

use super::{Key, KeyEntry, KeyFile};
use crate::keys::{KeyError, KeyId, RootKey};
use crate::moment::Rfc3339;
use crate::policy::Span;

/// A key file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFileError {
    /// Which line, counted from 1; `None` if it is about the whole file.
    pub line: Option<usize>,
    /// What is wrong there.
    pub problem: KeyFileProblem,
}

/// What is wrong with a key file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileProblem {
    /// It holds nothing.
    #[error("the file is empty: put the right one back, or remove it and run `counterfoil keys new`")]
    Empty,
    /// It is some other file.
    #[error("this is not a key file: it would begin with `{HEADER} 1`")]
    NotAKeyFile,
    /// A newer program wrote it.
    #[error("the file has another format than 1, the one this version knows: use the version that wrote it")]
    Version,
    /// A line begins with none of the words there are.
    #[error("the line begins with neither `sessions`, `reference`, `key` nor `#`")]
    UnknownWord,
    /// Something in a line is not `name=value`, or of no name there is.
    #[error("the line holds something else than `name=value` with the names {known}")]
    UnknownName {
        /// The names there are.
        known: &'static str,
    },
    /// Something is missing in a line.
    #[error("`{name}=` is missing: is the line cut off?")]
    Missing {
        /// What.
        name: &'static str,
    },
    /// Something stands twice.
    #[error("`{name}` is given twice")]
    Doubled {
        /// What.
        name: &'static str,
    },
    /// An id is not one.
    #[error("`id=` is not 1 to 8 characters of a-z and 0-9")]
    BadId,
    /// A time is not one.
    #[error("`{name}=` is not a time such as 2026-11-22T03:00:00Z")]
    BadTime {
        /// Which.
        name: &'static str,
    },
    /// A span is not one.
    #[error("`last=` is not a span between 1min and 10years, such as 30days")]
    BadSpan,
    /// A key is short, weak or not base64.
    #[error(transparent)]
    Key(Box<KeyError>),
    /// There are more keys than there may be.
    #[error("there are more than {max} keys: retire those that have ended")]
    TooMany {
        /// The most there may be.
        max: usize,
    },
    /// There is no reference key.
    #[error(
        "there is no line `reference key=…`: is the file cut off? Without that key every subject would be a stranger"
    )]
    NoReference,
    /// It does not say how long sessions last.
    #[error("there is no line `sessions last=…`: is the file cut off?")]
    NoSessions,
    /// There is no key.
    #[error("there is no line `key id=…`: is the file cut off?")]
    NoKeys,
    /// No key signs.
    #[error("every key has ended: add one with `counterfoil keys rotate`, or put the right file back")]
    NoneSigns,
}

pub(super) fn read(text: &str) -> Result<KeyFile, KeyFileError> {
    let mut lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    let mut lines = lines.by_ref().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let (line, header) = lines.next().ok_or(KeyFileProblem::Empty.at(1))?;
    match header.strip_prefix(HEADER).map(str::trim) {
        Some("1") => {}
        Some(_) => return Err(KeyFileProblem::Version.at(line)),
        None => return Err(KeyFileProblem::NotAKeyFile.at(line)),
    }
    let mut parts = Parts::default();
    for (line, text) in lines {
        parts.take(text).map_err(|problem| problem.at(line))?;
    }
    parts.whole().map_err(KeyFileProblem::anywhere)
}

/// What was read so far.
#[derive(Default)]
struct Parts {
    sessions_last: Option<Duration>,
    reference: Option<RootKey>,
    keys: Vec<Key>,
}

impl Parts {
    fn take(&mut self, line: &str) -> Result<(), KeyFileProblem> {
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        match word {
            "sessions" => once("sessions", &mut self.sessions_last, sessions(rest)?),
            "reference" => once("reference", &mut self.reference, reference(rest)?),
            "key" => self.add(key(rest)?),
            _ => Err(KeyFileProblem::UnknownWord),
        }
    }

    fn add(&mut self, key: Key) -> Result<(), KeyFileProblem> {
        if self.keys.iter().any(|other| other.entry.id == key.entry.id) {
            return Err(KeyFileProblem::Key(Box::new(KeyError::Doubled(key.entry.id))));
        }
        if self.keys.len() >= KeyFile::MOST {
            return Err(KeyFileProblem::TooMany { max: KeyFile::MOST });
        }
        self.keys.push(key);
        Ok(())
    }

    fn whole(self) -> Result<KeyFile, KeyFileProblem> {
        let sessions_last = self.sessions_last.ok_or(KeyFileProblem::NoSessions)?;
        let reference = self.reference.ok_or(KeyFileProblem::NoReference)?;
        if self.keys.is_empty() {
            return Err(KeyFileProblem::NoKeys);
        }
        Ok(KeyFile { sessions_last, reference, keys: self.keys })
    }
}

fn sessions(rest: &str) -> Result<Duration, KeyFileProblem> {
    let [last] = values(rest, ["last"], "last")?;
    let last: Span =
        last.ok_or(KeyFileProblem::Missing { name: "last" })?.parse().map_err(|_| KeyFileProblem::BadSpan)?;
    let last = Duration::from(last);
    if (SHORTEST..=LONGEST).contains(&last) { Ok(last) } else { Err(KeyFileProblem::BadSpan) }
}

fn reference(rest: &str) -> Result<RootKey, KeyFileProblem> {
    let [key] = values(rest, ["key"], "key")?;
    root("reference", key)
}

fn key(rest: &str) -> Result<Key, KeyFileProblem> {
    let names = ["id", "created", "signs", "until", "key"];
    let [id, created, signs, until, key] = values(rest, names, "id, created, signs, until, key")?;
    let id = id.ok_or(KeyFileProblem::Missing { name: "id" })?;
    let id = KeyId::new(id).map_err(|_| KeyFileProblem::BadId)?;
    let time = |name, text: Option<&str>| {
        text.map(|text| Rfc3339::read(text).ok_or(KeyFileProblem::BadTime { name })).transpose()
    };
    let entry = KeyEntry {
        id,
        created: time("created", created)?.ok_or(KeyFileProblem::Missing { name: "created" })?,
        signs: time("signs", signs)?.ok_or(KeyFileProblem::Missing { name: "signs" })?,
        until: time("until", until)?,
    };
    Ok(Key { entry, root: root(id.as_str(), key)? })
}

fn root(name: &str, text: Option<&str>) -> Result<RootKey, KeyFileProblem> {
    let text = text.ok_or(KeyFileProblem::Missing { name: "key" })?;
    RootKey::parse(name, text).map_err(|error| KeyFileProblem::Key(Box::new(error)))
}

/// The values of `name=value …`, in the order of `names`.
fn values<'a, const N: usize>(
    rest: &'a str,
    names: [&'static str; N],
    known: &'static str,
) -> Result<[Option<&'a str>; N], KeyFileProblem> {
    let mut values = [None; N];
    for word in rest.split_whitespace() {
        let (name, value) = word.split_once('=').ok_or(KeyFileProblem::UnknownName { known })?;
        let place = names.iter().zip(&mut values).find(|(known, _)| **known == name);
        let (name, slot) = place.ok_or(KeyFileProblem::UnknownName { known })?;
        once(name, slot, value)?;
    }
    Ok(values)
}

fn once<T>(name: &'static str, slot: &mut Option<T>, value: T) -> Result<(), KeyFileProblem> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(KeyFileProblem::Doubled { name }),
    }
}

impl KeyFileProblem {
    const fn at(self, line: usize) -> KeyFileError {
        KeyFileError { line: Some(line), problem: self }
    }

    pub(super) const fn anywhere(self) -> KeyFileError {
        KeyFileError { line: None, problem: self }
    }
}

impl std::fmt::Display for KeyFileError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(line) = self.line {
            write!(out, "line {line}: ")?;
        }
        std::fmt::Display::fmt(&self.problem, out)
    }
}

impl std::error::Error for KeyFileError {}

/// What a key file begins with, and the format's number.
pub(super) const HEADER: &str = "counterfoil-keys";
const SHORTEST: Duration = Duration::from_mins(1);
/// A typing error beyond this, and a key nobody could ever retire.
const LONGEST: Duration = Duration::from_hours(10 * 366 * 24);
