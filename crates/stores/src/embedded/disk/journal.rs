//! Whether the engine's journal lost more than the write that a power cut tore: the engine itself cannot tell.
//!
//! Every batch carries a number. Before the engine opens, and cuts its journal off where it cannot read on, the highest
//! number in the raw files is noted; afterwards the engine must have at least the one before it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The highest number in the journal's files; `None` if there is none.
pub(super) fn highest(folder: &Path) -> io::Result<Option<u64>> {
    let mut highest = None;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|kind| kind == "jnl") {
            highest = highest.max(highest_in(&fs::read(path)?));
        }
    }
    Ok(highest)
}

/// A batch's number, as its value in the engine: twice, so that damage makes no other number of it.
pub(super) fn mark(number: u64) -> Vec<u8> {
    [&MAGIC[..], &number.to_be_bytes(), &(!number).to_be_bytes()].concat()
}

/// The number in such a value.
pub(super) fn number(mark: &[u8]) -> Option<u64> {
    let (number, complement) = mark.strip_prefix(&MAGIC)?.split_first_chunk()?;
    let number = u64::from_be_bytes(*number);
    (*complement == (!number).to_be_bytes()).then_some(number)
}

/// How many batches are lost beyond the one that may be torn.
pub(super) fn lost(seen: Option<u64>, have: u64) -> u64 {
    seen.map_or(0, |seen| seen.saturating_sub(have).saturating_sub(1))
}

/// Where it is noted that batches were lost: once the engine was open, its files say so no more.
pub(super) fn note_of(folder: &Path) -> PathBuf {
    folder.with_extension("damaged")
}

fn highest_in(bytes: &[u8]) -> Option<u64> {
    let marks = memchr::memmem::find_iter(bytes, &MAGIC);
    marks.filter_map(|at| number(bytes.get(at..at + MAGIC.len() + 16)?)).max()
}

/// What no record holds by chance.
const MAGIC: [u8; 16] = *b"\xc7counterfoil\x9a\x1e\x55\xd3";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_number_is_found_wherever_it_lies() {
        let bytes = [b"xx", &mark(7)[..], &MAGIC, &mark(9), b"y", &mark(8), &MAGIC].concat();
        assert_eq!(highest_in(&bytes), Some(9));
        for place in MAGIC.len()..mark(7).len() {
            let mut damaged = mark(7);
            damaged[place] ^= 0x40;
            assert_eq!(highest_in(&damaged), None, "{place}");
        }
        assert_eq!(highest_in(b""), None);
    }

    #[test]
    fn one_batch_may_be_torn_and_no_more() {
        #[rustfmt::skip]
        let rows = [
            // seen    have  lost
            (None,     0,    0),
            (None,     9,    0),
            (Some(9),  9,    0),
            (Some(9),  8,    0),
            (Some(9),  7,    1),
            (Some(9),  0,    8),
        ];
        for (seen, have, expected) in rows {
            assert_eq!(lost(seen, have), expected, "{seen:?} {have}");
        }
    }
}
