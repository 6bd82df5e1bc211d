//! The browser's request, as a proxy tells of it: read strictly, or not at all.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

use counterfoil_core::cookie::HeaderJoin;
use counterfoil_core::origin::{Origin, Scheme};
use counterfoil_core::seam::{RequestView, is_websocket};
use counterfoil_core::token::looks_like_token;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::gateway::{Site, authority_of};
use crate::owned::{Intruder, leaves_ours_alone};

/// The request that a decision is about.
pub struct Original<'a> {
    /// Its method.
    pub method: Method,
    /// The origin it came to: one of the app's.
    pub origin: &'a Origin,
    /// Path and query, as the client sent them.
    pub target: &'a str,
    /// Whether it is a WebSocket handshake.
    pub websocket: bool,
    /// The client's headers, and among them those by which the proxy tells of the request. In `X-Forwarded-For`, where the
    /// app's policy believes it, is what the client sent.
    pub headers: Cow<'a, HeaderMap>,
    /// Who is at the other end of the proxy's connection; `None` on a unix socket.
    pub address: Option<IpAddr>,
    /// How the proxy joins several `Cookie` headers.
    pub join: HeaderJoin,
}

/// What one contract's reader found, before it is checked.
pub(crate) struct Told<'a> {
    pub(crate) method: Method,
    pub(crate) scheme: Scheme,
    pub(crate) host: &'a str,
    pub(crate) target: &'a str,
    /// Whose request it is: `X-Forwarded-For`.
    pub(crate) forwarded_for: &'a str,
    pub(crate) websocket: bool,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) join: HeaderJoin,
}

/// The headers by which a proxy tells of a request, and what else there is to see in a pass over all of them.
pub(crate) struct Heard<'a, const N: usize> {
    /// Each of those that were asked for.
    pub(crate) told: [&'a str; N],
    pub(crate) websocket: bool,
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

impl<'a> Original<'a> {
    /// Checks what a proxy told.
    pub(crate) fn new(site: &'a Site, told: Told<'a>) -> Result<Self, Malformed> {
        let Told { method, scheme, host, target, forwarded_for, websocket, headers, join } = told;
        let origin = origin(site, scheme, host)?;
        if !target.starts_with('/') {
            return Err(Malformed::Unreadable("the target"));
        }
        let (address, before) = seen(forwarded_for)?;
        // Whom nobody trusts is believed nothing, and what was not there before need not be hidden.
        let policy = site.app.policy.address();
        let is_read =
            policy.header_name() == Some(FORWARDED_FOR) && address.is_some_and(|address| policy.trusts(address));
        let headers = match before.filter(|_| is_read) {
            Some(before) => Cow::Owned(forwarded_before(headers, before)?),
            None => Cow::Borrowed(headers),
        };
        Ok(Self { method, origin, target, websocket, headers, address, join })
    }

    /// The request as the engine sees it.
    pub(crate) fn view(&self, may_set_cookie: bool) -> RequestView<'_> {
        RequestView {
            method: &self.method,
            authority: Some(self.authority()),
            target: self.target,
            headers: &self.headers,
            peer: self.address,
            websocket: self.websocket,
            may_set_cookie,
            cookie_join: self.join,
        }
    }

    /// Its host: lower case, without the scheme's default port.
    pub fn authority(&self) -> &str {
        authority_of(self.origin)
    }

    /// The path as logs may show it: without the query, not endless, and without one of our tokens.
    pub(crate) fn path_to_tell(&self) -> &str {
        let path = self.target.split('?').next().unwrap_or_default();
        let short = path.char_indices().nth(200).and_then(|(end, _)| path.get(..end)).unwrap_or(path);
        if looks_like_token(path) { "(with a token)" } else { short }
    }
}

impl std::fmt::Debug for Original<'_> {
    /// Without headers, where cookies are, and without a query, where a token may be.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let path = self.path_to_tell();
        out.debug_struct("Original").field("method", &self.method).field("path", &path).finish_non_exhaustive()
    }
}

