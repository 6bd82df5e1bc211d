//! How epochs and times lie on the disk: `1 ‖ epoch ‖ moved at ‖ reason`, numbers big-endian, the reason by its name.

use counterfoil_core::rules::EndReason;
use counterfoil_core::store::Epoch;
use counterfoil_core::{Moment, SubjectRef};

use super::disk::{Batch, Disk, Space};
use super::error::DiskError;
use super::table::{Global, Moved};

/// Notes the epoch of a subject.
pub(super) fn put_subject(batch: &mut Batch, subject: SubjectRef, moved: &Moved) {
    batch.put(Space::Subjects, subject.as_bytes(), bytes(moved.epoch, moved.at, moved.reason));
}

/// Notes the global epoch.
pub(super) fn put_global(batch: &mut Batch, epoch: Epoch, reason: EndReason, now: Moment) {
    batch.put(Space::Meta, GLOBAL, bytes(epoch, now, reason));
}

/// The global epoch as it is on the disk.
pub(super) fn read_global(disk: &dyn Disk) -> Result<Global, DiskError> {
    let Some(found) = disk.get(Space::Meta, GLOBAL)? else {
        return Ok(Global { epoch: Epoch(0), reason: EndReason::Admin, in_flight: false });
    };
    let read = read(&found).ok_or_else(|| DiskError::said("reading", Space::Meta, "the global epoch cannot be read"));
    read.map(|moved| Global { epoch: moved.epoch, reason: moved.reason, in_flight: false })
}

/// Whether an entry of [`Space::Meta`] is one that this program writes.
pub(super) fn check_meta(key: &[u8], value: &[u8]) -> Result<(), DiskError> {
    match (key, read(value)) {
        (GLOBAL, Some(_)) => Ok(()),
        _ => Err(DiskError::said("reading", Space::Meta, format!("the entry {} cannot be read", hex(key)))),
    }
}

/// A subject and its epoch, from an entry of [`Space::Subjects`].
pub(super) fn read_subject(key: &[u8], value: &[u8]) -> Result<(SubjectRef, Moved), DiskError> {
    let subject = key.try_into().ok().map(SubjectRef::from_bytes);
    subject.zip(read(value)).ok_or_else(|| {
        let what = format!("the epoch under key {} cannot be read", hex(key));
        DiskError::said("reading", Space::Subjects, what)
    })
}

/// Bytes for people who look for them with other tools.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn bytes(epoch: Epoch, at: Moment, reason: EndReason) -> Vec<u8> {
    let mut out = vec![VERSION];
    out.extend_from_slice(&epoch.0.to_be_bytes());
    out.extend_from_slice(&at.unix_millis().to_be_bytes());
    out.extend_from_slice(reason.as_str().as_bytes());
    out
}

fn read(bytes: &[u8]) -> Option<Moved> {
    let (&VERSION, rest) = bytes.split_first()? else { return None };
    let (epoch, rest) = rest.split_first_chunk()?;
    let (at, name) = rest.split_first_chunk()?;
    Some(Moved {
        epoch: Epoch(u64::from_be_bytes(*epoch)),
        at: Moment::from_unix_millis(u64::from_be_bytes(*at)),
        reason: EndReason::named(std::str::from_utf8(name).ok()?)?,
        in_flight: false,
    })
}

const VERSION: u8 = 1;
const GLOBAL: &[u8] = b"global epoch";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_reads_back_and_nothing_else_reads_as_one() {
        let written = bytes(Epoch(7), Moment::from_unix_seconds(9), EndReason::Reuse);
        let moved = read(&written).unwrap();
        assert_eq!((moved.epoch, moved.at, moved.reason), (Epoch(7), Moment::from_unix_seconds(9), EndReason::Reuse));
        for length in 0..written.len() {
            assert!(read(&written[..length]).is_none(), "{length}");
        }
        assert!(read(&[&[2], &written[1..]].concat()).is_none());
    }
}
