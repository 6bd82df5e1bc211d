//! Files that are moved, full, torn and gone.

use std::os::unix::fs::{PermissionsExt as _, symlink};

use counterfoil_core::rules::EndReason;
use counterfoil_core::{Event, EventKind, Moment};

use super::*;
use crate::told::EventId;

fn told(millis: u64) -> Told {
    let at = Moment::from_unix_millis(millis);
    let event = Event { at, session: None, subject: None, kind: EventKind::SteppedUp };
    Told::new(EventId::fresh(at), None, event)
}

fn settings(file: &Path) -> JsonLinesSettings {
    JsonLinesSettings { file: file.into(), events: Only::default() }
}

fn tell(lines: &mut JsonLines, events: std::ops::Range<u64>) {
    events.for_each(|number| lines.take(&told(number)));
    lines.rest();
}

/// The times of the events in a file, each line of which has to be an object.
fn times(path: &Path) -> Vec<u64> {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'));
    let time = |line: &str| {
        let object: serde_json::Value = serde_json::from_str(line).unwrap();
        object["time"].as_str().unwrap()[20..23].parse().unwrap()
    };
    text.lines().map(time).collect()
}

#[test]
fn each_event_is_a_line_that_only_its_owner_may_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.jsonl");
    let mut lines = JsonLines::open(&settings(&path)).unwrap();
    lines.take(&told(0));
    assert!(times(&path).is_empty(), "until there is a pause");
    lines.rest();
    tell(&mut lines, 1..3);
    assert_eq!(times(&path), [0, 1, 2]);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    drop(lines);
    let mut lines = JsonLines::open(&settings(&path)).unwrap();
    lines.take(&told(3));
    drop(lines);
    assert_eq!(times(&path), [0, 1, 2, 3], "and nothing is lost at a restart");
}

#[test]
fn only_the_events_that_are_asked_for_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.jsonl");
    let text = format!(r#"{{"file": {path:?}, "events": ["session.*"]}}"#);
    let mut lines = JsonLines::open(&serde_json::from_str(&text).unwrap()).unwrap();
    tell(&mut lines, 0..3);
    let kind = EventKind::SessionEnded { reason: EndReason::SignOut };
    let event = Event { at: Moment::from_unix_millis(7), session: None, subject: None, kind };
    lines.take(&Told::new(EventId::fresh(event.at), None, event));
    lines.rest();
    assert_eq!(times(&path), [7]);
}

#[test]
fn a_file_that_is_moved_or_removed_is_begun_anew() {
    let folder = tempfile::tempdir().unwrap();
    let (path, moved) = (folder.path().join("events.jsonl"), folder.path().join("events.jsonl.1"));
    let mut lines = JsonLines::open(&settings(&path)).unwrap();
    tell(&mut lines, 0..2);
    fs::rename(&path, &moved).unwrap();
    tell(&mut lines, 2..4);
    assert_eq!((times(&moved), times(&path)), (vec![0, 1], vec![2, 3]));
    fs::remove_file(&path).unwrap();
    tell(&mut lines, 4..5);
    assert_eq!(times(&path), [4]);
    // As `create` of logrotate leaves it: another file of that name.
    fs::rename(&path, &moved).unwrap();
    fs::write(&path, "").unwrap();
    tell(&mut lines, 5..6);
    // As `copytruncate` leaves it: the same file, empty.
    assert_eq!((times(&moved), times(&path)), (vec![4], vec![5]));
    File::options().write(true).open(&path).unwrap().set_len(0).unwrap();
    tell(&mut lines, 6..7);
    assert_eq!((times(&path), lines.lost().count()), (vec![6], 0));
}

#[test]
fn what_a_full_disk_does_not_take_is_counted_and_it_goes_on_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.jsonl");
    symlink("/dev/full", &path).unwrap();
    let mut lines = JsonLines::open(&settings(&path)).unwrap();
    let lost = lines.lost();
    tell(&mut lines, 0..3);
    tell(&mut lines, 3..5);
    assert_eq!(lost.count(), 5);
    fs::remove_file(&path).unwrap();
    tell(&mut lines, 5..6);
    assert_eq!((times(&path), lost.count()), (vec![5], 5));
}

#[test]
fn a_folder_that_is_gone_stops_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("log");
    fs::create_dir(&inner).unwrap();
    let path = inner.join("events.jsonl");
    let mut lines = JsonLines::open(&settings(&path)).unwrap();
    fs::remove_dir_all(&inner).unwrap();
    tell(&mut lines, 0..3);
    assert_eq!(lines.lost().count(), 3);
    fs::create_dir(&inner).unwrap();
    tell(&mut lines, 3..4);
    assert_eq!(times(&path), [3]);
    assert!(JsonLines::open(&settings(&folder.path().join("no/such"))).is_err(), "but at the start it is a mistake");
}

#[test]
fn half_a_line_of_somebody_who_was_stopped_spoils_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.jsonl");
    fs::write(&path, "{\"version\":1,\"ti").unwrap();
    let mut lines = JsonLines::open(&settings(&path)).unwrap();
    tell(&mut lines, 0..2);
    let text = fs::read_to_string(&path).unwrap();
    let rest = text.strip_prefix("{\"version\":1,\"ti\n").unwrap();
    assert_eq!(rest.lines().count(), 2);
    assert!(rest.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));
}

/// A disk with room for so much, that takes little at once.
struct Disk {
    room: usize,
    written: Vec<u8>,
}

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match bytes.len().min(self.room).min(4) {
            0 => Err(ErrorKind::StorageFull.into()),
            some => {
                self.room -= some;
                self.written.extend_from_slice(&bytes[..some]);
                Ok(some)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn wherever_a_disk_is_full_no_line_begins_within_another() {
    let batch = b"first\nsecond\nthird\n";
    for room in 0..=batch.len() {
        let mut disk = Disk { room, written: Vec::new() };
        let mut tail = Tail::Whole;
        let (whole, result) = put(&mut disk, &mut tail, batch);
        assert_eq!(whole, breaks(&disk.written), "{room}");
        assert_eq!(result.is_ok(), room == batch.len(), "{room}");
        // Not even room for a line break, and then some.
        assert_eq!(put(&mut disk, &mut tail, b"").1.is_err(), tail == Tail::Torn);
        disk.room = 100;
        assert_eq!(put(&mut disk, &mut tail, b"fourth\n").0, 1);
        let text = String::from_utf8(disk.written).unwrap();
        assert_eq!(text.lines().next_back(), Some("fourth"), "{room}: {text}");
        assert!(!text.contains("\n\n") && !text.starts_with('\n'), "{room}: {text}");
    }
}
