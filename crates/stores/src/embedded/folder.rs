//! The folder of a store: what says that it is one, and the lock that keeps a second process out.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use counterfoil_core::seal::Sealer;
use counterfoil_core::stored::Format;
use counterfoil_core::{Entropy as _, SystemEntropy};

use super::OpenError;
use super::epochs::hex;

/// A folder that is ours for as long as this lives.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    kind: Kind,
    /// Unlocked when it is closed.
    _lock: File,
}

impl Folder {
    /// Opens a store's folder, or begins one in an empty or missing folder. A new one is of the format that `sealer` writes;
    /// to an old one's, `sealer` is set.
    pub(super) fn open_or_create(path: &Path, sealer: &Sealer) -> Result<Self, OpenError> {
        make(path)?;
        if !path.join(DESCRIPTION).exists() && !path.join(BEGUN).exists() && has_files(path)? {
            return Err(OpenError::NotAStore { path: path.to_owned() });
        }
        let mut folder = Self::locked(path)?;
        if path.join(DESCRIPTION).exists() {
            folder.kind = folder.check(sealer)?;
            if folder.kind == Kind::Backup {
                return Err(OpenError::IsBackup { path: path.to_owned() });
            }
        } else {
            folder.begin(sealer, Kind::Store)?;
        }
        Ok(folder)
    }

    /// Begins a store, or a backup, of the format that `sealer` writes, in a folder where nothing is but what an attempt
    /// before left.
    pub(super) fn create(path: &Path, sealer: &Sealer, kind: Kind) -> Result<Self, OpenError> {
        make(path)?;
        if path.join(DESCRIPTION).exists() || (!path.join(BEGUN).exists() && has_files(path)?) {
            return Err(OpenError::NotEmpty { path: path.to_owned() });
        }
        let folder = Self::locked(path)?;
        folder.begin(sealer, kind)?;
        Ok(folder)
    }

    /// Opens the folder of a store or backup that must be there, and sets `sealer` to its format.
    pub(super) fn open(path: &Path, sealer: &Sealer) -> Result<Self, OpenError> {
        if !path.join(DESCRIPTION).exists() {
            let begun = path.join(BEGUN).exists();
            let path = path.to_owned();
            return Err(if begun { OpenError::Unfinished { path } } else { OpenError::Missing { path } });
        }
        let folder = Self::locked(path)?;
        folder.check(sealer)?;
        Ok(folder)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it was made of a backup or an export, and all sessions of before ended.
    pub(super) fn was_restored(&self) -> bool {
        self.kind == Kind::Restored
    }

    /// Where the engine has its files.
    pub(super) fn engine(&self) -> PathBuf {
        self.path.join(ENGINE)
    }

    /// Notes that records are written in this format from now on. A crash leaves the old description or the new one.
    pub(super) fn raise(&self, format: Format) -> Result<(), OpenError> {
        let (name, changed) = (self.path.join(DESCRIPTION), self.path.join(CHANGED));
        let text = fs::read(&name).map_err(failed(&name, "read this file"))?;
        let line = |line: &str| match line.split_once(" = ") {
            Some(("format", _)) => format!("format = {}\n", number_of(format)),
            _ => format!("{line}\n"),
        };
        let text: String = String::from_utf8_lossy(&text).lines().map(line).collect();
        write(&changed, &text)?;
        fs::rename(&changed, &name).map_err(failed(&name, "replace this file"))?;
        sync(&self.path).map_err(failed(&self.path, "write this folder"))
    }

    /// The engine has made its files: from now on the folder is a store. Until then a start begins from nothing again.
    pub(super) fn completed(&self) -> Result<(), OpenError> {
        let (begun, description) = (self.path.join(BEGUN), self.path.join(DESCRIPTION));
        if begun.exists() {
            fs::rename(&begun, &description).map_err(failed(&description, "make this file"))?;
        }
        // At each start, because one before may have been killed right here: then what we see is not on the disk yet.
        sync(&self.path).map_err(failed(&self.path, "write this folder"))?;
        // The folders above it may be new as well. Those that we may not read are not ours.
        let path = self.path.canonicalize().map_err(failed(&self.path, "find this folder"))?;
        for folder in path.ancestors().skip(1) {
            let _ = sync(folder);
        }
        Ok(())
    }

    fn locked(path: &Path) -> Result<Self, OpenError> {
        let name = path.join(LOCK);
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&name);
        let mut lock = opened.map_err(failed(&name, "open this file"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                // Without it the message is shorter.
                let _ = lock.read_to_string(&mut text);
                return Err(OpenError::InUse { path: path.to_owned(), pid: text.trim().parse().ok() });
            }
            Err(TryLockError::Error(error)) => return Err(failed(&name, "lock this file")(error)),
        }
        let written =
            lock.set_len(0).and_then(|()| lock.rewind()).and_then(|()| writeln!(lock, "{}", std::process::id()));
        written.map_err(failed(&name, "write this file"))?;
        Ok(Self { path: path.to_owned(), kind: Kind::Store, _lock: lock })
    }

