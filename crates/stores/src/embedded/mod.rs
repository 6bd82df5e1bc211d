//! The embedded store: sessions in a folder of this machine, all of them in memory as rows, durable before any answer.
//!
//! # Examples
//! ```no_run
//! use counterfoil_core::keys::{GeneratedKeys, SharedRing};
//! use counterfoil_core::seal::Sealer;
//! use counterfoil_stores::embedded::{EmbeddedStore, Settings};
//!
//! let ring = SharedRing::from_source(&GeneratedKeys)?; // in earnest: keys that outlive the process
//! let store = EmbeddedStore::open("/var/lib/shop/sessions", Sealer::new(ring), Settings::default())?;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

mod archive;
mod disk;
mod epochs;
mod error;
mod folder;
mod load;
mod settings;
mod shared;
mod table;
mod verbs;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use counterfoil_core::Moment;
use counterfoil_core::rules::Assurance;
pub use counterfoil_core::seal::Sealer;
use counterfoil_core::stored::Format;

pub use self::archive::{Archive, Checked, Finding, ImportError, Imported, Resealed, Resting, Sessions, Stats, import};
use self::disk::{Fjall, Opener};
pub use self::error::{DiskError, OpenError};
use self::folder::Folder;
pub use self::settings::Settings;
use self::shared::Shared;
use self::writer::{Message, Queue, Writer};

/// Called with the number of records done so far.
pub type Progress<'a> = dyn FnMut(u64) + 'a;

/// Sessions in a folder of this machine.
///
/// What a verb answered is on the disk: a killed process or a power cut takes nothing of it back. One thread writes; what
/// waits meanwhile shares the next write. Every session has a row in memory; records are kept there up to
/// [`Settings::cache_bytes`], the others are read from the disk when they are wanted.
///
/// # Security
/// * Sign-out is final across crashes and restarts. An answer that rests on what is not on the disk yet waits for it.
/// * Activity reaches the disk within a second. A crash forgets at most that: a session may end so much early, never late.
/// * Where the disk fails, everything is [`StoreError::Unavailable`](counterfoil_core::store::StoreError::Unavailable)
///   until it was read again; the store sees to that by itself.
/// * Records are sealed (`counterfoil_core::stored`); ids, times and hashes are in clear. Whoever can write to the folder
///   can put an old copy of it back: use [`Archive::restore`], which ends all sessions.
/// * One process at a time: the folder is locked.
///
/// Reading a record that is not in memory blocks the thread for as long as the disk takes: microseconds, where the system
/// has the file in its memory. Dropping the store writes what is left, and waits for that.
pub struct EmbeddedStore {
    shared: Arc<Shared>,
    queue: Queue,
    thread: Option<JoinHandle<()>>,
    folder: PathBuf,
    /// Held for as long as the store is open.
    lock: Option<Folder>,
}

impl EmbeddedStore {
    /// Opens the store in `folder`, and makes one there if the folder is empty or missing. A folder that an earlier
    /// program made goes on being written in its format, so that that program can be gone back to, until
    /// [`Archive::migrate`] raises it.
    ///
    /// # Errors
    /// [`OpenError`] says what is wrong and what to do; nothing was changed then.
    pub fn open(folder: impl AsRef<Path>, sealer: Sealer, settings: Settings) -> Result<Self, OpenError> {
        Self::open_with(folder, sealer, settings, &mut |_| {})
    }

    /// As [`open`](Self::open), telling how many sessions were read: a million takes seconds.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with(
        folder: impl AsRef<Path>,
        sealer: Sealer,
        settings: Settings,
        progress: &mut Progress<'_>,
    ) -> Result<Self, OpenError> {
        let sealer = sealer.writing(Format::LATEST);
        let folder = Folder::open_or_create(folder.as_ref(), &sealer)?;
        let opener = Box::new(Fjall::new(&folder.engine(), &settings));
        let path = folder.path().to_owned();
        let mut store = Self::begin(path, opener, sealer, &settings, RETRY_AFTER, progress)?;
        folder.completed()?;
        if folder.was_restored() {
            tracing::info!(
                folder = %folder.path().display(),
                "this session store was restored; sessions made before that have ended, unless it was told to keep them"
            );
        }
        store.lock = Some(folder);
        Ok(store)
    }

    fn begin(
        folder: PathBuf,
        opener: Box<dyn Opener>,
        sealer: Sealer,
        settings: &Settings,
        retry_after: Duration,
        progress: &mut Progress<'_>,
    ) -> Result<Self, OpenError> {
        let shared = Arc::new(Shared::new(opener, sealer, settings.cache_bytes));
        let began = shared.begin(progress);
        let unreadable = began.map_err(|error| OpenError::disk(&folder, error))?;
        if unreadable > 0 {
            tracing::error!(unreadable, folder = %folder.display(), "records that this program cannot read; `counterfoil store check` names them");
        }
        let (sender, receiver) = mpsc::channel();
        let writer = Writer::new(Arc::clone(&shared), receiver, retry_after);
        let thread = std::thread::Builder::new().name("counterfoil-store".into());
        let thread = thread.spawn(move || writer.run()).map_err(OpenError::Thread)?;
        Ok(Self { shared, queue: Queue::new(sender), thread: Some(thread), folder, lock: None })
    }

    /// The folder it lies in.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// In which format it writes records.
    pub fn format(&self) -> Format {
        self.shared.sealer.format()
    }

    /// How many sessions there are that somebody could use now. Looks at every row; for whoever watches, now and then.
    pub fn sessions(&self, now: Moment) -> LiveSessions {
        let global = self.shared.table.global().epoch;
        let shards = self.shared.table.shards().map(|shard| shard.sessions(global, now));
        shards.fold(LiveSessions::default(), LiveSessions::and)
    }
}

/// Live sessions, by what they are good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LiveSessions {
    /// Nobody has signed in.
    pub anonymous: usize,
    /// Whoever it was is known, and has to sign in.
    pub remembered: usize,
    /// Somebody is signed in, stepped up or not.
    pub authenticated: usize,
}

impl LiveSessions {
    const fn and(self, other: Self) -> Self {
        Self {
            anonymous: self.anonymous + other.anonymous,
            remembered: self.remembered + other.remembered,
            authenticated: self.authenticated + other.authenticated,
        }
    }

    /// Each number, with the level of assurance that is meant.
    pub const fn by_assurance(self) -> [(Assurance, usize); 3] {
        [
            (Assurance::Anonymous, self.anonymous),
            (Assurance::Remembered, self.remembered),
            (Assurance::Authenticated, self.authenticated),
        ]
    }
}

impl Drop for EmbeddedStore {
    fn drop(&mut self) {
        self.queue.send(Message::Stop);
        if let Some(thread) = self.thread.take() {
            // A writer that panicked has answered nobody falsely; there is nothing to add.
            let _ = thread.join();
        }
    }
}

impl std::fmt::Debug for EmbeddedStore {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = out.debug_struct("EmbeddedStore");
        shown.field("folder", &self.folder).field("locked", &self.lock.is_some()).finish_non_exhaustive()
    }
}

/// Between attempts to go on after the disk failed.
const RETRY_AFTER: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;
