//! Where sessions are kept, as operators write it: `memory`, `embedded:FOLDER` or `redis://HOST`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// A session store, named but not opened.
#[derive(Clone, PartialEq, Eq)]
pub enum Place {
    /// In this process.
    Memory,
    /// In a folder of this machine.
    Embedded(PathBuf),
    /// In a Redis or Valkey that nodes share.
    Redis(Address),
}

/// An address that may have a password in it: it is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Address(Box<str>);

/// What was written names no store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoPlace {
    /// It begins like none.
    #[error("names no session store: write memory, embedded:FOLDER, or redis://[user:password@]host[:port][/database]")]
    Unknown,
    /// There is no folder.
    #[error("names no folder: write embedded:FOLDER, for example embedded:/var/lib/counterfoil/sessions")]
    Folder,
    /// There is no host.
    #[error("names no server: write redis://[user:password@]host[:port][/database]")]
    Host,
}

impl fmt::Debug for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Address(…)")
    }
}

impl Address {
    /// All of it, password included, for whoever connects.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl FromStr for Place {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        if text == "memory" {
            return Ok(Self::Memory);
        }
        if let Some(folder) = text.strip_prefix("embedded:") {
            return if folder.is_empty() { Err(NoPlace::Folder) } else { Ok(Self::Embedded(folder.into())) };
        }
        let rest = text.strip_prefix("redis://").ok_or(NoPlace::Unknown)?;
        let host = rest.rsplit('@').next().unwrap_or_default().split(['/', '?']).next().unwrap_or_default();
        if host.is_empty() || host.starts_with(':') {
            return Err(NoPlace::Host);
        }
        Ok(Self::Redis(Address(text.into())))
    }
}

/// Without user and password.
impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => out.write_str("memory"),
            Self::Embedded(folder) => write!(out, "embedded:{}", folder.display()),
            Self::Redis(Address(address)) => {
                let rest = address.rsplit('@').next().unwrap_or_default();
                write!(out, "redis://{}", rest.trim_start_matches("redis://"))
            }
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Place({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_read_as_written_and_shown_without_its_password() {
        #[rustfmt::skip]
        let rows = [
            ("memory",                                   Ok("memory")),
            ("embedded:/var/lib/x",                      Ok("embedded:/var/lib/x")),
            ("embedded:sessions",                        Ok("embedded:sessions")),
            ("redis://127.0.0.1:6379",                   Ok("redis://127.0.0.1:6379")),
            ("redis://cache/2",                          Ok("redis://cache/2")),
            ("redis://ada:hunter2@cache:6380/1",         Ok("redis://cache:6380/1")),
            ("redis://:hunter2@[::1]:6380",              Ok("redis://[::1]:6380")),
            ("redis://ada:hunter2%40x@cache",            Ok("redis://cache")),
            ("embedded:",                                Err(NoPlace::Folder)),
            ("redis://",                                 Err(NoPlace::Host)),
            ("redis://:6379",                            Err(NoPlace::Host)),
            ("redis://ada:hunter2@/1",                   Err(NoPlace::Host)),
            ("Memory",                                   Err(NoPlace::Unknown)),
            ("mysql://ada:hunter2@db",                   Err(NoPlace::Unknown)),
            ("",                                         Err(NoPlace::Unknown)),
        ];
        for (text, expected) in rows {
            let place = text.parse::<Place>();
            assert!(!format!("{place:?}").contains("hunter2"), "{text}");
            assert_eq!(place.map(|place| place.to_string()), expected.map(str::to_owned), "{text}");
        }
    }
}
