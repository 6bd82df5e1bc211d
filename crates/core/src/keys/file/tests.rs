//! Key files: read, refused, rotated, and what each key is good for when.

use proptest::prelude::*;

use super::*;
use crate::entropy::{NoEntropy, SystemEntropy};
use crate::keys::KeyRing;

#[test]
fn a_file_reads_back_as_it_was_printed() {
    let mut file = made(0);
    file.rotate(at(100), MINUTE, &SystemEntropy).unwrap();
    let text = file.print();
    let again = KeyFile::parse(&text).unwrap();
    assert_eq!(*again.print(), *text);
    assert_eq!(again.entries().collect::<Vec<_>>(), file.entries().collect::<Vec<_>>());
    assert_eq!(again.sessions_last(), DAY);
}

#[test]
fn offshoots_are_other_keys_for_each_purpose_and_each_key() {
    let mut file = made(0);
    file.rotate(at(100), MINUTE, &SystemEntropy).unwrap();
    let keys = |purpose| file.offshoots(purpose).unwrap().into_iter().map(|offshoot| *offshoot.key).collect::<Vec<_>>();
    assert_eq!(keys("one"), keys("one"), "the same each time");
    let (one, two) = (keys("one"), keys("two"));
    assert!(one.len() == 2 && one[0] != one[1] && !two.contains(&one[0]) && !two.contains(&one[1]));
    let debug = format!("{:?}", file.offshoots("one").unwrap());
    assert!(!debug.contains(&format!("{:?}", one[0])), "{debug}");
}

#[test]
fn a_damaged_file_is_refused_with_the_line_and_without_its_text() {
    let whole = "counterfoil-keys 1\nsessions last=1day\nreference key=REFERENCE\nkey id=a created=TIME signs=TIME key=SECRET\n";
    #[rustfmt::skip]
    let rows = [
        //  name                     text                                                says
        ("whole",                    whole.to_owned(),                                   ""),
        ("crlf, comments, blanks",   whole.replace('\n', "\r\n\r\n# x\r\n"),             ""),
        ("empty",                    String::new(),                                      "line 1: the file is empty"),
        ("only blanks",              "\n \n".into(),                                     "line 1: the file is empty"),
        ("another file",             "-----BEGIN PRIVATE KEY-----".into(),               "line 1: this is not a key file"),
        ("a list for the environment", "a:SECRET".into(),                                "line 1: this is not a key file"),
        ("a newer format",           whole.replace("keys 1", "keys 2"),                  "line 1: the file has another format than 1"),
        ("an unknown word",          format!("{whole}SECRET"),                           "line 5: the line begins with neither"),
        ("an unknown name",          whole.replace("signs=", "sings="),                  "line 4: the line holds something else"),
        ("no value",                 whole.replace("key=SECRET", "SECRET"),              "line 4: the line holds something else"),
        ("cut in the last line",     whole.split(" key=SECRET").next().unwrap().into(),  "line 4: `key=` is missing"),
        ("cut in a key",             whole.replace("SECRET", "c2hvcnQ="),                "line 4: key `a` has 5 bytes, fewer than 32"),
        ("a key of zeros",           whole.replace("SECRET", &"A".repeat(44)),           "line 4: key `a` is not random"),
        ("no base64",                whole.replace("SECRET", "SECRET!"),                 "line 4: key `a` is not base64"),
        ("no id",                    whole.replace("id=a ", ""),                         "line 4: `id=` is missing"),
        ("a bad id",                 whole.replace("id=a ", "id=A_ "),                   "line 4: `id=` is not"),
        ("a bad time",               whole.replace("created=TIME", "created=yesterday"), "line 4: `created=` is not a time"),
        ("a name twice",             whole.replace("id=a", "id=a id=b"),                 "line 4: `id` is given twice"),
        ("a key twice",              format!("{whole}{}", whole.lines().last().unwrap()), "line 5: key id `a` is given twice"),
        ("two references",           format!("{whole}reference key=REFERENCE"),          "line 5: `reference` is given twice"),
        ("a short reference",        whole.replace("REFERENCE", "c2hvcnQ="),             "line 3: key `reference` has 5 bytes"),
        ("a bad span",               whole.replace("1day", "soon"),                      "line 2: `last=` is not a span"),
        ("a span of no time",        whole.replace("1day", "1s"),                        "line 2: `last=` is not a span"),
        ("a span of centuries",      whole.replace("1day", "900years"),                  "line 2: `last=` is not a span"),
        ("no reference",             whole.replace("reference key=REFERENCE\n", ""),     "there is no line `reference key=…`"),
        ("no sessions",              whole.replace("sessions last=1day\n", ""),          "there is no line `sessions last=…`"),
        ("no key",                   whole.lines().take(3).collect::<Vec<_>>().join("\n"), "there is no line `key id=…`"),
        ("too many keys",            many(whole),                                        "line 36: there are more than 32 keys"),
    ];
    for (name, text, says) in rows {
        let text =
            text.replace("SECRET", SECRET).replace("REFERENCE", REFERENCE).replace("TIME", "2026-11-22T03:00:00Z");
        let told = KeyFile::parse(&text).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(told.starts_with(says) && told.is_empty() == says.is_empty(), "{name}: {told}");
        assert!(!told.contains(SECRET.get(..8).unwrap()), "{name}: {told}");
    }
}

