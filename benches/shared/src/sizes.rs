//! How much room a session takes in Redis and in PostgreSQL.

use counterfoil::SystemClock;
use counterfoil_benches::Failed;
use counterfoil_benches::records::{NOW, added, signed_in};
use counterfoil_benches::site::{FixedKeys, sealer};
use counterfoil_core::Record;
use counterfoil_core::data::Payload;
use counterfoil_core::keys::KeyRing;
use counterfoil_core::store::Store;
use counterfoil_servers::{Postgres, Redis};
use counterfoil_stores::postgres::{self, PostgresStore};
use counterfoil_stores::redis::{self, RedisStore};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

/// Bytes of one session.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    /// In Redis' memory, by its own count.
    pub(crate) redis: u64,
    /// Of PostgreSQL's table.
    pub(crate) rows: u64,
    /// Of its indexes.
    pub(crate) indexes: u64,
}

/// Fills servers of its own.
pub(crate) async fn measure() -> Result<Sizes, Failed> {
    let server = Redis::start().await?;
    let store = RedisStore::open(&server.url(), sealer()?, SystemClock, redis::Settings::default()).await?;
    // Has the server know the script before its memory is looked at.
    fill(&store, 0..1).await?;
    let before = memory(&server).await?;
    fill(&store, 1..SESSIONS + 1).await?;
    let redis = (memory(&server).await? - before) / SESSIONS;
    let server = Postgres::start().await?;
    let store = PostgresStore::open(&server.url(), sealer()?, SystemClock, postgres::Settings::default()).await?;
    fill(&store, 0..SESSIONS).await?;
    let each = async |what: &str| -> Result<u64, Failed> {
        let told = asked(&server, &format!("SELECT {what}('counterfoil.sessions')")).await?;
        Ok(told.trim().parse::<u64>()? / SESSIONS)
    };
    Ok(Sizes { redis, rows: each("pg_table_size").await?, indexes: each("pg_indexes_size").await? })
}

/// Sessions with 100 bytes of data, each of a subject of its own.
async fn fill(store: &impl Store, numbers: std::ops::Range<u64>) -> Result<(), Failed> {
    let ring = KeyRing::from_source(&FixedKeys)?;
    let record = |number| -> Result<Record, Failed> {
        let record = signed_in(&ring, number)?;
        let data = Payload::from_bytes(record.data.as_bytes().get(..DATA).ok_or("too little data")?);
        Ok(Record { data, ..record })
    };
    let inserts = stream::iter(numbers).map(|number| async move {
        let record = record(number)?;
        added(&store.insert(record, None, NOW).await?)
    });
    inserts.buffer_unordered(AT_ONCE).try_collect::<()>().await
}

async fn memory(server: &Redis) -> Result<u64, Failed> {
    let told = server.tell("INFO memory").await?;
    let used = told.lines().find_map(|line| line.strip_prefix("used_memory:"));
    Ok(used.ok_or("Redis does not say what it uses")?.trim().parse()?)
}

async fn asked(server: &Postgres, sql: &str) -> Result<String, Failed> {
    let output = server.command("psql").args(["--no-psqlrc", "-Atc", sql, &server.url()]).output().await?;
    if !output.status.success() {
        return Err(format!("{sql}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

pub(crate) const SESSIONS: u64 = 20_000;
pub(crate) const DATA: usize = 100;
const AT_ONCE: usize = 64;
