//! The server killed, held up, full, read-only: nothing acknowledged is lost, and everything else is said.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use counterfoil_core::FakeClock;
use counterfoil_core::rules::EndReason;
use counterfoil_core::store::{Committed, Ending, Inserted, Loaded, Page, Revision, Store, StoreError};
use counterfoil_servers::PostgresSettings;
use parking_lot::Mutex;

use super::records::{NOW, data, insert, member, subject, visitor};
use super::stage::{Schemas, look};
use crate::postgres::{PostgresStore, Settings};

/// What a verb that failed says, its causes included.
fn said(error: StoreError) -> String {
    match error {
        StoreError::Unavailable(cause) => format!("unavailable: {cause}"),
        other => other.to_string(),
    }
}

/// Every verb, and what each answers when it fails.
async fn every_verb(store: &PostgresStore) -> Vec<(&'static str, Option<StoreError>)> {
    let (id, at) = (member(1, 1).id, Revision(0));
    vec![
        ("load", store.load(id, NOW, None).await.err()),
        ("insert", store.insert(member(1, 9), None, NOW).await.err()),
        ("replace", store.replace(id, at, member(1, 8), None, NOW).await.err()),
        ("commit", store.commit(id, at, data(b"x"), NOW).await.err()),
        ("end", store.end(id, None, EndReason::Admin, NOW).await.err()),
        ("epochs", store.epochs(Some(subject(1))).await.err()),
        ("end_subject", store.end_subject(subject(1), Some(id), EndReason::Admin, NOW).await.err()),
        ("end_all", store.end_all(EndReason::Admin, NOW).await.err()),
        ("resolve", store.resolve("oidc.sid", "1-1").await.err()),
        ("list", store.list(subject(1), Page::FIRST, NOW).await.err()),
        ("sweep", store.sweep(10, NOW).await.err()),
        ("time", store.time().await.err()),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a PostgreSQL: run in the stage that installs it"]
async fn a_server_killed_under_load_loses_nothing_that_was_acknowledged() {
    let schemas = Schemas::start(FakeClock::at(NOW)).await.with_nodes(1);
    let stage = schemas.make().await;
    let store = Arc::clone(&stage.stores[0]);
    for round in 0..3_u32 {
        // For each id: whether it was ended. Of an end that failed nothing is known.
        let acknowledged: Arc<Mutex<BTreeMap<u32, Option<bool>>>> = Arc::default();
        let done = Arc::new(AtomicUsize::new(0));
        let workers: Vec<_> = (0..6_u32)
            .map(|worker| {
                let (store, acknowledged, done) = (Arc::clone(&store), Arc::clone(&acknowledged), Arc::clone(&done));
                tokio::spawn(async move {
                    for number in 0_u32.. {
                        let number = round * 1_000_000 + worker * 100_000 + number;
                        let record = visitor(number);
                        let Ok(Inserted::Done(_)) = store.insert(record.clone(), None, NOW).await else { return };
                        acknowledged.lock().insert(number, Some(false));
                        if number.is_multiple_of(2) {
                            acknowledged.lock().insert(number, None);
                            let Ok(Ending::Done) = store.end(record.id, None, EndReason::SignOut, NOW).await else {
                                return;
                            };
                            acknowledged.lock().insert(number, Some(true));
                        }
                        done.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        while done.load(Ordering::Relaxed) < 150 {
            tokio::task::yield_now().await;
        }
        schemas.server.lock().await.kill().await.unwrap();
        for worker in workers {
            worker.await.unwrap();
        }
        schemas.server.lock().await.start_again().await.unwrap();
        let acknowledged = acknowledged.lock().clone();
        for (number, ended) in acknowledged {
            let loaded = store.load(visitor(number).id, NOW, None).await.unwrap();
            match ended {
                Some(true) => assert!(matches!(loaded, Loaded::Ended(EndReason::SignOut)), "{number}: {loaded:?}"),
                Some(false) => assert!(matches!(loaded, Loaded::Live(_)), "{number}: {loaded:?}"),
                None => {}
            }
        }
    }
}

#[tokio::test]
#[ignore = "takes a PostgreSQL: run in the stage that installs it"]
async fn while_the_server_is_held_up_every_verb_times_out_and_afterwards_all_is_well() {
    let schemas = Schemas::start(FakeClock::at(NOW)).await.with_nodes(1);
    let patient = schemas.make().await;
    insert(&patient.stores[0], &member(1, 1)).await;
    let sealer = patient.stores[0].sealer.clone();
    let settings = Settings { timeout: Duration::from_secs(1), connections: 2, ..patient.settings.clone() };
    let store = PostgresStore::open(&schemas.url, sealer, schemas.clock.clone(), settings).await.unwrap();
    schemas.server.lock().await.hold().unwrap();
    for (verb, error) in every_verb(&store).await {
        assert!(matches!(error, Some(StoreError::Timeout { .. })), "{verb}: {error:?}");
    }
    schemas.server.lock().await.go_on().unwrap();
    // What nobody waited for any more may have been done; another session shows that verbs are answered again.
    insert(&patient.stores[0], &visitor(5)).await;
    assert!(matches!(store.load(visitor(5).id, NOW, None).await.unwrap(), Loaded::Live(_)));
}

#[tokio::test]
#[ignore = "takes a PostgreSQL: run in the stage that installs it"]
async fn a_server_that_takes_no_writes_is_named_so_by_every_writing_verb() {
    let schemas = Schemas::start(FakeClock::at(NOW)).await.with_nodes(1);
    let store = Arc::clone(&schemas.make().await.stores[0]);
    insert(&store, &member(1, 1)).await;
    // As after a failover: connections break, and behind the name there is a standby.
    look(&schemas.url)
        .await
        .run(
            "ALTER DATABASE postgres SET default_transaction_read_only = on; \
             SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE application_name = 'counterfoil' AND pid <> pg_backend_pid()",
        )
        .await
        .unwrap();
    let mut texts = Vec::new();
    for _ in 0..3 {
        let error = store.end(member(1, 1).id, None, EndReason::SignOut, NOW).await.unwrap_err();
        texts.push(said(error));
    }
    assert!(texts.iter().any(|text| text.contains("takes no writes") && text.contains("primary")), "{texts:?}");
    let look = look(&schemas.url).await;
    look.run("SET default_transaction_read_only = off").await.unwrap();
    look.run("ALTER DATABASE postgres RESET ALL").await.unwrap();
    assert!(matches!(store.end(member(1, 1).id, None, EndReason::SignOut, NOW).await.unwrap(), Ending::Done));
}

#[tokio::test]
#[ignore = "takes a PostgreSQL: run in the stage that installs it"]
async fn whoever_finds_no_connection_is_told_whose_are_all_in_use() {
    let settings = PostgresSettings { lines: vec!["max_connections = 6".to_owned()], ..PostgresSettings::default() };
    let schemas = Schemas::start_with(settings, FakeClock::at(NOW)).await.with_nodes(1);
    let patient = schemas.make_with(Settings { timeout: Duration::from_secs(2), ..schemas.settings() }).await;
    let store = &patient.stores[0];
    {
        let _all = store.pool.free.acquire_many(8).await.unwrap();
        let text = said(store.load(visitor(1).id, NOW, None).await.unwrap_err());
        assert!(text.contains("all 8 connections") && text.contains("`connections`"), "{text}");
    }
    let mut others = Vec::new();
    let text = loop {
        match store.load(visitor(1).id, NOW, None).await {
            Ok(_) => others.push(store.pool.connector.bare(None).await),
            Err(error) => break said(error),
        }
        // The store's own would be used again.
        store.pool.idle.lock().clear();
        assert!(others.len() < 50, "the server takes any number of connections");
    };
    assert!(text.contains("max_connections"), "{text}");
}

#[tokio::test]
#[ignore = "takes a PostgreSQL: run in the stage that installs it"]
async fn a_verb_that_is_abandoned_in_the_middle_costs_a_connection_and_mixes_up_no_answers() {
    let schemas = Schemas::start(FakeClock::at(NOW)).await.with_nodes(1);
    let settings = Settings { connections: 1, ..schemas.settings() };
    let stage = schemas.make_with(settings).await;
    let store = &stage.stores[0];
    insert(store, &visitor(1)).await;
    insert(store, &visitor(2)).await;
    for _ in 0..50 {
        // Polled once, so that it is on its way, and dropped.
        let mut abandoned = Box::pin(store.load(visitor(1).id, NOW, None));
        std::future::poll_fn(|context| {
            let _ = abandoned.as_mut().poll(context);
            std::task::Poll::Ready(())
        })
        .await;
        drop(abandoned);
        let Loaded::Live(live) = store.load(visitor(2).id, NOW, None).await.unwrap() else { panic!() };
        assert_eq!(live.record.id, visitor(2).id);
    }
}

#[tokio::test]
#[ignore = "takes a PostgreSQL: run in the stage that installs it"]
async fn a_change_is_not_made_to_what_a_failover_put_in_the_place_of_what_was_read() {
    let schemas = Schemas::start(FakeClock::at(NOW)).await;
    let stage = schemas.make().await;
    let (one, other, schema) = (&stage.stores[0], &stage.stores[1], &stage.settings.schema);
    let id = visitor(1).id;
    insert(one, &visitor(1)).await;
    let look = look(&schemas.url).await;
    look.run(&format!("CREATE TABLE public.stale AS SELECT * FROM {schema}.sessions")).await.unwrap();
    one.commit(id, Revision(0), data(b"acknowledged, and forgotten"), NOW).await.unwrap();
    let back = "DELETE FROM {}.sessions; INSERT INTO {}.sessions SELECT * FROM public.stale";
    look.run(&back.replace("{}", schema)).await.unwrap();
    other.commit(id, Revision(0), data(b"written instead"), NOW).await.unwrap();
    let committed = one.commit(id, Revision(1), data(b"made from what was forgotten"), NOW).await.unwrap();
    let Committed::Conflict(live) = committed else { panic!("{committed:?}") };
    assert_eq!((live.revision, live.record.data.as_bytes()), (Revision(1), &b"written instead"[..]));
}
