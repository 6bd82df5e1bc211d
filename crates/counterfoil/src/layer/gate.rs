//! What every layer does before a handler: take the request in, make the CSRF decision, refuse.

use std::net::{IpAddr, SocketAddr};

use axum::body::Body;
use axum::extract::{ConnectInfo, OriginalUri};
use axum::response::Response;
use counterfoil_core::csrf::{CsrfMode, CsrfVerdict, PassReason};
use counterfoil_core::engine::Exchange;
use counterfoil_core::seam::{Denial, RequestView, Route, is_websocket};
use http::header::{HOST, VARY};
use http::request::Parts;
use http::{HeaderValue, StatusCode};

use super::form::{Sought, Unread, seek_token};
use crate::reply::{self, Asked};
use crate::site::Site;

/// Why a request does not reach its handler.
pub(crate) enum Refusal {
    Denied(Denial),
    Unread(Unread),
}

/// Takes a request in. The store is not asked.
pub(crate) fn receive(site: &Site, route: Route, parts: &Parts) -> Exchange {
    let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
    let view = RequestView {
        method: &parts.method,
        authority: parts.uri.authority().map(http::uri::Authority::as_str).or(host),
        target: parts.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str),
        headers: &parts.headers,
        peer: peer(parts),
        websocket: is_websocket(&parts.headers),
        may_set_cookie: true,
    };
    site.engine.receive(&view, route)
}

/// The CSRF decision, with the token from the header or the form where one is needed. The body comes back as the handler
/// will read it.
pub(crate) async fn pass_csrf(exchange: &Exchange, parts: &Parts, body: Body) -> Result<(PassReason, Body), Refusal> {
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

fn peer(parts: &Parts) -> Option<IpAddr> {
    parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip())
}

impl Refusal {
    pub(crate) fn into_reply(self, asked: &Asked, site: &Site) -> Response {
        match self {
            Self::Denied(denial) => {
                let mut response = reply::write(denial, asked, &site.pages);
                response.headers_mut().append(VARY, VARY_ON_CSRF);
                response
            }
            Self::Unread(Unread::TooLarge(_)) => reply::unread(StatusCode::PAYLOAD_TOO_LARGE, asked),
            Self::Unread(Unread::Broken) => reply::unread(StatusCode::BAD_REQUEST, asked),
        }
    }
}

impl Asked {
    pub(crate) fn of(parts: &Parts, exchange: &Exchange) -> Self {
        let repeatable = exchange.is_navigation() && parts.method == http::Method::GET;
        // The layer may stand around a nested router, which sees only the rest of the path.
        let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0);
        let again = repeatable.then(|| uri.clone());
        Self { navigation: exchange.is_navigation(), again }
    }
}

const VARY_ON_CSRF: HeaderValue = HeaderValue::from_static("Origin, Sec-Fetch-Site");
