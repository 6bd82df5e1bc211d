//! A store's folder while no store works in it: looked through, copied, put back.

mod check;
mod copy;
mod lines;
mod reseal;
mod resting;

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use counterfoil_core::Moment;
use counterfoil_core::keys::KeyId;
use counterfoil_core::seal::Sealer;
use counterfoil_core::stored::{self, Format, Stored, StoredRecord};

pub use self::check::{Checked, Finding};
pub use self::copy::Sessions;
pub use self::lines::{ImportError, Imported, import};
pub use self::reseal::Resealed;
pub use self::resting::Resting;
use super::disk::{Disk, Fjall, Opener as _, Space, View};
use super::error::DiskError;
use super::folder::Folder;
use super::{EmbeddedStore, OpenError, Progress, Settings};

/// The folder of a store, or of a backup, opened for maintenance: nothing else may work in it meanwhile.
///
/// # Examples
/// ```no_run
/// # use counterfoil_core::keys::{GeneratedKeys, SharedRing};
/// # use counterfoil_core::seal::Sealer;
/// use counterfoil_stores::embedded::Archive;
///
/// # let sealer = Sealer::new(SharedRing::from_source(&GeneratedKeys)?);
/// let archive = Archive::open("/var/lib/shop/sessions", sealer)?;
/// let checked = archive.check(&mut |_| {})?;
/// assert!(checked.findings.is_empty());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub struct Archive {
    /// Before the folder: the engine lets go of its files before the lock opens.
    disk: Arc<dyn Disk>,
    sealer: Sealer,
    folder: Folder,
}

/// What lies in a store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Records of sessions, also of those that are over and not swept yet.
    pub sessions: u64,
    /// Records of what is known of subjects: their devices.
    pub memos: u64,
    /// Tombstones.
    pub tombstones: u64,
    /// Records among them that are in an earlier format than the one that is written.
    pub earlier: u64,
    /// Records that this program cannot read.
    pub unreadable: u64,
    /// Subjects whose epoch rose.
    pub subjects: u64,
    /// Names that others have for sessions.
    pub references: u64,
    /// Bytes of keys and values.
    pub bytes: u64,
    /// Bytes of files, what is superseded and not cleaned up yet included.
    pub bytes_on_disk: u64,
}

