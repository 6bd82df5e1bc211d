//! Most requests wait for nothing; where something must be asked or written, the shortcuts say so and change nothing.

use std::sync::Arc;
use std::time::Duration;

use counterfoil::{FakeClock, GeneratedKeys, MemoryStore, Moment, Policy, SignInOptions, Subject};
use counterfoil_core::Engine;
use counterfoil_core::data::Key;
use counterfoil_core::engine::Exchange;
use counterfoil_core::keys::KeyRing;
use counterfoil_core::testing::{Jar, Request, sign_in, sign_in_with};

struct World {
    engine: Engine,
    clock: FakeClock,
    jar: Jar,
}

impl World {
    fn new() -> Self {
        let clock = FakeClock::at(Moment::from_unix_seconds(1_795_000_000));
        let policy = Policy::aal2("https://app.example").unwrap();
        let keys = KeyRing::from_source(&GeneratedKeys).unwrap();
        let engine = Engine::new(policy, keys, Arc::new(MemoryStore::new()), clock.clone(), ());
        Self { engine, clock, jar: Jar::default() }
    }

    /// Whether the session opens at once, and the request ends at once after `handler`.
    async fn at_once(&mut self, handler: impl FnOnce(&Exchange)) -> (bool, bool) {
        let both = async |exchange: &Exchange| {
            let opened = exchange.open_at_once();
            exchange.open().await.unwrap();
            handler(exchange);
            (opened, exchange.conclude_at_once().is_some())
        };
        Request::new(&self.engine, &mut self.jar).send(both).await
    }
}

#[tokio::test]
async fn a_stranger_and_a_signed_in_user_who_reads_wait_for_nothing() {
    let mut world = World::new();
    assert_eq!(world.at_once(|_| ()).await, (true, true), "a stranger");
    world.at_once(|exchange| exchange.set(NOTE, &1).unwrap()).await;
    assert_eq!(world.at_once(|_| ()).await, (true, true), "a visitor for whom something is kept");
    sign_in(&world.engine, &mut world.jar, &ada()).await.unwrap();
    assert_eq!(world.at_once(|_| ()).await, (true, true), "a read");
}

#[tokio::test]
async fn what_must_be_written_is_waited_for() {
    let mut world = World::new();
    sign_in_with(&world.engine, &mut world.jar, &ada(), SignInOptions::default()).await.unwrap();
    assert_eq!(world.at_once(|_| ()).await, (false, true), "the first use of a session");
    assert_eq!(world.at_once(|exchange| exchange.set(NOTE, &1).unwrap()).await, (true, false), "a change");
    world.clock.advance(Duration::from_mins(20));
    assert_eq!(world.at_once(|_| ()).await, (true, false), "a rotation");
}

#[tokio::test]
async fn what_was_found_to_wait_is_not_lost() {
    let mut world = World::new();
    sign_in(&world.engine, &mut world.jar, &ada()).await.unwrap();
    world.at_once(|exchange| exchange.set(NOTE, &7).unwrap()).await;
    let note = Request::new(&world.engine, &mut world.jar).send(async |exchange| exchange.get(NOTE).await).await;
    assert_eq!(note.unwrap(), Some(7));
}

fn ada() -> Subject {
    Subject::new("ada").unwrap()
}

const NOTE: Key<u8> = Key::new("note");
