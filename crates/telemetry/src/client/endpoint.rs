//! Where something is sent, checked once; nothing but its origin is ever shown.

use std::fmt;

use http::Uri;
use url::{Host, Url};

/// An address to send to. Shown as its origin alone: paths and queries of receivers hold secrets.
///
/// # Examples
/// ```
/// use counterfoil_telemetry::client::{Endpoint, PlainHttp};
///
/// let to = Endpoint::checked("https://hooks.example/in/s3cret?key=7", PlainHttp::Loopback)?;
/// assert_eq!(to.to_string(), "https://hooks.example");
/// assert!(Endpoint::checked("http://hooks.example/in", PlainHttp::Loopback).is_err());
/// # Ok::<_, counterfoil_telemetry::client::EndpointError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    uri: Uri,
    origin: String,
}

/// Where HTTP without TLS is good enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PlainHttp {
    /// On this machine alone.
    #[default]
    Loopback,
    /// Anywhere: whoever is on the way reads events and may change them.
    Anywhere,
}

/// Nothing may be sent there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// Not a URL of HTTP.
    #[error("not a URL of the form https://host/path")]
    Url,
    /// Without TLS, to another machine.
    #[error("http:// reaches this machine alone; for others use https://, or set plain_http = true")]
    Plain,
    /// A user name or a password in it.
    #[error("a user name or password in a URL ends up in places where it must not be")]
    UserInfo,
}

impl Endpoint {
    /// Checks an address.
    ///
    /// # Errors
    /// Nothing may be sent there.
    pub fn checked(url: &str, plain: PlainHttp) -> Result<Self, EndpointError> {
        let mut url = Url::parse(url).map_err(|_| EndpointError::Url)?;
        url.set_fragment(None);
        if !url.username().is_empty() || url.password().is_some() {
            return Err(EndpointError::UserInfo);
        }
        match url.scheme() {
            "https" => {}
            "http" if plain == PlainHttp::Anywhere || is_here(&url) => {}
            "http" => return Err(EndpointError::Plain),
            _ => return Err(EndpointError::Url),
        }
        let uri = url.as_str().parse().map_err(|_| EndpointError::Url)?;
        Ok(Self { uri, origin: url.origin().ascii_serialization() })
    }

    pub(super) const fn uri(&self) -> &Uri {
        &self.uri
    }
}

fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.origin)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Endpoint({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_goes_anywhere_and_http_stays_here_unless_it_is_asked_for() {
        use EndpointError::{Plain, Url, UserInfo};
        //  url                                   here alone                    anywhere
        let table = [
            ("https://a.example/in", Ok("https://a.example"), Ok("https://a.example")),
            ("https://a.example:8443/x?key=1#f", Ok("https://a.example:8443"), Ok("https://a.example:8443")),
            ("HTTPS://BÜCHER.example/", Ok("https://xn--bcher-kva.example"), Ok("https://xn--bcher-kva.example")),
            ("http://a.example/in", Err(Plain), Ok("http://a.example")),
            ("http://127.0.0.1:80/", Ok("http://127.0.0.1"), Ok("http://127.0.0.1")),
            ("http://127.9.9.9:1/", Ok("http://127.9.9.9:1"), Ok("http://127.9.9.9:1")),
            ("http://[::1]:8080/", Ok("http://[::1]:8080"), Ok("http://[::1]:8080")),
            ("http://localhost/", Ok("http://localhost"), Ok("http://localhost")),
            ("http://localhost.example/", Err(Plain), Ok("http://localhost.example")),
            ("http://127.0.0.1.example/", Err(Plain), Ok("http://127.0.0.1.example")),
            ("http://0.0.0.0/", Err(Plain), Ok("http://0.0.0.0")),
            ("https://me@a.example/", Err(UserInfo), Err(UserInfo)),
            ("https://me:secret@a.example/", Err(UserInfo), Err(UserInfo)),
            ("https://:secret@a.example/", Err(UserInfo), Err(UserInfo)),
            ("ftp://a.example/", Err(Url), Err(Url)),
            ("file:///etc/passwd", Err(Url), Err(Url)),
            ("a.example/in", Err(Url), Err(Url)),
            ("https://", Err(Url), Err(Url)),
            ("", Err(Url), Err(Url)),
        ];
        for (url, here, anywhere) in table {
            for (plain, expected) in [(PlainHttp::Loopback, here), (PlainHttp::Anywhere, anywhere)] {
                let found = Endpoint::checked(url, plain).map(|to| to.to_string());
                assert_eq!(found, expected.map(str::to_owned), "{url} {plain:?}");
            }
        }
    }

    #[test]
    fn neither_debug_nor_an_error_shows_what_may_be_secret() {
        let to = Endpoint::checked("https://a.example/path-s3cret?query-s3cret", PlainHttp::Loopback).unwrap();
        assert_eq!(format!("{to:?}"), "Endpoint(https://a.example)");
        assert_eq!(to.uri().to_string(), "https://a.example/path-s3cret?query-s3cret");
        let error = Endpoint::checked("https://me:s3cret@a.example/", PlainHttp::Loopback).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("s3cret"));
    }
}
