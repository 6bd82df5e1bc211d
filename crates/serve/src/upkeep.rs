//! Looking after a store that nodes share, from outside: whether a node could start on it, and in which format it is written.

use std::sync::Arc;

use counterfoil::stores::Format;
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
    /// It is nothing that nodes share.
    #[error("no other node can use this store")]
    NotShared,
}

/// What a look found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checked {
    /// By how much this machine's clock is corrected.
    pub correction: Correction,
    /// In which format records are written there.
    pub format: Format,
}

/// What came of a migration to the latest format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Migrated {
    /// Records are written in it already.
    Current,
    /// They are from now on; before it was this one, or nothing lay there.
    Done(Option<Format>),
    /// They would be; in PostgreSQL this SQL would be run, in one transaction.
    Planned(Option<Format>, Option<String>),
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
/// meant is logged. Makes no tables; an empty Redis is marked as one of these keys, as by a node.
///
/// # Errors
/// [`UpkeepFailed`] says what is wrong.
pub async fn check(place: &Place, sealer: Sealer) -> Result<Checked, UpkeepFailed> {
    match place {
        Place::Memory | Place::Embedded(_) => Err(UpkeepFailed::NotShared),
        Place::Redis(address) => {
            let opening = RedisStore::open(address.reveal(), sealer, SystemClock, redis::Settings::default());
            let store = opening.await?;
            let format = store.format();
            Ok(Checked { correction: clock(store).await?, format })
        }
        Place::Postgres(address) => {
            let (url, settings) = (address.reveal(), postgres::Settings::default());
            if postgres::format(url, &sealer, &settings).await?.is_none() {
                return Err(UpkeepFailed::NoTables);
            }
            let store = PostgresStore::open(url, sealer, SystemClock, settings).await?;
            let format = store.format();
            Ok(Checked { correction: clock(store).await?, format })
        }
    }
}

/// Has records written in the latest format from now on, or shows what that would change. In a PostgreSQL without tables it
/// makes them.
///
/// # Errors
/// [`UpkeepFailed`]; nothing was changed then.
pub async fn migrate(place: &Place, sealer: &Sealer, migration: Migration) -> Result<Migrated, UpkeepFailed> {
    match place {
        Place::Memory | Place::Embedded(_) => Err(UpkeepFailed::NotShared),
        Place::Redis(address) => migrate_redis(address.reveal(), sealer, migration).await,
        Place::Postgres(address) => migrate_postgres(address.reveal(), sealer, migration).await,
    }
}

async fn migrate_redis(address: &str, sealer: &Sealer, migration: Migration) -> Result<Migrated, UpkeepFailed> {
    let settings = redis::Settings::default();
    let from = redis::format(address, sealer, &settings).await?;
    Ok(match migration {
        _ if from == Some(Format::LATEST) => Migrated::Current,
        Migration::Dry => Migrated::Planned(from, None),
        Migration::Real if redis::migrate(address, sealer, &settings).await? => Migrated::Done(from),
        Migration::Real => Migrated::Current,
    })
}

async fn migrate_postgres(url: &str, sealer: &Sealer, migration: Migration) -> Result<Migrated, UpkeepFailed> {
    let settings = postgres::Settings::default();
    let from = postgres::format(url, sealer, &settings).await?;
    Ok(match migration {
        _ if from == Some(Format::LATEST) => Migrated::Current,
        Migration::Dry => Migrated::Planned(from, Some(postgres::plan(url, sealer, &settings).await?)),
        Migration::Real if postgres::migrate(url, sealer, &settings).await? => Migrated::Done(from),
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