impl<'a, const N: usize> Heard<'a, N> {
    /// Reads `names`, in lower case, which must be there once each. One of ours besides is an intruder.
    pub(crate) fn read(headers: &'a HeaderMap, names: [&'static str; N]) -> Result<Self, Malformed> {
        let (mut found, mut bytes, mut websocket) = ([None; N], 0, false);
        for (name, value) in headers {
            let text = name.as_str();
            bytes += text.len() + value.len() + 4;
            if bytes > MAX_HEADERS {
                return Err(Malformed::TooLarge);
            }
            let slot = found.iter_mut().zip(names).find(|(_, wanted)| *wanted == text);
            match slot {
                Some((Some(_), wanted)) => return Err(Malformed::Repeated(wanted)),
                Some((slot, _)) => *slot = Some(value),
                None => leaves_ours_alone(name, value)?,
            }
            websocket |= is_of_websockets(text);
        }
        let mut told = [""; N];
        for ((told, value), name) in told.iter_mut().zip(found).zip(names) {
            let value = value.filter(|value| !value.is_empty()).ok_or(Malformed::Missing(name))?;
            *told = std::str::from_utf8(value.as_bytes()).map_err(|_| Malformed::Unreadable(name))?;
        }
        Ok(Self { told, websocket: websocket || is_websocket(headers) })
    }
}

/// The method, of the header `name`.
pub(crate) fn method(text: &str, name: &'static str) -> Result<Method, Malformed> {
    Method::from_bytes(text.as_bytes()).map_err(|_| Malformed::Unreadable(name))
}

