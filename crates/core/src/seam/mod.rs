//! The seam every transport adapts to: a request goes in as a view, effects come out.

#[cfg(feature = "testing")]
pub mod table;

use std::net::IpAddr;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};

use crate::cookie::{HeaderJoin, SetCookie};
use crate::csrf::{DenyReason, RouteFlags};

/// One request, as any transport sees it. Borrowed; nothing is copied on the way in.
#[derive(Clone, Copy)]
pub struct RequestView<'a> {
    /// The method.
    pub method: &'a Method,
    /// `Host` or `:authority`, as the client sent it.
    pub authority: Option<&'a str>,
    /// Path and query.
    pub target: &'a str,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// Who is at the other end of the connection; `None` on a unix socket.
    pub peer: Option<IpAddr>,
    /// Whether this is a WebSocket handshake. [`is_websocket`] tells for HTTP/1.1.
    pub websocket: bool,
    /// Whether a cookie can travel back with the response. Where a hop drops them, tokens do not rotate.
    pub may_set_cookie: bool,
    /// What separates cookies. [`HeaderJoin::Standard`], unless a proxy in front is known to join `Cookie` headers.
    pub cookie_join: HeaderJoin,
}

impl std::fmt::Debug for RequestView<'_> {
    /// Without headers, where cookies are, and without the target, where a token may be.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { method, authority, peer, .. } = self;
        out.debug_struct("RequestView")
            .field("method", method)
            .field("authority", authority)
            .field("peer", peer)
            .finish_non_exhaustive()
    }
}

/// What the application declared about a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Route {
    /// What the CSRF decision must know.
    pub csrf: RouteFlags,
    /// The session is loaded only if somebody looks, and the route does not fail with the store.
    pub public: bool,
    /// The request is polling and does not count as user activity.
    pub quiet: bool,
    /// How sure it must be who this is.
    pub care: Care,
}

/// How sure a route must be who this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Care {
    /// As sure as on any route.
    #[default]
    Usual,
    /// The session is asked of the store itself, whatever this node remembers of it.
    AskStore,
    /// The same; and a request that shows another client than its session's, or another place, waits for a step-up.
    Sensitive,
    /// Here people step up, or sign out: nobody who must be signed in waits for a step-up first, whatever their requests show.
    StepUp,
}

/// What the response must carry.
#[derive(Debug, Default)]
pub struct Effects {
    /// At most one cookie of ours.
    pub set_cookie: Option<SetCookie>,
    /// The `Set-Cookie` value that removes the cookie of the layer before.
    pub remove_old: Option<Box<str>>,
    /// Whether the response depends on a session: it must not be stored by any cache then.
    pub uses_session: bool,
    /// What replaces the application's answer.
    pub denial: Option<Denial>,
}

/// Why a request is not answered by the application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Denial {
    /// It looks like a cross-site request: 403.
    Csrf(DenyReason),
    /// Nobody is signed in, or only remembered: 401, or the sign-in page.
    SignInRequired,
    /// A step-up within this time is needed: 401 with a challenge (RFC 9470), or the step-up page.
    StepUpRequired {
        /// How fresh it must be.
        max_age: Duration,
    },
    /// Somebody is signed in, but not recently enough, or nobody was active for too long: 401 with a challenge
    /// (RFC 9470), or the sign-in page.
    SignInAgain {
        /// How recent it must be.
        max_age: Duration,
    },
    /// The session ended while the request ran, and what it changed was dropped: 401, or the sign-in page.
    Ended,
    /// The store did not answer: 503. The client keeps its cookie.
    Unavailable,
    /// What the request set could not be stored, and never can: 500. A fault of the application's.
    NotStored,
}

impl Denial {
    /// The HTTP status for clients that read it.
    pub const fn status(self) -> u16 {
        match self {
            Self::Csrf(_) => 403,
            Self::SignInRequired | Self::StepUpRequired { .. } | Self::SignInAgain { .. } | Self::Ended => 401,
            Self::Unavailable => 503,
            Self::NotStored => 500,
        }
    }
}

/// Whether a request is a navigation: a person waits for a page. By `Sec-Fetch-Mode`, or without it by an `Accept` that
/// prefers `text/html`.
pub fn is_navigation(headers: &HeaderMap) -> bool {
    navigates(headers.get(&SEC_FETCH_MODE), headers)
}

/// As [`is_navigation`], where `Sec-Fetch-Mode` was found already.
pub(crate) fn navigates(fetch_mode: Option<&HeaderValue>, headers: &HeaderMap) -> bool {
    match fetch_mode {
        Some(mode) => mode.as_bytes() == b"navigate",
        None => prefers_html(headers),
    }
}

/// Whether `Sec-Purpose` or `Purpose` says that the request is made ahead of time, for a page nobody may ever look at.
pub(crate) fn says_prefetch(purpose: &[u8]) -> bool {
    purpose.windows(8).any(|word| word == b"prefetch")
}

