//! What is remembered, for how long, and what of it a crash leaves.

use counterfoil_core::rules::EndReason;
use counterfoil_core::store::Epoch;
use counterfoil_core::{SessionId, SubjectRef};
use proptest::prelude::*;

use super::*;

const NOW: Moment = Moment::from_unix_millis(1_800_000_000_000);
const HOUR: Duration = Duration::from_hours(1);

fn session(number: u8) -> Fact {
    Fact::Session(SessionId::from_bytes([number; 18]), EndReason::SignOut)
}

fn subject(number: u8, epoch: u64) -> Fact {
    Fact::Subject(SubjectRef::from_bytes([number; 16]), Epoch(epoch), EndReason::Admin)
}

fn tag(number: u8) -> Fact {
    Fact::Tag(number, Epoch(3), EndReason::CredentialChanged)
}

#[test]
fn facts_are_remembered_once_in_their_order_and_for_a_while() {
    let journal = Journal::open(None, HOUR, NOW).unwrap();
    for (after, fact) in [(0, session(1)), (1, subject(1, 5)), (2, session(1)), (3, subject(1, 6)), (4, tag(2))] {
        journal.hear(fact, NOW + Duration::from_secs(after));
    }
    let all = [session(1), subject(1, 5), subject(1, 6), tag(2)];
    assert_eq!(journal.facts(None, NOW + HOUR), all);
    assert_eq!(journal.facts(Some(1), NOW + HOUR), all[..3]);
    assert_eq!(journal.facts(None, NOW + HOUR + Duration::from_secs(1)), all[1..]);
    // What was forgotten may happen again.
    let later = NOW + 3 * HOUR;
    journal.hear(session(1), later);
    assert_eq!(journal.facts(None, later), [session(1)]);
}

#[test]
fn no_more_is_remembered_than_there_is_room_for() {
    let journal = Journal::open(None, HOUR, NOW).unwrap();
    for epoch in 0..=MOST as u64 {
        journal.hear(subject(1, epoch), NOW);
    }
    let facts = journal.facts(None, NOW);
    assert_eq!((facts.len(), facts.first()), (MOST, Some(&subject(1, 1))));
}

#[tokio::test]
async fn what_was_kept_is_there_after_a_crash_and_half_a_line_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("revocations");
    let open = || Journal::open(Some(&path), HOUR, NOW).unwrap();
    let journal = open();
    assert!(journal.is_kept());
    journal.keep(vec![session(1), subject(2, 9)], NOW).await.unwrap();
    journal.hear(tag(1), NOW);
    journal.keep(vec![tag(3)], NOW).await.unwrap();
    // As a crash leaves it: nothing is written when it ends.
    let written = std::fs::read(&path).unwrap();
    drop(journal);
    let kept = [session(1), subject(2, 9), tag(3)];
    for torn in 0..3 {
        std::fs::write(&path, [&written[..], &b"e 18000"[..torn * 3]].concat()).unwrap();
        let again = open();
        assert_eq!(again.facts(None, NOW), kept);
        again.keep(vec![session(4)], NOW).await.unwrap();
        drop(again);
        assert_eq!(open().facts(None, NOW), [&kept[..], &[session(4)]].concat());
    }
    assert_eq!(open().facts(None, NOW + HOUR + HOUR), []);
    assert_eq!(std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&path).unwrap()) & 0o777, 0o600);
}

#[test]
fn what_is_not_ours_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("revocations");
    for text in ["counterfoil revocations 2\n", "somebody's notes\n", "\n"] {
        std::fs::write(&path, text).unwrap();
        let error = Journal::open(Some(&path), HOUR, NOW).err().unwrap();
        assert!(matches!(error, JournalError::NotOurs { .. }), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }
    std::fs::write(&path, "").unwrap();
    let open = || Journal::open(Some(&path), HOUR, NOW);
    let mut nodes: Vec<_> = (0..16).map(|_| open().unwrap()).collect();
    assert!(folder.path().join("revocations.16").exists());
    assert!(matches!(open(), Err(JournalError::InUse { .. })));
    nodes.remove(3);
    open().unwrap();
    let nowhere = folder.path().join("no/such/folder");
    assert!(matches!(Journal::open(Some(&nowhere), HOUR, NOW), Err(JournalError::Disk { .. })));
}

#[tokio::test]
async fn a_file_that_has_grown_long_begins_anew_with_what_counts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("revocations");
    let journal = Journal::open(Some(&path), HOUR, NOW).unwrap();
    let old: Vec<_> = (0..=2 * MOST as u64).map(|epoch| subject(1, epoch)).collect();
    journal.keep(old, NOW).await.unwrap();
    journal.keep(vec![session(1)], NOW).await.unwrap();
    drop(journal);
    let lines = std::fs::read_to_string(&path).unwrap().lines().count();
    assert_eq!(lines, 1 + MOST + 1);
    let again = Journal::open(Some(&path), HOUR, NOW).unwrap();
    assert_eq!(again.facts(None, NOW).last(), Some(&session(1)));
}

fn fact() -> impl Strategy<Value = Fact> {
    let reason = proptest::sample::select(EndReason::ALL.to_vec());
    (any::<[u8; 18]>(), any::<[u8; 16]>(), any::<u64>(), reason, 0..3).prop_map(|(id, subject, epoch, reason, kind)| {
        match kind {
            0 => Fact::Session(SessionId::from_bytes(id), reason),
            1 => Fact::Subject(SubjectRef::from_bytes(subject), Epoch(epoch), reason),
            _ => Fact::Tag(id[0], Epoch(epoch), reason),
        }
    })
}

proptest! {
    #[test]
    fn a_line_reads_back_as_it_was_written(fact in fact(), at: u64) {
        let entry = Entry { at: Moment::from_unix_millis(at), fact };
        let line = entry.line();
        prop_assert_eq!(Entry::read(line.strip_suffix('\n').unwrap()), Some(entry));
        // Nothing that is a piece of it is taken for a fact of other ids.
        for end in 0..line.len() - 1 {
            let read = Entry::read(&line[..end]);
            prop_assert!(read.is_none_or(|read| read.fact.tag() == fact.tag()));
        }
    }

    #[test]
    fn any_line_is_read_or_left_out(line in ".{0,80}") {
        let _ = Entry::read(&line);
    }
}
