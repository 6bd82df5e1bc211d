//! Where accounts are kept: one file, a lock for whoever changes it, and a spool of notes for the sessions.
//!
//! A change is a note first, then the file, both under the lock. Whoever takes up notes holds the lock while listing them,
//! so that a note is never acted on before the file says what it is about; and what crashes in between leaves a note too
//! many, never one too few.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use counterfoil::{Clock as _, SystemClock, SystemEntropy};
use counterfoil_core::Entropy as _;

use super::AccountName;
use super::book::{Book, Refused};
use super::format::{self, Malformed};
use super::note::{AccountChange, Left, NotANote, Note};
use crate::private::{self, FileProblem, Mark};

/// The folder that holds the accounts: that of the gateway's data.
#[derive(Debug, Clone)]
pub struct Folder(Arc<Path>);

/// The folder, while nobody else changes what is in it.
#[derive(Debug)]
pub(super) struct Locked {
    folder: Folder,
    /// Unlocks when dropped.
    _lock: File,
}

/// What was found when notes were looked for.
#[derive(Debug, Default)]
pub(super) struct Spool {
    pub(super) notes: Vec<Left>,
    /// What lies there and is no note.
    pub(super) strange: Vec<AccountsError>,
}

/// Accounts could not be read or changed. The text names the file, and says what to do.
#[derive(Debug, thiserror::Error)]
#[error("{}", path.display())]
pub struct AccountsError {
    /// The file.
    pub path: PathBuf,
    /// What is the matter with it.
    #[source]
    pub problem: AccountsProblem,
}

