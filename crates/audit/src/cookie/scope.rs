//! Where a cookie goes: hosts, paths, public suffixes, and what counts as a safe transport.

use url::{Host, Url};

/// Whether browsers let a page at `url` keep and send cookies that are `Secure`.
///
/// TLS, and loopback without it: Chromium does so since version 89 (`cookie_util::ProvisionalAccessScheme`), Firefox since 75.
/// RFC 6265bis leaves it to the user agent which transports it calls secure.
pub fn is_trustworthy(url: &Url) -> bool {
    matches!(url.scheme(), "https" | "wss") || is_loopback(url)
}

pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Whether nobody owns `domain` whole, such as `org` or `github.io`.
pub fn is_public_suffix(domain: &str) -> bool {
    psl::suffix(domain.as_bytes()).is_some_and(|suffix| suffix.as_bytes() == domain.as_bytes())
}

/// RFC 6265bis, 5.1.3, for a host that is canonical and a domain in lower case.
pub(super) fn domain_matches(host: &str, is_name: bool, domain: &str) -> bool {
    host == domain || is_name && host.strip_suffix(domain).is_some_and(|front| front.ends_with('.'))
}

/// RFC 6265bis, 5.1.4.
pub(super) fn path_matches(path: &str, cookie_path: &str) -> bool {
    path.strip_prefix(cookie_path)
        .is_some_and(|rest| rest.is_empty() || cookie_path.ends_with('/') || rest.starts_with('/'))
}

/// RFC 6265bis, 5.1.4.
pub(super) fn default_path(url: &Url) -> String {
    match url.path().rfind('/') {
        None | Some(0) => "/".to_owned(),
        Some(last) => url.path().get(..last).unwrap_or("/").to_owned(),
    }
}
