//! The session layer: one thin adapter of the engine's seam.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use counterfoil_core::csrf::PassReason;
use counterfoil_core::engine::Exchange;
use counterfoil_core::seam::{Denial, Effects, Route};
use http::header::{CACHE_CONTROL, SET_COOKIE, VARY};
use http::request::Parts;
use http::{HeaderValue, Request, StatusCode};
use tower_layer::Layer;
use tower_service::Service;

use super::gate::{self, Refusal};
use crate::handle::Handle;
use crate::reply::{self, Asked, Denied, NO_STORE};
use crate::site::Site;

/// Opens the session before the routes it stands around, writes what changed after them, and refuses cross-site
/// requests before anything else.
///
/// Each response carries the reason of the CSRF decision in its extensions, for logs and tests: a
/// [`PassReason`](crate::PassReason), or the [`Denial`](crate::Denial) that was answered instead.
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
#[derive(Clone)]
#[must_use = "put it around routes with `.layer(…)`"]
pub struct SessionLayer {
    site: Arc<Site>,
    route: Route,
}

/// A service with sessions.
#[derive(Clone)]
pub struct SessionService<S> {
    inner: S,
    site: Arc<Site>,
    route: Route,
}

/// The future of [`SessionService`].
pub type SessionFuture<E> = Pin<Box<dyn Future<Output = Result<Response, E>> + Send>>;

impl SessionLayer {
    pub(crate) fn new(site: Arc<Site>) -> Self {
        Self { site, route: Route::default() }
    }

    /// These routes are for everybody: the session is loaded only if a handler looks at it, and they work while the
    /// store does not.
    pub fn public(mut self) -> Self {
        self.route.public = true;
        self
    }

    /// Requests to these routes are polling, and do not count as user activity.
    pub fn quiet(mut self) -> Self {
        self.route.quiet = true;
        self
    }

    /// These routes sign people in: another site may not do so for them, cookie or not (login CSRF).
    pub fn sign_in(mut self) -> Self {
        self.route.csrf.sign_in = true;
        self
    }

    /// These routes need a CSRF token with every unsafe request, whatever its headers say.
    pub fn sensitive(mut self) -> Self {
        self.route.csrf.sensitive = true;
        self
    }

    /// A GET to these routes changes something, so it is judged as well.
    pub fn changes_state(mut self) -> Self {
        self.route.csrf.changes_state = true;
        self
    }
}

impl<S> Layer<S> for SessionLayer {
    type Service = SessionService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        SessionService { inner, site: Arc::clone(&self.site), route: self.route }
    }
}

impl<S> Service<Request<Body>> for SessionService<S>
where
    S: Service<Request<Body>> + Clone + Send + 'static,
    S::Response: IntoResponse,
    S::Future: Send,
{
    type Response = Response;
    type Error = S::Error;
    type Future = SessionFuture<S::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        self.site.housekeeping.begin(&self.site.engine);
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
    if parts.extensions.get::<Handle>().is_some() {
        tracing::error!(path = parts.uri.path(), "two session layers around one route: the request is refused");
        return Ok(StatusCode::INTERNAL_SERVER_ERROR.into_response());
    }
    let exchange = Arc::new(gate::receive(&site, route, &parts));
    let asked = Asked::of(&parts, &exchange);
    let (passed, body) = match before(&exchange, &parts, body).await {
        Ok(let_through) => let_through,
        Err(refusal) => return Ok(refusal.into_reply(&asked, &site)),
    };
    parts.extensions.insert(Handle { site: Arc::clone(&site), exchange: Arc::clone(&exchange) });
    parts.extensions.insert(passed);
    let response = inner.call(Request::from_parts(parts, body)).await?.into_response();
    let mut response = after(exchange.conclude().await, response, &asked, &site);
    response.extensions_mut().insert(passed);
    Ok(response)
}

/// The CSRF decision first: 403 wins over 401 and 503. Then the session, unless the route is public.
async fn before(exchange: &Exchange, parts: &Parts, body: Body) -> Result<(PassReason, Body), Refusal> {
    let passed = gate::pass_csrf(exchange, parts, body).await?;
    if !exchange.route().public {
        exchange.open().await.map_err(|error| {
            tracing::error!(error = %error, "the session could not be opened");
            Refusal::Denied(Denial::Unavailable)
        })?;
    }
    Ok(passed)
}

fn after(effects: Effects, response: Response, asked: &Asked, site: &Site) -> Response {
    let denied = response.extensions().get::<Denied>().map(|Denied(denial)| *denial);
    let mut response = match effects.denial.or(denied) {
        Some(denial) => reply::write(denial, asked, &site.pages),
        None => response,
    };
    let removes_old = effects.remove_old.and_then(|removal| HeaderValue::from_str(&removal).ok());
    if let Some(removal) = &removes_old {
        response.headers_mut().append(SET_COOKIE, removal.clone());
    }
    if let Some(cookie) = effects.set_cookie
        && let Ok(mut value) = HeaderValue::from_str(cookie.as_str())
    {
        value.set_sensitive(true);
        response.headers_mut().append(SET_COOKIE, value);
        response.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    } else if removes_old.is_some() {
        response.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    } else if !effects.uses_session || is_cached_by(&response, b"private") {
        // Also what only a browser's own cache may keep: the next person there is another one.
        response.headers_mut().append(VARY, VARY_ON_COOKIE);
    } else if !is_cached_by(&response, b"no-store") {
        response.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    }
    response
}

/// Whether the response's `Cache-Control` has this directive, unqualified.
fn is_cached_by(response: &Response, wanted: &[u8]) -> bool {
    response.headers().get_all(CACHE_CONTROL).iter().any(|value| {
        let mut directives = value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        directives.any(|directive| directive.eq_ignore_ascii_case(wanted))
    })
}

impl std::fmt::Debug for SessionLayer {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("SessionLayer").field("route", &self.route).finish_non_exhaustive()
    }
}

impl<S> std::fmt::Debug for SessionService<S> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("SessionService").field("route", &self.route).finish_non_exhaustive()
    }
}

const VARY_ON_COOKIE: HeaderValue = HeaderValue::from_static("Cookie");
