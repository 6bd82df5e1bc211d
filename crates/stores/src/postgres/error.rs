//! What goes wrong, and what to do: with the database while it runs, and at the start.

use std::path::PathBuf;
use std::time::Duration;

use counterfoil_core::SessionId;
use counterfoil_core::store::{BoxError, StoreError};
use counterfoil_core::stored::StoredError;
use tokio_postgres::error::SqlState;

/// The database did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PostgresError {
    /// Nobody is there, or nobody who speaks its protocol.
    #[error("PostgreSQL cannot be reached")]
    Unreachable(#[source] BoxError),
    /// The connection broke. What was asked may have been done.
    #[error("the connection to PostgreSQL was lost")]
    Lost(#[source] BoxError),
    /// It took too long. What was asked may have been done.
    #[error("PostgreSQL did not answer within {0:?}")]
    Late(Duration),
    /// Our own connections are all in use.
    #[error(
        "all {size} connections to PostgreSQL are in use, and none became free within {within:?}: allow the store more \
         `connections`, or find out what holds them up"
    )]
    Exhausted {
        /// How many there may be.
        size: usize,
        /// How long was waited.
        within: Duration,
    },
    /// The server's connections are all in use.
    #[error(
        "PostgreSQL takes no more connections: raise its `max_connections`, or lower the `connections` of the nodes"
    )]
    Full,
    /// It takes no writes.
    #[error(
        "PostgreSQL takes no writes here: it is a standby, or `default_transaction_read_only` is on; name the primary, or \
         all hosts with `target_session_attrs=read-write`"
    )]
    ReadOnly,
    /// The credentials are wrong.
    #[error("PostgreSQL does not let this role in: {0}; check user and password in the URL, and its `pg_hba.conf`")]
    Refused(Box<str>),
    /// There is no such database.
    #[error("{0}; create it, or name another in the URL")]
    NoDatabase(Box<str>),
    /// The role may not do that.
    #[error("the role lacks a right: {0}")]
    NoRight(Box<str>),
    /// The tables are not there, or not as they were left.
    #[error(
        "the store's tables are not as they should be: {0}; were they dropped? `counterfoil store migrate` makes new ones"
    )]
    NoTables(Box<str>),
    /// Others changed the same session again and again.
    #[error("others changed the same session again and again; try once more")]
    Contended,
    /// Somebody opened these tables with another reference key.
    #[error("the tables belong to another key ring")]
    OtherKeys,
    /// The tables were changed by a newer version.
    #[error("the tables have format {found}, and this version knows {known}: run the version that migrated them")]
    Format {
        /// What they have.
        found: i32,
        /// What we know.
        known: i32,
    },
    /// Something else that the server says, with its code. Never with the values it was about.
    #[error("PostgreSQL says: {message} ({code})")]
    Said {
        /// The SQLSTATE.
        code: Box<str>,
        /// The message.
        message: Box<str>,
    },
    /// One record that cannot be read.
    #[error("the record of {id}")]
    Record {
        /// Whose.
        id: SessionId,
        /// What is wrong with it.
        #[source]
        cause: StoredError,
    },
}

impl PostgresError {
    /// Whether the server undid all of it, so that it may be asked again.
    pub(super) fn is_undone(&self) -> bool {
        let Self::Said { code, .. } = self else { return false };
        [SqlState::T_R_DEADLOCK_DETECTED, SqlState::T_R_SERIALIZATION_FAILURE]
            .iter()
            .any(|known| known.code() == &**code)
    }

    /// As the contract has it.
    pub(super) fn of(self, verb: &'static str) -> StoreError {
        match self {
            Self::Late(limit) => StoreError::Timeout { verb, limit },
            other => StoreError::Unavailable(Box::new(other)),
        }
    }

    /// A record that cannot be read: not the database's absence.
    pub(super) fn record(id: SessionId, cause: StoredError) -> StoreError {
        match StoreError::from(cause) {
            StoreError::Corrupt { what, .. } => {
                StoreError::Corrupt { what, cause: Some(Box::new(Self::Record { id, cause })) }
            }
            other => other,
        }
    }
}

