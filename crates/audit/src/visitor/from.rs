//! Where a request comes from, as a browser tells the site.

use url::Url;

/// Whose page caused a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum From {
    /// Nobody's: somebody typed the address.
    Address,
    /// The site's own.
    Own,
    /// Another site's.
    Foreign,
    /// That of a page without an origin, in a sandboxed frame of another site.
    Null,
    /// Another site's which tells neither origin nor referrer.
    Silent,
    /// A sibling host's.
    Sibling,
    /// A site whose name begins with this one's.
    Prefixed,
    /// The same at this one's port, where it has one of its own.
    Extended,
    /// A site whose name ends with this one's.
    Suffixed,
    /// A site that has this one's address in its own.
    Containing,
    /// A program that is no browser, and tells nothing.
    Program,
}

impl From {
    /// What the browser says of itself.
    pub(super) fn headers(self, url: &Url, read: bool) -> Vec<(String, String)> {
        let (fetch_site, mode) = (self.fetch_site(), "navigate");
        let mut headers = Vec::new();
        let mut add = |name: &str, value: String| headers.push((name.to_owned(), value));
        // A navigation that only reads carries no origin.
        if let Some(origin) = self.origin(url).filter(|_| !read) {
            add("Origin", origin);
        }
        if let Some(referrer) = self.referrer(url) {
            add("Referer", referrer);
        }
        if let Some(fetch_site) = fetch_site {
            add("Sec-Fetch-Site", fetch_site.to_owned());
            add("Sec-Fetch-Mode", mode.to_owned());
            add("Sec-Fetch-Dest", "document".to_owned());
        }
        headers
    }

    /// The same for a `WebSocket`, which always tells the origin.
    pub(super) fn of_socket(self, url: &Url) -> Vec<(String, String)> {
        let origin = self.origin(url).map(|origin| ("Origin".to_owned(), origin));
        let site = self.fetch_site().map(|site| ("Sec-Fetch-Site".to_owned(), site.to_owned()));
        let mode = site.is_some().then(|| ("Sec-Fetch-Mode".to_owned(), "websocket".to_owned()));
        origin.into_iter().chain(site).chain(mode).collect()
    }

    /// As in `Origin`.
    pub fn origin(self, url: &Url) -> Option<String> {
        let host = url.host_str().unwrap_or_default();
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        let scheme = url.scheme();
        match self {
            Self::Address | Self::Silent | Self::Program => None,
            Self::Own => Some(url.origin().ascii_serialization()),
            Self::Foreign | Self::Containing => Some(FOREIGN.to_owned()),
            Self::Null => Some("null".to_owned()),
            Self::Sibling => Some(format!("{scheme}://{}{port}", sibling(host))),
            Self::Prefixed => Some(format!("{scheme}://{host}.attacker.example")),
            Self::Extended => Some(format!("{scheme}://{host}.attacker.example{port}")),
            Self::Suffixed => Some(format!("{scheme}://attacker{host}{port}")),
        }
    }

    /// Whether a browser can be there: below an address there are no names, and without a port of its own nothing is at it.
    pub fn exists(self, url: &Url) -> bool {
        match self.origin(url) {
            Some(origin) if self != Self::Null => {
                let parsed = Url::parse(&origin).map(|url| url.origin().ascii_serialization());
                parsed.is_ok_and(|parsed| parsed == origin) && (self != Self::Extended || url.port().is_some())
            }
            Some(_) | None => true,
        }
    }

    fn referrer(self, url: &Url) -> Option<String> {
        match self {
            Self::Address | Self::Silent | Self::Program => None,
            Self::Null => Some(format!("{FOREIGN}/")),
            Self::Containing => Some(format!("{FOREIGN}/?{}/", url.origin().ascii_serialization())),
            Self::Own => Some(url.to_string()),
            Self::Foreign | Self::Sibling | Self::Prefixed | Self::Extended | Self::Suffixed => {
                self.origin(url).map(|origin| format!("{origin}/"))
            }
        }
    }

