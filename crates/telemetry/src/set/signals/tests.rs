//! Sites that tell each other: what happens on one reaches the others once, and nothing goes round.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use counterfoil_core::keys::{GeneratedKeys, SharedRing};
use counterfoil_core::rules::{EndReason, Trigger};
use counterfoil_core::store::Page;
use counterfoil_core::testing::{Jar, sign_in};
use counterfoil_core::{FakeClock, MemoryStore, Moment, Policy, SessionId, Subject};
use http::header::AUTHORIZATION;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::EventSettings;
use crate::hub::Telemetry;
use crate::set::SigningKey;

const NOW: Moment = Moment::from_unix_seconds(1_700_000_000);
const SECRET: &str = "sixteen-or-more-characters";

struct Site {
    engine: Engine,
    telemetry: Telemetry,
    signals: Signals,
}

/// Sites with one key ring, so that they know users by the same references; `hears(a, b)`: what `a` tells, `b` hears.
fn sites<const N: usize>(folder: &TempDir, hears: impl Fn(usize, usize) -> bool) -> [Site; N] {
    let ring = SharedRing::from_source(&GeneratedKeys).unwrap();
    let keys: Vec<_> = (0..N).map(|_| Arc::new(SigningKey::generate("k").unwrap())).collect();
    let bearer = folder.path().join("bearer");
    fs::write(&bearer, SECRET).unwrap();
    fs::set_permissions(&bearer, Permissions::from_mode(0o600)).unwrap();
    for (number, key) in keys.iter().enumerate() {
        fs::write(folder.path().join(format!("{number}.jwks")), key.key_set()).unwrap();
    }
    let name = |number: usize| format!("https://site{number}.example");
    std::array::from_fn(|own| {
        let others = || (0..N).filter(|other| *other != own);
        let poll: Vec<_> = others()
            .filter(|other| hears(own, *other))
            .map(|other| json!({ "id": format!("to{other}"), "audience": name(other), "bearer_file": "bearer" }))
            .collect();
        let listen: Vec<_> = others()
            .filter(|other| hears(*other, own))
            .map(|other| {
                json!({
                    "issuer": name(other), "audience": name(own), "knows_by": ["ours"], "jwks_file": format!("{other}.jwks"),
                })
            })
            .collect();
        let all = json!({ "signals": { "issuer": name(own), "poll": poll, "listen": listen } });
        let settings = serde_json::from_value::<EventSettings>(all).unwrap().within(folder.path());
        let clock = FakeClock::at(NOW);
        let signer = Arc::clone(&keys[own]) as Arc<dyn Signer>;
        let running = settings.start(&(Arc::new(clock.clone()) as Arc<dyn Clock>), "node", Some(&signer)).unwrap();
        let (telemetry, signals) = (running.telemetry().clone(), running.signals().unwrap().clone());
        let policy = Policy::aal2(&name(own)).unwrap();
        let store = Arc::new(MemoryStore::new());
        Site { engine: Engine::new(policy, ring.clone(), store, clock, telemetry.clone()), telemetry, signals }
    })
}

impl Site {
    async fn signed_in(&self) -> SessionId {
        sign_in(&self.engine, &mut Jar::default(), &ada()).await.unwrap();
        self.sessions().await[0]
    }

    async fn sessions(&self) -> Vec<SessionId> {
        let found = self.engine.sessions_of(&ada(), Page::FIRST).await.unwrap();
        found.into_iter().map(|summary| summary.id).collect()
    }

    /// What there is for another site, which confirms it.
    async fn tokens_for(&self, other: usize) -> Vec<String> {
        assert!(self.telemetry.finish(Duration::from_secs(20)));
        let fields =
            HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::try_from(format!("Bearer {SECRET}")).unwrap())]);
        let ask = async |body: Value| {
            let answer = self.signals.poll(&format!("to{other}"), &fields, body.to_string().as_bytes()).await;
            serde_json::from_str::<Value>(answer.body()).unwrap_or_default()["sets"].clone()
        };
        let sets = ask(json!({ "returnImmediately": true })).await;
        let Value::Object(sets) = sets else { return Vec::new() };
        let jtis: Vec<_> = sets.keys().collect();
        ask(json!({ "returnImmediately": true, "maxEvents": 0, "ack": jtis })).await;
        sets.values().map(|token| token.as_str().unwrap().to_owned()).collect()
    }

    async fn hear(&self, token: &str) -> StatusCode {
        let kind = (CONTENT_TYPE, HeaderValue::from_static("application/secevent+jwt"));
        self.signals.receive(&HeaderMap::from_iter([kind]), token.as_bytes(), self.engine.clone()).await.status()
    }
}

fn ada() -> Subject {
    Subject::new("ada").unwrap()
}