impl From<tokio_postgres::Error> for PostgresError {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(said) = error.as_db_error() else {
            let broken = std::error::Error::source(&error).is_some_and(<dyn std::error::Error>::is::<std::io::Error>);
            return if broken || error.is_closed() {
                Self::Lost(error.into())
            } else {
                Self::Said { code: "the client".into(), message: error.to_string().into() }
            };
        };
        let message = said.message().into();
        match *said.code() {
            SqlState::TOO_MANY_CONNECTIONS => Self::Full,
            SqlState::READ_ONLY_SQL_TRANSACTION => Self::ReadOnly,
            SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION => Self::Refused(message),
            SqlState::INVALID_CATALOG_NAME => Self::NoDatabase(message),
            SqlState::INSUFFICIENT_PRIVILEGE => Self::NoRight(message),
            SqlState::INVALID_SCHEMA_NAME
            | SqlState::UNDEFINED_TABLE
            | SqlState::UNDEFINED_FUNCTION
            | SqlState::NO_DATA_FOUND => Self::NoTables(message),
            SqlState::ADMIN_SHUTDOWN | SqlState::CRASH_SHUTDOWN => Self::Lost(error.into()),
            SqlState::CANNOT_CONNECT_NOW => Self::Unreachable(error.into()),
            _ => Self::Said { code: said.code().code().into(), message },
        }
    }
}

/// The store cannot be opened. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The URL is none.
    #[error("the URL of the PostgreSQL store cannot be read")]
    Url(#[source] tokio_postgres::Error),
    /// Plain text would leave this machine.
    #[error(
        "sessions would travel in clear text: the PostgreSQL server is not on this machine; leave out `sslmode=disable`, \
         and have the server speak TLS"
    )]
    PlainText,
    /// There is no such mode, or none that is safe.
    #[error(
        "`sslmode={mode}` is none of disable, require, verify-ca and verify-full; the last three all verify the certificate"
    )]
    TlsMode {
        /// What was written.
        mode: String,
    },
    /// A file of certificates cannot be read.
    #[error("the certificates in {path} (`sslrootcert`) cannot be used: {cause}")]
    Roots {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: BoxError,
    },
    /// The system has no certificates to believe.
    #[error(
        "this system has no certificates to believe the PostgreSQL server's by: install ca-certificates, or name yours in the URL by `sslrootcert=FILE`"
    )]
    NoRoots,
    /// TLS cannot be set up.
    #[error("TLS cannot be set up")]
    Tls(#[source] rustls::Error),
    /// The schema's name would need quotes.
    #[error(
        "`{name}` cannot be the name of the store's schema: up to 48 small letters, digits and `_`, not beginning with a digit or `pg_`"
    )]
    SchemaName {
        /// What was given.
        name: String,
    },
    /// No connection, or no time.
    #[error("a store needs at least one connection, and a timeout longer than nothing")]
    NothingAllowed,
    /// The server is too old.
    #[error("this PostgreSQL is version {found}; the store needs 13 or newer")]
    TooOld {
        /// What it says it is.
        found: String,
    },
    /// The server may forget what it confirmed.
    #[error(
        "PostgreSQL runs with `{setting} = off`: a crash would bring signed-out sessions back; switch it on (server, database and role)"
    )]
    NotDurable {
        /// Which.
        setting: &'static str,
    },
    /// The role may not set the schema up.
    #[error(
        "the role may not make the schema `{schema}`: grant it CREATE on the database, or have somebody who may run what \
         `counterfoil store migrate --dry-run` prints ({message})"
    )]
    MayNotCreate {
        /// Which.
        schema: String,
        /// What the server says.
        message: Box<str>,
    },
    /// The tables are of an earlier version.
    #[error(
        "the schema `{schema}` has format {found}, and this version runs on {known} or later: once every node runs a version \
         that does, run `counterfoil store migrate` (with `--dry-run` it prints what it would do)"
    )]
    Older {
        /// Which.
        schema: String,
        /// Its format.
        found: i32,
        /// Ours.
        known: i32,
    },
    /// The tables are of a newer version.
    #[error(
        "the schema `{schema}` has format {found}, and this version knows up to {known}: run the version that migrated it"
    )]
    Newer {
        /// Which.
        schema: String,
        /// Its format.
        found: i32,
        /// Ours.
        known: i32,
    },
    /// The tables belong to another key ring.
    #[error(
        "the sessions in schema `{schema}` were made with another reference key: with this one no subject would be found \
         again, and who was signed out everywhere would be forgotten; put the right key back, or use another schema"
    )]
    OtherReferenceKey {
        /// Which.
        schema: String,
    },
    /// The database itself.
    #[error(transparent)]
    Database(#[from] PostgresError),
}

impl From<tokio_postgres::Error> for OpenError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Database(error.into())
    }
}
