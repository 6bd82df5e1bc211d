//! One site's sessions: policy, keys and store put together, and the layers they give.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use counterfoil_core::address::Places;
use counterfoil_core::agent::DeviceLabels;
use counterfoil_core::engine::{Engine, Exchange};
use counterfoil_core::headers::SecurityHeaders;
use counterfoil_core::keys::{KeyError, KeySource, SharedRing};
use counterfoil_core::rules::{Reaction, Trigger};
use counterfoil_core::seam::{Denial, RequestView, Route};
use counterfoil_core::store::{DynStore, Store, StoreError};
use counterfoil_core::{Clock, Event, EventSink, Policy, Subject};
use http::uri::PathAndQuery;

use crate::adopt::Adopt;
use crate::clock::SystemClock;
use crate::csp_report::{self, Ration};
use crate::detector::{Asking, Detector, DynDetector, Guarded};
use crate::ended::Hub;
use crate::housekeeping::Housekeeping;
use crate::keys::{Follow, NotExchanged};
use crate::layer::gate::{Refusal, held_back};
use crate::layer::{CsrfLayer, HeadersLayer, SessionLayer};
use crate::limits::{Limiter, TriedTooOften};
use crate::log_event::log_event;
use crate::reply::{self, Asked};
use crate::store_time::StoreTime;

/// The sessions of one site. Cheap to clone.
///
/// # Examples
/// ```
/// use axum::{Router, routing::get};
/// use counterfoil::{Counterfoil, GeneratedKeys, MemoryStore, Policy, SignedIn};
///
/// let policy = Policy::aal2("https://shop.example")?;
/// let site = Counterfoil::new(policy, &GeneratedKeys, MemoryStore::new())?;
/// let app: Router = Router::new()
///     .route("/me", get(|user: SignedIn| async move { user.subject().to_string() }))
///     .layer(site.sessions())
///     .layer(site.headers());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Counterfoil(pub(crate) Arc<Site>);

/// What all layers and extractors of a site share.
pub(crate) struct Site {
    pub(crate) engine: Engine,
    pub(crate) pages: Pages,
    pub(crate) hub: Hub,
    pub(crate) housekeeping: Housekeeping,
    pub(crate) reports: Ration,
    pub(crate) limits: Limiter,
    headers: SecurityHeaders,
}

/// Where people are sent.
#[derive(Debug, Clone)]
pub(crate) struct Pages {
    pub(crate) sign_in: Box<str>,
    pub(crate) step_up: Box<str>,
    pub(crate) denied: Option<Box<str>>,
}

/// Puts a site together where the defaults of [`Counterfoil::new`] do not fit.
#[must_use = "call `build`"]
pub struct Builder {
    policy: Policy,
    keys: SharedRing,
    follow: Option<Follow>,
    housekept_elsewhere: bool,
    store: Arc<dyn DynStore>,
    clock: Option<Box<dyn Clock>>,
    events: Box<dyn EventSink>,
    headers: SecurityHeaders,
    pages: Pages,
    adopt: Option<Adopt>,
    labels: Option<Box<dyn DeviceLabels>>,
    places: Option<Box<dyn Places>>,
    detector: Option<(Box<dyn DynDetector>, Asking)>,
    limits: Limiter,
}

impl Counterfoil {
    /// A site with this policy, these keys and this store; events go to the log.
    ///
    /// # Errors
    /// [`KeyError`] if the keys are missing, short or weak.
    pub fn new(policy: Policy, keys: &impl KeySource, store: impl Store) -> Result<Self, KeyError> {
        Ok(Self::builder(policy, keys, store)?.build())
    }

