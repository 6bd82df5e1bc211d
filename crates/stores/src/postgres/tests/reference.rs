//! The database decides as the memory store does, whatever comes: the same calls on both, on two nodes in turn.

use std::sync::Arc;
use std::time::Duration;

use counterfoil_core::rules::EndReason;
use counterfoil_core::store::{Committed, Ending, Limit, Live, Loaded, OverLimit, Page, Replaced, Revision, Store};
use counterfoil_core::{Change, FakeClock, Holder, MemoryStore, Moment, Record, SessionId};
use fastrand::Rng;

use super::records::{NOW, activity, at_most, data, member, subject, visitor};
use super::stage::{Schemas, look};
use crate::postgres::PostgresStore;
use crate::postgres::connection::Connection;

/// What an answer comes to: its name, and the session in it.
type Told = (String, Option<(Record, Moment, Revision)>);

fn told(name: impl std::fmt::Debug, live: Option<Live>) -> Told {
    (format!("{name:?}"), live.map(|live| ((*live.record).clone(), live.seen_at, live.revision)))
}

/// One call, made on any store.
#[derive(Debug, Clone)]
enum Call {
    Insert(Record, Option<Limit>),
    Replace(SessionId, Revision, Record, Option<Limit>),
    Commit(SessionId, Revision, Change),
    End(SessionId, Option<Revision>, EndReason),
    EndSubject(u8, Option<SessionId>, EndReason),
    EndAll,
    Load(SessionId, bool),
    List(u8, Page),
    Epochs(u8),
    Resolve(String),
}

impl Call {
    fn random(rng: &mut Rng, memory: &Memory) -> Self {
        let id = random_record(rng, NOW).id;
        let revision = if rng.u8(..8) == 0 { Revision(rng.u64(..4)) } else { memory.revision(id) };
        let limits = [
            None,
            Some(at_most(2, OverLimit::EndOldest)),
            Some(at_most(4, OverLimit::EndOldest)),
            Some(at_most(1, OverLimit::Refuse)),
        ];
        let limit = limits[rng.usize(..limits.len())];
        let reason = EndReason::ALL[rng.usize(..EndReason::ALL.len())];
        let whose = rng.u8(1..=2);
        match rng.u8(..25) {
            0..=5 => Self::Insert(memory.fresh(rng), limit),
            6..=8 => match memory.fresh(rng) {
                // Nobody replaces a session by itself.
                record if record.id == id => Self::Load(id, false),
                record => Self::Replace(id, revision, record, limit),
            },
            9..=10 => Self::Commit(id, revision, data(&[rng.u8(..)])),
            11 => Self::Commit(id, revision, Change { seen_at: Some(memory.now), ..Change::default() }),
            12..=14 => Self::Commit(id, revision, Change { first_use: Some(limit), ..Change::default() }),
            15..=16 => Self::End(id, (rng.bool()).then_some(revision), reason),
            17 => Self::EndSubject(whose, rng.bool().then_some(id), reason),
            18 if rng.u8(..4) == 0 => Self::EndAll,
            18..=21 => Self::Load(id, rng.bool()),
            22 => Self::List(whose, Page { skip: rng.usize(..3), take: rng.usize(1..5) }),
            23 => Self::Epochs(whose),
            _ => Self::Resolve(format!("{whose}-{}", rng.u32(..10))),
        }
    }

    async fn on(self, store: &impl Store, now: Moment) -> Told {
        match self {
            Self::Insert(record, limit) => told(store.insert(record, limit, now).await.unwrap(), None),
            Self::Replace(old, at, record, limit) => match store.replace(old, at, record, limit, now).await.unwrap() {
                Replaced::Conflict(live) => told("conflict", Some(live)),
                other => told(other, None),
            },
            Self::Commit(id, at, change) => match store.commit(id, at, change, now).await.unwrap() {
                Committed::Conflict(live) => told("conflict", Some(live)),
                other => told(other, None),
            },
            Self::End(id, at, reason) => match store.end(id, at, reason, now).await.unwrap() {
                Ending::Conflict(live) => told("conflict", Some(live)),
                other => told(other, None),
            },
            Self::EndSubject(whose, except, reason) => {
                told(store.end_subject(subject(whose), except, reason, now).await.unwrap(), None)
            }
            Self::EndAll => told(store.end_all(EndReason::Admin, now).await.unwrap(), None),
            Self::Load(id, active) => {
                let activity = active.then(|| activity(&visitor(0)));
                match store.load(id, now, activity).await.unwrap() {
                    Loaded::Live(live) => told("live", Some(live)),
                    other => told(other, None),
                }
            }
            Self::List(whose, page) => told(store.list(subject(whose), page, now).await.unwrap(), None),
            Self::Epochs(whose) => told(store.epochs(Some(subject(whose))).await.unwrap(), None),
            Self::Resolve(value) => {
                let mut ids = store.resolve("oidc.sid", &value).await.unwrap();
                ids.sort();
                told(ids, None)
            }
        }
    }
}

