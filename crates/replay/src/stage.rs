//! The engine that a sequence is played on, the jars of its clients, and what was told meanwhile.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use counterfoil_core::address::Places;
use counterfoil_core::keys::{GeneratedKeys, SharedRing};
use counterfoil_core::policy::{Policy, PolicySettings, Span};
use counterfoil_core::rules::{Place, Signal};
use counterfoil_core::testing::Jar;
use counterfoil_core::{Engine, Event, EventKind, EventSink, FakeClock, MemoryStore, Moment};
use http::HeaderValue;

use crate::label::Decision;
use crate::player::NotPlayed;
use crate::scene::{Copied, Scene};

/// An engine with a memory store and a clock of its own.
pub(crate) struct Stage {
    pub(crate) engine: Engine,
    clock: FakeClock,
    told: Told,
}

/// What the engine told since somebody last asked.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<EventKind>>>);

/// The places of one sequence.
struct Table(BTreeMap<IpAddr, Place>);

/// The cookies of all clients, by the labels of their jars.
#[derive(Default)]
pub(crate) struct Jars<'s> {
    jars: BTreeMap<&'s str, Held>,
    copied: Vec<&'s str>,
}

/// One client's cookies.
#[derive(Clone, Default)]
struct Held {
    now: Jar,
    /// As they were before they last changed.
    before: Jar,
    /// Whether it keeps no cookies that it is given.
    deaf: bool,
}

impl Stage {
    pub(crate) fn new(scene: &Scene) -> Result<Self, NotPlayed> {
        let (clock, told) = (FakeClock::at(START), Told::default());
        let keys = SharedRing::from_source(&GeneratedKeys).map_err(|error| NotPlayed::Keys(Box::new(error)))?;
        let store = Arc::new(MemoryStore::new());
        let engine = Engine::new(policy(scene)?, keys, store, clock.clone(), told.clone());
        let places =
            scene.places.iter().filter_map(|(address, row)| Some((address.to_canonical(), row.as_ref()?.place())));
        engine.locate_by(Table(places.collect()));
        Ok(Self { engine, clock, told })
    }

    /// It is so many seconds after the start.
    pub(crate) fn set(&self, second: u64) {
        self.clock.set(START + Duration::from_secs(second));
    }

    /// It is a week before the start.
    pub(crate) fn set_back(&self) {
        self.clock.set(START_OF_THE_PAST);
    }

    pub(crate) fn now(&self) -> Moment {
        self.engine.now()
    }

    /// Somebody is only remembered, where that is not enough: the format calls it a step-up that is asked for.
    pub(crate) fn remembered_is_not_enough(&self) {
        self.told.tell(EventKind::StepUpRequired);
    }

    /// The strongest decision that was told since this was last asked, and all signals.
    pub(crate) fn told(&self) -> (Decision, Vec<&'static str>) {
        let kinds = std::mem::take(&mut *self.told.0.lock().unwrap_or_else(PoisonError::into_inner));
        let decision = kinds.iter().map(|kind| self.decision(kind)).max();
        let mut signals: Vec<_> = kinds.iter().filter_map(EventKind::signal).map(Signal::as_str).collect();
        signals.sort_unstable();
        signals.dedup();
        (decision.unwrap_or(Decision::None), signals)
    }

    fn decision(&self, kind: &EventKind) -> Decision {
        match kind {
            EventKind::TokenReused { ended: true } => Decision::Revoke,
            EventKind::StepUpRequired => Decision::StepUp,
            EventKind::Signalled { decision, .. } => named(*decision),
            kind => {
                kind.signal().map_or(Decision::None, |signal| named(self.engine.policy().grades().of(signal).ordinary))
            }
        }
    }
}

/// In the words of the format, which are the same.
const fn named(decision: counterfoil_core::rules::Decision) -> Decision {
    use counterfoil_core::rules::Decision as Decided;
    match decision {
        Decided::None => Decision::None,
        Decided::Note => Decision::Note,
        Decided::Notify => Decision::Notify,
        Decided::Shorten => Decision::Shorten,
        Decided::StepUp => Decision::StepUp,
        Decided::Revoke => Decision::Revoke,
    }
}

/// The policy of a sequence. Its own times may be beyond its preset and below our floors: it is history, not advice.
fn policy(scene: &Scene) -> Result<Policy, NotPlayed> {
    let given = &scene.policy;
    let span = |seconds: Option<u64>| seconds.map(|seconds| Span::from(Duration::from_secs(seconds)));
    let mut settings = PolicySettings { preset: given.preset, ..PolicySettings::aal2(ORIGIN) };
    settings.timeouts.idle = span(given.idle);
    settings.timeouts.absolute = span(given.absolute);
    settings.timeouts.rotate_every = span(given.rotate_every);
    settings.timeouts.remember_for = span(given.remember_for);
    settings.detection.network = given.network.unwrap_or_default();
    settings.danger.beyond_preset = true;
    settings.danger.below_floors = true;
    settings.try_into().map_err(NotPlayed::Policy)
}

impl Told {
    fn tell(&self, kind: EventKind) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(kind);
    }
}

impl EventSink for Told {
    fn emit(&self, event: &Event) {
        self.tell(event.kind);
    }
}

impl Places for Table {
    fn locate(&self, address: IpAddr) -> Place {
        self.0.get(&address.to_canonical()).copied().unwrap_or(Place::UNKNOWN)
    }
}

impl<'s> Jars<'s> {
    /// Makes the copies whose time has come.
    pub(crate) fn copy(&mut self, copies: impl IntoIterator<Item = (&'s String, &'s Copied)>, second: u64) {
        let mut due: Vec<_> = copies
            .into_iter()
            .filter(|(to, copied)| copied.at <= second && !self.copied.contains(&to.as_str()))
            .collect();
        due.sort_by_key(|(_, copied)| copied.at);
        for (to, copied) in due {
            let original = self.jars.get(copied.of.as_str()).cloned().unwrap_or_default();
            self.copied.push(to);
            self.jars.insert(to, Held { deaf: !copied.follows, ..original });
        }
    }

    pub(crate) fn header(&self, jar: &str, now: Moment) -> Option<HeaderValue> {
        self.jars.get(jar)?.now.header(now)
    }

    pub(crate) fn header_before(&self, jar: &str, now: Moment) -> Option<HeaderValue> {
        self.jars.get(jar)?.before.header(now)
    }

    /// What a response sets, unless the client keeps nothing.
    pub(crate) fn take(&mut self, jar: &'s str, set_cookie: &str, now: Moment) -> Result<(), NotPlayed> {
        let held = self.jars.entry(jar).or_default();
        if !held.deaf {
            held.before = held.now.clone();
            held.now.take(set_cookie, now)?;
        }
        Ok(())
    }
}

/// Where the site is that the sequences are of.
pub(crate) const ORIGIN: &str = "https://app.example";
const START: Moment = Moment::from_unix_seconds(1_800_000_000);
const START_OF_THE_PAST: Moment = Moment::from_unix_seconds(1_800_000_000 - 7 * 24 * 3_600);
