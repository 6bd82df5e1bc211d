//! Two formats of records on one server: while nodes of two versions share it, while it is raised, and afterwards.

use std::collections::BTreeSet;
use std::time::Duration;

use counterfoil_core::rules::Presented;
use counterfoil_core::seal::Sealer;
use counterfoil_core::store::{Activity, Store};
use counterfoil_core::stored::Format;
use counterfoil_core::{FakeClock, SessionId};
use counterfoil_servers::{Redis, RedisCluster};

use super::records::{ADA, NOW, member, settings, visitor};
use super::stage::sealer;
use crate::redis::address::Address;
use crate::redis::line::Line;
use crate::redis::{OpenError, RedisStore, checks, format, migrate};
use crate::side_by_side::{People, across, change, data, live};

/// A connection for a look.
async fn line(url: &str) -> Line {
    Address::parse(url).unwrap().dial(&settings()).await.unwrap().plain
}

/// Marks a server as the program does that knows format 1 alone.
async fn begin_earlier(url: &str, ring: &Sealer) {
    let earlier = ring.clone().writing(Format::One);
    checks::claim(&mut line(url).await, &settings().prefix, &earlier).await.unwrap();
}

async fn open(url: &str, ring: &Sealer) -> Result<RedisStore, OpenError> {
    RedisStore::open(url, ring.clone(), FakeClock::at(NOW), settings()).await
}

async fn meta(url: &str) -> String {
    redis::cmd("GET").arg(checks::meta(&settings().prefix)).query_async(&mut line(url).await).await.unwrap()
}

/// The first byte of what lies there.
async fn version(store: &RedisStore, id: SessionId) -> u8 {
    let id = id.as_bytes();
    let key = [format!("{}s:{{{:02x}}}:", settings().prefix, id[0]).as_bytes(), &id[1..]].concat();
    let mut line = store.link.line().await.unwrap();
    redis::cmd("GET").arg(key).query_async::<Vec<u8>>(&mut line).await.unwrap()[0]
}

/// Until it has noticed what the server says.
async fn noticed(store: &RedisStore, format: Format) {
    let looking = async {
        while store.format() != format {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), looking).await.expect("a node that notices");
}

#[tokio::test]
#[ignore = "takes a Redis: run in the stage that installs it"]
async fn nodes_that_write_two_formats_share_one_server_and_lose_nothing() {
    let (server, ring) = (Redis::start().await.unwrap(), sealer());
    begin_earlier(&server.url(), &ring).await;
    let stores = [open(&server.url(), &ring).await.unwrap(), open(&server.url(), &ring).await.unwrap()];
    // As if one of them had noticed a raise that the other has not.
    let node = |number: usize| {
        stores[number].sealer.change_format([Format::One, Format::Two][number]);
        &stores[number]
    };
    let people = People { now: NOW, subject: ADA, visitor, member };
    let versions = across(&people, node, async |id| version(&stores[0], id).await).await;
    assert_eq!(versions, BTreeSet::from([1, 2]), "both were written");
}

#[tokio::test]
#[ignore = "takes a Redis: run in the stage that installs it"]
async fn a_server_is_raised_under_its_nodes_and_what_lies_there_stays_good() {
    let (server, ring) = (Redis::start().await.unwrap(), sealer());
    raised_under_its_nodes(&server.url(), &ring).await;
    // As the program before this one sees it now.
    let newer = meta(&server.url()).await.replace("3 ", "4 ");
    let mut line = line(&server.url()).await;
    redis::cmd("SET").arg(checks::meta(&settings().prefix)).arg(newer).query_async::<()>(&mut line).await.unwrap();
    let refused = [
        open(&server.url(), &ring).await.map(drop).unwrap_err(),
        format(&server.url(), &ring, &settings()).await.map(drop).unwrap_err(),
        migrate(&server.url(), &ring, &settings()).await.map(drop).unwrap_err(),
    ];
    for error in refused {
        assert!(error.to_string().contains("run the version that wrote it"), "{error}");
    }
}

#[tokio::test]
#[ignore = "takes a Redis: run in the stage that installs it"]
async fn so_is_a_cluster() {
    let (cluster, ring) = (RedisCluster::start().await.unwrap(), sealer());
    raised_under_its_nodes(&cluster.url(), &ring).await;
}

async fn raised_under_its_nodes(url: &str, ring: &Sealer) {
    assert_eq!(format(url, ring, &settings()).await.unwrap(), None);
    begin_earlier(url, ring).await;
    let (one, other) = (open(url, ring).await.unwrap(), open(url, ring).await.unwrap());
    for number in 1..=3 {
        one.insert(visitor(number), None, NOW).await.unwrap();
    }
    let before = meta(url).await;
    assert_eq!(format(url, ring, &settings()).await.unwrap(), Some(Format::One));
    assert_eq!(meta(url).await, before, "a look changes nothing");
    assert_eq!((one.format(), version(&one, visitor(1).id).await), (Format::One, 1));

    assert!(migrate(url, ring, &settings()).await.unwrap());
    assert!(!migrate(url, ring, &settings()).await.unwrap(), "once");
    assert_eq!(meta(url).await, before.replace("2 ", "3 "));
    noticed(&one, Format::Two).await;
    noticed(&other, Format::Two).await;
    let opened = open(url, ring).await.unwrap().format();
    assert_eq!(
        (opened, ring.format()),
        (Format::Two, Format::One),
        "what others do with the same keys is their affair"
    );
    other.insert(visitor(4), None, NOW).await.unwrap();
    change(&other, visitor(1).id, data(b"new"), NOW).await;
    let old = visitor(2);
    let activity = Activity { token: Some(Presented { generation: 0, hash: old.family.current }), limits: old.limits };
    one.load(old.id, NOW + old.limits.touch_step(), Some(activity)).await.unwrap();
    let mut versions = Vec::new();
    for number in 1..=4 {
        let loaded = [live(&one, visitor(number).id, NOW).await, live(&other, visitor(number).id, NOW).await];
        assert_eq!(loaded[0].record, loaded[1].record);
        versions.push(version(&one, visitor(number).id).await);
    }
    assert_eq!(versions, [2, 1, 1, 2], "changed, touched, left alone, new");
}

#[tokio::test]
#[ignore = "takes a Redis: run in the stage that installs it"]
async fn a_server_that_forgot_everything_is_marked_as_the_node_knew_it() {
    let (mut server, ring) = (Redis::start().await.unwrap(), sealer());
    begin_earlier(&server.url(), &ring).await;
    let store = open(&server.url(), &ring).await.unwrap();
    let before = meta(&server.url()).await;
    server.kill().await.unwrap();
    server.forget().unwrap();
    server.start_again().await.unwrap();
    while store.insert(visitor(1), None, NOW).await.is_err() {}
    // An earlier program may share it, and could not start again.
    assert_eq!((meta(&server.url()).await, store.format()), (before, Format::One));
}
