//! Where the demo keeps sessions and keys: in a folder, so that a restart signs nobody out, or in memory.

use std::{
    env,
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

use counterfoil::{
    Clock as _, FileKeys, GeneratedKeys, KeyError, MemoryStore, Policy, SystemClock, SystemEntropy,
    keys::{KeyFile, SharedRing},
    stores::embedded::{EmbeddedStore, OpenError, Sealer, Settings},
};

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keep {
    /// Nothing outlives the process.
    Memory,
    /// This folder, or the user's own one.
    Folder(Option<PathBuf>),
}

/// Keys and a store, ready for use.
#[derive(Debug)]
pub struct Kept {
    /// The keys; the store seals with the same.
    pub ring: SharedRing,
    /// The sessions.
    pub sessions: Sessions,
    /// Where the keys came from, if they may be others tomorrow.
    pub file: Option<FileKeys>,
}

/// The store.
#[derive(Debug)]
pub enum Sessions {
    /// In memory.
    Memory(MemoryStore),
    /// In a folder.
    Folder(EmbeddedStore),
}

/// Why nothing is kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeepFailed {
    /// The folder cannot be made.
    #[error("--data {}: cannot make this folder; --memory keeps nothing", folder.display())]
    Folder {
        /// Which.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The keys cannot be read or made.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The store does not open; the text says why, and what to do. For a look at the demo `--memory` will do.
    #[error(transparent)]
    Store(#[from] OpenError),
}

impl Keep {
    /// Opens keys and store; makes them where there are none.
    ///
    /// # Errors
    /// [`KeepFailed`] names the folder or file.
    pub fn open(&self, policy: &Policy) -> Result<Kept, KeepFailed> {
        let folder = match self {
            Self::Memory => return Ok(Kept::in_memory()?),
            Self::Folder(Some(folder)) => folder.clone(),
            Self::Folder(None) => default_folder(env::var_os("XDG_STATE_HOME"), env::var_os("HOME")),
        };
        fs::create_dir_all(&folder).map_err(|source| KeepFailed::Folder { folder: folder.clone(), source })?;
        let file = keys(&folder, policy)?;
        let ring = SharedRing::from_source(&file)?;
        let store = EmbeddedStore::open(folder.join("sessions"), Sealer::new(ring.clone()), Settings::default())?;
        Ok(Kept { ring, sessions: Sessions::Folder(store), file: Some(file) })
    }
}

impl Kept {
    /// Keys made for this process, and sessions that end with it.
    ///
    /// # Errors
    /// [`KeyError`] where the system gives no randomness.
    pub fn in_memory() -> Result<Self, KeyError> {
        let ring = SharedRing::from_source(&GeneratedKeys)?;
        Ok(Self { ring, sessions: Sessions::Memory(MemoryStore::new()), file: None })
    }

    /// What the banner says of it.
    pub fn assumption(&self) -> String {
        match &self.sessions {
            Sessions::Memory(_) => {
                "sessions and keys are in memory only: every session ends with this process".to_owned()
            }
            Sessions::Folder(store) => {
                let folder = store.folder().parent().unwrap_or(store.folder()).display();
                format!("sessions and keys are kept in {folder}: a restart signs nobody out; --memory keeps nothing")
            }
        }
    }
}

/// The key file of the folder; made if there is none, for sessions as long as the policy's.
fn keys(folder: &Path, policy: &Policy) -> Result<FileKeys, KeyError> {
    let keys = FileKeys::at(folder.join("keys"));
    if !keys.path().exists() {
        let limits = policy.limits();
        let longest = limits.absolute.max(limits.remember_for.unwrap_or_default()).max(A_YEAR);
        keys.create(&KeyFile::generate(SystemClock.now(), longest, &SystemEntropy)?)?;
    }
    Ok(keys)
}

/// Where state belongs by the XDG base directories, or below where the demo was started.
fn default_folder(state: Option<OsString>, home: Option<OsString>) -> PathBuf {
    let absolute = |path: OsString| Some(PathBuf::from(path)).filter(|path| path.is_absolute());
    let state = state.and_then(absolute).or_else(|| Some(home.and_then(absolute)?.join(".local/state")));
    state.map_or_else(|| PathBuf::from("counterfoil-data"), |state| state.join("counterfoil/demo"))
}

/// So that a longer policy tried another day still suits the keys.
const A_YEAR: std::time::Duration = std::time::Duration::from_hours(366 * 24);

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
            let folder = default_folder(state.map(OsString::from), home.map(OsString::from));
            assert_eq!(folder, Path::new(expected), "{state:?} {home:?}");
        }
    }
}
