//! The rules as tables: when memory answers, what fills it, what empties it.

use std::time::Duration;

use counterfoil_core::rules::{EndReason, Limits};
use counterfoil_core::store::{Activity, Live, Loaded, Notice, Revision};
use counterfoil_core::{FakeClock, Moment, SessionId};

use super::records::{LIMITS, NOW, activity, after, bucket, id, live, record, subject};
use crate::near_cache::cache::Cache;
use crate::near_cache::happened::Concerned;
use crate::near_cache::{BadSettings, Settings};

const SECOND: Duration = Duration::from_secs(1);

/// A cache that has heard everything up to now, and its clock.
fn cache() -> (Cache, FakeClock) {
    let clock = FakeClock::at(NOW);
    let cache = Cache::new(Settings::default(), clock.clone());
    cache.hear(Notice::UpTo(NOW));
    (cache, clock)
}

fn fill(cache: &Cache, live: Live) {
    let id = live.record.id;
    cache.fill(id, cache.begin(id), &Loaded::Live(live), Some(LIMITS));
}

fn answers(cache: &Cache, id: SessionId) -> bool {
    cache.recall(id, NOW, None).is_some()
}

#[test]
fn memory_answers_only_while_everything_was_heard_of_late() {
    use Notice::{Gap, UpTo};
    let millis = |millis| NOW + Duration::from_millis(millis);
    #[rustfmt::skip]
    let rows: [(&str, &[Notice], &[Moment], bool); 10] = [
        //  name                              heard                     clock then                  answers
        ("nothing was heard",                 &[],                      &[NOW],                     false),
        ("just now",                          &[UpTo(NOW)],             &[NOW],                     true),
        ("at the bound",                      &[UpTo(NOW)],             &[millis(3_000)],           true),
        ("beyond the bound",                  &[UpTo(NOW)],             &[millis(3_001)],           false),
        ("beyond, and then heard",            &[UpTo(NOW), UpTo(millis(3_001))], &[millis(3_001)],  true),
        ("paused: an old queue is read",      &[UpTo(NOW), UpTo(after(1)), UpTo(after(2))], &[after(60)], false),
        ("the clock was set back",            &[UpTo(after(9))],        &[after(8)],                false),
        ("back, and it comes as far again",   &[UpTo(after(9))],        &[after(8), after(9)],      false),
        ("back, and heard since",             &[UpTo(after(9)), UpTo(after(5))], &[after(6)],       true),
        ("a gap empties",                     &[UpTo(NOW), Gap],        &[NOW],                     false),
    ];
    for (name, heard, clocks, expected) in rows {
        let clock = FakeClock::at(NOW);
        let cache = Cache::new(Settings::default(), clock.clone());
        // What is read before the first moment is dropped by it: let it be read again.
        for notice in heard {
            cache.hear(*notice);
            if !matches!(notice, Gap) {
                fill(&cache, live(1, 1));
            }
        }
        let mut answered = false;
        for moment in clocks {
            clock.set(*moment);
            answered = answers(&cache, id(1, 1));
        }
        assert_eq!(answered, expected, "{name}");
    }
}

#[test]
fn what_was_read_before_the_first_moment_does_not_count() {
    let cache = Cache::new(Settings::default(), FakeClock::at(NOW));
    fill(&cache, live(1, 1));
    cache.hear(Notice::UpTo(NOW));
    assert!(!answers(&cache, id(1, 1)));
}

#[test]
fn a_reading_lasts_for_its_lease_from_when_it_began() {
    #[rustfmt::skip]
    let rows = [
        //  name                        read at  filled at  asked at  answers
        ("at once",                     0,       0,         0,        true),
        ("a second before the end",     0,       0,         59,       true),
        ("at the end",                  0,       0,         60,       false),
        ("a slow reading ends as early", 0,      10,        60,       false),
        ("the clock was set back",      10,      10,        9,        false),
    ];
    for (name, read, filled, asked, expected) in rows {
        let (cache, clock) = cache();
        clock.set(after(read));
        let reading = cache.begin(id(1, 1));
        clock.set(after(filled));
        cache.fill(id(1, 1), reading, &Loaded::Live(live(1, 1)), Some(LIMITS));
        clock.set(after(asked));
        cache.hear(Notice::UpTo(after(asked)));
        assert_eq!(answers(&cache, id(1, 1)), expected, "{name}");
    }
}

