//! The gateway's side: a record of what was asked under a ticket, the answers a ticket wishes for, and the echo.

use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use counterfoil_core::cookie::CookieKind;
use counterfoil_core::token::looks_like_token;
use http::header::{CACHE_CONTROL, LOCATION, SET_COOKIE};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::ticket::{Ticket, Wish, written_in};
use super::{ECHO, RECORD, key};
use crate::decide::{NO_STORE, Outcome};
use crate::gateway::{Gateway, Site};
use crate::owned::ANSWERED;
use crate::request::Original;

/// Where the doctor's key would be, and what was asked under its tickets.
#[derive(Debug, Clone, Default)]
pub struct Doctor(Option<Arc<Desk>>);

#[derive(Debug)]
struct Desk {
    folder: PathBuf,
    asked: Mutex<VecDeque<(u64, Asked)>>,
}

/// A request to the decision listener.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Asked {
    /// Path and query as they came.
    pub(super) uri: String,
    pub(super) headers: Vec<(String, String)>,
    /// The other end of the connection.
    pub(super) peer: Option<SocketAddr>,
    /// What it was answered.
    pub(super) status: u16,
}

/// A request that came the app's way.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Echoed {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: Vec<(String, String)>,
    /// How many bytes of body came.
    pub(super) body: usize,
}

/// What was asked under one ticket, and what the doctor must know of the app.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Recorded {
    pub(super) app: String,
    pub(super) proxy: String,
    pub(super) returns_cookies: bool,
    pub(super) asked: Vec<Asked>,
}

impl Doctor {
    /// One whose key may come to lie in `folder`, the gateway's data folder. Without a folder the door stays shut.
    pub fn at(folder: &Path) -> Self {
        Self(Some(Arc::new(Desk { folder: folder.to_owned(), asked: Mutex::default() })))
    }

    /// The ticket in a target. Without something that looks like one nothing is read.
    fn ticket(&self, target: &str, gateway: &Gateway) -> Option<Ticket> {
        written_in(target)?;
        let key = key::read(&self.0.as_ref()?.folder)?;
        Ticket::in_target(target, &key, gateway.now())
    }

    /// The answer that a ticket wishes for, for a request on the echo's path.
    pub(crate) fn outcome(gateway: &Gateway, site: &Site, original: &Original<'_>) -> Option<Outcome> {
        if original.target.split('?').next() != Some(ECHO) || original.websocket {
            return None;
        }
        gateway.doctor().ticket(original.target, gateway).map(|ticket| wished(ticket, site))
    }

    /// Notes what the decision listener was asked, if that was under a ticket.
    pub(crate) fn heard(&self, gateway: &Gateway, parts: &Parts, status: StatusCode) {
        let Some(ticket) = judged(parts).and_then(|target| self.ticket(target, gateway)) else { return };
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| *peer);
        let (uri, headers) = (parts.uri.to_string(), lines(&parts.headers));
        self.note(ticket, Asked { uri, headers, peer, status: status.as_u16() });
    }

    fn note(&self, ticket: Ticket, asked: Asked) {
        if let Some(desk) = &self.0 {
            let mut all = desk.asked.lock();
            if all.len() >= MOST_ASKED {
                all.pop_front();
            }
            all.push_back((ticket.number, asked));
        }
    }

    fn asked(&self, ticket: Ticket) -> Vec<Asked> {
        let Some(desk) = &self.0 else { return Vec::new() };
        let all = desk.asked.lock();
        all.iter().filter(|(number, _)| *number == ticket.number).map(|(_, asked)| asked.clone()).collect()
    }
}

/// Names alone: among the values are cookies, and in addresses tickets.
impl fmt::Debug for Asked {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Asked")
            .field("headers", &names(&self.headers))
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Echoed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Echoed")
            .field("method", &self.method)
            .field("headers", &names(&self.headers))
            .finish_non_exhaustive()
    }
}

fn names(headers: &[(String, String)]) -> Vec<&str> {
    headers.iter().map(|(name, _)| name.as_str()).collect()
}

/// The public listener's routes, with the echo and the record for who has a ticket.
pub fn on_public(router: Router, gateway: Gateway) -> Router {
    router.layer(from_fn_with_state(gateway, tell))
}

/// The target that a decision is asked about, whatever the contract.
fn judged(parts: &Parts) -> Option<&str> {
    let told = |name| parts.headers.get(HeaderName::from_static(name))?.to_str().ok();
    match parts.uri.path().strip_prefix("/authz/")?.split_once('/')? {
        ("auth-request", _) => told("x-counterfoil-target"),
        ("forward-auth", _) => told("x-forwarded-uri"),
        _ => parts.uri.path_and_query().map(PathAndQuery::as_str),
    }
}

