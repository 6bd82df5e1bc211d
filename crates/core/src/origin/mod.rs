//! Web origins: scheme, host and port, canonical and exact. No prefixes, no wildcards, no sub-domain rules.

mod parse;
mod set;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

pub use self::parse::OriginError;
pub use self::set::{NoPublicOrigin, PublicOrigins, TrustedOrigins};

/// How a request, or an origin, travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Plain http. Ours only on loopback, in development.
    Http,
    /// http over TLS.
    Https,
}

impl Scheme {
    /// As it is written before `://`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port that an origin of this scheme leaves out.
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// One exact web origin (RFC 6454), kept as browsers write it in `Origin`: lower case, punycode, no default port.
///
/// # Security
/// Two origins are the same only if scheme, host and port are. A host with a trailing dot is refused, not trimmed:
/// to a browser `https://shop.example.` is another origin with another cookie jar, and a request from there is foreign.
///
/// # Examples
/// ```
/// use counterfoil_core::origin::Origin;
///
/// let shop: Origin = "https://Shop.Example:443".parse()?;
/// assert_eq!(shop.as_str(), "https://shop.example");
/// assert!(shop.matches_header(b"https://shop.example"));
/// assert!(!shop.matches_header(b"http://shop.example"));
/// # Ok::<_, counterfoil_core::origin::OriginError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    text: String,
    scheme: Scheme,
    port: u16,
    host: std::ops::Range<usize>,
}

impl Origin {
    /// Reads an origin from configuration.
    ///
    /// Upper case, an international host and a written-out default port are brought to canonical form. All that is not
    /// an origin is refused, down to a final slash: what follows the host would be silently without effect.
    ///
    /// # Errors
    /// [`OriginError`], whose text says what to write instead.
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        parse::origin(text)
    }

    /// Whether the value of an `Origin` header names this origin.
    ///
    /// Browsers write the canonical form, so one comparison of bytes decides almost always. Any other spelling is
    /// parsed; what does not parse (`null`, a list, bytes outside ASCII, more than 300 bytes) is not this origin.
    pub fn matches_header(&self, value: &[u8]) -> bool {
        self.is_exactly(value) || parse::header(value).is_some_and(|origin| origin == *self)
    }

    /// The canonical ASCII form, as in an `Origin` header.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The scheme.
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host: lower case, punycode, IPv6 in brackets.
    pub fn host(&self) -> &str {
        self.text.get(self.host.clone()).unwrap_or_default()
    }

    /// Host and, unless it is the scheme's default, port: what a request's `Host` says.
    pub fn authority(&self) -> &str {
        self.text.get(self.host.start..).unwrap_or_default()
    }

    /// The port, also where it is the scheme's default.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Whether it is https.
    pub fn is_https(&self) -> bool {
        self.scheme == Scheme::Https
    }

    /// Whether it names this machine: `localhost`, `127.0.0.0/8` or `[::1]`.
    pub fn is_loopback(&self) -> bool {
        let host = self.host();
        let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
        host == "localhost" || host.ends_with(".localhost") || literal.is_ok_and(|address| address.is_loopback())
    }

    fn is_exactly(&self, value: &[u8]) -> bool {
        self.text.as_bytes() == value
    }
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Origin({})", self.text)
    }
}
