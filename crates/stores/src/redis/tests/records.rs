//! Sessions for tests that look at single verbs, and stores to keep them in.

use std::sync::Arc;
use std::time::Duration;

use counterfoil_core::data::Payload;
use counterfoil_core::rules::{Amr, Factor, Family, Limits};
use counterfoil_core::store::Epochs;
use counterfoil_core::token::TokenHash;
use counterfoil_core::{FakeClock, Holder, Member, Moment, Record, Reference, SessionId, Subject, SubjectRef};
use counterfoil_servers::Redis;

use super::stage::sealer;
use crate::redis::{RedisStore, Settings};

/// When all of it happens.
pub(super) const NOW: Moment = Moment::from_unix_millis(1_800_000_000_000);

/// The subject of the first bucket.
pub(super) const ADA: SubjectRef = SubjectRef::from_bytes([7; 16]);

/// A session of nobody's yet.
pub(super) fn visitor(number: u8) -> Record {
    Record {
        id: SessionId::from_bytes([number; 18]),
        created_at: NOW,
        epochs: Epochs::default(),
        limits: Limits { idle: Duration::from_hours(1), absolute: Duration::from_hours(24), remember_for: None },
        family: Family::born(TokenHash::from_bytes([number; 32]), NOW),
        holder: Holder::Visitor(None),
        data: Payload::from_bytes(b"data"),
    }
}

/// A session of Ada's that is in use.
pub(super) fn member(number: u32) -> Record {
    let mut id = [7; 18];
    id[14..].copy_from_slice(&number.to_be_bytes());
    let member = Member {
        subject: Subject::new("ada").unwrap(),
        reference: ADA,
        factors: Arc::new([Factor { amr: Amr::Pwd, verified_at: NOW }]),
        presented: true,
        label: "Firefox on Linux".into(),
        elevations: [None, None],
        references: vec![Reference { kind: "oidc.sid".into(), value: number.to_string().into() }],
        history: None,
    };
    Record { id: SessionId::from_bytes(id), holder: Holder::Member(Arc::new(member)), ..visitor(7) }
}

pub(super) fn settings() -> Settings {
    Settings::default()
}

pub(super) async fn store(server: &Redis, settings: Settings) -> RedisStore {
    let clock = FakeClock::at(NOW);
    RedisStore::open(&server.url(), sealer(), clock, settings).await.unwrap()
}
