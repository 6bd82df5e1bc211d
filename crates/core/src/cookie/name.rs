//! Cookie names that carry their attributes: who has the name cannot drop `Secure` or `HttpOnly`.

use std::fmt;

use crate::origin::Scheme;

/// Which of our three cookies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CookieKind {
    /// The session of a signed-in subject.
    Session,
    /// A step-up beside it.
    Elevated,
    /// A visitor for whom something was stored before sign-in.
    Anonymous,
}

impl CookieKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Session, Self::Elevated, Self::Anonymous];
}

/// The names of our three cookies on one kind of listener.
///
/// # Security
/// Over https the names begin with `__Host-Http-`. A browser that knows the prefix refuses the cookie unless it came
/// from a response over https with `Secure`, `HttpOnly`, `Path=/` and no `Domain`, so neither a sibling domain nor a
/// script can plant one; an older browser still enforces `__Host-`. The names tell neither product nor purpose (OWASP
/// Session Management, "Session ID Name Fingerprinting").
///
/// The names without prefix exist for development only: nothing keeps another port or a man in the middle from setting
/// them. The caller checks that the listener is a loopback one, and says so loudly.
///
/// # Examples
/// ```
/// use counterfoil_core::cookie::{CookieKind, CookieNames};
///
/// let name = CookieNames::https().name(CookieKind::Session);
/// assert_eq!(name.as_str(), "__Host-Http-id");
/// assert_eq!(name.attributes(), "; Path=/; Secure; HttpOnly");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CookieNames(Scheme);

impl CookieNames {
    /// `__Host-Http-id`, `__Host-Http-el`, `__Host-Http-an`.
    pub const fn https() -> Self {
        Self(Scheme::Https)
    }

    /// `dev-id`, `dev-el`, `dev-an`: without `Secure`, for plain http on loopback listeners.
    pub const fn plain_http_loopback() -> Self {
        Self(Scheme::Http)
    }

    /// The name of the cookie of one kind.
    pub const fn name(self, kind: CookieKind) -> CookieName {
        CookieName { scheme: self.0, kind }
    }

    /// Which cookie has this name. Names are case-sensitive.
    #[inline]
    pub(super) fn kind_of(self, name: &[u8]) -> Option<CookieKind> {
        match name.strip_prefix(self.prefix().as_bytes())? {
            b"id" => Some(CookieKind::Session),
            b"el" => Some(CookieKind::Elevated),
            b"an" => Some(CookieKind::Anonymous),
            _ => None,
        }
    }

    /// What all three names begin with.
    #[inline]
    pub(super) const fn prefix(self) -> &'static str {
        match self.0 {
            Scheme::Https => "__Host-Http-",
            Scheme::Http => "dev-",
        }
    }
}

/// The name of one cookie, and with it the attributes it is always set and removed with.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CookieName {
    scheme: Scheme,
    kind: CookieKind,
}

impl CookieName {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match (self.scheme, self.kind) {
            (Scheme::Https, CookieKind::Session) => "__Host-Http-id",
            (Scheme::Https, CookieKind::Elevated) => "__Host-Http-el",
            (Scheme::Https, CookieKind::Anonymous) => "__Host-Http-an",
            (Scheme::Http, CookieKind::Session) => "dev-id",
            (Scheme::Http, CookieKind::Elevated) => "dev-el",
            (Scheme::Http, CookieKind::Anonymous) => "dev-an",
        }
    }

    /// The attributes that the name decides, as they follow the value.
    pub const fn attributes(self) -> &'static str {
        match self.scheme {
            Scheme::Https => "; Path=/; Secure; HttpOnly",
            Scheme::Http => "; Path=/; HttpOnly",
        }
    }

    /// Which cookie it is.
    pub const fn kind(self) -> CookieKind {
        self.kind
    }

    /// Whether browsers return it over https only.
    pub const fn is_secure(self) -> bool {
        matches!(self.scheme, Scheme::Https)
    }
}

impl fmt::Display for CookieName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl fmt::Debug for CookieName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "CookieName({self})")
    }
}
