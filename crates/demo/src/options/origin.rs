//! A public origin: scheme, host and port, in the form browsers send.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    str::FromStr,
};

use url::{Host, Url};

/// A canonical origin. Two are equal exactly when a browser would call them same-origin.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    scheme: Scheme,
    host: Host,
    port: u16,
}

/// The schemes the demo can be reached under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `http`
    Http,
    /// `https`
    Https,
}

/// Why a text is no origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OriginRefused {
    /// It cannot be read as a URL.
    #[error("expected http:// or https://, a host and perhaps a port, for example https://demo.example.org")]
    NotAUrl(#[from] url::ParseError),
    /// Another scheme.
    #[error("only http:// and https:// origins exist here")]
    Scheme,
    /// More than an origin.
    #[error("an origin ends after the host and port: leave out user, path, query and fragment")]
    MoreThanAnOrigin,
}

impl Origin {
    /// The origin of a listener at `bound`; for one on all addresses, of its loopback address.
    pub fn at(scheme: Scheme, bound: SocketAddr) -> Self {
        let host = match bound.ip() {
            IpAddr::V4(any) if any.is_unspecified() => Host::Ipv4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(any) if any.is_unspecified() => Host::Ipv6(Ipv6Addr::LOCALHOST),
            IpAddr::V4(ip) => Host::Ipv4(ip),
            IpAddr::V6(ip) => Host::Ipv6(ip),
        };
        Self { scheme, host, port: bound.port() }
    }

    /// [`Origin::at`], and the same by the name `localhost` where that leads there.
    pub(super) fn of_listener(scheme: Scheme, bound: SocketAddr) -> Vec<Self> {
        let own = Self::at(scheme, bound);
        let by_name = Self { host: Host::Domain("localhost".to_owned()), ..own.clone() };
        if own.is_loopback() { vec![own, by_name] } else { vec![own] }
    }

    /// The scheme.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host as a certificate names it: a domain in ASCII, or an address without brackets.
    pub fn host_name(&self) -> String {
        match &self.host {
            Host::Domain(domain) => domain.clone(),
            Host::Ipv4(ip) => ip.to_string(),
            Host::Ipv6(ip) => ip.to_string(),
        }
    }

    /// Whether browsers keep requests to this host on the machine (`localhost` and names below it never leave it).
    pub fn is_loopback(&self) -> bool {
        match &self.host {
            Host::Domain(domain) => domain == "localhost" || domain.ends_with(".localhost"),
            Host::Ipv4(ip) => ip.is_loopback(),
            Host::Ipv6(ip) => IpAddr::V6(*ip).to_canonical().is_loopback(),
        }
    }
}

impl FromStr for Origin {
    type Err = OriginRefused;

    fn from_str(text: &str) -> Result<Self, OriginRefused> {
        let url = Url::parse(text)?;
        let scheme = match url.scheme() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => return Err(OriginRefused::Scheme),
        };
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        if !bare || !url.username().is_empty() || url.password().is_some() {
            return Err(OriginRefused::MoreThanAnOrigin);
        }
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return Err(OriginRefused::NotAUrl(url::ParseError::EmptyHost));
        };
        Ok(Self { scheme, host: host.to_owned(), port })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        if self.port == self.scheme.default_port() { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http => "http",
            Self::Https => "https",
        })
    }
}

impl Scheme {
    fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_read_into_the_form_browsers_send() {
        for (text, canonical) in [
            ("https://demo.example.org", "https://demo.example.org"),
            ("https://demo.example.org/", "https://demo.example.org"),
            ("HTTPS://Demo.Example.ORG:443", "https://demo.example.org"),
            ("https://demo.example.org:8443", "https://demo.example.org:8443"),
            ("http://127.1:80", "http://127.0.0.1"),
            ("http://[0:0::1]:8080", "http://[::1]:8080"),
            ("https://bücher.example", "https://xn--bcher-kva.example"),
        ] {
            let origin: Origin = text.parse().unwrap();
            assert_eq!(origin.to_string(), canonical);
            assert_eq!(origin.to_string().parse::<Origin>().unwrap(), origin);
        }
    }

    #[test]
    fn what_is_more_or_less_than_an_origin_is_refused() {
        for text in [
            "",
            "demo.example.org",
            "//demo.example.org",
            "https://",
            "null",
            "*",
            "ftp://demo.example.org",
            "file:///etc",
            "https://ada@demo.example.org",
            "https://:pw@demo.example.org",
            "https://demo.example.org/app",
            "https://demo.example.org/?",
            "https://demo.example.org#a",
            "https://demo.example.org:99999",
        ] {
            assert!(text.parse::<Origin>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_listener_is_reached_by_its_address_and_on_loopback_by_name() {
        for (bound, expected) in [
            ("127.0.0.1:8080", &["http://127.0.0.1:8080", "http://localhost:8080"][..]),
            ("[::1]:80", &["http://[::1]", "http://localhost"]),
            ("0.0.0.0:8080", &["http://127.0.0.1:8080", "http://localhost:8080"]),
            ("[::]:8080", &["http://[::1]:8080", "http://localhost:8080"]),
            ("192.0.2.7:8080", &["http://192.0.2.7:8080"]),
        ] {
            let origins = Origin::of_listener(Scheme::Http, bound.parse().unwrap());
            assert_eq!(origins.iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
        }
    }
}
