//! Looking after a store that nodes share, from outside: whether a node could start on it, and its tables.

use std::sync::Arc;

use counterfoil::stores::embedded::Sealer;
use counterfoil::stores::postgres::{self, PostgresStore};
use counterfoil::stores::redis::{self, RedisStore};
use counterfoil::{ClockRefused, Correction, Store, StoreTime, SystemClock};

use crate::place::Place;

/// Why it was not looked after. The texts say what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpkeepFailed {
    /// No node could start on this Redis.
    #[error(transparent)]
    Redis(#[from] redis::OpenError),
    /// No node could start on this PostgreSQL, or its tables could not be made.
    #[error(transparent)]
    Postgres(#[from] postgres::OpenError),
    /// A node could start, and would serve nobody.
    #[error(transparent)]
    Clock(#[from] ClockRefused),
    /// It has no tables of this version.
    #[error(
        "it has no tables of this version: `counterfoil store migrate` makes them (with `--dry-run` it prints how); where there \
         are none at all, so does the first node that starts"
    )]
    NoTables,
    /// There are none in such a store.
    #[error("only PostgreSQL has tables to migrate; in Redis there is nothing to do")]
    NothingToMigrate,
    /// It is nothing that nodes share.
    #[error("no other node can use this store")]
    NotShared,
}

/// What came of a migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Migrated {
    /// The tables are of this version.
    Current,
    /// They are now.
    Done,
    /// This SQL would be run, in one transaction.
    Planned(String),
}

/// Whether a migration happens or is only shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Migration {
    /// It happens.
    Real,
    /// It is shown, and nothing is changed.
    Dry,
}

/// Looks at everything that a node looks at when it starts: the server, its settings, the keys, the clock. What may not be
/// meant is logged. Says by how much this machine's clock is corrected. Makes no tables; an empty Redis is marked as one of
/// these keys, as by a node.
///
/// # Errors
/// [`UpkeepFailed`] says what is wrong.
pub async fn check(place: &Place, sealer: Sealer) -> Result<Correction, UpkeepFailed> {
    match place {
        Place::Memory | Place::Embedded(_) => Err(UpkeepFailed::NotShared),
        Place::Redis(address) => {
            let opening = RedisStore::open(address.reveal(), sealer, SystemClock, redis::Settings::default());
            clock(opening.await?).await
        }
        Place::Postgres(address) => {
            let (url, settings) = (address.reveal(), postgres::Settings::default());
            if !postgres::plan(url, &sealer, &settings).await?.is_empty() {
                return Err(UpkeepFailed::NoTables);
            }
            clock(PostgresStore::open(url, sealer, SystemClock, settings).await?).await
        }
    }
}

/// Brings the tables to this version, or shows how.
///
/// # Errors
/// [`UpkeepFailed`]; nothing was changed then.
pub async fn migrate(place: &Place, sealer: &Sealer, migration: Migration) -> Result<Migrated, UpkeepFailed> {
    let url = match place {
        Place::Memory | Place::Embedded(_) => return Err(UpkeepFailed::NotShared),
        Place::Redis(_) => return Err(UpkeepFailed::NothingToMigrate),
        Place::Postgres(address) => address.reveal(),
    };
    let settings = postgres::Settings::default();
    Ok(match migration {
        Migration::Dry => match postgres::plan(url, sealer, &settings).await? {
            sql if sql.is_empty() => Migrated::Current,
            sql => Migrated::Planned(sql),
        },
        Migration::Real if postgres::migrate(url, sealer, &settings).await? => Migrated::Done,
        Migration::Real => Migrated::Current,
    })
}

async fn clock(store: impl Store) -> Result<Correction, UpkeepFailed> {
    let time = StoreTime::of(Arc::new(store), SystemClock);
    time.look().await;
    match time.refusal() {
        Some(refused) => Err(refused.into()),
        None => Ok(time.correction().unwrap_or_default()),
    }
}