/// Brings tokens until there are none. How many.
async fn until_all_is_told(sites: &[Site]) -> usize {
    let mut brought = 0;
    loop {
        let before = brought;
        for (from, site) in sites.iter().enumerate() {
            for (to, other) in sites.iter().enumerate().filter(|(to, _)| *to != from) {
                for token in site.tokens_for(to).await {
                    assert_eq!(other.hear(&token).await, StatusCode::ACCEPTED);
                    brought += 1;
                }
            }
        }
        assert!(brought < 200, "it goes round and round");
        if brought == before {
            return brought;
        }
    }
}

#[tokio::test]
async fn a_change_on_one_site_ends_sessions_on_the_other_and_does_not_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let sites = sites::<2>(&folder, |_, _| true);
    let [ours, theirs] = &sites;
    ours.signed_in().await;
    let current = ours.signed_in().await;
    theirs.signed_in().await;
    until_all_is_told(&sites).await;
    assert_eq!((ours.sessions().await.len(), theirs.sessions().await.len()), (2, 1), "signing in ends nothing");

    ours.engine.trigger(&ada(), Trigger::PasswordChanged, Some(current)).await.unwrap();
    until_all_is_told(&sites).await;
    assert_eq!(ours.sessions().await, [current], "what was told came back, and was no news");
    assert_eq!(theirs.sessions().await, []);
}

#[tokio::test]
async fn news_that_goes_round_ends_nothing_that_began_after_it() {
    let folder = tempfile::tempdir().unwrap();
    // 0 tells 1, 1 tells 2, and 2 tells both: so there is one way back to each.
    let sites = sites::<3>(&folder, |from, to| matches!((from, to), (0, 1) | (1, 2) | (2, 0 | 1)));
    for site in &sites {
        site.signed_in().await;
    }
    sites[0].engine.end_subject(&ada(), EndReason::Admin).await.unwrap();
    let first = sites[0].tokens_for(1).await;
    for token in &first {
        assert_eq!(sites[1].hear(token).await, StatusCode::ACCEPTED);
    }
    let second = sites[1].tokens_for(2).await;
    for token in &second {
        assert_eq!(sites[2].hear(token).await, StatusCode::ACCEPTED);
    }
    for site in &sites {
        assert_eq!(site.sessions().await, []);
        site.signed_in().await;
    }
    until_all_is_told(&sites).await;
    for site in &sites {
        assert_eq!(site.sessions().await.len(), 1, "whoever signed in since then stays signed in");
    }
}

#[tokio::test]
async fn what_is_done_on_the_word_of_others_says_whose_and_where_it_began() {
    let folder = tempfile::tempdir().unwrap();
    let sites = sites::<2>(&folder, |_, _| true);
    sites[1].signed_in().await;
    until_all_is_told(&sites).await;
    let (mut here, mut there) = (sites[0].telemetry.follow(), sites[1].telemetry.follow());
    sites[0].engine.end_subject(&ada(), EndReason::Admin).await.unwrap();
    until_all_is_told(&sites).await;
    let began: Value = serde_json::from_str(here.recv().await.unwrap().json()).unwrap();
    assert_eq!((&began["event"], &began["told_by"]), (&json!("subject.ended"), &Value::Null));
    for expected in ["subject.ended", "signal.received"] {
        let told: Value = serde_json::from_str(there.recv().await.unwrap().json()).unwrap();
        let found = [&told["event"], &told["told_by"], &told["txn"]];
        assert_eq!(found, [&json!(expected), &json!("https://site0.example"), &began["id"]]);
    }
}

#[tokio::test]
async fn whoever_is_not_configured_gets_nothing_and_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let [deaf, mute] = sites::<2>(&folder, |from, _| from == 0);
    assert!(!deaf.signals.listens() && mute.signals.listens());
    assert_eq!(deaf.hear("a.b.c").await, StatusCode::NOT_FOUND);
    assert_eq!(mute.hear("a.b.c").await, StatusCode::BAD_REQUEST);
    let nothing = HeaderMap::new();
    assert_eq!(deaf.signals.poll("nobody", &nothing, b"{}").await.status(), StatusCode::NOT_FOUND);
    assert_eq!(deaf.signals.poll("to1", &nothing, b"{}").await.status(), StatusCode::UNAUTHORIZED);
}

#[test]
fn receivers_find_what_they_look_for_where_the_issuer_is() {
    for (issuer, path) in [
        ("https://login.example", "/.well-known/ssf-configuration"),
        ("https://login.example/", "/.well-known/ssf-configuration"),
        ("https://login.example/a/b", "/.well-known/ssf-configuration/a/b"),
        ("https://[2001:db8::1]:8443/a/", "/.well-known/ssf-configuration/a"),
    ] {
        assert_eq!(Signals::configuration_path_of(issuer), path, "{issuer}");
    }
    assert_eq!(Signals::origin_of("https://login.example:8443/a"), "https://login.example:8443");
}