async fn tell(State(gateway): State<Gateway>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_echo = path == ECHO;
    if !is_echo && path != RECORD {
        return next.run(request).await;
    }
    let target = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
    let Some(ticket) = gateway.doctor().ticket(&target, &gateway) else { return next.run(request).await };
    let (parts, body) = request.into_parts();
    let told = if is_echo {
        let body = axum::body::to_bytes(body, MOST_BODY).await.map_or(MOST_BODY, |body| body.len());
        serde_json::to_string(&echoed(&parts, target, body))
    } else {
        let site = parts.headers.get(http::header::HOST).and_then(|host| host.to_str().ok());
        let site = site.and_then(|host| gateway.sites().at(host).cloned());
        let Some(site) = site else { return next.run(Request::from_parts(parts, body)).await };
        serde_json::to_string(&Recorded {
            app: site.app.name.to_string(),
            proxy: site.app.proxy.as_str().to_owned(),
            returns_cookies: site.app.cookie_return == crate::app::CookieReturn::One,
            asked: gateway.doctor().asked(ticket),
        })
    };
    ([(CACHE_CONTROL, NO_STORE)], told.unwrap_or_default()).into_response()
}

fn echoed(parts: &Parts, target: String, body: usize) -> Echoed {
    Echoed { method: parts.method.to_string(), target, headers: lines(&parts.headers), body }
}

fn lines(headers: &HeaderMap) -> Vec<(String, String)> {
    // A ticket may have come with somebody's own cookies: a token is kept nowhere, and told to nobody.
    let text = |value: &HeaderValue| match String::from_utf8_lossy(value.as_bytes()) {
        text if looks_like_token(&text) => "(with a token)".to_owned(),
        text => text.into_owned(),
    };
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

fn wished(ticket: Ticket, site: &Site) -> Outcome {
    let refused = match ticket.wish {
        Wish::Told | Wish::Empty | Wish::Cookie => return Outcome::Pass(told(ticket, site)),
        Wish::Refuse => StatusCode::FORBIDDEN,
        Wish::SignIn => StatusCode::SEE_OTHER,
    };
    let mut response = Response::new(Body::from("The doctor wished for this.\n"));
    *response.status_mut() = refused;
    response.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    if ticket.wish == Wish::SignIn {
        response.headers_mut().insert(LOCATION, HeaderValue::from_static(SIGN_IN));
    }
    Outcome::Refuse(response)
}

fn told(ticket: Ticket, site: &Site) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for name in ANSWERED {
        let value = HeaderValue::try_from(ticket.value(name.as_str())).unwrap_or(HeaderValue::from_static(""));
        headers.insert(name, value);
    }
    headers.insert(CACHE_CONTROL, NO_STORE);
    if ticket.wish == Wish::Cookie {
        let name = site.app.policy.cookies().names().name(CookieKind::Anonymous);
        // Gone as soon as it is there, should a browser ever get it.
        let cookie = format!("{name}={}; Max-Age=0{}", ticket.value("set-cookie"), name.attributes());
        headers.extend(HeaderValue::try_from(cookie).ok().map(|cookie| (SET_COOKIE, cookie)));
    }
    headers
}