    /// As [`new`](Self::new), for sites with their own pages, clock, events or headers.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn builder(policy: Policy, keys: &impl KeySource, store: impl Store) -> Result<Builder, KeyError> {
        Self::with_ring(policy, SharedRing::from_source(keys)?, store)
    }

    /// As [`builder`](Self::builder), with a ring that the store uses as well: one that seals what it keeps.
    ///
    /// # Errors
    /// [`KeyError::KeptTooShort`] if sessions of this policy may outlive the keys.
    pub fn with_ring(policy: Policy, keys: SharedRing, store: impl Store) -> Result<Builder, KeyError> {
        Self::sharing(policy, keys, Arc::new(store))
    }

    /// As [`with_ring`](Self::with_ring), with a store that other sites use as well: several applications with policies
    /// and origins of their own, and sessions in one place.
    ///
    /// # Errors
    /// As [`with_ring`](Self::with_ring).
    pub fn sharing(policy: Policy, keys: SharedRing, store: Arc<dyn DynStore>) -> Result<Builder, KeyError> {
        keys.load().suits(policy.limits())?;
        Ok(Builder {
            policy,
            keys,
            follow: None,
            housekept_elsewhere: false,
            store,
            clock: None,
            events: Box::new(log_event),
            headers: SecurityHeaders::strict(),
            labels: None,
            places: None,
            detector: None,
            limits: Limiter::default(),
            pages: Pages { sign_in: "/login".into(), step_up: "/step-up".into(), denied: None },
            adopt: None,
        })
    }

    /// The layer for routes: reads the cookie, makes the CSRF decision, opens the session, writes what changed.
    /// [`SessionLayer::public`] and the others tell it about the routes it stands around.
    pub fn sessions(&self) -> SessionLayer {
        SessionLayer::new(Arc::clone(&self.0))
    }

    /// The layer for routes that have no business with sessions but change something: the CSRF decision alone.
    pub fn csrf(&self) -> CsrfLayer {
        CsrfLayer::new(Arc::clone(&self.0))
    }

    /// A route for the reports that browsers send when a page is about to break its content security policy, at
    /// [`CSP_REPORT_PATH`](crate::CSP_REPORT_PATH). Each becomes an event; have them sent by
    /// [`ContentSecurityPolicy::report_uri`](crate::headers::ContentSecurityPolicy::report_uri).
    ///
    /// # Security
    /// Anybody can send reports, so little is believed and little is spent: nothing of their text is kept, the store is
    /// not asked, sizes and times are bounded, and beyond [`REPORTS_PER_MINUTE`](crate::REPORTS_PER_MINUTE) they are
    /// only counted. Reports that other sites' pages send are refused as any cross-site request is.
    ///
    /// # Examples
    /// ```
    /// use axum::Router;
    /// use counterfoil::headers::{ContentSecurityPolicy, SecurityHeaders};
    /// use counterfoil::{CSP_REPORT_PATH, Counterfoil, GeneratedKeys, MemoryStore, Policy};
    ///
    /// let content = ContentSecurityPolicy::strict().report_uri(CSP_REPORT_PATH)?;
    /// let site = Counterfoil::builder(Policy::aal2("https://shop.example")?, &GeneratedKeys, MemoryStore::new())?
    ///     .security_headers(SecurityHeaders::strict().content(content))
    ///     .build();
    /// let app: Router = Router::new().merge(site.csp_reports()).layer(site.headers());
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn csp_reports<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        csp_report::routes(Arc::clone(&self.0))
    }

    /// The layer for everything: security headers on every answer.
    pub fn headers(&self) -> HeadersLayer {
        let scheme =
            self.engine().policy().public_origins().iter().next().map(counterfoil_core::origin::Origin::scheme);
        HeadersLayer::new(&self.0.headers, scheme)
    }

    /// Does what a change of an account wants done to its sessions, where none of them asks for it: an operator disabled
    /// it, a mail reset its password. All of them end, at once however many there are; sign-ins under way are overtaken.
    /// Call it once the change is stored.
    ///
    /// # Errors
    /// [`StoreError`]: it may or may not have been done; try again. Doing it twice is fine.
    pub async fn trigger(&self, subject: &Subject, trigger: Trigger) -> Result<Reaction, StoreError> {
        self.engine().trigger(subject, trigger, None).await
    }

    /// Puts what `source` holds now in the place of the keys in use, without a restart: requests under way end with the
    /// keys they began with. Says whether other keys sign or verify from now on. [`Builder::follow_keys`] does it by itself.
    ///
    /// # Errors
    /// [`NotExchanged`]: the keys in use are kept.
    pub fn exchange_keys(&self, source: &impl KeySource) -> Result<bool, NotExchanged> {
        crate::keys::exchange(source, self.engine().ring(), self.engine().policy().limits())
    }

    /// Takes a request in, for transports of one's own: the layers are such, and so is a server that decides for a proxy.
    /// Reads the cookies and makes the CSRF decision; the store is not asked. The caller settles the CSRF decision
    /// ([`Exchange::settle_csrf`]), opens the session, and concludes.
    ///
    /// # Panics
    /// Outside a tokio runtime: with the first request the site begins to forget sessions that are over.
    pub fn receive(&self, view: &RequestView<'_>, route: Route) -> Exchange {
        self.0.housekeeping.begin(&self.0.engine);
        self.0.engine.receive(view, route)
    }

    /// The answer to a denied request, as the layers give it: problem+json for fetches; for navigations the sign-in page,
    /// with the way back to `again` where that can be asked for again, or a page that says what is wrong. The [`Denial`]
    /// travels in the answer's extensions. A denial as cross-site is counted against the client, and where there were too many
    /// of them the answer says that instead (429), without a denial.
    pub async fn deny(&self, exchange: &Exchange, denial: Denial, again: Option<&PathAndQuery>) -> Response {
        let navigation = exchange.is_navigation();
        if let Refusal::TriedTooOften(refusal) = held_back(&self.0, exchange, denial).await {
            return reply::tried_too_often(&refusal, navigation);
        }
        let asked = Asked { navigation, again: again.filter(|_| navigation).cloned() };
        reply::write(denial, &asked, &self.0.pages)
    }

    /// Forgets a bounded number of sessions that are over, and says how long to rest before the next round. Sites do so by
    /// themselves, unless they are [`housekept_elsewhere`](Builder::housekept_elsewhere).
    pub async fn tidy(&self) -> std::time::Duration {
        self.0.housekeeping.tidy(self.engine()).await
    }

    /// How often things may be tried here; see [`limits`](crate::limits).
    pub fn limits(&self) -> &Limiter {
        &self.0.limits
    }

    /// The engine beneath, for what concerns no single request: ending a subject's sessions, or all.
    pub fn engine(&self) -> &Engine {
        &self.0.engine
    }
}