/// The scheme, of the header `name`. Some proxies say `wss` of a WebSocket's.
pub(crate) fn scheme(text: &str, name: &'static str) -> Result<Scheme, Malformed> {
    match text {
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

/// The address that the proxy saw: the last one in `X-Forwarded-For`. What stands before it was there already, for the
/// app's policy to trust or not.
fn seen(forwarded_for: &str) -> Result<(Option<IpAddr>, Option<&str>), Malformed> {
    let (before, last) =
        forwarded_for.rsplit_once(',').map_or((None, forwarded_for), |(before, last)| (Some(before), last));
    let last = last.trim();
    if last == "unix:" {
        return Ok((None, before));
    }
    let address = last.trim_start_matches('[').trim_end_matches(']').parse();
    let address = address.or_else(|_| last.parse().map(|address: SocketAddr| address.ip()));
    let address = address.map_err(|_| Malformed::Unreadable(FORWARDED_FOR))?;
    Ok((Some(IpAddr::to_canonical(&address)), before))
}

/// The headers, with what was in `X-Forwarded-For` before the proxy added whom it saw.
fn forwarded_before(headers: &HeaderMap, before: &str) -> Result<HeaderMap, Malformed> {
    let mut headers = headers.clone();
    let before = HeaderValue::from_str(before).map_err(|_| Malformed::Unreadable(FORWARDED_FOR))?;
    headers.insert(HeaderName::from_static(FORWARDED_FOR), before);
    Ok(headers)
}

/// Proxies drop `Upgrade` on their way to us. But no handshake comes without these, and no page can send them otherwise.
fn is_of_websockets(name: &str) -> bool {
    name.starts_with("sec-websocket-")
}

pub(crate) const FORWARDED_FOR: &str = "x-forwarded-for";

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use counterfoil::{GeneratedKeys, MemoryStore};
    use counterfoil_core::address::AddressSource;
    use counterfoil_core::keys::SharedRing;
    use counterfoil_core::policy::{AddressSettings, PolicySettings};
    use counterfoil_core::seam::Route;

    use super::*;
    use crate::app::AppConfig;
    use crate::gateway::Gateway;
    use crate::testing::{app, gateway};

    /// What is told; who it is, if that can be read and they have an address, and what was there before.
    type Row<'a> = (&'a str, Option<(Option<&'a str>, Option<&'a str>)>);

    #[test]
    fn the_client_is_whom_the_proxy_saw_and_what_it_was_told_before_stays() {
        #[rustfmt::skip]
        let table: [Row<'_>; 10] = [
            ("192.0.2.1",                       Some((Some("192.0.2.1"),   None))),
            ("198.51.100.6, 192.0.2.1",         Some((Some("192.0.2.1"),   Some("198.51.100.6")))),
            ("unknown, 10.0.0.1,192.0.2.1",     Some((Some("192.0.2.1"),   Some("unknown, 10.0.0.1")))),
            ("192.0.2.1:4711",                  Some((Some("192.0.2.1"),   None))),
            ("[2001:db8::1]:4711",              Some((Some("2001:db8::1"), None))),
            ("2001:db8::1",                     Some((Some("2001:db8::1"), None))),
            ("::ffff:192.0.2.1",                Some((Some("192.0.2.1"),   None))),
            ("unix:",                           Some((None,                None))),
            ("192.0.2.1, unknown",              None),
            ("192.0.2.1,",                      None),
        ];
        for (text, expected) in table {
            let expected = expected.map(|(address, before)| (address.map(|text| text.parse().unwrap()), before));
            assert_eq!(seen(text).ok(), expected, "{text}");
        }
    }

    /// A proxy's proxy is believed if the app's policy says so, however the address it came from is written.
    #[test]
    fn what_was_there_before_counts_where_the_one_who_said_it_is_trusted() {
        let trusting = PolicySettings {
            address: AddressSettings {
                trusted_proxies: vec!["10.0.0.0/8".to_owned()],
                header: Some(AddressSource::XForwardedFor),
            },
            ..PolicySettings::aal2("https://wiki.example")
        };
        let app = AppConfig { policy: trusting.try_into().unwrap(), ..app("wiki") };
        let gateway =
            Gateway::new(&[app], SharedRing::from_source(&GeneratedKeys).unwrap(), Arc::new(MemoryStore::new()))
                .unwrap();
        let site = gateway.sites().called("wiki").cloned().unwrap();
        #[rustfmt::skip]
        let table = [
            ("10.0.0.1",                             "10.0.0.1"),
            ("198.51.100.6, 10.0.0.1",               "198.51.100.6"),
            ("198.51.100.6, 10.0.0.1:4711",          "198.51.100.6"),
            ("203.0.113.9, 198.51.100.6, 10.0.0.1",  "198.51.100.6"),
            ("198.51.100.6, 10.9.9.9, 10.0.0.1",     "198.51.100.6"),
            ("198.51.100.6, 192.0.2.1",              "192.0.2.1"),
            ("10.0.0.1, 192.0.2.1",                  "192.0.2.1"),
        ];
        for (forwarded_for, client) in table {
            let headers = [(HeaderName::from_static(FORWARDED_FOR), HeaderValue::from_static(forwarded_for))];
            let headers = HeaderMap::from_iter(headers);
            let told = Told {
                method: Method::GET,
                scheme: Scheme::Https,
                host: "wiki.example",
                target: "/",
                forwarded_for,
                websocket: false,
                headers: &headers,
                join: HeaderJoin::Standard,
            };
            let original = Original::new(&site, told).unwrap();
            let exchange = site.sessions.receive(&original.view(true), Route::default());
            assert_eq!(exchange.client_address(), Some(client.parse().unwrap()), "{forwarded_for}");
        }
    }

    #[test]
    fn a_request_prints_no_cookie_and_no_query() {
        let gateway = gateway();
        let site = gateway.sites().called("wiki").cloned().unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("cookie", HeaderValue::from_static("__Host-Http-id=cfoil1_secret"));
        let told = Told {
            method: Method::GET,
            scheme: Scheme::Https,
            host: "wiki.example",
            target: "/page?code=also-secret",
            forwarded_for: "192.0.2.1",
            websocket: false,
            headers: &headers,
            join: HeaderJoin::Standard,
        };
        let shown = format!("{:?}", Original::new(&site, told).unwrap());
        assert!(shown.contains("/page") && !shown.contains("secret"), "{shown}");
    }
}
