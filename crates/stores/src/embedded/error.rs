//! What goes wrong: with the disk while it runs, and at the start.

use std::io;
use std::path::PathBuf;

use counterfoil_core::SessionId;
use counterfoil_core::store::StoreError;
use counterfoil_core::stored::StoredError;

use super::disk::Space;

/// The storage engine did not do what it was asked. Says what, where, and what to do where that is known.
#[derive(Debug)]
pub struct DiskError {
    doing: &'static str,
    place: Option<&'static str>,
    cause: Cause,
}

#[derive(Debug)]
enum Cause {
    Engine(fjall::Error),
    Io(io::Error),
    Said(Box<str>),
    Record(SessionId, StoredError),
    /// The journal's middle cannot be read; the engine went on without what came after.
    Damaged,
    /// Not an error: the store was told to begin anew.
    Renewed,
    /// Not an error of the disk: nobody writes any more.
    Closed,
}

impl DiskError {
    pub(super) fn engine(doing: &'static str, space: Option<Space>, error: fjall::Error) -> Self {
        Self { doing, place: space.map(Space::name), cause: Cause::Engine(error) }
    }

    pub(super) const fn io(doing: &'static str, error: io::Error) -> Self {
        Self { doing, place: None, cause: Cause::Io(error) }
    }

    /// Something in `space` that cannot be.
    pub(super) fn said(doing: &'static str, space: Space, what: impl Into<Box<str>>) -> Self {
        Self { doing, place: Some(space.name()), cause: Cause::Said(what.into()) }
    }

    pub(super) const fn damaged() -> Self {
        Self { doing: "opening", place: Some("journal"), cause: Cause::Damaged }
    }

    pub(super) const fn renewed() -> Self {
        Self { doing: "reading", place: None, cause: Cause::Renewed }
    }

    pub(super) const fn closed() -> Self {
        Self { doing: "asking", place: None, cause: Cause::Closed }
    }

    /// One record that cannot be read.
    pub(super) const fn record(id: SessionId, error: StoredError) -> Self {
        Self { doing: "reading", place: Some(Space::Sessions.name()), cause: Cause::Record(id, error) }
    }

    /// As the contract has it: a record that cannot be read is not the disk's absence.
    pub(super) fn into_store_error(self) -> StoreError {
        let Cause::Record(_, error) = &self.cause else { return self.into() };
        match StoreError::from(*error) {
            StoreError::Corrupt { what, .. } => StoreError::Corrupt { what, cause: Some(Box::new(self)) },
            other => other,
        }
    }

    /// Whether the disk is to blame.
    pub(super) const fn is_of_the_disk(&self) -> bool {
        !matches!(self.cause, Cause::Renewed | Cause::Closed)
    }

    /// Whether no space is left on the disk.
    pub fn is_full(&self) -> bool {
        let kind = match &self.cause {
            Cause::Engine(fjall::Error::Io(error)) | Cause::Io(error) => Some(error.kind()),
            Cause::Engine(error) => std::error::Error::source(error)
                .and_then(|inner| std::error::Error::source(inner).or(Some(inner)))
                .and_then(|inner| inner.downcast_ref::<io::Error>())
                .map(io::Error::kind),
            Cause::Said(_) | Cause::Record(..) | Cause::Damaged | Cause::Renewed | Cause::Closed => None,
        };
        matches!(kind, Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge))
    }

    /// Whether it is a record that was sealed with a key which is not in the ring.
    pub(super) const fn is_of_a_retired_key(&self) -> bool {
        matches!(self.cause, Cause::Record(_, StoredError::UnknownKey { .. }))
    }

    /// Whether another process holds the engine's files.
    pub(super) const fn is_locked(&self) -> bool {
        matches!(self.cause, Cause::Engine(fjall::Error::Locked))
    }
}

impl std::fmt::Display for DiskError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} the session store", self.doing)?;
        if let Some(place) = self.place {
            write!(out, " (`{place}`)")?;
        }
        if self.is_full() {
            return out.write_str(": no space is left on its disk; free some, it goes on by itself");
        }
        match &self.cause {
            Cause::Said(what) => write!(out, ": {what}"),
            Cause::Record(id, _) => write!(out, ": the record of {id}"),
            Cause::Damaged => out.write_str(
                ": writes are missing from the middle of it, sign-outs perhaps among them; restore a backup, or take what \
                 is left with `counterfoil store backup` and `counterfoil store restore`, which signs everybody out",
            ),
            Cause::Renewed => out.write_str(" once more"),
            Cause::Closed => out.write_str(", which was closed"),
            _ => out.write_str(" failed"),
        }
    }
}

