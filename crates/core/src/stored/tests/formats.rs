//! Two formats beside each other: neither passes for the other, a change moves a record, a touch does not.

use std::sync::Arc;

use super::samples::{BOTH, ID, at, sample, samples, sealer, writing};
use crate::data::Payload;
use crate::record::Holder;
use crate::rules::EndReason;
use crate::seal;
use crate::store::{Epoch, Live};
use crate::stored::{CLOSING, Format, Part, StoredError, StoredRecord, Tombstone, decode, encode};

#[test]
fn a_record_cannot_be_passed_off_as_one_of_another_format() {
    let sealer = sealer("a");
    for (name, live) in samples() {
        for (from, to) in [(Format::One, Format::Two), (Format::Two, Format::One)] {
            let mut bytes = encode(&live, &writing(from)).unwrap();
            bytes[0] = to.version();
            let told = decode(ID, &bytes, &sealer).unwrap_err();
            let expected = [StoredError::Altered(Part::Closing), StoredError::Malformed(Part::Listing)];
            assert!(expected.contains(&told), "{name} of {from:?} as {to:?}: {told}");
        }
    }
    let tombstone = Tombstone { id: ID, reason: EndReason::Reuse, forget_at: at(9) };
    for format in BOTH {
        let mut bytes = tombstone.to_bytes(&writing(format));
        assert_eq!(bytes[0], 1, "there is one format of tombstones");
        bytes[0] = 2;
        assert_eq!(Tombstone::from_bytes(&bytes), Err(StoredError::Malformed(Part::Head)));
    }
}

#[test]
fn a_padded_record_tells_the_first_bits_of_lengths_alone() {
    let of = |label: usize, data: usize, format| {
        let live = sample(|record| {
            record.data = Payload::from_bytes(&vec![7; data]);
            if let Holder::Member(member) = &mut record.holder {
                Arc::make_mut(member).label = "x".repeat(label).into();
            }
        });
        encode(&live, &writing(format)).unwrap().len()
    };
    #[rustfmt::skip]
    let rows = [
        //  label, data        and             one as long
        ((16, 100),            (16, 127),      true),
        ((16, 100),            (16, 95),       false),
        ((16, 100),            (16, 128),      false),
        ((16, 1),              (16, 31),       true),
        ((16, 1),              (16, 0),        false),
        ((16, 1024),           (16, 1151),     true),
        ((9, 100),             (29, 100),      true),
        ((9, 100),             (30, 100),      false),
    ];
    for ((label, data), (other_label, other_data), alike) in rows {
        let two = of(label, data, Format::Two) == of(other_label, other_data, Format::Two);
        assert_eq!(two, alike, "{label} {data}, {other_label} {other_data}");
        assert_ne!(of(label, data, Format::One), of(other_label, other_data, Format::One));
    }
}

#[test]
fn a_length_that_is_never_sealed_is_refused_before_anything_is_opened() {
    let bytes = encode(&sample(|_| ()), &writing(Format::Two)).unwrap();
    let data = bytes.len() - CLOSING - seal::OVERHEAD - 32;
    for (sealed, ever) in [(0_u32, false), (31, false), (33, false), (64, true)] {
        let length = u32::try_from(seal::OVERHEAD).unwrap() + sealed;
        let rest = vec![7; usize::try_from(length).unwrap() + CLOSING];
        let changed = [&bytes[..data - 4], &length.to_be_bytes(), &rest].concat();
        let read = StoredRecord::from_bytes(&changed).map(drop);
        assert_eq!(read, if ever { Ok(()) } else { Err(StoredError::Malformed(Part::Data)) }, "{sealed}");
    }
}

#[test]
fn a_section_that_is_padded_otherwise_does_not_open() {
    let sealer = sealer("a");
    let ring = sealer.ring();
    for (text, opens) in
        [(&[&b"text\x80"[..], &[0; 27]].concat(), true), (&b"text".to_vec(), false), (&vec![7; 32], false)]
    {
        for section in [seal::Section::Listing, seal::Section::Data] {
            let envelope = sealer.seal(&ring, Format::One, section, ID, text).unwrap();
            let opened = seal::open(&ring, Format::Two, section, ID, &envelope).map(|plain| plain.to_vec());
            assert_eq!(opened, if opens { Ok(b"text".to_vec()) } else { Err(seal::OpenError::Malformed) });
            assert!(seal::open(&ring, Format::One, section, ID, &envelope).is_ok());
        }
    }
}

#[test]
fn a_change_takes_the_format_that_is_written_and_a_touch_keeps_its_own() {
    for (from, to) in BOTH.into_iter().flat_map(|from| BOTH.map(|to| (from, to))) {
        for (name, before) in samples() {
            let (old, new) = (writing(from), writing(to));
            let bytes = encode(&before, &old).unwrap();
            let stored = StoredRecord::from_bytes(&bytes).unwrap();
            let touched = Live { seen_at: at(99), ..before.clone() };
            for seen in [stored.seen(at(99), &new).unwrap(), stored.with(&before.record, &touched, &new).unwrap()] {
                assert_eq!((seen.format(), seen.envelopes()), (from, stored.envelopes()), "{name}");
                assert_eq!(seen.open(&old).unwrap().seen_at, at(99));
            }
            let mut after = touched;
            Arc::make_mut(&mut after.record).epochs.subject = Epoch(77);
            let changed = stored.with(&before.record, &after, &new).unwrap();
            let sections = stored.envelopes().into_iter().zip(changed.envelopes());
            for (old, new) in sections.filter(|(old, _)| !old.is_empty()) {
                assert_eq!(old == new, from == to, "{name}: a section of {from:?} in a record of {to:?}");
            }
            assert_eq!(changed.format(), to);
            let read = decode(ID, &changed.to_bytes(), &old).unwrap();
            assert_eq!((read.record, read.seen_at), (after.record, after.seen_at), "{name}");
            let renewed = stored.renewed(&new).unwrap();
            assert_eq!(renewed.map(|record| record.format()), (from != to).then_some(to), "{name}");
        }
    }
}

#[test]
fn a_store_that_changes_its_format_changes_it_in_all_clones_and_in_no_other_store() {
    let one = sealer("a");
    let (clone, other) = (one.clone(), one.clone().writing(Format::Two));
    assert_eq!((one.format(), clone.format(), other.format()), (Format::One, Format::One, Format::Two));
    assert!(one.change_format(Format::Two) && clone.format() == Format::Two);
    assert!(clone.change_format(Format::One) && one.format() == Format::One && other.format() == Format::Two);
    assert_eq!(encode(&sample(|_| ()), &other).unwrap()[0], 2);
}
