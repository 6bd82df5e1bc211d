//! The CSRF decision: seven rules, in order, over what one request says. Pure.

use super::{CsrfVerdict, DenyReason, MethodKind, NeedReason, PassReason};
use crate::origin::{PublicOrigins, TrustedOrigins};

/// A header that must not be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HeaderCount<'a> {
    /// Not there.
    #[default]
    Absent,
    /// There once, perhaps empty.
    One(&'a [u8]),
    /// There more than once, even if all are the same.
    Repeated,
}

impl<'a> HeaderCount<'a> {
    /// Counts the values of one header.
    pub fn of(values: impl IntoIterator<Item = &'a [u8]>) -> Self {
        values.into_iter().fold(Self::Absent, Self::and)
    }

    /// The header with one more value.
    pub(crate) const fn and(self, value: &'a [u8]) -> Self {
        match self {
            Self::Absent => Self::One(value),
            Self::One(_) | Self::Repeated => Self::Repeated,
        }
    }
}

/// What the app declared about a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RouteFlags {
    /// A GET here changes something, so safe methods are judged as well.
    pub changes_state: bool,
    /// Sign-in. Counts as cookie-bearing, or another site could sign a visitor in as somebody else (login CSRF).
    pub sign_in: bool,
    /// Needs a valid token whatever the headers say.
    pub sensitive: bool,
}

/// All that the decision looks at.
#[derive(Debug, Clone, Copy)]
pub struct CsrfFacts<'a> {
    /// The method, overrides and WebSocket handshakes resolved: [`effective_method`](super::effective_method).
    pub method: MethodKind,
    /// What the app declared about the route.
    pub route: RouteFlags,
    /// A cookie of ours is present, usable or not.
    pub cookie_bearing: bool,
    /// `Authorization` is present with a scheme that browsers do not send on their own (so not `Basic`, `Digest` or
    /// `Negotiate`).
    pub authorization_present: bool,
    /// `Origin`.
    pub origin: HeaderCount<'a>,
    /// `Sec-Fetch-Site`.
    pub sec_fetch_site: HeaderCount<'a>,
    /// `Referer`.
    pub referer: HeaderCount<'a>,
    /// `X-CSRF: 1` is present, once.
    pub x_csrf_is_1: bool,
}

/// Judges one request, before its handler runs.
///
/// # Security
/// Relies on browsers: they set `Origin` and `Sec-Fetch-Site`, and pages cannot. What a client other than a browser
/// claims does not matter here, as it holds no other person's cookies. Not stopped: script injected into our own pages.
///
/// # Examples
/// ```
/// use counterfoil_core::csrf::*;
/// use counterfoil_core::origin::{PublicOrigins, TrustedOrigins};
///
/// let public = PublicOrigins::new(["https://shop.example".parse()?])?;
/// let facts = CsrfFacts {
///     method: effective_method(b"POST", []),
///     route: RouteFlags::default(),
///     cookie_bearing: true,
///     authorization_present: false,
///     origin: HeaderCount::One(b"https://evil.example"),
///     sec_fetch_site: HeaderCount::One(b"cross-site"),
///     referer: HeaderCount::Absent,
///     x_csrf_is_1: false,
/// };
/// assert_eq!(decide(&facts, &public, &TrustedOrigins::none()), CsrfVerdict::Deny(DenyReason::ForeignOrigin));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub fn decide(facts: &CsrfFacts<'_>, public: &PublicOrigins, trusted: &TrustedOrigins) -> CsrfVerdict {
    // Rule 1.
    match facts.method {
        MethodKind::Trace => return CsrfVerdict::Deny(DenyReason::Trace),
        MethodKind::Safe if !facts.route.changes_state => return CsrfVerdict::Pass(PassReason::SafeMethod),
        MethodKind::Safe | MethodKind::Unsafe | MethodKind::WebSocketUpgrade => {}
    }
    // Rule 7.
    match (Request { facts, public, trusted }).judge() {
        CsrfVerdict::Pass(_) if facts.route.sensitive => CsrfVerdict::NeedsToken(NeedReason::Sensitive),
        verdict => verdict,
    }
}

