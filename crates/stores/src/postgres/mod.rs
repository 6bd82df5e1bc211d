//! The PostgreSQL store: sessions in a database that several nodes share, each verb one call and one transaction.
//!
//! # Examples
//! ```no_run
//! # async fn open(clock: impl counterfoil_core::Clock) -> Result<(), Box<dyn std::error::Error>> {
//! use counterfoil_core::keys::{GeneratedKeys, SharedRing};
//! use counterfoil_core::seal::Sealer;
//! use counterfoil_stores::postgres::{PostgresStore, Settings};
//!
//! let ring = SharedRing::from_source(&GeneratedKeys)?; // in earnest: the same keys on every node
//! let url = "postgres://shop:secret@db.internal/shop?sslrootcert=/etc/shop/ca.pem";
//! let store = PostgresStore::open(url, Sealer::new(ring), clock, Settings::default()).await?;
//! # Ok(()) }
//! ```

mod address;
mod answer;
mod columns;
mod connection;
mod error;
mod listener;
mod pool;
mod schema;
mod settings;
mod start;
mod statement;
mod verbs;
mod writes;

use std::sync::Arc;

use counterfoil_core::Clock;
pub use counterfoil_core::seal::Sealer;
use counterfoil_core::store::{Notice, Notices};
use counterfoil_core::stored::Format;
use tokio::task::JoinHandle;

use self::address::Address;
use self::connection::Connector;
pub use self::error::{OpenError, PostgresError};
use self::listener::{Doorbell, Listener};
use self::pool::Pool;
pub use self::schema::FORMAT;
pub use self::settings::Settings;
pub use self::start::{format, migrate, plan};
use crate::recent::Recent;

/// Sessions in a PostgreSQL database, from version 13 on.
///
/// What a verb answered is on the server's disk, and on its synchronous standby where it has one; only activity may be
/// forgotten in a crash, and a session then ends so much early, never late. Other nodes hear of what ended or changed
/// through a table that is written in the same transaction: at the ring of a doorbell, and every second without one.
///
/// # Security
/// * Records are sealed (`counterfoil_core::stored`); ids, times and hashes are in clear. Whoever can write to the tables
///   can put an old row back.
/// * A dump that was put back is noticed by the first node that connects, or within a second by one that is connected, and
///   ends all sessions: some were signed out since. Stop the nodes before. A new cluster, as `pg_upgrade` makes one, is
///   taken for that too. A standby that was promoted is not: what an asynchronous one has not heard, sign-outs included,
///   is undone. Use synchronous replication.
/// * Off this machine, only encrypted and to a server that shows a certificate for its name.
///
/// # Errors
/// A verb that is not answered within [`Settings::timeout`] is [`StoreError::Timeout`], and may have been done. What was
/// written and lost its answer is not repeated. A server that is away, read-only or full, and a pool without a free
/// connection, are [`StoreError::Unavailable`], with a [`PostgresError`] that says what to do.
///
/// [`StoreError::Timeout`]: counterfoil_core::store::StoreError::Timeout
/// [`StoreError::Unavailable`]: counterfoil_core::store::StoreError::Unavailable
pub struct PostgresStore {
    pool: Pool,
    sealer: Sealer,
    settings: Settings,
    recent: Recent,
    notices: Arc<Notices>,
    doorbell: Arc<Doorbell>,
    lock: i64,
    listening: JoinHandle<()>,
}

impl PostgresStore {
    /// Opens the store at `url`, and sets one up where there is none. A schema of an earlier version is not changed here,
    /// because nodes that know only that one may be running: records are written in its format until an operator calls
    /// [`migrate`]. A node that runs notices that within a second or two.
    ///
    /// The URL is that of `libpq`, several hosts and `target_session_attrs=read-write` included. `sslrootcert=FILE` names
    /// the certificates to believe instead of the system's; `sslmode=disable` is refused off this machine.
    ///
    /// # Errors
    /// [`OpenError`] says what is wrong and what to do; nothing was changed then.
    pub async fn open(url: &str, sealer: Sealer, clock: impl Clock, settings: Settings) -> Result<Self, OpenError> {
        settings.check()?;
        let clock: Arc<dyn Clock> = Arc::new(clock);
        let address = Address::parse(url)?;
        let sealer = sealer.writing(Format::LATEST);
        let connector = Arc::new(Connector::new(address, &settings, &sealer, Arc::clone(&clock)));
        start::check(&connector, &sealer).await?;
        let (notices, doorbell) = (Arc::new(Notices::default()), Arc::new(Doorbell::default()));
        let listener = Listener::new(Arc::clone(&connector), clock, Arc::clone(&notices), Arc::clone(&doorbell));
        // Before anybody can watch: what happens from now on is heard.
        let ear = listener.begin().await?;
        let listening = tokio::spawn(listener.run(ear));
        Ok(Self {
            pool: Pool::new(connector, settings.connections),
            recent: Recent::new(settings.recent_bytes),
            lock: schema::lock_of(&settings.schema),
            sealer,
            settings,
            notices,
            doorbell,
            listening,
        })
    }

    /// In which format it writes records now.
    pub fn format(&self) -> Format {
        self.sealer.format()
    }

    /// Tells this node at once, and the others by the doorbell. What it tells was committed, with its row for the others.
    fn tell(&self, notices: impl IntoIterator<Item = Notice>) {
        for notice in notices {
            self.notices.tell(notice);
            self.doorbell.ring();
        }
    }
}

impl Drop for PostgresStore {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl std::fmt::Debug for PostgresStore {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = out.debug_struct("PostgresStore");
        shown.field("at", &self.pool.address()).field("schema", &self.settings.schema).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
