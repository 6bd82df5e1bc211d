//! What verbs cost, by the server's own count; and what a session takes.

use std::time::Duration;

use counterfoil_core::rules::EndReason;
use counterfoil_core::store::{Committed, Inserted, Loaded, OverLimit, Page, Replaced, Revision, Store};
use counterfoil_core::{Change, FakeClock, Moment, Record};
use counterfoil_servers::PostgresSettings;
use futures_util::StreamExt as _;

use super::records::{NOW, activity, at_most, data, insert, member, subject, visitor};
use super::stage::{OnServer, Schemas, look, value};
use crate::postgres::connection::Connection;

/// A server that counts statements, those inside functions not: they are no round trips.
async fn counting() -> Schemas {
    let lines = ["shared_preload_libraries = 'pg_stat_statements'", "pg_stat_statements.track = 'top'"];
    let settings = PostgresSettings { lines: lines.map(str::to_owned).to_vec(), ..PostgresSettings::default() };
    let schemas = Schemas::start_with(settings, FakeClock::at(NOW)).await.with_nodes(1);
    look(&schemas.url).await.run("CREATE EXTENSION pg_stat_statements WITH SCHEMA public").await.unwrap();
    schemas
}

/// How many statements verbs have sent since it was asked last: all but those of the listener and of whoever asks.
async fn sent(look: &Connection, stage: &OnServer) -> u64 {
    let schema = &stage.settings.schema;
    let sql = format!(
        "SELECT coalesce(sum(s.calls), 0) FROM public.pg_stat_statements s \
         WHERE s.query LIKE '%{schema}.%' AND s.query NOT LIKE '%{schema}.rev %'"
    );
    let calls = value(look, &sql).await.parse().unwrap();
    look.one("SELECT public.pg_stat_statements_reset()").await.unwrap();
    calls
}

#[tokio::test]
#[ignore = "takes a PostgreSQL: run in the stage that installs it"]
async fn every_verb_is_one_statement() {
    let schemas = counting().await;
    let stage = schemas.make().await;
    let (store, look) = (&stage.stores[0], look(&schemas.url).await);
    store.load(visitor(1).id, NOW, None).await.unwrap();
    sent(&look, &stage).await;
    let anonymous = visitor(40);
    insert(store, &anonymous).await;
    assert_eq!(sent(&look, &stage).await, 1, "an anonymous session");
    let first = member(1, 1);
    let limit = Some(at_most(5, OverLimit::EndOldest));
    let replaced = store.replace(anonymous.id, Revision(0), first.clone(), limit, NOW).await.unwrap();
    assert!(matches!(replaced, Replaced::Inserted(Inserted::Done(_))));
    assert_eq!(sent(&look, &stage).await, 1, "a sign-in with a limit");
    assert!(matches!(store.load(first.id, NOW, Some(activity(&first))).await.unwrap(), Loaded::Live(_)));
    assert_eq!(sent(&look, &stage).await, 1, "a read");
    let step = first.limits.touch_step();
    for (later, expected) in [(step, 2), (step, 1)] {
        store.load(first.id, NOW + later, Some(activity(&first))).await.unwrap();
        assert_eq!(sent(&look, &stage).await, expected, "a touch is one more, at its interval");
    }
    for revision in 0..3 {
        let committed = store.commit(first.id, Revision(revision), data(&[1]), NOW).await.unwrap();
        assert!(matches!(committed, Committed::Done(..)));
        assert_eq!(sent(&look, &stage).await, 1, "a change or a rotation, once it was loaded or changed");
    }
    store.list(subject(1), Page::FIRST, NOW).await.unwrap();
    assert_eq!(sent(&look, &stage).await, 1, "a list");
    store.resolve("oidc.sid", "1-1").await.unwrap();
    assert_eq!(sent(&look, &stage).await, 1, "a look-up by another name");
    store.end(first.id, Some(Revision(3)), EndReason::SignOut, NOW).await.unwrap();
    assert_eq!(sent(&look, &stage).await, 1, "a sign-out");
    store.sweep(100, NOW).await.unwrap();
    assert_eq!(sent(&look, &stage).await, 1, "a sweep");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a PostgreSQL: run in the stage that installs it"]
async fn ending_all_of_a_subject_costs_the_same_however_many_there_are() {
    let schemas = counting().await;
    let stage = schemas.make().await;
    let (store, look) = (&stage.stores[0], look(&schemas.url).await);
    let (mut made, mut costs) = (0, Vec::new());
    for sessions in [1, 1_000, 100_000] {
        let epochs = store.epochs(Some(subject(1))).await.unwrap();
        let inserts = futures_util::stream::iter(made..sessions).for_each_concurrent(16, |number| async move {
            insert(store, &Record { epochs, ..member(1, number) }).await;
        });
        inserts.await;
        made = sessions;
        sent(&look, &stage).await;
        let later = NOW + Duration::from_secs(sessions.into());
        store.end_subject(subject(1), None, EndReason::Admin, later).await.unwrap();
        costs.push(sent(&look, &stage).await);
        let loaded = store.load(member(1, sessions - 1).id, later, None).await.unwrap();
        assert!(matches!(loaded, Loaded::Ended(EndReason::Admin)));
    }
    assert_eq!(costs, [1, 1, 1]);
    sent(&look, &stage).await;
    store.end_all(EndReason::Admin, NOW).await.unwrap();
    assert_eq!(sent(&look, &stage).await, 1, "the end of all");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a PostgreSQL: run in the stage that installs it"]
async fn touches_and_changes_move_no_index_and_a_session_takes_what_is_printed() {
    const SESSIONS: u32 = 2_000;
    let schemas = Schemas::start(FakeClock::at(NOW)).await.with_nodes(1);
    let stage = schemas.make().await;
    let (store, schema) = (&stage.stores[0], stage.settings.schema.clone());
    for number in 0..SESSIONS {
        insert(store, &member((number % 200).try_into().unwrap(), number)).await;
    }
    let look = look(&schemas.url).await;
    let bytes = async |table: &str| -> u64 {
        value(&look, &format!("SELECT pg_total_relation_size('{schema}.{table}')")).await.parse().unwrap()
    };
    let (sessions, names) = (bytes("sessions").await, bytes("names").await);
    println!("{} B a session in `sessions`, {} B in `names`, indexes included", sessions / 2_000, names / 2_000);
    let mut now: Moment = NOW;
    for round in 0..3 {
        now = now + Duration::from_mins(4);
        for number in (0..SESSIONS).step_by(20) {
            let record = member((number % 200).try_into().unwrap(), number);
            let loaded = store.load(record.id, now, Some(activity(&record))).await.unwrap();
            let Loaded::Live(live) = loaded else { panic!("{loaded:?}") };
            assert_eq!(live.seen_at, now);
            if round == 1 {
                let change = Change { seen_at: Some(now), ..data(b"changed") };
                store.commit(record.id, live.revision, change, now).await.unwrap();
            }
        }
    }
    // A backend tells what it counted when it has been idle for a second, or ends.
    store.pool.idle.lock().clear();
    let counted = format!(
        "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE schemaname = '{schema}' AND relname = 'sessions'"
    );
    loop {
        let row = look.one(&counted).await.unwrap().unwrap();
        let (all, hot): (u32, u32) = (row.get(0).unwrap().parse().unwrap(), row.get(1).unwrap().parse().unwrap());
        if all >= 4 * SESSIONS / 20 {
            assert_eq!((all, hot), (4 * SESSIONS / 20, all));
            break;
        }
        tokio::task::yield_now().await;
    }
}
