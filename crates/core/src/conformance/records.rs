//! Records made by hand, for cases that ask a store's verbs without the engine.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use super::bench::{ABSOLUTE, Bench, IDLE};
use super::failure::{Failure, Verdict};
use super::random::Random;
use crate::agent::{Agent, Browser, Platform};
use crate::data::Payload;
use crate::id::{SessionId, Subject};
use crate::keys::KeyId;
use crate::moment::Moment;
use crate::record::{Change, Elevation, Holder, Member, Record, StepUp};
use crate::rules::{
    Amr, Context, Factor, Family, History, Known, Limits, Link, Network, Place, Presented, Seen, Sight, Signal,
    Signals, Spot,
};
use crate::store::{Activity, Committed, DynStore, Epochs, Inserted, Limit, Live, Loaded, OverLimit, Revision};
use crate::token::{Nonce, TokenHash};

/// A record of `subject`, made under its epochs as they are, already presented.
pub(super) async fn member(bench: &Bench, store: &dyn DynStore, subject: &str, seed: u64) -> Verdict<Record> {
    let mut record = visitor(bench, store, seed).await?;
    let reference = bench.reference(subject)?;
    let mut id = *record.id.as_bytes();
    for (to, from) in id.iter_mut().zip(reference.bucket().number().to_be_bytes()) {
        *to = from;
    }
    record.id = SessionId::from_bytes(id);
    record.epochs = store.epochs(Some(reference)).await?;
    record.holder = Holder::Member(Arc::new(Member {
        subject: Subject::new(subject)?,
        reference,
        factors: [Factor { amr: Amr::Pwd, verified_at: record.created_at }].into(),
        presented: true,
        label: "Firefox on Linux".into(),
        elevations: [None, None],
        references: Vec::new(),
        history: Some(History::born(sight(record.created_at))),
    }));
    Ok(record)
}

/// What a request of the member's shows.
pub(super) const fn sight(at: Moment) -> Sight {
    let agent = Agent { platform: Platform::Linux, browser: Browser::Firefox };
    let network = Some(Network { prefix: [4, 192, 0, 2, 0, 0, 0], address: 7 });
    Sight { at, network, place: Place::UNKNOWN, agent, print: 9 }
}

/// A history with a context in doubt.
fn elsewhere(now: Moment) -> History {
    let place =
        Place { country: Some(*b"PE"), spot: Spot::new(-12.0, -77.0, Some(20)), asn: Some(6_147), ..Place::UNKNOWN };
    let doubted =
        Known { sight: Sight { place, ..sight(now) }, first: now, doubts: Signals::NONE.with(Signal::CountryChanged) };
    History::of(vec![doubted, Known { sight: sight(now), first: now, doubts: Signals::NONE }]).unwrap_or_default()
}

/// The same, not presented yet.
pub(super) async fn provisional(bench: &Bench, store: &dyn DynStore, subject: &str, seed: u64) -> Verdict<Record> {
    let mut record = member(bench, store, subject, seed).await?;
    if let Holder::Member(member) = &mut record.holder {
        Arc::make_mut(member).presented = false;
    }
    Ok(record)
}

/// An anonymous record.
pub(super) async fn visitor(bench: &Bench, store: &dyn DynStore, seed: u64) -> Verdict<Record> {
    Ok(Record { epochs: store.epochs(None).await?, ..blank(bench, seed) })
}

/// An anonymous record, made without asking the store for its epochs.
pub(super) fn blank(bench: &Bench, seed: u64) -> Record {
    let mut random = Random::seeded(seed.wrapping_mul(0x51_7C_C1));
    Record {
        id: SessionId::from_bytes(random.bytes()),
        created_at: bench.now(),
        epochs: Epochs::default(),
        limits: limits(),
        family: Family::born(TokenHash::from_bytes(random.bytes()), bench.now()),
        holder: Holder::Visitor(None),
        data: Payload::default(),
    }
}

