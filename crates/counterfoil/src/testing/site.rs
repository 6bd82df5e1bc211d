//! A site for tests: fake clock, generated keys, memory store, and a switch that makes the store fail.

use std::ops::Deref;
use std::sync::Arc;

use axum::Router;
use counterfoil_core::testing::{self, Fault, Faults, FaultyStore, Jar};
use counterfoil_core::{Event, FakeClock, MemoryStore, Moment, Policy, Subject};
use http::HeaderValue;
use parking_lot::Mutex;

use super::Browser;
use crate::{Builder, Counterfoil, GeneratedKeys, KeySource};

/// A [`Counterfoil`] for tests, which it dereferences to: its clock stands still until told to move, its keys are
/// generated, its store is in memory and fails when told to, its events are kept.
///
/// # Examples
/// An outage is 503, and nobody is signed out by it:
/// ```
/// use axum::{Router, routing::get};
/// use counterfoil::{SignedIn, testing::Site};
/// use http::StatusCode;
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let site = Site::new();
/// let app = Router::new().route("/me", get(async |_: SignedIn| "hello")).layer(site.sessions());
/// let ada = site.browser(&app).with(site.signed_in("ada").await);
///
/// site.store_fails(true);
/// assert_eq!(ada.get("/me").await.status(), StatusCode::SERVICE_UNAVAILABLE);
/// site.store_fails(false);
/// assert_eq!(ada.get("/me").await.status(), StatusCode::OK);
/// # });
/// # Ok::<_, std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Site {
    counterfoil: Counterfoil,
    clock: FakeClock,
    store: FaultyStore<MemoryStore>,
    events: Arc<Mutex<Vec<Event>>>,
}

/// The cookies of somebody, made without any login route.
#[derive(Debug, Clone)]
pub struct Cookies {
    pub(super) jar: Jar,
    header: HeaderValue,
}

impl Site {
    /// Where the site is, unless [`with`](Self::with) says otherwise.
    pub const ORIGIN: &str = "https://test.example";

    /// A site at [`Site::ORIGIN`] with the policy [`aal2`](Policy::aal2).
    pub fn new() -> Self {
        Self::with(Policy::aal2(Self::ORIGIN).expect("the preset for a fixed origin is a policy"))
    }

    /// A site with a policy of one's own.
    pub fn with(policy: Policy) -> Self {
        Self::built(policy, |builder| builder)
    }

    /// As [`with`](Self::with), with pages or headers of one's own. The builder's clock and events are the site's.
    ///
    /// # Examples
    /// ```
    /// use counterfoil::{Policy, testing::Site};
    ///
    /// let policy = Policy::aal3("https://bank.example")?;
    /// let site = Site::built(policy, |builder| builder.sign_in_page("/welcome").denied_page("/denied"));
    /// # Ok::<_, counterfoil::PolicyError>(())
    /// ```
    pub fn built(policy: Policy, build: impl FnOnce(Builder) -> Builder) -> Self {
        Self::made(policy, |_| GeneratedKeys, build)
    }

    /// As [`with`](Self::with), with keys of one's own, made knowing the site's clock: to see what a rotation does.
    pub fn with_keys<K: KeySource>(policy: Policy, keys: impl FnOnce(&FakeClock) -> K) -> Self {
        Self::made(policy, keys, |builder| builder)
    }

    fn made<K: KeySource>(
        policy: Policy,
        keys: impl FnOnce(&FakeClock) -> K,
        build: impl FnOnce(Builder) -> Builder,
    ) -> Self {
        let (clock, store) = (FakeClock::at(START), FaultyStore::around(MemoryStore::new()));
        let events = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&events);
        let builder = Counterfoil::builder(policy, &keys(&clock), store.clone());
        let builder = build(builder.unwrap_or_else(|error| panic!("a site for tests: {error}")))
            .clock(clock.clone())
            .events(move |event: &Event| told.lock().push(*event));
        Self { counterfoil: builder.build(), clock, store, events }
    }

    /// The clock of everything in the site. It moves by `advance` and `set` only.
    pub fn clock(&self) -> &FakeClock {
        &self.clock
    }

    /// Makes every verb of the store fail, or work again. See [`faults`](Self::faults) for single verbs.
    pub fn store_fails(&self, fails: bool) {
        if fails { self.faults().on_all(Fault::Before) } else { self.faults().heal() }
    }

    /// What the store does wrong, verb by verb, and how often it was asked.
    pub fn faults(&self) -> &Faults {
        self.store.faults()
    }

    /// How many sessions the store holds, signed in and anonymous, tombstones included.
    pub fn records(&self) -> usize {
        self.store.inner().len()
    }

    /// What happened so far.
    pub fn events(&self) -> Vec<Event> {
        self.events.lock().clone()
    }

    /// The stable names of what happened since this was last asked.
    pub fn take_events(&self) -> Vec<&'static str> {
        self.events.lock().drain(..).map(|event| event.kind.name()).collect()
    }

    /// The cookies of `subject`, signed in just now by password and presented once.
    pub async fn signed_in(&self, subject: &str) -> Cookies {
        let mut jar = Jar::default();
        let subject = Subject::new(subject).unwrap_or_else(|error| panic!("signed_in({subject:?}): {error}"));
        if let Err(error) = testing::sign_in(self.engine(), &mut jar, &subject).await {
            panic!("nobody could be signed in ({error}): sign in before the store is told to fail")
        }
        self.cookies(jar)
    }

    /// The cookies of `subject`, signed in and stepped up just now.
    pub async fn stepped_up(&self, subject: &str) -> Cookies {
        let mut jar = self.signed_in(subject).await.jar;
        if let Err(error) = testing::step_up(self.engine(), &mut jar).await {
            panic!("nobody could be stepped up ({error}): step up before the store is told to fail")
        }
        self.cookies(jar)
    }

    /// A CSRF token for the session in `cookies`, for the header `X-CSRF-Token` or the field `csrf_token`.
    pub async fn csrf_token(&self, cookies: &Cookies) -> String {
        let token = testing::csrf_token(self.engine(), &mut cookies.jar.clone()).await;
        token.ok().flatten().expect("the cookies belong to a session that is good, and the store answers")
    }

    /// A browser without cookies in front of `app`.
    pub fn browser(&self, app: &Router) -> Browser {
        Browser::new(self, app.clone())
    }

    pub(super) fn origin(&self) -> &str {
        let first = self.engine().policy().public_origins().iter().next();
        first.map_or(Self::ORIGIN, counterfoil_core::origin::Origin::as_str)
    }

    fn cookies(&self, jar: Jar) -> Cookies {
        let header = jar.header(self.engine().now()).expect("a sign-in gives a cookie");
        Cookies { jar, header }
    }
}

impl Cookies {
    /// The value of the `Cookie` header, to put into a request of one's own.
    ///
    /// # Examples
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// let cookies = counterfoil::testing::Site::new().signed_in("ada").await;
    /// let request = http::Request::get("/me").header("cookie", cookies.header()).body(axum::body::Body::empty());
    /// # assert!(request.is_ok());
    /// # });
    /// # Ok::<_, std::io::Error>(())
    /// ```
    pub fn header(&self) -> &HeaderValue {
        &self.header
    }
}

impl Default for Site {
    fn default() -> Self {
        Self::new()
    }
}

impl Deref for Site {
    type Target = Counterfoil;

    fn deref(&self) -> &Counterfoil {
        &self.counterfoil
    }
}

/// When a test begins: 2027-01-15T08:00:00Z.
const START: Moment = Moment::from_unix_seconds(1_800_000_000);
