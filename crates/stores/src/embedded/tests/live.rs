//! How many sessions are live, and what for.

use std::sync::Arc;
use std::time::Duration;

use counterfoil_core::data::Key;
use counterfoil_core::engine::SignInOptions;
use counterfoil_core::keys::{GeneratedKeys, SharedRing};
use counterfoil_core::policy::PolicySettings;
use counterfoil_core::rules::EndReason;
use counterfoil_core::seal::Sealer;
use counterfoil_core::testing::{Jar, Request, sign_in, sign_in_with};
use counterfoil_core::{Engine, FakeClock, Moment, Policy, Subject};

use crate::embedded::{EmbeddedStore, LiveSessions, Settings};

const NOTE: Key<u8> = Key::new("note");

fn live(anonymous: usize, remembered: usize, authenticated: usize) -> LiveSessions {
    LiveSessions { anonymous, remembered, authenticated }
}

#[tokio::test]
async fn a_session_counts_for_what_it_is_good_for_until_a_clock_or_somebody_ends_it() {
    let folder = tempfile::tempdir().unwrap();
    let ring = SharedRing::from_source(&GeneratedKeys).unwrap();
    let store = EmbeddedStore::open(folder.path().join("s"), Sealer::new(ring.clone()), Settings::default()).unwrap();
    let (store, clock) = (Arc::new(store), FakeClock::at(Moment::from_unix_seconds(1_795_000_000)));
    let mut settings = PolicySettings::aal1("https://app.example");
    settings.timeouts.remember_for = Some(Duration::from_hours(24 * 40).into());
    let policy = Policy::try_from(settings).unwrap();
    let engine = Engine::new(policy, ring, Arc::clone(&store) as _, clock.clone(), ());
    let named = |name: &str| Subject::new(name).unwrap();
    let counted = || store.sessions(engine.now());
    assert_eq!(counted(), live(0, 0, 0));

    Request::new(&engine, &mut Jar::default()).send(async |exchange| exchange.set(NOTE, &7)).await.unwrap();
    for name in ["ada", "ada", "bob"] {
        sign_in(&engine, &mut Jar::default(), &named(name)).await.unwrap();
    }
    let mut eve = Jar::default();
    sign_in_with(&engine, &mut eve, &named("eve"), SignInOptions { remember: true, ..SignInOptions::default() })
        .await
        .unwrap();
    Request::new(&engine, &mut eve).send(async |exchange| exchange.open().await).await.unwrap();
    assert_eq!(counted(), live(1, 0, 4));

    engine.end_subject(&named("ada"), EndReason::Admin).await.unwrap();
    assert_eq!(counted(), live(1, 0, 2), "ended all at once");
    clock.advance(engine.policy().limits().idle);
    assert_eq!(
        counted(),
        live(0, 1, 0),
        "nobody came: one is remembered, and all others are over, though nobody swept"
    );
    sign_in(&engine, &mut Jar::default(), &named("bob")).await.unwrap();
    assert_eq!(counted(), live(0, 1, 1));
    engine.end_all(EndReason::Admin).await.unwrap();
    assert_eq!(counted(), live(0, 0, 0));
}