#[test]
fn a_new_key_signs_when_its_time_has_come_and_the_old_one_verifies_until_its_end() {
    let mut file = made(0);
    let old = file.entries().next().unwrap().id;
    let new = file.rotate(at(1_000), MINUTE, &SystemEntropy).unwrap().id;
    let end = 1_060 + 86_400 + 3_600;
    let text = file.print();
    #[rustfmt::skip]
    let rows = [
        //  name                          now      signs  verify           left out
        ("just rotated",                  1_000,   old,   vec![old, new],  vec![]),
        ("a second before it signs",      1_059,   old,   vec![old, new],  vec![]),
        ("it signs",                      1_060,   new,   vec![new, old],  vec![]),
        ("a second before the old ends",  end - 1, new,   vec![new, old],  vec![]),
        ("the old has ended",             end,     new,   vec![new],       vec![old]),
        ("clock a year ahead",            32_000_000, new, vec![new],      vec![old]),
        ("clock stepped back",            10,      old,   vec![old, new],  vec![]),
        ("clock before the file",         0,       old,   vec![old, new],  vec![]),
    ];
    for (name, now, signs, verify, left_out) in rows {
        let ring = ring(&text, now);
        assert_eq!(ring.signing_id(), signs, "{name}");
        assert_eq!(ring.ids().collect::<Vec<_>>(), verify, "{name}");
        let out: Vec<_> = ring.left_out().iter().map(|(id, _)| *id).collect();
        assert_eq!(out, left_out, "{name}");
    }
}

#[test]
fn a_file_made_on_a_machine_whose_clock_is_ahead_is_good() {
    let file = made(500);
    assert_eq!(ring(&file.print(), 490).ids().count(), 1);
}

#[test]
fn a_rotation_where_the_clock_is_behind_puts_the_new_key_last_in_turn_all_the_same() {
    let mut file = made(500);
    let old = first_of(&file);
    let new = file.rotate(at(490), Duration::ZERO, &SystemEntropy).unwrap();
    assert_eq!((new.created, new.signs), (at(490), at(500)));
    let first = file.entries().next().unwrap();
    assert_eq!(file.signed_until(&first), Some(at(500)));
    assert_eq!(file.may_have_signed(&first), at(500)..at(500 + 3_600), "also by a node that heard of it late");
    let text = file.print();
    assert_eq!((ring(&text, 495).signing_id(), ring(&text, 500).signing_id()), (old, new.id));
    assert_eq!(ring(&text, 500 + 86_400).ids().count(), 2);
}

#[test]
fn a_file_whose_keys_have_all_ended_signs_nothing() {
    let text = made(0)
        .print()
        .replace(" key=", " until=1970-01-01T00:00:09Z key=")
        .replace("reference until=1970-01-01T00:00:09Z", "reference");
    let problem = KeyFile::parse(&text).unwrap().material(at(9)).map(drop).unwrap_err().problem;
    assert_eq!(problem, KeyFileProblem::NoneSigns);
    assert_eq!(ring(&text, 8).ids().count(), 1);
}

#[test]
fn a_rotation_waits_for_the_one_before_it() {
    let mut file = made(0);
    let next = file.rotate(at(100), MINUTE, &SystemEntropy).unwrap();
    let refused = file.rotate(at(159), MINUTE, &SystemEntropy);
    assert_eq!(refused, Err(RotateError::UnderWay { id: next.id, from: at(160) }));
    assert!(file.rotate(at(160), Duration::ZERO, &SystemEntropy).is_ok());
    let ends: Vec<_> = file.entries().map(|entry| entry.until).collect();
    let ends_of = |signs: u64| Some(at(signs + 86_400 + 3_600));
    assert_eq!(ends, [ends_of(160), ends_of(160), None], "a rotation dates the end of the one before, once");
}

#[test]
fn keys_are_not_added_without_end_nor_without_randomness() {
    let mut file = made(0);
    for second in 1..KeyFile::MOST as u64 {
        file.rotate(at(second), Duration::ZERO, &SystemEntropy).unwrap();
    }
    let last = file.rotate(at(99), Duration::ZERO, &SystemEntropy);
    assert_eq!(last, Err(RotateError::TooMany { max: KeyFile::MOST }));
    assert!(matches!(made(0).rotate(at(1), Duration::ZERO, &Dry), Err(RotateError::NoEntropy(_))));
    assert!(KeyFile::generate(at(1), DAY, &Dry).is_err());
}