/// Whether an HTTP/1.1 request is a WebSocket handshake (RFC 6455, section 4.1).
pub fn is_websocket(headers: &HeaderMap) -> bool {
    let upgrades = headers.get_all(header::UPGRADE).iter();
    upgrades.flat_map(|value| value.as_bytes().split(|byte| *byte == b',')).any(|protocol| {
        let name = protocol.split(|byte| *byte == b'/').next().unwrap_or_default();
        name.trim_ascii().eq_ignore_ascii_case(b"websocket")
    })
}

/// Whether `Accept` gives `text/html` a higher quality than JSON. Several lines are one list (RFC 9110, section 5.3).
fn prefers_html(headers: &HeaderMap) -> bool {
    let (mut html, mut other) = (None, 0);
    let lines = headers.get_all(header::ACCEPT).iter().map(HeaderValue::as_bytes);
    for range in lines.flat_map(|line| line.split(|byte| *byte == b',')).take(32) {
        let mut parts = range.split(|byte| *byte == b';');
        let media = parts.next().unwrap_or_default().trim_ascii();
        let quality = parts.find_map(quality).unwrap_or(1_000);
        if media.eq_ignore_ascii_case(b"text/html") || media.eq_ignore_ascii_case(b"application/xhtml+xml") {
            html = Some(html.unwrap_or(0).max(quality));
        } else if media.eq_ignore_ascii_case(b"application/json") || media.ends_with(b"+json") {
            other = other.max(quality);
        }
    }
    html.is_some_and(|html| html > 0 && html > other)
}

/// `q=0.8` in thousandths (RFC 9110, section 12.4.2).
fn quality(parameter: &[u8]) -> Option<u32> {
    let value = parameter.trim_ascii().strip_prefix(b"q=").or_else(|| parameter.trim_ascii().strip_prefix(b"Q="))?;
    let quality: f32 = std::str::from_utf8(value).ok()?.parse().ok()?;
    [0.0_f32..=1.0].iter().any(|range| range.contains(&quality)).then(|| thousandths(quality))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the caller has checked 0 ≤ quality ≤ 1")]
fn thousandths(quality: f32) -> u32 {
    (quality * 1_000.0) as u32
}

pub(crate) const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    #[test]
    fn a_request_prints_no_cookie_and_no_target() {
        let headers = headers(&[("cookie", "__Host-Http-id=secret")]);
        let shown = RequestView {
            method: &Method::GET,
            authority: Some("shop.example"),
            target: "/reset?code=also-secret",
            headers: &headers,
            peer: None,
            websocket: false,
            may_set_cookie: true,
            cookie_join: HeaderJoin::Standard,
        };
        let shown = format!("{shown:?}");
        assert!(shown.contains("shop.example") && !shown.contains("secret"), "{shown}");
    }

    #[test]
    fn a_navigation_says_so_or_prefers_html() {
        #[rustfmt::skip]
        let rows = [
            ("fetch metadata: navigate",  vec![("sec-fetch-mode", "navigate"), ("accept", "*/*")], true),
            ("fetch metadata wins",       vec![("sec-fetch-mode", "cors"), ("accept", "text/html")], false),
            ("a browser's Accept",        vec![("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")], true),
            ("curl",                      vec![("accept", "*/*")], false),
            ("nothing",                   vec![], false),
            ("JSON",                      vec![("accept", "application/json")], false),
            ("JSON before html",          vec![("accept", "application/json, text/html;q=0.5")], false),
            ("html before JSON",          vec![("accept", "application/json;q=0.5, text/html")], true),
            ("as good as JSON",           vec![("accept", "text/html, application/json")], false),
            ("html refused",              vec![("accept", "text/html;q=0")], false),
            ("quality that is no number", vec![("accept", "text/html;q=NaN")], true),
            ("TEXT/HTML",                 vec![("accept", "TEXT/HTML")], true),
        ];
        for (name, pairs, navigation) in rows {
            assert_eq!(is_navigation(&headers(&pairs)), navigation, "{name}");
        }
    }

    #[test]
    fn accept_lines_are_read_together() {
        let mut request = headers(&[("accept", "text/html;q=0.5")]);
        assert!(is_navigation(&request));
        request.append("accept", "application/json;q=0.9".parse().unwrap());
        assert!(!is_navigation(&request));
    }

    #[test]
    fn a_handshake_is_known_by_its_upgrade() {
        assert!(is_websocket(&headers(&[("upgrade", "WebSocket")])));
        assert!(is_websocket(&headers(&[("upgrade", "h2c, websocket/13")])));
        assert!(!is_websocket(&headers(&[("upgrade", "h2c")])));
    }

    #[test]
    fn a_prefetch_is_known_by_its_purpose() {
        assert!(says_prefetch(b"prefetch;prerender"));
        assert!(says_prefetch(b"prefetch"));
        assert!(!says_prefetch(b""));
    }
}
