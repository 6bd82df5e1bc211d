//! The session layer: one thin adapter of the engine's seam.

use std::sync::Arc;

use counterfoil_core::seam::{Care, Route};
use tower_layer::Layer;

use super::service::{Duty, Guard, GuardedService};
use crate::site::Site;

/// Opens the session before the routes it stands around, writes what changed after them, and refuses cross-site
/// requests before anything else.
///
/// The answer to a request that had to be judged carries the reason in its extensions, for logs and tests: a
/// [`PassReason`](crate::PassReason), or the [`Denial`](crate::Denial) that was answered instead. Where the method is safe
/// there is nothing to judge, and no reason.
///
/// Routes are declared by the layer around them; without a word they are private: the session is opened first, and a
/// store that does not answer is 503.
///
/// # Examples
/// ```
/// use axum::{Router, routing::{get, post}};
/// # use counterfoil::{Counterfoil, GeneratedKeys, MemoryStore, Policy};
/// # let site = Counterfoil::new(Policy::aal2("https://shop.example")?, &GeneratedKeys, MemoryStore::new())?;
///
/// let open = Router::new().route("/", get(|| async { "welcome" })).layer(site.sessions().public());
/// let door = Router::new().route("/login", post(|| async {})).layer(site.sessions().public().sign_in());
/// let rest = Router::new().route("/cart", get(|| async { "…" })).layer(site.sessions());
/// let app: Router = open.merge(door).merge(rest).layer(site.headers());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "put it around routes with `.layer(…)`"]
pub struct SessionLayer(Guard);

impl SessionLayer {
    pub(crate) fn new(site: Arc<Site>) -> Self {
        Self(Guard { site, route: Route::default(), duty: Duty::Sessions })
    }

    /// These routes are for everybody: the session is loaded only if a handler looks at it, and they work while the
    /// store does not.
    pub fn public(mut self) -> Self {
        self.0.route.public = true;
        self
    }

    /// Requests to these routes are polling, and do not count as user activity.
    pub fn quiet(mut self) -> Self {
        self.0.route.quiet = true;
        self
    }

    /// These routes sign people in: another site may not do so for them, cookie or not (login CSRF).
    pub fn sign_in(mut self) -> Self {
        self.0.route.csrf.sign_in = true;
        self
    }

    /// It matters who this is: these routes need a CSRF token with every unsafe request, whatever its headers say; they
    /// [ask the store](Self::asks_store); and where a request shows another client than its session's, or another country,
    /// whoever must be signed in steps up first. So the route where people step up must not be one of them.
    pub fn sensitive(mut self) -> Self {
        self.0.route.csrf.sensitive = true;
        self.0.route.care = Care::Sensitive;
        self
    }

    /// Here people step up, or sign out. Whoever waits for a step-up elsewhere gets here, whatever the policy or the operator's
    /// detector asks for: without it they would be sent here again and again. Goes before [`asks_store`](Self::asks_store).
    pub fn step_up(mut self) -> Self {
        self.0.route.care = Care::StepUp;
        self
    }

    /// These routes ask the store itself for the session, whatever this node remembers: where nodes share a store and each has
    /// a near cache, a session that was ended on another node is refused here at once, not within the bound. It costs a
    /// round trip. What demands a step-up ([`Recent`](crate::Recent)) does so without being told.
    pub fn asks_store(mut self) -> Self {
        self.0.route.care = self.0.route.care.max(Care::AskStore);
        self
    }

    /// A GET to these routes changes something, so it is judged as well.
    pub fn changes_state(mut self) -> Self {
        self.0.route.csrf.changes_state = true;
        self
    }
}

impl<S> Layer<S> for SessionLayer {
    type Service = GuardedService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        GuardedService::new(inner, self.0.clone())
    }
}
