//! Trails that are changed in every way we can think of, and what is said of them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use counterfoil_core::{Event, EventKind, SessionId, SubjectRef};

use super::*;
use crate::told::EventId;

const ADA: SubjectRef = SubjectRef::from_bytes([1; 16]);
const BOB: SubjectRef = SubjectRef::from_bytes([2; 16]);
const DAY: u64 = 24 * 60 * 60;

fn session(number: u8) -> SessionId {
    SessionId::from_bytes([number; 18])
}

/// At that second: whose session, which, and what.
fn told(second: u64, subject: Option<SubjectRef>, session: Option<SessionId>, kind: EventKind) -> Told {
    let event = Event { at: Moment::from_unix_seconds(second), session, subject, kind };
    Told::new(EventId::fresh(event.at), None, event)
}

fn settings(folder: &Path) -> TrailSettings {
    TrailSettings { folder: folder.into(), events: Only::default(), retain_days: 365, segment_mb: 16 }
}

fn open(folder: &Path) -> Trail {
    Trail::open(&settings(folder)).unwrap()
}

fn tell(trail: &mut Trail, seconds: impl IntoIterator<Item = u64>) {
    for second in seconds {
        trail.take(&told(second, Some(BOB), Some(session(9)), EventKind::SteppedUp));
    }
    trail.rest();
}

fn segments(folder: &Path) -> Vec<std::path::PathBuf> {
    Folder::at(folder).segments().unwrap().into_iter().map(|segment| segment.path).collect()
}

fn all_text(folder: &Path) -> String {
    segments(folder).iter().map(|path| fs::read_to_string(path).unwrap()).collect()
}

fn flaw(folder: &Path) -> Option<Flaw> {
    match verify(folder, None) {
        Ok(_) => None,
        Err(VerifyError::Broken(broken)) => Some(broken.flaw),
        Err(VerifyError::Unreadable(error)) => panic!("{error}"),
    }
}

/// Two days, somebody erased: every kind of line there is.
fn a_trail() -> (tempfile::TempDir, Verified) {
    let folder = tempfile::tempdir().unwrap();
    let mut trail = open(folder.path());
    tell(&mut trail, 0..2);
    trail.take(&told(2, Some(ADA), Some(session(1)), EventKind::SessionRotated));
    tell(&mut trail, [3, DAY, DAY + 1]);
    erase(folder.path(), ADA, Moment::from_unix_seconds(DAY + 2)).unwrap();
    tell(&mut trail, [DAY + 3]);
    let found = verify(folder.path(), None).unwrap();
    assert_eq!((found.segments, found.entries, found.erased, found.unfinished), (2, 8, 1, 0));
    (folder, found)
}

