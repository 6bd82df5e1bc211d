//! The browser's request, as a proxy tells of it: read strictly, or not at all.

use std::net::{IpAddr, SocketAddr};

use counterfoil_core::cookie::HeaderJoin;
use counterfoil_core::origin::{Origin, Scheme};
use counterfoil_core::seam::{RequestView, is_websocket};
use counterfoil_core::token::looks_like_token;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::gateway::{Site, authority_of};
use crate::owned::{Intruder, leaves_ours_alone};

/// The request that a decision is about.
pub struct Original {
    /// Its method.
    pub method: Method,
    /// The origin it came to: one of the app's.
    pub origin: Origin,
    /// Path and query, as the client sent them.
    pub target: String,
    /// Whether it is a WebSocket handshake.
    pub websocket: bool,
    /// The client's headers, without what the proxy added to tell of the request.
    pub headers: HeaderMap,
    /// Who is at the other end of the proxy's connection; `None` on a unix socket.
    pub address: Option<IpAddr>,
    /// How the proxy joins several `Cookie` headers.
    pub join: HeaderJoin,
}

/// What one contract's reader found, before it is checked.
pub(crate) struct Told {
    pub(crate) method: Method,
    pub(crate) scheme: Scheme,
    pub(crate) host: String,
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) join: HeaderJoin,
}

/// What a proxy tells is not a request we could judge. Deny it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// The proxy did not say something.
    #[error("the proxy did not send {0}")]
    Missing(&'static str),
    /// It is there more than once: one of them may be the client's.
    #[error("{0} is there more than once")]
    Repeated(&'static str),
    /// It is not text, or not what it should be.
    #[error("{0} is not what it should be")]
    Unreadable(&'static str),
    /// The host of the request's target is another than that of its `Host`.
    #[error("the target names another host than the Host header")]
    AbsoluteForm,
    /// `Host` with a user name.
    #[error("the host has a user name")]
    UserInfo,
    /// `shop.example.`: another origin to every browser.
    #[error("the host ends in a dot")]
    TrailingDot,
    /// International names travel as punycode.
    #[error("the host is not ASCII")]
    NotAscii,
    /// The app is not there.
    #[error("the host is none of the app's")]
    OtherHost,
    /// The app is there, but the request did not come by https (or came by it).
    #[error("the host is the app's, but the proxy says {}; the app is at {}", .0.as_str(), .1)]
    OtherScheme(Scheme, Box<str>),
    /// A header that is ours.
    #[error(transparent)]
    Intruder(#[from] Intruder),
    /// More than [`MAX_HEADERS`] bytes.
    #[error("the headers are longer than {MAX_HEADERS} bytes")]
    TooLarge,
}

/// The most bytes of headers that are looked at; no browser sends more, and proxies stop at 8 to 64 KiB themselves.
pub const MAX_HEADERS: usize = 64 * 1024;

impl Original {
    /// Checks what a proxy told.
    pub(crate) fn new(site: &Site, told: Told) -> Result<Self, Malformed> {
        let Told { method, scheme, host, target, mut headers, join } = told;
        leaves_ours_alone(&headers)?;
        let origin = origin(site, scheme, &host)?.clone();
        if !target.starts_with('/') {
            return Err(Malformed::Unreadable("the target"));
        }
        let address = take_address(&mut headers)?;
        let websocket = is_websocket(&headers) || headers.keys().any(is_of_websockets);
        Ok(Self { method, origin, target, websocket, headers, address, join })
    }

    /// The request as the engine sees it.
    pub(crate) fn view(&self, may_set_cookie: bool) -> RequestView<'_> {
        RequestView {
            method: &self.method,
            authority: Some(self.authority()),
            target: &self.target,
            headers: &self.headers,
            peer: self.address,
            websocket: self.websocket,
            may_set_cookie,
            cookie_join: self.join,
        }
    }

    /// Its host: lower case, without the scheme's default port.
    pub fn authority(&self) -> &str {
        authority_of(&self.origin)
    }

    /// The path as logs may show it: without the query, not endless, and without one of our tokens.
    pub(crate) fn path_to_tell(&self) -> &str {
        let path = self.target.split('?').next().unwrap_or_default();
        let short = path.char_indices().nth(200).and_then(|(end, _)| path.get(..end)).unwrap_or(path);
        if looks_like_token(path) { "(with a token)" } else { short }
    }
}

impl std::fmt::Debug for Original {
    /// Without headers, where cookies are, and without a query, where a token may be.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let path = self.path_to_tell();
        out.debug_struct("Original").field("method", &self.method).field("path", &path).finish_non_exhaustive()
    }
}

/// Refuses what is too long to be looked at, before anything else.
pub(crate) fn bounded(headers: &HeaderMap) -> Result<(), Malformed> {
    let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if bytes > MAX_HEADERS { Err(Malformed::TooLarge) } else { Ok(()) }
}

/// Takes out a header that must be there once.
pub(crate) fn take(headers: &mut HeaderMap, name: &'static str) -> Result<String, Malformed> {
    let key = HeaderName::from_static(name);
    let mut values = headers.get_all(&key).iter();
    let value = match (values.next(), values.next()) {
        (None, _) => return Err(Malformed::Missing(name)),
        (Some(_), Some(_)) => return Err(Malformed::Repeated(name)),
        (Some(value), None) => std::str::from_utf8(value.as_bytes()).map(str::to_owned),
    };
    headers.remove(&key);
    match value {
        Ok(value) if value.is_empty() => Err(Malformed::Missing(name)),
        value => value.map_err(|_| Malformed::Unreadable(name)),
    }
}

/// The method, of a header.
pub(crate) fn take_method(headers: &mut HeaderMap, name: &'static str) -> Result<Method, Malformed> {
    Method::from_bytes(take(headers, name)?.as_bytes()).map_err(|_| Malformed::Unreadable(name))
}

/// The scheme, of a header. Some proxies say `wss` of a WebSocket's.
pub(crate) fn take_scheme(headers: &mut HeaderMap, name: &'static str) -> Result<Scheme, Malformed> {
    match take(headers, name)?.as_str() {
        "https" | "wss" => Ok(Scheme::Https),
        "http" | "ws" => Ok(Scheme::Http),
        _ => Err(Malformed::Unreadable(name)),
    }
}

/// The origin of the app that `host` names.
fn origin<'a>(site: &'a Site, scheme: Scheme, host: &str) -> Result<&'a Origin, Malformed> {
    let mut at: Option<&Origin> = None;
    for origin in site.origins_at(host) {
        if origin.scheme() == scheme {
            return Ok(origin);
        }
        at = Some(origin);
    }
    let without_port = host.rsplit_once(':').map_or(host, |(name, _)| name);
    Err(match at {
        Some(origin) => Malformed::OtherScheme(scheme, origin.as_str().into()),
        None if !host.is_ascii() => Malformed::NotAscii,
        None if host.contains('@') => Malformed::UserInfo,
        None if host.ends_with('.') || without_port.ends_with('.') => Malformed::TrailingDot,
        None => Malformed::OtherHost,
    })
}

