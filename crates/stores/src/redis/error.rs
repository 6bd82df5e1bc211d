//! What goes wrong: at the start, and with a verb.

use std::path::PathBuf;
use std::time::Duration;

use counterfoil_core::store::StoreError;
use redis::{ErrorKind, RedisError, ServerErrorKind};

use super::journal::JournalError;

/// The store cannot be used. Says what is wrong, where, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The address is none.
    #[error(
        "the address of the Redis store cannot be read: write redis://[user:password@]host[:port][/database], \
         redis+sentinel://host[:port][,…]/service or redis+cluster://host[:port][,…]; over TLS with rediss instead of redis"
    )]
    Address(#[source] Option<RedisError>),
    /// Nobody knows which master to ask sentinels for.
    #[error("the address names sentinels and no service: write redis+sentinel://host[:port][,…]/service")]
    NoService,
    /// There is only one.
    #[error("the address names a database of a cluster, which has but one: leave the path out")]
    DatabaseInCluster,
    /// What ended of late cannot be kept.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The file of certificates cannot be read.
    #[error("{} (`sslrootcert` of the address) cannot be read", path.display())]
    Roots {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// There is nobody to believe or not.
    #[error("`sslrootcert={}` means nothing without TLS: write rediss://", path.display())]
    RootsWithoutTls {
        /// Which.
        path: PathBuf,
    },
    /// No certificates, or none that can be read.
    #[error(
        "TLS to Redis cannot be set up: whose certificates to believe is not known; name a file by ?sslrootcert=FILE"
    )]
    Tls(#[source] RedisError),
    /// The setting would clash with the form of keys.
    #[error("`{0}` cannot be what keys begin with: up to 64 letters, digits and `:`, `-`, `_`, `.`")]
    Prefix(Box<str>),
    /// Nobody answers there.
    #[error("Redis at {place} cannot be reached: is it running, and may this machine reach it?")]
    Unreachable {
        /// Where.
        place: Box<str>,
        /// Why.
        #[source]
        cause: RedisError,
    },
    /// Sentinels answer, and know no such master, or none that is there.
    #[error("Redis: {place} know no master of that name that is there")]
    UnknownService {
        /// Where, and which.
        place: Box<str>,
        /// What they say.
        #[source]
        cause: RedisError,
    },
    /// The name or the password is wrong.
    #[error("Redis at {place} refuses the user or the password of the address")]
    Credentials {
        /// Where.
        place: Box<str>,
        /// What it says.
        #[source]
        cause: RedisError,
    },
    /// It answers, but not as it should.
    #[error("Redis at {place} does not do what the store needs")]
    Server {
        /// Where.
        place: Box<str>,
        /// What it says.
        #[source]
        cause: RedisError,
    },
    /// It is set up in a way that would break what the store promises.
    #[error("Redis at {place} cannot hold sessions: {what}")]
    Setup {
        /// Where.
        place: Box<str>,
        /// What is wrong, and what to do.
        what: Box<str>,
    },
    /// Another key ring made the sessions that are there.
    #[error(
        "the sessions at {place} under `{prefix}` were made with another reference key: use the keys they were made with, \
         or another prefix; with this ring nobody would be known again, nor who was signed out everywhere"
    )]
    OtherKeys {
        /// Where.
        place: Box<str>,
        /// What its keys begin with.
        prefix: Box<str>,
    },
    /// Another program wrote there, or a newer version of this one.
    #[error(
        "what lies at {place} under `{prefix}` is not of a format that this version knows: run the version that wrote it, \
         or choose another prefix"
    )]
    Format {
        /// Where.
        place: Box<str>,
        /// What its keys begin with.
        prefix: Box<str>,
    },
}

impl OpenError {
    pub(super) fn server(place: &str, cause: RedisError) -> Self {
        let place = place.into();
        match cause.kind() {
            ErrorKind::AuthenticationFailed => Self::Credentials { place, cause },
            _ if is_of_credentials(&cause) => Self::Credentials { place, cause },
            ErrorKind::Io | ErrorKind::ClusterConnectionNotFound => Self::Unreachable { place, cause },
            ErrorKind::MasterNameNotFoundBySentinel => Self::UnknownService { place, cause },
            _ => Self::Server { place, cause },
        }
    }
}

/// What the contract makes of it. None of these says that a session is absent.
pub(super) fn of_verb(error: RedisError, verb: &'static str, limit: Duration) -> StoreError {
    if error.is_timeout() {
        return StoreError::Timeout { verb, limit };
    }
    match error.kind() {
        ErrorKind::Server(ServerErrorKind::NoPerm) => StoreError::Misconfigured {
            what: "the Redis user may not run the store's scripts: grant `+@read +@write +@scripting +@pubsub` on its keys and channels",
        },
        _ if is_of_credentials(&error) => {
            StoreError::Misconfigured { what: "Redis refuses the user or the password of the address" }
        }
        _ => StoreError::Unavailable(error.into()),
    }
}

fn is_of_credentials(error: &RedisError) -> bool {
    matches!(error.code(), Some("NOAUTH" | "WRONGPASS"))
}
