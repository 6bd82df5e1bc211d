//! The format, held to its promises.

mod contexts;
mod formats;
mod samples;
mod strategies;
mod vectors;

use std::sync::Arc;

use proptest::prelude::*;

use self::samples::{BOTH, ID, at, member, sample, samples, sealer, writing};
use self::strategies::{format, live, reason};
use super::*;
use crate::data::Payload;
use crate::entropy::{Entropy, NoEntropy};
use crate::keys::{KeyRing, Letters};
use crate::moment::Moment;
use crate::record::{Holder, Record};
use crate::rules::{EndReason, Link};
use crate::store::{Epoch, Revision, StoreError};
use crate::token::TokenHash;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_session_reads_back_as_it_was_written(live in live(), (format, reader) in (format(), format())) {
        let sealer = writing(format);
        let bytes = encode(&live, &sealer).unwrap();
        prop_assert_eq!(bytes[0], format.version());
        let read = decode(live.record.id, &bytes, &writing(reader)).unwrap();
        prop_assert_eq!(&read.record, &live.record);
        prop_assert_eq!((read.seen_at, read.revision), (live.seen_at, live.revision));
        prop_assert_eq!(StoredRecord::from_bytes(&bytes).unwrap().to_bytes(), bytes, "one way to write a record");
    }

    #[test]
    fn the_head_needs_no_key_and_answers_as_the_record_does(live in live(), token: [u8; 32], activity in 0_u64..=u64::MAX, format in format()) {
        let head = decode_head(&encode(&live, &writing(format)).unwrap()).unwrap();
        prop_assert_eq!(&head, &Head::of(&live));
        prop_assert_eq!(head.life(), live.record.life(live.seen_at));
        prop_assert_eq!(head.forget_at(), live.record.forget_at());
        prop_assert_eq!(head.subject, live.record.subject());
        let family = &live.record.family;
        let next = family.next.as_ref().map_or(token, |link| *link.hash.as_bytes());
        for hash in [token, *family.current.as_bytes(), next] {
            for generation in [family.generation, family.generation.wrapping_add(1)] {
                let token = crate::rules::Presented { generation, hash: TokenHash::from_bytes(hash) };
                let activity_of = crate::store::Activity { token: Some(token), limits: live.record.limits };
                let now = Moment::from_unix_millis(activity);
                prop_assert_eq!(head.touch(&activity_of, now), activity_of.touch(&live, now));
            }
        }
    }

    #[test]
    fn what_changed_is_sealed_anew_and_nothing_else(before in live(), after in live(), (from, to) in (format(), format())) {
        let sealer = writing(from);
        let mut record = Record::clone(&after.record);
        record.id = before.record.id;
        let after = Live { record: Arc::new(record), ..after };
        let bytes = encode(&before, &sealer).unwrap();
        let stored = StoredRecord::from_bytes(&bytes).unwrap();
        prop_assert_eq!(sealer.change_format(to), from != to);
        let changed = stored.with(&before.record, &after, &sealer).unwrap().to_bytes();
        prop_assert_eq!(changed[0], to.version());
        prop_assert_eq!(&decode(after.record.id, &changed, &sealer).unwrap().record, &after.record);
        let same = stored.with(&before.record, &before, &sealer).unwrap().to_bytes();
        prop_assert_eq!(same, bytes);
    }

    #[test]
    fn no_bytes_make_a_reader_panic(bytes: Vec<u8>, version in 0_u8..4, kind in prop::sample::select(vec![b'r', b't', 0])) {
        let sealer = sealer("a");
        for bytes in [bytes.clone(), [vec![version, kind], bytes].concat()] {
            prop_assert!(decode(SessionId::from_bytes([0; 18]), &bytes, &sealer).is_err());
            prop_assert!(Tombstone::verify(&bytes, &sealer).is_err());
            let _ = (decode_head(&bytes), kind_of(&bytes));
        }
    }

    #[test]
    fn a_tombstone_reads_back_as_it_was_written(id: [u8; 18], reason in reason(), forget_at: u64) {
        let forget_at = Moment::from_unix_millis(forget_at);
        let tombstone = Tombstone { id: SessionId::from_bytes(id), reason, forget_at };
        let bytes = tombstone.to_bytes(&sealer("a"));
        prop_assert_eq!(Tombstone::from_bytes(&bytes), Ok(tombstone));
        prop_assert_eq!(Tombstone::verify(&bytes, &sealer("a")), Ok(tombstone));
        prop_assert_eq!(kind_of(&bytes), Ok(Stored::Tombstone));
    }
}

