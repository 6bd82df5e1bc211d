//! What is watched, which descriptors are open on it, and the recording itself: one lock, held across the real call.

use std::collections::HashMap;
use std::env;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use libc::c_int;

use crate::format::{Kind, NOTES, RECORDING, WATCH};
use crate::system::{give_up, int, kernel, write_all};

/// The recording of this process.
pub(crate) struct Recorder {
    watched: PathBuf,
    notes: PathBuf,
    out: c_int,
    opened: HashMap<c_int, Opened>,
    handles: u32,
    syncs: u64,
}

/// What a descriptor stands for. Copies of a descriptor share it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Opened {
    pub(crate) handle: u32,
    pub(crate) place: Place,
    /// Whether every write goes to the end, whatever offset is named.
    pub(crate) appends: bool,
}

/// Where a file lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the watched folder.
    Watched,
    /// It is the file of notes.
    Notes,
}

/// Locks the recording; `None` where nothing is to be recorded.
pub(crate) fn recorder() -> Option<MutexGuard<'static, Recorder>> {
    static RECORDER: OnceLock<Option<Mutex<Recorder>>> = OnceLock::new();
    let recorder = RECORDER.get_or_init(|| Recorder::begin().map(Mutex::new)).as_ref()?;
    Some(recorder.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Runs `call` if `file` is not watched, else `watched` under the lock.
pub(crate) fn either<T>(file: c_int, call: impl Fn() -> T, watched: impl FnOnce(&Recorder, Opened) -> T) -> T {
    let Some(recorder) = recorder() else { return call() };
    if let Some(opened) = recorder.opened(file) {
        return watched(&recorder, opened);
    }
    // Not under the lock: a pipe may wait.
    drop(recorder);
    call()
}

impl Recorder {
    fn begin() -> Option<Self> {
        let (watched, notes, recording) = (env::var_os(WATCH)?, env::var_os(NOTES)?, env::var_os(RECORDING)?);
        let name = [recording.as_bytes(), b"\0"].concat();
        let flags = libc::O_WRONLY | libc::O_CREAT | libc::O_APPEND | libc::O_CLOEXEC;
        let low = int(kernel!(libc::SYS_openat, libc::AT_FDCWD, name.as_ptr(), flags, 0o600));
        // Out of the way of whoever counts on low numbers.
        let out = int(kernel!(libc::SYS_fcntl, low, libc::F_DUPFD_CLOEXEC, OUT_OF_THE_WAY));
        kernel!(libc::SYS_close, low);
        if out < 0 {
            give_up("the recording cannot be opened");
        }
        Some(Self { watched: watched.into(), notes: notes.into(), out, opened: HashMap::new(), handles: 0, syncs: 0 })
    }

    /// Whether a change of `path` is to be recorded, and where it lies.
    pub(crate) fn place(&self, path: &Path) -> Option<Place> {
        if path == self.notes {
            return Some(Place::Notes);
        }
        let below = path.strip_prefix(&self.watched).ok()?;
        if below.components().any(|part| part == std::path::Component::ParentDir) {
            give_up("a watched file was named by way of `..`");
        }
        Some(Place::Watched)
    }

    /// Whether it lies in the watched folder.
    pub(crate) fn watches(&self, path: &Path) -> bool {
        self.place(path) == Some(Place::Watched)
    }

    /// Remembers a descriptor of something watched, by a new handle.
    pub(crate) fn remember(&mut self, file: c_int, place: Place, appends: bool) -> u32 {
        self.handles += 1;
        self.opened.insert(file, Opened { handle: self.handles, place, appends });
        self.handles
    }

    /// What a descriptor stands for, if it is watched.
    pub(crate) fn opened(&self, file: c_int) -> Option<Opened> {
        self.opened.get(&file).copied()
    }

    /// Whether any descriptor from `first` to `last` is watched.
    pub(crate) fn has_in(&self, first: u32, last: u32) -> bool {
        self.opened.keys().any(|file| u32::try_from(*file).is_ok_and(|file| (first..=last).contains(&file)))
    }

    pub(crate) fn copied(&mut self, from: c_int, to: c_int) {
        match self.opened(from) {
            Some(opened) => self.opened.insert(to, opened),
            None => self.opened.remove(&to),
        };
    }

    pub(crate) fn closed(&mut self, file: c_int) {
        self.opened.remove(&file);
    }

    /// Records that what was written to `file` was asked to be on the disk; by which handle, and which question it is.
    pub(crate) fn sync_asked(&mut self, file: c_int) -> Option<(u32, u64)> {
        let handle = self.opened(file)?.handle;
        self.syncs += 1;
        self.record(Kind::SyncAsked, handle, self.syncs, b"");
        Some((handle, self.syncs))
    }

    /// Records something about a file that is open.
    pub(crate) fn record(&self, kind: Kind, handle: u32, number: u64, rest: &[u8]) {
        self.write(kind, handle, number, b"", rest);
    }

    /// Records something about a name.
    pub(crate) fn record_name(&self, kind: Kind, handle: u32, number: u64, path: &Path, to: &Path) {
        let below = |path: &Path| path.strip_prefix(&self.watched).unwrap_or(path).as_os_str().as_bytes().to_vec();
        self.write(kind, handle, number, &below(path), &below(to));
    }

    fn write(&self, kind: Kind, handle: u32, number: u64, name: &[u8], rest: &[u8]) {
        let length = |bytes: usize| u32::try_from(bytes).unwrap_or_else(|_| give_up("a write of four gigabytes"));
        let kind = Kind::ALL.iter().position(|known| *known == kind).and_then(|kind| u8::try_from(kind).ok());
        let mut record = Vec::with_capacity(4 + HEAD + name.len() + rest.len());
        record.extend(length(HEAD + name.len() + rest.len()).to_le_bytes());
        record.push(kind.unwrap_or(u8::MAX));
        record.extend(handle.to_le_bytes());
        record.extend(number.to_le_bytes());
        record.extend(length(name.len()).to_le_bytes());
        record.extend(name);
        record.extend(rest);
        write_all(self.out, &record);
    }
}

/// Bytes of a record between its length and its name.
const HEAD: usize = 1 + 4 + 8 + 4;
/// The least descriptor for the recording.
const OUT_OF_THE_WAY: c_int = 700;
