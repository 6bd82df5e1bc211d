//! The CSRF decision alone, for routes that have no business with sessions.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use counterfoil_core::seam::Route;
use http::Request;
use tower_layer::Layer;
use tower_service::Service;

use super::gate;
use crate::reply::Asked;
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
#[derive(Clone)]
#[must_use = "put it around routes with `.layer(…)`"]
pub struct CsrfLayer {
    site: Arc<Site>,
    route: Route,
}

/// A service with the CSRF decision in front.
#[derive(Clone)]
pub struct CsrfService<S> {
    inner: S,
    site: Arc<Site>,
    route: Route,
}

/// The future of [`CsrfService`].
pub type CsrfFuture<E> = Pin<Box<dyn Future<Output = Result<Response, E>> + Send>>;

impl CsrfLayer {
    pub(crate) fn new(site: Arc<Site>) -> Self {
        Self { site, route: Route { public: true, ..Route::default() } }
    }

    /// A GET to these routes changes something, so it is judged as well.
    pub fn changes_state(mut self) -> Self {
        self.route.csrf.changes_state = true;
        self
    }

    /// Another site may not post here even where the browser has no cookie of ours: for sign-in of one's own (login CSRF).
    pub fn sign_in(mut self) -> Self {
        self.route.csrf.sign_in = true;
        self
    }
}

impl<S> Layer<S> for CsrfLayer {
    type Service = CsrfService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        CsrfService { inner, site: Arc::clone(&self.site), route: self.route }
    }
}

impl<S> Service<Request<Body>> for CsrfService<S>
where
    S: Service<Request<Body>> + Clone + Send + 'static,
    S::Response: IntoResponse,
    S::Future: Send,
{
    type Response = Response;
    type Error = S::Error;
    type Future = CsrfFuture<S::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // The clone is not ready; the one that was polled is.
        let clone = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, clone);
        Box::pin(serve(Arc::clone(&self.site), self.route, inner, request))
    }
}

async fn serve<S>(site: Arc<Site>, route: Route, mut inner: S, request: Request<Body>) -> Result<Response, S::Error>
where
    S: Service<Request<Body>>,
    S::Response: IntoResponse,
{
    let (mut parts, body) = request.into_parts();
    let exchange = gate::receive(&site, route, &parts);
    match gate::pass_csrf(&exchange, &parts, body).await {
        Ok((passed, body)) => {
            parts.extensions.insert(passed);
            let mut response = inner.call(Request::from_parts(parts, body)).await?.into_response();
            response.extensions_mut().insert(passed);
            Ok(response)
        }
        Err(refusal) => Ok(refusal.into_reply(&Asked::of(&parts, &exchange), &site)),
    }
}

impl std::fmt::Debug for CsrfLayer {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("CsrfLayer").field("route", &self.route).finish_non_exhaustive()
    }
}

impl<S> std::fmt::Debug for CsrfService<S> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("CsrfService").field("route", &self.route).finish_non_exhaustive()
    }
}
