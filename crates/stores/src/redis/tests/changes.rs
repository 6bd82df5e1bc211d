//! What a change finds there decides what becomes of it, in both scripts that make one.

use std::num::NonZeroU32;
use std::time::Duration;

use counterfoil_core::data::Payload;
use counterfoil_core::rules::{EndReason, Limits};
use counterfoil_core::store::{BoxFuture, Committed, Limit, Loaded, OverLimit, Revision, Store};
use counterfoil_core::{Change, Moment, Record};
use counterfoil_servers::Redis;

use super::records::{ADA, NOW, member, settings, store};
use crate::redis::RedisStore;
use crate::redis::scripts::key_of;

type Before = for<'a> fn(&'a RedisStore, &'a Record) -> BoxFuture<'a, ()>;

fn nothing<'a>(_: &'a RedisStore, _: &'a Record) -> BoxFuture<'a, ()> {
    Box::pin(async {})
}

fn ends<'a>(store: &'a RedisStore, record: &'a Record) -> BoxFuture<'a, ()> {
    Box::pin(async move {
        store.end(record.id, None, EndReason::SignOut, NOW).await.unwrap();
    })
}

fn ends_hers<'a>(store: &'a RedisStore, _: &'a Record) -> BoxFuture<'a, ()> {
    Box::pin(async move {
        store.end_subject(ADA, None, EndReason::Admin, NOW).await.unwrap();
    })
}

fn ends_all<'a>(store: &'a RedisStore, _: &'a Record) -> BoxFuture<'a, ()> {
    Box::pin(async move {
        store.end_all(EndReason::CredentialChanged, NOW).await.unwrap();
    })
}

fn changes<'a>(store: &'a RedisStore, record: &'a Record) -> BoxFuture<'a, ()> {
    let change = Change { data: Some(Payload::from_bytes(b"another node's")), ..Change::default() };
    Box::pin(async move {
        store.commit(record.id, Revision(0), change, NOW).await.unwrap();
    })
}

fn vanishes<'a>(store: &'a RedisStore, record: &'a Record) -> BoxFuture<'a, ()> {
    Box::pin(async move { lies(store, record, None).await })
}

fn is_from_the_future<'a>(store: &'a RedisStore, record: &'a Record) -> BoxFuture<'a, ()> {
    Box::pin(async move { lies(store, record, Some(&[99, 114])).await })
}

/// Puts something in the place of a session, behind everybody's back.
async fn lies(store: &RedisStore, record: &Record, bytes: Option<&[u8]>) {
    let key = key_of(&store.settings.prefix, 's', record.id.as_bytes());
    let mut line = store.link.line().await.unwrap();
    match bytes {
        Some(bytes) => redis::cmd("SET").arg(key).arg(bytes).query_async::<()>(&mut line).await.unwrap(),
        None => redis::cmd("DEL").arg(key).query_async::<()>(&mut line).await.unwrap(),
    }
}

fn told(committed: Result<Committed, impl std::fmt::Display>) -> String {
    match committed {
        Ok(Committed::Done(revision, _)) => format!("done, {}", revision.0),
        Ok(Committed::Conflict(live)) => format!("conflict, {}", live.revision.0),
        Ok(Committed::Gone(reason)) => format!("gone, {}", reason.map_or("", EndReason::as_str)),
        Err(_) => "an error".into(),
    }
}

const fn limits(remember_hours: Option<u64>) -> Limits {
    let remember_for = match remember_hours {
        Some(hours) => Some(Duration::from_hours(hours)),
        None => None,
    };
    Limits { idle: Duration::from_hours(1), absolute: Duration::from_hours(24), remember_for }
}

const SHORT: Limits = limits(None);
const LONG: Limits = limits(Some(48));
const FOR_LESS: Limits = limits(Some(2));

#[rustfmt::skip]
const ROWS: [(&str, Limits, u64, Before, &str); 13] = [
    //  name                                    limits    hours later  meanwhile           what becomes of it
    ("as it was",                               SHORT,    0,           nothing,            "done, 1"),
    ("as it was, to be remembered",             LONG,     0,           nothing,            "done, 1"),
    ("it ended",                                SHORT,    0,           ends,               "gone, sign_out"),
    ("all of hers ended",                       SHORT,    0,           ends_hers,          "gone, admin"),
    ("all of hers ended, to be remembered",     LONG,     0,           ends_hers,          "gone, admin"),
    ("all ended",                               SHORT,    0,           ends_all,           "gone, credential_changed"),
    ("it changed",                              SHORT,    0,           changes,            "conflict, 1"),
    ("it is not there",                         SHORT,    0,           vanishes,           "gone, "),
    ("a later version's",                       SHORT,    0,           is_from_the_future, "an error"),
    ("an hour before it may be forgotten",      SHORT,    24,          nothing,            "done, 1"),
    ("when it may be forgotten",                SHORT,    25,          nothing,            "gone, "),
    ("when it might, were it not remembered",   LONG,     25,          nothing,            "done, 1"),
    ("remembered for less than it lasts",       FOR_LESS, 24,          nothing,            "done, 1"),
];

#[tokio::test]
#[ignore = "takes a Redis: run in the stage that installs it"]
async fn what_lies_there_decides_what_becomes_of_a_change() {
    let server = Redis::start().await.unwrap();
    let limit = Limit { max: NonZeroU32::MIN, over: OverLimit::EndOldest };
    let first_use = Change { first_use: Some(Some(limit)), ..Change::default() };
    let data = Change { data: Some(Payload::from_bytes(b"new")), ..Change::default() };
    for (script, change) in [("commit", data), ("first_use", first_use)] {
        for (number, (name, limits, later, before, expected)) in (0..).zip(ROWS) {
            let at = format!("{script}: {name}");
            let settings = crate::redis::Settings { prefix: format!("{script}{number}:").into(), ..settings() };
            let store = store(&server, settings).await;
            let record = Record { limits, ..member(1) };
            store.insert(record.clone(), None, NOW).await.unwrap();
            // So that it is known here as it was.
            assert!(matches!(store.load(record.id, NOW, None).await, Ok(Loaded::Live(_))), "{at}");
            let known = store.recent.get(record.id).unwrap();
            before(&store, &record).await;
            store.recent.put(known.sealed, &known.live);
            let now = NOW + Duration::from_hours(later);
            assert_eq!(told(store.commit(record.id, Revision(0), change.clone(), now).await), expected, "{at}");
            if expected.starts_with("done") {
                assert_eq!(kept(&store, &record, now).await, record.forget_at() + Duration::from_hours(1), "{at}");
            }
        }
    }
}

/// Until when the server keeps it, to the minute.
async fn kept(store: &RedisStore, record: &Record, now: Moment) -> Moment {
    let key = key_of(&store.settings.prefix, 's', record.id.as_bytes());
    let mut line = store.link.line().await.unwrap();
    let left: u64 = redis::cmd("PTTL").arg(key).query_async(&mut line).await.unwrap();
    now + Duration::from_mins(left.div_ceil(60_000))
}
