//! Whether a trail is as it was written, and where it is not.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::Path;

use counterfoil_core::Moment;

use super::entry::{Flaw, Head, Line, Rest};
use super::erase::{Numbers, Record};
use super::folder::{Folder, Segment};
use super::scan::Scan;

/// What a trail holds that is as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Verified {
    /// In how many files.
    pub segments: u64,
    /// How many entries.
    pub entries: u64,
    /// Of those, how many were erased.
    pub erased: u64,
    /// How many events were lost between them, because the disk did not take them.
    pub lost: u64,
    /// How many are to be erased by what the trail says, and were not: somebody was stopped while erasing. Erase again.
    pub unfinished: u64,
    /// The number of the oldest: older ones are not kept any more.
    pub first: Option<u64>,
    /// When the oldest was.
    pub from: Option<Moment>,
    /// When the newest was.
    pub until: Option<Moment>,
    /// The end, to be noted elsewhere.
    pub head: Option<Head>,
}

/// The trail is not verified.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// It cannot be read.
    #[error("the audit trail cannot be read")]
    Unreadable(#[from] io::Error),
    /// It was changed, or cut off.
    #[error(transparent)]
    Broken(#[from] Broken),
}

/// Where a trail is not as it was written, and what is wrong there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{segment}, line {line}: {flaw}")]
pub struct Broken {
    /// In which file.
    pub segment: String,
    /// In which of its lines, from 1.
    pub line: u64,
    /// What is wrong.
    pub flaw: Flaw,
}

/// Reads all of a trail, and holds it against itself and the head that was `noted` elsewhere. Changes nothing, and holds up
/// nobody who writes meanwhile.
///
/// # Errors
/// It cannot be read, or is not as it was written.
pub fn verify(folder: &Path, noted: Option<Head>) -> Result<Verified, VerifyError> {
    let folder = Folder::at(folder);
    let mut walk = Walk { noted, ..Walk::default() };
    let segments = folder.segments()?;
    let last = segments.last().cloned();
    for segment in &segments {
        // What is written at the moment may be half of an entry. Who may only read goes without the lock.
        let lock = if Some(segment) == last.as_ref() { folder.lock_of_whoever_writes() } else { None };
        let bytes = segment.read()?;
        drop(lock);
        match bytes {
            Some(bytes) => walk.over(segment, &bytes)?,
            // The oldest go while we read.
            None if walk.found.head.is_none() => {}
            None => return Err(broken(segment, 1, Flaw::CutOff).into()),
        }
    }
    walk.end()
}

#[derive(Default)]
struct Walk {
    noted: Option<Head>,
    found: Verified,
    /// By the number of the entry that is to record them: what was erased, where, and when that is said to have been.
    unrecorded: HashMap<u64, Vec<Gone>>,
    erased: HashSet<u64>,
    /// What the trail says to be erased.
    named: Vec<Numbers>,
    segment: Option<String>,
    line: u64,
}

struct Gone {
    number: u64,
    at: Moment,
    place: Broken,
}

impl Walk {
    fn over(&mut self, segment: &Segment, bytes: &[u8]) -> Result<(), Broken> {
        self.found.segments += 1;
        self.segment = Some(segment.name());
        self.line = 0;
        let mut wrong = None;
        let scan = Scan::with(segment, bytes, self.found.head, |line| {
            self.line += 1;
            if wrong.is_none() {
                wrong = self.entry(line, segment).err();
            }
        });
        if let Some(broken) = wrong {
            return Err(broken);
        }
        if let Some((line, flaw)) = scan.flaw {
            return Err(broken(segment, line, flaw));
        }
        self.found.head = scan.head;
        if scan.is_torn { Err(broken(segment, scan.lines + 1, Flaw::CutOff)) } else { Ok(()) }
    }

    fn entry(&mut self, line: &Line<'_>, segment: &Segment) -> Result<(), Broken> {
        let found = &mut self.found;
        found.entries += 1;
        found.lost = found.lost.saturating_add(line.lost);
        found.first = found.first.or(Some(line.number));
        found.from = found.from.or(Some(line.time));
        found.until = Some(line.time);
        if self.noted.is_some_and(|noted| noted.number == line.number && noted.link != line.link) {
            return Err(broken(segment, self.line, Flaw::NotTheHead));
        }
        match line.rest {
            Rest::Erased { at, by } => {
                self.found.erased += 1;
                let place = broken(segment, self.line, Flaw::NotRecorded);
                self.unrecorded.entry(by).or_default().push(Gone { number: line.number, at, place });
                Ok(())
            }
            Rest::Event { json, .. } => self.record(line.number, json),
        }
    }

    /// Takes off the list what an entry records as erased.
    fn record(&mut self, number: u64, json: &str) -> Result<(), Broken> {
        let gone = self.unrecorded.remove(&number).unwrap_or_default();
        let record = Record::read(json);
        for one in gone {
            if !record.as_ref().is_some_and(|record| record.covers(one.number, one.at)) {
                return Err(one.place);
            }
            self.erased.insert(one.number);
        }
        self.named.extend(record.into_iter().flat_map(|record| record.entries));
        Ok(())
    }

    fn end(mut self) -> Result<Verified, VerifyError> {
        if let Some(gone) = self.unrecorded.into_values().flatten().min_by_key(|gone| gone.number) {
            return Err(gone.place.into());
        }
        let first = self.found.first.unwrap_or(u64::MAX);
        let named: HashSet<_> = self.named.iter().flat_map(Numbers::all).filter(|number| *number >= first).collect();
        self.found.unfinished = named.difference(&self.erased).count() as u64;
        let flaw = match (self.noted, self.found.head) {
            (Some(noted), Some(_)) if noted.number < first => Flaw::HeadGone,
            (Some(noted), head) if head.is_none_or(|head| head.number < noted.number) => Flaw::NotTheHead,
            _ => return Ok(self.found),
        };
        Err(Broken { segment: self.segment.unwrap_or_default(), line: self.line, flaw }.into())
    }
}

fn broken(segment: &Segment, line: u64, flaw: Flaw) -> Broken {
    Broken { segment: segment.name(), line, flaw }
}
