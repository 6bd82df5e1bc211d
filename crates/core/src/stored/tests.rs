//! The format, held to its promises.

use std::sync::Arc;
use std::time::Duration;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::data::Payload;
use crate::entropy::{Entropy, NoEntropy};
use crate::id::{Subject, SubjectRef};
use crate::keys::{KeyError, KeyMaterial, KeySource, RootKey};
use crate::moment::Moment;
use crate::record::{Elevation, Holder, Member, Pending, Record, Reference};
use crate::rules::{Amr, Context, EndReason, Factor, Family, Limits, Link, Seen};
use crate::store::{Epoch, Epochs, Revision, StoreError};
use crate::token::{Nonce, TokenHash};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_session_reads_back_as_it_was_written(live in live()) {
        let sealer = sealer("a");
        let bytes = encode(&live, &sealer).unwrap();
        let read = decode(live.record.id, &bytes, &sealer).unwrap();
        prop_assert_eq!(&read.record, &live.record);
        prop_assert_eq!((read.seen_at, read.revision), (live.seen_at, live.revision));
        prop_assert_eq!(StoredRecord::from_bytes(&bytes).unwrap().to_bytes(), bytes, "one way to write a record");
    }

    #[test]
    fn the_head_needs_no_key_and_answers_as_the_record_does(live in live(), token: [u8; 32], activity in 0_u64..=u64::MAX) {
        let head = decode_head(&encode(&live, &sealer("a")).unwrap()).unwrap();
        prop_assert_eq!(&head, &Head::of(&live));
        prop_assert_eq!(head.life(), live.record.life(live.seen_at));
        prop_assert_eq!(head.forget_at(), live.record.forget_at());
        prop_assert_eq!(head.subject, live.record.subject());
        let family = &live.record.family;
        let next = family.next.as_ref().map_or(token, |link| *link.hash.as_bytes());
        for hash in [token, *family.current.as_bytes(), next] {
            for generation in [family.generation, family.generation.wrapping_add(1)] {
                let token = crate::rules::Presented { generation, hash: TokenHash::from_bytes(hash) };
                let activity_of = crate::store::Activity { token, limits: live.record.limits };
                let now = Moment::from_unix_millis(activity);
                prop_assert_eq!(head.touch(&activity_of, now), activity_of.touch(&live, now));
            }
        }
    }

    #[test]
    fn what_changed_is_sealed_anew_and_nothing_else(before in live(), after in live()) {
        let sealer = sealer("a");
        let mut record = Record::clone(&after.record);
        record.id = before.record.id;
        let after = Live { record: Arc::new(record), ..after };
        let bytes = encode(&before, &sealer).unwrap();
        let stored = StoredRecord::from_bytes(&bytes).unwrap();
        let changed = stored.with(&before.record, &after, &sealer).unwrap().to_bytes();
        prop_assert_eq!(&decode(after.record.id, &changed, &sealer).unwrap().record, &after.record);
        let same = stored.with(&before.record, &before, &sealer).unwrap().to_bytes();
        prop_assert_eq!(same, bytes);
    }

    #[test]
    fn no_bytes_make_a_reader_panic(bytes: Vec<u8>, version in 0_u8..3, kind in prop::sample::select(vec![b'r', b't', 0])) {
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

/// A sealer whose ring has a key for each letter, the first of which signs.
fn sealer(keys: &str) -> Sealer {
    Sealer::new(KeyRing::from_source(&Letters(keys)).unwrap())
}

struct Letters<'a>(&'a str);

impl KeySource for Letters<'_> {
    fn keys(&self) -> Result<KeyMaterial, KeyError> {
        let root = |letter: u8| RootKey::new("test", (letter..letter + 32).collect());
        let mut keys = self.0.bytes().map(|letter| Ok((KeyId::from_ascii(&[letter]).unwrap(), root(letter)?)));
        let first = keys.next().unwrap()?;
        KeyMaterial::new(first, keys.collect::<Result<_, KeyError>>()?, root(1)?)
    }
}

