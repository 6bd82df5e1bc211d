//! Backups, and putting one in the place of what was lost.

use std::path::Path;
use std::sync::Arc;

use counterfoil_core::Moment;
use counterfoil_core::rules::EndReason;
use counterfoil_core::seal::Sealer;

use crate::embedded::disk::{Batch, Disk, Fjall, Opener as _, Space, View};
use crate::embedded::epochs;
use crate::embedded::error::DiskError;
use crate::embedded::folder::{Folder, Kind};
use crate::embedded::{OpenError, Progress, Settings};

/// What becomes of the sessions that a backup or an export holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sessions {
    /// All end: everybody signs in again. What was ended since the backup stays ended.
    #[default]
    End,
    /// They go on. **Whoever signed out, or was signed out, since the backup is signed in again, and tokens that were
    /// superseded since are good again.** For moving a store that nobody used meanwhile, and for nothing else.
    KeepAlthoughSignOutsAreForgotten,
}

/// Puts a backup into an empty folder.
pub(super) fn restore(
    view: &dyn View,
    into: &Path,
    sealer: &Sealer,
    sessions: Sessions,
    now: Moment,
    progress: &mut Progress<'_>,
) -> Result<u64, OpenError> {
    let target = Target::begin(into, sealer, Kind::Restored)?;
    let copied = copy(view, &*target.disk, progress).map_err(|error| OpenError::disk(into, error))?;
    target.end(sessions, now)?;
    Ok(copied)
}

/// Copies what `view` shows into an empty folder.
pub(super) fn back_up(
    view: &dyn View,
    into: &Path,
    sealer: &Sealer,
    progress: &mut Progress<'_>,
) -> Result<u64, OpenError> {
    let target = Target::begin(into, sealer, Kind::Backup)?;
    let copied = copy(view, &*target.disk, progress).map_err(|error| OpenError::disk(into, error))?;
    target.folder.completed()?;
    Ok(copied)
}

/// A folder that is being filled. Until it is done it is no store.
pub(super) struct Target {
    pub(super) disk: Arc<dyn Disk>,
    folder: Folder,
}

impl Target {
    pub(super) fn begin(path: &Path, sealer: &Sealer, kind: Kind) -> Result<Self, OpenError> {
        let folder = Folder::create(path, sealer, kind)?;
        let opened = Fjall::new(&folder.engine(), &Settings::default()).open();
        let disk = opened.map_err(|error| OpenError::disk(path, error))?;
        Ok(Self { disk, folder })
    }

    /// Everything is there: the folder becomes a store, in which no session of before is live, unless they are kept.
    pub(super) fn end(self, sessions: Sessions, now: Moment) -> Result<(), OpenError> {
        if sessions == Sessions::End {
            let ended = end_all(&*self.disk, now);
            ended.map_err(|error| OpenError::disk(self.folder.path(), error))?;
        }
        self.folder.completed()
    }
}

/// Raises the global epoch above everything that is there.
pub(in crate::embedded) fn end_all(disk: &dyn Disk, now: Moment) -> Result<(), DiskError> {
    let global = epochs::read_global(disk)?;
    let mut batch = Batch::default();
    epochs::put_global(&mut batch, global.epoch.after(now), EndReason::Admin, now);
    disk.write(&batch)
}

pub(in crate::embedded) fn copy(
    from: &dyn View,
    into: &dyn Disk,
    progress: &mut Progress<'_>,
) -> Result<u64, DiskError> {
    let (mut batch, mut done) = (Batch::default(), 0);
    for space in Space::ALL {
        from.scan(space, &[], &mut |key, value| {
            batch.put(space, key, value.to_vec());
            if batch.bytes() >= AT_ONCE {
                into.write(&std::mem::take(&mut batch))?;
            }
            done += 1;
            progress(done);
            Ok(())
        })?;
    }
    if !batch.is_empty() {
        into.write(&batch)?;
    }
    Ok(done)
}

/// Bytes of one write of a copy.
pub(super) const AT_ONCE: usize = 4 * 1_024 * 1_024;
