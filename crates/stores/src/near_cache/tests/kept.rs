//! What a write of this node leaves stays in memory, unless anything else happened to it meanwhile.

use std::num::NonZeroU32;
use std::sync::Arc;

use counterfoil_core::store::{Limit, Live, Loaded, Notice, OverLimit, Revision};
use counterfoil_core::{Change, FakeClock, Holder, Member, Record, SessionId};

use super::records::{LIMITS, NOW, activity, after, bucket, data, id, live, record, subject};
use crate::near_cache::Settings;
use crate::near_cache::cache::Cache;
use crate::near_cache::happened::Concerned;

const FIRST: Revision = Revision(0);
const SECOND: Revision = Revision(1);
const THIRD: Revision = Revision(2);

/// A cache that has heard everything up to now, and has read one session.
fn cache() -> (Cache, FakeClock) {
    let clock = FakeClock::at(NOW);
    let cache = Cache::new(Settings::default(), clock.clone());
    cache.hear(Notice::UpTo(NOW));
    read(&cache, live(1, 1));
    (cache, clock)
}

fn read(cache: &Cache, live: Live) {
    let id = live.record.id;
    cache.fill(id, cache.begin(id), &Loaded::Live(live), Some(LIMITS));
}

/// Which revision memory answers with.
fn known(cache: &Cache, id: SessionId) -> Option<Revision> {
    match cache.recall(id, NOW, Some(activity(1))) {
        Some(Loaded::Live(live)) => Some(live.revision),
        Some(other) => panic!("memory says {other:?}"),
        None => None,
    }
}

/// What may happen while a change is under way, or once it was answered.
enum Happens {
    Heard(Vec<Notice>),
    Done(Concerned),
    Read(Revision),
}

#[test]
fn a_change_is_kept_unless_anything_but_its_own_notice_is_heard_before_it_is_answered() {
    use Happens::{Done, Heard, Read};
    use Notice::{AllEnded, Changed, Ended, Gap, SubjectEnded, UpTo};
    let (one, two, bucket) = (id(1, 1), id(1, 2), bucket(1));
    let heard = |notices: &[Notice]| Heard(notices.to_vec());
    #[rustfmt::skip]
    let rows = [
        //  name                                    what                                                 before   after the answer
        ("nothing",                                 heard(&[]),                                          true,    true),
        ("its own notice",                          heard(&[Changed(one, SECOND)]),                      true,    true),
        ("its own notice, twice",                   heard(&[Changed(one, SECOND), Changed(one, SECOND)]), true,   true),
        ("its own, and how far all was told",       heard(&[Changed(one, SECOND), UpTo(NOW)]),           true,    true),
        ("the change that another node made of it", heard(&[Changed(one, THIRD)]),                       false,   false),
        ("its own, and another node's",             heard(&[Changed(one, SECOND), Changed(one, THIRD)]), false,   false),
        ("the change that it was made from",        heard(&[Changed(one, FIRST)]),                       false,   false),
        ("that it ended",                           heard(&[Ended(one)]),                                false,   false),
        ("its own, and that it ended",              heard(&[Changed(one, SECOND), Ended(one)]),          false,   false),
        ("that its subject's ended",                heard(&[SubjectEnded(subject(1))]),                  false,   false),
        ("that all ended",                          heard(&[AllEnded]),                                  false,   false),
        ("that something was lost",                 heard(&[Gap]),                                       false,   false),
        ("its own, and that something was lost",    heard(&[Changed(one, SECOND), Gap]),                 false,   false),
        ("that another of its subject's ended",     heard(&[Ended(two)]),                                true,    true),
        ("that another of its subject's changed",   heard(&[Changed(two, THIRD)]),                       true,    true),
        ("so much that it is not known any more",   heard(&[Changed(two, THIRD); 33]),                   false,   true),
        ("another write of this node",              Done(Concerned::One(one)),                           false,   false),
        ("a write to its subject",                  Done(Concerned::Bucket(bucket)),                     false,   false),
        ("a write to another",                      Done(Concerned::One(two)),                           true,    true),
        ("a reading of what it was",                Read(FIRST),                                         false,   true),
        ("a reading of what it becomes",            Read(SECOND),                                        false,   true),
    ];
    for (name, what, before, afterwards) in rows {
        let happens = |cache: &Cache| match &what {
            Heard(notices) => notices.iter().for_each(|notice| cache.hear(*notice)),
            Done(concerned) => drop(cache.write(*concerned)),
            Read(revision) => read(cache, Live { revision: *revision, ..live(1, 1) }),
        };
        let (early, _) = cache();
        let write = early.change(one, FIRST, &data(b"new"));
        happens(&early);
        write.done(SECOND);
        assert_eq!(known(&early, one), before.then_some(SECOND), "{name}, before the answer");
        assert_eq!(early.counted().kept, u64::from(before), "{name}");
        let (late, _) = cache();
        let reading = late.begin(one);
        late.change(one, FIRST, &data(b"new")).done(SECOND);
        match what {
            // It began before, and was read before.
            Read(revision) => late.fill(one, reading, &Loaded::Live(Live { revision, ..live(1, 1) }), Some(LIMITS)),
            _ => happens(&late),
        }
        assert_eq!(known(&late, one), afterwards.then_some(SECOND), "{name}, after the answer");
    }
}