/// What may happen while a reading is under way, or after it.
enum Happens {
    Heard(Notice),
    Often(Notice),
    Done(Concerned),
}

#[test]
fn what_is_heard_or_done_drops_what_it_is_about_read_or_being_read() {
    use Happens::{Done, Heard, Often};
    use Notice::{AllEnded, Changed, Ended, Gap, SubjectEnded, UpTo};
    // Buckets 1 and 2 lie in different shards.
    #[rustfmt::skip]
    let rows = [
        //  name                                what                              after it  during it
        ("nothing but a moment",                Heard(UpTo(NOW)),                 true,     true),
        ("it ended",                            Heard(Ended(id(1, 1))),           false,    false),
        ("it changed",                          Heard(Changed(id(1, 1), Revision(1))), false, false),
        ("it had changed before",               Heard(Changed(id(1, 1), Revision(0))), false, false),
        ("another of its shard ended",          Heard(Ended(id(1, 2))),           true,     true),
        ("another of its shard changed",        Heard(Changed(id(1, 2), Revision(0))), true, true),
        ("more than is remembered",             Often(Ended(id(1, 2))),           true,     false),
        ("one of another shard ended",          Heard(Ended(id(2, 1))),           true,     true),
        ("its subject's ended",                 Heard(SubjectEnded(subject(1))),  false,    false),
        ("another subject's ended",             Heard(SubjectEnded(subject(2))),  true,     true),
        ("all ended",                           Heard(AllEnded),                  false,    false),
        ("notices were lost",                   Heard(Gap),                       false,    false),
        ("this node wrote it",                  Done(Concerned::One(id(1, 1))),   false,    false),
        ("this node wrote another",             Done(Concerned::One(id(2, 1))),   true,     true),
        ("this node wrote to its subject",      Done(Concerned::Bucket(bucket(1))), false,  false),
        ("this node ended all",                 Done(Concerned::All),             false,    false),
    ];
    for (name, what, after_it, during_it) in rows {
        let happens = |cache: &Cache| match what {
            Heard(notice) => cache.hear(notice),
            Often(notice) => (0..33).for_each(|_| cache.hear(notice)),
            Done(concerned) => drop(cache.write(concerned)),
        };
        let (cache, _) = cache();
        fill(&cache, live(1, 1));
        happens(&cache);
        assert_eq!(answers(&cache, id(1, 1)), after_it, "{name}, after it was read");
        cache.hear(Notice::Gap);
        let reading = cache.begin(id(1, 1));
        happens(&cache);
        cache.fill(id(1, 1), reading, &Loaded::Live(live(1, 1)), Some(LIMITS));
        assert_eq!(answers(&cache, id(1, 1)), during_it, "{name}, while it was read");
    }
}

