//! A site of several nodes: on each the real engine over the real near cache over a link to the one store.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use counterfoil_core::keys::{KeyError, KeyId, KeyMaterial, KeySource, RootKey, SharedRing};
use counterfoil_core::policy::{DangerSettings, PolicySettings};
use counterfoil_core::store::{BoxFuture, DynStore, Notice, Notices};
use counterfoil_core::{Engine, Entropy, NoEntropy, Policy};
use counterfoil_stores::near_cache::{NearCache, Settings};
use fastrand::Rng;
use futures_util::StreamExt as _;
use parking_lot::Mutex;

use super::Mutant;
use super::link::{Flaw, Link};
use super::stream::Stream;
use super::truth::Truth;
use super::weather::Weather;
use super::world::{NODES, NodeClock, World};

/// The site, and the world it is in.
pub(super) struct Site {
    pub(super) world: World,
    pub(super) truth: Truth,
    pub(super) weather: Weather,
    pub(super) nodes: Vec<Node>,
}

/// One node.
pub(super) struct Node {
    pub(super) engine: Engine,
    pub(super) clock: NodeClock,
    pub(super) stream: Stream,
    near: Arc<NearCache<Link>>,
    /// By how many microseconds its clock was set back, in all: so much longer may it admit what has ended.
    set_back: AtomicU64,
}

/// Why a world could not begin.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

impl Site {
    /// A site in `world`, whose nodes' clocks are seconds apart.
    pub(super) fn begin(world: &World, mutant: Option<Mutant>) -> Result<Self, Error> {
        let (truth, weather) = (Truth::new(world), world.draw(Weather::draw));
        let seed = world.draw(|random| random.u64(..));
        let entropy = Chance(Arc::new(Mutex::new(Rng::with_seed(seed))));
        let node = |index| Node::begin(world, (&truth, weather), index, mutant, entropy.clone());
        let nodes = (0..NODES).map(node).collect::<Result<_, _>>()?;
        Ok(Self { world: world.clone(), truth, weather, nodes })
    }

    /// The node of this number; there is always one.
    pub(super) fn node(&self, index: usize) -> Option<&Node> {
        self.nodes.get(index % NODES)
    }
}

impl Node {
    fn begin(
        world: &World,
        (truth, weather): (&Truth, Weather),
        index: usize,
        mutant: Option<Mutant>,
        entropy: Chance,
    ) -> Result<Self, Error> {
        let clock = NodeClock::new(world, world.draw(|random| random.i64(-SKEW..=SKEW)));
        let notices = Arc::<Notices>::default();
        let flaw = Flaw::of(mutant);
        let (to_world, to_truth) = (world.clone(), truth.clone());
        let link = Link { world: to_world, truth: to_truth, weather, notices: Arc::clone(&notices), flaw };
        let spawn = |task: BoxFuture<'static, ()>| world.spawn(Some(index), task);
        let near = Arc::new(NearCache::new(link, clock.clone(), Settings::default(), spawn)?);
        let store: Arc<dyn DynStore> = near.clone();
        // Set once: it was made a line ago.
        let _ = near.inner().flaw.near.set(Arc::downgrade(&store));
        world.spawn(Some(index), listen(store.watch(), truth.clone(), index));
        let stream = Stream::begin((world, truth, weather), index, &clock, &notices, mutant);
        let ring = SharedRing::from_source(&Keys)?;
        let engine = Engine::with_entropy(policy()?, ring, store, clock.clone(), truth.clone(), entropy);
        Ok(Self { engine, clock, stream, near, set_back: AtomicU64::new(0) })
    }

    /// How many sessions stayed in its memory as its writes left them.
    pub(super) fn kept(&self) -> u64 {
        self.near.figures().kept
    }

    /// Sets its clock on or back.
    pub(super) fn set_clock_by(&self, millis: i64) {
        self.clock.set_by(millis);
        let back = millis.min(0).unsigned_abs() * 1_000;
        self.set_back.fetch_add(back, Ordering::SeqCst);
    }

    /// How long it may admit what ended elsewhere, in microseconds: clocks show whole milliseconds.
    pub(super) fn bound(&self) -> u64 {
        let bound = u64::try_from(Settings::default().bound.as_micros()).unwrap_or(u64::MAX);
        bound + 1_000 + self.set_back.load(Ordering::SeqCst)
    }
}

/// What a node has heard it knows.
async fn listen(mut watch: counterfoil_core::store::Watch, truth: Truth, node: usize) {
    while let Some(notice) = watch.next().await {
        if let Notice::Ended(id) = notice {
            truth.known(node, id);
        }
    }
}

/// Tokens rotate every minute; what is late is at most ten seconds late, and clocks are ten apart.
fn policy() -> Result<Policy, Error> {
    let mut settings = PolicySettings::aal2("https://shop.example");
    settings.danger = DangerSettings { below_floors: true, ..DangerSettings::default() };
    settings.timeouts.grace = Some(std::time::Duration::from_secs(30).into());
    settings.timeouts.rotate_every = Some(std::time::Duration::from_mins(1).into());
    settings.sessions.limit = Some(3);
    Ok(Policy::try_from(settings)?)
}

/// Randomness that is the same in every run.
#[derive(Clone)]
struct Chance(Arc<Mutex<Rng>>);

impl Entropy for Chance {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        self.0.lock().fill(bytes);
        Ok(())
    }
}

/// The same keys in every world.
struct Keys;

impl KeySource for Keys {
    fn keys(&self) -> Result<KeyMaterial, KeyError> {
        let root = |name, from: u8| RootKey::new(name, (from..from + 32).collect::<Vec<u8>>());
        let id = KeyId::new("k1").map_err(|_| KeyError::Derivation)?;
        KeyMaterial::new((id, root("k1", 1)?), Vec::new(), root("reference", 101)?)
    }
}

/// How far a node's clock may be off, in milliseconds.
const SKEW: i64 = 5_000;
