//! What a trail says, entry by entry.

use std::borrow::Cow;
use std::io;
use std::path::Path;

use counterfoil_core::{Moment, SessionId, SubjectRef};
use serde::Deserialize;

use super::entry::{Line, Rest};
use super::folder::{Folder, Segment, lines};
use super::verify::Broken;

/// An entry of a trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Which it is, from 1.
    pub number: u64,
    /// When it happened.
    pub time: Moment,
    /// How many events were lost before it.
    pub lost: u64,
    /// What happened.
    pub content: Content,
}

/// What an entry says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// The event, as JSON.
    Event(String),
    /// Nothing any more.
    Erased {
        /// Since when.
        at: Moment,
    },
}

/// Which entries are wanted. Those that were erased are no answer to who or what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// About whom.
    pub subject: Option<SubjectRef>,
    /// About which session.
    pub session: Option<SessionId>,
    /// Which events: names, beginnings (`risk.*`), or none for all of them.
    pub events: Vec<String>,
    /// From then on.
    pub from: Option<Moment>,
    /// Before then.
    pub until: Option<Moment>,
}

/// The entries of a trail, oldest first. Each is held against its own link; [`verify`](super::verify()) says of the whole.
#[derive(Debug)]
pub struct Entries {
    segments: std::vec::IntoIter<Segment>,
    here: std::vec::IntoIter<io::Result<Entry>>,
    filter: Filter,
}

/// Reads the trail in a folder, a segment at a time.
///
/// # Errors
/// The folder cannot be read. An entry that is not as it was written is an error in its place, after which the rest follows.
pub fn read(folder: &Path, filter: Filter) -> io::Result<Entries> {
    let segments = Folder::at(folder).segments()?.into_iter();
    Ok(Entries { segments, here: Vec::new().into_iter(), filter })
}

/// Whom and what an event is about.
#[derive(Debug, Deserialize)]
pub(super) struct About<'a> {
    #[serde(borrow)]
    event: Cow<'a, str>,
    #[serde(rename = "user.hash", borrow, default)]
    pub(super) subject: Option<Cow<'a, str>>,
    #[serde(rename = "session.id", borrow, default)]
    pub(super) session: Option<Cow<'a, str>>,
    #[serde(rename = "session.previous_id", borrow, default)]
    pub(super) previous: Option<Cow<'a, str>>,
}

impl<'a> About<'a> {
    pub(super) fn of(json: &'a str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }
}

impl Iterator for Entries {
    type Item = io::Result<Entry>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(entry) = self.here.next() {
                return Some(entry);
            }
            let segment = self.segments.next()?;
            match segment.read() {
                Ok(bytes) => self.here = self.filter.of(&segment, &bytes.unwrap_or_default()).into_iter(),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

impl Filter {
    fn of(&self, segment: &Segment, bytes: &[u8]) -> Vec<io::Result<Entry>> {
        let read = |(number, line): (u64, &[u8])| {
            let text = std::str::from_utf8(line).unwrap_or_default();
            match Line::read(text) {
                Ok(line) => self.wants(&line).then(|| Ok(Entry::of(&line))),
                Err(flaw) => {
                    let broken = Broken { segment: segment.name(), line: number, flaw };
                    Some(Err(io::Error::new(io::ErrorKind::InvalidData, broken)))
                }
            }
        };
        lines(bytes).0.filter_map(read).collect()
    }

    fn wants(&self, line: &Line<'_>) -> bool {
        let in_time =
            self.from.is_none_or(|from| line.time >= from) && self.until.is_none_or(|until| line.time < until);
        if !in_time || (self.subject.is_none() && self.session.is_none() && self.events.is_empty()) {
            return in_time;
        }
        let Rest::Event { json, .. } = line.rest else { return false };
        About::of(json).is_some_and(|about| self.wants_such(&about))
    }

    fn wants_such(&self, about: &About<'_>) -> bool {
        let is = |wanted: Option<String>, found: &[&Option<Cow<'_, str>>]| {
            wanted.is_none_or(|wanted| found.iter().any(|found| found.as_deref() == Some(&*wanted)))
        };
        is(self.subject.map(|subject| subject.to_string()), &[&about.subject])
            && is(self.session.map(|session| session.to_string()), &[&about.session, &about.previous])
            && (self.events.is_empty() || self.events.iter().any(|pattern| crate::only::means(pattern, &about.event)))
    }
}

impl Entry {
    fn of(line: &Line<'_>) -> Self {
        let content = match line.rest {
            Rest::Event { json, .. } => Content::Event(json.to_owned()),
            Rest::Erased { at, .. } => Content::Erased { at },
        };
        Self { number: line.number, time: line.time, lost: line.lost, content }
    }
}
