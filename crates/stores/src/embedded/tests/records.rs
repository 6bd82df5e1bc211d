//! Sessions made by hand, and keys that outlive a store.

use std::sync::Arc;
use std::time::Duration;

use counterfoil_core::data::Payload;
use counterfoil_core::keys::{GeneratedKeys, KeyError, KeyMaterial, KeySource, SharedRing};
use counterfoil_core::rules::{Amr, Factor, Family, Limits};
use counterfoil_core::seal::Sealer;
use counterfoil_core::store::{Inserted, Loaded, Store};
use counterfoil_core::token::TokenHash;
use counterfoil_core::{Change, Holder, Member, Moment, Record, Reference, SessionId, Subject, SubjectRef};
use futures_executor::block_on;

use crate::embedded::{EmbeddedStore, Settings};

pub(super) const NOW: Moment = Moment::from_unix_seconds(1_800_000_000);

/// Keys for as long as the test runs.
pub(super) struct Keys {
    pub(super) ring: SharedRing,
}

impl Keys {
    pub(super) fn new() -> Self {
        Self { ring: SharedRing::from_source(&GeneratedKeys).unwrap() }
    }

    pub(super) fn sealer(&self) -> Sealer {
        Sealer::new(self.ring.clone())
    }

    pub(super) fn open(&self, folder: &std::path::Path) -> EmbeddedStore {
        EmbeddedStore::open(folder, self.sealer(), Settings::default()).unwrap()
    }

    pub(super) fn subject(&self, name: &str) -> SubjectRef {
        self.ring.load().reference(&Subject::new(name).unwrap())
    }

    /// A session of `name` that was never stored, the `number`th.
    pub(super) fn member(&self, name: &str, number: u8) -> Record {
        let reference = self.subject(name);
        let mut id = [number; 18];
        id[..2].copy_from_slice(&reference.bucket().number().to_be_bytes());
        let member = Member {
            subject: Subject::new(name).unwrap(),
            reference,
            factors: [Factor { amr: Amr::Pwd, verified_at: NOW }].into(),
            presented: true,
            label: "Firefox on Linux".into(),
            elevations: [None, None],
            references: vec![Reference { kind: "oidc.sid".into(), value: format!("{name}-{number}").into() }],
            history: None,
        };
        Record { id: SessionId::from_bytes(id), holder: Holder::Member(Arc::new(member)), ..visitor(number) }
    }
}

/// An anonymous session.
pub(super) fn visitor(number: u8) -> Record {
    let hour = Duration::from_hours(1);
    Record {
        id: SessionId::from_bytes([number; 18]),
        created_at: NOW,
        epochs: counterfoil_core::store::Epochs::default(),
        limits: Limits { idle: hour, absolute: hour * 24, remember_for: None },
        family: Family::born(TokenHash::from_bytes([number; 32]), NOW),
        holder: Holder::Visitor(None),
        data: Payload::from_bytes(&[number; 100]),
    }
}

pub(super) fn insert(store: &EmbeddedStore, record: &Record) {
    let inserted = block_on(Store::insert(store, record.clone(), None, NOW)).unwrap();
    assert_eq!(inserted, Inserted::Done(Vec::new()));
}

pub(super) fn load(store: &EmbeddedStore, id: SessionId) -> Loaded {
    block_on(Store::load(store, id, NOW, None)).unwrap()
}

pub(super) fn data(bytes: &[u8]) -> Change {
    Change { data: Some(Payload::from_bytes(bytes)), ..Change::default() }
}

/// Keys with another reference key.
pub(super) struct OtherKeys;

impl KeySource for OtherKeys {
    fn keys(&self) -> Result<KeyMaterial, KeyError> {
        GeneratedKeys.keys()
    }
}
