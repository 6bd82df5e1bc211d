//! What every layer does before a handler: take the request in, make the CSRF decision, refuse.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{ConnectInfo, OriginalUri};
use axum::response::{IntoResponse as _, Response};
use counterfoil_core::cookie::HeaderJoin;
use counterfoil_core::csrf::{CsrfMode, CsrfVerdict, PassReason};
use counterfoil_core::engine::Exchange;
use counterfoil_core::seam::{Denial, RequestView, Route, is_websocket};
use http::header::{HOST, VARY};
use http::request::Parts;
use http::{Extensions, HeaderValue, Request, StatusCode};

use super::form::{Sought, Unread, seek_token};
use super::service::Duty;
use crate::handle::Handle;
use crate::limits::TriedTooOften;
use crate::reply::{self, Asked};
use crate::site::Site;

/// Why a request reaches its handler, and the request as it goes there; or why it does not.
pub(crate) type Admission = Result<(PassReason, Request<Body>), Refusal>;

/// Why a request does not reach its handler.
pub(crate) enum Refusal {
    Denied(Denial),
    Unread(Unread),
    /// Denied again and again.
    TriedTooOften(TriedTooOften),
    /// Two session layers stand around the route: a fault of the program's.
    Doubled,
}

/// Takes a request in. The store is not asked.
pub(crate) fn receive(site: &Site, route: Route, request: &Request<Body>) -> Exchange {
    let (uri, headers) = (request.uri(), request.headers());
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let view = RequestView {
        method: request.method(),
        authority: uri.authority().map(http::uri::Authority::as_str).or(host),
        target: uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str),
        headers,
        peer: peer(request.extensions()),
        websocket: is_websocket(headers),
        may_set_cookie: true,
        cookie_join: HeaderJoin::Standard,
    };
    site.engine.receive(&view, route)
}

/// Lets most requests in: those that need no CSRF token, and whose session, if they need one, is opened without waiting.
/// `None`: [`admit`] decides.
pub(super) fn admit_at_once(exchange: &Exchange, duty: Duty, request: &Request<Body>) -> Option<PassReason> {
    let CsrfVerdict::Pass(reason) = exchange.csrf_verdict() else {
        return None;
    };
    let ready = !is_doubled(duty, request) && (!opens(exchange, duty) || exchange.open_at_once());
    ready.then_some(reason)
}

/// The CSRF decision first: 403 wins over 401 and 503. Then the session, unless the route is public.
pub(super) async fn admit(site: Arc<Site>, exchange: Arc<Exchange>, duty: Duty, request: Request<Body>) -> Admission {
    if is_doubled(duty, &request) {
        tracing::error!(path = request.uri().path(), "two session layers around one route: the request is refused");
        return Err(Refusal::Doubled);
    }
    let (parts, body) = request.into_parts();
    let (reason, body) = match pass_csrf(&exchange, &parts, body).await {
        Err(Refusal::Denied(denial)) => return Err(held_back(&site, &exchange, denial).await),
        settled => settled?,
    };
    if opens(&exchange, duty) {
        exchange.open().await.map_err(|error| {
            tracing::error!(error = %error, "the session could not be opened");
            Refusal::Denied(Denial::Unavailable)
        })?;
    }
    Ok((reason, Request::from_parts(parts, body)))
}

/// The CSRF decision alone, for a route that is ours.
pub(crate) async fn admit_alone(site: Arc<Site>, exchange: Arc<Exchange>, request: Request<Body>) -> Admission {
    admit(site, exchange, Duty::CsrfAlone, request).await
}

/// The refusal of a cross-site request: another one where its client was refused so too often. Only what is refused anyway
/// is counted, so that no other site's page can have its visitors held back here.
pub(crate) async fn held_back(site: &Site, exchange: &Exchange, denial: Denial) -> Refusal {
    match site.believed_address(exchange) {
        Some(client) if matches!(denial, Denial::Csrf(_)) => match site.limits.csrf_failure(client).await {
            // It failed: that is what is counted.
            Ok(_) => Refusal::Denied(denial),
            Err(refusal) => Refusal::TriedTooOften(site.held_back(exchange, None, refusal)),
        },
        _ => Refusal::Denied(denial),
    }
}

fn opens(exchange: &Exchange, duty: Duty) -> bool {
    duty == Duty::Sessions && !exchange.route().public
}

fn is_doubled(duty: Duty, request: &Request<Body>) -> bool {
    duty == Duty::Sessions && request.extensions().get::<Handle>().is_some()
}

/// The CSRF decision, with the token from the header or the form where one is needed. The body comes back as the handler
/// will read it.
async fn pass_csrf(exchange: &Exchange, parts: &Parts, body: Body) -> Result<(PassReason, Body), Refusal> {
    let Sought { token, body } = match exchange.csrf_verdict() {
        CsrfVerdict::NeedsToken(_) => match seek_token(parts, body).await {
            Err(Unread::TooLarge(body)) if !enforces_csrf(exchange) => Sought { token: None, body },
            sought => sought.map_err(Refusal::Unread)?,
        },
        CsrfVerdict::Pass(_) | CsrfVerdict::Deny(_) => Sought { token: None, body },
    };
    let passed = exchange.settle_csrf(token.as_deref()).await.map_err(Refusal::Denied)?;
    Ok((passed, body))
}

fn enforces_csrf(exchange: &Exchange) -> bool {
    exchange.engine().policy().csrf() == CsrfMode::Enforce
}

fn peer(extensions: &Extensions) -> Option<IpAddr> {
    extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip())
}

impl Refusal {
    pub(crate) fn into_reply(self, asked: &Asked, site: &Site) -> Response {
        match self {
            Self::Denied(denial) => {
                let mut response = reply::write(denial, asked, &site.pages);
                response.headers_mut().append(VARY, VARY_ON_CSRF);
                response
            }
            Self::TriedTooOften(refusal) => reply::tried_too_often(&refusal, asked.navigation),
            Self::Unread(Unread::TooLarge(_)) => reply::unread(StatusCode::PAYLOAD_TOO_LARGE, asked),
            Self::Doubled => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            Self::Unread(Unread::Broken) => reply::unread(StatusCode::BAD_REQUEST, asked),
        }
    }
}

impl Asked {
    pub(crate) fn of(request: &Request<Body>, exchange: &Exchange) -> Self {
        let repeatable = exchange.is_navigation() && request.method() == http::Method::GET;
        // The layer may stand around a nested router, which sees only the rest of the path.
        let uri = || request.extensions().get::<OriginalUri>().map_or(request.uri(), |original| &original.0);
        let again = if repeatable { uri().path_and_query().cloned() } else { None };
        Self { navigation: exchange.is_navigation(), again }
    }
}

const VARY_ON_CSRF: HeaderValue = HeaderValue::from_static("Origin, Sec-Fetch-Site");
