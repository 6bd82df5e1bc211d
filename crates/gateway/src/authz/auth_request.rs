//! nginx's contract, `auth_request`: 204, 401 or 403 and nothing else, for anything else becomes a 500 there.
//!
//! nginx tells of the request in headers that its configuration sets over whatever the client sent. The login page travels
//! as `Location` on the 401, and what the browser should see where nginx could not pass it on as `Counterfoil-Status`; the
//! configuration that `counterfoil proxy-config nginx` prints makes redirects and statuses of them.

use axum::body::Body;
use axum::response::Response;
use counterfoil_core::cookie::HeaderJoin;
use http::header::{CACHE_CONTROL, LOCATION, RETRY_AFTER, SET_COOKIE, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::decide::{NO_STORE, Outcome};
use crate::request::{self, FORWARDED_FOR, Heard, Malformed, Told};

/// Reads what nginx tells.
pub(super) fn read(headers: &HeaderMap) -> Result<Told<'_>, Malformed> {
    let Heard { told: [method, target, host, server, scheme, forwarded_for], websocket } = Heard::read(headers, TOLD)?;
    // `$host` is that of the target where it is in absolute form, and `$http_host` is not.
    if !name_of(host).eq_ignore_ascii_case(server) {
        return Err(Malformed::AbsoluteForm);
    }
    Ok(Told {
        method: request::method(method, METHOD)?,
        scheme: request::scheme(scheme, SCHEME)?,
        host,
        target,
        forwarded_for,
        websocket,
        headers,
        join: HeaderJoin::Standard,
    })
}

/// Writes the answer nginx understands.
pub(super) fn write(outcome: Outcome) -> Response {
    let refused = match outcome {
        Outcome::Pass(headers) => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NO_CONTENT;
            *response.headers_mut() = headers;
            return response;
        }
        Outcome::Refuse(refused) => refused,
    };
    let (seen, body) = refused.into_parts();
    drop(body);
    let mut response = Response::new(Body::empty());
    *response.extensions_mut() = seen.extensions;
    let sent_on = seen.status.is_redirection() || seen.status == StatusCode::UNAUTHORIZED;
    *response.status_mut() = if sent_on { StatusCode::UNAUTHORIZED } else { StatusCode::FORBIDDEN };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, NO_STORE);
    headers.insert(STATUS, HeaderValue::from(seen.status.as_u16()));
    for name in [LOCATION, WWW_AUTHENTICATE, SET_COOKIE, RETRY_AFTER] {
        headers.extend(seen.headers.get(&name).cloned().map(|value| (name, value)));
    }
    response
}

/// A host without its port.
fn name_of(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

/// The status the browser should see.
pub(super) const STATUS: HeaderName = HeaderName::from_static("counterfoil-status");
const METHOD: &str = "x-counterfoil-method";
const SCHEME: &str = "x-counterfoil-scheme";
const TOLD: [&str; 6] =
    [METHOD, "x-counterfoil-target", "x-counterfoil-host", "x-counterfoil-server", SCHEME, FORWARDED_FOR];
