//! How the Redis store behaves towards its server.

use std::path::PathBuf;
use std::time::Duration;

use super::OpenError;

/// Settings of a [`RedisStore`](super::RedisStore).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// What the names of all keys begin with, so that other applications may share the server. Letters, digits, `:`, `-`,
    /// `_` and `.`; at most 64.
    pub prefix: Box<str>,
    /// How long a verb may take before it is an error. A second: longer than any pause of a healthy server, and shorter
    /// than the patience of whoever waits for a page.
    pub timeout: Duration,
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// How much of what was loaded or changed last is remembered, in bytes, so that a change does not have to load it again,
    /// nor open it. Nothing is decided from it. By default 64 MiB, some 35,000 sessions in use.
    pub recent_bytes: u64,
    /// Where this node keeps what it ended of late, on a disk of its own: what a server forgets in a failover it is told
    /// again, by whoever did it or heard of it. None keeps that in memory alone, and it is gone with the node. Where another
    /// process has the file, the first of `FILE.2`, `FILE.3` … that is free is taken.
    pub journal: Option<PathBuf>,
    /// For how long that is remembered: longer than a replica may lag behind its master.
    pub journal_lasts: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            prefix: "counterfoil:".into(),
            timeout: Duration::from_secs(1),
            connect_timeout: Duration::from_secs(1),
            recent_bytes: 64 << 20,
            journal: None,
            journal_lasts: Duration::from_hours(1),
        }
    }
}

impl Settings {
    pub(super) fn check(&self) -> Result<(), OpenError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b":-_.".contains(&byte);
        if self.prefix.is_empty() || self.prefix.len() > 64 || !self.prefix.bytes().all(plain) {
            return Err(OpenError::Prefix(self.prefix.clone()));
        }
        Ok(())
    }
}
