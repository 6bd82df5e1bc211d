//! What runs while it is measured: Redis, PostgreSQL, a site for each way to use them, and the bare server.

use std::path::Path;
use std::process::Command;

use counterfoil_benches::Failed;
use counterfoil_benches::server::Server;
use counterfoil_servers::{Postgres, PostgresSettings, Redis};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::rows::Behind;

/// All of them; they end with this.
#[derive(Debug)]
pub(crate) struct Sites {
    pub(crate) bare: Server,
    each: Vec<(Behind, Server)>,
    redis: Redis,
    _postgres: Postgres,
    _folder: TempDir,
    runtime: Runtime,
}

/// The server that keeps a site's sessions.
#[derive(Debug)]
pub(crate) struct StoreServer<'a> {
    /// None of one that does not count its commands by itself.
    redis: Option<(&'a Redis, &'a Runtime)>,
}

impl Sites {
    /// Starts the servers where this process runs, and the sites on `core`, or on any.
    ///
    /// # Errors
    /// If any does not start.
    pub(crate) fn start(core: Option<usize>) -> Result<Self, Failed> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let settings = PostgresSettings { lines: vec!["shared_buffers = '256MB'".to_owned()], ..Default::default() };
        let (redis, postgres) = runtime
            .block_on(async { Ok::<_, Failed>((Redis::start().await?, Postgres::start_with(settings).await?)) })?;
        let programs = std::env::current_exe()?.parent().ok_or("no folder")?.to_owned();
        let bare = Server::start(Command::new(programs.join("bare")), core)?;
        let folder = tempfile::tempdir()?;
        let mut each = Vec::new();
        for behind in Behind::ALL {
            let url = if behind.is_redis() { redis.url() } else { postgres.url() };
            each.push((behind, Server::start(site(&programs, behind, &url, folder.path()), core)?));
        }
        Ok(Self { bare, each, redis, _postgres: postgres, _folder: folder, runtime })
    }

    /// One of the sites, and what keeps its sessions.
    pub(crate) fn of(&mut self, behind: Behind) -> (&mut Server, StoreServer<'_>) {
        let redis = behind.is_redis().then_some((&self.redis, &self.runtime));
        let site = self.each.iter_mut().find(|(other, _)| *other == behind);
        let (_, site) = site.unwrap_or_else(|| unreachable!("all of them were started"));
        (site, StoreServer { redis })
    }
}

impl Behind {
    const fn is_redis(self) -> bool {
        matches!(self, Self::CachedRedis | Self::Redis)
    }

    const fn is_cached(self) -> bool {
        matches!(self, Self::CachedRedis | Self::CachedPostgres)
    }
}

/// As the demo and the gateway use such a store: a node's journal is on its disk.
fn site(programs: &Path, behind: Behind, url: &str, folder: &Path) -> Command {
    let mut site = Command::new(programs.join("shared-sessions"));
    site.arg(url).arg("--journal").arg(folder.join(format!("revocations-{behind:?}")));
    if behind.is_cached() {
        site.arg("--near-cache");
    }
    site
}

impl StoreServer<'_> {
    /// How many commands it was sent since it started, scripts as one; none if it does not count them.
    ///
    /// # Errors
    /// If it does not answer.
    pub(crate) fn commands(&self) -> Result<Option<u64>, Failed> {
        let Some((redis, runtime)) = self.redis else { return Ok(None) };
        Ok(Some(scripts(&runtime.block_on(redis.tell("INFO commandstats"))?)))
    }
}

fn scripts(told: &str) -> u64 {
    let counted = |line: &str| ["cmdstat_evalsha:", "cmdstat_eval:"].iter().any(|name| line.starts_with(name));
    let counts = told.lines().filter(|line| counted(line));
    counts.filter_map(|line| line.split("calls=").nth(1)?.split(',').next()?.parse::<u64>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_are_counted_and_what_they_do_is_not() {
        let told = "# Commandstats\r\ncmdstat_get:calls=9,usec=1\r\ncmdstat_evalsha:calls=40,usec=7,usec_per_call=1\r\n\
                    cmdstat_eval:calls=2,usec=7\r\n";
        assert_eq!(scripts(told), 42);
        assert_eq!(scripts("# Commandstats\r\n"), 0);
    }
}
