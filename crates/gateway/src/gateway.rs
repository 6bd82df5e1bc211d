//! The running gateway: one store and one key ring, and beside them the sites of its apps, which can be exchanged.

mod labels;
mod site;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};
use counterfoil::detector::Figures;
use counterfoil::geo::Databases;
use counterfoil::{
    Clock, Counterfoil, Event, EventSink, KeyError, Limiter, Moment, Policy, SessionId, StoreTime, SystemClock,
    log_event,
};
use counterfoil_core::keys::SharedRing;
use counterfoil_core::store::DynStore;
use counterfoil_core::{Engine, Exchange};
use counterfoil_serve::detector::CalledOut;
use counterfoil_telemetry::Telemetry;
use counterfoil_telemetry::set::Signals;
use quick_cache::sync::Cache;

use self::labels::Labels;
pub use self::site::Site;
pub(crate) use self::site::authority_of;
use crate::app::{AppConfig, AppName};
use crate::assertion::Assertions;
use crate::doctor::Doctor;
use crate::ops::{CountedStore, Meters};
use crate::pages;

/// What all listeners share. Cheap to clone.
#[derive(Clone)]
pub struct Gateway(Arc<Parts>);

struct Parts {
    ground: Ground,
    assertions: Arc<Assertions>,
    signals: Option<Signals>,
    doctor: Doctor,
    /// Sessions whose browsers were sent by our own page lately, and when.
    bounced: Cache<SessionId, Moment>,
    sites: ArcSwap<Sites>,
}

/// What all sites stand on.
struct Ground {
    ring: SharedRing,
    store: Arc<dyn DynStore>,
    clock: Arc<dyn Clock>,
    /// What corrects the clock, unless it was given.
    time: Option<StoreTime>,
    events: Arc<dyn EventSink>,
    telemetry: Option<Telemetry>,
    meters: Meters,
    /// One for all sites: they share accounts.
    limiter: Limiter,
    /// What tells where addresses are.
    places: Option<Databases>,
    /// What is asked about requests before they are decided.
    detector: Option<CalledOut>,
}

/// Puts a gateway together where the defaults of [`Gateway::new`] do not fit.
#[must_use = "call `build`"]
pub struct Builder {
    ring: SharedRing,
    store: Arc<dyn DynStore>,
    clock: Option<Arc<dyn Clock>>,
    events: Arc<dyn EventSink>,
    telemetry: Option<Telemetry>,
    meters: Meters,
    assertions: Option<Arc<Assertions>>,
    signals: Option<Signals>,
    doctor: Doctor,
    limiter: Limiter,
    places: Option<Databases>,
    detector: Option<CalledOut>,
}

/// The sites of one configuration.
#[derive(Debug, Default)]
pub struct Sites {
    /// All sessions at once, as their operator sees them; none where there is no site.
    operator: Option<Engine>,
    by_name: HashMap<AppName, Arc<Site>>,
    in_order: Vec<Arc<Site>>,
}

impl Gateway {
    /// A gateway for `apps`, with these keys and this store; the keys of its assertions end with it.
    ///
    /// # Errors
    /// [`KeyError::KeptTooShort`] if sessions of an app's policy may outlive the keys.
    pub fn new(apps: &[AppConfig], ring: SharedRing, store: Arc<dyn DynStore>) -> Result<Self, KeyError> {
        Self::builder(ring, store).build(apps)
    }

    /// As [`new`](Self::new), with assertion keys, a clock or events of one's own.
    pub fn builder(ring: SharedRing, store: Arc<dyn DynStore>) -> Builder {
        let meters = Meters::new();
        let store: Arc<dyn DynStore> = Arc::new(CountedStore::new(store, meters.store().clone()));
        Builder {
            ring,
            store,
            clock: None,
            events: Arc::new(()),
            telemetry: None,
            meters,
            assertions: None,
            signals: None,
            doctor: Doctor::default(),
            limiter: Limiter::default(),
            places: None,
            detector: None,
        }
    }

    /// Protects `apps` from now on. Requests under way end as they began; sessions live on.
    ///
    /// # Errors
    /// As [`new`](Self::new); the apps before stay.
    pub fn exchange(&self, apps: &[AppConfig]) -> Result<(), KeyError> {
        let sites = Sites::new(apps, &self.0.ground)?;
        self.0.sites.store(Arc::new(sites));
        Ok(())
    }

