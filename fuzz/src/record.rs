//! Stored records: what we did not write never opens, what is read is written back the same, and damage is told.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use counterfoil_core::agent::Agent;
use counterfoil_core::data::Payload;
use counterfoil_core::keys::{KeyId, KeyRing};
use counterfoil_core::rules::{
    Amr, Context, Factor, Family, History, Known, Limits, Link, Network, Place, Seen, Sight, Signal, Signals,
};
use counterfoil_core::seal::Sealer;
use counterfoil_core::store::{Epochs, Live, Revision};
use counterfoil_core::stored::{Format, Stored, StoredRecord, Tombstone, decode, decode_head, encode, kind_of};
use counterfoil_core::token::{Nonce, TokenHash};
use counterfoil_core::{Entropy, Holder, Member, Moment, NoEntropy, Record, Reference, SessionId, Subject};

use crate::Target;
use crate::request::FixedKeys;

pub(crate) const TARGET: Target = Target {
    name: "record",
    check,
    words: &["\u{1}r", "\u{1}t", "\u{2}r", "\u{2}t", "\u{3}r", "k1\0\0\0\0\0\0", "\0\0\0\0", "\0\0\0\u{2a}"],
};

fn check(input: &[u8]) {
    refused_unless_genuine(input);
    for genuine in &WRITTEN.1 {
        check_changed(genuine.clone(), input);
    }
}

/// The input as changes to a genuine record: a byte's place, what it becomes; then what is cut off.
fn check_changed(mut bytes: Vec<u8>, input: &[u8]) {
    for change in input.chunks_exact(3) {
        if let [high, low, becomes] = change
            && let Some(byte) = bytes.get_mut(usize::from(u16::from_be_bytes([*high, *low])))
        {
            *byte = *becomes;
        }
    }
    if let [cut] = input.chunks_exact(3).remainder() {
        bytes.truncate(bytes.len().saturating_sub(usize::from(*cut)));
    }
    refused_unless_genuine(&bytes);
}

fn refused_unless_genuine(bytes: &[u8]) {
    let (sealer, written) = &*WRITTEN;
    let genuine = written.iter().any(|genuine| genuine == bytes);
    let opened = decode(ID, bytes, sealer);
    assert_eq!(opened.is_ok(), genuine, "{opened:?}");
    if let Ok(head) = decode_head(bytes) {
        assert_eq!(kind_of(bytes), Ok(Stored::Record));
        assert!(head.forget_at() >= head.created_at, "{head:?}");
    }
    match StoredRecord::from_bytes(bytes) {
        Ok(record) => {
            assert_eq!(record.to_bytes(), bytes, "a record has one spelling");
            assert_eq!(Ok(record.head()), decode_head(bytes).as_ref());
            assert!(record.keys().count() <= 4);
            assert_eq!(record.open(sealer).is_ok(), genuine);
            assert!(!genuine || record.verify(sealer).is_ok());
        }
        Err(error) => assert!(!error.to_string().is_empty() && opened.is_err()),
    }
    if let Ok(tombstone) = Tombstone::from_bytes(bytes) {
        assert_eq!(kind_of(bytes), Ok(Stored::Tombstone));
        assert!(Tombstone::verify(bytes, sealer).is_err(), "{tombstone:?}");
    }
}

/// A sealer, and one record in each format.
static WRITTEN: LazyLock<(Sealer, [Vec<u8>; 2])> = LazyLock::new(|| {
    let sealer = Sealer::with_entropy(KeyRing::from_source(&FixedKeys).expect("good keys"), Nines);
    let written = [Format::One, Format::Two]
        .map(|format| encode(&session(), &sealer.clone().writing(format)).expect("a session that can be sealed"));
    (sealer, written)
});

/// The same salts in every run, so that what was found is found again.
struct Nines;

impl Entropy for Nines {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        bytes.fill(9);
        Ok(())
    }
}

/// Two contexts, one of them in doubt.
fn history() -> History {
    let agent = Agent::read(b"curl/8.14", None);
    let network = Some(Network { prefix: [4, 192, 0, 2, 0, 0, 0], address: 9 });
    let sight = Sight { at: Moment::from_unix_seconds(40), network, place: Place::UNKNOWN, agent, print: 5 };
    let known = |doubts| Known { sight, first: Moment::from_unix_seconds(30), doubts };
    History::of(vec![known(Signals::NONE), known(Signals::NONE.with(Signal::ManyPlaces))]).expect("few")
}

/// One with everything in it.
fn session() -> Live {
    let at = Moment::from_unix_seconds;
    let subject = Subject::new("ada").expect("a subject");
    let link = Link {
        hash: TokenHash::from_bytes([4; 32]),
        key: KeyId::new("k1").expect("an id"),
        nonce: Nonce::from_bytes([5; 16]),
        seen: Some(Seen { at: at(20), context: Context::new(3, &[192, 0, 2]) }),
        until: Some(at(80)),
    };
    let record = Record {
        id: ID,
        created_at: at(1),
        epochs: Epochs::default(),
        limits: Limits { idle: Duration::from_mins(15), absolute: Duration::from_hours(1), remember_for: None },
        family: Family {
            generation: 7,
            current: TokenHash::from_bytes([2; 32]),
            closed_at: at(10),
            next: Some(Box::new(link)),
        },
        holder: Holder::Member(Arc::new(Member {
            reference: KeyRing::from_source(&FixedKeys).expect("good keys").reference(&subject),
            subject,
            factors: [Factor { amr: Amr::Pwd, verified_at: at(1) }].into(),
            presented: true,
            label: "Firefox on Linux".into(),
            elevations: [None, None],
            references: vec![Reference { kind: "oidc.sid".into(), value: "op-7".into() }],
            history: Some(history()),
        })),
        data: Payload::from_bytes(b"the data"),
    };
    Live { record: Arc::new(record), seen_at: at(50), revision: Revision(12) }
}

const ID: SessionId = SessionId::from_bytes([1; 18]);