#[test]
fn only_what_is_in_memory_and_comes_out_as_expected_is_kept() {
    let touch = || Change { seen_at: Some(after(9)), ..Change::default() };
    #[rustfmt::skip]
    let rows = [
        //  name                                  expected   change          comes out  at    known
        ("a change",                              FIRST,     data(b"new"),   SECOND,    0,    Some(SECOND)),
        ("of another revision than memory has",   THIRD,     data(b"new"),   Revision(3), 0,  None),
        ("to another than it must come to",       FIRST,     data(b"new"),   THIRD,     0,    None),
        ("of activity alone",                     FIRST,     touch(),        FIRST,     0,    None),
        ("of what is over its lease",             FIRST,     data(b"new"),   SECOND,    60,   None),
    ];
    for (name, expect, change, revision, at, expected) in rows {
        let (cache, clock) = cache();
        clock.set(after(at));
        cache.hear(Notice::UpTo(after(at)));
        cache.change(id(1, 1), expect, &change).done(revision);
        assert_eq!(known(&cache, id(1, 1)), expected, "{name}");
    }
    let (cache, _) = cache();
    cache.change(id(1, 2), FIRST, &data(b"new")).done(SECOND);
    assert_eq!(known(&cache, id(1, 2)), None, "nobody knows what it was");
}

#[test]
fn memory_holds_what_the_change_made_of_it_for_a_lease_from_when_it_began() {
    let (cache, clock) = cache();
    clock.set(after(30));
    let write = cache.change(id(1, 1), FIRST, &data(b"new"));
    clock.set(after(40));
    write.done(SECOND);
    for (at, expected) in [(40, true), (89, true), (90, false)] {
        clock.set(after(at));
        cache.hear(Notice::UpTo(after(at)));
        let found = cache.recall(id(1, 1), NOW, None);
        assert_eq!(found.is_some(), expected, "after {at} s");
        if let Some(Loaded::Live(live)) = found {
            assert_eq!((live.record.data.as_bytes(), live.seen_at), (&b"new"[..], NOW));
        }
    }
}

#[test]
fn a_first_use_is_kept_and_who_may_have_yielded_to_it_is_forgotten() {
    let (cache, _) = cache();
    read(&cache, live(1, 2));
    let limit = Limit { max: NonZeroU32::MIN, over: OverLimit::EndOldest };
    let first_use = Change { first_use: Some(Some(limit)), ..Change::default() };
    cache.change(id(1, 1), FIRST, &first_use).done(SECOND);
    assert_eq!([id(1, 1), id(1, 2)].map(|id| known(&cache, id)), [Some(SECOND), None]);
}

#[test]
fn a_new_session_is_kept_if_memory_could_ever_answer_for_it() {
    let visitor = Record { holder: Holder::Visitor(None), ..record(1, 9) };
    let provisional = |number| {
        let Holder::Member(member) = record(1, number).holder else { panic!() };
        let holder = Holder::Member(Arc::new(Member { presented: false, ..Member::clone(&member) }));
        Record { holder, ..record(1, number) }
    };
    let rows = [("a stranger's", visitor, true), ("one whose token was never presented", provisional(9), false)];
    for (name, record, expected) in rows {
        let (cache, _) = cache();
        cache.birth(&record).done(FIRST);
        assert_eq!(known(&cache, record.id).is_some(), expected, "{name}");
        assert!(cache.recall(record.id, NOW, None).is_none(), "{name}: under which limits it is good nobody said");
        assert_eq!(known(&cache, id(1, 1)), None, "{name}: it may have yielded");
        let write = cache.birth(&record);
        cache.hear(Notice::Ended(record.id));
        write.done(FIRST);
        assert_eq!(known(&cache, record.id), None, "{name}: it ended before its beginning was answered");
    }
}
