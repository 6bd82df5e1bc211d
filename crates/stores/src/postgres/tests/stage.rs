//! Stores on a real server, a schema for each; and what can be done to that server.

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use counterfoil_core::conformance::{Backup, Dump, Entry, Factory, Formats, Outage, Stage, Version};
use counterfoil_core::keys::{GeneratedKeys, SharedRing};
use counterfoil_core::seal::Sealer;
use counterfoil_core::store::{BoxError, BoxFuture, DynStore, Live, Notice, Store};
use counterfoil_core::stored::{self, Format};
use counterfoil_core::{FakeClock, Record};
use counterfoil_servers::{Disk, Postgres, PostgresSettings};
use futures_util::StreamExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::Mutex;

use crate::postgres::connection::{Connection, Connector, hex};
use crate::postgres::{Address, PostgresStore, Settings};

/// Makes stores for the suite, in one server.
pub(super) struct Schemas {
    pub(super) server: Arc<Mutex<Postgres>>,
    pub(super) clock: FakeClock,
    pub(super) url: String,
    nodes: usize,
    made: AtomicUsize,
}

/// A store as its nodes see it.
pub(super) struct OnServer {
    pub(super) stores: Vec<Arc<PostgresStore>>,
    pub(super) settings: Settings,
    server: Arc<Mutex<Postgres>>,
    url: String,
    dump: Mutex<Vec<u8>>,
}

impl Schemas {
    pub(super) async fn start(clock: FakeClock) -> Self {
        Self::start_with(PostgresSettings { disk: Disk::Memory, ..PostgresSettings::default() }, clock).await
    }

    pub(super) async fn start_with(settings: PostgresSettings, clock: FakeClock) -> Self {
        let server = Postgres::start_with(settings).await.unwrap();
        let url = server.url();
        Self { server: Arc::new(Mutex::new(server)), clock, url, nodes: 2, made: AtomicUsize::new(0) }
    }

    pub(super) fn with_nodes(self, nodes: usize) -> Self {
        Self { nodes, ..self }
    }

    /// Settings with a schema of their own, and patient: this machine may be busy.
    pub(super) fn settings(&self) -> Settings {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        Settings {
            schema: format!("shop_{number}"),
            connections: 8,
            timeout: Duration::from_secs(20),
            ..Settings::default()
        }
    }

    pub(super) async fn make_with(&self, settings: Settings) -> OnServer {
        let sealer = sealer();
        let mut stores = Vec::new();
        for _ in 0..self.nodes {
            let opened = PostgresStore::open(&self.url, sealer.clone(), self.clock.clone(), settings.clone()).await;
            stores.push(Arc::new(opened.unwrap()));
        }
        let (server, url) = (Arc::clone(&self.server), self.url.clone());
        OnServer { stores, settings, server, url, dump: Mutex::default() }
    }

    pub(super) async fn make(&self) -> OnServer {
        self.make_with(self.settings()).await
    }
}

pub(super) fn sealer() -> Sealer {
    Sealer::new(SharedRing::from_source(&GeneratedKeys).unwrap())
}

/// A connection for a look at the server.
pub(super) async fn look(url: &str) -> Connection {
    let settings = Settings { timeout: Duration::from_secs(20), ..Settings::default() };
    let clock = Arc::new(FakeClock::at(counterfoil_core::Moment::EPOCH));
    let connector = Connector::new(Address::parse(url).unwrap(), &settings, &sealer(), clock);
    connector.bare(None).await.unwrap()
}

/// The first field of the first row.
pub(super) async fn value(connection: &Connection, sql: &str) -> String {
    let row = connection.one(sql).await.unwrap();
    row.and_then(|row| row.get(0).map(str::to_owned)).unwrap_or_default()
}

/// Waits until a store has read whatever was committed by now.
pub(super) async fn caught_up(store: &PostgresStore) {
    let mut watch = Store::watch(store);
    // The first may have been asked for before.
    for _ in 0..2 {
        store.doorbell.ring();
        while !matches!(watch.next().await, Some(Notice::UpTo(_))) {}
    }
}

