//! Keys that rotate under a site in use: no error, nobody signed out, no restart.

use std::time::Duration;

use counterfoil::keys::{FileKeys, KeyFile, KeyRing, NotExchanged};
use counterfoil::testing::Site;
use counterfoil::{Clock as _, FakeClock, GeneratedKeys, Moment, Policy};
use http::StatusCode;

use crate::app::app;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_rotate_under_load_without_an_error_or_a_sign_out() {
    let (_folder, keys, site) = site();
    let app = app(&site);
    let first = signing(&keys);
    let mut users = Vec::new();
    for user in 0..16 {
        users.push(site.browser(&app).with(site.signed_in(&format!("user{user}")).await));
    }
    let rounds = 24;
    let mut answered = 0;
    for round in 0..rounds {
        // A day of a session, in steps shorter than its idle limit; a new key every four hours.
        site.clock().advance(Duration::from_mins(59));
        let asked: Vec<_> = users
            .iter()
            .map(|user| {
                let user = user.clone();
                tokio::spawn(async move { user.get("/me").await.status() })
            })
            .collect();
        if round % 4 == 3 {
            rotate(&keys, site.clock().now());
            assert!(site.exchange_keys(&keys).unwrap());
        }
        for asked in asked {
            assert_eq!(asked.await.unwrap(), StatusCode::OK);
            answered += 1;
        }
    }
    println!("{answered} requests during 6 rotations: 0 errors, 0 sign-outs");
    assert_eq!(keys.read().unwrap().entries().count(), 7);
    assert_ne!(signing(&keys), first);
}

#[tokio::test]
async fn a_key_has_its_end_and_is_left_out_after_it_when_nobody_needs_it_any_more() {
    let (_folder, keys, site) = site();
    let app = app(&site);
    let first = signing(&keys);
    let ada = site.browser(&app).with(site.signed_in("ada").await);
    rotate(&keys, site.clock().now());
    site.exchange_keys(&keys).unwrap();
    let ring = || KeyRing::from_source(&keys).unwrap();
    site.clock().advance(Duration::from_hours(24) - Duration::from_secs(1));
    assert!(ring().ids().any(|id| id == first));
    site.clock().advance(Duration::from_hours(1) + Duration::from_secs(1));
    assert!(ring().ids().all(|id| id != first) && ring().left_out()[0].0 == first);
    assert!(site.exchange_keys(&keys).unwrap());
    assert_eq!(ada.get("/me").await.status(), StatusCode::UNAUTHORIZED, "its day was over before its key was");
}

#[tokio::test(start_paused = true)]
async fn a_site_follows_its_key_file_and_keeps_its_keys_when_the_file_is_broken() {
    let folder = tempfile::tempdir().unwrap();
    let clock = FakeClock::at(START);
    let keys = FileKeys::at(folder.path().join("keys")).clock(clock.clone());
    keys.create(&made(&clock)).unwrap();
    let policy = Policy::aal2(Site::ORIGIN).unwrap();
    let builder = counterfoil::Counterfoil::builder(policy, &keys, counterfoil::MemoryStore::new()).unwrap();
    let site = builder.clock(clock.clone()).follow_keys(keys.clone(), Duration::from_secs(5)).build();
    let app = app(&site);
    let ask = || {
        let request = http::Request::get("/me").body(axum::body::Body::empty()).unwrap();
        tower::ServiceExt::oneshot(app.clone(), request)
    };
    ask().await.unwrap();
    let first = signing(&keys);
    rotate(&keys, clock.now());
    let second = signing(&keys);
    until(|| site.engine().ring().load().signing_id() == second).await;
    std::fs::write(keys.path(), "counterfoil-keys 1\n").unwrap();
    tokio::time::sleep(Duration::from_secs(30)).await;
    let ring = site.engine().ring().load();
    assert_eq!(ring.ids().collect::<Vec<_>>(), [second, first]);
}

#[test]
fn a_site_does_not_start_where_sessions_outlive_the_keys() {
    let (_folder, keys, _) = site();
    let mut settings = counterfoil::PolicySettings::aal2(Site::ORIGIN);
    settings.timeouts.remember_for = Some("9days".parse().unwrap());
    let policy = Policy::try_from(settings).unwrap();
    let refused =
        counterfoil::Counterfoil::builder(policy, &keys, counterfoil::MemoryStore::new()).map(drop).unwrap_err();
    let told = refused.to_string();
    assert!(told.contains("live for 9days") && told.contains("`sessions last=9days`"), "{told}");
}

#[test]
fn keys_with_another_reference_key_are_not_taken() {
    let (_folder, keys, site) = site();
    let before = signing(&keys);
    assert!(matches!(site.exchange_keys(&GeneratedKeys), Err(NotExchanged::Reference(_))));
    assert_eq!(site.engine().ring().load().signing_id(), before);
}

/// A site whose keys are in a file, for sessions of a day; the clock of both is the site's.
fn site() -> (tempfile::TempDir, FileKeys, Site) {
    let folder = tempfile::tempdir().unwrap();
    let policy = Policy::aal2(Site::ORIGIN).unwrap();
    let path = folder.path().join("keys");
    let site = Site::with_keys(policy, |clock| {
        let keys = FileKeys::at(&path).clock(clock.clone());
        keys.create(&made(clock)).unwrap();
        keys
    });
    let keys = FileKeys::at(path).clock(site.clock().clone());
    (folder, keys, site)
}

fn made(clock: &FakeClock) -> KeyFile {
    KeyFile::generate(clock.now(), Duration::from_hours(24), &counterfoil::SystemEntropy).unwrap()
}

/// Adds a key to the file, which signs at once.
fn rotate(keys: &FileKeys, now: Moment) {
    let rotated = keys.change(|file| {
        file.rotate(now, Duration::ZERO, &counterfoil::SystemEntropy).unwrap();
        Ok::<_, counterfoil::KeyError>(())
    });
    rotated.unwrap();
}

fn signing(keys: &FileKeys) -> counterfoil::keys::KeyId {
    KeyRing::from_source(keys).unwrap().signing_id()
}

/// Waits for what another thread is about to do; the test's clock moves on meanwhile.
async fn until(done: impl Fn() -> bool) {
    while !done() {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

const START: Moment = Moment::from_unix_seconds(1_795_000_000);