impl std::error::Error for DiskError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.cause {
            Cause::Engine(error) => Some(error),
            Cause::Io(error) => Some(error),
            Cause::Record(_, error) => Some(error),
            Cause::Said(_) | Cause::Damaged | Cause::Renewed | Cause::Closed => None,
        }
    }
}

impl From<DiskError> for StoreError {
    fn from(error: DiskError) -> Self {
        Self::Unavailable(Box::new(error))
    }
}

/// Why a store does not open. Nothing was changed, and the text says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The folder cannot be made, read or written.
    #[error("{}: cannot {doing}", path.display())]
    Folder {
        /// Which file or folder.
        path: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// Another process works with it: two would forget each other's sign-outs.
    #[error("{}: the session store is in use{}; stop that process, or take another folder", path.display(), by(*pid))]
    InUse {
        /// The folder.
        path: PathBuf,
        /// The process that holds it, where it is known.
        pid: Option<u32>,
    },
    /// There are files in it, and they are not of a session store.
    #[error("{}: neither empty nor a session store (there is no file `COUNTERFOIL` in it); take another folder", path.display())]
    NotAStore {
        /// The folder.
        path: PathBuf,
    },
    /// A restore, an import or a backup into this folder did not come to its end.
    #[error(
        "{}: a store was begun here and not finished; do again what was to fill it, or remove the folder", path.display()
    )]
    Unfinished {
        /// The folder.
        path: PathBuf,
    },
    /// There is no session store.
    #[error("{}: there is no session store", path.display())]
    Missing {
        /// The folder.
        path: PathBuf,
    },
    /// The folder's description cannot be read.
    #[error("{}: line {line} of the file `COUNTERFOIL` cannot be read; restore the file from a backup", path.display())]
    Description {
        /// The folder.
        path: PathBuf,
        /// Which line.
        line: usize,
    },
    /// A newer Counterfoil wrote it.
    #[error(
        "{}: the store has format {found}, and this program reads up to format {known}; use the newer program, which wrote it",
        path.display()
    )]
    NewerFormat {
        /// The folder.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest this program reads.
        known: u32,
    },
    /// The reference key is another one: who was signed out everywhere would be forgotten.
    #[error(
        "{}: the store was made with another reference key, under which it knows who was signed out; \
         use that key, or take another folder (everybody signs in again)",
        path.display()
    )]
    OtherReferenceKey {
        /// The folder.
        path: PathBuf,
    },
    /// The description is there and the sessions are not: somebody took them away.
    #[error(
        "{}: the sessions are gone (the folder `engine` is missing); restore a backup, or take another folder",
        path.display()
    )]
    EngineMissing {
        /// The folder.
        path: PathBuf,
    },
    /// The storage engine cannot be opened or read.
    #[error("{}: the session store does not open", path.display())]
    Disk {
        /// The folder.
        path: PathBuf,
        /// What failed.
        #[source]
        disk: Box<DiskError>,
    },
    /// It is a copy of what once was: opened as it is, it would undo every sign-out since.
    #[error(
        "{}: this is a backup; `counterfoil store restore` puts it into a folder of its own, with no session alive",
        path.display()
    )]
    IsBackup {
        /// The folder.
        path: PathBuf,
    },
    /// There is a store already, or something else.
    #[error("{}: not empty; move what is there away, or take another folder", path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// The store has no disk at the moment.
    #[error("{}: the session store is away; its log says why", path.display())]
    Away {
        /// The folder.
        path: PathBuf,
    },
    /// The system starts no thread.
    #[error("cannot start the store's thread")]
    Thread(#[source] io::Error),
    /// The system gives no random bytes for the store's name.
    #[error("no random bytes for the store's name")]
    Entropy,
}

impl OpenError {
    pub(super) fn disk(folder: &std::path::Path, error: DiskError) -> Self {
        let path = folder.to_owned();
        if error.is_locked() { Self::InUse { path, pid: None } } else { Self::Disk { path, disk: Box::new(error) } }
    }
}

fn by(pid: Option<u32>) -> String {
    pid.map(|pid| format!(" by process {pid}")).unwrap_or_default()
}