#[test]
fn of_two_readings_that_cross_the_one_that_began_later_counts() {
    let newer = || Loaded::Live(Live { revision: Revision(7), ..live(1, 1) });
    let older = || Loaded::Live(live(1, 1));
    let ended = || Loaded::Ended(EndReason::SignOut);
    let rows = [("a change", newer(), Some(Revision(7))), ("an end", ended(), None)];
    for (name, later, expected) in rows {
        let (cache, _) = cache();
        let (first, second) = (cache.begin(id(1, 1)), cache.begin(id(1, 1)));
        cache.fill(id(1, 1), second, &later, Some(LIMITS));
        cache.fill(id(1, 1), first, &older(), Some(LIMITS));
        let found = cache.recall(id(1, 1), NOW, None).map(|loaded| match loaded {
            Loaded::Live(live) => live.revision,
            other => panic!("memory says {other:?}"),
        });
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn a_session_that_a_reading_finds_over_is_not_answered_any_more() {
    for over in [Loaded::Ended(EndReason::Admin), Loaded::Absent] {
        let (cache, _) = cache();
        fill(&cache, live(1, 1));
        cache.fill(id(1, 1), cache.begin(id(1, 1)), &over, None);
        assert!(!answers(&cache, id(1, 1)), "{over:?}");
    }
}

#[test]
fn memory_is_silent_where_activity_would_make_a_difference() {
    let (hour, day) = (3_600, 24 * 3_600);
    let remembered = Limits { remember_for: Some(Duration::from_hours(24 * 30)), ..LIMITS };
    let tight = Limits { idle: Duration::from_mins(10), ..remembered };
    let ask = |limits| Some(Activity { limits, ..activity(1) });
    let other_token = Some(activity(9));
    #[rustfmt::skip]
    let rows = [
        //  name                                        the record's  policy's    asked with         at         answers
        ("just seen",                                   LIMITS,       LIMITS,     ask(LIMITS),       0,         true),
        ("a second before a touch is due",              LIMITS,       LIMITS,     ask(LIMITS),       179,       true),
        ("a touch is due",                              LIMITS,       LIMITS,     ask(LIMITS),       180,       false),
        ("due, by another token",                       LIMITS,       LIMITS,     other_token,       180,       true),
        ("due, by a request that is no activity",       LIMITS,       LIMITS,     None,              180,       true),
        ("idle, unless it was seen elsewhere",          LIMITS,       LIMITS,     None,              hour,      false),
        ("remembered, unless it was seen elsewhere",    remembered,   remembered, None,              hour,      false),
        ("the same with activity",                      remembered,   remembered, ask(remembered),   hour,      false),
        ("remembered, seen or not",                     remembered,   remembered, ask(remembered),   day,       true),
        ("idle by the policy that was tightened",       remembered,   tight,      None,              600,       false),
        ("the clock was set back",                      LIMITS,       LIMITS,     ask(LIMITS),       -1,        true),
    ];
    for (name, of_record, of_policy, asked, at, expected) in rows {
        let (cache, clock) = cache();
        let mut record = record(1, 1);
        record.limits = of_record;
        let now = Moment::from_unix_seconds(NOW.unix_seconds().saturating_add_signed(at));
        clock.set(now);
        cache.hear(Notice::UpTo(now));
        let live = Loaded::Live(Live::born(record));
        cache.fill(id(1, 1), cache.begin(id(1, 1)), &live, Some(of_policy));
        assert_eq!(cache.recall(id(1, 1), now, asked).is_some(), expected, "{name}");
    }
}

#[test]
fn a_reading_without_activity_fills_nothing() {
    let (cache, _) = cache();
    cache.fill(id(1, 1), cache.begin(id(1, 1)), &Loaded::Live(live(1, 1)), None);
    assert!(!answers(&cache, id(1, 1)), "it was kept, though nobody said under which limits it is good");
}

#[test]
fn what_was_read_first_goes_first_when_memory_is_full() {
    let clock = FakeClock::at(NOW);
    // One shard of many holds what the test reads: room for some three sessions in it.
    let settings = Settings { bytes: 256 * 4_096, ..Settings::default() };
    let cache = Cache::new(settings, clock.clone());
    cache.hear(Notice::UpTo(NOW));
    for number in 1..=50 {
        fill(&cache, live(1, number));
        let counted = cache.counted();
        assert!(counted.bytes <= 4_096, "{} bytes after {number} sessions", counted.bytes);
    }
    let kept = cache.counted().sessions;
    assert!((2..10).contains(&kept), "{kept} are kept");
    assert!(answers(&cache, id(1, 50)) && answers(&cache, id(1, 49)) && !answers(&cache, id(1, 1)));
    clock.set(after(60));
    fill(&cache, live(1, 51));
    assert_eq!(cache.counted().sessions, 1, "what is over its lease takes room");
    cache.hear(Notice::Ended(id(1, 51)));
    assert_eq!((cache.counted().sessions, cache.counted().bytes), (0, 0));
}

#[test]
fn settings_that_break_the_promise_are_refused() {
    let settings = |bound, lease| Settings { bound: SECOND * bound, lease: SECOND * lease, ..Settings::default() };
    let beyond = |bound, lease| BadSettings::BoundBeyondLease { bound: SECOND * bound, lease: SECOND * lease };
    #[rustfmt::skip]
    let rows = [
        //  name                    settings           what is wrong
        ("the default",             Settings::default(), None),
        ("both a minute",           settings(60, 60),  None),
        ("no bound",                settings(0, 60),   Some(BadSettings::NoBound)),
        ("a bound beyond the lease", settings(11, 10), Some(beyond(11, 10))),
        ("a lease of a minute and a second", settings(3, 61), Some(BadSettings::LeaseTooLong { lease: SECOND * 61 })),
    ];
    for (name, settings, wrong) in rows {
        assert_eq!(settings.checked().err(), wrong, "{name}");
    }
    assert_eq!(beyond(11, 10).to_string(), "near_cache.bound (11s) exceeds near_cache.lease (10s)");
}
