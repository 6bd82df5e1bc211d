//! The engine: what an application can do with sessions, each use case on top of pure rules and one store verb.

mod adopt;
mod arrival;
mod bursts;
mod conclude;
mod consult;
mod csrf;
mod data;
mod devices;
mod error;
mod exchange;
mod familiar;
mod flash;
mod freshness;
mod heard;
mod identity;
mod mint;
mod open;
mod operator;
#[cfg(test)]
mod randomness;
#[cfg(test)]
mod rotated_keys;
mod sight;
mod sign_in;
mod sign_out;
mod step_up;
mod trigger;
#[cfg(test)]
mod visits;

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::Mutex;

pub use self::adopt::{Entry, OldSession, Predecessor};
use self::arrival::Arrival;
use self::consult::Consulted;
pub use self::error::{SessionError, SignInError, StepUpError};
pub use self::exchange::Exchange;
pub use self::identity::Identity;
pub use self::operator::{Inspected, Inspection, Visited};
pub use self::sign_in::{Attempt, SignInOptions, SignedInNow};
use crate::address::Places;
use crate::agent::DeviceLabels;
use crate::entropy::{Entropy, SystemEntropy};
use crate::event::{Event, EventKind, EventSink};
use crate::id::{SessionId, Subject, SubjectRef};
use crate::keys::{RingInUse, SharedRing};
use crate::moment::{Clock, Moment};
use crate::policy::Policy;
use crate::rules::{Bursts, EndReason, Place, Standing};
use crate::seam::{RequestView, Route};
use crate::store::{DynStore, Ending, StoreError};

/// Everything that is the same for all requests: policy, keys, store, clock. Cheap to clone.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    policy: Policy,
    keys: SharedRing,
    store: Arc<dyn DynStore>,
    clock: Box<dyn Clock>,
    entropy: Box<dyn Entropy>,
    events: Box<dyn EventSink>,
    predecessor: Option<Box<dyn Predecessor>>,
    /// Set once, before the first request.
    labels: OnceLock<Box<dyn DeviceLabels>>,
    /// Set once, before the first request.
    places: OnceLock<Box<dyn Places>>,
    /// Set once, before the first request.
    detector: OnceLock<Consulted>,
    /// Locked for moments only, and not by most requests.
    bursts: Mutex<Bursts>,
}

impl Engine {
    /// An engine. Events go to `events`; `()` drops them.
    pub fn new(
        policy: Policy,
        keys: impl Into<SharedRing>,
        store: Arc<dyn DynStore>,
        clock: impl Clock,
        events: impl EventSink,
    ) -> Self {
        Self::with_entropy(policy, keys, store, clock, events, SystemEntropy)
    }

    /// As [`new`](Self::new), with another source of randomness: for tests of what happens when it fails.
    pub fn with_entropy(
        policy: Policy,
        keys: impl Into<SharedRing>,
        store: Arc<dyn DynStore>,
        clock: impl Clock,
        events: impl EventSink,
        entropy: impl Entropy,
    ) -> Self {
        let (clock, entropy, events) = (Box::new(clock), Box::new(entropy), Box::new(events));
        Self(Arc::new(Inner {
            policy,
            keys: keys.into(),
            store,
            clock,
            entropy,
            events,
            predecessor: None,
            labels: OnceLock::new(),
            places: OnceLock::new(),
            detector: OnceLock::new(),
            bursts: Mutex::default(),
        }))
    }

    /// As [`new`](Self::new), taking over the sessions of the layer before.
    pub fn with_predecessor(
        policy: Policy,
        keys: impl Into<SharedRing>,
        store: Arc<dyn DynStore>,
        clock: impl Clock,
        events: impl EventSink,
        predecessor: impl Predecessor,
    ) -> Self {
        let (clock, entropy, events) = (Box::new(clock), Box::new(SystemEntropy), Box::new(events));
        let predecessor: Option<Box<dyn Predecessor>> = Some(Box::new(predecessor));
        let keys = keys.into();
        let (labels, places, detector) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
        let bursts = Mutex::default();
        let inner =
            Inner { policy, keys, store, clock, entropy, events, predecessor, labels, places, detector, bursts };
        Self(Arc::new(inner))
    }

    /// Has `labels` name the devices of sign-ins from now on. The first call counts.
    pub fn label_devices_by(&self, labels: impl DeviceLabels) {
        // A second call changes nothing.
        let _ = self.0.labels.set(Box::new(labels));
    }

    /// Has `places` tell where addresses are from now on. The first call counts.
    pub fn locate_by(&self, places: impl Places) {
        // A second call changes nothing.
        let _ = self.0.places.set(Box::new(places));
    }