#[test]
fn a_trail_goes_on_where_it_ended_and_only_its_owner_may_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("audit/trail");
    assert!(verify(folder.path(), None).unwrap().head.is_none(), "nothing is nothing wrong");
    let mut trail = open(&inner);
    tell(&mut trail, 0..3);
    let first = verify(&inner, None).unwrap();
    drop(trail);
    tell(&mut open(&inner), [DAY, DAY + 1]);
    let found = verify(&inner, first.head).unwrap();
    assert_eq!((found.segments, found.entries, found.first, found.lost), (2, 5, Some(1), 0));
    assert_eq!((found.from, found.until), (Some(Moment::EPOCH), Some(Moment::from_unix_seconds(DAY + 1))));
    assert_eq!(fs::metadata(&inner).unwrap().permissions().mode() & 0o777, 0o700);
    for path in segments(&inner) {
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn no_byte_of_a_trail_can_be_changed_unseen() {
    let (folder, _) = a_trail();
    for path in segments(folder.path()) {
        let sound = fs::read(&path).unwrap();
        for place in 0..sound.len() {
            let mut bytes = sound.clone();
            bytes[place] ^= 1 << (place % 8);
            fs::write(&path, &bytes).unwrap();
            assert!(flaw(folder.path()).is_some(), "{} {place}", path.display());
        }
        fs::write(&path, &sound).unwrap();
    }
    assert_eq!(flaw(folder.path()), None);
}

#[test]
fn no_line_can_be_removed_repeated_moved_or_exchanged_unseen() {
    let (folder, found) = a_trail();
    for path in segments(folder.path()) {
        let is_last = Some(&path) == segments(folder.path()).last();
        let sound = fs::read_to_string(&path).unwrap();
        let lines: Vec<_> = sound.split_inclusive('\n').collect();
        let try_it = |changed: Vec<&str>, what: String| {
            fs::write(&path, changed.concat()).unwrap();
            assert!(flaw(folder.path()).is_some(), "{what}");
            fs::write(&path, &sound).unwrap();
        };
        for one in 0..lines.len() {
            let mut changed = lines.clone();
            changed.remove(one);
            if is_last && one + 1 == lines.len() {
                fs::write(&path, changed.concat()).unwrap();
                assert_eq!(flaw(folder.path()), None, "cut off at the very end: it was like that once");
                let noted = verify(folder.path(), found.head).unwrap_err().to_string();
                assert!(noted.ends_with("line 3: the noted head is not in the trail"), "{noted}");
            } else {
                try_it(changed, format!("{one} is gone"));
            }
            for other in 0..lines.len() {
                let mut changed = lines.clone();
                changed.insert(other, lines[one]);
                try_it(changed, format!("{one} repeated before {other}"));
                if one < other {
                    let mut changed = lines.clone();
                    changed.swap(one, other);
                    try_it(changed, format!("{one} and {other} exchanged"));
                }
            }
        }
        for cut in 1..sound.len() {
            if !sound[..cut].ends_with('\n') {
                fs::write(&path, &sound[..cut]).unwrap();
                assert!(flaw(folder.path()).is_some(), "cut off after {cut} bytes");
            }
        }
        fs::write(&path, &sound).unwrap();
    }
}

#[test]
fn no_segment_can_be_removed_from_the_middle_or_exchanged_unseen() {
    let folder = tempfile::tempdir().unwrap();
    tell(&mut open(folder.path()), [0, 1, DAY, DAY + 1, 2 * DAY]);
    let [first, second, third] = segments(folder.path()).try_into().unwrap();
    let head = verify(folder.path(), None).unwrap().head.unwrap();
    let kept = fs::read(&second).unwrap();
    fs::remove_file(&second).unwrap();
    assert_eq!(flaw(folder.path()), Some(Flaw::Missing { expected: 3, found: 5 }));
    fs::copy(&first, &second).unwrap();
    assert_eq!(flaw(folder.path()), Some(Flaw::OutOfOrder { expected: 3, found: 1 }));
    fs::write(&second, &kept).unwrap();
    fs::rename(&first, folder.path().join("trail-000000000002.jsonl")).unwrap();
    assert_eq!(flaw(folder.path()), Some(Flaw::OutOfOrder { expected: 2, found: 1 }));
    fs::remove_file(folder.path().join("trail-000000000002.jsonl")).unwrap();
    let left = verify(folder.path(), Some(head)).unwrap();
    assert_eq!((left.first, left.entries), (Some(3), 3), "the oldest may go: that is what retention does");
    fs::remove_file(&third).unwrap();
    let gone = verify(folder.path(), Some(head)).unwrap_err();
    assert!(matches!(gone, VerifyError::Broken(Broken { flaw: Flaw::NotTheHead, .. })));
}

#[test]
fn a_chain_of_somebody_else_is_told_by_the_noted_head() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    tell(&mut open(one.path()), 0..3);
    tell(&mut open(other.path()), 0..9);
    let noted = verify(one.path(), None).unwrap().head.unwrap();
    let text = noted.to_string();
    assert_eq!(text.parse(), Ok(noted));
    let found = verify(other.path(), Some(noted)).unwrap_err();
    assert!(matches!(found, VerifyError::Broken(Broken { line: 3, flaw: Flaw::NotTheHead, .. })), "{found}");
    for bad in ["", "3", "3:", ":x", &text[1..], &format!("0{text}"), &format!("{text}A"), "3:AAA"] {
        assert!(bad.parse::<Head>().is_err(), "{bad}");
    }
}

#[test]
fn half_an_entry_is_cut_off_and_the_chain_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    tell(&mut open(folder.path()), 0..3);
    let [path] = segments(folder.path()).try_into().unwrap();
    let whole = fs::read(&path).unwrap();
    let line = whole.split_inclusive(|byte| *byte == b'\n').next().unwrap();
    for torn in [&line[..1], &line[..line.len() / 2], &line[..line.len() - 1], &[0; 512]] {
        fs::write(&path, [&whole, torn].concat()).unwrap();
        assert_eq!(flaw(folder.path()), Some(Flaw::CutOff));
        tell(&mut open(folder.path()), [5]);
        assert_eq!(verify(folder.path(), None).unwrap().entries, 4);
    }
    // Nothing but half an entry.
    fs::write(&path, &line[..20]).unwrap();
    tell(&mut open(folder.path()), [5]);
    assert_eq!(verify(folder.path(), None).unwrap().entries, 1);
}

#[test]
fn a_trail_that_does_not_verify_is_left_as_it_is_and_a_new_segment_says_so() {
    let folder = tempfile::tempdir().unwrap();
    tell(&mut open(folder.path()), 0..3);
    let [path] = segments(folder.path()).try_into().unwrap();
    let changed =
        fs::read_to_string(&path).unwrap().replacen("step_up.done", "step_up.dont", 2).replacen("dont", "done", 1);
    fs::write(&path, &changed).unwrap();
    tell(&mut open(folder.path()), 5..7);
    assert_eq!(fs::read_to_string(&path).unwrap(), changed);
    let broken = verify(folder.path(), None).unwrap_err().to_string();
    assert_eq!(broken, "trail-000000000001.jsonl, line 2: the event was changed");
    let [_, new] = segments(folder.path()).try_into().unwrap();
    let text = fs::read_to_string(&new).unwrap();
    let said = r#""event":"trail.broken","severity":"alert","segment":"trail-000000000001.jsonl","line":2,"reason":"the event was changed""#;
    assert!(text.lines().next().unwrap().contains(said), "{text}");
    tell(&mut open(folder.path()), 7..9);
    fs::remove_file(&path).unwrap();
    assert_eq!(verify(folder.path(), None).unwrap().entries, 5, "and from there on it is a chain again");
}

