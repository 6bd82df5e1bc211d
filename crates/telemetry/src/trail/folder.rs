//! Where a trail lies: its segments, and the lock under which they are changed.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

/// The folder of a trail.
#[derive(Debug, Clone)]
pub(super) struct Folder(PathBuf);

/// A file of the trail, by the number of its first entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) first: u64,
    pub(super) path: PathBuf,
}

/// Nobody else changes the trail while this is held. The system lets it go with the process.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "held, and let go when it is closed")] File);

impl Folder {
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        Ok(Self(path.into()))
    }

    pub(super) fn at(path: &Path) -> Self {
        Self(path.into())
    }

    /// In their order. An empty one was created, and then nothing came of it.
    pub(super) fn segments(&self) -> io::Result<Vec<Segment>> {
        let mut segments = Vec::new();
        for file in fs::read_dir(&self.0)? {
            let file = file?;
            let name = file.file_name();
            if let Some(first) = name.to_str().and_then(first_of)
                && fs::metadata(file.path()).is_ok_and(|metadata| metadata.len() > 0)
            {
                segments.push(Segment { first, path: file.path() });
            }
        }
        segments.sort_by_key(|segment| segment.first);
        Ok(segments)
    }

    pub(super) fn segment(&self, first: u64) -> Segment {
        Segment { first, path: self.0.join(format!("trail-{first:012}.jsonl")) }
    }

    /// Waits for whoever changes the trail now.
    pub(super) fn lock(&self) -> io::Result<Lock> {
        held(private().create(true).append(true).open(self.0.join(LOCK))?)
    }

    /// The same for who only reads: where nobody ever wrote, or it may not be opened, it goes without.
    pub(super) fn lock_of_whoever_writes(&self) -> Option<Lock> {
        held(File::open(self.0.join(LOCK)).ok()?).ok()
    }

    /// Puts `text` in the place of a segment, as a whole or not at all.
    pub(super) fn replace(&self, segment: &Segment, text: &str) -> io::Result<()> {
        let aside = self.0.join(ASIDE);
        let mut file = private().create(true).write(true).truncate(true).open(&aside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&aside, &segment.path)?;
        self.sync()
    }

    /// Takes away what somebody left behind who was stopped while replacing.
    pub(super) fn tidy(&self) {
        let _ = fs::remove_file(self.0.join(ASIDE));
    }

    /// New and removed names are on the disk, too.
    pub(super) fn sync(&self) -> io::Result<()> {
        File::open(&self.0)?.sync_all()
    }
}

impl Segment {
    pub(super) fn open(&self) -> io::Result<File> {
        private().create(true).append(true).open(&self.path)
    }

    pub(super) fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// All of it; `None` if it is gone meanwhile.
    pub(super) fn read(&self) -> io::Result<Option<Vec<u8>>> {
        match fs::read(&self.path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Not for ever: whoever has it may have been stopped while it did.
fn held(file: File) -> io::Result<Lock> {
    let end = Instant::now() + LONGEST_WAIT;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Lock(file)),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if Instant::now() >= end => return Err(ErrorKind::ResourceBusy.into()),
            Err(TryLockError::WouldBlock) => thread::sleep(BETWEEN_LOOKS),
        }
    }
}

/// Whole lines, each with its number; and whether there is half a line after them.
pub(super) fn lines(bytes: &[u8]) -> (impl Iterator<Item = (u64, &[u8])>, bool) {
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
    let text = bytes.get(..whole).unwrap_or_default();
    let lines = text.split_inclusive(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\n").unwrap_or(line));
    ((1..).zip(lines), whole < bytes.len())
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

fn first_of(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("trail-")?.strip_suffix(".jsonl")?;
    digits.parse().ok().filter(|first| format!("{first:012}") == digits)
}

const LOCK: &str = "lock";
const ASIDE: &str = "erasing.tmp";
/// Longer than a segment takes to be replaced on a slow disk.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// At the lock, by who waits for it.
pub(super) const BETWEEN_LOOKS: Duration = Duration::from_millis(5);
