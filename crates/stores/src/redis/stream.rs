//! What other nodes do: the stream of revocations, read by one task on a connection of its own.
//!
//! Entries are numbered without gaps (`1-0`, `1-1`, …), so whoever reads on knows whether anything is missing. A new
//! connection always counts as a gap: another server may answer, which never had what the one before told.

use std::sync::Arc;
use std::time::Duration;

use counterfoil_core::store::{Notice, Notices};
use counterfoil_core::{Clock, SessionId, SubjectRef};
use redis::aio::MultiplexedConnection;
use redis::streams::{StreamId, StreamRangeReply, StreamReadReply};
use redis::{AsyncConnectionConfig, Client, RedisResult, Value};
use tokio::sync::watch;
use tokio::time::sleep;

use super::Settings;

/// Up to which entry everything was told.
#[derive(Debug, Clone)]
pub(super) struct Heard(watch::Sender<Option<u64>>);

/// Whoever reads.
pub(super) struct Reader<C> {
    client: Client,
    key: String,
    config: AsyncConnectionConfig,
    clock: Arc<C>,
    notices: Arc<Notices>,
    heard: Heard,
}

/// A connection, and the entry up to which it has read.
pub(super) struct Reading<C> {
    reader: Reader<C>,
    connection: MultiplexedConnection,
    last: Option<u64>,
}

impl Default for Heard {
    fn default() -> Self {
        Self(watch::Sender::new(None))
    }
}

impl Heard {
    /// Waits until everything up to this entry was told.
    #[cfg(test)]
    pub(super) async fn wait_for(&self, entry: Option<u64>) {
        let mut heard = self.0.subscribe();
        // The sender lives as long as this does.
        let _ = heard.wait_for(|heard| *heard >= entry).await;
    }
}

impl<C: Clock> Reader<C> {
    pub(super) fn new(client: Client, settings: &Settings, clock: Arc<C>, notices: Arc<Notices>, heard: Heard) -> Self {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(settings.connect_timeout))
            .set_response_timeout(Some(BLOCK + settings.timeout));
        Self { client, key: format!("{}rev", settings.prefix), config, clock, notices, heard }
    }

    /// Connects, and begins at the end of the stream as it is now.
    pub(super) async fn begin(self) -> RedisResult<Reading<C>> {
        let mut connection = self.connect().await?;
        let last = newest(&mut connection, &self.key).await?;
        self.heard.0.send_replace(last);
        Ok(Reading { reader: self, connection, last })
    }

    async fn connect(&self) -> RedisResult<MultiplexedConnection> {
        self.client.get_multiplexed_async_connection_with_config(&self.config).await
    }
}

impl<C: Clock> Reading<C> {
    /// Reads for ever.
    pub(super) async fn run(mut self) {
        loop {
            if let Err(error) = self.step().await {
                let at = self.reader.client.get_connection_info().addr().to_string();
                tracing::warn!(%error, at, "the stream of revocations broke off; sessions are looked up until it is back");
                self.again().await;
            }
        }
    }

    /// Waits for what is next, and tells it.
    async fn step(&mut self) -> RedisResult<()> {
        let asked = self.reader.clock.now();
        let from = self.last.map_or_else(|| "0-0".to_owned(), |last| format!("1-{last}"));
        let mut read = redis::cmd("XREAD");
        read.arg("BLOCK").arg(BLOCK_MILLIS).arg("COUNT").arg(COUNT);
        read.arg("STREAMS").arg(&self.reader.key).arg(from);
        let reply: Option<StreamReadReply> = read.query_async(&mut self.connection).await?;
        let entries = reply.into_iter().flat_map(|reply| reply.keys).flat_map(|key| key.ids).collect::<Vec<_>>();
        for entry in &entries {
            self.hear(entry);
        }
        if entries.is_empty() && newest(&mut self.connection, &self.reader.key).await? < self.last {
            self.jump().await?;
        }
        if entries.len() < COUNT {
            self.reader.notices.tell(Notice::UpTo(asked));
        }
        Ok(())
    }

    fn hear(&mut self, entry: &StreamId) {
        let number = number_of(&entry.id);
        let follows = number.is_some() && number == self.last.map_or(Some(0), |last| last.checked_add(1));
        let notice = entry.map.iter().next().and_then(|(kind, what)| notice(kind, what));
        self.reader.notices.tell(notice.filter(|_| follows).unwrap_or(Notice::Gap));
        self.last = number.or(self.last);
        self.reader.heard.0.send_replace(self.last);
    }

    /// Goes on at the end of the stream as it is now; what was between is not known.
    async fn jump(&mut self) -> RedisResult<()> {
        self.last = newest(&mut self.connection, &self.reader.key).await?;
        self.reader.notices.tell(Notice::Gap);
        self.reader.heard.0.send_replace(self.last);
        Ok(())
    }

    /// Connects once more, for as long as it takes.
    async fn again(&mut self) {
        let mut pause = FIRST_PAUSE;
        loop {
            sleep(pause).await;
            if let Ok(connection) = self.reader.connect().await {
                self.connection = connection;
                if self.jump().await.is_ok() {
                    return;
                }
            }
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }
}

/// The number of the newest entry.
async fn newest(connection: &mut MultiplexedConnection, key: &str) -> RedisResult<Option<u64>> {
    let mut newest = redis::cmd("XREVRANGE");
    newest.arg(key).arg("+").arg("-").arg("COUNT").arg(1);
    let reply: StreamRangeReply = newest.query_async(connection).await?;
    Ok(reply.ids.first().and_then(|entry| number_of(&entry.id)))
}

fn number_of(id: &str) -> Option<u64> {
    id.strip_prefix("1-")?.parse().ok()
}

/// What an entry says; nothing where a newer version wrote it.
fn notice(kind: &str, what: &Value) -> Option<Notice> {
    let Value::BulkString(what) = what else { return None };
    match kind {
        "e" => Some(Notice::Ended(SessionId::from_bytes(what.as_slice().try_into().ok()?))),
        "c" => Some(Notice::Changed(SessionId::from_bytes(what.as_slice().try_into().ok()?))),
        "s" => Some(Notice::SubjectEnded(SubjectRef::from_bytes(what.as_slice().try_into().ok()?))),
        "a" => Some(Notice::AllEnded),
        _ => None,
    }
}

/// How long the server waits for an entry before it says that there is none: how often a node hears that it is up to date.
const BLOCK_MILLIS: u64 = 500;
const BLOCK: Duration = Duration::from_millis(BLOCK_MILLIS);
/// How many entries one answer has at most.
const COUNT: usize = 1_000;
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
