//! Files that only their owner may read, written whole or not at all, in a folder that others may run commands on.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, fchown};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// What tells one version of a file from the next without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    device: u64,
    inode: u64,
    size: u64,
    seconds: i64,
    nanos: i64,
}

/// Why a file was not read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileProblem {
    /// Others may read or change it.
    #[error("can be read or changed by others than its owner (mode {:04o}): make it yours alone with `chmod 600`", mode & 0o7777)]
    OpenToOthers {
        /// Its mode.
        mode: u32,
    },
    /// A folder or a pipe stands in its place.
    #[error("is not a file")]
    NotAFile,
    /// Larger than any such file.
    #[error("has more than {max} bytes")]
    TooLarge {
        /// The most it may have.
        max: u64,
    },
    /// It is no text.
    #[error("is not UTF-8 text")]
    NotText,
    /// Another process is changing the accounts.
    #[error("is held by another process that changes the accounts; try again when it is done")]
    Busy,
    /// The system refused.
    #[error("{what}")]
    Refused {
        /// What.
        what: &'static str,
        /// Why.
        source: io::Error,
    },
}

/// Which version of the file is there now, if any.
pub(crate) fn mark(path: &Path) -> Result<Option<Mark>, FileProblem> {
    match fs::metadata(path) {
        Ok(found) => Ok(Some(Mark::of(&found))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(refused("cannot be looked at")(error)),
    }
}

/// The text of a file that is its owner's alone, and which version it is; `None` if there is no such file.
pub(crate) fn read(path: &Path, max: u64) -> Result<Option<(Zeroizing<String>, Mark)>, FileProblem> {
    // Before it is opened: opening a pipe would wait for somebody to write.
    match fs::metadata(path) {
        Ok(found) if !found.is_file() => return Err(FileProblem::NotAFile),
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(refused("cannot be looked at")(error)),
    }
    let file = File::open(path).map_err(refused("cannot be read"))?;
    let found = file.metadata().map_err(refused("cannot be looked at"))?;
    if found.mode() & OTHERS != 0 {
        return Err(FileProblem::OpenToOthers { mode: found.mode() });
    }
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(max + 1).read_to_end(&mut bytes).map_err(refused("cannot be read"))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > max {
        return Err(FileProblem::TooLarge { max });
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| FileProblem::NotText)?;
    Ok(Some((Zeroizing::new(text.to_owned()), Mark::of(&found))))
}

/// Puts `text` in the place of `path` in one step; durable when this returns. Only one process may do so at a time.
pub(crate) fn replace(path: &Path, text: &str) -> Result<Mark, FileProblem> {
    let draft = draft_of(path);
    let not_written = || refused("cannot be written");
    // Left by a process that was killed: whoever is here holds the lock, so nobody is writing it.
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(not_written()(error)),
        _ => {}
    }
    let written = write_new(&draft, path, text).and_then(|mark| fs::rename(&draft, path).map(|()| mark));
    if written.is_err() {
        let _ = fs::remove_file(&draft);
    }
    let mark = written.map_err(not_written())?;
    // The file is in its place; on systems where a folder cannot be synced, this is all there is.
    let _ = File::open(folder_of(path)).and_then(|folder| folder.sync_all());
    Ok(mark)
}

/// An empty file to lock; made if there is none.
pub(crate) fn lock_file(path: &Path) -> Result<File, FileProblem> {
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(false).mode(0o600).open(path);
    let file = file.map_err(refused("cannot be opened"))?;
    belongs_to_owner_of(folder_of(path), &file).map_err(refused("cannot be given to the folder's owner"))?;
    Ok(file)
}

/// A folder that only its owner may enter; made if there is none.
pub(crate) fn folder(path: &Path) -> Result<(), FileProblem> {
    match fs::DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => {
            let given = File::open(path).and_then(|made| belongs_to_owner_of(folder_of(path), &made));
            given.map_err(refused("cannot be given to the owner of the folder it is in"))
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(refused("cannot be made")(error)),
    }
}

/// A folder of data with all folders above it, each its owner's alone if it is made.
pub(crate) fn folders(path: &Path) -> Result<(), FileProblem> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(refused("cannot be made"))
}

/// Names that are drafts, not files.
pub(crate) fn is_draft(name: &OsString) -> bool {
    name.as_encoded_bytes().ends_with(DRAFT.as_bytes())
}

pub(crate) fn refused(what: &'static str) -> impl Fn(io::Error) -> FileProblem {
    move |source| FileProblem::Refused { what, source }
}

fn write_new(draft: &Path, target: &Path, text: &str) -> io::Result<Mark> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft)?;
    // A command run as root must not take the file from the user the gateway runs as.
    belongs_to_owner_of(if target.exists() { target } else { folder_of(target) }, &file)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    file.metadata().map(|found| Mark::of(&found))
}

fn belongs_to_owner_of(like: &Path, file: &File) -> io::Result<()> {
    let (like, own) = (fs::metadata(like)?, file.metadata()?);
    if (like.uid(), like.gid()) == (own.uid(), own.gid()) {
        return Ok(());
    }
    // Whoever is not root cannot give anything away, and writes into a folder of a group: then the file stays theirs.
    match fchown(file, Some(like.uid()), Some(like.gid())) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied && like.uid() == own.uid() => Ok(()),
        done => done,
    }
}

fn draft_of(path: &Path) -> PathBuf {
    let mut draft = path.as_os_str().to_owned();
    draft.push(DRAFT);
    PathBuf::from(draft)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

impl Mark {
    fn of(found: &fs::Metadata) -> Self {
        Self {
            device: found.dev(),
            inode: found.ino(),
            size: found.size(),
            seconds: found.mtime(),
            nanos: found.mtime_nsec(),
        }
    }
}

/// What a file's mode grants to group and others.
const OTHERS: u32 = 0o077;
const DRAFT: &str = ".new";
