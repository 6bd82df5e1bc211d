//! Real servers of others, for tests: on free ports, in a temporary folder, ended with whoever started them.
//!
//! Nothing is assumed to be running, and nothing that runs is touched. What is missing is named, with the package that has
//! it; `cargo xtask test` installs those.

mod guard;
mod postgres;
mod process;
mod redis;
mod together;

use std::path::PathBuf;
use std::time::Duration;

pub use self::guard::Guard;
pub use self::postgres::{Disk, Postgres, PostgresSettings};
pub use self::redis::{Redis, RedisPart, RedisSettings};
pub use self::together::{RedisCluster, RedisSentinels};

/// There is no such server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The program is not there.
    #[error("{program} cannot be started: {cause}; on Debian it is in the package {package}")]
    Missing {
        /// Which.
        program: PathBuf,
        /// Where it is.
        package: &'static str,
        /// What the system says.
        cause: std::io::Error,
    },
    /// It ended at once, or answers nobody.
    #[error("{program} does not answer within {within:?}; it said: {said}")]
    Silent {
        /// Which.
        program: &'static str,
        /// What it was given.
        within: Duration,
        /// The end of its log.
        said: String,
    },
    /// Its folder, its port or its process.
    #[error("{0}")]
    System(#[from] std::io::Error),
}

/// A port that nobody has right now.
///
/// # Errors
/// There is none.
pub fn free_port() -> std::io::Result<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// More than any of them takes to start, also on a busy machine.
const START: Duration = Duration::from_mins(1);