/// A request that may change something, beside the origins it is held against.
struct Request<'a> {
    facts: &'a CsrfFacts<'a>,
    public: &'a PublicOrigins,
    trusted: &'a TrustedOrigins,
}

impl Request<'_> {
    /// Rules 2 and 3.
    fn judge(&self) -> CsrfVerdict {
        if !self.bears_cookie() && self.facts.authorization_present {
            return CsrfVerdict::Pass(PassReason::NoCookie);
        }
        match (self.facts.origin.single(), self.facts.sec_fetch_site.single()) {
            (Err(Repeated), _) => CsrfVerdict::Deny(DenyReason::RepeatedOrigin),
            (_, Err(Repeated)) => CsrfVerdict::Deny(DenyReason::RepeatedFetchSite),
            (Ok(origin), Ok(site)) => self.by_origin_and_site(origin, site),
        }
    }

    /// Rules 4 to 6.
    fn by_origin_and_site(&self, origin: Option<&[u8]>, site: Option<&[u8]>) -> CsrfVerdict {
        match (self.whose(origin), site) {
            (Whose::Trusted, _) => CsrfVerdict::Pass(PassReason::TrustedOrigin),
            (Whose::Foreign, _) => CsrfVerdict::Deny(DenyReason::ForeignOrigin),
            (_, Some(b"same-site")) => CsrfVerdict::Deny(DenyReason::SameSite),
            (_, Some(b"cross-site")) => CsrfVerdict::Deny(DenyReason::CrossSite),
            // Whatever else Sec-Fetch-Site says, only a token tells whose `null` it is.
            (Whose::Null, _) => CsrfVerdict::NeedsToken(NeedReason::NullOrigin),
            (Whose::Public | Whose::Unsaid, Some(b"same-origin")) => CsrfVerdict::Pass(PassReason::SameOrigin),
            (Whose::Public | Whose::Unsaid, Some(b"none")) => CsrfVerdict::Pass(PassReason::UserInitiated),
            (Whose::Public, _) => CsrfVerdict::Pass(PassReason::PublicOrigin),
            (Whose::Unsaid, _) => self.by_referer(),
        }
    }

    /// Rule 6, where neither `Origin` nor `Sec-Fetch-Site` says anything.
    fn by_referer(&self) -> CsrfVerdict {
        match self.facts.referer.single() {
            Err(Repeated) => CsrfVerdict::Deny(DenyReason::RepeatedReferer),
            Ok(Some(page)) if self.public.matches_referer(page) => CsrfVerdict::Pass(PassReason::PublicReferer),
            Ok(Some(page)) if self.trusted.matches_referer(page) => CsrfVerdict::Pass(PassReason::TrustedReferer),
            Ok(Some(_)) => CsrfVerdict::Deny(DenyReason::ForeignReferer),
            Ok(None) if !self.bears_cookie() => CsrfVerdict::Pass(PassReason::NothingToMisuse),
            Ok(None) if self.facts.x_csrf_is_1 => CsrfVerdict::Pass(PassReason::CustomHeader),
            Ok(None) => CsrfVerdict::NeedsToken(NeedReason::NoHeaders),
        }
    }

    fn whose(&self, origin: Option<&[u8]>) -> Whose {
        match origin {
            None => Whose::Unsaid,
            Some(value) if self.public.matches_header(value) => Whose::Public,
            Some(value) if self.trusted.matches_header(value) => Whose::Trusted,
            Some(b"null") => Whose::Null,
            Some(_) => Whose::Foreign,
        }
    }

    const fn bears_cookie(&self) -> bool {
        self.facts.cookie_bearing || self.facts.route.sign_in
    }
}

/// Whose page sent the request, as far as `Origin` says.
enum Whose {
    Public,
    Trusted,
    Null,
    Foreign,
    Unsaid,
}

struct Repeated;

impl<'a> HeaderCount<'a> {
    const fn single(self) -> Result<Option<&'a [u8]>, Repeated> {
        match self {
            Self::Absent => Ok(None),
            Self::One(value) => Ok(Some(value)),
            Self::Repeated => Err(Repeated),
        }
    }
}
