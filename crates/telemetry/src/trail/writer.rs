//! Adds entries to the end of a trail, whoever else does so too.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::time::Duration;

use aws_lc_rs::rand;
use counterfoil_core::Moment;

use super::entry::{Draft, Flaw, Head, Line, Link};
use super::folder::{Folder, Segment};
use super::scan::Scan;
use crate::told::to_the_millisecond;

/// Whoever adds to the trail.
#[derive(Debug)]
pub(super) struct Writer {
    folder: Folder,
    retain: Duration,
    most: u64,
    head: Head,
    /// When the last entry was.
    time: Moment,
    /// Where the next one goes; none until there is a segment for it.
    end: Option<End>,
    /// How many could not be written since the last that was.
    lost: u64,
    /// What the next entry has to say first.
    broken: Option<Break>,
}

/// The last segment, as it was left.
#[derive(Debug)]
struct End {
    segment: Segment,
    file: File,
    inode: u64,
    length: u64,
    day: u64,
}

/// The trail does not verify where it was to be gone on with.
#[derive(Debug, Clone)]
struct Break {
    segment: String,
    line: u64,
    flaw: Flaw,
}

/// Entries to be written at once.
#[derive(Debug)]
struct Batch {
    text: String,
    entries: u64,
    head: Head,
    time: Moment,
    lost: u64,
}

impl Writer {
    pub(super) fn open(folder: Folder, retain: Duration, most: u64) -> io::Result<Self> {
        let head = Head { number: 0, link: Link::NONE };
        let mut writer = Self { folder, retain, most, head, time: Moment::EPOCH, end: None, lost: 0, broken: None };
        let lock = writer.folder.lock()?;
        writer.folder.tidy();
        writer.resume()?;
        drop(lock);
        Ok(writer)
    }

    /// The last entry it wrote, or found.
    pub(super) const fn head(&self) -> Head {
        self.head
    }

    /// Adds these, and sees to it that they lie on the disk. How many do, also if it could not be all.
    pub(super) fn append<'a>(
        &mut self,
        all: impl ExactSizeIterator<Item = (Moment, &'a str)>,
    ) -> (u64, io::Result<()>) {
        let (count, mut written) = (all.len() as u64, 0);
        let result = self.add(all, &mut written);
        self.lost += count.saturating_sub(written);
        (written, result)
    }

    fn add<'a>(&mut self, all: impl Iterator<Item = (Moment, &'a str)>, written: &mut u64) -> io::Result<()> {
        let _lock = self.folder.lock()?;
        if !self.is_as_it_was_left()? {
            self.resume()?;
        }
        let mut batch = self.batch();
        for (time, json) in all {
            if self.is_over(time, batch.text.len()) {
                *written += self.put(&batch)?;
                self.begin_segment(time)?;
                batch = self.batch();
            }
            if let Some(broken) = self.broken.take() {
                self.put_break(&broken, time)?;
                batch = self.batch();
            }
            batch.add(time, json)?;
        }
        *written += self.put(&batch)?;
        Ok(())
    }

    fn put_break(&mut self, broken: &Break, time: Moment) -> io::Result<()> {
        let mut batch = self.batch();
        let added = batch.add(time, &broken.json(time)).and_then(|()| self.put(&batch));
        if added.is_err() {
            self.broken = Some(broken.clone());
        }
        added.map(|_| ())
    }

    const fn batch(&self) -> Batch {
        Batch { text: String::new(), entries: 0, head: self.head, time: self.time, lost: self.lost }
    }

    /// All of it or nothing: how many entries that were.
    fn put(&mut self, batch: &Batch) -> io::Result<u64> {
        let Some(end) = self.end.as_mut().filter(|_| batch.entries > 0) else { return Ok(0) };
        if let Err(error) = end.file.write_all(batch.text.as_bytes()) {
            // What is there of it ends in the middle. If it cannot be taken back, the next look at the end of the trail does.
            if end.file.set_len(end.length).is_err() {
                self.end = None;
            }
            return Err(error);
        }
        end.length += batch.text.len() as u64;
        (self.head, self.time, self.lost) = (batch.head, batch.time, batch.lost);
        end.file.sync_data()?;
        Ok(batch.entries)
    }

    /// Whether the segment is full, or of another day. A clock that is put right by less than a day begins none.
    fn is_over(&self, time: Moment, waiting: usize) -> bool {
        let day = day_of(time);
        self.end.as_ref().is_none_or(|end| {
            end.length + waiting as u64 >= self.most || day > end.day || day.saturating_add(1) < end.day
        })
    }

    fn begin_segment(&mut self, time: Moment) -> io::Result<()> {
        self.end = None;
        let segment = self.folder.segment(self.head.number.saturating_add(1));
        let file = segment.open()?;
        let metadata = file.metadata()?;
        self.folder.sync()?;
        self.expire(time)?;
        self.end = Some(End { segment, file, inode: metadata.ino(), length: metadata.len(), day: day_of(time) });
        Ok(())
    }

    /// Removes segments all of whose entries are older than they may be.
    fn expire(&self, now: Moment) -> io::Result<()> {
        // A clock that has jumped ahead must not empty the trail: it has until the next segment to be put right.
        if now.since(self.time) > LONGEST_PAUSE {
            return Ok(());
        }
        // In a segment nothing is newer than what later ones begin with, whatever the clock was meanwhile.
        let (mut until, mut expired) = (None, Vec::new());
        for segment in self.folder.segments()?.into_iter().rev() {
            let begun = segment.begun();
            if until.is_some_and(|until| now.since(until) >= self.retain) {
                expired.push(segment);
            }
            until = until.into_iter().chain(begun).min();
        }
        // Oldest first: whoever is stopped here leaves no gap.
        for segment in expired.iter().rev() {
            fs::remove_file(&segment.path)?;
            tracing::info!(
                rule = "trail",
                segment = segment.name(),
                "a segment of the audit trail is removed: kept long enough"
            );
        }
        Ok(())
    }

    /// Whether nobody else has added to the trail, or erased from its last segment.
    fn is_as_it_was_left(&self) -> io::Result<bool> {
        let Some(end) = &self.end else { return Ok(false) };
        let same =
            fs::metadata(&end.segment.path).is_ok_and(|found| (found.ino(), found.len()) == (end.inode, end.length));
        Ok(same && self.folder.segments()?.last().is_none_or(|last| last.first <= end.segment.first))
    }

    /// Looks where the trail ends, and cuts off half an entry there.
    fn resume(&mut self) -> io::Result<()> {
        self.end = None;
        while let Some(segment) = self.folder.segments()?.pop() {
            let bytes = segment.read()?.unwrap_or_default();
            let found = Scan::of(&segment, &bytes);
            if found.is_torn {
                let segment_name = segment.name();
                tracing::warn!(
                    rule = "trail",
                    segment = segment_name,
                    "the audit trail ended in the middle of an entry: cut off"
                );
                segment.open()?.set_len(found.whole)?;
            }
            if found.whole > 0 {
                return self.go_on_after(segment, &found);
            }
        }
        if self.head.number > 0 {
            self.note(Break { segment: String::new(), line: 0, flaw: Flaw::NotTheHead });
        }
        Ok(())
    }

    fn go_on_after(&mut self, segment: Segment, found: &Scan) -> io::Result<()> {
        if let Some((line, flaw)) = found.flaw {
            let next = segment.first.saturating_add(found.lines).max(self.head.number.saturating_add(1));
            let link = found.head.map_or(Link::NONE, |head| head.link);
            self.head = Head { number: next - 1, link };
            self.note(Break { segment: segment.name(), line, flaw });
            return Ok(());
        }
        match found.head {
            Some(head) if head.number > self.head.number || head == self.head => self.head = head,
            // We wrote more than there is.
            _ => {
                self.note(Break { segment: segment.name(), line: found.lines, flaw: Flaw::NotTheHead });
                return Ok(());
            }
        }
        self.time = found.until;
        let file = segment.open()?;
        let inode = file.metadata()?.ino();
        self.end = Some(End { segment, file, inode, length: found.whole, day: day_of(found.from) });
        Ok(())
    }

    fn note(&mut self, broken: Break) {
        let Break { segment, line, flaw } = &broken;
        tracing::error!(rule = "trail", segment, line, %flaw, "the audit trail does not verify: it goes on in a new segment");
        self.broken = Some(broken);
    }
}