impl Site {
    /// Tells of a refusal where that is news, and hands it on.
    pub(crate) fn held_back(
        &self,
        exchange: &Exchange,
        subject: Option<&Subject>,
        refusal: TriedTooOften,
    ) -> TriedTooOften {
        if let Some(event) = refusal.event() {
            let whose = subject.map(|subject| self.engine.ring().load().reference(subject));
            self.engine.tell(exchange.presented(), whose, event);
        }
        refusal
    }

    /// The client's address, if it is one client's. A private one may well be that of a proxy that nobody told us of, with
    /// everybody behind it: then nothing is counted by it that a site does not ask for by name.
    pub(crate) fn believed_address(&self, exchange: &Exchange) -> Option<IpAddr> {
        let knows_proxies = self.engine.policy().address().header_name().is_some();
        let inner = |address: &IpAddr| match address.to_canonical() {
            IpAddr::V4(four) => four.is_loopback() || four.is_private() || four.is_link_local(),
            IpAddr::V6(six) => six.is_loopback() || six.is_unique_local() || six.is_unicast_link_local(),
        };
        exchange.client_address().filter(|address| knows_proxies || !inner(address))
    }
}

impl Builder {
    /// Takes the time from `clock`, as it is: for tests, and for a [`StoreTime`] that several sites share. Without this it is
    /// the system's clock, and where nodes share the store, that clock corrected by the store's ([`StoreTime`]).
    pub fn clock(self, clock: impl Clock) -> Self {
        Self { clock: Some(Box::new(clock)), ..self }
    }

    /// Sends events to `events` instead of the log.
    pub fn events(self, events: impl EventSink) -> Self {
        Self { events: Box::new(events), ..self }
    }

    /// Sends these security headers instead of [`SecurityHeaders::strict`].
    pub fn security_headers(self, headers: SecurityHeaders) -> Self {
        Self { headers, ..self }
    }

    /// Where people are sent who must sign in; `/login` unless set. A path of this site; it gets `?next=…`, the path they
    /// asked for, if they can ask for it again.
    pub fn sign_in_page(mut self, path: &str) -> Self {
        self.pages.sign_in = path.into();
        self
    }

    /// Where people are sent who must step up; `/step-up` unless set. A path of this site; it gets `?next=…` too.
    pub fn step_up_page(mut self, path: &str) -> Self {
        self.pages.step_up = path.into();
        self
    }

