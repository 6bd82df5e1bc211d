//! Envoy's contract over HTTP: the request's own method and path behind our prefix; 200, or an answer for the browser.

use axum::body::Body;
use axum::response::Response;
use counterfoil_core::cookie::HeaderJoin;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::decide::Outcome;
use crate::owned::{ANSWERED, EMPTY};
use crate::request::{Malformed, Told, take, take_scheme};

/// Reads what Envoy tells; `rest` is the path behind our prefix.
///
/// A fragment never comes this far: Envoy refuses such paths, and our listener would cut it. Then the app sees another
/// target than the assertion is bound to.
pub(super) fn read(parts: Parts, rest: &str) -> Result<Told, Malformed> {
    let Parts { method, uri, mut headers, .. } = parts;
    let target = match uri.query() {
        Some(query) => format!("{rest}?{query}"),
        None => rest.to_owned(),
    };
    let host = match (uri.authority(), headers.contains_key(http::header::HOST)) {
        // HTTP/2 has it as a pseudo-header.
        (Some(authority), false) => authority.as_str().to_owned(),
        (Some(authority), true) => {
            let host = take(&mut headers, "host")?;
            if !authority.as_str().eq_ignore_ascii_case(&host) {
                return Err(Malformed::AbsoluteForm);
            }
            host
        }
        (None, _) => take(&mut headers, "host")?,
    };
    let scheme = take_scheme(&mut headers, "x-forwarded-proto")?;
    // Envoy hands several `Cookie` headers over as one, joined with a comma alone.
    Ok(Told { method, scheme, host, target, headers, join: HeaderJoin::Comma })
}

/// Writes the answer. Envoy sets what an answer carries over the request's headers, but may pass over an empty one: those
/// are named for removal as well.
pub(super) fn write(outcome: Outcome) -> Response {
    match outcome {
        Outcome::Pass(mut headers) => {
            let emptied: Vec<_> = emptied(&headers).collect();
            let emptied = emptied.iter().map(HeaderName::as_str).collect::<Vec<_>>().join(",");
            headers.insert(TO_REMOVE, HeaderValue::try_from(emptied).unwrap_or(EMPTY));
            let mut response = Response::new(Body::empty());
            *response.headers_mut() = headers;
            response
        }
        Outcome::Refuse(refused) => refused,
    }
}

/// Those of our headers that are empty.
pub(super) fn emptied(headers: &HeaderMap) -> impl Iterator<Item = HeaderName> + '_ {
    ANSWERED.into_iter().filter(|name| headers.get(name).is_none_or(HeaderValue::is_empty))
}

/// What Envoy takes out of the request.
const TO_REMOVE: HeaderName = HeaderName::from_static("x-envoy-auth-headers-to-remove");