impl Batch {
    fn add(&mut self, time: Moment, json: &str) -> io::Result<()> {
        let mut salt = [0; 16];
        rand::fill(&mut salt).map_err(|_| io::Error::other("the system has no randomness"))?;
        let (number, lost) = (self.head.number.saturating_add(1), std::mem::take(&mut self.lost));
        let draft = Draft { number, time, lost, previous: self.head.link, salt, json };
        self.head = Head { number, link: draft.write(&mut self.text) };
        self.time = time;
        self.entries += 1;
        Ok(())
    }
}

impl Break {
    fn json(&self, time: Moment) -> String {
        let Self { segment, line, flaw } = self;
        let time = to_the_millisecond(time);
        format!(
            r#"{{"version":1,"time":"{time}","event":"trail.broken","severity":"alert","segment":"{segment}","line":{line},"reason":"{flaw}"}}"#
        )
    }
}

impl Segment {
    /// When its first entry was; `None` if that cannot be read.
    fn begun(&self) -> Option<Moment> {
        let mut line = String::new();
        BufReader::new(File::open(&self.path).ok()?.take(MOST_LINE)).read_line(&mut line).ok()?;
        Some(Line::read(line.trim_end_matches('\n')).ok()?.time)
    }
}

const fn day_of(time: Moment) -> u64 {
    time.unix_seconds() / (24 * 60 * 60)
}

const LONGEST_PAUSE: Duration = Duration::from_hours(24 * 30);
const MOST_LINE: u64 = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::super::verify;
    use super::*;

    fn writer(folder: &std::path::Path) -> Writer {
        Writer::open(Folder::create(folder).unwrap(), Duration::MAX, u64::MAX).unwrap()
    }

    fn append(writer: &mut Writer, events: u64) -> (u64, bool) {
        let all = (0..events).map(|number| format!("{{\"event\":\"{number}\"}}")).collect::<Vec<_>>();
        let (written, result) = writer.append(all.iter().map(|json| (Moment::EPOCH, json.as_str())));
        (written, result.is_ok())
    }

    #[test]
    fn what_a_full_disk_does_not_take_is_said_by_the_next_entry() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = writer(folder.path());
        assert_eq!(append(&mut writer, 3), (3, true));
        for _ in 0..2 {
            // Half a line gets there, and the rest does not.
            let end = writer.end.as_mut().unwrap();
            let full = File::options().append(true).open("/dev/full").unwrap();
            let mut file = std::mem::replace(&mut end.file, full);
            assert_eq!(append(&mut writer, 5), (0, false));
            file.write_all(b"{\"number\":4,\"ti").unwrap();
            assert_eq!(append(&mut writer, 1), (1, true));
        }
        let found = verify(folder.path(), Some(writer.head())).unwrap();
        assert_eq!((found.entries, found.lost, writer.head().number), (5, 10, 5));
    }
}
