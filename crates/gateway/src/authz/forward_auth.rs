//! The contract of Traefik, Caddy and `HAProxy`: the request in `X-Forwarded-…`, and any answer but 2xx goes to the browser.

use axum::body::Body;
use axum::response::Response;
use counterfoil_core::cookie::HeaderJoin;
use http::{HeaderMap, StatusCode};

use crate::app::Proxy;
use crate::decide::Outcome;
use crate::request::{Malformed, Told, take, take_method, take_scheme};

/// Reads what the proxy tells. Each sets these over whatever the client sent.
pub(super) fn read(mut headers: HeaderMap, proxy: Proxy) -> Result<Told, Malformed> {
    Ok(Told {
        method: take_method(&mut headers, "x-forwarded-method")?,
        scheme: take_scheme(&mut headers, "x-forwarded-proto")?,
        host: take(&mut headers, "x-forwarded-host")?,
        target: take(&mut headers, "x-forwarded-uri")?,
        join: join(proxy),
        headers,
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
