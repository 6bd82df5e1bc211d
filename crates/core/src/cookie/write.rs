//! Writes `Set-Cookie`. The shape is checked once, when the policy is built; each response then only fills it.

use std::fmt;
use std::time::Duration;

use zeroize::Zeroizing;

use super::{CookieKind, CookieName, CookieNames, MAX_COOKIE_BYTES};

/// When browsers send the cookie along with a request that another site caused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SameSite {
    /// With top-level navigations by a safe method. The default: `Strict` breaks the return from single sign-on.
    #[default]
    Lax,
    /// Never.
    Strict,
    /// Always: for apps that live in other sites' frames. Over https only.
    None,
    /// Always, with one cookie jar per embedding site (CHIPS). Over https only.
    NonePartitioned,
}

impl SameSite {
    const fn attributes(self) -> &'static str {
        match self {
            Self::Lax => "; SameSite=Lax",
            Self::Strict => "; SameSite=Strict",
            Self::None => "; SameSite=None",
            Self::NonePartitioned => "; SameSite=None; Partitioned",
        }
    }

    const fn needs_secure(self) -> bool {
        matches!(self, Self::None | Self::NonePartitioned)
    }
}

/// How long the browser keeps the cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CookieLifetime {
    /// For this long, rounded down to seconds and held between one second and [`CookieLifetime::LONGEST`].
    ///
    /// Never zero: `Max-Age=0` would remove the cookie, and only [`CookieShape::removal`] does that.
    For(Duration),
    /// Until the browser closes, by its own idea of closing: many restore such cookies with the tabs.
    UntilBrowserCloses,
}

impl CookieLifetime {
    /// 400 days: browsers keep no cookie longer (RFC 6265bis, section 5.5).
    pub const LONGEST: Duration = Duration::from_hours(400 * 24);
}

/// Everything about our cookies but their values: names with their attributes, and `SameSite`.
///
/// # Security
/// There is no setter for `Secure`, `HttpOnly`, `Path` or `Domain`: the name decides. A cookie and its removal come from
/// the same shape, so the removal always fits the cookie it removes.
///
/// # Examples
/// ```
/// use counterfoil_core::cookie::{CookieKind, CookieLifetime, CookieNames, CookieShape, SameSite};
/// use std::time::Duration;
///
/// let shape = CookieShape::new(CookieNames::https(), SameSite::Lax)?;
/// let cookie = shape.set(CookieKind::Session, "cfoil1_k1_AbC", CookieLifetime::For(Duration::from_secs(3600)))?;
/// assert_eq!(cookie.as_str(), "__Host-Http-id=cfoil1_k1_AbC; Max-Age=3600; Path=/; Secure; HttpOnly; SameSite=Lax");
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CookieShape {
    names: CookieNames,
    same_site: SameSite,
}

impl CookieShape {
    /// Puts names and `SameSite` together.
    ///
    /// # Errors
    /// [`NeedsSecure`] for `SameSite=None` over plain http: browsers would drop every cookie without a word.
    pub const fn new(names: CookieNames, same_site: SameSite) -> Result<Self, NeedsSecure> {
        if same_site.needs_secure() && !names.name(CookieKind::Session).is_secure() {
            return Err(NeedsSecure);
        }
        Ok(Self { names, same_site })
    }

    /// The names, for [`scan`](super::scan).
    pub const fn names(self) -> CookieNames {
        self.names
    }

    /// When browsers send them along with what another site caused.
    pub const fn same_site(self) -> SameSite {
        self.same_site
    }

    /// The header value that sets a cookie.
    ///
    /// # Errors
    /// [`CookieError`] if a browser would drop or cut the cookie. Nothing was sent yet: it is a fault of ours.
    pub fn set(self, kind: CookieKind, value: &str, lifetime: CookieLifetime) -> Result<SetCookie, CookieError> {
        let name = self.names.name(kind);
        check(name, value)?;
        let age = match lifetime {
            CookieLifetime::UntilBrowserCloses => String::new(),
            CookieLifetime::For(span) => {
                format!("; Max-Age={}", span.clamp(Duration::from_secs(1), CookieLifetime::LONGEST).as_secs())
            }
        };
        Ok(self.print(name, value, &age))
    }

    /// The header value that removes a cookie: same name, path and attributes as the one it removes.
    pub fn removal(self, kind: CookieKind) -> SetCookie {
        self.print(self.names.name(kind), "", "; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT")
    }

    /// Sized before it is written: growing would leave a copy of the token behind.
    fn print(self, name: CookieName, value: &str, age: &str) -> SetCookie {
        let parts = [name.as_str(), "=", value, age, name.attributes(), self.same_site.attributes()];
        let mut text = Zeroizing::new(String::with_capacity(parts.iter().map(|part| part.len()).sum()));
        for part in parts {
            text.push_str(part);
        }
        SetCookie { name, text }
    }
}

/// The value of one `Set-Cookie` header: visible ASCII and spaces. `Debug` shows the name only; wiped when dropped.
pub struct SetCookie {
    name: CookieName,
    text: Zeroizing<String>,
}

impl SetCookie {
    /// The header value. It holds a secret: mark the header as sensitive.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Which cookie it sets or removes.
    pub const fn name(&self) -> CookieName {
        self.name
    }
}

impl fmt::Debug for SetCookie {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "SetCookie({}=redacted)", self.name)
    }
}

/// `SameSite=None` together with cookies that are not `Secure`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("SameSite=None needs Secure cookies; serve over https or choose Lax")]
pub struct NeedsSecure;

/// A value that browsers would drop or cut. A fault of ours; the value itself is never shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CookieError {
    /// An empty value means nothing to us; removing a cookie is [`CookieShape::removal`].
    #[error("a cookie's value is empty")]
    Empty,
    /// Name and value together exceed [`MAX_COOKIE_BYTES`].
    #[error("a cookie of {bytes} bytes exceeds the {MAX_COOKIE_BYTES} that browsers keep")]
    TooLong {
        /// Length of name and value.
        bytes: usize,
    },
    /// A byte outside `cookie-octet` (RFC 6265): a control, space, quote, comma, semicolon, backslash or non-ASCII byte.
    #[error("a cookie's value has a byte at position {position} that cookies cannot carry")]
    Byte {
        /// Where, counted from 0.
        position: usize,
    },
}

fn check(name: CookieName, value: &str) -> Result<(), CookieError> {
    let bytes = name.as_str().len() + value.len();
    if value.is_empty() {
        return Err(CookieError::Empty);
    }
    if bytes > MAX_COOKIE_BYTES {
        return Err(CookieError::TooLong { bytes });
    }
    match value.bytes().position(|byte| !is_cookie_octet(byte)) {
        Some(position) => Err(CookieError::Byte { position }),
        None => Ok(()),
    }
}

const fn is_cookie_octet(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b',' | b';' | b'\\')
}
