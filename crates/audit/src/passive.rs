//! What can be read off responses, without asking for anything more: cookies, caching, headers.

mod address;
mod caching;
mod cookies;
mod cors;
mod csp;
mod headers;
mod lines;
#[cfg(test)]
mod tests;
mod transport;

use url::Url;

use crate::cookie::is_trustworthy;
use crate::exchange::Exchange;
use crate::finding::Finding;
use crate::profile::Limits;

use self::lines::Cookies;

/// Everything the passive rules look at.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The site.
    pub site: &'a Url,
    /// The cookies that are the session, as their removal showed; empty where nobody looked.
    pub session_cookies: &'a [String],
    /// Pages as somebody saw them who was signed in.
    pub signed_in: &'a [&'a Exchange],
    /// Whatever was answered so far.
    pub all: &'a [&'a Exchange],
    /// What the site's host answers without TLS: nothing where it was not asked, an empty list where it does not answer.
    pub plain_http: Option<&'a [&'a Exchange]>,
    /// Signed-in requests with foreign origins.
    pub cors: &'a [CorsTry<'a>],
    /// What the site states about lifetimes.
    pub limits: Limits,
}

/// A signed-in request that says it comes from elsewhere.
#[derive(Debug, Clone, Copy)]
pub struct CorsTry<'a> {
    /// Whose origin it says.
    pub origin: CorsOrigin,
    /// What came back; the request's `Origin` is in it.
    pub exchange: &'a Exchange,
    /// Whether the marker of a signed-in page is in it.
    pub readable: bool,
}

/// Whose origin a request says it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CorsOrigin {
    /// Another site.
    Foreign,
    /// `null`, as of a page in a sandbox.
    Null,
    /// Begins like the site's: `https://app.example.org.attacker.example`.
    LooksAlikeInFront,
    /// Ends like the site's: `https://attackerapp.example.org`.
    LooksAlikeAtEnd,
    /// The same host without TLS.
    PlainHttp,
    /// Another host of the same domain.
    Sibling,
}

impl CorsOrigin {
    /// Every kind, with the origin to be said to the site.
    pub fn tries(site: &Url) -> Vec<(Self, String)> {
        let host = site.host_str().unwrap_or_default();
        let port = site.port().map(|port| format!(":{port}")).unwrap_or_default();
        let scheme = site.scheme();
        let mut tries = vec![
            (Self::Foreign, format!("{scheme}://attacker.example")),
            (Self::Null, "null".to_owned()),
            (Self::LooksAlikeInFront, format!("{scheme}://{host}.attacker.example")),
        ];
        if !port.is_empty() {
            tries.push((Self::LooksAlikeInFront, format!("{scheme}://{host}.attacker.example{port}")));
        }
        if matches!(site.host(), Some(url::Host::Domain(_))) {
            tries.push((Self::LooksAlikeAtEnd, format!("{scheme}://attacker{host}{port}")));
            let above =
                host.split_once('.').map(|(_, above)| above).filter(|above| !crate::cookie::is_public_suffix(above));
            tries.push((Self::Sibling, format!("{scheme}://sibling.{}", above.unwrap_or(host))));
        }
        if scheme == "https" {
            tries.push((Self::PlainHttp, format!("http://{host}")));
        }
        tries
    }
}

/// A verdict for each rule of the groups about attributes and transport, for each place it is about.
pub fn judge(seen: &Seen<'_>) -> Vec<Finding> {
    let cookies = Cookies::of(seen);
    let mut findings = cookies::judge(seen, &cookies);
    findings.extend(lines::judge(seen, &cookies));
    findings.extend(caching::judge(seen, &cookies));
    findings.push(address::judge(seen, &cookies));
    findings.extend(transport::judge(seen, &cookies));
    findings.extend(csp::judge(seen));
    findings.extend(headers::judge(seen, &cookies));
    findings.extend(cors::judge(seen, &cookies));
    findings
}

impl Seen<'_> {
    /// Host and port, for what is about the site as a whole.
    fn host(&self) -> String {
        let host = self.site.host_str().unwrap_or("the site");
        self.site.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// Plain http on this machine, where what is true of TLS cannot be seen.
    fn is_local_http(&self) -> bool {
        self.site.scheme() == "http" && is_trustworthy(self.site)
    }

    fn is_elsewhere_http(&self) -> bool {
        self.site.scheme() == "http" && !is_trustworthy(self.site)
    }

    /// Pages of signed-in people; where there are none, whatever pages there are.
    fn pages(&self) -> Vec<&Exchange> {
        let of = if self.signed_in.is_empty() { self.all } else { self.signed_in };
        of.iter().copied().filter(|exchange| exchange.answer.status == 200 && is_html(exchange)).collect()
    }
}

/// Without a type, what looks like a page.
fn is_html(exchange: &Exchange) -> bool {
    match exchange.answer.first("content-type") {
        Some(said) => {
            let kind = said.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
            matches!(kind.as_str(), "text/html" | "application/xhtml+xml")
        }
        None => exchange.answer.body.trim_ascii_start().first() == Some(&b'<'),
    }
}

/// As in `GET /account`.
fn place(exchange: &Exchange) -> String {
    format!("{} {}", exchange.sent.method, exchange.sent.url.path())
}

const LOCAL_HTTP: &str =
    "the site was audited over plain http on this machine, where what it does with TLS cannot be seen";
