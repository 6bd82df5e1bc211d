//! Stores at one real Redis, each case under a prefix of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use counterfoil_core::conformance::{Dump, Entry, Factory, Formats, Outage, Stage, Version};
use counterfoil_core::keys::{GeneratedKeys, SharedRing};
use counterfoil_core::seal::Sealer;
use counterfoil_core::store::{BoxError, BoxFuture, DynStore, Live};
use counterfoil_core::{FakeClock, Record, stored};
use counterfoil_servers::Redis;
use redis::Value;
use redis::aio::ConnectionManager;
use tokio::sync::Mutex;

use crate::redis::{RedisStore, Settings};

/// How many stores the nodes of a case have.
#[derive(Clone, Copy)]
pub(super) enum Nodes {
    /// All have the same.
    One,
    /// Each has its own.
    Each,
}

/// Makes stores for the suite.
pub(super) struct AtRedis {
    server: Arc<Mutex<Redis>>,
    url: String,
    nodes: Nodes,
    clock: FakeClock,
    made: AtomicU64,
}

struct Staged {
    server: Arc<Mutex<Redis>>,
    stores: Vec<Arc<RedisStore>>,
}

pub(super) fn sealer() -> Sealer {
    Sealer::new(SharedRing::from_source(&GeneratedKeys).unwrap())
}

impl AtRedis {
    pub(super) async fn start(nodes: Nodes, clock: FakeClock) -> Self {
        let server = Redis::start().await.unwrap();
        let url = server.url();
        Self { server: Arc::new(Mutex::new(server)), url, nodes, clock, made: AtomicU64::new(0) }
    }
}

impl Factory for AtRedis {
    fn make(&self, nodes: usize) -> BoxFuture<'_, Result<Box<dyn Stage>, BoxError>> {
        Box::pin(async move {
            let number = self.made.fetch_add(1, Ordering::SeqCst);
            let settings = Settings { prefix: format!("case{number}:").into(), ..Settings::default() };
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
            let stage: Box<dyn Stage> = Box::new(Staged { server: Arc::clone(&self.server), stores });
            Ok(stage)
        })
    }
}

impl Staged {
    fn connection(&self) -> ConnectionManager {
        self.stores[0].connection.clone()
    }

    fn prefix(&self) -> &str {
        &self.stores[0].settings.prefix
    }
}

impl Stage for Staged {
    fn node(&self, index: usize) -> Arc<dyn DynStore> {
        Arc::clone(&self.stores[index % self.stores.len()]) as Arc<dyn DynStore>
    }

    fn settle(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            let key = format!("{}rev", self.prefix());
            let newest = redis::cmd("XREVRANGE").arg(key).arg("+").arg("-").arg("COUNT").arg(1).to_owned();
            let newest: redis::streams::StreamRangeReply = newest.query_async(&mut self.connection()).await.unwrap();
            let newest = newest.ids.first().and_then(|entry| entry.id.strip_prefix("1-")?.parse().ok());
            for store in &self.stores {
                store.heard.wait_for(newest).await;
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
            let mut connection = self.connection();
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
            let mut bytes = stored::encode(&Live::born(record), &self.stores[0].sealer)?;
            if version == Version::Newer {
                bytes[0] += 1;
            }
            let tag = format!("{}s:{{{:02x}{:02x}}}:", self.prefix(), id[0], id[1]);
            let key = [tag.as_bytes(), &id[2..]].concat();
            redis::cmd("SET").arg(key).arg(bytes).query_async::<()>(&mut self.connection()).await?;
            Ok(())
        })
    }
}

impl Outage for Staged {
    fn begin(&self) -> BoxFuture<'_, Result<(), BoxError>> {
        Box::pin(async { Ok(self.server.lock().await.stop().await?) })
    }

    fn end(&self) -> BoxFuture<'_, Result<(), BoxError>> {
        Box::pin(async {
            self.server.lock().await.start_again().await?;
            // As long as it takes a node to notice.
            for store in &self.stores {
                while counterfoil_core::store::Store::time(&**store).await.is_err() {}
            }
            Ok(())
        })
    }
}