    /// What signs assertions.
    pub fn assertions(&self) -> &Arc<Assertions> {
        &self.0.assertions
    }

    /// What is answered to those whom Shared Signals tell, and who tell us; `None` where nobody is configured.
    pub fn signals(&self) -> Option<&Signals> {
        self.0.signals.as_ref()
    }

    /// Who may look at the chain.
    pub(crate) fn doctor(&self) -> &Doctor {
        &self.0.doctor
    }

    /// The time.
    pub fn now(&self) -> Moment {
        self.0.ground.clock.now()
    }

    /// What corrects the clock; nothing where the clock was given.
    pub fn time(&self) -> Option<&StoreTime> {
        self.0.ground.time.as_ref()
    }

    /// Whether the browser of this session may be sent by our own page: it may not if it was a moment ago. Then its cookie
    /// did not get through there either, and it would go in circles.
    pub(crate) fn bounces_once(&self, exchange: &Exchange) -> bool {
        let Some(session) = exchange.presented() else {
            return false;
        };
        let now = self.now();
        let lately = self.0.bounced.get(&session).is_some_and(|at| now.since(at) < BETWEEN_BOUNCES);
        if !lately {
            self.0.bounced.insert(session, now);
        }
        !lately
    }

    /// The keys of all sites.
    pub fn ring(&self) -> &SharedRing {
        &self.0.ground.ring
    }

    /// The store of all sites.
    pub fn store(&self) -> &Arc<dyn DynStore> {
        &self.0.ground.store
    }

    /// What is counted.
    pub fn meters(&self) -> &Meters {
        &self.0.ground.meters
    }

    /// What came of asking the operator's detector; nothing where there is none.
    pub fn detector(&self) -> Option<Figures> {
        self.0.ground.detector.as_ref().map(CalledOut::figures)
    }

    /// All sessions, whichever site they began on. What is done by it is told of no site in particular.
    pub fn operator(&self) -> Option<Engine> {
        self.sites().operator.clone()
    }

    /// The sites of now.
    pub fn sites(&self) -> Guard<Arc<Sites>> {
        self.0.sites.load()
    }
}

impl Builder {
    /// Signs assertions with these keys.
    pub fn assertions(self, assertions: impl Into<Arc<Assertions>>) -> Self {
        Self { assertions: Some(assertions.into()), ..self }
    }

    /// Answers to those whom Shared Signals tell, and who tell us.
    pub fn signals(self, signals: Option<Signals>) -> Self {
        Self { signals, ..self }
    }

    /// Lets `counterfoil doctor` look at the chain.
    pub fn doctor(self, doctor: Doctor) -> Self {
        Self { doctor, ..self }
    }

    /// Limits what is tried, on all sites together.
    pub fn limits(self, limiter: Limiter) -> Self {
        Self { limiter, ..self }
    }

    /// Has these databases tell where addresses are, on all sites.
    pub fn places(self, places: Option<Databases>) -> Self {
        Self { places, ..self }
    }

    /// Has this asked about the requests of all sites.
    pub fn detector(self, detector: Option<CalledOut>) -> Self {
        Self { detector, ..self }
    }

    /// Takes the time from `clock`, as it is; otherwise from the system's, corrected by the store's where it has one.
    pub fn clock(self, clock: impl Clock) -> Self {
        Self { clock: Some(Arc::new(clock)), ..self }
    }

    /// Tells `events` too what happens to the sessions of all sites, not only the log.
    pub fn events(self, events: impl EventSink) -> Self {
        Self { events: Arc::new(events), ..self }
    }

    /// Tells `telemetry` what happens, and on which site.
    pub fn telemetry(self, telemetry: Telemetry) -> Self {
        Self { telemetry: Some(telemetry), ..self }
    }

    /// The gateway for `apps`.
    ///
    /// # Errors
    /// As [`Gateway::new`].
    pub fn build(self, apps: &[AppConfig]) -> Result<Gateway, KeyError> {
        let Self {
            ring,
            store,
            clock,
            events,
            telemetry,
            meters,
            assertions,
            signals,
            doctor,
            limiter,
            places,
            detector,
        } = self;
        let (store, clock, time): (_, Arc<dyn Clock>, _) = if let Some(clock) = clock {
            (store, clock, None)
        } else {
            let time = StoreTime::of(store, SystemClock);
            (time.store(), Arc::new(time.clone()), Some(time))
        };
        let ground = Ground { ring, store, clock, time, events, telemetry, meters, limiter, places, detector };
        let assertions = match assertions {
            Some(assertions) => assertions,
            None => Arc::new(Assertions::generated(ground.clock.now())?),
        };
        let sites = ArcSwap::from_pointee(Sites::new(apps, &ground)?);
        Ok(Gateway(Arc::new(Parts { ground, assertions, signals, doctor, bounced: Cache::new(MOST_BOUNCED), sites })))
    }
}

