//! Failovers, under load: what was signed out stays signed out, who was signed in stays signed in.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use counterfoil_core::rules::EndReason;
use counterfoil_core::store::{Loaded, Store, StoreError};
use counterfoil_core::{FakeClock, Record, SessionId};
use counterfoil_servers::{Redis, RedisCluster, RedisSentinels};
use tokio::task::JoinSet;

use super::records::{NOW, visitor};
use super::stage::sealer;
use crate::redis::{RedisStore, Settings};

/// Nodes on one store, each with a journal of its own.
async fn nodes(url: &str, folder: &tempfile::TempDir) -> Vec<Arc<RedisStore>> {
    let sealer = sealer();
    let mut nodes = Vec::new();
    for number in 0..2 {
        let journal = Some(folder.path().join(format!("node{number}")));
        let settings = Settings { journal, ..Settings::default() };
        let store = RedisStore::open(url, sealer.clone(), FakeClock::at(NOW), settings).await;
        nodes.push(Arc::new(store.unwrap()));
    }
    nodes
}

/// A session in the tag `tag`.
fn session(tag: u8, number: u32) -> Record {
    let mut id = [tag; 18];
    id[14..].copy_from_slice(&number.to_be_bytes());
    Record { id: SessionId::from_bytes(id), ..visitor(7) }
}

/// Whoever asks for a session at a node, again and again.
struct Load {
    tasks: JoinSet<()>,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    /// Sessions that had ended and were admitted.
    revived: AtomicU64,
    /// Sessions that lived and were taken for ended, or for none.
    denied: AtomicU64,
    admitted: AtomicU64,
    unavailable: AtomicU64,
    over: AtomicBool,
}