    /// Where people are sent whose form was refused as cross-site, so that a reload does not post again. A path of this
    /// site; it gets `?reason=…`. Without it they see a short page with status 403.
    pub fn denied_page(mut self, path: &str) -> Self {
        self.pages.denied = Some(path.into());
        self
    }

    /// Reads `source` again every so often, and exchanges the keys when it holds others: `counterfoil keys rotate` then
    /// needs no restart, and a key begins to sign, and ends, when its file says so. Begins with the first request. Where
    /// the source cannot be used the keys in use are kept, and that is logged.
    pub fn follow_keys(self, source: impl KeySource + Send + Sync + 'static, every: std::time::Duration) -> Self {
        Self { follow: Some(Follow { source: Arc::new(source), every }), ..self }
    }

    /// Starts no background tasks: the program calls [`Counterfoil::tidy`] and [`Counterfoil::exchange_keys`] itself. For
    /// sites that share a store and keys, where once for all of them is enough. [`follow_keys`](Self::follow_keys) does
    /// nothing then.
    pub fn housekept_elsewhere(self) -> Self {
        Self { housekept_elsewhere: true, ..self }
    }

    /// Takes over the sessions of another layer, so that the application can move without signing anybody out.
    pub fn adopt(self, adopt: Adopt) -> Self {
        Self { adopt: Some(adopt), ..self }
    }

    /// Labels new devices by `labels`, such as `UserAgents` (feature `user-agents`), instead of a small reading of our
    /// own. Users may rename them.
    pub fn device_labels(self, labels: impl DeviceLabels) -> Self {
        Self { labels: Some(Box::new(labels)), ..self }
    }

    /// Has `places` tell where addresses are, such as `geo::Databases` (feature `geo`). Without it every place is unknown,
    /// and nothing is judged by places.
    pub fn locate_by(self, places: impl Places) -> Self {
        Self { places: Some(Box::new(places)), ..self }
    }

    /// Has a detector of one's own asked about the requests that `asking` names, within the bounds of its
    /// [`Guard`](crate::detector::Guard).
    pub fn detect_by(self, detector: Guarded<impl Detector>, asking: Asking) -> Self {
        Self { detector: Some((Box::new(detector), asking)), ..self }
    }

    /// Limits what is tried by `limits` instead of [`Limiter::default`], which counts in this process. Sites of one program
    /// may share them: clones count together.
    pub fn limits(self, limits: Limiter) -> Self {
        Self { limits, ..self }
    }

    /// The site. What the policy weakens is logged now.
    pub fn build(self) -> Counterfoil {
        for weakening in self.policy.weakenings() {
            tracing::warn!(rule = "policy", "{weakening}");
        }
        crate::keys::tell_left_out(&self.keys.load());
        let events = self.events;
        let events = move |event: &Event| events.emit(event);
        let (store, clock, time): (_, Box<dyn Clock>, _) = if let Some(clock) = self.clock {
            (self.store, clock, None)
        } else {
            let time = StoreTime::of(self.store, SystemClock);
            (time.store(), Box::new(time.clone()), Some(time))
        };
        let engine = match self.adopt {
            None => Engine::new(self.policy, self.keys, store, clock, events),
            Some(adopt) => {
                adopt.tell_at_start(clock.now());
                Engine::with_predecessor(self.policy, self.keys, store, clock, events, adopt)
            }
        };
        if let Some(labels) = self.labels {
            engine.label_devices_by(labels);
        }
        if let Some(places) = self.places {
            engine.locate_by(places);
        }
        if let Some((detector, asking)) = self.detector {
            engine.detect_by(detector, asking);
        }
        Counterfoil(Arc::new(Site {
            hub: Hub::new(engine.clone()),
            housekeeping: if self.housekept_elsewhere {
                Housekeeping::elsewhere(time)
            } else {
                Housekeeping::following(self.follow, time)
            },
            reports: Ration::default(),
            limits: self.limits,
            engine,
            pages: self.pages,
            headers: self.headers,
        }))
    }
}

impl std::fmt::Debug for Counterfoil {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_tuple("Counterfoil").field(&self.0.engine).finish()
    }
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Builder").field("policy", &self.policy).finish_non_exhaustive()
    }
}