#[test]
fn no_bit_of_a_record_can_be_flipped_unnoticed() {
    let sealer = sealer("a");
    let mut flips = 0;
    for (name, live) in samples() {
        for format in BOTH {
            let bytes = encode(&live, &writing(format)).unwrap();
            for place in 0..bytes.len() * 8 {
                let mut flipped = bytes.clone();
                flipped[place / 8] ^= 1 << (place % 8);
                assert!(decode(live.record.id, &flipped, &sealer).is_err(), "{name} {format:?}: bit {place}");
                flips += 1;
            }
        }
    }
    println!("{flips} flipped bits of {} sealed records in two formats, none unnoticed", samples().len());
    let tombstone = Tombstone { id: ID, reason: EndReason::Reuse, forget_at: at(9) };
    let bytes = tombstone.to_bytes(&sealer);
    for place in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[place / 8] ^= 1 << (place % 8);
        assert!(Tombstone::verify(&flipped, &sealer).is_err(), "tombstone: bit {place}");
    }
}

#[test]
fn a_record_that_is_cut_or_goes_on_is_refused() {
    let sealer = sealer("a");
    for ((name, live), format) in samples().into_iter().flat_map(|sample| BOTH.map(|format| (sample.clone(), format))) {
        let bytes = encode(&live, &writing(format)).unwrap();
        for length in 0..bytes.len() {
            let told = decode(live.record.id, &bytes[..length], &sealer).unwrap_err();
            let of_length =
                matches!(told, StoredError::Truncated(_) | StoredError::Malformed(_) | StoredError::Altered(_));
            assert!(of_length, "{name} {format:?} cut to {length}: {told}");
        }
        let longer = [&bytes[..], &[0]].concat();
        assert_eq!(decode(ID, &longer, &sealer).unwrap_err(), StoredError::Malformed(Part::Closing), "{name}");
    }
}

#[test]
fn a_section_opens_in_its_own_record_and_place_only() {
    let (sealer, other) = (sealer("a"), SessionId::from_bytes([8; 18]));
    let ring = sealer.ring();
    let sections = [seal::Section::Listing, seal::Section::Link, seal::Section::Data];
    for from in sections {
        let envelope = sealer.seal(&ring, Format::One, from, ID, b"the same length").unwrap();
        for to in sections {
            for id in [ID, other] {
                let opened = seal::open(&ring, Format::One, to, id, &envelope);
                let home = to == from && id == ID;
                assert_eq!(
                    opened.map(|plain| plain.to_vec()),
                    if home { Ok(b"the same length".to_vec()) } else { Err(seal::OpenError::Altered) }
                );
            }
        }
    }
}

#[test]
fn sections_of_other_records_or_of_earlier_times_are_refused() {
    let before = sample(|record| record.data = Payload::from_bytes(b"one"));
    let mut after = sample(|record| record.data = Payload::from_bytes(b"two"));
    after.revision = Revision(1);
    for (format, sealed) in [(Format::One, 3), (Format::Two, 32)] {
        let sealer = writing(format);
        let one = encode(&before, &sealer).unwrap();
        let two = StoredRecord::from_bytes(&one).unwrap().with(&before.record, &after, &sealer).unwrap().to_bytes();
        assert_eq!(one.len(), two.len());
        // The data is the last section; the tag follows it.
        let data = one.len() - CLOSING - seal::OVERHEAD - sealed..one.len() - CLOSING;
        let mut mixed = two.clone();
        mixed[data.clone()].copy_from_slice(&one[data]);
        assert_eq!(decode(ID, &mixed, &sealer).unwrap_err(), StoredError::Altered(Part::Closing));
        let found = SessionId::from_bytes([9; 18]);
        let misplaced = StoredError::Misplaced { wanted: found, found: ID };
        assert_eq!(decode(found, &two, &sealer).unwrap_err(), misplaced);
    }
}

#[test]
fn a_change_seals_what_it_changed_and_leaves_the_rest_as_it_lies() {
    let sealer = sealer("a");
    let before = sample(|_| ());
    let bytes = encode(&before, &sealer).unwrap();
    #[rustfmt::skip]
    let rows: [(&str, Alter, [bool; 3]); 7] = [
        //  change                          listing link   data
        ("a touch",      |live| live.seen_at = at(99),                              [false, false, false]),
        ("first use",    |live| member(live).presented = false,                     [false, false, false]),
        ("a new epoch",  |live| Arc::make_mut(&mut live.record).epochs.subject = Epoch(77), [false, false, false]),
        ("a new name",   |live| member(live).label = "desk".into(),                 [true, false, false]),
        ("a step-up",    |live| member(live).elevations = [None, None],             [true, false, false]),
        ("link closed",  |live| Arc::make_mut(&mut live.record).family.next = None, [false, true, false]),
        ("data",         |live| Arc::make_mut(&mut live.record).data = Payload::from_bytes(b"x"), [false, false, true]),
    ];
    for (name, alter, expected) in rows {
        let mut after = before.clone();
        alter(&mut after);
        let stored = StoredRecord::from_bytes(&bytes).unwrap();
        let changed = stored.with(&before.record, &after, &sealer).unwrap();
        let anew = [0, 1, 2].map(|index| stored.envelopes()[index] != changed.envelopes()[index]);
        assert_eq!(anew, expected, "{name}");
        let read = decode(ID, &changed.to_bytes(), &sealer).unwrap();
        assert_eq!((read.record, read.seen_at), (after.record, after.seen_at), "{name}");
    }
}

