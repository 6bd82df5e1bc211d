//! One record of each shape, and the keys they are sealed with.

use std::sync::Arc;
use std::time::Duration;

use crate::data::Payload;
use crate::id::{SessionId, Subject, SubjectRef};
use crate::keys::{KeyId, KeyRing, Letters};
use crate::moment::Moment;
use crate::record::{Elevation, Holder, Member, Pending, Record, Reference};
use crate::rules::{Amr, Context, Factor, Family, Limits, Link, Seen};
use crate::seal::Sealer;
use crate::store::{Epoch, Epochs, Live, Revision};
use crate::stored::Format;
use crate::token::{Nonce, TokenHash};

/// One record of each shape.
pub(super) fn samples() -> Vec<(&'static str, Live)> {
    let pending = Pending {
        subject: Subject::new("ada@example.org").unwrap(),
        epochs: Epochs::default(),
        factors: vec![Factor { amr: Amr::Pwd, verified_at: at(5) }],
        remember: true,
        until: at(605),
    };
    vec![
        ("a member with everything", sample(|_| ())),
        (
            "a bare visitor",
            sample(|record| {
                record.holder = Holder::Visitor(None);
                record.family.next = None;
                record.data = Payload::default();
            }),
        ),
        ("a visitor with half a sign-in", sample(|record| record.holder = Holder::Visitor(Some(Box::new(pending))))),
        (
            "a link nobody used yet",
            sample(|record| {
                let link = record.family.next.as_mut().unwrap();
                (link.seen, link.until) = (None, None);
                record.limits.remember_for = None;
            }),
        ),
    ]
}

/// A member with everything, altered.
pub(super) fn sample(alter: impl FnOnce(&mut Record)) -> Live {
    let link = Link {
        hash: TokenHash::from_bytes([4; 32]),
        key: KeyId::from_ascii(b"k2").unwrap(),
        nonce: Nonce::from_bytes([5; 16]),
        seen: Some(Seen { at: at(20), context: Context::new(3, &[192, 0, 2]) }),
        until: Some(at(80)),
    };
    let mut record = Record {
        id: ID,
        created_at: at(1),
        epochs: Epochs { global: Epoch(3), subject: Epoch(4) },
        limits: Limits {
            idle: Duration::from_mins(15),
            absolute: Duration::from_hours(1),
            remember_for: Some(Duration::from_hours(9)),
        },
        family: Family {
            generation: 7,
            current: TokenHash::from_bytes([2; 32]),
            closed_at: at(10),
            next: Some(Box::new(link)),
        },
        holder: Holder::Member(Arc::new(Member {
            subject: Subject::new("ada@example.org").unwrap(),
            reference: SubjectRef::from_bytes([6; 16]),
            factors: [Factor { amr: Amr::Pwd, verified_at: at(1) }].into(),
            presented: true,
            label: "Firefox on Linux".into(),
            elevations: [Some(Elevation { hash: TokenHash::from_bytes([7; 32]), at: at(30), until: at(40) }), None],
            references: vec![Reference { kind: "oidc.sid".into(), value: "op-7".into() }],
            history: None,
        })),
        data: Payload::from_bytes(b"the data"),
    };
    alter(&mut record);
    Live { record: Arc::new(record), seen_at: at(50), revision: Revision(12) }
}

pub(super) fn member(live: &mut Live) -> &mut Member {
    match &mut Arc::make_mut(&mut live.record).holder {
        Holder::Member(member) => Arc::make_mut(member),
        Holder::Visitor(_) => panic!("a visitor"),
    }
}

pub(super) fn at(second: u64) -> Moment {
    Moment::from_unix_seconds(second)
}

pub(super) const ID: SessionId = SessionId::from_bytes([1; 18]);

/// All that there are.
pub(super) const BOTH: [Format; 2] = [Format::One, Format::Two];

/// A sealer that writes this format.
pub(super) fn writing(format: Format) -> Sealer {
    sealer("a").writing(format)
}

/// A sealer whose ring has a key for each letter, the first of which signs.
pub(super) fn sealer(keys: &str) -> Sealer {
    Sealer::new(KeyRing::from_source(&Letters(keys)).unwrap())
}
