//! Hearing of what other nodes did: at the ring of their doorbells, and every second.
//!
//! What a verb ended or changed stands in the table `rev`, written in the same transaction. The bell, `NOTIFY`, is rung
//! afterwards and apart: inside a durable transaction it would have all commits wait for each other.
//!
//! Numbers and transactions are given out before they are committed, so "all after the last one I saw" would leave some out.
//! A reader therefore begins where its last snapshot's oldest running transaction was: all before that were committed and
//! seen, or never will be. What it sees twice it tells once.

use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use counterfoil_core::store::{Notice, Notices, Revision};
use counterfoil_core::{Clock, SessionId, SubjectRef};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_postgres::Row;

use super::connection::{Connection, Connector};
use super::error::PostgresError;
use super::schema::TOLD;

/// Has the other nodes told that there is something to read.
#[derive(Default)]
pub(super) struct Doorbell(Notify);

pub(super) struct Listener {
    connector: Arc<Connector>,
    clock: Arc<dyn Clock>,
    notices: Arc<Notices>,
    doorbell: Arc<Doorbell>,
}

/// A connection that listens, and how far it has read.
pub(super) struct Ear {
    connection: Connection,
    rang: Arc<Notify>,
    /// The oldest transaction that may have more to say.
    from: String,
    /// What was told of that one and later ones.
    told: HashSet<i64>,
    /// The server's time at the last read, in milliseconds.
    read_at: i64,
}

impl Doorbell {
    pub(super) fn ring(&self) {
        self.0.notify_one();
    }
}

impl Listener {
    pub(super) fn new(
        connector: Arc<Connector>,
        clock: Arc<dyn Clock>,
        notices: Arc<Notices>,
        doorbell: Arc<Doorbell>,
    ) -> Self {
        Self { connector, clock, notices, doorbell }
    }

    /// Listens from now on.
    pub(super) async fn begin(&self) -> Result<Ear, PostgresError> {
        self.in_time(async {
            let rang = Arc::new(Notify::new());
            let connection = self.connector.bare(Some(Arc::clone(&rang))).await?;
            self.connector.arrive(&connection).await?;
            connection.run(&format!("LISTEN {}", self.channel())).await?;
            let mut ear = Ear { connection, rang, from: String::new(), told: HashSet::new(), read_at: 0 };
            // Told once more, what happened just before does no harm.
            ear.from = ear.oldest().await?;
            self.read(&mut ear).await?;
            Ok(ear)
        })
        .await
    }

    /// Reads for as long as the store is open. A connection that was lost may come back to another server, which numbers
    /// its transactions anew: whatever was known by then is void.
    pub(super) async fn run(self, mut ear: Ear) {
        loop {
            let Err(error) = self.listen(&mut ear).await;
            tracing::warn!(error = &error as &dyn std::error::Error, "what other nodes end is not heard of for now");
            ear = loop {
                match self.begin().await {
                    Ok(ear) => break ear,
                    Err(error) => {
                        tracing::debug!(
                            error = &error as &dyn std::error::Error,
                            "the database cannot be listened to yet"
                        );
                        sleep(RETRY).await;
                    }
                }
            };
            tracing::info!("what other nodes end is heard of again");
        }
    }

    async fn listen(&self, ear: &mut Ear) -> Result<Infallible, PostgresError> {
        let mut quiet_until = Instant::now();
        loop {
            tokio::select! {
                () = self.doorbell.0.notified() => {
                    // Those that rang meanwhile share the next ring.
                    sleep_until(quiet_until).await;
                    quiet_until = Instant::now() + BETWEEN_RINGS;
                    let ring = format!(
                        "SELECT set_config('synchronous_commit', 'off', true), pg_notify('{}', '')",
                        self.channel()
                    );
                    self.in_time(ear.connection.one(&ring)).await?;
                }
                () = ear.rang.notified() => self.in_time(self.read(ear)).await?,
                () = sleep(AT_LEAST) => self.in_time(self.read(ear)).await?,
            }
        }
    }

