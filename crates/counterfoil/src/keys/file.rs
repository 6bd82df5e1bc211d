//! Keys from a file that only its owner may read. Written whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use counterfoil_core::Clock;
use counterfoil_core::keys::{KeyError, KeyFile, KeyMaterial, KeySource, SourceProblem};
use zeroize::Zeroizing;

use super::{LARGEST, at, refused};
use crate::SystemClock;

/// Root keys from a [`KeyFile`], as `counterfoil keys` makes and changes it.
///
/// # Security
/// Refused if anybody but its owner may read or change it. Keys that have ended are left out, and that is logged.
/// Whoever has this file and the store can open what is stored; they still cannot enter a session.
///
/// # Examples
/// ```
/// use counterfoil::keys::{FileKeys, KeyFile, KeySource};
/// use counterfoil::{Clock, SystemClock, SystemEntropy};
/// # let folder = std::env::temp_dir().join(format!("counterfoil-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
///
/// let keys = FileKeys::at(folder.join("keys"));
/// keys.create(&KeyFile::generate(SystemClock.now(), KeyFile::SESSIONS_LAST, &SystemEntropy)?)?;
/// assert!(keys.keys().is_ok());
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct FileKeys {
    path: PathBuf,
    clock: Arc<dyn Clock>,
}

impl FileKeys {
    /// The keys of this file.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), clock: Arc::new(SystemClock) }
    }

    /// Judges by `clock` which key signs and which has ended.
    pub fn clock(self, clock: impl Clock) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the file.
    ///
    /// # Errors
    /// [`KeyError::Source`] names the file, the line, and what to do.
    pub fn read(&self) -> Result<KeyFile, KeyError> {
        self.text().and_then(|text| Ok(KeyFile::parse(&text)?)).map_err(|problem| self.error(problem))
    }

    /// Writes a new file, which only its owner may read. Never overwrites one: it may be the only copy of keys in use.
    ///
    /// # Errors
    /// [`KeyError::Source`]; no file is left then.
    pub fn create(&self, file: &KeyFile) -> Result<(), KeyError> {
        let written = Draft::of(&self.path).and_then(|draft| match fs::symlink_metadata(&self.path) {
            Ok(_) => Err(SourceProblem::Exists),
            Err(error) if error.kind() == ErrorKind::NotFound => draft.put(file, &self.path),
            Err(error) => Err(refused("cannot be looked at")(error)),
        });
        written.map_err(|problem| self.error(problem))
    }

    /// Changes the file: what `change` makes of it takes its place in one step, or nothing happens. Of two changes at
    /// once one is refused.
    ///
    /// # Errors
    /// What `change` says, or [`KeyError::Source`].
    pub fn change<T, E: From<KeyError>>(&self, change: impl FnOnce(&mut KeyFile) -> Result<T, E>) -> Result<T, E> {
        // Where the path is a link, what it leads to is replaced, not the link.
        let path = fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        // First, so that nobody changes the file between reading and writing.
        let draft = Draft::of(&path).map_err(|problem| self.error(problem))?;
        let mut file = self.read()?;
        let made = change(&mut file)?;
        draft.put(&file, &path).map_err(|problem| self.error(problem))?;
        Ok(made)
    }

    fn text(&self) -> Result<Zeroizing<String>, SourceProblem> {
        let missing = |error: std::io::Error| match error.kind() {
            ErrorKind::NotFound => SourceProblem::Missing,
            _ => refused("cannot be read")(error),
        };
        // Before it is opened: opening a pipe would wait for somebody to write.
        if !fs::metadata(&self.path).map_err(missing)?.is_file() {
            return Err(SourceProblem::NotAFile);
        }
        let mut file = File::open(&self.path).map_err(missing)?;
        only_its_owners(&file)?;
        read_text(&mut file)
    }

    fn error(&self, problem: SourceProblem) -> KeyError {
        at(self.path.display(), problem)
    }
}

impl KeySource for FileKeys {
    fn keys(&self) -> Result<KeyMaterial, KeyError> {
        self.read()?.material(self.clock.now()).map_err(|problem| self.error(problem.into()))
    }
}

impl std::fmt::Debug for FileKeys {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_tuple("FileKeys").field(&self.path).finish()
    }
}

/// The text of a key source, if it is of a size there can be.
pub(super) fn read_text(from: &mut impl std::io::Read) -> Result<Zeroizing<String>, SourceProblem> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(LARGEST));
    let limit = u64::try_from(LARGEST).unwrap_or(u64::MAX) + 1;
    from.take(limit).read_to_end(&mut bytes).map_err(refused("cannot be read"))?;
    if bytes.len() > LARGEST {
        return Err(SourceProblem::TooLarge { max: LARGEST });
    }
    std::str::from_utf8(&bytes).map(|text| Zeroizing::new(text.to_owned())).map_err(|_| SourceProblem::NotText)
}

/// What will take the file's place, beside it and under a name that only one change can hold. Gone when dropped.
struct Draft {
    path: PathBuf,
    file: File,
}

impl Draft {
    fn of(target: &Path) -> Result<Self, SourceProblem> {
        let mut path = target.as_os_str().to_owned();
        path.push(".new");
        let path = PathBuf::from(path);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(&path) {
            Ok(file) => Ok(Self { path, file }),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                Err(SourceProblem::BeingChanged { left: path.display().to_string().into() })
            }
            Err(error) => Err(refused("cannot be written beside it")(error)),
        }
    }

    /// Writes `keys` and puts them in the place of `target`; durable when this returns.
    fn put(mut self, keys: &KeyFile, target: &Path) -> Result<(), SourceProblem> {
        let not_written = refused("cannot be written");
        self.file.write_all(keys.print().as_bytes()).map_err(&not_written)?;
        same_owner(&self.file, target).map_err(refused("cannot be given to the owner of the file it replaces"))?;
        self.file.sync_all().map_err(&not_written)?;
        fs::rename(&self.path, target).map_err(&not_written)?;
        let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // The file is in its place; on systems where a folder cannot be synced, this is all there is.
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // After `put` there is nothing under this name any more.
        let _ = fs::remove_file(&self.path);
    }
}

/// Whoever rotates as root must not take the file from the user the site runs as.
#[cfg(unix)]
fn same_owner(new: &File, old: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, fchown};

    let (Ok(old), new_one) = (fs::metadata(old), new.metadata()?) else {
        return Ok(());
    };
    if (old.uid(), old.gid()) == (new_one.uid(), new_one.gid()) {
        return Ok(());
    }
    fchown(new, Some(old.uid()), Some(old.gid()))
}

#[cfg(not(unix))]
fn same_owner(_: &File, _: &Path) -> std::io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn only_its_owners(file: &File) -> Result<(), SourceProblem> {
    use std::os::unix::fs::MetadataExt as _;

    let mode = file.metadata().map_err(refused("cannot be looked at"))?.mode() & 0o7777;
    if mode & OTHERS == 0 { Ok(()) } else { Err(SourceProblem::OpenToOthers { mode }) }
}

/// What a file's mode grants to group and others.
#[cfg(unix)]
const OTHERS: u32 = 0o077;

#[cfg(not(unix))]
fn only_its_owners(_: &File) -> Result<(), SourceProblem> {
    Ok(())
}
