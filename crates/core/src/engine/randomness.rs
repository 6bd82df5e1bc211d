//! Where the source of randomness fails, nothing is made, nobody is signed in, and nobody is signed out (ASVS 11.5.2).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_executor::block_on;

use super::{Engine, SessionError, SignInError, StepUpError};
use crate::data::Key;
use crate::entropy::{Entropy, NoEntropy, SystemEntropy};
use crate::id::Subject;
use crate::keys::{GeneratedKeys, KeyRing};
use crate::memory::MemoryStore;
use crate::moment::{FakeClock, Moment};
use crate::policy::Policy;
use crate::rules::Assurance;
use crate::testing::{Jar, Request, csrf_token, sign_in, step_up};

#[test]
fn a_sign_in_without_randomness_signs_nobody_in_and_can_be_repeated() {
    let world = World::new();
    world.dry();
    let refused = block_on(sign_in(&world.engine, &mut Jar::default(), &ada()));
    assert!(matches!(refused, Err(SignInError::Session(SessionError::NoEntropy(_)))), "{refused:?}");
    assert!(world.store.is_empty());
    world.flows();
    let mut jar = Jar::default();
    block_on(sign_in(&world.engine, &mut jar, &ada())).unwrap();
    assert_eq!(world.assurance(&mut jar), Assurance::Authenticated);
}

#[test]
fn a_visitor_for_whom_something_is_to_be_kept_is_told_that_it_was_not() {
    let world = World::new();
    world.dry();
    let mut jar = Jar::default();
    let told = block_on(Request::new(&world.engine, &mut jar).send(async |exchange| {
        exchange.set(NOTE, &1)?;
        exchange.commit().await
    }));
    assert!(matches!(told, Err(SessionError::NoEntropy(_))), "{told:?}");
    assert!(world.store.is_empty() && jar.names().next().is_none());
}

#[test]
fn a_rotation_that_is_due_waits_and_the_token_stays_good() {
    let world = World::new();
    let mut jar = Jar::default();
    block_on(sign_in(&world.engine, &mut jar, &ada())).unwrap();
    let token = |jar: &Jar| jar.value("__Host-Http-id").unwrap().to_owned();
    let before = token(&jar);
    world.clock.advance(Duration::from_mins(20));
    world.dry();
    assert_eq!(world.assurance(&mut jar), Assurance::Authenticated);
    assert_eq!(token(&jar), before);
    world.flows();
    assert_eq!(world.assurance(&mut jar), Assurance::Authenticated);
    assert_ne!(token(&jar), before, "it rotates once it can");
}

#[test]
fn step_up_and_csrf_token_say_so_and_leave_the_session_as_it_was() {
    let world = World::new();
    let mut jar = Jar::default();
    block_on(sign_in(&world.engine, &mut jar, &ada())).unwrap();
    world.dry();
    let stepped_up = block_on(step_up(&world.engine, &mut jar));
    assert!(matches!(stepped_up, Err(StepUpError::Session(SessionError::NoEntropy(_)))), "{stepped_up:?}");
    let token = block_on(csrf_token(&world.engine, &mut jar));
    assert!(matches!(token, Err(SessionError::NoEntropy(_))), "{token:?}");
    assert_eq!(world.assurance(&mut jar), Assurance::Authenticated);
}

struct World {
    engine: Engine,
    store: Arc<MemoryStore>,
    clock: FakeClock,
    runs: Arc<AtomicBool>,
}

impl World {
    fn new() -> Self {
        let (store, clock) = (Arc::new(MemoryStore::new()), FakeClock::at(Moment::from_unix_seconds(1_795_000_000)));
        let runs = Arc::new(AtomicBool::new(true));
        let policy = Policy::aal2("https://app.example").unwrap();
        let keys = KeyRing::from_source(&GeneratedKeys).unwrap();
        let well = Well(Arc::clone(&runs));
        let engine = Engine::with_entropy(policy, keys, store.clone(), clock.clone(), (), well);
        Self { engine, store, clock, runs }
    }

    fn dry(&self) {
        self.runs.store(false, Ordering::SeqCst);
    }

    fn flows(&self) {
        self.runs.store(true, Ordering::SeqCst);
    }

    fn assurance(&self, jar: &mut Jar) -> Assurance {
        let identity = block_on(Request::new(&self.engine, jar).send(async |exchange| exchange.identity().await));
        identity.unwrap().map_or(Assurance::Anonymous, |identity| identity.assurance)
    }
}

/// The system's generator, until it runs dry.
struct Well(Arc<AtomicBool>);

impl Entropy for Well {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        if self.0.load(Ordering::SeqCst) { SystemEntropy.fill(bytes) } else { Err(NoEntropy) }
    }
}

fn ada() -> Subject {
    Subject::new("ada").unwrap()
}

const NOTE: Key<u8> = Key::new("note");
