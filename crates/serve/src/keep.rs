//! Where sessions and keys are kept: in a folder, so that a restart signs nobody out, or in memory.

use std::{
    env,
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use counterfoil::{
    Clock as _, FileKeys, GeneratedKeys, KeyError, LimitSettings, Limiter, MemoryStore, Store, SystemClock,
    SystemEntropy,
    keys::{KeyFile, SharedRing},
    limits::SharedLimits,
    stores::{
        embedded::{self, EmbeddedStore, Sealer},
        near_cache::{self, BadSettings, NearCache},
        postgres::{self, PostgresStore},
        redis::{self, RedisStore},
    },
};

use crate::place::Place;

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keep {
    /// Where the keys are; none where they end with the process.
    keys: Option<PathBuf>,
    store: Place,
    near_cache: near_cache::Settings,
}

/// Keys and a store, ready for use.
pub struct Kept {
    /// The keys; the store seals with the same.
    pub ring: SharedRing,
    /// The sessions.
    pub sessions: Sessions,
    /// Where the keys came from, if they may be others tomorrow.
    pub file: Option<FileKeys>,
    /// What is tried, counted together with other nodes, where the store can.
    pub limits: Option<Arc<dyn SharedLimits>>,
    /// What was asked for.
    pub keep: Keep,
}

/// The store.
#[derive(Debug)]
pub enum Sessions {
    /// In memory.
    Memory(MemoryStore),
    /// In a folder.
    Folder(Box<EmbeddedStore>),
    /// In a Redis, with this node's memory before it.
    Redis(Box<NearCache<RedisStore>>),
    /// In a PostgreSQL, with this node's memory before it.
    Postgres(Box<NearCache<PostgresStore>>),
}

/// Why nothing is kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeepFailed {
    /// The folder cannot be made.
    #[error("{}: cannot make this folder", folder.display())]
    Folder {
        /// Which.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The keys cannot be read or made.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The store does not open; the text says why, and what to do.
    #[error(transparent)]
    Embedded(#[from] embedded::OpenError),
    /// The same of a Redis.
    #[error(transparent)]
    Redis(#[from] redis::OpenError),
    /// The same of a PostgreSQL.
    #[error(transparent)]
    Postgres(#[from] postgres::OpenError),
    /// The memory before it is set up wrongly.
    #[error(transparent)]
    NearCache(#[from] BadSettings),
}

impl Keep {
    /// Nothing outlives the process.
    pub fn nothing() -> Self {
        Self { keys: None, ..Self::with_store("", Place::Memory) }
    }

    /// Keys and sessions in this folder.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        let folder = folder.into();
        let store = Place::Embedded(folder.join("sessions"));
        Self::with_store(folder, store)
    }

    /// Keys in this folder, and sessions elsewhere.
    #[must_use]
    pub fn with_store(folder: impl Into<PathBuf>, store: Place) -> Self {
        Self { keys: Some(folder.into()), store, near_cache: near_cache::Settings::default() }
    }

    /// This node's memory before a store that nodes share, with these settings.
    #[must_use]
    pub fn near_cache(self, near_cache: near_cache::Settings) -> Self {
        Self { near_cache, ..self }
    }

    /// Where the keys are.
    pub fn folder(&self) -> Option<&Path> {
        self.keys.as_deref()
    }

    /// Where the sessions are.
    pub const fn store(&self) -> &Place {
        &self.store
    }

    /// How long a session may be admitted here after it was ended on another node; nothing where no node shares the store.
    pub fn bound(&self) -> Option<Duration> {
        self.store.is_shared().then_some(self.near_cache.bound)
    }

    /// Opens keys and store; makes them where there are none. New keys are for sessions that last `longest`, or a year
    /// where that is longer.
    ///
    /// # Security
    /// A folder that is made is its owner's alone, and so is the key file.
    ///
    /// # Errors
    /// [`KeepFailed`] names the folder, file or server.
    pub async fn open(self, longest: Duration) -> Result<Kept, KeepFailed> {
        let file = self.keys.as_ref().map(|folder| {
            make_private(folder).map_err(|source| KeepFailed::Folder { folder: folder.clone(), source })?;
            Ok::<_, KeepFailed>(keys(folder, longest)?)
        });
        let file = file.transpose()?;
        let ring = match &file {
            Some(file) => SharedRing::from_source(file)?,
            None => SharedRing::from_source(&GeneratedKeys)?,
        };
        let sealer = Sealer::new(ring.clone());
        let mut limits: Option<Arc<dyn SharedLimits>> = None;
        let sessions = match &self.store {
            Place::Memory => Sessions::Memory(MemoryStore::new()),
            Place::Embedded(folder) => {
                Sessions::Folder(Box::new(EmbeddedStore::open(folder, sealer, embedded::Settings::default())?))
            }
            Place::Redis(address) => {
                let journal = self.keys.as_ref().map(|folder| folder.join("revocations"));
                let settings = redis::Settings { journal, ..redis::Settings::default() };
                let opening = RedisStore::open(address.reveal(), sealer, SystemClock, settings);
                let store = opening.await?;
                limits = Some(Arc::new(store.limits()));
                Sessions::Redis(Box::new(near(store, self.near_cache)?))
            }
            Place::Postgres(address) => {
                let opening = PostgresStore::open(address.reveal(), sealer, SystemClock, postgres::Settings::default());
                Sessions::Postgres(Box::new(near(opening.await?, self.near_cache)?))
            }
        };
        Ok(Kept { ring, sessions, file, limits, keep: self })
    }
}

impl Kept {
    /// Limits with these settings: counted together with other nodes where they can be, else by this process alone.
    pub fn limiter(&self, settings: LimitSettings) -> Limiter {
        let alone = Limiter::new(settings);
        match &self.limits {
            Some(limits) => alone.shared(Arc::clone(limits), self.ring.clone()),
            None => alone,
        }
    }

    /// Keys made for this process, and sessions that end with it.
    ///
    /// # Errors
    /// [`KeyError`] where the system gives no randomness.
    pub fn in_memory() -> Result<Self, KeyError> {
        let ring = SharedRing::from_source(&GeneratedKeys)?;
        Ok(Self {
            ring,
            sessions: Sessions::Memory(MemoryStore::new()),
            file: None,
            limits: None,
            keep: Keep::nothing(),
        })
    }
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Kept").field("sessions", &self.sessions).field("keep", &self.keep).finish_non_exhaustive()
    }
}

/// This node's memory before a store that nodes share.
fn near<S: Store>(store: S, settings: near_cache::Settings) -> Result<NearCache<S>, BadSettings> {
    NearCache::new(store, SystemClock, settings, |task| drop(tokio::spawn(task)))
}

/// The key file of the folder; made if there is none.
fn keys(folder: &Path, longest: Duration) -> Result<FileKeys, KeyError> {
    let keys = FileKeys::at(folder.join("keys"));
    if !keys.path().exists() {
        keys.create(&KeyFile::generate(SystemClock.now(), longest.max(A_YEAR), &SystemEntropy)?)?;
    }
    Ok(keys)
}

fn make_private(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Where the state of `program` belongs by the XDG base directories, or below where it was started.
pub fn state_folder(program: &str) -> PathBuf {
    state_folder_of(program, env::var_os("XDG_STATE_HOME"), env::var_os("HOME"))
}

fn state_folder_of(program: &str, state: Option<OsString>, home: Option<OsString>) -> PathBuf {
    let absolute = |path: OsString| Some(PathBuf::from(path)).filter(|path| path.is_absolute());
    let state = state.and_then(absolute).or_else(|| Some(home.and_then(absolute)?.join(".local/state")));
    state.map_or_else(|| PathBuf::from("counterfoil-data"), |state| state.join("counterfoil").join(program))
}

/// So that a longer policy tried another day still suits the keys.
const A_YEAR: Duration = Duration::from_hours(366 * 24);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_where_state_belongs() {
        #[rustfmt::skip]
        let rows = [
            (Some("/state"), Some("/home/ada"), "/state/counterfoil/demo"),
            (None,           Some("/home/ada"), "/home/ada/.local/state/counterfoil/demo"),
            (Some("state"),  Some("/home/ada"), "/home/ada/.local/state/counterfoil/demo"),
            (Some(""),       None,              "counterfoil-data"),
            (None,           None,              "counterfoil-data"),
        ];
        for (state, home, expected) in rows {
            let folder = state_folder_of("demo", state.map(OsString::from), home.map(OsString::from));
            assert_eq!(folder, Path::new(expected), "{state:?} {home:?}");
        }
    }
}
