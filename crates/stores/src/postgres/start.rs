//! Opening: what the server is, whether the tables are there and ours; and making or migrating them.

use std::sync::Arc;

use counterfoil_core::seal::Sealer;
use counterfoil_core::stored::Format;
use counterfoil_core::{Clock, Moment};
use tokio::time::timeout;

use super::address::Address;
use super::connection::{Connection, Connector};
use super::error::{OpenError, PostgresError};
use super::schema::{FORMAT, format_of, lock_of, migration, number_of};
use super::settings::Settings;

/// Makes sure that a store can be opened, and makes its tables where there are none.
pub(super) async fn check(connector: &Connector, sealer: &Sealer) -> Result<(), OpenError> {
    let connection = bare(connector).await?;
    look_at_server(&connection).await?;
    if number(&connection, &connector.schema).await? == 0 {
        make(connector, &connection, 0).await?;
    }
    let schema = || connector.schema.clone();
    let found = number(&connection, &connector.schema).await?;
    match format_of(found) {
        Some(format) => drop(connector.sealer.change_format(format)),
        None if found > FORMAT => return Err(OpenError::Newer { schema: schema(), found, known: FORMAT }),
        None => return Err(OpenError::Older { schema: schema(), found, known: number_of(Format::One) }),
    }
    debug_assert_eq!(connector.mark().len(), 2 * sealer.reference_mark().len());
    match connector.arrive(&connection).await {
        Err(PostgresError::OtherKeys) => Err(OpenError::OtherReferenceKey { schema: schema() }),
        other => Ok(other?),
    }
}

/// The SQL that [`migrate`] would run now: for a look beforehand, or to be run by somebody else in one transaction. Empty
/// where there is nothing to do.
///
/// # Errors
/// [`OpenError`].
pub async fn plan(url: &str, sealer: &Sealer, settings: &Settings) -> Result<String, OpenError> {
    let (connector, connection) = reach(url, sealer, settings).await?;
    planned(&connector, &connection).await.map(|(_, sql)| sql)
}

/// In which format records are written there; nothing where there are no tables. Changes nothing.
///
/// # Errors
/// [`OpenError`].
pub async fn format(url: &str, sealer: &Sealer, settings: &Settings) -> Result<Option<Format>, OpenError> {
    let (connector, connection) = reach(url, sealer, settings).await?;
    let (found, schema) = (number(&connection, &connector.schema).await?, connector.schema);
    match format_of(found) {
        None if found > FORMAT => Err(OpenError::Newer { schema, found, known: FORMAT }),
        other => Ok(other),
    }
}

/// Makes the tables, or brings those of an earlier version to this one's, in one transaction. Nodes that do so at once wait
/// for each other. Whether anything was done.
///
/// # Errors
/// [`OpenError`]; nothing was changed then.
pub async fn migrate(url: &str, sealer: &Sealer, settings: &Settings) -> Result<bool, OpenError> {
    let (connector, connection) = reach(url, sealer, settings).await?;
    look_at_server(&connection).await?;
    match planned(&connector, &connection).await? {
        (_, sql) if sql.is_empty() => Ok(false),
        (found, _) => make(&connector, &connection, found).await.map(|()| true),
    }
}

async fn reach(url: &str, sealer: &Sealer, settings: &Settings) -> Result<(Connector, Connection), OpenError> {
    settings.check()?;
    let connector = Connector::new(Address::parse(url)?, settings, sealer, Arc::new(NoClock));
    let connection = bare(&connector).await?;
    Ok((connector, connection))
}

async fn planned(connector: &Connector, connection: &Connection) -> Result<(i32, String), OpenError> {
    let found = number(connection, &connector.schema).await?;
    if found > FORMAT {
        return Err(OpenError::Newer { schema: connector.schema.clone(), found, known: FORMAT });
    }
    let sql = if found == FORMAT { String::new() } else { migration(&connector.schema, found, &connector.mark()) };
    Ok((found, sql))
}

async fn bare(connector: &Connector) -> Result<Connection, PostgresError> {
    timeout(connector.limit, connector.bare(None)).await.map_err(|_| PostgresError::Late(connector.limit))?
}

/// Refuses a server that would break the contract.
async fn look_at_server(connection: &Connection) -> Result<(), OpenError> {
    let settings = "SELECT current_setting('server_version_num'), current_setting('server_version'), \
                    current_setting('transaction_read_only'), current_setting('fsync'), \
                    current_setting('synchronous_commit'), current_setting('full_page_writes')";
    let row = connection.one(settings).await?;
    let value = |index| row.as_ref().and_then(|row| row.get(index)).unwrap_or_default();
    if value(0).parse().unwrap_or(0) < OLDEST {
        return Err(OpenError::TooOld { found: value(1).to_owned() });
    }
    if value(2) == "on" {
        return Err(PostgresError::ReadOnly.into());
    }
    for (index, setting) in [(3, "fsync"), (4, "synchronous_commit"), (5, "full_page_writes")] {
        if value(index) == "off" {
            return Err(OpenError::NotDurable { setting });
        }
    }
    Ok(())
}

/// What the tables call their format; 0 where there are none.
async fn number(connection: &Connection, schema: &str) -> Result<i32, PostgresError> {
    // By a query: what else looks names up remembers that there was none.
    let there = format!(
        "SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE n.nspname = '{schema}' AND c.relname = 'meta'"
    );
    if connection.one(&there).await?.is_none() {
        return Ok(0);
    }
    let row = connection.one(&format!("SELECT format FROM {schema}.meta")).await?;
    row.and_then(|row| row.get(0)?.parse().ok()).ok_or_else(|| PostgresError::NoTables("`meta` is empty".into()))
}

/// Makes of the tables as they are found those of this version, unless somebody else does so first.
async fn make(connector: &Connector, connection: &Connection, found: i32) -> Result<(), OpenError> {
    let schema = &connector.schema;
    // It may take longer than a verb, and waits for whoever came first.
    let lock = lock_of(schema);
    connection.run(&format!("SET statement_timeout = 0; BEGIN; SELECT pg_advisory_xact_lock({lock})")).await?;
    let done = async {
        if number(connection, schema).await? == found {
            connection.run(&migration(schema, found, &connector.mark())).await?;
            tracing::info!(schema, from = found, to = FORMAT, "made the session store's tables");
        }
        connection.run("COMMIT").await
    };
    match done.await {
        Err(PostgresError::NoRight(message)) => Err(OpenError::MayNotCreate { schema: schema.clone(), message }),
        other => Ok(other?),
    }
}

/// Whoever migrates serves nobody.
struct NoClock;

impl Clock for NoClock {
    fn now(&self) -> Moment {
        Moment::EPOCH
    }
}

/// The first version that numbers its transactions as we do.
const OLDEST: u32 = 130_000;
