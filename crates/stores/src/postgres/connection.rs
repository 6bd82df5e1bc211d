//! One connection: made, checked, its statements prepared; closed at once when whoever used it went away in the middle.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use counterfoil_core::Clock;
use counterfoil_core::seal::Sealer;
use futures_util::future::try_join_all;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_postgres::types::ToSql;
use tokio_postgres::{AsyncMessage, Client, Row, SimpleQueryMessage, SimpleQueryRow, Statement};

use super::address::Address;
use super::columns::millis;
use super::error::PostgresError;
use super::schema::{FORMAT, format_of};
use super::settings::Settings;
use super::statement::Ask;

/// What a statement is given.
pub(super) type Parameters<'a> = &'a [&'a (dyn ToSql + Sync)];

/// Makes connections.
pub(super) struct Connector {
    pub(super) address: Address,
    pub(super) schema: String,
    pub(super) limit: Duration,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) sealer: Sealer,
}

/// A connection on which one thing at a time is asked.
pub(super) struct Connection {
    client: Client,
    statements: Vec<Statement>,
    driver: JoinHandle<()>,
}

impl Connector {
    pub(super) fn new(mut address: Address, settings: &Settings, sealer: &Sealer, clock: Arc<dyn Clock>) -> Self {
        address.config.connect_timeout(settings.timeout).application_name("counterfoil");
        Self { address, schema: settings.schema.clone(), limit: settings.timeout, clock, sealer: sealer.clone() }
    }

    /// A connection that knows nothing of our tables yet.
    pub(super) async fn bare(&self, rang: Option<Arc<Notify>>) -> Result<Connection, PostgresError> {
        let Address { config, tls } = &self.address;
        let (client, connection) = config.connect(tls.clone()).await.map_err(unreachable)?;
        let driver = tokio::spawn(drive(connection, rang));
        let connection = Connection { client, statements: Vec::new(), driver };
        // Whatever the database's or the role's own settings are: the functions rest on the first, and the server ends by
        // itself what nobody waits for any more.
        let limit = self.limit.as_millis().max(1);
        let settings = format!(
            "SET default_transaction_isolation = 'read committed'; SET statement_timeout = {limit}; \
             SET search_path = pg_catalog, pg_temp; SET client_min_messages = warning; SET jit = off"
        );
        connection.client.batch_execute(&settings).await?;
        Ok(connection)
    }

    /// A connection for verbs. Whether this is still our database is asked of each: behind the same name there may be
    /// another server by now, or a dump that was put back.
    pub(super) async fn connect(&self) -> Result<Connection, PostgresError> {
        let mut connection = self.bare(None).await?;
        self.arrive(&connection).await?;
        let prepared = Ask::ALL.map(|ask| {
            let (client, sql) = (&connection.client, ask.sql(&self.schema));
            async move { client.prepare(&sql).await }
        });
        connection.statements = try_join_all(prepared).await?;
        Ok(connection)
    }

    /// Makes sure that these are the tables we know.
    pub(super) async fn arrive(&self, connection: &Connection) -> Result<(), PostgresError> {
        let (schema, now) = (&self.schema, millis(self.clock.now()));
        let asked = format!(
            "SELECT a.format, encode(a.reference_mark, 'hex'), a.restored, current_setting('transaction_read_only') \
             FROM {schema}.arrive({now}) a"
        );
        let row = connection.one(&asked).await?.ok_or_else(|| PostgresError::NoTables("`meta` is empty".into()))?;
        if row.get(3) == Some("on") {
            return Err(PostgresError::ReadOnly);
        }
        let found = row.get(0).and_then(|text| text.parse().ok()).unwrap_or_default();
        if format_of(found).is_none() {
            return Err(PostgresError::Format { found, known: FORMAT });
        }
        if row.get(1) != Some(&self.mark()) {
            return Err(PostgresError::OtherKeys);
        }
        self.hear_format(found);
        if row.get(2) == Some("t") {
            tracing::warn!(schema, "these tables were put back from a dump, or moved: all sessions have ended");
        }
        Ok(())
    }

    /// Writes as the tables say from now on. A format that this version does not know is for new connections to refuse:
    /// what this one reads and writes is right.
    pub(super) fn hear_format(&self, number: i32) {
        if let Some(format) = format_of(number)
            && self.sealer.change_format(format)
        {
            tracing::info!(?format, schema = self.schema, "session records are written in another format from now on");
        }
    }

    /// The mark of the key ring, as it is compared and noted.
    pub(super) fn mark(&self) -> String {
        hex(&self.sealer.reference_mark())
    }
}

impl Connection {
    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    pub(super) async fn ask(&self, ask: Ask, parameters: Parameters<'_>) -> Result<Vec<Row>, PostgresError> {
        let statement = self.statements.get(ask as usize).ok_or(PostgresError::Contended)?;
        Ok(self.client.query(statement, parameters).await?)
    }

    /// The first row of what is asked in plain text.
    pub(super) async fn one(&self, sql: &str) -> Result<Option<SimpleQueryRow>, PostgresError> {
        let messages = self.client.simple_query(sql).await?;
        Ok(messages.into_iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        }))
    }

    pub(super) async fn run(&self, sql: &str) -> Result<(), PostgresError> {
        Ok(self.client.batch_execute(sql).await?)
    }

    pub(super) async fn query(&self, sql: &str, parameters: Parameters<'_>) -> Result<Vec<Row>, PostgresError> {
        let typed: Vec<_> = parameters.iter().map(|value| (*value, tokio_postgres::types::Type::TEXT)).collect();
        Ok(self.client.query_typed(sql, &typed).await?)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

fn unreachable(error: tokio_postgres::Error) -> PostgresError {
    match PostgresError::from(error) {
        PostgresError::Lost(cause) => PostgresError::Unreachable(cause),
        other => other,
    }
}

/// Does what goes to and from the server, until either is gone.
async fn drive<S, T>(mut connection: tokio_postgres::Connection<S, T>, rang: Option<Arc<Notify>>)
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
        if let (AsyncMessage::Notification(_), Some(rang)) = (message, &rang) {
            rang.notify_one();
        }
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
