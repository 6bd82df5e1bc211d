//! What the templates see of an app: checked once, so that nothing written into a configuration can mean more than it says.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use counterfoil_core::cookie::CookieKind;
use counterfoil_core::origin::Origin;
use counterfoil_telemetry::set::{SignalSettings, Signals};

use super::{Certificate, ProxyConfigError};
use crate::app::{AppConfig, CookieReturn};
use crate::config::Listen;

/// An app, in the words of its proxy.
#[derive(Debug)]
pub(super) struct View<'a> {
    /// Its name, as it stands in the address of its decisions.
    pub(super) app: &'a str,
    /// The same where a hyphen would mean minus. Names have no underscores, so no two become one.
    pub(super) word: String,
    /// Its first origin.
    pub(super) origin: &'a str,
    /// Every origin, for what wants them in a row.
    pub(super) origins: Vec<&'a str>,
    /// Where the proxy listens for it.
    pub(super) doors: Vec<Door<'a>>,
    pub(super) decision: SocketAddr,
    pub(super) public: SocketAddr,
    /// Where receivers of Shared Signals look up how, where it is here that they look.
    pub(super) signals: Option<String>,
    /// Host and port of the app itself.
    pub(super) upstream: Upstream,
    /// Names of the cookies that may come back with an answer; none where none may.
    pub(super) cookies: Vec<&'static str>,
    pub(super) chain: String,
    pub(super) key: String,
    /// Whether those two are the operator's own, not placeholders.
    pub(super) certified: bool,
}

/// A port the proxy listens at.
#[derive(Debug)]
pub(super) struct Door<'a> {
    pub(super) port: u16,
    pub(super) https: bool,
    /// Only from this machine.
    pub(super) loopback: bool,
    /// Without ports.
    pub(super) hosts: Vec<&'a str>,
}

/// Where the app is.
#[derive(Debug)]
pub(super) struct Upstream {
    pub(super) host: String,
    pub(super) port: u16,
}

impl<'a> View<'a> {
    pub(super) fn new(
        app: &'a AppConfig,
        listen: &Listen,
        certificate: Option<&Certificate>,
        signals: Option<&SignalSettings>,
    ) -> Result<Self, ProxyConfigError> {
        let origins: Vec<_> = app.policy.public_origins().iter().collect();
        let first = origins.first().copied();
        let host = first.map_or("", Origin::host);
        let (chain, key) = match certificate {
            Some(Certificate { chain, key }) => (plain(chain)?, plain(key)?),
            None => (format!("/etc/ssl/{host}/fullchain.pem"), format!("/etc/ssl/{host}/privkey.pem")),
        };
        Ok(Self {
            app: app.name.as_str(),
            word: app.name.as_str().replace('-', "_"),
            origin: first.map_or("", Origin::as_str),
            doors: doors(&origins),
            origins: origins.iter().map(|origin| origin.as_str()).collect(),
            decision: reachable(listen.decision),
            public: reachable(listen.public),
            signals: signals.and_then(|signals| published(app, signals)),
            upstream: Upstream::of(app)?,
            cookies: match app.cookie_return {
                CookieReturn::One => {
                    CookieKind::ALL.map(|kind| app.policy.cookies().names().name(kind).as_str()).to_vec()
                }
                CookieReturn::None => Vec::new(),
            },
            chain,
            key,
            certified: certificate.is_some(),
        })
    }

    /// Whether any door is an https one.
    pub(super) fn speaks_tls(&self) -> bool {
        self.doors.iter().any(|door| door.https)
    }

    /// Every host once, without ports.
    pub(super) fn hosts(&self) -> Vec<&'a str> {
        let mut hosts: Vec<_> = self.doors.iter().flat_map(|door| door.hosts.iter().copied()).collect();
        hosts.dedup();
        hosts
    }
}

impl Door<'_> {
    /// What to listen at.
    pub(super) const fn address(&self) -> &'static str {
        if self.loopback { "127.0.0.1" } else { "0.0.0.0" }
    }

    /// What clients name this door in `Host`: with the port, and without it where it is the scheme's own.
    pub(super) fn authorities(&self) -> Vec<String> {
        let default = if self.https { 443 } else { 80 };
        let with = self.hosts.iter().map(|host| format!("{host}:{}", self.port));
        let without = self.hosts.iter().filter(|_| self.port == default).map(|host| (*host).to_owned());
        without.chain(with).collect()
    }
}

/// The path, where the issuer is one of the app's origins. What may stand in an issuer needs no quotes in any proxy.
fn published(app: &AppConfig, signals: &SignalSettings) -> Option<String> {
    let mut origins = app.policy.public_origins().iter();
    let here = origins.any(|origin| Signals::origin_of(&signals.issuer) == origin.as_str());
    here.then(|| Signals::configuration_path_of(&signals.issuer))
}

impl Upstream {
    fn of(app: &AppConfig) -> Result<Self, ProxyConfigError> {
        let uri = app.upstream.as_ref().ok_or_else(|| ProxyConfigError::NoUpstream(app.name.clone()))?;
        let wrong = || ProxyConfigError::Upstream { app: app.name.clone(), upstream: uri.to_string() };
        let whole =
            uri.scheme_str() == Some("http") && matches!(uri.path_and_query().map_or("/", |path| path.as_str()), "/");
        let authority =
            uri.authority().filter(|authority| whole && !authority.as_str().contains('@')).ok_or_else(wrong)?;
        Ok(Self { host: authority.host().to_owned(), port: authority.port_u16().unwrap_or(80) })
    }
}

impl std::fmt::Display for Upstream {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}:{}", self.host, self.port)
    }
}

/// Origins by the port and scheme they share, in their order.
fn doors<'a>(origins: &[&'a Origin]) -> Vec<Door<'a>> {
    let mut doors: Vec<Door<'a>> = Vec::new();
    for origin in origins {
        let (port, https) = (origin.port(), origin.is_https());
        match doors.iter_mut().find(|door| door.port == port && door.https == https) {
            Some(door) => {
                door.loopback &= origin.is_loopback();
                door.hosts.push(origin.host());
            }
            None => doors.push(Door { port, https, loopback: origin.is_loopback(), hosts: vec![origin.host()] }),
        }
    }
    doors
}

/// The address at which others find what listens at `address`: a listener at all addresses is on this machine's, too.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    SocketAddr::new(ip, address.port())
}

/// A path that means itself in any of the configurations.
fn plain(path: &Path) -> Result<String, ProxyConfigError> {
    let text = path.to_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let fits = |text: &String| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-+@".contains(&byte));
    text.filter(fits).ok_or_else(|| ProxyConfigError::Path(path.to_owned()))
}
