//! Hearing of what other nodes did: late commits, lost connections, and up to when.

use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use counterfoil_core::FakeClock;
use counterfoil_core::rules::EndReason;
use counterfoil_core::store::{Notice, Store, Watch};
use futures_util::{Stream as _, StreamExt as _};

use super::records::{NOW, insert, visitor};
use super::stage::{Schemas, caught_up, look, value};
use crate::postgres::connection::hex;

/// Whatever is there by now.
async fn drain(watch: &mut Watch) -> Vec<Notice> {
    let mut heard = Vec::new();
    std::future::poll_fn(|context| {
        while let Poll::Ready(Some(notice)) = Pin::new(&mut *watch).poll_next(context) {
            heard.push(notice);
        }
        Poll::Ready(())
    })
    .await;
    heard
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a PostgreSQL: run in the stage that installs it"]
async fn what_was_written_early_and_committed_late_is_heard_once() {
    let schemas = Schemas::start(FakeClock::at(NOW)).await;
    let stage = schemas.make().await;
    let (a, b) = (&stage.stores[0], &stage.stores[1]);
    let mut watch = Store::watch(&**b);
    let (early, late) = (visitor(1).id, visitor(2).id);
    let slow = look(&schemas.url).await;
    let row = |id: counterfoil_core::SessionId| {
        format!("INSERT INTO {}.rev (kind, key) VALUES ('e', '\\x{}')", stage.settings.schema, hex(id.as_bytes()))
    };
    slow.run(&format!("BEGIN; {}", row(early))).await.unwrap();
    insert(a, &visitor(2)).await;
    a.end(late, None, EndReason::SignOut, NOW).await.unwrap();
    caught_up(b).await;
    let heard = drain(&mut watch).await;
    assert!(heard.contains(&Notice::Ended(late)) && !heard.contains(&Notice::Ended(early)), "{heard:?}");
    slow.run("COMMIT").await.unwrap();
    caught_up(b).await;
    let heard = drain(&mut watch).await;
    assert_eq!(heard.iter().filter(|notice| **notice == Notice::Ended(early)).count(), 1, "{heard:?}");
    assert!(!heard.contains(&Notice::Ended(late)), "what was told is told again: {heard:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a PostgreSQL: run in the stage that installs it"]
async fn without_a_doorbell_it_is_heard_within_seconds() {
    let schemas = Schemas::start(FakeClock::at(NOW)).await;
    let stage = schemas.make().await;
    let mut watch = Store::watch(&*stage.stores[1]);
    let row = format!("INSERT INTO {}.rev (kind, key) VALUES ('a', '')", stage.settings.schema);
    look(&schemas.url).await.run(&row).await.unwrap();
    while watch.next().await != Some(Notice::AllEnded) {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a PostgreSQL: run in the stage that installs it"]
async fn whoever_lost_the_connection_is_told_of_a_gap_before_anything_is_said_to_be_complete() {
    let schemas = Schemas::start(FakeClock::at(NOW)).await;
    let stage = schemas.make().await;
    let mut watch = Store::watch(&*stage.stores[1]);
    insert(&stage.stores[0], &visitor(1)).await;
    caught_up(&stage.stores[1]).await;
    drain(&mut watch).await;
    schemas.server.lock().await.kill().await.unwrap();
    schemas.server.lock().await.start_again().await.unwrap();
    // What was asked before it broke may still be told.
    let mut first = watch.next().await;
    while matches!(first, Some(Notice::UpTo(_))) && Arc::strong_count(&stage.stores[1]) > 1 {
        first = watch.next().await;
    }
    assert_eq!(first, Some(Notice::Gap));
    assert!(matches!(watch.next().await, Some(Notice::UpTo(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a PostgreSQL: run in the stage that installs it"]
async fn what_everybody_has_had_time_to_hear_is_swept_and_nothing_else() {
    let schemas = Schemas::start(FakeClock::at(NOW)).await.with_nodes(1);
    let stage = schemas.make().await;
    let store = &stage.stores[0];
    for number in 0..4 {
        insert(store, &visitor(number)).await;
        store.end(visitor(number).id, None, EndReason::SignOut, NOW).await.unwrap();
    }
    let (look, schema) = (look(&schemas.url).await, &stage.settings.schema);
    look.run(&format!("UPDATE {schema}.rev SET at = at - interval '11 minutes' WHERE seq <= 3")).await.unwrap();
    let count = format!("SELECT count(*) FROM {schema}.rev");
    store.sweep(2, NOW).await.unwrap();
    assert_eq!(value(&look, &count).await, "2", "two at a time");
    store.sweep(10, NOW).await.unwrap();
    assert_eq!(value(&look, &count).await, "1", "one is young");
}
