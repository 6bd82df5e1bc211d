//! A server that is slow, gone, full, or back with something else.

use std::time::Duration;

use counterfoil_core::data::Payload;
use counterfoil_core::rules::EndReason;
use counterfoil_core::store::{Committed, Ending, Inserted, Live, Loaded, Page, Revision, Store, StoreError};
use counterfoil_core::{Change, Record, stored};
use counterfoil_servers::{Redis, RedisSettings};

use super::records::{ADA, NOW, member, settings, store, visitor};
use crate::redis::{RedisStore, Settings};

/// What every verb says.
async fn errors(store: &RedisStore) -> Vec<(&'static str, Option<StoreError>)> {
    let id = visitor(1).id;
    let change = Change { seen_at: Some(NOW), ..Change::default() };
    vec![
        ("load", store.load(id, NOW, None).await.err()),
        ("insert", store.insert(visitor(9), None, NOW).await.err()),
        ("replace", store.replace(id, Revision(0), visitor(8), None, NOW).await.err()),
        ("commit", store.commit(id, Revision(0), change, NOW).await.err()),
        ("end", store.end(id, Some(Revision(99)), EndReason::SignOut, NOW).await.err()),
        ("epochs", store.epochs(Some(ADA)).await.err()),
        ("end_subject", store.end_subject(ADA, None, EndReason::Admin, NOW).await.err()),
        ("end_all", store.end_all(EndReason::Admin, NOW).await.err()),
        ("resolve", store.resolve("kind", "value").await.err()),
        ("list", store.list(ADA, Page::FIRST, NOW).await.err()),
        ("time", store.time().await.err()),
    ]
}

#[tokio::test]
#[ignore = "takes a Redis: run in the stage that installs it"]
async fn a_server_that_is_held_up_is_waited_for_as_long_as_a_verb_has() {
    let server = Redis::start().await.unwrap();
    let limit = Duration::from_millis(50);
    let store = store(&server, Settings { timeout: limit, ..settings() }).await;
    store.insert(visitor(1), None, NOW).await.unwrap();
    server.hold().unwrap();
    for (verb, error) in errors(&store).await {
        assert!(matches!(error, Some(StoreError::Timeout { limit: found, .. }) if found == limit), "{verb} {error:?}");
    }
    server.go_on().unwrap();
    while store.time().await.is_err() {}
    // What was asked for meanwhile may have been done, sessions that were ended included; nothing was made up.
    assert!(!matches!(store.load(visitor(1).id, NOW, None).await.unwrap(), Loaded::Absent));
}

#[tokio::test]
#[ignore = "takes a Redis: run in the stage that installs it"]
async fn a_server_that_is_gone_is_unavailable_and_once_it_is_back_all_is_as_before() {
    let mut server = Redis::start().await.unwrap();
    let store = store(&server, settings()).await;
    for record in [visitor(1), member(1)] {
        store.insert(record, None, NOW).await.unwrap();
    }
    server.stop().await.unwrap();
    for (verb, error) in errors(&store).await {
        assert!(matches!(error, Some(StoreError::Unavailable(_))), "{verb} {error:?}");
    }
    server.start_again().await.unwrap();
    while store.time().await.is_err() {}
    for id in [visitor(1).id, member(1).id] {
        assert!(matches!(store.load(id, NOW, None).await.unwrap(), Loaded::Live(_)));
    }
    assert_eq!(store.list(ADA, Page::FIRST, NOW).await.unwrap().len(), 1);
}

#[tokio::test]
#[ignore = "takes a Redis: run in the stage that installs it"]
async fn a_server_that_forgot_everything_has_no_sessions_and_takes_none_back() {
    let mut server = Redis::start().await.unwrap();
    let store = store(&server, settings()).await;
    store.end_subject(ADA, None, EndReason::Admin, NOW).await.unwrap();
    let epochs = store.epochs(Some(ADA)).await.unwrap();
    let record = Record { epochs, ..member(1) };
    store.insert(record.clone(), None, NOW).await.unwrap();
    server.stop().await.unwrap();
    server.forget().unwrap();
    server.start_again().await.unwrap();
    while store.time().await.is_err() {}
    assert!(matches!(store.load(record.id, NOW, None).await.unwrap(), Loaded::Absent));
    let change = Change { data: Some(Payload::from_bytes(b"more")), ..Change::default() };
    let committed = store.commit(record.id, Revision(0), change, NOW).await.unwrap();
    assert!(matches!(committed, Committed::Gone(None)));
    // Who was signed out everywhere it was told again.
    assert_eq!(store.epochs(Some(ADA)).await.unwrap(), epochs);
    assert_eq!(store.insert(member(2), None, NOW).await.unwrap(), Inserted::SubjectMoved);
}

#[tokio::test]
#[ignore = "takes a Redis: run in the stage that installs it"]
async fn a_server_that_is_full_takes_no_new_sessions_and_still_ends_those_there_are() {
    let server =
        Redis::start_with(RedisSettings { lines: vec!["maxmemory 3mb".to_owned()], ..RedisSettings::default() })
            .await
            .unwrap();
    let store = store(&server, settings()).await;
    let mut made = 0;
    let full = loop {
        let record = Record { data: Payload::from_bytes(&[7; 10_000]), ..member(made) };
        match store.insert(record, None, NOW).await {
            Ok(_) => made += 1,
            Err(error) => break error,
        }
    };
    assert!(made > 10 && matches!(full, StoreError::Unavailable(_)), "{made} {full:?}");
    assert!(matches!(store.load(member(0).id, NOW, None).await.unwrap(), Loaded::Live(_)));
    assert!(matches!(store.end(member(0).id, None, EndReason::SignOut, NOW).await.unwrap(), Ending::Done));
    store.end_subject(ADA, None, EndReason::Admin, NOW).await.unwrap();
    assert!(matches!(store.load(member(1).id, NOW, None).await.unwrap(), Loaded::Ended(EndReason::Admin)));
    store.end_all(EndReason::Admin, NOW).await.unwrap();
}

#[tokio::test]
#[ignore = "takes a Redis: run in the stage that installs it"]
async fn what_lies_there_under_the_same_revision_counts_and_not_what_was_loaded() {
    let server = Redis::start().await.unwrap();
    let store = store(&server, settings()).await;
    let record = Record { data: Payload::from_bytes(b"lost"), ..visitor(1) };
    store.insert(record.clone(), None, NOW).await.unwrap();
    assert!(matches!(store.load(record.id, NOW, None).await.unwrap(), Loaded::Live(_)));
    // After a failover that forgot: the same id at the same revision, with other data.
    let other = Live::born(Record { data: Payload::from_bytes(b"kept"), ..record.clone() });
    let key = [&b"counterfoil:s:{01}:"[..], &record.id.as_bytes()[1..]].concat();
    let bytes = stored::encode(&other, &store.sealer).unwrap();
    redis::cmd("SET").arg(key).arg(bytes).query_async::<()>(&mut store.link.line().await.unwrap()).await.unwrap();
    let change = Change { seen_at: Some(NOW + Duration::from_secs(9)), ..Change::default() };
    let committed = store.commit(record.id, Revision(0), change, NOW).await.unwrap();
    assert!(matches!(committed, Committed::Done(Revision(0), _)));
    let Loaded::Live(live) = store.load(record.id, NOW, None).await.unwrap() else { panic!() };
    assert_eq!((live.record.data.as_bytes(), live.seen_at), (&b"kept"[..], NOW + Duration::from_secs(9)));
}