/// What the memory store knows, for making calls that mean something.
struct Memory {
    store: MemoryStore,
    now: Moment,
}

impl Memory {
    fn revision(&self, id: SessionId) -> Revision {
        match self.store.peek(id, self.now, None) {
            Some(Loaded::Live(live)) => live.revision,
            _ => Revision(0),
        }
    }

    /// A record of the current epochs, or now and then of older ones.
    fn fresh(&self, rng: &mut Rng) -> Record {
        let mut record = random_record(rng, self.now);
        let epochs = futures_executor::block_on(self.store.epochs(record.subject())).unwrap();
        if rng.u8(..8) > 0 {
            record.epochs = epochs;
        }
        record
    }
}

/// One of two subjects' ten sessions each, or one of three visitors'.
fn random_record(rng: &mut Rng, now: Moment) -> Record {
    let mut record = match rng.u8(..8) {
        0 => visitor(rng.u32(..3)),
        whose => member(1 + whose % 2, rng.u32(..10)),
    };
    let minutes = |minutes: u64| Duration::from_mins(minutes);
    record.created_at = now;
    record.limits.idle = minutes(rng.u64(1..90));
    record.limits.absolute = minutes(rng.u64(30..300));
    record.limits.remember_for = (rng.u8(..3) == 0).then(|| minutes(rng.u64(60..600)));
    if let Holder::Member(member) = &mut record.holder {
        Arc::make_mut(member).presented = rng.bool();
    }
    record
}

async fn compare(seed: u64, nodes: &[Arc<PostgresStore>], look: &Connection, clock: &FakeClock) -> [usize; 2] {
    let schema = &nodes[0].settings.schema;
    let mut rng = Rng::with_seed(seed);
    let mut memory = Memory { store: MemoryStore::new(), now: NOW };
    let (mut refused, mut yielded) = (0, 0);
    for step in 0..1_200 {
        if rng.u8(..10) == 0 {
            // Whole minutes, as the limits: what is over at one is looked at in that one.
            let minutes = if rng.u8(..6) == 0 { rng.u64(1..60) } else { rng.u64(1..=3) };
            memory.now = memory.now + Duration::from_mins(minutes);
            clock.set(memory.now);
            // Past its time a tombstone is absent there, whether swept or not; here only once it was.
            // It looks at a subject that has sessions again with each sweep; here that would be a write each time.
            look.run(&format!("UPDATE {schema}.epochs SET look_at = epoch / 1000 * 1000 + 3600000")).await.unwrap();
            let swept = memory.store.sweep(10_000, memory.now).await.unwrap();
            assert_eq!(nodes[0].sweep(10_000, memory.now).await.unwrap(), swept, "seed {seed}, step {step}: sweep");
        }
        let call = Call::random(&mut rng, &memory);
        let node = &nodes[rng.usize(..nodes.len())];
        let expected = call.clone().on(&memory.store, memory.now).await;
        let mut found = call.clone().on(&**node, memory.now).await;
        if let (Call::Commit(_, at, _), Some((.., revision))) = (&call, &found.1)
            && at == revision
        {
            // The node knew a session of this id and revision that was forgotten meanwhile. It says how things are now.
            found = call.clone().on(&**node, memory.now).await;
        }
        assert_eq!(found, expected, "seed {seed}, step {step}: {call:?}");
        refused += usize::from(found.0.contains("OverLimit"));
        yielded += usize::from(matches!(call, Call::Insert(..) | Call::Commit(..)) && found.0.contains("[ses_"));
    }
    [refused, yielded]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a PostgreSQL: run in the stage that installs it"]
async fn the_database_decides_as_the_memory_store_does() {
    let schemas = Schemas::start(FakeClock::at(NOW)).await;
    let look = look(&schemas.url).await;
    let mut met = [0, 0];
    for seed in 0..6 {
        let [refused, yielded] = compare(seed, &schemas.make().await.stores, &look, &schemas.clock).await;
        met = [met[0] + refused, met[1] + yielded];
    }
    assert!(met.iter().all(|times| *times > 20), "the limit was hardly met: refused and yielded {met:?} times");
}