    /// Tells what is new, and up to when that is all.
    async fn read(&self, ear: &mut Ear) -> Result<(), PostgresError> {
        let sent = self.clock.now();
        let rows = ear.connection.query(&self.sql(), &[&ear.from]).await?;
        let first = rows.first().ok_or_else(|| PostgresError::NoTables("`meta` is empty".into()))?;
        let (oldest, now): (String, i64) = (first.try_get(0)?, first.try_get(1)?);
        self.connector.hear_format(first.try_get(7)?);
        let away = now.abs_diff(ear.read_at);
        // Longer than half the time that rows are kept: some may be gone, and so they may after a first look.
        if u128::from(away) > TOLD.as_millis() / 2 {
            self.notices.tell(Notice::Gap);
        }
        if first.try_get::<_, Option<bool>>(6)? != Some(true) {
            // While connections stay as they are, nobody else would look. What it ends is told with the next read.
            self.connector.arrive(&ear.connection).await?;
            ear.rang.notify_one();
        }
        let mut told = HashSet::new();
        for row in &rows {
            let Some(seq) = row.try_get::<_, Option<i64>>(2)? else { continue };
            if !ear.told.contains(&seq)
                && let Some(notice) = notice(row)?
            {
                self.notices.tell(notice);
            }
            if row.try_get(5)? {
                told.insert(seq);
            }
        }
        (ear.from, ear.told, ear.read_at) = (oldest, told, now);
        self.notices.tell(Notice::UpTo(sent));
        Ok(())
    }

    fn sql(&self) -> String {
        format!(
            "SELECT pg_snapshot_xmin(pg_current_snapshot())::text, \
             (extract(epoch FROM clock_timestamp()) * 1000)::bigint, r.seq, r.kind, r.key, \
             coalesce(r.tx >= pg_snapshot_xmin(pg_current_snapshot()), false), m.home = {schema}.home(), m.format, s.revision \
             FROM {schema}.meta m LEFT JOIN {schema}.rev r ON r.tx >= $1::text::xid8 \
             LEFT JOIN {schema}.sessions s ON r.kind = 'c' AND s.id = r.key ORDER BY r.tx, r.seq",
            schema = self.connector.schema
        )
    }

    fn channel(&self) -> String {
        format!("{}_rev", self.connector.schema)
    }

    async fn in_time<T>(&self, asked: impl Future<Output = Result<T, PostgresError>>) -> Result<T, PostgresError> {
        let limit = self.connector.limit;
        timeout(limit, asked).await.map_err(|_| PostgresError::Late(limit))?
    }
}

impl Ear {
    async fn oldest(&self) -> Result<String, PostgresError> {
        let row = self.connection.one("SELECT pg_snapshot_xmin(pg_current_snapshot())").await?;
        let text = row.and_then(|row| row.get(0).map(str::to_owned));
        text.ok_or_else(|| PostgresError::NoTables("it does not say which transactions run".into()))
    }
}

/// What a row says. One of a later version that means nothing to this one may mean anything.
fn notice(row: &Row) -> Result<Option<Notice>, PostgresError> {
    let (kind, key): (&str, &[u8]) = (row.try_get(3)?, row.try_get(4)?);
    let session = || key.try_into().ok().map(SessionId::from_bytes);
    let notice = match kind {
        "e" => session().map(Notice::Ended),
        "c" => {
            let revision = row.try_get::<_, Option<i64>>(8)?.map(|revision| Revision(revision.cast_unsigned()));
            // What is not there any more is over.
            session().map(|id| revision.map_or(Notice::Ended(id), |revision| Notice::Changed(id, revision)))
        }
        "s" => key.try_into().ok().map(SubjectRef::from_bytes).map(Notice::SubjectEnded),
        "a" => Some(Notice::AllEnded),
        _ => None,
    };
    Ok(Some(notice.unwrap_or(Notice::Gap)))
}

/// At the latest.
const AT_LEAST: Duration = Duration::from_secs(1);
/// Between attempts to listen again.
const RETRY: Duration = Duration::from_millis(250);
/// Between two rings of one node: what ends meanwhile is told by one.
const BETWEEN_RINGS: Duration = Duration::from_millis(2);
