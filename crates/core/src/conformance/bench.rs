//! What every case works with: two nodes on a fresh store, engines on them, a clock, and a way to run in parallel.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::failure::Verdict;
use super::probe::Probe;
use super::random::Random;
use super::secrets::Secrets;
use super::spawner::{self, Spawner};
use super::stage::Stage;
use crate::engine::Engine;
use crate::entropy::SystemEntropy;
use crate::event::{Event, EventKind};
use crate::id::{Subject, SubjectRef};
use crate::keys::{KeyError, KeyId, KeyMaterial, KeyRing, KeySource, RootKey};
use crate::moment::{Clock as _, FakeClock, Moment};
use crate::policy::{Policy, PolicySettings};
use crate::store::{DynStore, OverLimit};

/// A fresh store and everything around it. Clones share all of it.
#[derive(Clone)]
pub(super) struct Bench(Arc<Inner>);

struct Inner {
    stage: Box<dyn Stage>,
    nodes: [Arc<Probe>; Bench::NODES],
    clock: FakeClock,
    spawner: Arc<dyn Spawner>,
    roots: Roots,
    events: Mutex<Vec<Event>>,
    secrets: Secrets,
}

/// A node of the deployment: `A` is where cases begin, `B` the other one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Node {
    A,
    B,
}

impl Bench {
    /// How many nodes a case has.
    pub(super) const NODES: usize = 2;

    pub(super) fn new(stage: Box<dyn Stage>, clock: FakeClock, spawner: Arc<dyn Spawner>) -> Verdict<Self> {
        let nodes = [0, 1].map(|index| Arc::new(Probe::around(stage.node(index), 7 + index as u64)));
        Ok(Self(Arc::new(Inner {
            stage,
            nodes,
            clock,
            spawner,
            roots: Roots::generate()?,
            events: Mutex::default(),
            secrets: Secrets::default(),
        })))
    }

    pub(super) fn probe(&self, node: Node) -> &Arc<Probe> {
        let [a, b] = &self.0.nodes;
        match node {
            Node::A => a,
            Node::B => b,
        }
    }

    /// The store as `node` sees it.
    pub(super) fn store(&self, node: Node) -> Arc<dyn DynStore> {
        Arc::clone(self.probe(node)) as Arc<dyn DynStore>
    }

    pub(super) fn stage(&self) -> &dyn Stage {
        &*self.0.stage
    }

    pub(super) fn secrets(&self) -> &Secrets {
        &self.0.secrets
    }

    /// An engine on `node` with the usual policy.
    pub(super) fn engine(&self, node: Node) -> Verdict<Engine> {
        self.engine_with(node, policy())
    }

    /// An engine on `node` with a policy of its own.
    pub(super) fn engine_with(&self, node: Node, settings: PolicySettings) -> Verdict<Engine> {
        self.engine_with_keys(node, settings, Keys::One)
    }

    /// An engine on `node` with this state of the key ring.
    pub(super) fn engine_with_keys(&self, node: Node, settings: PolicySettings, keys: Keys) -> Verdict<Engine> {
        let ring = KeyRing::from_source(&(&self.0.roots, keys))?;
        let (policy, clock) = (Policy::try_from(settings)?, self.0.clock.clone());
        let bench = Arc::downgrade(&self.0);
        let events = move |event: &Event| {
            if let Some(bench) = bench.upgrade() {
                bench.events.lock().push(*event);
            }
        };
        Ok(Engine::new(policy, ring, self.store(node), clock, events))
    }

    /// The name under which the store knows a subject.
    pub(super) fn reference(&self, subject: &str) -> Verdict<SubjectRef> {
        let ring = KeyRing::from_source(&(&self.0.roots, Keys::One))?;
        Ok(ring.reference(&Subject::new(subject)?))
    }

    /// An engine on each node.
    pub(super) fn both(&self) -> Verdict<Engines> {
        Ok(Engines([self.engine(Node::A)?, self.engine(Node::B)?]))
    }

    pub(super) fn now(&self) -> Moment {
        self.0.clock.now()
    }

    pub(super) fn advance(&self, seconds: u64) {
        self.0.clock.advance(Duration::from_secs(seconds));
    }