pub(super) fn limits() -> Limits {
    Limits { idle: Duration::from_secs(IDLE), absolute: Duration::from_secs(ABSOLUTE), remember_for: None }
}

/// Activity with the record's own token.
pub(super) fn activity(record: &Record) -> Activity {
    Activity {
        token: Some(Presented { generation: record.family.generation, hash: record.family.current }),
        limits: record.limits,
    }
}

/// A change of the data to these bytes.
pub(super) fn data(bytes: &[u8]) -> Change {
    Change { data: Some(Payload::from_bytes(bytes)), ..Change::default() }
}

/// At most `max`.
pub(super) fn at_most(max: u32, over: OverLimit) -> Option<Limit> {
    NonZeroU32::new(max).map(|max| Limit { max, over })
}

/// Inserts a record, which must succeed.
pub(super) async fn insert(bench: &Bench, store: &dyn DynStore, record: &Record) -> Verdict {
    match store.insert(record.clone(), None, bench.now()).await? {
        Inserted::Done(_) => Ok(()),
        other => Err(Failure::new(format!("a new record was not inserted: {other:?}"))),
    }
}

/// Loads a session, which must be live.
pub(super) async fn live(bench: &Bench, store: &dyn DynStore, id: SessionId) -> Verdict<Live> {
    match store.load(id, bench.now(), None).await? {
        Loaded::Live(live) => Ok(live),
        other => Err(Failure::new(format!("a live session was loaded as {other:?}"))),
    }
}

/// Commits a change, which must succeed; the new revision.
pub(super) async fn commit(bench: &Bench, store: &dyn DynStore, live: &Live, change: Change) -> Verdict<Revision> {
    match store.commit(live.record.id, live.revision, change, bench.now()).await? {
        Committed::Done(revision, _) => Ok(revision),
        other => Err(Failure::new(format!("a change of the current revision was refused: {other:?}"))),
    }
}

/// A change of each kind, in an order that a session may go through.
pub(super) fn changes(bench: &Bench) -> Vec<Change> {
    let mut random = Random::seeded(77);
    let mut hash = || TokenHash::from_bytes(random.bytes());
    let now = bench.now();
    let link = |seen, until| {
        Some(Box::new(Link {
            hash: TokenHash::from_bytes([4; 32]),
            key: KeyId::from_ascii(b"k2")?,
            nonce: Nonce::from_bytes([5; 16]),
            seen,
            until,
        }))
    };
    let born = Family::born(hash(), now);
    let context = Context::new(3, &[192, 0, 2]);
    let seen = Some(Seen { at: now, context });
    let family = |next| Change { family: Some(Family { next, ..born.clone() }), ..Change::default() };
    let step_up = |hash, amr| Change {
        step_up: Some(StepUp::Granted(
            Elevation { hash, at: now, until: now + Duration::from_mins(5) },
            Factor { amr, verified_at: now },
        )),
        ..Change::default()
    };
    let seconds = Duration::from_secs;
    let tighter = Limits { idle: seconds(IDLE / 2), absolute: seconds(ABSOLUTE - 1), remember_for: None };
    vec![
        data(b"one"),
        family(None),
        family(link(None, None)),
        Change { first_use: Some(None), ..Change::default() },
        family(link(seen, None)),
        family(link(seen, Some(now))),
        step_up(hash(), Amr::Otp),
        step_up(hash(), Amr::Hwk),
        step_up(hash(), Amr::Pwd),
        Change { step_up: Some(StepUp::Withdrawn), ..Change::default() },
        step_up(hash(), Amr::Otp),
        Change { label: Some("my laptop".into()), ..Change::default() },
        Change { history: Some(History::born(sight(now))), ..Change::default() },
        Change { seen_at: Some(now), history: Some(elsewhere(now)), ..Change::default() },
        Change { limits: Some(tighter), ..Change::default() },
        data(&[0xff; 5_000]),
        data(b""),
        Change { family: Some(born.clone()), ..data(b"both") },
    ]
}
