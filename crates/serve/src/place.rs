//! Where sessions are kept, as operators write it: `memory`, `embedded:FOLDER`, `redis://HOST` (or sentinels, or a cluster) or
//! `postgres://HOST`.

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
    /// In a PostgreSQL that nodes share.
    Postgres(Address),
}

/// An address that may have a password in it: it is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Address(Box<str>);

/// What was written names no store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoPlace {
    /// It begins like none.
    #[error(
        "names no session store: write memory, embedded:FOLDER, redis://HOST, redis+sentinel://HOST,HOST/SERVICE, redis+cluster://HOST,HOST or postgres://USER@HOST/DATABASE"
    )]
    Unknown,
    /// There is no folder.
    #[error("names no folder: write embedded:FOLDER, for example embedded:/var/lib/counterfoil/sessions")]
    Folder,
    /// There is no host.
    #[error("names no server: write {0}[user:password@]host[:port][/database]")]
    Host(&'static str),
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

    fn scheme(&self) -> &str {
        self.0.split_once("://").map_or("", |(scheme, _)| scheme)
    }

    /// Host, port and database: user, password and options are left out.
    fn shown(&self) -> &str {
        let rest = self.0.split_once("://").map_or("", |(_, rest)| rest);
        without_user(rest).split('?').next().unwrap_or_default()
    }
}

impl Place {
    /// Whether other nodes may use it too.
    pub const fn is_shared(&self) -> bool {
        match self {
            Self::Memory | Self::Embedded(_) => false,
            Self::Redis(_) | Self::Postgres(_) => true,
        }
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
        let scheme =
            SCHEMES.into_iter().chain(REDIS).find(|scheme| text.starts_with(scheme)).ok_or(NoPlace::Unknown)?;
        let rest = text.strip_prefix(scheme).unwrap_or_default();
        let host = without_user(rest).split(['/', '?']).next().unwrap_or_default();
        if host.is_empty() || host.starts_with(':') {
            return Err(NoPlace::Host(scheme));
        }
        let address = Address(text.into());
        Ok(if REDIS.contains(&scheme) { Self::Redis(address) } else { Self::Postgres(address) })
    }
}

/// Without user and password.
impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => out.write_str("memory"),
            Self::Embedded(folder) => write!(out, "embedded:{}", folder.display()),
            Self::Redis(address) => write!(out, "{}://{}", address.scheme(), address.shown()),
            Self::Postgres(address) => write!(out, "{POSTGRES}{}", address.shown()),
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Place({self})")
    }
}

/// A password may have an `@` in it, a host may not.
fn without_user(rest: &str) -> &str {
    rest.rsplit('@').next().unwrap_or_default()
}

const POSTGRES: &str = "postgres://";
const SCHEMES: [&str; 2] = [POSTGRES, "postgresql://"];
const REDIS: [&str; 6] =
    ["redis://", "rediss://", "redis+sentinel://", "rediss+sentinel://", "redis+cluster://", "rediss+cluster://"];

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
            ("rediss://a:hunter2@cache?sslrootcert=/ca", Ok("rediss://cache")),
            ("redis://ada:hunter2@cache:6380/1",         Ok("redis://cache:6380/1")),
            ("redis://:hunter2@[::1]:6380",              Ok("redis://[::1]:6380")),
            ("redis://ada:hunter2%40x@cache",            Ok("redis://cache")),
            ("redis+sentinel://:hunter2@a:1,b/main/2?sentinel_password=hunter2", Ok("redis+sentinel://a:1,b/main/2")),
            ("rediss+cluster://ada:hunter2@a,b:2",       Ok("rediss+cluster://a,b:2")),
            ("embedded:",                                Err(NoPlace::Folder)),
            ("postgres://ada:hunter2@db/shop?sslmode=verify-full", Ok("postgres://db/shop")),
            ("postgresql://ada:hun@ter2@db",             Ok("postgres://db")),
            ("redis://",                                 Err(NoPlace::Host("redis://"))),
            ("redis://:6379",                            Err(NoPlace::Host("redis://"))),
            ("redis://ada:hunter2@/1",                   Err(NoPlace::Host("redis://"))),
            ("postgres:///shop",                         Err(NoPlace::Host(POSTGRES))),
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
