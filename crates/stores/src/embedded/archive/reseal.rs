//! Sealing everything anew with the key that signs now, so that an old key can go; and in the format that is written now.

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
            Renewal::Anew(bytes) => {
                resealed.renewed += 1;
                batch.put(Space::Sessions, key, bytes);
            }
            Renewal::Needless => resealed.current += 1,
            Renewal::Impossible => resealed.unreadable += 1,
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

/// What becomes of an entry.
enum Renewal {
    Anew(Vec<u8>),
    /// It is sealed with the key that signs, in the format that is written.
    Needless,
    /// It does not open.
    Impossible,
}

fn renewed(value: &[u8], sealer: &Sealer) -> Renewal {
    match stored::kind_of(value) {
        Ok(Stored::Record) => {
            let record = StoredRecord::from_bytes(value).ok();
            match record.and_then(|record| record.renewed(sealer).ok().map(|renewed| renewed.map(|new| new.to_bytes())))
            {
                Some(Some(bytes)) => Renewal::Anew(bytes),
                Some(None) => Renewal::Needless,
                None => Renewal::Impossible,
            }
        }
        Ok(Stored::Tombstone) => match Tombstone::verify(value, sealer).map(|stone| stone.to_bytes(sealer)) {
            Ok(bytes) if bytes == value => Renewal::Needless,
            Ok(bytes) => Renewal::Anew(bytes),
            Err(_) => Renewal::Impossible,
        },
        Err(_) => Renewal::Impossible,
    }
}
