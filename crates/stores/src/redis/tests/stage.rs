//! Stores at one real Redis, each case under a prefix of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use counterfoil_core::conformance::{Dump, Entry, Factory, Formats, Outage, Stage, Version};
use counterfoil_core::keys::{GeneratedKeys, SharedRing};
use counterfoil_core::seal::Sealer;
use counterfoil_core::store::{BoxError, BoxFuture, DynStore, Live};
use counterfoil_core::stored::{self, Format};
use counterfoil_core::{FakeClock, Record};
use counterfoil_servers::{Redis, RedisCluster};
use redis::Value;
use tempfile::TempDir;
use tokio::sync::Mutex;

use crate::redis::beat::Beat;
use crate::redis::line::Line;
use crate::redis::{RedisStore, Settings};

/// How many stores the nodes of a case have.
#[derive(Clone, Copy)]
pub(super) enum Nodes {
    /// All have the same.
    One,
    /// Each has its own.
    Each,
}

/// What they are on.
#[derive(Clone, Copy)]
pub(super) enum On {
    Server,
    Cluster,
}

/// Servers that are started, and stopped for outages.
type Servers = Arc<Mutex<Vec<Redis>>>;

/// Makes stores for the suite.
pub(super) struct AtRedis {
    servers: Servers,
    url: String,
    nodes: Nodes,
    clock: FakeClock,
    made: AtomicU64,
    /// For journals.
    folder: TempDir,
}

struct Staged {
    servers: Servers,
    stores: Vec<Arc<RedisStore>>,
}

pub(super) fn sealer() -> Sealer {
    Sealer::new(SharedRing::from_source(&GeneratedKeys).unwrap())
}

impl AtRedis {
    pub(super) async fn start(on: On, nodes: Nodes, clock: FakeClock) -> Self {
        let (url, servers) = match on {
            On::Server => {
                let server = Redis::start().await.unwrap();
                (server.url(), vec![server])
            }
            On::Cluster => {
                let cluster = RedisCluster::start().await.unwrap();
                (cluster.url(), cluster.nodes)
            }
        };
        Self {
            servers: Arc::new(Mutex::new(servers)),
            url,
            nodes,
            clock,
            made: AtomicU64::new(0),
            folder: tempfile::tempdir().unwrap(),
        }
    }
}

impl Factory for AtRedis {
    fn make(&self, nodes: usize) -> BoxFuture<'_, Result<Box<dyn Stage>, BoxError>> {
        Box::pin(async move {
            let number = self.made.fetch_add(1, Ordering::SeqCst);
            let settings = Settings {
                prefix: format!("case{number}:").into(),
                journal: Some(self.folder.path().join(format!("case{number}"))),
                ..Settings::default()
            };
            let sealer = sealer();
            let mut stores = Vec::new();
            let count = match self.nodes {
                Nodes::One => 1,
                Nodes::Each => nodes,
            };
            for _ in 0..count {
                let store = RedisStore::open(&self.url, sealer.clone(), self.clock.clone(), settings.clone());
                stores.push(Arc::new(store.await?));
            }
            let stage: Box<dyn Stage> = Box::new(Staged { servers: Arc::clone(&self.servers), stores });
            Ok(stage)
        })
    }
}

impl Staged {
    async fn connection(&self) -> Line {
        self.stores[0].link.line().await.unwrap()
    }

    fn prefix(&self) -> &str {
        &self.stores[0].settings.prefix
    }
}

impl RedisStore {
    /// Whether every tag can be asked for.
    async fn is_well(&self) -> bool {
        let Ok(line) = self.link.line().await else { return false };
        let beat = Beat::take(&self.settings.prefix, &line, self.apart).await;
        beat.counts.iter().all(|(tag, count)| count.as_ref().is_ok_and(|count| *count >= self.link.known.get(*tag)))
    }
}

impl Stage for Staged {
    fn node(&self, index: usize) -> Arc<dyn DynStore> {
        Arc::clone(&self.stores[index % self.stores.len()]) as Arc<dyn DynStore>
    }

    fn settle(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            let line = self.connection().await;
            let beat = Beat::take(self.prefix(), &line, self.stores[0].apart).await;
            for (tag, count) in beat.counts {
                let count = count.unwrap();
                for store in &self.stores {
                    while store.link.heard.get(tag) < count {
                        tokio::time::sleep(Duration::from_millis(1)).await;
                    }
                }
            }
        })
    }

    fn printed(&self) -> String {
        format!("{:?}", self.stores)
    }

    fn dump(&self) -> Option<&dyn Dump> {
        Some(self)
    }

    fn formats(&self) -> Option<&dyn Formats> {
        Some(self)
    }

    fn outage(&self) -> Option<&dyn Outage> {
        Some(self)
    }
}

impl Dump for Staged {
    fn entries(&self) -> BoxFuture<'_, Result<Vec<Entry>, BoxError>> {
        Box::pin(async {
            let mut connection = self.connection().await;
            let keys: Vec<Vec<u8>> =
                redis::cmd("KEYS").arg(format!("{}*", self.prefix())).query_async(&mut connection).await?;
            let mut entries = Vec::new();
            for key in keys {
                let value: Value = redis::cmd("DUMP").arg(&key).query_async(&mut connection).await?;
                // As it is, for those that are plain; packed, for those that are not.
                let plain: Value = redis::cmd("GET").arg(&key).query_async(&mut connection).await.unwrap_or(Value::Nil);
                for value in [value, plain] {
                    if let Value::BulkString(value) = value {
                        entries.push(Entry { key: key.clone(), value });
                    }
                }
            }
            Ok(entries)
        })
    }
}

impl Formats for Staged {
    fn plant(&self, record: Record, version: Version) -> BoxFuture<'_, Result<(), BoxError>> {
        Box::pin(async move {
            let id = *record.id.as_bytes();
            let mut bytes = stored::encode(&Live::born(record), &self.stores[0].sealer.clone().writing(Format::One))?;
            if version == Version::Newer {
                bytes[0] = Format::LATEST.version() + 1;
            }
            let tag = format!("{}s:{{{:02x}}}:", self.prefix(), id[0]);
            let key = [tag.as_bytes(), &id[1..]].concat();
            redis::cmd("SET").arg(key).arg(bytes).query_async::<()>(&mut self.connection().await).await?;
            Ok(())
        })
    }
}

impl Outage for Staged {
    fn begin(&self) -> BoxFuture<'_, Result<(), BoxError>> {
        Box::pin(async {
            for server in &mut *self.servers.lock().await {
                server.kill().await?;
            }
            Ok(())
        })
    }

    fn end(&self) -> BoxFuture<'_, Result<(), BoxError>> {
        Box::pin(async {
            for server in &mut *self.servers.lock().await {
                server.start_again().await?;
            }
            // As long as it takes a node to notice.
            for store in &self.stores {
                while !store.is_well().await {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }
            Ok(())
        })
    }
}
