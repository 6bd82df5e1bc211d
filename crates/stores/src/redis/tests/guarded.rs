//! Sentinels and clusters that speak TLS and want passwords.

use std::error::Error as _;
use std::time::Duration;

use counterfoil_core::FakeClock;
use counterfoil_core::rules::EndReason;
use counterfoil_core::store::{Loaded, Notice, Store};
use counterfoil_servers::{Guard, RedisCluster, RedisSentinels};
use futures_util::StreamExt as _;

use super::records::{NOW, settings, visitor};
use super::stage::sealer;
use crate::redis::{OpenError, RedisStore, Settings};

async fn open(url: &str) -> Result<RedisStore, OpenError> {
    RedisStore::open(url, sealer(), FakeClock::at(NOW), settings()).await
}

/// With a journal: what ended is final although a replica may be late.
async fn journaling(url: &str, folder: &tempfile::TempDir) -> RedisStore {
    let settings = Settings { journal: Some(folder.path().join("journal")), ..settings() };
    RedisStore::open(url, sealer(), FakeClock::at(NOW), settings).await.unwrap()
}

/// Each of these is refused, and no password is said.
async fn all_refused(rows: &[(&str, String)]) {
    for (name, url) in rows {
        let error = open(url).await.unwrap_err();
        let said = format!("{error} {error:?} {:?}", error.source().map(ToString::to_string));
        assert!(!said.contains("of-the-") && !said.contains("wrong-one"), "{name}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a Redis: run in the stage that installs it"]
async fn sentinels_that_are_guarded_lead_to_the_master_and_to_the_next_one() {
    let mut servers = RedisSentinels::start_guarded().await.unwrap();
    let (url, stranger) = (servers.url(), Guard::new("").unwrap());
    let (before_roots, _) = url.split_once("sslrootcert").unwrap();
    all_refused(&[
        ("another password of the data", url.replace("of-the-data", "wrong-one")),
        ("another password of the sentinels", url.replace("of-the-sentinels", "wrong-one")),
        ("none for the sentinels", url.replace("sentinel_password=of-the-sentinels&", "")),
        ("in plain text", url.replace("rediss+", "redis+").replace("&sslrootcert", "&x")),
        ("another issuer", format!("{before_roots}{}", stranger.roots())),
    ])
    .await;
    let folder = tempfile::tempdir().unwrap();
    let store = journaling(&url, &folder).await;
    store.insert(visitor(1), None, NOW).await.unwrap();
    store.insert(visitor(2), None, NOW).await.unwrap();
    store.end(visitor(2).id, None, EndReason::SignOut, NOW).await.unwrap();
    servers.nodes[0].tell("WAIT 1 5000").await.unwrap();
    servers.nodes[0].kill().await.unwrap();
    let living = loop {
        match store.load(visitor(1).id, NOW, None).await {
            Ok(loaded) => break loaded,
            Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    };
    assert!(matches!(living, Loaded::Live(_)), "{living:?}");
    let ended = store.load(visitor(2).id, NOW, None).await.unwrap();
    assert!(matches!(ended, Loaded::Ended(EndReason::SignOut)), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a Redis: run in the stage that installs it"]
async fn a_cluster_that_is_guarded_answers_in_all_of_its_parts() {
    let cluster = RedisCluster::start_guarded().await.unwrap();
    let (url, stranger) = (cluster.url(), Guard::new("").unwrap());
    let (before_roots, _) = url.split_once("sslrootcert").unwrap();
    all_refused(&[
        ("another password", url.replace("of-the-data", "wrong-one")),
        ("in plain text", url.replace("rediss+", "redis+").replace("?sslrootcert", "?x")),
        ("another issuer", format!("{before_roots}{}", stranger.roots())),
    ])
    .await;
    let folder = tempfile::tempdir().unwrap();
    let store = journaling(&url, &folder).await;
    let mut watch = store.watch();
    for tag in (0..=u8::MAX).step_by(5) {
        store.insert(visitor(tag), None, NOW).await.unwrap();
        assert!(matches!(store.load(visitor(tag).id, NOW, None).await.unwrap(), Loaded::Live(_)), "{tag}");
        store.end(visitor(tag).id, None, EndReason::SignOut, NOW).await.unwrap();
        while watch.next().await != Some(Notice::Ended(visitor(tag).id)) {}
    }
}