    pub(super) fn clock(&self) -> &FakeClock {
        &self.0.clock
    }

    /// Waits until every node has heard what the others did.
    pub(super) async fn settle(&self) {
        self.0.stage.settle().await;
    }

    /// From now on the verbs of all nodes interleave.
    pub(super) fn interleave(&self) {
        for node in &self.0.nodes {
            node.interleave();
        }
    }

    /// Runs all of `work` at once.
    pub(super) async fn together<T: Send + 'static>(
        &self,
        work: impl IntoIterator<Item = impl Future<Output = Verdict<T>> + Send + 'static>,
    ) -> Verdict<Vec<T>> {
        spawner::together(&*self.0.spawner, work).await
    }

    /// Every event so far.
    pub(super) fn events(&self) -> Vec<Event> {
        self.0.events.lock().clone()
    }

    /// How many events of this kind there were.
    pub(super) fn count(&self, is: impl Fn(&EventKind) -> bool) -> usize {
        self.0.events.lock().iter().filter(|event| is(&event.kind)).count()
    }

    /// A generator whose numbers are the same in every run.
    pub(super) fn random(seed: u64) -> Random {
        Random::seeded(seed)
    }
}

/// An engine on each node.
pub(super) struct Engines([Engine; 2]);

impl Engines {
    /// Every other one.
    pub(super) const fn at(&self, index: usize) -> &Engine {
        let [a, b] = &self.0;
        if index.is_multiple_of(2) { a } else { b }
    }
}

/// The usual policy: idle 1 h, absolute 24 h, remembered for 30 days where asked, rotation every 15 min, grace 65 s,
/// elevated for 5 min.
pub(super) fn policy() -> PolicySettings {
    let mut settings = PolicySettings::aal2(ORIGIN);
    settings.timeouts.remember_for = Some(Duration::from_secs(REMEMBERED).into());
    settings
}

/// The usual policy with a concurrent-session limit.
pub(super) fn limited(limit: u32, over: OverLimit) -> PolicySettings {
    let mut settings = policy();
    (settings.sessions.limit, settings.sessions.over_limit) = (Some(limit), Some(over));
    settings
}

/// The site of the suite.
pub(super) const ORIGIN: &str = "https://shop.example";
/// The usual policy's times, in seconds.
pub(super) const IDLE: u64 = 3_600;
pub(super) const ABSOLUTE: u64 = 24 * 3_600;
pub(super) const REMEMBERED: u64 = 30 * 24 * 3_600;
pub(super) const ROTATE: u64 = 900;
pub(super) const GRACE: u64 = 65;
pub(super) const ELEVATED: u64 = 300;
pub(super) const TOUCH_STEP: u64 = 180;

/// Which keys a ring holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keys {
    /// The first only.
    One,
    /// The first signs, the second is known.
    Introduced,
    /// The second signs, the first is known.
    Rotated,
}

/// The root keys of one deployment.
struct Roots {
    keys: [Vec<u8>; 2],
    reference: Vec<u8>,
}

impl Roots {
    fn generate() -> Verdict<Self> {
        let fresh = || crate::entropy::random::<32>(&SystemEntropy).map(|bytes| bytes.to_vec());
        Ok(Self { keys: [fresh()?, fresh()?], reference: fresh()? })
    }
}

impl KeySource for (&Roots, Keys) {
    fn keys(&self) -> Result<KeyMaterial, KeyError> {
        let (roots, keys) = self;
        let [first, second] = &roots.keys;
        let key = |name: &str, bytes: &Vec<u8>| {
            let id = KeyId::new(name).map_err(|_| KeyError::Derivation)?;
            Ok::<_, KeyError>((id, RootKey::new(name, bytes.clone())?))
        };
        let (first, second) = (key("k1", first)?, key("k2", second)?);
        let (signing, others) = match keys {
            Keys::One => (first, Vec::new()),
            Keys::Introduced => (first, vec![second]),
            Keys::Rotated => (second, vec![first]),
        };
        KeyMaterial::new(signing, others, RootKey::new("reference", roots.reference.clone())?)
    }
}