/// Where a ticket's [`Wish::SignIn`] leads.
pub(super) const SIGN_IN: &str = "/.session/login?next=%2F";
/// More than one examination asks.
const MOST_ASKED: usize = 1_000;
const MOST_BODY: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::Arc;

    use counterfoil::{Clock as _, GeneratedKeys, MemoryStore, SystemClock};
    use counterfoil_core::keys::SharedRing;
    use tower::{Service, ServiceExt as _};

    use super::super::key::KeyFile;
    use super::*;
    use crate::authz::Decisions;
    use crate::testing::app;

    /// A gateway whose data folder is `folder`; its listeners for proxies and for browsers.
    fn listeners(folder: &Path) -> (Decisions, Router) {
        let ring = SharedRing::from_source(&GeneratedKeys).unwrap();
        let builder = Gateway::builder(ring, Arc::new(MemoryStore::new())).doctor(Doctor::at(folder));
        let gateway = builder.build(&[app("wiki")]).unwrap();
        (Decisions::of(gateway.clone()), on_public(Router::new(), gateway))
    }

    async fn ask<S>(listener: &S, uri: &str, headers: &[(&str, &str)]) -> (StatusCode, HeaderMap, String)
    where
        S: Service<Request, Response = Response, Error = Infallible> + Clone,
    {
        let request = headers.iter().fold(Request::get(uri), |request, (name, value)| request.header(*name, *value));
        let response = listener.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, MOST_BODY).await.unwrap();
        (parts.status, parts.headers, String::from_utf8(body.to_vec()).unwrap())
    }

    /// What nginx tells of a request for `target`.
    fn told(target: &str) -> [(&str, &str); 6] {
        [
            ("x-counterfoil-method", "GET"),
            ("x-counterfoil-target", target),
            ("x-counterfoil-host", "wiki.example"),
            ("x-counterfoil-server", "wiki.example"),
            ("x-counterfoil-scheme", "https"),
            ("x-forwarded-for", "192.0.2.1"),
        ]
    }

    #[tokio::test]
    async fn a_ticket_opens_the_door_and_nothing_else_does() {
        let folder = tempfile::tempdir().unwrap();
        let (decision, public) = listeners(folder.path());
        let key = KeyFile::open(folder.path()).unwrap();
        let ticket = Ticket::new(1, Wish::Told, SystemClock.now()).signed(&key.key);
        let forged = ticket.replace("-1-", "-2-");
        let echo = |ticket: &str| format!("{ECHO}?ticket={ticket}");
        let elsewhere = format!("/page?ticket={ticket}");
        for (target, status) in
            [(&echo(&ticket), 204), (&echo(&forged), 401), (&elsewhere, 401), (&ECHO.to_owned(), 401)]
        {
            let (got, headers, _) = ask(&decision, "/authz/auth-request/wiki", &told(target)).await;
            assert_eq!(got, status, "{target}");
            let subject = headers.get("counterfoil-subject").map(|value| value.to_str().unwrap());
            assert_eq!(subject, (status == 204).then_some("doctor-1-counterfoil-subject"), "{target}");
        }
        assert_eq!(ask(&public, &echo(&ticket), &[("host", "wiki.example")]).await.0, 200);
        assert_eq!(ask(&public, &echo(&forged), &[("host", "wiki.example")]).await.0, 404);
        drop(key);
        assert_eq!(ask(&decision, "/authz/auth-request/wiki", &told(&echo(&ticket))).await.0, 401);
        assert_eq!(ask(&public, &echo(&ticket), &[("host", "wiki.example")]).await.0, 404);
    }

    #[tokio::test]
    async fn what_was_asked_is_told_with_the_address_it_was_asked_at() {
        let folder = tempfile::tempdir().unwrap();
        let (decision, public) = listeners(folder.path());
        let key = KeyFile::open(folder.path()).unwrap();
        let ticket = Ticket::new(1, Wish::Refuse, SystemClock.now()).signed(&key.key);
        let target = format!("{ECHO}?ticket={ticket}");
        let spoofed = [told(&target).as_slice(), &[("counterfoil_subject", "spoofed")]].concat();
        assert_eq!(ask(&decision, "/authz/auth-request/wiki?app=other", &spoofed).await.0, 403);
        let (_, _, text) = ask(&public, &format!("{RECORD}?ticket={ticket}"), &[("host", "wiki.example")]).await;
        let record: Recorded = serde_json::from_str(&text).unwrap();
        assert_eq!((record.app.as_str(), record.proxy.as_str(), record.returns_cookies), ("wiki", "nginx", true));
        let [asked] = record.asked.as_slice() else { panic!("{text}") };
        assert_eq!((asked.uri.as_str(), asked.status), ("/authz/auth-request/wiki?app=other", 403));
        assert!(asked.headers.contains(&("counterfoil_subject".to_owned(), "spoofed".to_owned())), "{text}");
    }

    #[tokio::test]
    async fn what_is_recorded_and_echoed_holds_no_token_and_prints_no_cookie() {
        let folder = tempfile::tempdir().unwrap();
        let (decision, public) = listeners(folder.path());
        let key = KeyFile::open(folder.path()).unwrap();
        let ticket = Ticket::new(1, Wish::Told, SystemClock.now()).signed(&key.key);
        let cookie = ("cookie", "a=private; __Host-Http-id=cfoil1_k1_secret");
        let target = format!("{ECHO}?ticket={ticket}");
        let asked = [told(&target).as_slice(), &[cookie]].concat();
        assert_eq!(ask(&decision, "/authz/auth-request/wiki", &asked).await.0, 204);
        let at = [("host", "wiki.example"), cookie, ("x-other", "kept")];
        let (_, _, record) = ask(&public, &format!("{RECORD}?ticket={ticket}"), &at).await;
        let (_, _, echo) = ask(&public, &format!("{ECHO}?ticket={ticket}"), &at).await;
        assert!(!format!("{record}{echo}").contains("secret"), "{record}{echo}");
        assert!(
            record.contains("(with a token)") && echo.contains("(with a token)") && echo.contains("kept"),
            "{echo}"
        );
        let (record, echo): (Recorded, Echoed) =
            (serde_json::from_str(&record).unwrap(), serde_json::from_str(&echo).unwrap());
        let shown = format!("{record:?}{echo:?}{key:?}");
        assert!(shown.contains("cookie") && !shown.contains("token)") && !shown.contains(&ticket), "{shown}");
    }
}