prop_compose! {
    fn live()(
        id: [u8; 18],
        times in [any::<u32>(), any::<u32>()],
        epochs in [any::<u64>(), any::<u64>()],
        idle in 1_u64..10_000_000,
        absolute in 1_u64..100_000_000,
        remember in option::of(1_u64..1_000_000_000),
        family in family(),
        holder in holder(),
        data in vec(any::<u8>(), 0..300),
        revision: u64,
    ) -> Live {
        let [created_at, seen_at] = times.map(|time| Moment::from_unix_millis(time.into()));
        let span = Duration::from_millis;
        let record = Record {
            id: SessionId::from_bytes(id),
            created_at,
            epochs: Epochs { global: Epoch(epochs[0]), subject: Epoch(epochs[1]) },
            limits: Limits { idle: span(idle), absolute: span(absolute), remember_for: remember.map(span) },
            family,
            holder,
            data: Payload::from_bytes(&data),
        };
        Live { record: Arc::new(record), seen_at, revision: Revision(revision) }
    }
}

prop_compose! {
    fn family()(
        generation: u32,
        current: [u8; 32],
        closed_at: u32,
        next in option::of((any::<[u8; 32]>(), "[a-z0-9]{1,8}", any::<[u8; 16]>(),
            option::of((any::<u32>(), any::<[u8; 8]>())), option::of(any::<u32>()))),
    ) -> Family {
        let moment = |time: u32| Moment::from_unix_millis(time.into());
        let next = next.map(|(hash, key, nonce, seen, until)| Box::new(Link {
            hash: TokenHash::from_bytes(hash),
            key: KeyId::new(&key).unwrap(),
            nonce: Nonce::from_bytes(nonce),
            seen: seen.map(|(at, context)| Seen { at: moment(at), context: Context::from_bytes(context) }),
            until: until.map(moment),
        }));
        Family { generation, current: TokenHash::from_bytes(current), closed_at: moment(closed_at), next }
    }
}

fn holder() -> impl Strategy<Value = Holder> {
    prop_oneof![
        Just(Holder::Visitor(None)),
        pending().prop_map(|pending| Holder::Visitor(Some(Box::new(pending)))),
        member().prop_map(|member| Holder::Member(Box::new(member))),
    ]
}

prop_compose! {
    fn pending()(subject in subject(), epochs in [any::<u64>(), any::<u64>()], factors in vec(factor(), 0..4), remember: bool, until: u64) -> Pending {
        let epochs = Epochs { global: Epoch(epochs[0]), subject: Epoch(epochs[1]) };
        Pending { subject, epochs, factors, remember, until: Moment::from_unix_millis(until) }
    }
}

prop_compose! {
    fn member()(
        subject in subject(),
        reference: [u8; 16],
        factors in vec(factor(), 0..12),
        presented: bool,
        label in ".{0,40}",
        elevations in [option::of(any::<([u8; 32], u64, u64)>()), option::of(any::<([u8; 32], u64, u64)>())],
        references in vec((".{0,20}", ".{0,20}"), 0..3),
    ) -> Member {
        Member {
            subject,
            reference: SubjectRef::from_bytes(reference),
            factors: factors.into(),
            presented,
            label: label.into(),
            elevations: elevations.map(|elevation| elevation.map(|(hash, at, until)| Elevation {
                hash: TokenHash::from_bytes(hash),
                at: Moment::from_unix_millis(at),
                until: Moment::from_unix_millis(until),
            })),
            references: references.into_iter().map(|(kind, value)| Reference { kind: kind.into(), value: value.into() }).collect(),
        }
    }
}

fn subject() -> impl Strategy<Value = Subject> {
    "[^\\p{Cc}]{1,60}".prop_map(|text| Subject::new(text).unwrap())
}

prop_compose! {
    fn factor()(amr in prop::sample::select(vec![
        Amr::Pwd, Amr::Otp, Amr::Hwk, Amr::Swk, Amr::Pin, Amr::Fpt, Amr::Face, Amr::Sms, Amr::Tel, Amr::Sc, Amr::Fed,
    ]), at: u64) -> Factor {
        Factor { amr, verified_at: Moment::from_unix_millis(at) }
    }
}

fn reason() -> impl Strategy<Value = EndReason> {
    prop::sample::select(vec![
        EndReason::SignOut,
        EndReason::Superseded,
        EndReason::Idle,
        EndReason::Absolute,
        EndReason::NeverUsed,
        EndReason::Reuse,
        EndReason::Limit,
        EndReason::EndedByUser,
        EndReason::CredentialChanged,
        EndReason::AccountChanged,
        EndReason::AccountDisabled,
        EndReason::Admin,
    ])
}
