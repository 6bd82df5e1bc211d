//! Which app a request to the public listener is for: by the host the browser asked, and by nothing else.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use counterfoil::headers::SecurityHeaders;
use counterfoil::origin::Scheme;
use http::{HeaderName, HeaderValue, StatusCode, Uri, header};
use parking_lot::Mutex;
use tower::ServiceExt as _;

use super::{Local, of_site};
use crate::gateway::{Gateway, Site, authority_of};

/// The pages of every app of the gateway.
///
/// # Security
/// An app is chosen by the request's authority, which the operator's proxy passes on as the browser sent it; a host that no
/// app has is 421, and two different ones in one request are 400.
pub fn router(gateway: Gateway, local: Local) -> Router {
    let door = Door { gateway, local, open: Arc::default() };
    Router::new().fallback(enter).with_state(door)
}

/// A site that runs, and its pages, which keep it alive.
type Open = (Arc<Site>, Router);

#[derive(Clone)]
struct Door {
    gateway: Gateway,
    local: Local,
    /// The pages of each site that runs. One that was exchanged is let go when the next is opened.
    open: Arc<Mutex<Vec<Open>>>,
}

async fn enter(State(door): State<Door>, mut request: Request) -> Response {
    let Ok(authority) = authority(&request) else {
        return refuse(StatusCode::BAD_REQUEST, "The request names no host, or more than one.\n");
    };
    let site = door.gateway.sites().at(&authority).cloned();
    if let Some(origin) = site.as_ref().and_then(|site| site.origin_at(&authority)) {
        as_configured(&mut request, authority_of(origin));
    }
    match site {
        // Whatever the router makes of it is an answer: its errors cannot occur.
        Some(site) => match door.pages_of(&site).oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        },
        None => refuse(StatusCode::MISDIRECTED_REQUEST, &unknown(&door, &authority)),
    }
}

impl Door {
    fn pages_of(&self, site: &Arc<Site>) -> Router {
        let mut open = self.open.lock();
        if let Some((_, pages)) = open.iter().find(|(known, _)| Arc::ptr_eq(known, site)) {
            return pages.clone();
        }
        let running = self.gateway.sites();
        open.retain(|(known, _)| running.iter().any(|site| Arc::ptr_eq(known, site)));
        let pages = of_site(site, &self.local);
        open.push((Arc::clone(site), pages.clone()));
        pages
    }
}

/// The one authority of a request.
fn authority(request: &Request) -> Result<String, Ambiguous> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let host = hosts.next().map(|host| host.to_str().map_err(|_| Ambiguous)).transpose()?;
    let target = request.uri().authority().map(http::uri::Authority::as_str);
    match (target, host, hosts.next()) {
        (Some(one), None, None) | (None, Some(one), None) => Ok(one.to_owned()),
        (Some(one), Some(other), None) if one.eq_ignore_ascii_case(other) => Ok(one.to_owned()),
        _ => Err(Ambiguous),
    }
}

struct Ambiguous;

/// Names the host as the app's configuration does, so that all that follows compares it with that alone.
fn as_configured(request: &mut Request, authority: &str) {
    if let Ok(host) = HeaderValue::from_str(authority) {
        request.headers_mut().insert(header::HOST, host);
    }
    let mut parts = request.uri().clone().into_parts();
    if parts.authority.is_some() {
        parts.authority = authority.parse().ok();
        *request.uri_mut() = Uri::from_parts(parts).unwrap_or_default();
    }
}

/// What to do, for the one mistake everybody makes on their own machine: `localhost` is another host than `127.0.0.1`.
fn unknown(door: &Door, authority: &str) -> String {
    let asked_here = ["http://", "https://"].iter().any(|scheme| {
        counterfoil::origin::Origin::parse(&format!("{scheme}{authority}")).is_ok_and(|origin| origin.is_loopback())
    });
    let sites = door.gateway.sites();
    let origins = sites.iter().flat_map(|site| site.app.policy.public_origins().iter());
    let here: Vec<_> = origins.filter(|origin| origin.is_loopback()).map(ToString::to_string).collect();
    if asked_here && !here.is_empty() {
        return format!("No app is known at this host. On this machine they are at:\n{}\n", here.join("\n"));
    }
    "No app is known at this host. If you run this site: its `origins` must name the address people open, and the proxy \
     must pass `Host` on as the browser sent it.\n"
        .to_owned()
}

/// An answer that is no site's: with the headers of all, and nothing of what was asked in it.
fn refuse(status: StatusCode, text: &str) -> Response {
    let mut response = (status, [(header::CACHE_CONTROL, "no-store")], Body::from(text.to_owned())).into_response();
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    // Without HSTS: nobody may promise https for a host that is none of ours.
    for (name, value) in SecurityHeaders::strict().iter(Scheme::Http, None) {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_the_host_was_called_pages_go_on_with_it_as_it_is_configured() {
        for (uri, host) in [
            ("/.session/login?next=%2F", "WIKI.example:443"),
            ("https://Wiki.Example:443/.session/login?next=%2F", "wiki.example"),
        ] {
            let mut request = Request::builder().uri(uri).header(header::HOST, host).body(Body::empty()).unwrap();
            as_configured(&mut request, "wiki.example");
            assert_eq!(request.headers()[header::HOST], "wiki.example", "{uri}");
            assert_eq!(request.uri().authority().map_or("wiki.example", http::uri::Authority::as_str), "wiki.example");
            assert_eq!(request.uri().path_and_query().unwrap(), "/.session/login?next=%2F", "{uri}");
        }
    }
}