#[test]
fn a_rotated_key_opens_what_it_sealed_and_each_write_moves_a_record_to_the_new_one() {
    let live = sample(|_| ());
    let bytes = encode(&live, &sealer("a")).unwrap();
    let (both, new) = (sealer("ba"), sealer("b"));
    let stored = StoredRecord::from_bytes(&bytes).unwrap();
    assert_eq!(stored.open(&both).unwrap().record, live.record);
    let key = KeyId::from_ascii(b"a").unwrap();
    let told = stored.open(&new).unwrap_err();
    assert_eq!(told, StoredError::UnknownKey { part: Part::Closing, key });
    assert!(told.to_string().contains("sealed with key `a`, which is not in the key ring"), "{told}");
    let touched = stored.with(&live.record, &Live { seen_at: at(99), ..live.clone() }, &both).unwrap();
    let renewed = stored.renewed(&both).unwrap().unwrap();
    for moved in [&touched, &renewed] {
        assert!(moved.keys().all(|key| key.as_str() == "b"));
        let read = moved.open(&new).unwrap();
        assert_eq!((read.record, read.revision), (live.record.clone(), live.revision));
    }
    assert!(renewed.renewed(&both).unwrap().is_none(), "once");
    assert!(matches!(stored.renewed(&new), Err(StoreError::Corrupt { .. })));
}

#[test]
fn activity_moves_forward_alone_and_nothing_damaged_gets_a_new_tag() {
    let (live, sealer) = (sample(|_| ()), sealer("a"));
    let bytes = encode(&live, &sealer).unwrap();
    let stored = StoredRecord::from_bytes(&bytes).unwrap();
    let later = live.seen_at + std::time::Duration::from_mins(5);
    let seen = stored.seen(later, &sealer).unwrap();
    assert_eq!(seen.envelopes(), stored.envelopes());
    let read = seen.open(&sealer).unwrap();
    assert_eq!((read.record, read.seen_at, read.revision), (live.record.clone(), later, live.revision));
    assert_eq!(seen.seen(live.seen_at, &sealer).unwrap().head().seen_at, later);
    let mut damaged = bytes.clone();
    *damaged.last_mut().unwrap() ^= 1;
    let refused = StoredRecord::from_bytes(&damaged).unwrap().seen(later, &sealer).unwrap_err();
    assert_eq!(refused, StoredError::Altered(Part::Closing));
}

#[test]
fn without_randomness_nothing_is_sealed() {
    let dry = Sealer::with_entropy(KeyRing::from_source(&Letters("a")).unwrap(), Dry);
    let refused = encode(&sample(|_| ()), &dry).unwrap_err();
    assert!(matches!(refused, SealError::NoEntropy(_)));
    assert!(matches!(StoreError::from(refused), StoreError::Unavailable(_)));
}

#[test]
fn no_two_writes_are_sealed_with_the_same_key() {
    let sealer = sealer("a");
    let salts: std::collections::HashSet<_> = (0..500)
        .map(|_| sealer.seal(&sealer.ring(), Format::One, seal::Section::Data, ID, b"x").unwrap()[9..25].to_vec())
        .collect();
    assert_eq!(salts.len(), 500);
}

#[test]
fn more_than_a_record_may_hold_is_refused_before_it_is_written() {
    let most = 16 * crate::Policy::MAX_DATA_BYTES;
    let of = |length| sample(|record| record.data = Payload::from_bytes(&vec![7; length]));
    for sealer in BOTH.map(writing) {
        let bytes = encode(&of(most), &sealer).unwrap();
        assert_eq!(decode(ID, &bytes, &sealer).unwrap().record.data.as_bytes().len(), most);
        assert!(matches!(encode(&of(most + 1), &sealer), Err(SealError::TooLarge { part: "data", .. })));
    }
    let long = sample(|record| {
        if let Holder::Member(member) = &mut record.holder {
            Arc::make_mut(member).label = "x".repeat(70_000).into();
        }
    });
    assert!(matches!(encode(&long, &sealer("a")), Err(SealError::TooLarge { part: "listing", .. })));
}