#[test]
fn who_cuts_entries_off_while_the_program_runs_is_told_of_by_the_next() {
    for keep in [1, 0] {
        let folder = tempfile::tempdir().unwrap();
        let mut trail = open(folder.path());
        tell(&mut trail, 0..3);
        let [path] = segments(folder.path()).try_into().unwrap();
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.split_inclusive('\n').take(keep).collect::<String>()).unwrap();
        tell(&mut trail, 3..4);
        let found = all_text(folder.path());
        assert!(found.contains(r#""number":4,"#) && found.contains("trail.broken"), "{found}");
        if keep > 0 {
            assert_eq!(flaw(folder.path()), Some(Flaw::Missing { expected: 2, found: 4 }));
        }
    }
}

#[test]
fn several_may_write_to_one_trail() {
    let folder = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut trail = open(folder.path());
                (0..20).for_each(|second| tell(&mut trail, [second, second * DAY / 7]));
                assert_eq!(trail.lost().count(), 0);
            });
        }
    });
    assert_eq!(verify(folder.path(), None).unwrap().entries, 120);
}

#[test]
fn segments_go_as_a_whole_once_all_in_them_is_too_old_and_what_is_left_verifies() {
    let folder = tempfile::tempdir().unwrap();
    let mut trail = Trail::open(&TrailSettings { retain_days: 10, ..settings(folder.path()) }).unwrap();
    let noted = |folder: &Path| verify(folder, None).unwrap().head;
    tell(&mut trail, [0]);
    let old = noted(folder.path());
    for day in 1..=30 {
        tell(&mut trail, [day * DAY, day * DAY + 100]);
    }
    let found = verify(folder.path(), None).unwrap();
    assert_eq!((found.segments, found.from), (11, Some(Moment::from_unix_seconds(20 * DAY))));
    let error = verify(folder.path(), old).unwrap_err().to_string();
    assert!(error.ends_with("the noted head is older than what is left"), "{error}");
    tell(&mut trail, [3_000 * DAY]);
    assert_eq!(verify(folder.path(), None).unwrap().segments, 12, "a clock that jumped years ahead empties nothing");
    for day in 31..=50 {
        tell(&mut trail, [day * DAY]);
    }
    let found = verify(folder.path(), None).unwrap();
    assert_eq!(
        (found.segments, found.from),
        (11, Some(Moment::from_unix_seconds(40 * DAY))),
        "once put right it goes on"
    );
}

#[test]
fn a_segment_that_is_full_is_followed_by_another() {
    let folder = tempfile::tempdir().unwrap();
    let mut trail = Trail::open(&TrailSettings { segment_mb: 1, ..settings(folder.path()) }).unwrap();
    tell(&mut trail, (0..5_000).map(|number| number / 1_000));
    let sizes: Vec<_> = segments(folder.path()).iter().map(|path| fs::metadata(path).unwrap().len()).collect();
    assert!(sizes.len() > 1 && sizes.iter().all(|size| *size < 1_002_000), "{sizes:?}");
    assert_eq!(verify(folder.path(), None).unwrap().entries, 5_000);
}

#[test]
fn what_cannot_be_written_is_counted_and_said_by_the_next_entry() {
    let folder = tempfile::tempdir().unwrap();
    let mut trail = open(folder.path());
    tell(&mut trail, 0..3);
    let lock = folder.path().join("lock");
    fs::remove_file(&lock).unwrap();
    fs::create_dir(&lock).unwrap();
    tell(&mut trail, 3..5);
    tell(&mut trail, 5..8);
    assert_eq!(trail.lost().count(), 5);
    fs::remove_dir(&lock).unwrap();
    tell(&mut trail, 8..10);
    let found = verify(folder.path(), None).unwrap();
    assert_eq!((found.entries, found.lost, trail.lost().count()), (5, 5, 5));
    let lost: Vec<_> = read(folder.path(), Filter::default()).unwrap().map(|entry| entry.unwrap().lost).collect();
    assert_eq!(lost, [0, 0, 0, 5, 0]);
}

#[test]
fn settings_that_would_keep_nothing_are_refused() {
    let text = r#"{"folder": "trail"}"#;
    let settings: TrailSettings = serde_json::from_str(text).unwrap();
    assert_eq!((settings.retain_days, settings.segment_mb, settings.events.clone()), (365, 16, Only::default()));
    let error = Trail::open(&TrailSettings { retain_days: 0, ..settings.clone() }).unwrap_err();
    assert_eq!(error.to_string(), "retain_days (0) must be at least 1");
    assert!(Trail::open(&TrailSettings { segment_mb: 0, ..settings }).is_err());
    assert!(serde_json::from_str::<TrailSettings>(r#"{"folder": "trail", "retain": 1}"#).is_err());
}

mod erasing;