    /// Begins a store, in place of one whose beginning was cut short.
    fn begin(&self, sealer: &Sealer, kind: Kind) -> Result<(), OpenError> {
        let engine = self.engine();
        if engine.exists() {
            fs::remove_dir_all(&engine).map_err(failed(&engine, "remove this folder, whose making was cut short"))?;
        }
        let mut id = [0; 8];
        SystemEntropy.fill(&mut id).map_err(|_| OpenError::Entropy)?;
        let (id, mark) = (hex(&id), hex(&sealer.reference_mark()));
        let text = format!(
            "{HEADLINE}\nformat = {}\nkind = {}\nid = {id}\nreference key = {mark}\n\n\
             # Sessions of Counterfoil. Do not copy or put back files while a process works here:\n\
             # `counterfoil store backup` and `counterfoil store restore` do that.\n",
            number_of(sealer.format()),
            kind.name()
        );
        write(&self.path.join(BEGUN), &text)
    }

    fn check(&self, sealer: &Sealer) -> Result<Kind, OpenError> {
        let name = self.path.join(DESCRIPTION);
        let text = fs::read(&name).map_err(failed(&name, "read this file"))?;
        let description = Description::parse(&String::from_utf8_lossy(&text));
        let path = || self.path.clone();
        let description = description.map_err(|line| OpenError::Description { path: path(), line })?;
        let Some(format) = format_of(description.format) else {
            return Err(OpenError::NewerFormat { path: path(), found: description.format, known: KNOWN });
        };
        if description.reference_key != hex(&sealer.reference_mark()) {
            return Err(OpenError::OtherReferenceKey { path: path() });
        }
        if !self.engine().exists() {
            return Err(OpenError::EngineMissing { path: path() });
        }
        sealer.change_format(format);
        Ok(description.kind)
    }
}

/// What a folder holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A store, to be opened.
    Store,
    /// A store that was made of a backup or an export.
    Restored,
    /// A copy of one: it is restored, never opened.
    Backup,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Restored => "restored store",
            Self::Backup => "backup",
        }
    }
}

/// What the file `COUNTERFOIL` says.
#[derive(Debug, PartialEq, Eq)]
struct Description {
    format: u32,
    kind: Kind,
    reference_key: String,
}

impl Description {
    /// Reads it. The number of the line that cannot be read; the one after the last where something is missing.
    fn parse(text: &str) -> Result<Self, usize> {
        let (mut format, mut kind, mut reference_key, mut lines) = (None, None, None, 0);
        for (index, line) in text.lines().enumerate() {
            lines = index + 1;
            match (index, line.split_once(" = ")) {
                (0, _) if line == HEADLINE => {}
                (0, _) => return Err(1),
                (_, Some(("format", value))) => {
                    format = Some(value.parse().ok().filter(|number| *number > 0).ok_or(lines)?);
                }
                (_, Some(("kind", value))) => {
                    let known =
                        [Kind::Store, Kind::Restored, Kind::Backup].into_iter().find(|kind| kind.name() == value);
                    kind = Some(known.ok_or(lines)?);
                }
                (_, Some(("reference key", value))) => reference_key = Some(value.to_owned()),
                // A newer format may have more to say; the number decides.
                _ => {}
            }
        }
        match (format, kind, reference_key) {
            (Some(format), Some(kind), Some(reference_key)) => Ok(Self { format, kind, reference_key }),
            // What a newer format says beside its number is its own affair.
            (Some(format), ..) if format > KNOWN => {
                Ok(Self { format, kind: Kind::Store, reference_key: String::new() })
            }
            _ => Err(lines + 1),
        }
    }
}

