//! How many commands each verb sends, by the server's own count.

use counterfoil_core::rules::{EndReason, Presented};
use counterfoil_core::store::{Activity, Committed, Inserted, Limit, Loaded, OverLimit, Replaced, Revision, Store};
use counterfoil_core::{Change, FakeClock, Record, SessionId};
use counterfoil_servers::{Redis, RedisCluster};

use super::records::{ADA, NOW, member, settings, store, visitor};
use super::stage::sealer;
use crate::redis::RedisStore;
use crate::redis::line::Line;

/// How many scripts were called since it was asked last.
pub(super) async fn calls(connection: &mut Line) -> u64 {
    let told: String = redis::cmd("INFO").arg("commandstats").query_async(connection).await.unwrap();
    redis::cmd("CONFIG").arg("RESETSTAT").query_async::<()>(connection).await.unwrap();
    scripts(&told)
}

fn scripts(told: &str) -> u64 {
    let counts =
        told.lines().filter(|line| ["cmdstat_evalsha:", "cmdstat_eval:"].iter().any(|name| line.starts_with(name)));
    counts.filter_map(|line| line.split("calls=").nth(1)?.split(',').next()?.parse::<u64>().ok()).sum()
}

/// Has the server know every script, and begins to count.
async fn counted(store: &RedisStore) -> Line {
    let mut connection = store.link.line().await.unwrap();
    let at = Revision(9);
    store.replace(visitor(1).id, at, visitor(2), None, NOW).await.unwrap();
    store.insert(visitor(3), None, NOW).await.unwrap();
    store.commit(visitor(3).id, Revision(0), Change { seen_at: Some(NOW), ..Change::default() }, NOW).await.unwrap();
    store.end(visitor(3).id, None, EndReason::SignOut, NOW).await.unwrap();
    store.epochs(None).await.unwrap();
    store.end_subject(counterfoil_core::SubjectRef::from_bytes([9; 16]), None, EndReason::Admin, NOW).await.unwrap();
    calls(&mut connection).await;
    connection
}

fn change(data: &[u8]) -> Change {
    Change { data: Some(counterfoil_core::data::Payload::from_bytes(data)), ..Change::default() }
}

#[tokio::test]
#[ignore = "takes a Redis: run in the stage that installs it"]
async fn every_verb_is_one_command() {
    let server = Redis::start().await.unwrap();
    let store = store(&server, settings()).await;
    let mut connection = counted(&store).await;
    let limit = Some(Limit { max: 5.try_into().unwrap(), over: OverLimit::EndOldest });
    let anonymous = visitor(40);
    store.insert(anonymous.clone(), None, NOW).await.unwrap();
    assert_eq!(calls(&mut connection).await, 1, "an anonymous session");
    let first = member(1);
    let replaced = store.replace(anonymous.id, Revision(0), first.clone(), limit, NOW).await.unwrap();
    assert!(matches!(replaced, Replaced::Inserted(Inserted::Done(_))));
    assert_eq!(calls(&mut connection).await, 1, "a sign-in with a limit");
    let Loaded::Live(live) = store.load(first.id, NOW, None).await.unwrap() else { panic!() };
    assert_eq!(calls(&mut connection).await, 1, "a read");
    for number in 0..3 {
        let committed = store.commit(first.id, Revision(number), change(&[1]), NOW).await.unwrap();
        assert!(matches!(committed, Committed::Done(..)));
        assert_eq!(calls(&mut connection).await, 1, "a change or a rotation, once it was loaded or changed");
    }
    store.end(first.id, Some(Revision(3)), EndReason::SignOut, NOW).await.unwrap();
    assert_eq!(calls(&mut connection).await, 1, "a sign-out");
    let later = NOW + live.record.limits.touch_step();
    let second = member(2);
    store.insert(second.clone(), limit, NOW).await.unwrap();
    calls(&mut connection).await;
    for (at, expected) in [(NOW, 1), (later, 2), (later, 1)] {
        let token = Presented { generation: 0, hash: second.family.current };
        let activity = Activity { token: Some(token), limits: second.limits };
        store.load(second.id, at, Some(activity)).await.unwrap();
        assert_eq!(calls(&mut connection).await, expected, "a read at {at:?}: a touch is one more, at its interval");
    }
}

#[tokio::test]
#[ignore = "takes a Redis: run in the stage that installs it"]
async fn ending_all_of_a_subject_costs_the_same_however_many_there_are() {
    let server = Redis::start().await.unwrap();
    let store = store(&server, settings()).await;
    let mut connection = counted(&store).await;
    let mut costs = Vec::new();
    let mut made = 0;
    for sessions in [1, 1_000, 100_000_u32] {
        for number in made..sessions {
            let epochs = store.epochs(Some(ADA)).await.unwrap();
            store.insert(Record { epochs, ..member(number) }, None, NOW).await.unwrap();
        }
        made = sessions;
        calls(&mut connection).await;
        let moved = NOW + std::time::Duration::from_secs(costs.len() as u64 + 1);
        store.end_subject(ADA, None, EndReason::Admin, moved).await.unwrap();
        costs.push(calls(&mut connection).await);
        let ended = store.load(member(sessions - 1).id, moved, None).await.unwrap();
        assert!(matches!(ended, Loaded::Ended(EndReason::Admin)));
    }
    assert_eq!(costs, [1, 1, 1]);
    store.end_all(EndReason::Admin, NOW).await.unwrap();
    calls(&mut connection).await;
    store.end_all(EndReason::Admin, NOW).await.unwrap();
    assert_eq!(calls(&mut connection).await, 1);
}

/// How many scripts all masters were called for since they were asked last.
async fn calls_in(cluster: &RedisCluster) -> u64 {
    let mut all = 0;
    for node in &cluster.nodes[..3] {
        let told = node.tell("INFO commandstats").await.unwrap();
        node.tell("CONFIG RESETSTAT").await.unwrap();
        all += scripts(&told);
    }
    all
}

#[tokio::test]
#[ignore = "takes a Redis: run in the stage that installs it"]
async fn in_a_cluster_only_what_lies_apart_takes_another_command() {
    let cluster = RedisCluster::start().await.unwrap();
    let store = RedisStore::open(&cluster.url(), sealer(), FakeClock::at(NOW), settings()).await.unwrap();
    let nameless = |number| Record { id: member(number).id, ..visitor(7) };
    // Has every server know the scripts.
    for tag in 0..=u8::MAX {
        store.insert(visitor(tag), None, NOW).await.unwrap();
        store.load(visitor(tag).id, NOW, None).await.unwrap();
        store.end(visitor(tag).id, None, EndReason::Idle, NOW).await.unwrap();
    }
    let mut id = [40; 18];
    id[17] = 1;
    let anonymous = Record { id: SessionId::from_bytes(id), ..visitor(40) };
    store.insert(anonymous.clone(), None, NOW).await.unwrap();
    calls_in(&cluster).await;
    let replaced = store.replace(anonymous.id, Revision(0), nameless(1), None, NOW).await.unwrap();
    assert!(matches!(replaced, Replaced::Inserted(Inserted::Done(_))), "{replaced:?}");
    assert_eq!(calls_in(&cluster).await, 2, "a sign-in across slots");
    store.load(nameless(1).id, NOW, None).await.unwrap();
    assert_eq!(calls_in(&cluster).await, 1, "a read");
    store.end(nameless(1).id, None, EndReason::Idle, NOW).await.unwrap();
    assert_eq!(calls_in(&cluster).await, 1, "an end");
}
