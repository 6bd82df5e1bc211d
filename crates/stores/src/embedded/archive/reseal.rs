//! Sealing everything anew with the key that signs now, so that an old key can go.

use counterfoil_core::seal::Sealer;
use counterfoil_core::stored::{self, Stored, StoredRecord, Tombstone};

use super::copy::AT_ONCE;
use crate::embedded::Progress;
use crate::embedded::disk::{Batch, Disk, Space};
use crate::embedded::error::DiskError;

/// What was sealed anew.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Resealed {
    /// Entries that were sealed anew.
    pub renewed: u64,
    /// Entries that needed nothing.
    pub current: u64,
    /// Entries that do not open, with any key of the ring: they were left as they are.
    pub unreadable: u64,
}

pub(super) fn reseal(disk: &dyn Disk, sealer: &Sealer, progress: &mut Progress<'_>) -> Result<Resealed, DiskError> {
    let (mut resealed, mut batch) = (Resealed::default(), Batch::default());
    disk.view().scan(Space::Sessions, &[], &mut |key, value| {
        match renewed(value, sealer) {
            Some(Some(bytes)) => {
                resealed.renewed += 1;
                batch.put(Space::Sessions, key, bytes);
            }
            Some(None) => resealed.current += 1,
            None => resealed.unreadable += 1,
        }
        if batch.bytes() >= AT_ONCE {
            disk.write(&std::mem::take(&mut batch))?;
        }
        progress(resealed.renewed + resealed.current + resealed.unreadable);
        Ok(())
    })?;
    if !batch.is_empty() {
        disk.write(&batch)?;
    }
    Ok(resealed)
}

/// An entry sealed anew; `Some(None)` if it needs nothing, `None` if it does not open.
fn renewed(value: &[u8], sealer: &Sealer) -> Option<Option<Vec<u8>>> {
    match stored::kind_of(value).ok()? {
        Stored::Record => {
            let renewed = StoredRecord::from_bytes(value).ok()?.renewed(sealer).ok()?;
            Some(renewed.map(|record| record.to_bytes()))
        }
        Stored::Tombstone => {
            let bytes = Tombstone::verify(value, sealer).ok()?.to_bytes(sealer);
            Some((bytes != value).then_some(bytes))
        }
    }
}