impl Archive {
    /// Opens the folder of a store or of a backup.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(folder: impl AsRef<Path>, sealer: Sealer) -> Result<Self, OpenError> {
        let sealer = sealer.writing(Format::LATEST);
        let folder = Folder::open(folder.as_ref(), &sealer)?;
        let opened = Fjall::new(&folder.engine(), &Settings::default()).tolerant().open();
        let disk = opened.map_err(|error| OpenError::disk(folder.path(), error))?;
        Ok(Self { disk, sealer, folder })
    }

    /// About how many entries there are, for a progress bar.
    pub fn about(&self) -> u64 {
        self.disk.about()
    }

    /// The folder it lies in.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// What lies in it.
    ///
    /// # Errors
    /// [`DiskError`] if it cannot be read.
    pub fn stats(&self, progress: &mut Progress<'_>) -> Result<Stats, DiskError> {
        let view = self.disk.view();
        Ok(Stats { bytes_on_disk: self.disk.bytes()?, ..stats(&*view, self.sealer.format(), progress)? })
    }

    /// Looks at every entry: whether it can be read, is what was written, and agrees with the others.
    ///
    /// # Errors
    /// [`DiskError`] if a file cannot be read at all.
    pub fn check(&self, progress: &mut Progress<'_>) -> Result<Checked, DiskError> {
        check::check(&*self.disk.view(), &self.sealer, progress)
    }

    /// Copies everything into an empty folder.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn back_up(&self, into: impl AsRef<Path>, progress: &mut Progress<'_>) -> Result<u64, OpenError> {
        copy::back_up(&*self.disk.view(), into.as_ref(), &self.sealer, progress)
    }

    /// Puts this backup into an empty folder, from where it can be opened. How many entries it had.
    ///
    /// # Errors
    /// [`OpenError`]; an unfinished copy is no store, and is begun again next time.
    pub fn restore(
        &self,
        into: impl AsRef<Path>,
        sessions: Sessions,
        now: Moment,
        progress: &mut Progress<'_>,
    ) -> Result<u64, OpenError> {
        copy::restore(&*self.disk.view(), into.as_ref(), &self.sealer, sessions, now, progress)
    }

    /// Which live sessions end when `key` is taken out of the ring, which signed during `signed`.
    ///
    /// # Errors
    /// [`DiskError`] if it cannot be read.
    pub fn resting_on(
        &self,
        key: KeyId,
        signed: Range<Moment>,
        now: Moment,
        progress: &mut Progress<'_>,
    ) -> Result<Resting, DiskError> {
        resting::resting_on(&*self.disk, &self.sealer, key, signed, now, progress)
    }

    /// In which format records are written here.
    pub fn format(&self) -> Format {
        self.sealer.format()
    }

    /// Has records written in this program's format from now on. Those that lie there stay as they are, are read as ever,
    /// and take it when they next change, or when they are [sealed anew](Self::reseal). Earlier programs cannot open the
    /// folder any more. Whether anything was done.
    ///
    /// # Errors
    /// [`OpenError`] if it could not be noted.
    pub fn migrate(&self) -> Result<bool, OpenError> {
        if self.sealer.format() == Format::LATEST {
            return Ok(false);
        }
        self.folder.raise(Format::LATEST)?;
        Ok(self.sealer.change_format(Format::LATEST))
    }

    /// Seals everything anew that is sealed with a key that does not sign any more, or in another format than the one that
    /// is written. Ends nothing; may be cut short and begun again.
    ///
    /// # Errors
    /// [`DiskError`] if it cannot be read or written.
    pub fn reseal(&self, progress: &mut Progress<'_>) -> Result<Resealed, DiskError> {
        reseal::reseal(&*self.disk, &self.sealer, progress)
    }

    /// Writes everything as JSON lines. What is sealed stays sealed: it is worth nothing without the keys.
    ///
    /// # Errors
    /// [`DiskError`] if it cannot be read, or `out` not be written.
    pub fn export(&self, out: &mut dyn std::io::Write, progress: &mut Progress<'_>) -> Result<u64, DiskError> {
        lines::export(&*self.disk.view(), out, &self.sealer, progress)
    }
}

impl EmbeddedStore {
    /// Copies everything into an empty folder, as it is at this moment, while the store works.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn back_up(&self, into: impl AsRef<Path>, progress: &mut Progress<'_>) -> Result<u64, OpenError> {
        let disk = self.shared.disk().map_err(|_| OpenError::Away { path: self.folder.clone() })?;
        copy::back_up(&*disk.view(), into.as_ref(), &self.shared.sealer, progress)
    }
}

impl std::fmt::Debug for Archive {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Archive").field("folder", &self.folder.path()).finish_non_exhaustive()
    }
}

fn is_earlier(value: &[u8], written: Format) -> bool {
    StoredRecord::from_bytes(value).is_ok_and(|record| record.format() < written)
}

fn stats(view: &dyn View, written: Format, progress: &mut Progress<'_>) -> Result<Stats, DiskError> {
    let (mut stats, mut done) = (Stats::default(), 0);
    for space in Space::ALL {
        view.scan(space, &[], &mut |key, value| {
            let count = match (space, stored::kind_of(value)) {
                (Space::Sessions, Ok(Stored::Record)) => match stored::decode_head(value) {
                    Ok(head) if head.family.is_closed() => &mut stats.memos,
                    Ok(_) => &mut stats.sessions,
                    Err(_) => &mut stats.unreadable,
                },
                (Space::Sessions, Ok(Stored::Tombstone)) => &mut stats.tombstones,
                (Space::Sessions, _) => &mut stats.unreadable,
                (Space::Subjects, _) => &mut stats.subjects,
                (Space::References, _) => &mut stats.references,
                (Space::Meta, _) => &mut 0,
            };
            *count += 1;
            let is_memo = stored::decode_head(value).is_ok_and(|head| head.family.is_closed());
            stats.earlier += u64::from(space == Space::Sessions && !is_memo && is_earlier(value, written));
            stats.bytes += (key.len() + value.len()) as u64;
            done += 1;
            progress(done);
            Ok(())
        })?;
    }
    Ok(stats)
}
