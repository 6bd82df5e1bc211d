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
mod beat;
mod checks;
mod cluster;
mod counts;
mod dial;
mod error;
mod fact;
mod journal;
mod keeper;
mod limits;
mod line;
mod link;
mod migration;
mod reply;
mod scripts;
mod seen;
mod settings;
#[cfg(test)]
mod tests;
mod touch;
mod verbs;

use std::sync::Arc;

use counterfoil_core::seal::Sealer;
use counterfoil_core::store::{Notices, StoreError};
use counterfoil_core::stored::Format;
use counterfoil_core::{Clock, Moment};
use tokio::task::JoinHandle;

use self::address::Address;
pub use self::error::OpenError;
use self::fact::Fact;
use self::journal::Journal;
pub use self::journal::JournalError;
use self::keeper::Keeper;
pub use self::limits::RedisLimits;
use self::link::{SharedLink, Sure};
pub use self::migration::{format, migrate};
use self::scripts::{Call, Scripts};
pub use self::settings::Settings;
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
    link: SharedLink,
    scripts: Arc<Scripts>,
    settings: Settings,
    sealer: Sealer,
    recent: Recent,
    journal: Arc<Journal>,
    notices: Arc<Notices>,
    keeping: JoinHandle<()>,
    /// Whether a verb's keys may lie on several servers.
    apart: bool,
    /// Where, without what is secret of the address.
    place: Box<str>,
}

impl RedisStore {
    /// Connects, looks at how the servers are set up, and begins to listen to what other nodes do. `address` is that of one
    /// server (`redis://[user:password@]host[:port][/database]`), of sentinels that know the master
    /// (`redis+sentinel://…@host[:port][,…]/service[/database]`, with `?sentinel_password=` where they want one) or of some
    /// servers of a cluster (`redis+cluster://…@host[:port][,…]`); over TLS each with `rediss` for `redis`, where
    /// `?sslrootcert=FILE` names who vouches for them. `clock` is this node's.
    ///
    /// Where no sessions are yet, they are written in the latest format; where an earlier program made some, in its format,
    /// until [`migrate`] raises it. A node that runs notices that within a second or two.
    ///
    /// # Errors
    /// [`OpenError`] says what is wrong and what to do.
    pub async fn open(address: &str, sealer: Sealer, clock: impl Clock, settings: Settings) -> Result<Self, OpenError> {
        settings.check()?;
        let address = Address::parse(address)?;
        let (apart, place) = (address.is_cluster(), address.place.clone());
        let server = |cause| OpenError::server(&place, cause);
        let mut dialled = address.dial(&settings).await.map_err(server)?;
        checks::check(&mut dialled.plain, &address).await?;
        let (sealer, prefix) = (sealer.writing(Format::LATEST), &settings.prefix);
        checks::claim(&mut dialled.plain, prefix, &sealer).await.map_err(server)?.ours(&place, prefix)?;
        let (path, lasts) = (settings.journal.as_deref(), settings.journal_lasts);
        let journal = Arc::new(Journal::open(path, lasts, clock.now())?);
        let (link, notices, scripts) =
            (SharedLink::default(), Arc::<Notices>::default(), Arc::new(Scripts::new(apart)));
        let keeper = Keeper {
            address,
            settings: settings.clone(),
            sealer: sealer.clone(),
            scripts: Arc::clone(&scripts),
            link: Arc::clone(&link),
            journal: Arc::clone(&journal),
            notices: Arc::clone(&notices),
            clock: Arc::new(clock),
        };
        let listening = keeper.listen(dialled).await.map_err(server)?;
        let keeping = tokio::spawn(keeper.run(listening));
        let recent = Recent::new(settings.recent_bytes);
        Ok(Self { link, scripts, settings, sealer, recent, journal, notices, keeping, apart, place })
    }

    /// In which format it writes records now.
    pub fn format(&self) -> Format {
        self.sealer.format()
    }

    /// Runs a script within the time a verb has.
    async fn run(&self, call: Call<'_>) -> Result<redis::Value, StoreError> {
        let (verb, limit) = (call.verb(), self.settings.timeout);
        match tokio::time::timeout(limit, self.link.run(&call)).await {
            Ok(answer) => answer?.map_err(|error| error::of_verb(error, verb, limit)),
            Err(_) => Err(StoreError::Timeout { verb, limit }),
        }
    }

    /// The same, and waits for a replica to have it, where there are any.
    async fn run_surely(&self, call: Call<'_>) -> Result<(redis::Value, Sure), StoreError> {
        let (verb, limit) = (call.verb(), self.settings.timeout);
        match tokio::time::timeout(limit, self.link.run_surely(&call)).await {
            Ok(answer) => {
                let (answer, sure) = answer?;
                Ok((answer.map_err(|error| error::of_verb(error, verb, limit))?, sure))
            }
            Err(_) => Err(StoreError::Timeout { verb, limit }),
        }
    }

    /// Remembers what ended here, for servers that forget. Where neither a replica has it nor a disk of ours, it may be
    /// undone, and nobody may be told that it is final.
    async fn remember(&self, facts: Vec<Fact>, sure: Sure, now: Moment) -> Result<(), StoreError> {
        let kept = self.journal.keep(facts, now).await;
        if let Err(error) = &kept {
            tracing::error!(error = error as &dyn std::error::Error, "what ended is not in this node's journal");
        }
        if sure == Sure::Yes || (kept.is_ok() && self.journal.is_kept()) {
            return Ok(());
        }
        let why =
            "it was ended, but no replica has it yet, and this node keeps no journal: a failover now would undo it";
        Err(StoreError::Unavailable(why.into()))
    }
}

impl Drop for RedisStore {
    fn drop(&mut self) {
        self.keeping.abort();
    }
}

impl std::fmt::Debug for RedisStore {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = out.debug_struct("RedisStore");
        shown.field("place", &self.place).field("prefix", &self.settings.prefix).finish_non_exhaustive()
    }
}

/// How long a subject's epoch is kept at least, in milliseconds; longer where one of their sessions may live longer. Browsers
/// keep cookies for 400 days at most.
const EPOCHS_KEPT_MILLIS: u64 = 401 * 24 * 60 * 60 * 1_000;
