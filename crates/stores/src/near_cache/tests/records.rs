//! Sessions made by hand.

use std::sync::Arc;
use std::time::Duration;

use counterfoil_core::data::Payload;
use counterfoil_core::rules::{Amr, Factor, Family, Limits, Presented};
use counterfoil_core::store::{Activity, Epochs, Live};
use counterfoil_core::token::TokenHash;
use counterfoil_core::{Bucket, Change, Holder, Member, Moment, Record, SessionId, Subject, SubjectRef};

pub(super) const NOW: Moment = Moment::from_unix_seconds(1_800_000_000);

/// An hour idle, a day in all: a touch is due every 180 s.
pub(super) const LIMITS: Limits =
    Limits { idle: Duration::from_hours(1), absolute: Duration::from_hours(24), remember_for: None };

pub(super) fn after(seconds: u64) -> Moment {
    NOW + Duration::from_secs(seconds)
}

/// The subject of one letter, whose bucket is that letter's.
pub(super) fn subject(letter: u8) -> SubjectRef {
    SubjectRef::from_bytes([letter; 16])
}

pub(super) fn bucket(letter: u8) -> Bucket {
    subject(letter).bucket()
}

/// The id of the `number`th session of a subject.
pub(super) fn id(letter: u8, number: u8) -> SessionId {
    let mut id = [number; 18];
    id[..2].copy_from_slice(&bucket(letter).number().to_be_bytes());
    SessionId::from_bytes(id)
}

/// The `number`th session of a subject.
pub(super) fn record(letter: u8, number: u8) -> Record {
    let member = Member {
        subject: Subject::new("ada@example.org").unwrap(),
        reference: subject(letter),
        factors: [Factor { amr: Amr::Pwd, verified_at: NOW }].into(),
        presented: true,
        label: "Firefox on Linux".into(),
        elevations: [None, None],
        references: Vec::new(),
        history: None,
    };
    Record {
        id: id(letter, number),
        created_at: NOW,
        epochs: Epochs::default(),
        limits: LIMITS,
        family: Family::born(TokenHash::from_bytes([number; 32]), NOW),
        holder: Holder::Member(Arc::new(member)),
        data: Payload::from_bytes(b"a secret of the application"),
    }
}

pub(super) fn live(letter: u8, number: u8) -> Live {
    Live::born(record(letter, number))
}

/// What the session's own token brings.
pub(super) fn activity(number: u8) -> Activity {
    Activity { token: Some(Presented { generation: 0, hash: TokenHash::from_bytes([number; 32]) }), limits: LIMITS }
}

pub(super) fn data(bytes: &[u8]) -> Change {
    Change { data: Some(Payload::from_bytes(bytes)), ..Change::default() }
}
