//! The contract of Traefik, Caddy and `HAProxy`: the request in `X-Forwarded-…`, and any answer but 2xx goes to the browser.

use axum::body::Body;
use axum::response::Response;
use counterfoil_core::cookie::HeaderJoin;
use http::{HeaderMap, StatusCode};

use crate::app::Proxy;
use crate::decide::Outcome;
use crate::request::{self, FORWARDED_FOR, Heard, Malformed, Told};

/// Reads what the proxy tells. Each sets these over whatever the client sent.
pub(super) fn read(headers: &HeaderMap, proxy: Proxy) -> Result<Told<'_>, Malformed> {
    let Heard { told: [method, scheme, host, target, forwarded_for], websocket } = Heard::read(headers, TOLD)?;
    Ok(Told {
        method: request::method(method, METHOD)?,
        scheme: request::scheme(scheme, SCHEME)?,
        host,
        target,
        forwarded_for,
        websocket,
        headers,
        join: join(proxy),
    })
}

/// `HAProxy` hands its actions several `Cookie` headers as one, joined with `, ` (decision 0008). The others pass on what
/// they got, or join with `; `.
pub(super) const fn join(proxy: Proxy) -> HeaderJoin {
    match proxy {
        Proxy::Haproxy => HeaderJoin::Comma,
        _ => HeaderJoin::Standard,
    }
}

/// Writes the answer.
pub(super) fn write(outcome: Outcome) -> Response {
    match outcome {
        Outcome::Pass(headers) => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NO_CONTENT;
            *response.headers_mut() = headers;
            response
        }
        Outcome::Refuse(refused) => refused,
    }
}

const METHOD: &str = "x-forwarded-method";
const SCHEME: &str = "x-forwarded-proto";
const TOLD: [&str; 5] = [METHOD, SCHEME, "x-forwarded-host", "x-forwarded-uri", FORWARDED_FOR];
