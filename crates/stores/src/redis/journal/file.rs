//! The journal on the disk: written by one thread, for all who wait at once; begun anew when most of it is old.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::line::HEADER;
use super::{Entry, MOST, Recent};

/// The file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The disk, or its rights.
    #[error("{}: the journal of revocations cannot be written", path.display())]
    Disk {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// Other processes have it, and all that would follow it.
    #[error("{}: too many processes keep their journals of revocations here: give each node a file of its own", path.display())]
    InUse {
        /// Which.
        path: PathBuf,
    },
    /// Somebody else's file.
    #[error("{}: this is no journal of revocations of this version; name another file", path.display())]
    NotOurs {
        /// Which.
        path: PathBuf,
    },
}

/// The file, locked, and how many lines were written to it.
pub(super) struct Lines {
    path: PathBuf,
    file: File,
    written: usize,
}

/// Whoever writes it.
pub(super) struct Kept {
    /// None once it is to end.
    orders: Option<Sender<Order>>,
    writing: Option<JoinHandle<()>>,
    path: PathBuf,
}

/// Lines to write, and whom to tell.
struct Order {
    entries: Vec<Entry>,
    done: oneshot::Sender<io::Result<()>>,
}

impl Lines {
    /// Opens the file, or the first of `FILE.2`, `FILE.3` … that no other process has: nodes may share a folder.
    pub(super) fn open_free(path: &Path) -> Result<(Self, Vec<Entry>), JournalError> {
        let others = (2..=MOST_NODES).map(|number| path.with_added_extension(number.to_string()));
        for path in std::iter::once(path.to_owned()).chain(others) {
            match Self::open(&path) {
                Err(JournalError::InUse { .. }) => {}
                other => return other,
            }
        }
        Err(JournalError::InUse { path: path.to_owned() })
    }

    /// Opens the file, or makes it. What a crash left half written at its end is dropped.
    fn open(path: &Path) -> Result<(Self, Vec<Entry>), JournalError> {
        let disk = |cause| JournalError::Disk { path: path.to_owned(), cause };
        let mut file = options().open(path).map_err(disk)?;
        if file.try_lock().is_err() {
            return Err(JournalError::InUse { path: path.to_owned() });
        }
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(disk)?;
        let whole =
            text.iter().rposition(|byte| *byte == b'\n').map_or(&[][..], |end| text.get(..=end).unwrap_or_default());
        let text = String::from_utf8_lossy(whole);
        if !HEADER.starts_with(&*text) && !text.starts_with(HEADER) {
            return Err(JournalError::NotOurs { path: path.to_owned() });
        }
        let lines: Vec<_> = text.lines().skip(1).collect();
        let entries: Vec<_> = lines.iter().filter_map(|line| Entry::read(line)).collect();
        if entries.len() < lines.len() {
            let (path, unread) = (path.display(), lines.len() - entries.len());
            tracing::warn!(%path, unread, "lines of the journal of revocations cannot be read, and are left out");
        }
        Ok((Self { path: path.to_owned(), file, written: 0 }, entries))
    }

    /// Begins anew, with these.
    fn rewrite(&mut self, entries: &[Entry]) -> io::Result<()> {
        let next = self.path.with_added_extension("new");
        let mut file = options().truncate(true).open(&next)?;
        file.try_lock()?;
        file.write_all(HEADER.as_bytes())?;
        file.write_all(&text_of(entries))?;
        file.sync_data()?;
        std::fs::rename(&next, &self.path)?;
        if let Some(folder) = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            File::open(folder)?.sync_all()?;
        }
        (self.file, self.written) = (file, entries.len());
        Ok(())
    }

    fn append(&mut self, text: &[u8], lines: usize) -> io::Result<()> {
        let end = self.file.seek(io::SeekFrom::End(0))?;
        let written = self.file.write_all(text).and_then(|()| self.file.sync_data());
        if written.is_err() {
            // Half a line would spoil the one after it.
            self.file.set_len(end)?;
        }
        self.written += lines;
        written
    }
}

impl Kept {
    /// Begins anew with what counts, which is in `recent` then and later.
    pub(super) fn begin(mut lines: Lines, recent: Arc<Mutex<Recent>>) -> Result<Self, JournalError> {
        let path = lines.path.clone();
        let disk = |cause| JournalError::Disk { path: path.clone(), cause };
        lines.rewrite(&all(&recent)).map_err(disk)?;
        let (sender, orders) = mpsc::channel();
        let thread = std::thread::Builder::new().name("counterfoil-journal".into());
        let writing = thread.spawn(move || write(lines, &orders, &recent)).map_err(disk)?;
        Ok(Self { orders: Some(sender), writing: Some(writing), path })
    }

    /// Writes these, and waits until the disk has them.
    pub(super) async fn write(&self, entries: Vec<Entry>) -> Result<(), JournalError> {
        let disk = |cause| JournalError::Disk { path: self.path.clone(), cause };
        let (done, answer) = oneshot::channel();
        let gone = || disk(io::Error::other("its writer has ended"));
        let orders = self.orders.as_ref().ok_or_else(gone)?;
        orders.send(Order { entries, done }).map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?.map_err(disk)
    }
}

impl Drop for Kept {
    /// The file is free afterwards, and has everything.
    fn drop(&mut self) {
        self.orders = None;
        if let Some(writing) = self.writing.take() {
            // It does not panic; and if it did, that was said.
            let _ = writing.join();
        }
    }
}

/// Writes for as long as somebody may ask for it: all that waits at once.
fn write(mut lines: Lines, orders: &Receiver<Order>, recent: &Mutex<Recent>) {
    while let Ok(first) = orders.recv() {
        let waiting: Vec<_> = std::iter::once(first).chain(orders.try_iter()).collect();
        let text: Vec<_> = waiting.iter().flat_map(|order| text_of(&order.entries)).collect();
        let written = lines.append(&text, waiting.iter().map(|order| order.entries.len()).sum());
        for order in waiting {
            let answer = written.as_ref().map_err(|error| io::Error::new(error.kind(), error.to_string()));
            // Whoever does not wait any more needs no answer.
            let _ = order.done.send(answer.copied());
        }
        // What was written counts still, or is old: whoever writes has it remembered before.
        if lines.written > LONGEST
            && let Err(error) = lines.rewrite(&all(recent))
        {
            tracing::warn!(path = %lines.path.display(), %error, "the journal of revocations grows: it cannot begin anew");
            lines.written = MOST;
        }
    }
}

fn all(recent: &Mutex<Recent>) -> Vec<Entry> {
    recent.lock().entries.iter().copied().collect()
}

fn text_of(entries: &[Entry]) -> Vec<u8> {
    entries.iter().flat_map(|entry| entry.line().into_bytes()).collect()
}

fn options() -> std::fs::OpenOptions {
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    options
}

/// How many processes may have journals beside each other.
const MOST_NODES: u32 = 16;
/// Of the lines of a file: then it is begun anew.
const LONGEST: usize = 2 * MOST;
