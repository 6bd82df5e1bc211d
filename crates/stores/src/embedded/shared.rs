//! What readers and the writer share: the table, the disk while there is one, the keys, and who watches.

use std::sync::Arc;

use counterfoil_core::seal::Sealer;
use counterfoil_core::store::{Live, Notice, Notices, StoreError};
use counterfoil_core::stored;
use counterfoil_core::{Record, SessionId};
use parking_lot::{Mutex, RwLock};

use super::disk::{Disk, Opener, Space};
use super::error::DiskError;
use super::load;
use super::table::{Away, Is, Known, Table};
use super::writer::{Landing, unavailable};

pub(super) struct Shared {
    pub(super) table: Table,
    pub(super) sealer: Sealer,
    pub(super) notices: Notices,
    pub(super) landing: Landing,
    disk: RwLock<Option<Arc<dyn Disk>>>,
    opener: Box<dyn Opener>,
    /// Why there is no disk.
    trouble: Mutex<Arc<DiskError>>,
}

impl Shared {
    pub(super) fn new(opener: Box<dyn Opener>, sealer: Sealer, cache_bytes: usize) -> Self {
        Self {
            table: Table::new(cache_bytes),
            sealer,
            notices: Notices::default(),
            landing: Landing::default(),
            disk: RwLock::new(None),
            opener,
            trouble: Mutex::new(Arc::new(DiskError::renewed())),
        }
    }

    /// Opens the disk and fills the table. How many records cannot be read.
    pub(super) fn begin(&self, progress: &mut super::Progress<'_>) -> Result<u64, DiskError> {
        let disk = self.opener.open()?;
        // What an attempt before this one left half done.
        self.table.leave();
        let unreadable = load::load(&*disk, &self.table, progress)?;
        *self.disk.write() = Some(disk);
        self.table.come_back();
        Ok(unreadable)
    }

    /// Tries to go on after the disk failed.
    pub(super) fn begin_anew(&self) {
        match self.begin(&mut |_| {}) {
            Ok(unreadable) => {
                // What was on its way when the disk failed may be on it all the same, and nobody was told of it.
                self.notices.tell(Notice::Gap);
                tracing::info!(unreadable, "the session store works again");
            }
            Err(error) => {
                tracing::debug!(error = &error as &dyn std::error::Error, "the session store does not open yet");
                *self.trouble.lock() = Arc::new(error);
            }
        }
    }

    /// The disk failed: what is in memory may not be what is on it. Until it was read again, nothing is answered.
    pub(super) fn leave(&self, error: DiskError) -> Arc<DiskError> {
        let error = Arc::new(error);
        *self.trouble.lock() = Arc::clone(&error);
        self.table.leave();
        self.close();
        if error.is_of_the_disk() {
            tracing::error!(error = &*error as &dyn std::error::Error, "the session store is away");
        }
        error
    }

    /// Lets go of the disk.
    pub(super) fn close(&self) {
        drop(self.disk.write().take());
    }

    /// The disk, if there is one.
    pub(super) fn disk(&self) -> Result<Arc<dyn Disk>, StoreError> {
        self.disk.read().clone().ok_or_else(|| unavailable(&self.trouble()))
    }

    /// Why there is no disk, or was none last time.
    pub(super) fn trouble(&self) -> Arc<DiskError> {
        Arc::clone(&self.trouble.lock())
    }

    /// A session's record, from memory or the disk.
    pub(super) fn record(&self, disk: &dyn Disk, id: SessionId) -> Result<Arc<Record>, StoreError> {
        let global = self.table.global().pair();
        let known = self.table.shard_of(id.bucket()).known(id, global, None);
        match known {
            Some(Known { is: Is::Live(live), .. }) => Ok(live.record),
            _ => self.read(disk, id).map(|live| live.record),
        }
    }

    /// A session whose record was not in memory, from the disk; in memory from now on, if there is room. `None` if it
    /// changed meanwhile: whoever asks looks again, and does so with what was read in any case.
    pub(super) fn warm(&self, disk: &dyn Disk, id: SessionId) -> Result<Option<Live>, StoreError> {
        let live = match self.read(disk, id) {
            Ok(live) => live,
            // It was cold a moment ago. It may have been changed, ended or swept since; then all is well.
            Err(error) => return if self.is_cold(id) { Err(error) } else { Ok(None) },
        };
        let mut shard = self.table.shard_of(id.bucket());
        let Some(index) = shard.find(id) else { return Ok(None) };
        if shard.row(index).is_some_and(|row| row.revision == live.revision && row.is_cold()) {
            shard.keep(index, Arc::clone(&live.record));
            shard.shrink(self.table.budget_of_shard());
        }
        Ok(Some(live))
    }

    pub(super) fn unreadable(&self, id: SessionId) -> StoreError {
        let found = self.disk().and_then(|disk| self.read(&*disk, id));
        found.err().unwrap_or(StoreError::Corrupt { what: "a record that was not readable at start", cause: None })
    }

    fn is_cold(&self, id: SessionId) -> bool {
        let global = self.table.global().pair();
        let known = self.table.shard_of(id.bucket()).known(id, global, None);
        matches!(known, Some(Known { is: Is::Cold, .. }))
    }

    fn read(&self, disk: &dyn Disk, id: SessionId) -> Result<Live, StoreError> {
        let bytes = disk.get(Space::Sessions, id.as_bytes())?;
        let bytes =
            bytes.ok_or(StoreError::Corrupt { what: "a session's record is missing on the disk", cause: None })?;
        let opened = stored::decode(id, &bytes, &self.sealer);
        opened.map_err(|error| DiskError::record(id, error).into_store_error())
    }

    pub(super) fn away(&self, _: Away) -> StoreError {
        unavailable(&self.trouble())
    }
}
