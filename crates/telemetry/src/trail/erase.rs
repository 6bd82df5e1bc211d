//! Erases what the trail says of somebody, and has the trail say that it was erased.

use std::collections::HashSet;
use std::io;
use std::ops::RangeInclusive;
use std::path::Path;
use std::thread;
use std::time::Duration;

use counterfoil_core::{Moment, SubjectRef};
use serde::Deserialize;

use super::entry::{self, Line, Rest};
use super::folder::{BETWEEN_LOOKS, Folder, Segment, lines};
use super::read::About;
use super::writer::Writer;
use crate::told::to_the_millisecond;

/// What was erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Erased {
    /// How many entries.
    pub entries: u64,
    /// Of how many sessions, as far as they are known to be the subject's.
    pub sessions: u64,
}

/// Erases all that the trail says up to now of this subject: entries that name it, and those that name only a session which
/// other entries say is its own. An entry of the trail's own (`trail.erased`) says which were erased, and when.
///
/// A program may write to the trail meanwhile: each segment is replaced as a whole, under the lock that whoever writes takes
/// for each batch. Whoever is stopped on the way erases again: [`Verified`](super::Verified) says how many entries are left.
///
/// # Errors
/// The folder cannot be read or written.
pub fn erase(folder: &Path, subject: SubjectRef, now: Moment) -> io::Result<Erased> {
    let folder = Folder::at(folder);
    let segments = folder.segments()?;
    let sessions = sessions_of(&subject.to_string(), &segments)?;
    let numbers = numbers_of(&subject.to_string(), &sessions, &segments)?;
    let erased = Erased { entries: numbers.len() as u64, sessions: sessions.len() as u64 };
    if numbers.is_empty() {
        return Ok(erased);
    }
    // First said, then done: what is gone is always accounted for.
    let mut writer = Writer::open(folder.clone(), Duration::MAX, u64::MAX)?;
    let mut by = Vec::new();
    for some in Numbers::of(&numbers).chunks(MOST_IN_A_RECORD) {
        let (_, result) = writer.append([(now, &*Record::json(some, now))].into_iter());
        result?;
        by.extend(some.iter().map(|range| (range.clone(), writer.head().number)));
    }
    drop(writer);
    let by = |number| by.iter().find(|(range, _)| range.0.contains(&number)).map(|(_, by)| *by);
    for segment in segments {
        let lock = folder.lock()?;
        let text = segment.read()?.and_then(|bytes| without(&bytes, now, by));
        if let Some(text) = &text {
            folder.replace(&segment, text)?;
        }
        drop(lock);
        // Whoever waits to write comes first: it looks at the lock now and then.
        thread::sleep(3 * BETWEEN_LOOKS);
    }
    Ok(erased)
}

/// The segment without these events; `None` if none of them is in it.
fn without(bytes: &[u8], at: Moment, by: impl Fn(u64) -> Option<u64>) -> Option<String> {
    let (mut text, mut found) = (String::with_capacity(bytes.len()), false);
    // What is no text was not found above, and is not touched.
    for line in std::str::from_utf8(bytes).ok()?.split_inclusive('\n') {
        match Line::read(line.trim_end_matches('\n')) {
            Ok(entry)
                if matches!(entry.rest, Rest::Event { .. })
                    && let Some(by) = by(entry.number) =>
            {
                found = true;
                entry.write_erased(at, by, &mut text);
            }
            _ => text.push_str(line),
        }
    }
    found.then_some(text)
}

/// The sessions that entries say are this subject's, and none say are another's.
fn sessions_of(subject: &str, segments: &[Segment]) -> io::Result<HashSet<String>> {
    let (mut own, mut others) = (HashSet::new(), HashSet::new());
    each(segments, |_, about| match &about.subject {
        Some(found) if found == subject => {
            own.extend([&about.session, &about.previous].into_iter().flatten().map(ToString::to_string));
        }
        Some(_) => others.extend(about.session.as_deref().map(str::to_owned)),
        None => {}
    })?;
    Ok(own.difference(&others).cloned().collect())
}

fn numbers_of(subject: &str, sessions: &HashSet<String>, segments: &[Segment]) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    each(segments, |number, about| {
        let mut named = [&about.session, &about.previous].into_iter().flatten();
        let is_meant = match &about.subject {
            Some(found) => found == subject,
            None => named.any(|session| sessions.contains(&**session)),
        };
        if is_meant {
            numbers.push(number);
        }
    })?;
    Ok(numbers)
}

/// Every entry that has an event, whether or not what is around it verifies.
fn each(segments: &[Segment], mut tell: impl FnMut(u64, &About<'_>)) -> io::Result<()> {
    for segment in segments {
        let bytes = segment.read()?.unwrap_or_default();
        for (_, line) in lines(&bytes).0 {
            let Ok(Ok(line)) = std::str::from_utf8(line).map(Line::read) else { continue };
            if let Rest::Event { json, .. } = line.rest
                && let Some(about) = About::of(json)
            {
                tell(line.number, &about);
            }
        }
    }
    Ok(())
}

/// Entries that stand one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Numbers(RangeInclusive<u64>);

impl Numbers {
    fn of(sorted: &[u64]) -> Vec<Self> {
        sorted
            .chunk_by(|one, next| one + 1 == *next)
            .filter_map(|run| Some(Self(*run.first()?..=*run.last()?)))
            .collect()
    }

    pub(super) fn all(&self) -> RangeInclusive<u64> {
        self.0.clone()
    }

    fn read(text: &str) -> Option<Self> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        Some(Self(first.parse().ok()?..=last.parse().ok()?))
    }

    fn text(&self) -> String {
        let (first, last) = (self.0.start(), self.0.end());
        if first == last { first.to_string() } else { format!("{first}-{last}") }
    }
}

/// What an entry of the trail's own says of entries that were erased.
#[derive(Debug)]
pub(super) struct Record {
    at: Moment,
    pub(super) entries: Vec<Numbers>,
}

#[derive(Deserialize)]
struct RecordLine<'a> {
    event: &'a str,
    time: &'a str,
    entries: &'a str,
}

impl Record {
    fn json(entries: &[Numbers], at: Moment) -> String {
        let (time, entries) = (to_the_millisecond(at), entries.iter().map(Numbers::text).collect::<Vec<_>>().join(","));
        format!(r#"{{"version":1,"time":"{time}","event":"trail.erased","severity":"notice","entries":"{entries}"}}"#)
    }

    pub(super) fn read(json: &str) -> Option<Self> {
        if !json.contains(r#""event":"trail.erased""#) {
            return None;
        }
        let RecordLine { event, time, entries } = serde_json::from_str(json).ok()?;
        let entries = entries.split(',').map(Numbers::read).collect::<Option<_>>()?;
        (event == "trail.erased").then_some(Self { at: entry::time(time)?, entries })
    }

    pub(super) fn covers(&self, number: u64, at: Moment) -> bool {
        self.at == at && self.entries.iter().any(|range| range.0.contains(&number))
    }
}

/// An entry of the trail is far below the 64 kB that whoever reads one expects.
const MOST_IN_A_RECORD: usize = 1_000;
