//! Any session there can be.

use std::sync::Arc;
use std::time::Duration;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::data::Payload;
use crate::id::{SessionId, Subject, SubjectRef};
use crate::keys::KeyId;
use crate::moment::Moment;
use crate::record::{Elevation, Holder, Member, Pending, Record, Reference};
use crate::rules::{Amr, Context, EndReason, Factor, Family, Limits, Link, Seen};
use crate::store::{Epoch, Epochs, Live, Revision};
use crate::stored::Format;
use crate::token::{Nonce, TokenHash};

prop_compose! {
    pub(super) fn live()(
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
        member().prop_map(|member| Holder::Member(Arc::new(member))),
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
            history: None,
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

pub(super) fn format() -> impl Strategy<Value = Format> {
    prop_oneof![Just(Format::One), Just(Format::Two)]
}

pub(super) fn reason() -> impl Strategy<Value = EndReason> {
    prop::sample::select(&EndReason::ALL[..])
}