#[test]
fn a_key_is_retired_when_nothing_needs_it() {
    let (mut file, id) = (made(0), |file: &KeyFile, nth| file.entries().nth(nth).unwrap().id);
    let (first, now) = (id(&file, 0), at(2_000));
    assert_eq!(file.retire(first, now, true), Err(RetireError::Signs(first)));
    let unknown = KeyId::new("zzz").unwrap();
    assert_eq!(file.retire(unknown, now, true), Err(RetireError::Unknown(unknown)));
    file.rotate(at(1_000), Duration::ZERO, &SystemEntropy).unwrap();
    let until = at(1_000 + 86_400 + 3_600);
    assert_eq!(file.retire(first, now, false), Err(RetireError::Needed { id: first, until }));

    assert!(file.retire(first, until, false).is_ok());
    assert_eq!(file.entries().count(), 1);
}

#[test]
fn a_leaked_key_is_retired_at_once_when_that_is_asked_for() {
    let mut file = made_twice(at(2_000));
    let first = first_of(&file);
    assert!(file.retire(first, at(2_001), false).is_err());
    assert!(file.retire(first, at(2_001), true).is_ok());
    assert_eq!(ring(&file.print(), 2_001).ids().count(), 1);
}

#[test]
fn a_key_that_was_to_follow_can_be_taken_back_and_the_one_that_signs_goes_on() {
    let mut file = made(0);
    let next = file.rotate(at(100), MINUTE, &SystemEntropy).unwrap();
    file.retire(next.id, at(110), false).unwrap();
    assert_eq!(file.entries().map(|entry| entry.until).collect::<Vec<_>>(), [None]);
}

#[test]
fn a_policy_whose_sessions_outlive_the_keys_is_refused() {
    let ring = ring(&made(0).print(), 1);
    let limits = |hours, remember: Option<u64>| crate::rules::Limits {
        idle: MINUTE,
        absolute: Duration::from_hours(hours),
        remember_for: remember.map(Duration::from_hours),
    };
    #[rustfmt::skip]
    let rows = [
        //  absolute remember   suits
        (24,         None,      true),
        (25,         None,      false),
        (1,          Some(24),  true),
        (1,          Some(25),  false),
    ];
    for (absolute, remember, suits) in rows {
        assert_eq!(ring.suits(&limits(absolute, remember)).is_ok(), suits, "{absolute} {remember:?}");
    }
    let told = ring.suits(&limits(48, None)).unwrap_err().to_string();
    assert!(told.contains("a session live for 2days") && told.contains("`sessions last=2days`"), "{told}");
}

#[test]
fn debug_shows_no_key() {
    let file = made(0);
    let text = file.print();
    let secrets: Vec<_> = text.lines().filter_map(|line| line.split_once("key=")).map(|(_, key)| key).collect();
    assert_eq!(secrets.len(), 2);
    let shown = format!("{file:?}");
    assert!(secrets.iter().all(|secret| !shown.contains(secret)), "{shown}");
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text: String, line in "(sessions|reference|key|#)?[ =a-z0-9:TZ-]{0,60}") {
        let _ = KeyFile::parse(&text);
        let _ = KeyFile::parse(&format!("counterfoil-keys 1\n{line}\n{text}"));
    }

    #[test]
    fn at_every_moment_of_many_rotations_one_key_signs_and_what_it_signs_verifies_to_its_end(
        steps in prop::collection::vec((1_u64..200_000, 0_u64..4_000), 1..8), asked in 0_u64..1_000_000
    ) {
        let (mut file, mut now) = (made(0), 0);
        for (after, signs_in) in steps {
            now += after;
            let _ = file.rotate(at(now), Duration::from_secs(signs_in), &SystemEntropy);
        }
        let text = file.print();
        let signs = ring(&text, asked).signing_id();
        let last = asked + 86_400;
        prop_assert!(ring(&text, last).ids().any(|id| id == signs), "a session made at {asked} ends at {last}");
    }
}

/// A file with one key, made at `second`, for sessions of a day.
fn made(second: u64) -> KeyFile {
    KeyFile::generate(at(second), DAY, &SystemEntropy).unwrap()
}

fn made_twice(now: Moment) -> KeyFile {
    let mut file = made(0);
    file.rotate(now, Duration::ZERO, &SystemEntropy).unwrap();
    file
}

fn first_of(file: &KeyFile) -> KeyId {
    file.entries().next().unwrap().id
}

fn ring(text: &str, now: u64) -> KeyRing {
    KeyRing::derive(&KeyFile::parse(text).unwrap().material(at(now)).unwrap()).unwrap()
}

fn many(whole: &str) -> String {
    let line = whole.lines().last().unwrap();
    let more: Vec<_> = (0..32).map(|number| line.replace("id=a", &format!("id=b{number}"))).collect();
    format!("{whole}{}", more.join("\n"))
}

fn at(second: u64) -> Moment {
    Moment::from_unix_seconds(second)
}

struct Dry;

impl Entropy for Dry {
    fn fill(&self, _: &mut [u8]) -> Result<(), NoEntropy> {
        Err(NoEntropy)
    }
}

const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);
const SECRET: &str = "b25lIHJvb3Qga2V5IG9mIDMyIGJ5dGVzIGZvciB0ZXN0cyE";
const REFERENCE: &str = "cmVmZXJlbmNlIGtleSBvZiAzMiBieXRlcyBmb3IgdGVzdHM";