#[test]
fn a_stolen_record_tells_nobodys_name_nor_data() {
    let [bytes, padded] = BOTH.map(|format| encode(&sample(|_| ()), &writing(format)).unwrap());
    let tombstone = Tombstone { id: ID, reason: EndReason::SignOut, forget_at: at(9) }.to_bytes(&sealer("a"));
    let secrets: [&[u8]; 6] = [b"ada@example.org", b"Firefox on Linux", b"oidc.sid", b"op-7", b"the data", &[5; 16]];
    for secret in secrets {
        for bytes in [&bytes, &padded, &tombstone] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret), "{}", secret.escape_ascii());
        }
    }
    let context = [3, 192, 0, 2];
    assert!(!bytes.windows(4).any(|window| window == context), "a network prefix");
}

#[test]
fn what_cannot_be_read_is_told_with_its_part_and_is_never_absence() {
    let sealer = sealer("a");
    let bytes = encode(&sample(|_| ()), &sealer).unwrap();
    let tombstone = Tombstone { id: ID, reason: EndReason::Reuse, forget_at: at(9) }.to_bytes(&sealer);
    let with = |place: usize, byte: u8| {
        let mut bytes = bytes.clone();
        bytes[place] = byte;
        bytes
    };
    #[rustfmt::skip]
    let rows = [
        //  name                bytes                           told
        ("empty",               vec![],                         "ends in the middle of its head"),
        ("half a head",         bytes[..40].to_vec(),           "ends in the middle of its head"),
        ("no tag",              bytes[..bytes.len() - 24].to_vec(), "ends in the middle of its closing tag"),
        ("a newer format",      with(0, 3),                     "head has format 3, which this version does not know"),
        ("zeros",               vec![0; 400],                   "head holds what is never written there"),
        ("unknown flag",        with(76, 255),                  "head holds what is never written there"),
        ("another revision",    with(27, 200),                  "closing tag was changed since it was written"),
        ("a tombstone",         tombstone,                      "is not a session"),
    ];
    for (name, bytes, says) in rows {
        let error = decode(ID, &bytes, &sealer).map(drop).unwrap_err();
        assert!(error.to_string().contains(says), "{name}: {error}");
        let StoreError::Corrupt { cause: Some(cause), .. } = StoreError::from(error) else { panic!("{name}") };
        assert_eq!(cause.to_string(), error.to_string());
    }
    assert_eq!(Tombstone::from_bytes(&bytes), Err(StoredError::NotA { wanted: "tombstone" }));
}

#[test]
fn names_elsewhere_are_indexed_by_a_hash_that_outlives_key_rotation() {
    let (one, rotated) = (sealer("a"), sealer("ba"));
    assert_eq!(one.external("oidc.sid", "x"), rotated.external("oidc.sid", "x"));
    assert_ne!(one.external("ab", "c"), one.external("a", "bc"));
    assert_eq!(one.reference_mark(), rotated.reference_mark());
    let stranger = Sealer::new(KeyRing::from_source(&crate::keys::GeneratedKeys).unwrap());
    assert_ne!(one.external("oidc.sid", "x"), stranger.external("oidc.sid", "x"));
    assert_ne!(one.reference_mark(), stranger.reference_mark());
}

#[test]
fn a_session_may_rest_on_a_key_that_signed_while_its_token_can_have_been_made() {
    let (one, other) = (KeyId::from_ascii(b"one").unwrap(), KeyId::from_ascii(b"other").unwrap());
    #[rustfmt::skip]
    let rows = [
        //  name                                created generation closed link         rests
        ("signed in before it signed",          9,      0,         9,     None,        false),
        ("signed in when it began",             10,     0,         10,    None,        true),
        ("signed in when it stopped",           20,     0,         20,    None,        false),
        ("renewed since it began",              1,      3,         15,    None,        true),
        ("renewed before it began, not since",  1,      3,         9,     None,        false),
        ("renewed after it stopped: the link may have been opened before", 1, 3, 30, None, true),
        ("signed in after it stopped, renewed", 21,     3,         40,    None,        false),
        ("its open link is another key's",      1,      3,         9,     Some(other), false),
        ("its open link is the key's",          1,      3,         9,     Some(one),   true),
    ];
    for (name, created, generation, closed, link, rests) in rows {
        let live = sample(|record| {
            record.created_at = at(created);
            let family = &mut record.family;
            (family.generation, family.closed_at) = (generation, at(closed));
            family.next = family.next.take().zip(link).map(|(open, key)| Box::new(Link { key, ..*open }));
        });
        assert_eq!(Head::of(&live).may_rest_on(one, at(10), at(20)), rests, "{name}");
    }
}

struct Dry;

impl Entropy for Dry {
    fn fill(&self, _: &mut [u8]) -> Result<(), NoEntropy> {
        Err(NoEntropy)
    }
}

/// What becomes of a session.
type Alter = fn(&mut Live);
