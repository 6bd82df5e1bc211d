//! The CSRF decision alone, for routes that have no business with sessions.

use std::sync::Arc;

use counterfoil_core::seam::Route;
use tower_layer::Layer;

use super::service::{Duty, Guard, GuardedService};
use crate::site::Site;

/// Refuses cross-site requests before the handler runs, and does nothing else: no session is there for handlers, and no
/// cookie is set. [`SessionLayer`](super::SessionLayer) makes the same decision, so a route needs one of the two; inside
/// a session layer this one judges again, by what it was told of the route.
///
/// # Security
/// The rules are those of the session layer. Where they demand a token (no fetch metadata and no `Origin`, say), the token
/// of the browser's session counts, and the session is opened for that alone; a script may send `X-CSRF: 1` instead.
///
/// # Examples
/// ```
/// use axum::{Router, routing::post};
/// # use counterfoil::{Counterfoil, GeneratedKeys, MemoryStore, Policy};
/// # let site = Counterfoil::new(Policy::aal2("https://shop.example")?, &GeneratedKeys, MemoryStore::new())?;
///
/// let app: Router = Router::new().route("/vote", post(|| async { "counted" })).layer(site.csrf());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "put it around routes with `.layer(…)`"]
pub struct CsrfLayer(Guard);

impl CsrfLayer {
    pub(crate) fn new(site: Arc<Site>) -> Self {
        Self(Guard { site, route: Route { public: true, ..Route::default() }, duty: Duty::CsrfAlone })
    }

    /// A GET to these routes changes something, so it is judged as well.
    pub fn changes_state(mut self) -> Self {
        self.0.route.csrf.changes_state = true;
        self
    }

    /// Another site may not post here even where the browser has no cookie of ours: for sign-in of one's own (login CSRF).
    pub fn sign_in(mut self) -> Self {
        self.0.route.csrf.sign_in = true;
        self
    }
}

impl<S> Layer<S> for CsrfLayer {
    type Service = GuardedService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        GuardedService::new(inner, self.0.clone())
    }
}