    const fn fetch_site(self) -> Option<&'static str> {
        match self {
            Self::Address => Some("none"),
            Self::Own => Some("same-origin"),
            Self::Foreign
            | Self::Null
            | Self::Silent
            | Self::Prefixed
            | Self::Extended
            | Self::Suffixed
            | Self::Containing => Some("cross-site"),
            Self::Sibling => Some("same-site"),
            Self::Program => None,
        }
    }
}

/// A host beside this one, below the same name.
fn sibling(host: &str) -> String {
    match host.split_once('.') {
        Some((_, parent)) if parent.contains('.') && host.parse::<std::net::Ipv4Addr>().is_err() => {
            format!("sibling.{parent}")
        }
        _ => format!("sibling.{host}"),
    }
}

/// Reserved by RFC 2606: nobody's.
const FOREIGN: &str = "https://attacker.example";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_says_what_a_browser_would() {
        let url = Url::parse("https://app.example.org:8443/note").unwrap();
        #[rustfmt::skip]
        let cases = [
            (From::Address,    None,                                          None,                                      Some("none")),
            (From::Own,        Some("https://app.example.org:8443"),          Some("https://app.example.org:8443/note"), Some("same-origin")),
            (From::Foreign,    Some("https://attacker.example"),              Some("https://attacker.example/"),         Some("cross-site")),
            (From::Null,       Some("null"),                                  Some("https://attacker.example/"),         Some("cross-site")),
            (From::Silent,     None,                                          None,                                      Some("cross-site")),
            (From::Sibling,    Some("https://sibling.example.org:8443"),      Some("https://sibling.example.org:8443/"), Some("same-site")),
            (From::Prefixed,   Some("https://app.example.org.attacker.example"), Some("https://app.example.org.attacker.example/"), Some("cross-site")),
            (From::Extended,   Some("https://app.example.org.attacker.example:8443"), Some("https://app.example.org.attacker.example:8443/"), Some("cross-site")),
            (From::Suffixed,   Some("https://attackerapp.example.org:8443"),  Some("https://attackerapp.example.org:8443/"), Some("cross-site")),
            (From::Containing, Some("https://attacker.example"),              Some("https://attacker.example/?https://app.example.org:8443/"), Some("cross-site")),
            (From::Program,    None,                                          None,                                      None),
        ];
        for (from, origin, referrer, site) in cases {
            let headers = from.headers(&url, false);
            let value = |name: &str| headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
            assert_eq!(
                (value("Origin"), value("Referer"), value("Sec-Fetch-Site")),
                (origin, referrer, site),
                "{from:?}"
            );
            assert!(from.headers(&url, true).iter().all(|(name, _)| name != "Origin"), "{from:?} reads");
        }
    }

    #[test]
    fn nobody_attacks_from_where_no_browser_can_be() {
        #[rustfmt::skip]
        let cases = [
            ("https://app.example.org:8443/", &[][..]),
            ("https://app.example.org/",      &[From::Extended]),
            ("http://localhost:8080/",        &[]),
            ("http://127.0.0.1:8080/",        &[From::Sibling, From::Suffixed]),
            ("http://[::1]:8080/",            &[From::Sibling, From::Prefixed, From::Extended, From::Suffixed]),
        ];
        let all =
            [From::Foreign, From::Null, From::Silent, From::Sibling, From::Prefixed, From::Extended, From::Suffixed];
        for (site, nowhere) in cases {
            let url = Url::parse(site).unwrap();
            let found: Vec<_> = all.into_iter().filter(|from| !from.exists(&url)).collect();
            assert_eq!(found, nowhere, "{site}");
        }
    }

    #[test]
    fn a_sibling_of_a_short_name_is_below_it() {
        assert_eq!(sibling("example.org"), "sibling.example.org");
        assert_eq!(sibling("localhost"), "sibling.localhost");
        assert_eq!(sibling("127.0.0.1"), "sibling.127.0.0.1");
    }
}
