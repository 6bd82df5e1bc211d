//! The engine in use: fjall. Everything that knows its name is here.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode, Readable as _, Snapshot};

use super::{Batch, Disk, Opener, Space, View, Visit, journal};
use crate::embedded::Settings;
use crate::embedded::error::DiskError;

/// How to open fjall in a folder.
#[derive(Debug)]
pub(in crate::embedded) struct Fjall {
    folder: PathBuf,
    cache_bytes: u64,
    write_buffer_bytes: u64,
    damage: Damage,
}

/// What to do with an engine that lost writes it once had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::embedded) enum Damage {
    /// Sign-outs may be among them.
    Refused,
    /// To see what is left.
    Tolerated,
}

impl Fjall {
    pub(in crate::embedded) fn new(folder: &Path, settings: &Settings) -> Self {
        Self {
            folder: folder.to_owned(),
            cache_bytes: settings.engine_cache_bytes as u64,
            write_buffer_bytes: settings.write_buffer_bytes as u64,
            damage: Damage::Refused,
        }
    }

    /// Opens also what is damaged.
    pub(in crate::embedded) fn tolerant(self) -> Self {
        Self { damage: Damage::Tolerated, ..self }
    }

    /// The number of the last batch, if no more was lost than one that a power cut tore. `seen` is what the journal had
    /// before the engine opened.
    fn sound(&self, meta: &Keyspace, seen: Option<u64>) -> Result<u64, DiskError> {
        let failed = |error| DiskError::engine("reading", Some(Space::Meta), error);
        let found = meta.get(NUMBER).map_err(failed)?;
        let have = found.and_then(|mark| journal::number(&mark)).unwrap_or_default();
        let (lost, note) = (journal::lost(seen, have), journal::note_of(&self.folder));
        if lost > 0 {
            let text = format!("{lost} writes were in the journal and could not be read again\n");
            std::fs::write(&note, text).map_err(|error| DiskError::io("noting the damage of", error))?;
        }
        if note.exists() && self.damage == Damage::Refused { Err(DiskError::damaged()) } else { Ok(have) }
    }
}

impl Opener for Fjall {
    fn open(&self) -> Result<Arc<dyn Disk>, DiskError> {
        let failed = |doing: &'static str| move |error| DiskError::engine(doing, None, error);
        let seen = if self.folder.exists() { journal::highest(&self.folder) } else { Ok(None) };
        let seen = seen.map_err(|error| DiskError::io("reading the journal of", error))?;
        let database = Database::builder(&self.folder)
            .cache_size(self.cache_bytes)
            .max_journaling_size(JOURNAL_BYTES)
            .worker_threads(WORKERS)
            .manual_journal_persist(true)
            .open()
            .map_err(failed("opening"))?;
        let open = |space: Space| {
            let options = || {
                KeyspaceCreateOptions::default().max_memtable_size(self.write_buffer_bytes).manual_journal_persist(true)
            };
            let opened = database.keyspace(space.name(), options);
            opened.map_err(|error| DiskError::engine("opening", Some(space), error))
        };
        let spaces = Spaces {
            sessions: open(Space::Sessions)?,
            subjects: open(Space::Subjects)?,
            references: open(Space::References)?,
            meta: open(Space::Meta)?,
        };
        // The engine leaves the names of its maps' folders to the file system: POSIX keeps them once this is done.
        let names = crate::embedded::folder::sync(&self.folder.join(MAPS));
        names.map_err(|error| DiskError::io("writing a folder of", error))?;
        let number = AtomicU64::new(self.sound(&spaces.meta, seen)?);
        Ok(Arc::new(Opened { spaces, database, number }))
    }
}

/// The keyspaces stand before the database: they let go of it first.
struct Opened {
    spaces: Spaces,
    database: Database,
    /// Of the last batch.
    number: AtomicU64,
}

#[derive(Clone)]
struct Spaces {
    sessions: Keyspace,
    subjects: Keyspace,
    references: Keyspace,
    meta: Keyspace,
}

impl Spaces {
    const fn of(&self, space: Space) -> &Keyspace {
        match space {
            Space::Sessions => &self.sessions,
            Space::Subjects => &self.subjects,
            Space::References => &self.references,
            Space::Meta => &self.meta,
        }
    }
}

impl Disk for Opened {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, DiskError> {
        let found = self.spaces.of(space).get(key);
        let found = found.map_err(|error| DiskError::engine("reading", Some(space), error))?;
        Ok(found.map(|value| value.to_vec()))
    }

    fn write(&self, batch: &Batch) -> Result<(), DiskError> {
        let mut writes = self.database.batch().durability(Some(PersistMode::SyncData));
        let number = self.number.fetch_add(1, Ordering::SeqCst) + 1;
        writes.insert(&self.spaces.meta, NUMBER, journal::mark(number));
        for (space, key, value) in batch.iter() {
            match value {
                Some(value) => writes.insert(self.spaces.of(space), key, value),
                None => writes.remove(self.spaces.of(space), key),
            }
        }
        writes.commit().map_err(|error| DiskError::engine("writing", None, error))
    }

    fn view(&self) -> Arc<dyn View> {
        Arc::new(At { snapshot: self.database.snapshot(), spaces: self.spaces.clone() })
    }

    fn about(&self) -> u64 {
        Space::ALL.iter().map(|space| self.spaces.of(*space).approximate_len() as u64).sum()
    }

    fn bytes(&self) -> Result<u64, DiskError> {
        self.database.disk_space().map_err(|error| DiskError::engine("measuring", None, error))
    }
}

struct At {
    snapshot: Snapshot,
    spaces: Spaces,
}

impl View for At {
    fn scan(&self, space: Space, prefix: &[u8], visit: &mut Visit<'_>) -> Result<(), DiskError> {
        for entry in self.snapshot.prefix(self.spaces.of(space), prefix) {
            let (key, value) = entry.into_inner().map_err(|error| DiskError::engine("reading", Some(space), error))?;
            if !(space == Space::Meta && *key == *NUMBER) {
                visit(&key, &value)?;
            }
        }
        Ok(())
    }
}

/// Where the engine has a folder for each map.
const MAPS: &str = "keyspaces";
/// Under which the number of the last batch lies in the engine's `meta`. Its own affair: no view shows it.
const NUMBER: &[u8] = b"batch";
/// The journal is cut into the tables once it has grown to this: what a start reads again at most. The least fjall takes.
const JOURNAL_BYTES: u64 = 64 * 1_024 * 1_024;
/// Threads that tidy the tables. The store itself has one more.
const WORKERS: usize = 1;
