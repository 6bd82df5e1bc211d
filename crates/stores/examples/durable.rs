//! Durable inserts a second beside the bare engine writing the same bytes, and memory per session.
//!
//! `cargo run --release -p counterfoil-stores --features embedded --example durable -- [SECONDS] [SESSIONS]`
#![expect(clippy::unwrap_used, clippy::panic, reason = "a measurement that fails has nothing to say")]
#![expect(clippy::cast_precision_loss, reason = "rates and sizes are printed without their last digits")]

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use counterfoil_core::data::Payload;
use counterfoil_core::keys::{GeneratedKeys, SharedRing};
use counterfoil_core::rules::{Amr, Factor, Family, Limits};
use counterfoil_core::seal::Sealer;
use counterfoil_core::store::{Epochs, Inserted, Live, Store};
use counterfoil_core::token::TokenHash;
use counterfoil_core::{Holder, Member, Moment, Record, SessionId, Subject, stored};
use counterfoil_stores::embedded::{EmbeddedStore, Settings};
use fjall::{Database, KeyspaceCreateOptions, PersistMode};

fn main() {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<u64>().unwrap());
    let (seconds, sessions) = (arguments.next().unwrap_or(3), arguments.next().unwrap_or(300_000));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let keys = SharedRing::from_source(&GeneratedKeys).unwrap();
    println!("{:>8} {:>12} {:>12} {:>7}", "waiting", "store /s", "engine /s", "ratio");
    for waiting in [1, 16, 256] {
        let span = Duration::from_secs(seconds);
        let (mut ours, mut bare) = (Vec::new(), Vec::new());
        for _ in 0..3 {
            let folder = tempfile::tempdir().unwrap();
            ours.push(runtime.block_on(store(folder.path(), &keys, waiting, span)));
            let folder = tempfile::tempdir().unwrap();
            bare.push(runtime.block_on(engine(folder.path(), &keys, waiting, span)));
        }
        let (ours, bare) = (median(ours), median(bare));
        println!("{waiting:>8} {ours:>12.0} {bare:>12.0} {:>7.2}", ours / bare);
    }
    memory(&runtime, &keys, sessions);
}

/// Inserts a second through the store.
async fn store(folder: &Path, keys: &SharedRing, waiting: u64, span: Duration) -> f64 {
    let store = Arc::new(EmbeddedStore::open(folder, Sealer::new(keys.clone()), Settings::default()).unwrap());
    let keys = keys.clone();
    rate(waiting, span, move |number| {
        let (store, record) = (Arc::clone(&store), record(&keys, number));
        async move {
            let inserted = Store::insert(&*store, record, None, NOW).await.unwrap();
            assert_eq!(inserted, Inserted::Done(Vec::new()));
        }
    })
    .await
}

/// The same bytes under the same keys straight into the engine, by one thread that groups what waits.
async fn engine(folder: &Path, keys: &SharedRing, waiting: u64, span: Duration) -> f64 {
    let (sender, receiver) = mpsc::channel::<(Vec<u8>, Vec<u8>, tokio::sync::oneshot::Sender<()>)>();
    let database = Database::builder(folder).worker_threads(1).manual_journal_persist(true).open().unwrap();
    let sessions = database.keyspace("sessions", KeyspaceCreateOptions::default).unwrap();
    let writer = std::thread::spawn(move || {
        while let Ok(first) = receiver.recv() {
            let mut batch = database.batch().durability(Some(PersistMode::SyncData));
            let mut waiting = Vec::new();
            for (key, value, answer) in std::iter::once(first).chain(receiver.try_iter()) {
                batch.insert(&sessions, key, value);
                waiting.push(answer);
            }
            batch.commit().unwrap();
            for answer in waiting {
                let _ = answer.send(());
            }
        }
    });
    let sealed = stored::encode(&Live::born(record(keys, 0)), &Sealer::new(keys.clone())).unwrap();
    let done = rate(waiting, span, move |number| {
        let (answer, answered) = tokio::sync::oneshot::channel();
        sender.send((number.to_be_bytes().to_vec(), sealed.clone(), answer)).unwrap();
        async move { answered.await.unwrap() }
    })
    .await;
    writer.join().unwrap();
    done
}

/// How many a second, with so many under way at once.
async fn rate<F: Future<Output = ()> + Send + 'static>(
    waiting: u64,
    span: Duration,
    one: impl Fn(u64) -> F + Send + Sync + 'static,
) -> f64 {
    let (one, done, start) = (Arc::new(one), Arc::new(AtomicU64::new(0)), Instant::now());
    let work: Vec<_> = (0..waiting)
        .map(|_| {
            let (one, done) = (Arc::clone(&one), Arc::clone(&done));
            tokio::spawn(async move {
                while start.elapsed() < span {
                    one(done.fetch_add(1, Ordering::Relaxed)).await;
                }
            })
        })
        .collect();
    for task in work {
        task.await.unwrap();
    }
    done.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64()
}

/// What each session takes, with next to no records in memory; and how long a start takes.
fn memory(runtime: &tokio::runtime::Runtime, keys: &SharedRing, sessions: u64) {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = Settings::default();
    settings.cache_bytes = 8 * 1_024 * 1_024;
    let open = || EmbeddedStore::open(folder.path(), Sealer::new(keys.clone()), settings).unwrap();
    let store = Arc::new(open());
    let start = Instant::now();
    for part in 0..sessions / 1_000 {
        let work: Vec<_> = (0..1_000)
            .map(|number| {
                let (store, record) = (Arc::clone(&store), record(keys, part * 1_000 + number));
                runtime.spawn(async move { Store::insert(&*store, record, None, NOW).await.unwrap() })
            })
            .collect();
        runtime.block_on(async {
            for task in work {
                task.await.unwrap();
            }
        });
    }
    println!("{sessions} sessions of as many subjects in {:.1} s", start.elapsed().as_secs_f64());
    drop(store);
    let before = resident();
    let start = Instant::now();
    let store = open();
    println!("opened again in {:.2} s", start.elapsed().as_secs_f64());
    println!("{:.0} B resident per session, engine included", (resident() as f64 - before as f64) / sessions as f64);
    drop(store);
}

fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap_or_else(|| panic!("no VmRSS"));
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1_024
}

fn record(keys: &SharedRing, number: u64) -> Record {
    let subject = Subject::new(format!("user-{number}")).unwrap();
    let reference = keys.load().reference(&subject);
    let mut id = [0; 18];
    id[..2].copy_from_slice(&reference.bucket().number().to_be_bytes());
    id[2..10].copy_from_slice(&number.to_be_bytes());
    let member = Member {
        subject,
        reference,
        factors: [Factor { amr: Amr::Pwd, verified_at: NOW }].into(),
        presented: true,
        label: "Firefox on Linux".into(),
        elevations: [None, None],
        references: Vec::new(),
    };
    Record {
        id: SessionId::from_bytes(id),
        created_at: NOW,
        epochs: Epochs::default(),
        limits: Limits { idle: HOUR, absolute: HOUR * 24, remember_for: None },
        family: Family::born(TokenHash::from_bytes([7; 32]), NOW),
        holder: Holder::Member(Box::new(member)),
        data: Payload::from_bytes(&[7; 250]),
    }
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied().unwrap()
}

const NOW: Moment = Moment::from_unix_seconds(1_800_000_000);
const HOUR: Duration = Duration::from_hours(1);