impl OnServer {
    /// A program of the server's, such as `psql`, given `input`.
    async fn program(&self, program: &str, arguments: &[&str], input: &[u8]) -> Vec<u8> {
        let mut command = self.server.lock().await.command(program);
        command.args(arguments).args(["--dbname", &self.url]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(input).await.unwrap();
        drop(stdin);
        let output = child.wait_with_output().await.unwrap();
        assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }
}

impl Factory for Schemas {
    fn make(&self, _: usize) -> BoxFuture<'_, Result<Box<dyn Stage>, BoxError>> {
        Box::pin(async {
            let stage: Box<dyn Stage> = Box::new(Schemas::make(self).await);
            Ok(stage)
        })
    }
}

impl Stage for OnServer {
    fn node(&self, index: usize) -> Arc<dyn DynStore> {
        Arc::clone(&self.stores[index % self.stores.len()]) as Arc<dyn DynStore>
    }

    fn settle(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            for store in &self.stores {
                caught_up(store).await;
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

    fn backup(&self) -> Option<&dyn Backup> {
        Some(self)
    }

    fn outage(&self) -> Option<&dyn Outage> {
        Some(self)
    }
}

impl Dump for OnServer {
    fn entries(&self) -> BoxFuture<'_, Result<Vec<Entry>, BoxError>> {
        Box::pin(async {
            let connection = look(&self.url).await;
            let mut entries = Vec::new();
            // The bytes as they are, and every row as text.
            for query in [
                "SELECT id, coalesce(record, reason::bytea) FROM {}.sessions",
                "SELECT id, t::text::bytea FROM {}.sessions t",
                "SELECT subject, t::text::bytea FROM {}.epochs t",
                "SELECT name, id FROM {}.names",
                "SELECT key, t::text::bytea FROM {}.rev t",
                "SELECT reference_mark, t::text::bytea FROM {}.meta t",
            ] {
                for row in connection.query(&query.replace("{}", &self.settings.schema), &[]).await? {
                    entries.push(Entry { key: row.get(0), value: row.get(1) });
                }
            }
            Ok(entries)
        })
    }
}

impl Formats for OnServer {
    fn plant(&self, record: Record, version: Version) -> BoxFuture<'_, Result<(), BoxError>> {
        Box::pin(async move {
            let (id, now, schema) = (record.id, record.created_at, &self.settings.schema);
            Store::insert(&*self.stores[0], record.clone(), None, now).await?;
            let earlier = self.stores[0].sealer.clone().writing(Format::One);
            let mut bytes = stored::encode(&Live::born(record), &earlier)?;
            if version == Version::Newer {
                bytes[0] = Format::LATEST.version() + 1;
            }
            let sql = format!(
                "UPDATE {schema}.sessions SET record = '\\x{}' WHERE id = '\\x{}'",
                hex(&bytes),
                hex(id.as_bytes())
            );
            look(&self.url).await.run(&sql).await?;
            Ok(())
        })
    }
}

/// As an operator does it, with the tools of the server and no other step; under nodes that stay connected, which they
/// had better not.
impl Backup for OnServer {
    fn back_up(&self) -> BoxFuture<'_, Result<(), BoxError>> {
        Box::pin(async {
            *self.dump.lock().await = self.program("pg_dump", &["--schema", &self.settings.schema], b"").await;
            Ok(())
        })
    }

    fn restore(&self) -> BoxFuture<'_, Result<(), BoxError>> {
        Box::pin(async {
            let drop_it = format!("DROP SCHEMA {} CASCADE;\n", self.settings.schema);
            let script = [drop_it.as_bytes(), &self.dump.lock().await].concat();
            let arguments = ["--no-psqlrc", "--quiet", "--single-transaction", "--set", "ON_ERROR_STOP=1"];
            self.program("psql", &arguments, &script).await;
            Ok(())
        })
    }
}

impl Outage for OnServer {
    fn begin(&self) -> BoxFuture<'_, Result<(), BoxError>> {
        Box::pin(async { Ok(self.server.lock().await.stop().await?) })
    }

    fn end(&self) -> BoxFuture<'_, Result<(), BoxError>> {
        Box::pin(async { Ok(self.server.lock().await.start_again().await?) })
    }
}