/// Takes the address out that the proxy saw: the last one in `X-Forwarded-For`. What stands before it was there already,
/// and stays, for the app's policy to trust or not.
fn take_address(headers: &mut HeaderMap) -> Result<Option<IpAddr>, Malformed> {
    let all = take(headers, FORWARDED_FOR)?;
    let (before, last) = all.rsplit_once(',').map_or((None, all.as_str()), |(before, last)| (Some(before), last));
    if let Some(before) = before {
        let before = HeaderValue::from_str(before).map_err(|_| Malformed::Unreadable(FORWARDED_FOR))?;
        headers.insert(HeaderName::from_static(FORWARDED_FOR), before);
    }
    let last = last.trim();
    if last == "unix:" {
        return Ok(None);
    }
    let address = last.trim_start_matches('[').trim_end_matches(']').parse();
    let address = address.or_else(|_| last.parse().map(|address: SocketAddr| address.ip()));
    address.map(|address: IpAddr| Some(address.to_canonical())).map_err(|_| Malformed::Unreadable(FORWARDED_FOR))
}

/// Proxies drop `Upgrade` on their way to us. But no handshake comes without these, and no page can send them otherwise.
fn is_of_websockets(name: &HeaderName) -> bool {
    name.as_str().starts_with("sec-websocket-")
}

pub(crate) const FORWARDED_FOR: &str = "x-forwarded-for";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::gateway;

    /// What is told; who it is, if that can be read, and if they have an address; what is left.
    type Row<'a> = (&'a str, Option<Option<&'a str>>, Option<&'a str>);

    #[test]
    fn the_client_is_whom_the_proxy_saw_and_what_it_was_told_before_stays() {
        #[rustfmt::skip]
        let table: [Row<'_>; 10] = [
            ("192.0.2.1",                       Some(Some("192.0.2.1")),   None),
            ("198.51.100.6, 192.0.2.1",         Some(Some("192.0.2.1")),   Some("198.51.100.6")),
            ("unknown, 10.0.0.1,192.0.2.1",     Some(Some("192.0.2.1")),   Some("unknown, 10.0.0.1")),
            ("192.0.2.1:4711",                  Some(Some("192.0.2.1")),   None),
            ("[2001:db8::1]:4711",              Some(Some("2001:db8::1")), None),
            ("2001:db8::1",                     Some(Some("2001:db8::1")), None),
            ("::ffff:192.0.2.1",                Some(Some("192.0.2.1")),   None),
            ("unix:",                           Some(None),                None),
            ("192.0.2.1, unknown",              None,                      Some("192.0.2.1")),
            ("192.0.2.1,",                      None,                      Some("192.0.2.1")),
        ];
        for (text, address, left) in table {
            let mut headers = HeaderMap::new();
            headers.insert(FORWARDED_FOR, HeaderValue::from_static(text));
            let found = take_address(&mut headers).ok();
            assert_eq!(found, address.map(|address| address.map(|text| text.parse().unwrap())), "{text}");
            assert_eq!(headers.get(FORWARDED_FOR).map(|left| left.to_str().unwrap()), left, "{text}");
        }
    }

    #[test]
    fn a_request_prints_no_cookie_and_no_query() {
        let gateway = gateway();
        let site = gateway.sites().called("wiki").cloned().unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("cookie", HeaderValue::from_static("__Host-Http-id=cfoil1_secret"));
        headers.insert(FORWARDED_FOR, HeaderValue::from_static("192.0.2.1"));
        let told = Told {
            method: Method::GET,
            scheme: Scheme::Https,
            host: "wiki.example".to_owned(),
            target: "/page?code=also-secret".to_owned(),
            headers,
            join: HeaderJoin::Standard,
        };
        let shown = format!("{:?}", Original::new(&site, told).unwrap());
        assert!(shown.contains("/page") && !shown.contains("secret"), "{shown}");
    }
}
