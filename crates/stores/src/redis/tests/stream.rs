//! The stream of revocations: what is missing is said, and up to when everything was told.

use std::time::Duration;

use counterfoil_core::rules::EndReason;
use counterfoil_core::store::{Notice, Store, Watch};
use counterfoil_core::{Clock as _, FakeClock};
use counterfoil_servers::Redis;
use futures_util::StreamExt as _;

use super::records::{NOW, settings, store, visitor};
use super::stage::sealer;
use crate::redis::RedisStore;

/// The next notice that says more than that all is well.
async fn next(watch: &mut Watch) -> Notice {
    loop {
        match watch.next().await.unwrap() {
            Notice::UpTo(_) => {}
            notice => return notice,
        }
    }
}

#[tokio::test]
#[ignore = "takes a Redis: run in the stage that installs it"]
async fn what_happens_while_nobody_answers_is_a_gap_and_what_follows_is_told() {
    let mut server = Redis::start().await.unwrap();
    let store = store(&server, settings()).await;
    let mut watch = store.watch();
    store.insert(visitor(1), None, NOW).await.unwrap();
    store.end(visitor(1).id, None, EndReason::SignOut, NOW).await.unwrap();
    assert_eq!(next(&mut watch).await, Notice::Ended(visitor(1).id));
    server.stop().await.unwrap();
    server.start_again().await.unwrap();
    assert_eq!(next(&mut watch).await, Notice::Gap);
    while store.end_all(EndReason::Admin, NOW).await.is_err() {}
    assert_eq!(next(&mut watch).await, Notice::AllEnded);
}

#[tokio::test]
#[ignore = "takes a Redis: run in the stage that installs it"]
async fn a_stream_that_lost_entries_or_all_of_them_is_a_gap() {
    let server = Redis::start().await.unwrap();
    let store = store(&server, settings()).await;
    let mut watch = store.watch();
    let mut connection = store.connection.clone();
    store.end_all(EndReason::Admin, NOW).await.unwrap();
    assert_eq!(next(&mut watch).await, Notice::AllEnded);
    // Somebody else's number, as after a failover: what is between was never told.
    let mut add = redis::cmd("XADD");
    add.arg("counterfoil:rev").arg("1-7").arg("a").arg("");
    add.query_async::<()>(&mut connection).await.unwrap();
    assert_eq!(next(&mut watch).await, Notice::Gap);
    store.end_all(EndReason::Admin, NOW).await.unwrap();
    assert_eq!(next(&mut watch).await, Notice::AllEnded);
    redis::cmd("FLUSHALL").query_async::<()>(&mut connection).await.unwrap();
    assert_eq!(next(&mut watch).await, Notice::Gap);
    store.end_all(EndReason::Admin, NOW).await.unwrap();
    assert_eq!(next(&mut watch).await, Notice::AllEnded);
    // An entry of a later version.
    let mut add = redis::cmd("XADD");
    add.arg("counterfoil:rev").arg("1-*").arg("later").arg("x");
    add.query_async::<()>(&mut connection).await.unwrap();
    assert_eq!(next(&mut watch).await, Notice::Gap);
}

#[tokio::test]
#[ignore = "takes a Redis: run in the stage that installs it"]
async fn up_to_when_everything_was_told_is_said_by_this_nodes_clock_and_not_while_nobody_answers() {
    let server = Redis::start().await.unwrap();
    let clock = FakeClock::at(NOW);
    let store = RedisStore::open(&server.url(), sealer(), clock.clone(), settings()).await.unwrap();
    let mut watch = store.watch();
    assert_eq!(watch.next().await, Some(Notice::UpTo(NOW)));
    server.hold().unwrap();
    // One answer may be on its way; none is asked for after it.
    clock.advance(Duration::from_mins(1));
    let held = clock.now();
    while let Ok(notice) = tokio::time::timeout(Duration::from_millis(1_500), watch.next()).await {
        assert_eq!(notice, Some(Notice::UpTo(NOW)));
    }
    server.go_on().unwrap();
    while watch.next().await != Some(Notice::UpTo(held)) {}
}