impl Ground {
    /// Sessions that stand on this; what happens to them is told as of this app, or of no app in particular.
    fn sessions(&self, policy: &Policy, app: Option<&AppName>) -> Result<counterfoil::Builder, KeyError> {
        let events = Arc::clone(&self.events);
        let counted = self.meters.events().begin(app.map_or(OPERATOR, AppName::as_str));
        let telemetry: Option<Box<dyn EventSink>> = match (&self.telemetry, app) {
            (Some(telemetry), Some(app)) => Some(Box::new(telemetry.site(app.as_str()))),
            (Some(telemetry), None) => Some(Box::new(telemetry.clone())),
            (None, _) => None,
        };
        let builder = Counterfoil::sharing(policy.clone(), self.ring.clone(), Arc::clone(&self.store))?;
        let told = move |event: &Event| {
            log_event(event);
            counted.happened(&event.kind);
            events.emit(event);
            if let Some(telemetry) = &telemetry {
                telemetry.emit(event);
            }
        };
        // One store and one ring: whoever runs the gateway keeps house for all sites at once.
        Ok(builder.clock(Arc::clone(&self.clock)).events(told).housekept_elsewhere())
    }
}

impl Sites {
    fn new(apps: &[AppConfig], ground: &Ground) -> Result<Self, KeyError> {
        let site = |app: &AppConfig| {
            let builder = ground.sessions(&app.policy, Some(&app.name))?;
            let builder = match &ground.places {
                Some(places) => builder.locate_by(places.clone()),
                None => builder,
            };
            let builder = match &ground.detector {
                Some(detector) => builder.detect_by(detector.on_site(Some(app.name.as_str())), detector.asking()),
                None => builder,
            };
            let sessions = builder
                .sign_in_page(pages::SIGN_IN)
                .step_up_page(pages::STEP_UP)
                .denied_page(pages::DENIED)
                .security_headers(pages::security_headers())
                .device_labels(Labels)
                .limits(ground.limiter.clone())
                .build();
            Ok(Arc::new(Site { app: app.clone(), sessions, meters: ground.meters.site(&app.name) }))
        };
        let in_order = apps.iter().map(site).collect::<Result<Vec<_>, KeyError>>()?;
        let by_name = in_order.iter().map(|site| (site.app.name.clone(), Arc::clone(site))).collect();
        // What is over by the most patient of them is over by all.
        let patience = |policy: &&Policy| (policy.limits().idle, policy.limits().absolute);
        let most_patient = apps.iter().map(|app| &app.policy).max_by_key(patience);
        let operator = most_patient.map(|policy| Ok::<_, KeyError>(ground.sessions(policy, None)?.build()));
        let operator = operator.transpose()?.map(|sessions| sessions.engine().clone());
        Ok(Self { operator, by_name, in_order })
    }

    /// The site of the app of this name.
    pub fn named(&self, name: &AppName) -> Option<&Arc<Site>> {
        self.by_name.get(name)
    }

    /// As [`named`](Self::named), for a name as somebody wrote it.
    pub fn called(&self, name: &str) -> Option<&Arc<Site>> {
        self.by_name.get(name)
    }

    /// The site at `authority`, a `Host` as a client may send it.
    pub fn at(&self, authority: &str) -> Option<&Arc<Site>> {
        self.in_order.iter().find(|site| site.is_at(authority))
    }

    /// All of them, in the order of the configuration.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Site>> {
        self.in_order.iter()
    }
}

impl std::fmt::Debug for Gateway {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Gateway").field("sites", &*self.sites()).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Builder").field("assertions", &self.assertions).finish_non_exhaustive()
    }
}

/// What is done by hand is counted as of this app; none can be called so, for a name may not begin with a bracket.
const OPERATOR: &str = "(operator)";
/// A browser that is sent by our page comes back within seconds.
const BETWEEN_BOUNCES: Duration = Duration::from_mins(1);
/// Some 3 MB; whoever is forgotten may be sent once more.
const MOST_BOUNCED: usize = 65_536;