/// What a folder calls the format in which its records are written.
pub(super) const fn number_of(format: Format) -> u32 {
    match format {
        Format::One => 1,
        Format::Two => 2,
    }
}

/// The format that a folder calls so, if this program knows it.
pub(super) fn format_of(number: u32) -> Option<Format> {
    [Format::One, Format::Two].into_iter().find(|format| number_of(*format) == number)
}

/// Writes a small file whole, and durably but for its name.
fn write(name: &Path, text: &str) -> Result<(), OpenError> {
    let written = File::create(name).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.map_err(failed(name, "write this file"))
}

/// Makes the folder, for nobody but its owner: ids, times and hashes are in clear.
fn make(path: &Path) -> Result<(), OpenError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(failed(path, "make this folder"))
}

/// Has the names in a folder written. Elsewhere than on Unix, systems see to that themselves.
#[cfg_attr(not(unix), expect(unused_variables, clippy::unnecessary_wraps, reason = "there is nothing to do"))]
pub(super) fn sync(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    Ok(())
}

fn has_files(path: &Path) -> Result<bool, OpenError> {
    let entries = fs::read_dir(path).map_err(failed(path, "read this folder"))?;
    Ok(entries.filter_map(Result::ok).any(|entry| entry.file_name() != LOCK))
}

fn failed(path: &Path, doing: &'static str) -> impl Fn(io::Error) -> OpenError + use<> {
    let path = path.to_owned();
    move |source| OpenError::Folder { path: path.clone(), doing, source }
}

/// The newest format of a folder that this program knows.
const KNOWN: u32 = number_of(Format::LATEST);
const HEADLINE: &str = "Counterfoil session store";
const DESCRIPTION: &str = "COUNTERFOIL";
/// The description of a store whose engine is not there yet.
const BEGUN: &str = "COUNTERFOIL.begun";
/// The description as it becomes.
const CHANGED: &str = "COUNTERFOIL.new";
const LOCK: &str = "lock";
const ENGINE: &str = "engine";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_is_read_or_refused_with_its_line() {
        #[rustfmt::skip]
        let rows = [
            ("Counterfoil session store\nformat = 1\nkind = store\nid = x\nreference key = ab\n", Ok((1, Kind::Store, "ab"))),
            ("Counterfoil session store\nreference key = ab\nformat = 1\nkind = backup\n# more",  Ok((1, Kind::Backup, "ab"))),
            ("Counterfoil session store\nformat = 2\nkind = store\nreference key = ab\n",         Ok((2, Kind::Store, "ab"))),
            ("Counterfoil session store\nformat = 3\nsomething = else\n",                          Ok((3, Kind::Store, ""))),
            ("Counterfoil session store\nformat = 2\nsomething = else\n",                          Err(4)),
            ("Counterfoil session store\nformat = 0\nkind = store\nreference key = ab\n",         Err(2)),
            ("Counterfoil session store\nformat = 1\nkind = other\nreference key = ab\n",         Err(3)),
            ("Counterfoil session store\nformat = one\nkind = store\nreference key = ab\n",       Err(2)),
            ("Counterfoil session store\nformat = 1\nkind = store\n",                              Err(4)),
            ("Counterfoil session\nformat = 1\nkind = store\nreference key = ab\n",               Err(1)),
            ("",                                                                                    Err(1)),
        ];
        for (text, expected) in rows {
            let read = Description::parse(text).map(|read| (read.format, read.kind, read.reference_key));
            assert_eq!(read, expected.map(|(format, kind, key)| (format, kind, key.to_owned())), "{text}");
        }
    }
}
