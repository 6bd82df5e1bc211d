//! An app the gateway protects, as it was configured.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use counterfoil::Policy;
use serde::Deserialize;

use crate::app_cookies::AppCookies;
use crate::rules::Rules;

/// One app.
#[derive(Debug, Clone)]
pub struct AppConfig {
    /// Its name: in the address of its decision endpoint, and the audience of its assertions.
    pub name: AppName,
    /// Which proxy asks for it.
    pub proxy: Proxy,
    /// Its sessions. The policy's public origins are the app's, and no other app's.
    pub policy: Policy,
    /// Who may go where.
    pub rules: Rules,
    /// Whether the proxy hands our cookie back with the app's answer.
    pub cookie_return: CookieReturn,
    /// How its assertions are signed.
    pub assertion: Algorithm,
    /// Its own session cookies, which end with ours.
    pub app_cookies: AppCookies,
    /// Where the app itself is, for the proxy configurations we write.
    pub upstream: Option<http::Uri>,
}

/// The name of an app: letters a to z, digits and hyphens, 1 to 32 of them, not a hyphen first.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AppName(Box<str>);

/// A proxy, and with it the contract it speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Proxy {
    /// nginx, `auth_request`.
    Nginx,
    /// Traefik, `forwardAuth`.
    Traefik,
    /// Caddy, `forward_auth`.
    Caddy,
    /// `HAProxy`, by a Lua action.
    Haproxy,
    /// Envoy, `ext_authz` over HTTP.
    Envoy,
    /// Envoy, `ext_authz` over gRPC.
    EnvoyGrpc,
}

/// Whether a proxy hands our `Set-Cookie` back with the app's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CookieReturn {
    /// It hands one back: tokens rotate on any request.
    #[default]
    One,
    /// It hands none back, or the app holds answers back longer than a rotation takes: tokens rotate on our own pages.
    None,
}

/// How assertions are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256 (RFC 7518, section 3.4): what every JOSE library verifies.
    #[default]
    Es256,
    /// Ed25519 (RFC 8037, section 3.1): faster, and verified by most.
    EdDsa,
    /// HMAC-SHA256 with a key of the app's own (RFC 7518, section 3.2): for apps that have only their standard library.
    Hs256,
}

/// Not the name of an app.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a name for an app: use 1 to 32 of the letters a to z, digits and hyphens, not a hyphen first")]
pub struct BadAppName(Box<str>);

impl AppName {
    /// As it stands in addresses.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AppName {
    type Err = BadAppName;

    fn from_str(text: &str) -> Result<Self, BadAppName> {
        let fits = (1..=32).contains(&text.len())
            && !text.starts_with('-')
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if fits { Ok(Self(text.into())) } else { Err(BadAppName(text.chars().take(64).collect::<String>().into())) }
    }
}

/// So that a name as it stands in an address finds its app.
impl Borrow<str> for AppName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AppName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl Algorithm {
    /// As it is written in configurations.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "es256",
            Self::EdDsa => "eddsa",
            Self::Hs256 => "hs256",
        }
    }
}

impl Proxy {
    /// Whether this build speaks its contract: gRPC is a feature.
    pub const fn is_spoken(self) -> bool {
        !matches!(self, Self::EnvoyGrpc) || cfg!(feature = "grpc")
    }

    /// All there are.
    pub const ALL: [Self; 6] = [Self::Nginx, Self::Traefik, Self::Caddy, Self::Haproxy, Self::Envoy, Self::EnvoyGrpc];

    /// As it is written in configurations and commands.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Traefik => "traefik",
            Self::Caddy => "caddy",
            Self::Haproxy => "haproxy",
            Self::Envoy => "envoy",
            Self::EnvoyGrpc => "envoy-grpc",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_plain() {
        let long = "a".repeat(33);
        for (text, good) in [
            ("wiki", true),
            ("a", true),
            ("app-2", true),
            ("2", true),
            ("", false),
            ("-a", false),
            ("Wiki", false),
            ("a/b", false),
            ("a.b", false),
            ("ä", false),
            (long.as_str(), false),
        ] {
            assert_eq!(text.parse::<AppName>().is_ok(), good, "{text}");
        }
    }
}