    /// Takes in a request: reads its cookies, checks their tags, makes the CSRF decision. The store is not asked.
    pub fn receive(&self, view: &RequestView<'_>, route: Route) -> Exchange {
        let arrival = Arrival::read(self, view, route);
        Exchange::new(self.clone(), arrival)
    }

    /// The policy in force.
    pub fn policy(&self) -> &Policy {
        &self.0.policy
    }

    /// The store.
    pub fn store(&self) -> &Arc<dyn DynStore> {
        &self.0.store
    }

    /// The name under which stores and events know `subject`.
    pub fn reference(&self, subject: &Subject) -> SubjectRef {
        self.keys().reference(subject)
    }

    /// The time, by the engine's clock.
    pub fn now(&self) -> Moment {
        self.0.clock.now()
    }

    /// Ends one session, whosever it is. Ending it twice is fine.
    ///
    /// # Errors
    /// [`StoreError`]: it may or may not have ended; try again.
    pub async fn end(&self, id: SessionId, reason: EndReason) -> Result<(), StoreError> {
        if matches!(self.0.store.end(id, None, reason, self.now()).await?, Ending::Done) {
            self.tell(Some(id), None, EventKind::SessionEnded { reason });
        }
        Ok(())
    }

    /// Ends all sessions of a subject, at once however many there are, and overtakes sign-ins under way.
    ///
    /// # Errors
    /// [`StoreError`]: they may or may not have ended; try again.
    pub async fn end_subject(&self, subject: &Subject, reason: EndReason) -> Result<(), StoreError> {
        self.end_reference(self.reference(subject), None, reason).await
    }

    /// As [`end_subject`](Self::end_subject), for a subject known by its keyed reference, and for all sessions but one.
    ///
    /// # Errors
    /// [`StoreError`]: they may or may not have ended; try again.
    pub async fn end_reference(
        &self,
        subject: SubjectRef,
        spared: Option<SessionId>,
        reason: EndReason,
    ) -> Result<(), StoreError> {
        self.0.store.end_subject(subject, spared, reason, self.now()).await?;
        self.tell(spared, Some(subject), EventKind::SubjectEnded { reason });
        Ok(())
    }

    /// Ends every session there is.
    ///
    /// # Errors
    /// [`StoreError`]: they may or may not have ended; try again.
    pub async fn end_all(&self, reason: EndReason) -> Result<(), StoreError> {
        self.0.store.end_all(reason, self.now()).await?;
        self.tell(None, None, EventKind::AllEnded { reason });
        Ok(())
    }

    /// How long somebody is still signed in by a session if nobody uses it; `None` if they are not, or only remembered.
    /// Does not count as activity. For handlers that wait.
    ///
    /// # Errors
    /// [`StoreError`] if the store did not answer.
    pub async fn remaining(&self, id: SessionId) -> Result<Option<Duration>, StoreError> {
        let now = self.now();
        let loaded = self.0.store.load(id, now, None).await?;
        let found = self.standing(&loaded, now).ok().filter(|(_, standing)| *standing == Standing::Live);
        Ok(found.map(|(live, standing)| self.expiry(&live, standing).since(now)))
    }

    /// Forgets sessions that are over, looking at no more than `limit`. Says how many it forgot.
    ///
    /// # Errors
    /// [`StoreError`]: what was forgotten is forgotten; try again later.
    pub async fn sweep(&self, limit: usize) -> Result<usize, StoreError> {
        self.0.store.sweep(limit, self.now()).await
    }

    /// Tells an event.
    pub fn tell(&self, session: Option<SessionId>, subject: Option<SubjectRef>, kind: EventKind) {
        self.0.events.emit(&Event { at: self.now(), session, subject, kind });
    }

    /// The key ring, which may be exchanged while requests run.
    pub fn ring(&self) -> &SharedRing {
        &self.0.keys
    }

    /// The keys as they are now.
    pub(crate) fn keys(&self) -> RingInUse {
        self.0.keys.load()
    }

    pub(crate) fn predecessor(&self) -> Option<&dyn Predecessor> {
        self.0.predecessor.as_deref()
    }

    /// Where an address is, as far as anybody told.
    pub(crate) fn locate(&self, address: IpAddr) -> Place {
        self.0.places.get().map_or(Place::UNKNOWN, |places| places.locate(address))
    }

    pub(crate) fn bursts(&self) -> &Mutex<Bursts> {
        &self.0.bursts
    }

    fn consulted(&self) -> Option<&Consulted> {
        self.0.detector.get()
    }

    pub(crate) fn labels(&self) -> Option<&dyn DeviceLabels> {
        self.0.labels.get().map(|labels| &**labels)
    }

    pub(crate) fn entropy(&self) -> &dyn Entropy {
        &*self.0.entropy
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Engine").field("policy", &self.0.policy).field("keys", &self.0.keys).finish_non_exhaustive()
    }
}
