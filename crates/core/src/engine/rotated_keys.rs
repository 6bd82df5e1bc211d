//! Keys that rotate while people are signed in: nobody notices, and a key taken out early ends what rests on it.

use std::sync::Arc;
use std::time::Duration;

use futures_executor::block_on;

use super::Engine;
use crate::id::Subject;
use crate::keys::{KeyRing, Letters};
use crate::memory::MemoryStore;
use crate::moment::{FakeClock, Moment};
use crate::policy::Policy;
use crate::rules::Assurance;
use crate::testing::{Jar, Request, csrf_token, sign_in};

#[test]
fn a_new_key_signs_and_what_the_old_one_made_is_good_until_it_is_taken_out() {
    let (engine, clock) = world();
    let (mut early, mut late) = (Jar::default(), Jar::default());
    for jar in [&mut early, &mut late] {
        block_on(sign_in(&engine, jar, &ada())).unwrap();
        assert_eq!(key_of(jar), "a");
    }
    let form = block_on(csrf_token(&engine, &mut early)).unwrap().unwrap();
    exchange(&engine, "ba");
    assert_eq!((assurance(&engine, &mut early), key_of(&early)), (Assurance::Authenticated, "a".into()));
    assert_ne!(block_on(csrf_token(&engine, &mut early)).unwrap().unwrap(), form);
    clock.advance(Duration::from_mins(20));
    assert_eq!((assurance(&engine, &mut early), key_of(&early)), (Assurance::Authenticated, "b".into()));
    exchange(&engine, "b");
    assert_eq!(assurance(&engine, &mut early), Assurance::Authenticated, "its token was renewed under the new key");
    assert_eq!(assurance(&engine, &mut late), Assurance::Anonymous, "its token was made with the key taken out");
    assert_eq!(key_of(&late), "a", "and no cookie is cleared");
    exchange(&engine, "ba");
    assert_eq!(assurance(&engine, &mut late), Assurance::Authenticated, "the key was put back");
}

#[test]
fn keys_are_exchanged_between_two_requests_of_every_kind_and_nobody_is_signed_out() {
    let (engine, clock) = world();
    let mut jars: Vec<_> = (0..8).map(|_| Jar::default()).collect();
    for jar in &mut jars {
        block_on(sign_in(&engine, jar, &ada())).unwrap();
    }
    // Each key verifies before it signs, and leaves when every token made with it was renewed.
    for ring in ["a", "ab", "ba", "ba", "b", "bc", "cb", "cb", "c", "ca", "ac", "ac", "a"] {
        exchange(&engine, ring);
        for _ in 0..4 {
            clock.advance(Duration::from_mins(5));
            for jar in &mut jars {
                assert_eq!(assurance(&engine, jar), Assurance::Authenticated, "{ring}");
            }
        }
    }
}

fn world() -> (Engine, FakeClock) {
    let clock = FakeClock::at(START);
    let policy = Policy::aal2("https://app.example").unwrap();
    let store = Arc::new(MemoryStore::new());
    (Engine::new(policy, KeyRing::from_source(&Letters("a")).unwrap(), store, clock.clone(), ()), clock)
}

fn exchange(engine: &Engine, letters: &str) {
    engine.ring().exchange(KeyRing::from_source(&Letters(letters)).unwrap()).unwrap();
}

fn assurance(engine: &Engine, jar: &mut Jar) -> Assurance {
    let identity = block_on(Request::new(engine, jar).send(async |exchange| exchange.identity().await));
    identity.unwrap().map_or(Assurance::Anonymous, |identity| identity.assurance)
}

/// Which key made the token in `jar`.
fn key_of(jar: &Jar) -> String {
    jar.value("__Host-Http-id").unwrap().split('_').nth(1).unwrap().to_owned()
}

fn ada() -> Subject {
    Subject::new("ada").unwrap()
}

const START: Moment = Moment::from_unix_seconds(1_795_000_000);