impl Load {
    /// `ended` is whether they have ended already.
    fn begin(nodes: &[Arc<RedisStore>], sessions: &[Record], ended: bool, seen: &Arc<Seen>) -> Self {
        let mut tasks = JoinSet::new();
        for node in nodes {
            let (node, seen) = (Arc::clone(node), Arc::clone(seen));
            let ids: Vec<_> = sessions.iter().map(|record| record.id).collect();
            tasks.spawn(async move {
                for id in ids.iter().cycle() {
                    // Some answers come without any waiting.
                    tokio::task::yield_now().await;
                    if seen.over.load(Ordering::SeqCst) {
                        return;
                    }
                    let counted = match node.load(*id, NOW, None).await {
                        Ok(Loaded::Live(_)) if ended => &seen.revived,
                        Ok(Loaded::Live(_)) => &seen.admitted,
                        Ok(_) if ended => continue,
                        Ok(_) => &seen.denied,
                        Err(StoreError::Unavailable(_) | StoreError::Timeout { .. }) => &seen.unavailable,
                        Err(error) => panic!("{error:?}"),
                    };
                    counted.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        Self { tasks, seen: Arc::clone(seen) }
    }

    async fn end(mut self) {
        self.seen.over.store(true, Ordering::SeqCst);
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
    }
}

/// Half of the sessions are ended, each by another node; every answer said that it was.
async fn end_half(nodes: &[Arc<RedisStore>], sessions: &[Record]) -> Vec<Record> {
    let ended: Vec<_> = sessions.iter().step_by(2).cloned().collect();
    for (record, node) in ended.iter().zip(nodes.iter().cycle()) {
        node.end(record.id, None, EndReason::SignOut, NOW).await.unwrap();
    }
    ended
}

/// What a node says of this session, as soon as it says anything.
async fn answer(node: &RedisStore, id: SessionId) -> Loaded {
    loop {
        match node.load(id, NOW, None).await {
            Ok(loaded) => return loaded,
            Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    }
}

/// Every node refuses every one of these.
async fn all_ended(nodes: &[Arc<RedisStore>], ended: &[Record]) {
    for record in ended {
        for node in nodes {
            assert!(!matches!(answer(node, record.id).await, Loaded::Live(_)));
        }
    }
}

/// Neither was anybody let in who had signed out, nor anybody signed out who had not.
fn assert_kept(seen: &Seen) {
    assert_eq!((seen.revived.load(Ordering::SeqCst), seen.denied.load(Ordering::SeqCst)), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a Redis: run in the stage that installs it"]
async fn a_replica_that_lacks_sign_outs_and_takes_over_is_told_before_anybody_asks_it() {
    let mut servers = RedisSentinels::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let nodes = nodes(&servers.url(), &folder).await;
    let sessions: Vec<_> = (0..200).map(|number| session(u8::try_from(number % 256).unwrap(), number)).collect();
    for record in &sessions {
        nodes[0].insert(record.clone(), None, NOW).await.unwrap();
    }
    servers.nodes[0].tell("WAIT 1 5000").await.unwrap();
    leave_replicas_behind(&servers.nodes[0]).await;
    let ended = end_half(&nodes, &sessions).await;
    let living: Vec<_> = sessions.iter().skip(1).step_by(2).cloned().collect();
    let seen = Arc::new(Seen::default());
    let loads = [Load::begin(&nodes, &ended, true, &seen), Load::begin(&nodes, &living, false, &seen)];
    servers.nodes[0].kill().await.unwrap();
    let killed = Instant::now();
    while !servers.nodes[1].tell("ROLE").await.is_ok_and(|role| role.starts_with("master")) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let promoted = killed.elapsed();
    for node in &nodes {
        assert!(matches!(answer(node, living[0].id).await, Loaded::Live(_)));
    }
    let safe = killed.elapsed();
    all_ended(&nodes, &ended).await;
    for load in loads {
        load.end().await;
    }
    println!("promoted after {promoted:?}, told and in use after {safe:?}: {}", seen.summary());
    assert_kept(&seen);
    assert!(seen.unavailable.load(Ordering::SeqCst) > 0 && seen.admitted.load(Ordering::SeqCst) > 0);
}

impl Seen {
    fn summary(&self) -> String {
        let [revived, denied, admitted, unavailable] =
            [&self.revived, &self.denied, &self.admitted, &self.unavailable].map(|count| count.load(Ordering::SeqCst));
        format!("{revived} revived, {denied} signed out wrongly, {admitted} admitted, {unavailable} times unavailable")
    }
}

/// From here on a server's replicas hear nothing more; nor can they ask: it wants a password. Whoever is connected stays so.
async fn leave_replicas_behind(server: &Redis) {
    server.tell("CONFIG SET requirepass other").await.unwrap();
    let url = format!("redis://:other@127.0.0.1:{}", server.port());
    let client = redis::Client::open(url).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    redis::cmd("CLIENT").arg("KILL").arg("TYPE").arg("replica").query_async::<()>(&mut connection).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a Redis: run in the stage that installs it"]
async fn in_a_cluster_too() {
    let mut cluster = RedisCluster::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let nodes = nodes(&cluster.url(), &folder).await;
    // Of the first master and of another one: the slots of `{00}` to `{ff}` are spread over all of them.
    let of = |range: std::ops::Range<u16>| {
        (0..=u8::MAX).filter(move |tag| range.contains(&slot(&format!("{tag:02x}")))).collect::<Vec<_>>()
    };
    let (lost, kept) = (of(0..5_461), of(5_461..10_923));
    let spread = |tags: &[u8]| (0..100).map(|number| session(tags[number as usize % tags.len()], number)).collect();
    let (sessions, others): (Vec<_>, Vec<_>) = (spread(&lost), spread(&kept));
    for record in sessions.iter().chain(&others) {
        nodes[0].insert(record.clone(), None, NOW).await.unwrap();
    }
    cluster.nodes[0].tell("WAIT 1 5000").await.unwrap();
    leave_replicas_behind(&cluster.nodes[0]).await;
    let ended = end_half(&nodes, &sessions).await;
    let living: Vec<_> = sessions.iter().skip(1).step_by(2).cloned().collect();
    let (seen, elsewhere) = (Arc::new(Seen::default()), Arc::new(Seen::default()));
    let loads = [
        Load::begin(&nodes, &ended, true, &seen),
        Load::begin(&nodes, &living, false, &seen),
        Load::begin(&nodes, &others, false, &elsewhere),
    ];
    cluster.nodes[0].kill().await.unwrap();
    let killed = Instant::now();
    for node in &nodes {
        assert!(matches!(answer(node, living[0].id).await, Loaded::Live(_)));
    }
    let safe = killed.elapsed();
    all_ended(&nodes, &ended).await;
    for load in loads {
        load.end().await;
    }
    println!("in use after {safe:?}: {}; of other masters: {}", seen.summary(), elsewhere.summary());
    assert_kept(&seen);
    assert_kept(&elsewhere);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a Redis: run in the stage that installs it"]
async fn a_slot_that_moves_to_another_master_signs_nobody_out_and_nobody_in() {
    let cluster = RedisCluster::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let nodes = nodes(&cluster.url(), &folder).await;
    let tag = (0..=u8::MAX).find(|tag| slot(&format!("{tag:02x}")) < 5_461).unwrap();
    let sessions: Vec<_> = (0..200).map(|number| session(tag, number)).collect();
    for record in &sessions {
        nodes[0].insert(record.clone(), None, NOW).await.unwrap();
    }
    let ended = end_half(&nodes, &sessions).await;
    let living: Vec<_> = sessions.iter().skip(1).step_by(2).cloned().collect();
    let seen = Arc::new(Seen::default());
    let loads = [Load::begin(&nodes, &ended, true, &seen), Load::begin(&nodes, &living, false, &seen)];
    move_slot(&cluster, slot(&format!("{tag:02x}")), 0, 1).await;
    for node in &nodes {
        for record in &living {
            assert!(matches!(answer(node, record.id).await, Loaded::Live(_)));
        }
    }
    all_ended(&nodes, &ended).await;
    for load in loads {
        load.end().await;
    }
    println!("while a slot moved: {}", seen.summary());
    assert_kept(&seen);
    // There is something to be seen at its new place too.
    nodes[0].end(living[0].id, None, EndReason::SignOut, NOW).await.unwrap();
    assert!(matches!(answer(&nodes[1], living[0].id).await, Loaded::Ended(EndReason::SignOut)));
}

/// As an operator does it, a key at a time.
async fn move_slot(cluster: &RedisCluster, slot: u16, from: usize, to: usize) {
    let (source, target) = (&cluster.nodes[from], &cluster.nodes[to]);
    let (source_id, target_id) = (cluster.id(from).await.unwrap(), cluster.id(to).await.unwrap());
    target.tell(&format!("CLUSTER SETSLOT {slot} IMPORTING {source_id}")).await.unwrap();
    source.tell(&format!("CLUSTER SETSLOT {slot} MIGRATING {target_id}")).await.unwrap();
    let client = redis::Client::open(source.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    loop {
        let mut list = redis::cmd("CLUSTER");
        list.arg("GETKEYSINSLOT").arg(slot).arg(1);
        let keys: Vec<Vec<u8>> = list.query_async(&mut connection).await.unwrap();
        let Some(key) = keys.first() else { break };
        let mut migrate = redis::cmd("MIGRATE");
        migrate.arg("127.0.0.1").arg(target.port()).arg(key).arg(0).arg(5_000);
        migrate.query_async::<()>(&mut connection).await.unwrap();
    }
    for node in [target, source, &cluster.nodes[2]] {
        node.tell(&format!("CLUSTER SETSLOT {slot} NODE {target_id}")).await.unwrap();
    }
}

#[tokio::test]
#[ignore = "takes a Redis: run in the stage that installs it"]
async fn a_master_that_became_a_replica_is_not_believed() {
    let (master, other) = (Redis::start().await.unwrap(), Redis::start().await.unwrap());
    let folder = tempfile::tempdir().unwrap();
    let nodes = nodes(&master.url(), &folder).await;
    nodes[0].insert(visitor(1), None, NOW).await.unwrap();
    master.tell(&format!("REPLICAOF 127.0.0.1 {}", other.port())).await.unwrap();
    // Within two beats; this never ends if nobody looks.
    while nodes[0].load(visitor(1).id, NOW, None).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let refused = nodes[0].load(visitor(1).id, NOW, None).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    master.tell("REPLICAOF NO ONE").await.unwrap();
    assert!(!matches!(answer(&nodes[0], visitor(1).id).await, Loaded::Ended(_)));
}

/// The slot of a key, as the cluster counts them.
fn slot(key: &str) -> u16 {
    let crc = key.bytes().fold(0_u16, |crc, byte| {
        (0..8)
            .fold(crc ^ (u16::from(byte) << 8), |crc, _| if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 })
    });
    crc % 16_384
}
