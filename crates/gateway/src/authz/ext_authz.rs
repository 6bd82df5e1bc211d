//! Envoy's contract over HTTP: the request's own method and path behind our prefix; 200, or an answer for the browser.

use axum::body::Body;
use axum::response::Response;
use counterfoil_core::cookie::HeaderJoin;
use http::header::HOST;
use http::request::Parts;
use http::uri::{Authority, PathAndQuery};
use http::{HeaderMap, HeaderName, HeaderValue, Uri};

use crate::decide::Outcome;
use crate::owned::{ANSWERED, EMPTY};
use crate::request::{self, FORWARDED_FOR, Heard, Malformed, Told};

/// Reads what Envoy tells; `rest` is the path behind our prefix.
///
/// A fragment never comes this far: Envoy refuses such paths, and our listener would cut it. Then the app sees another
/// target than the assertion is bound to.
pub(super) fn read<'a>(parts: &'a Parts, rest: &str) -> Result<Told<'a>, Malformed> {
    let Parts { method, uri, headers, .. } = parts;
    let Heard { told: [scheme, forwarded_for], websocket } = Heard::read(headers, TOLD)?;
    // HTTP/2 has it as a pseudo-header.
    let named = uri.authority().map(Authority::as_str);
    let host = match named.filter(|_| !headers.contains_key(HOST)) {
        Some(named) => named,
        None => the_one_host(headers)?,
    };
    if named.is_some_and(|named| !named.eq_ignore_ascii_case(host)) {
        return Err(Malformed::AbsoluteForm);
    }
    Ok(Told {
        method: method.clone(),
        scheme: request::scheme(scheme, SCHEME)?,
        host,
        target: behind_our_prefix(uri, rest),
        forwarded_for,
        websocket,
        headers,
        // Envoy hands several `Cookie` headers over as one, joined with a comma alone.
        join: HeaderJoin::Comma,
    })
}

fn the_one_host(headers: &HeaderMap) -> Result<&str, Malformed> {
    let mut hosts = headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(_), Some(_)) => Err(Malformed::Repeated("host")),
        (Some(host), None) if !host.is_empty() => {
            std::str::from_utf8(host.as_bytes()).map_err(|_| Malformed::Unreadable("host"))
        }
        _ => Err(Malformed::Missing("host")),
    }
}

/// `rest`, the end of the path, with the query.
fn behind_our_prefix<'a>(uri: &'a Uri, rest: &str) -> &'a str {
    let all = uri.path_and_query().map_or("", PathAndQuery::as_str);
    all.get(uri.path().len() - rest.len()..).unwrap_or_default()
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

const SCHEME: &str = "x-forwarded-proto";
const TOLD: [&str; 2] = [SCHEME, FORWARDED_FOR];
