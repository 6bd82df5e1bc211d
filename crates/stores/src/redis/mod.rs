//! The Redis store: sessions in a Redis or Valkey that many nodes share. Every verb is one script, one round trip.
//!
//! # Examples
//! ```no_run
//! # async fn open(clock: impl counterfoil_core::Clock) -> Result<(), Box<dyn std::error::Error>> {
//! use counterfoil_core::keys::{GeneratedKeys, SharedRing};
//! use counterfoil_core::seal::Sealer;
//! use counterfoil_stores::redis::{RedisStore, Settings};
//!
//! let ring = SharedRing::from_source(&GeneratedKeys)?; // in earnest: keys that all nodes have
//! let store = RedisStore::open("redis://127.0.0.1:6379", Sealer::new(ring), clock, Settings::default()).await?;
//! # Ok(()) }
//! ```

mod address;
mod checks;
mod error;
mod reply;
mod scripts;
mod settings;
mod stream;
#[cfg(test)]
mod tests;
mod touch;
mod verbs;

use std::sync::Arc;

use counterfoil_core::Clock;
use counterfoil_core::seal::Sealer;
use counterfoil_core::store::{Notices, StoreError};
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use tokio::task::JoinHandle;

use self::address::Address;
pub use self::error::OpenError;
use self::scripts::{Call, Scripts};
pub use self::settings::Settings;
use self::stream::{Heard, Reader};
use crate::recent::Recent;

/// Sessions in a Redis or Valkey, version 7.0 or newer, that many nodes share.
///
/// What decides is decided there, by scripts that nothing can come between: no two nodes ever disagree. Records are sealed
/// here and opened here; the server sees ids, times, and hashes.
///
/// # Security
/// * **A server that evicts is refused** (`maxmemory-policy`): an evicted epoch un-revokes.
/// * What a verb answered is in the server's memory, and on its disk as its `appendfsync` says: with `everysec`, a machine
///   that loses power forgets up to a second of it, sign-outs among it. `docs/deploying.md` says what to set.
/// * The server's own expiry only collects garbage, and late: clocks are judged here.
/// * Whoever may write to the server can put an old record back, or take an epoch away. Give this program an account and a
///   network of its own.
///
/// Dropping a verb's future leaves it open whether the verb happens.
pub struct RedisStore {
    connection: ConnectionManager,
    scripts: Scripts,
    settings: Settings,
    sealer: Sealer,
    recent: Recent,
    notices: Arc<Notices>,
    #[cfg_attr(not(test), expect(dead_code, reason = "tests wait for it"))]
    heard: Heard,
    reading: JoinHandle<()>,
    /// Where, without what is secret of the address.
    place: Box<str>,
}

impl RedisStore {
    /// Connects, looks at how the server is set up, and begins to listen to what other nodes do. `clock` is this node's.
    ///
    /// # Errors
    /// [`OpenError`] says what is wrong and what to do.
    pub async fn open(address: &str, sealer: Sealer, clock: impl Clock, settings: Settings) -> Result<Self, OpenError> {
        settings.check()?;
        let address = Address::parse(address)?;
        let Address { client, place } = address.clone();
        let mut connection = connect(&client, &settings, &place).await?;
        checks::check(&mut connection, &address).await?;
        checks::claim(&mut connection, &settings.prefix, &sealer, &place).await?;
        let (notices, heard) = (Arc::new(Notices::default()), Heard::default());
        let clock = Arc::new(clock);
        let reader = Reader::new(client, &settings, clock, Arc::clone(&notices), heard.clone());
        let reader = reader.begin().await.map_err(|cause| OpenError::server(&place, cause))?;
        let reading = tokio::spawn(reader.run());
        let scripts = Scripts::new();
        let recent = Recent::new(settings.recent_bytes);
        Ok(Self { connection, scripts, settings, sealer, recent, notices, heard, reading, place })
    }

    /// Runs a script within the time a verb has.
    async fn run(&self, call: Call<'_>) -> Result<redis::Value, StoreError> {
        let verb = call.verb();
        let mut connection = self.connection.clone();
        let limit = self.settings.timeout;
        match tokio::time::timeout(limit, call.run(&mut connection)).await {
            Ok(answer) => answer.map_err(|error| error::of_verb(error, verb, limit)),
            Err(_) => Err(StoreError::Timeout { verb, limit }),
        }
    }
}

async fn connect(client: &redis::Client, settings: &Settings, place: &str) -> Result<ConnectionManager, OpenError> {
    // A verb waits for a connection no longer than for an answer; its own limit is above both.
    let config = ConnectionManagerConfig::new()
        .set_connection_timeout(Some(settings.connect_timeout))
        .set_response_timeout(Some(settings.timeout))
        .set_number_of_retries(1)
        .set_max_delay(RETRY);
    let connecting = ConnectionManager::new_with_config(client.clone(), config);
    connecting.await.map_err(|cause| OpenError::server(place, cause))
}

impl Drop for RedisStore {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

impl std::fmt::Debug for RedisStore {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = out.debug_struct("RedisStore");
        shown.field("place", &self.place).field("prefix", &self.settings.prefix).finish_non_exhaustive()
    }
}

/// Between attempts to connect.
const RETRY: std::time::Duration = std::time::Duration::from_millis(100);
