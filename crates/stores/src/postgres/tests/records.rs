//! Sessions made by hand.

use std::sync::Arc;
use std::time::Duration;

use counterfoil_core::data::Payload;
use counterfoil_core::rules::{Amr, Factor, Family, Limits, Presented};
use counterfoil_core::store::{Activity, Epochs, Inserted, Limit, OverLimit, Store};
use counterfoil_core::token::TokenHash;
use counterfoil_core::{Change, Holder, Member, Moment, Record, Reference, SessionId, Subject, SubjectRef};

use crate::postgres::PostgresStore;

pub(super) const NOW: Moment = Moment::from_unix_seconds(1_800_000_000);

pub(super) fn subject(number: u8) -> SubjectRef {
    SubjectRef::from_bytes([number; 16])
}

/// A session in use of the `whose`th subject, the `number`th.
pub(super) fn member(whose: u8, number: u32) -> Record {
    let member = Member {
        subject: Subject::new(format!("user-{whose}")).unwrap(),
        reference: subject(whose),
        factors: [Factor { amr: Amr::Pwd, verified_at: NOW }].into(),
        presented: true,
        label: "Firefox on Linux".into(),
        elevations: [None, None],
        references: vec![Reference { kind: "oidc.sid".into(), value: format!("{whose}-{number}").into() }],
        history: None,
    };
    let mut record = visitor(number);
    let mut id = *record.id.as_bytes();
    id[..2].fill(whose);
    record.id = SessionId::from_bytes(id);
    record.holder = Holder::Member(Arc::new(member));
    record
}

/// An anonymous session.
pub(super) fn visitor(number: u32) -> Record {
    let hour = Duration::from_hours(1);
    let mut id = [0; 18];
    id[14..].copy_from_slice(&number.to_be_bytes());
    Record {
        id: SessionId::from_bytes(id),
        created_at: NOW,
        epochs: Epochs::default(),
        limits: Limits { idle: hour, absolute: hour * 24, remember_for: None },
        family: Family::born(TokenHash::from_bytes([7; 32]), NOW),
        holder: Holder::Visitor(None),
        data: Payload::from_bytes(&[7; 100]),
    }
}

pub(super) fn data(bytes: &[u8]) -> Change {
    Change { data: Some(Payload::from_bytes(bytes)), ..Change::default() }
}

/// That of whoever presents the session's current token.
pub(super) fn activity(record: &Record) -> Activity {
    let token = Presented { generation: record.family.generation, hash: record.family.current };
    Activity { token: Some(token), limits: record.limits }
}

pub(super) fn at_most(max: u32, over: OverLimit) -> Limit {
    Limit { max: max.try_into().unwrap(), over }
}

pub(super) async fn insert(store: &PostgresStore, record: &Record) {
    let inserted = Store::insert(store, record.clone(), None, NOW).await.unwrap();
    assert_eq!(inserted, Inserted::Done(Vec::new()));
}
