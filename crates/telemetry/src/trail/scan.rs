//! A segment from its beginning to its end, or to where it is broken.

use counterfoil_core::Moment;

use super::entry::{Flaw, Head, Line};
use super::folder::{Segment, lines};

/// What a segment holds.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// The last sound entry.
    pub(super) head: Option<Head>,
    /// When the first was, and the last sound one.
    pub(super) from: Moment,
    pub(super) until: Moment,
    /// How many lines there are, sound or not.
    pub(super) lines: u64,
    /// How many bytes these are.
    pub(super) whole: u64,
    /// Whether half a line comes after them.
    pub(super) is_torn: bool,
    /// In which line the first flaw is.
    pub(super) flaw: Option<(u64, Flaw)>,
}

impl Scan {
    pub(super) fn of(segment: &Segment, bytes: &[u8]) -> Self {
        Self::with(segment, bytes, None, |_| {})
    }

    /// From its beginning, which continues `head` if there is one. Tells each entry up to the first flaw.
    pub(super) fn with(segment: &Segment, bytes: &[u8], head: Option<Head>, mut each: impl FnMut(&Line<'_>)) -> Self {
        let (all, is_torn) = lines(bytes);
        let mut scan = Self { head, is_torn, ..Self::default() };
        for (number, line) in all {
            scan.lines = number;
            scan.whole += line.len() as u64 + 1;
            if scan.flaw.is_some() {
                continue;
            }
            match next(line, segment, scan.head, number) {
                Ok(line) => {
                    each(&line);
                    scan.head = Some(line.head());
                    scan.until = line.time;
                    if number == 1 {
                        scan.from = line.time;
                    }
                }
                Err(flaw) => scan.flaw = Some((number, flaw)),
            }
        }
        scan
    }
}

fn next<'a>(line: &'a [u8], segment: &Segment, head: Option<Head>, number: u64) -> Result<Line<'a>, Flaw> {
    let line = Line::read(std::str::from_utf8(line).map_err(|_| Flaw::NotAnEntry)?)?;
    line.follows(head)?;
    // The name of a file says what it begins with: so that it shows if its first lines are gone.
    let (expected, found) = (segment.first, line.number);
    if number == 1 && found != expected {
        let flaw =
            if found > expected { Flaw::Missing { expected, found } } else { Flaw::OutOfOrder { expected, found } };
        return Err(flaw);
    }
    Ok(line)
}