/// What is the matter with a file of accounts.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccountsProblem {
    /// With the file itself.
    #[error(transparent)]
    File(#[from] FileProblem),
    /// With what is in it.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// With a note.
    #[error(transparent)]
    Note(#[from] NotANote),
    /// It cannot be written as text: a fault of the program's.
    #[error("cannot be written as TOML")]
    Unwritable(#[from] toml::ser::Error),
    /// The folder holds no data of a gateway.
    #[error("there is no such folder; name the gateway's data folder with --data or --config, or make it")]
    NoFolder,
    /// The system gives no randomness for a note's name.
    #[error("no randomness for a name")]
    NoEntropy(#[from] counterfoil_core::NoEntropy),
}

/// A change that was not made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeFailed {
    /// The accounts do not allow it.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The files do not.
    #[error(transparent)]
    Files(#[from] AccountsError),
}

impl Folder {
    /// The accounts in this folder.
    pub fn at(path: impl AsRef<Path>) -> Self {
        Self(path.as_ref().into())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Makes the folder, for its owner alone, if it is missing. Whether it was.
    ///
    /// # Errors
    /// [`AccountsError`]
    pub fn make(&self) -> Result<bool, AccountsError> {
        let missing = !self.0.exists();
        private::folders(&self.0).map_err(at(self.0.to_path_buf()))?;
        Ok(missing)
    }

    /// The accounts as they are now; none where there is no file.
    ///
    /// # Errors
    /// [`AccountsError`]
    pub fn read(&self) -> Result<Book, AccountsError> {
        self.exists()?;
        Ok(self.read_marked()?.map(|(book, _)| book).unwrap_or_default())
    }

    /// Changes the accounts: what `change` makes of them takes their place in one step, or nothing happens. `told` is what
    /// their sessions must hear; a running gateway tells them within seconds, another one when it starts.
    ///
    /// # Errors
    /// What `change` says, or [`ChangeFailed::Files`].
    pub fn change(
        &self,
        told: Option<(&AccountName, AccountChange)>,
        change: impl FnOnce(&mut Book) -> Result<(), Refused>,
    ) -> Result<(), ChangeFailed> {
        let locked = self.lock()?;
        let mut book = self.read()?;
        change(&mut book)?;
        let left = told.map(|(account, change)| locked.leave(account, change)).transpose()?;
        match (locked.write(&book), left) {
            (Ok(_), _) => Ok(()),
            (Err(error), left) => {
                // Nothing changed, so there is nothing to tell.
                left.map(|left| left.remove()).transpose()?;
                Err(error.into())
            }
        }
    }

    pub(super) fn read_marked(&self) -> Result<Option<(Book, Mark)>, AccountsError> {
        let path = self.file();
        let read = private::read(&path, LARGEST).map_err(AccountsProblem::from).and_then(|found| {
            found.map(|(text, mark)| Ok::<_, AccountsProblem>((format::read(&text)?, mark))).transpose()
        });
        read.map_err(at(path))
    }

    /// Which version of the file is there now.
    pub(super) fn mark(&self) -> Result<Option<Mark>, AccountsError> {
        private::mark(&self.file()).map_err(at(self.file()))
    }

    /// Waits for whoever else changes the accounts, as long as such a change may take.
    pub(super) fn lock(&self) -> Result<Locked, AccountsError> {
        let deadline = Instant::now() + LONGEST_WAIT;
        loop {
            match self.try_lock()? {
                Some(locked) => return Ok(locked),
                None if Instant::now() >= deadline => return Err(at(self.lock_path())(FileProblem::Busy)),
                None => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }

    /// `None` while somebody else changes the accounts.
    pub(super) fn try_lock(&self) -> Result<Option<Locked>, AccountsError> {
        self.exists()?;
        let path = self.lock_path();
        let lock = private::lock_file(&path).map_err(at(path.clone()))?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Locked { folder: self.clone(), _lock: lock })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(at(path)(private::refused("cannot be locked")(error))),
        }
    }

    fn exists(&self) -> Result<(), AccountsError> {
        if self.0.is_dir() { Ok(()) } else { Err(at(self.0.to_path_buf())(AccountsProblem::NoFolder)) }
    }

    /// Whether there may be notes. Says so too if that cannot be told.
    pub(super) fn may_have_notes(&self) -> bool {
        match fs::read_dir(self.spool_path()) {
            Ok(mut found) => found.next().is_some(),
            Err(error) => error.kind() != ErrorKind::NotFound,
        }
    }

    fn file(&self) -> PathBuf {
        self.0.join("accounts.toml")
    }

    fn lock_path(&self) -> PathBuf {
        self.0.join("accounts.lock")
    }

    fn spool_path(&self) -> PathBuf {
        self.0.join("changes")
    }
}

impl Locked {
    pub(super) fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Puts `book` in the place of what is kept.
    pub(super) fn write(&self, book: &Book) -> Result<Mark, AccountsError> {
        let path = self.folder.file();
        let text = format::print(book).map_err(AccountsProblem::from);
        let written = text.and_then(|text| Ok(private::replace(&path, &text)?));
        written.map_err(at(path))
    }

    /// Leaves a note; durable when this returns.
    pub(super) fn leave(&self, account: &AccountName, change: AccountChange) -> Result<Left, AccountsError> {
        let now = SystemClock.now();
        let note = Note { account: account.clone(), change, at: now };
        let spool = self.folder.spool_path();
        let left = || {
            private::folder(&spool)?;
            let mut random = [0; 8];
            SystemEntropy.fill(&mut random)?;
            let path = spool.join(format!("{:013}-{:016x}", now.unix_millis(), u64::from_be_bytes(random)));
            private::replace(&path, &note.print()?)?;
            Ok::<_, AccountsProblem>(path)
        };
        let path = left().map_err(at(spool.clone()))?;
        Ok(Left { note, path })
    }

    /// The notes there are, oldest first.
    pub(super) fn notes(&self) -> Result<Spool, AccountsError> {
        let spool = self.folder.spool_path();
        let found = match fs::read_dir(&spool) {
            Ok(found) => found,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Spool::default()),
            Err(error) => return Err(at(spool)(private::refused("cannot be listed")(error))),
        };
        let listed: io::Result<Vec<_>> = found.map(|entry| Ok(entry?.file_name())).collect();
        let mut names = listed.map_err(private::refused("cannot be listed")).map_err(at(spool.clone()))?;
        names.sort();
        let mut all = Spool::default();
        for name in names {
            let path = spool.join(&name);
            if private::is_draft(&name) {
                // Of a change that crashed before it was one.
                let _ = fs::remove_file(path);
                continue;
            }
            match read_note(&path) {
                Ok(note) => all.notes.extend(note.map(|note| Left { note, path })),
                Err(problem) => all.strange.push(at(path)(problem)),
            }
        }
        Ok(all)
    }
}

impl Left {
    /// Its sessions know: the note is done with. A crash before this is done repeats what was done, which is fine.
    pub(super) fn remove(&self) -> Result<(), AccountsError> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(at(self.path.clone())(private::refused("cannot be removed")(error)))
            }
            _ => Ok(()),
        }
    }
}

fn read_note(path: &Path) -> Result<Option<Note>, AccountsProblem> {
    let found = private::read(path, LARGEST_NOTE)?;
    Ok(found.map(|(text, _)| Note::read(&text)).transpose()?)
}

fn at<P: Into<AccountsProblem>>(path: PathBuf) -> impl FnOnce(P) -> AccountsError {
    move |problem| AccountsError { path, problem: problem.into() }
}

/// A hundred thousand accounts with second factors.
const LARGEST: u64 = 64 * 1024 * 1024;
const LARGEST_NOTE: u64 = 4 * 1024;
/// Changes take milliseconds; only one that waits for a store that does not answer takes seconds.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
