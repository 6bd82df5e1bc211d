//! Reads what the shim recorded.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

pub(crate) use self::format::Kind;
pub(crate) use self::format::{NOTES, RECORDING, WATCH};

#[path = "../shim/src/format.rs"]
mod format;

/// One change of a file or of its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) kind: Kind,
    pub(crate) handle: u32,
    pub(crate) number: u64,
    pub(crate) name: PathBuf,
    pub(crate) rest: Vec<u8>,
}

impl Event {
    /// The second name.
    pub(crate) fn to(&self) -> PathBuf {
        PathBuf::from(OsStr::from_bytes(&self.rest))
    }
}

/// All events of a recording.
pub(crate) fn read(path: &Path) -> io::Result<Vec<Event>> {
    let bytes = fs::read(path)?;
    let mut left = bytes.as_slice();
    let mut events = Vec::new();
    while !left.is_empty() {
        let torn = || io::Error::new(io::ErrorKind::InvalidData, format!("record {} is torn", events.len()));
        let (event, rest) = one(left).ok_or_else(torn)?;
        events.push(event);
        left = rest;
    }
    Ok(events)
}

fn one(bytes: &[u8]) -> Option<(Event, &[u8])> {
    let (length, bytes) = bytes.split_first_chunk()?;
    let (record, after) = bytes.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
    let (&kind, record) = record.split_first()?;
    let (handle, record) = record.split_first_chunk()?;
    let (number, record) = record.split_first_chunk()?;
    let (name, record) = record.split_first_chunk()?;
    let (name, rest) = record.split_at_checked(usize::try_from(u32::from_le_bytes(*name)).ok()?)?;
    let event = Event {
        kind: *Kind::ALL.get(usize::from(kind))?,
        handle: u32::from_le_bytes(*handle),
        number: u64::from_le_bytes(*number),
        name: PathBuf::from(OsStr::from_bytes(name)),
        rest: rest.to_vec(),
    };
    Some((event, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(kind: u8, name: &[u8], rest: &[u8]) -> Vec<u8> {
        let length = u32::try_from(17 + name.len() + rest.len()).unwrap();
        let name_length = u32::try_from(name.len()).unwrap();
        [
            &length.to_le_bytes()[..],
            &[kind],
            &7_u32.to_le_bytes(),
            &9_u64.to_le_bytes(),
            &name_length.to_le_bytes(),
            name,
            rest,
        ]
        .concat()
    }

    #[test]
    fn a_record_reads_back_and_a_torn_one_is_not_taken_for_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("recording");
        let all = [bytes(1, b"", b"data"), bytes(4, b"from", b"to")].concat();
        fs::write(&path, &all).unwrap();
        let events = read(&path).unwrap();
        assert_eq!((events[0].kind, events[0].handle, events[0].number), (Kind::Write, 7, 9));
        assert_eq!((events[1].name.as_path(), events[1].to()), (Path::new("from"), PathBuf::from("to")));
        for length in bytes(1, b"", b"data").len() + 1..all.len() {
            fs::write(&path, &all[..length]).unwrap();
            assert!(read(&path).is_err(), "{length}");
        }
        fs::write(&path, bytes(99, b"", b"")).unwrap();
        assert!(read(&path).is_err());
    }
}
