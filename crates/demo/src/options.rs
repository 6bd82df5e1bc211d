//! The arguments of `counterfoil demo`, and what remains of them once they are checked.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    num::NonZeroU32,
    path::PathBuf,
    time::Duration,
};

use counterfoil::geo::GeoSettings;
use counterfoil::origin::{Origin, OriginError, Scheme};
use counterfoil_serve::keep::{Keep, state_folder};
use counterfoil_serve::place::Place;
use ipnet::IpNet;

/// What can be written on the command line.
#[derive(Debug, Clone, clap::Args)]
pub struct DemoArgs {
    /// Where to listen; port 0 takes a free one, which the first line printed then names
    ///
    /// Plain http is served on loopback addresses only. For any other address add --https, or put a proxy in front
    /// that speaks https and name its address with --origin.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080", env = "COUNTERFOIL_DEMO_LISTEN")]
    pub listen: SocketAddr,

    /// Serve https with a certificate made for this process
    ///
    /// Browsers warn about it once; that is expected, nobody signed it. Over https the cookies are Secure and carry the
    /// __Host- prefix, and browsers enforce more than over plain http.
    #[arg(long)]
    pub https: bool,

    /// Write that certificate (PEM) to this file, for programs that are to believe it
    ///
    /// Such as `counterfoil audit --ca FILE`. An earlier file there is replaced; the key is never written anywhere.
    #[arg(long, value_name = "FILE", requires = "https")]
    pub write_certificate: Option<PathBuf>,

    /// The origin browsers see, when it is not the listener's own (repeatable)
    ///
    /// For example `https://demo.example.org` behind a proxy. Scheme, host and port only. Requests that change something
    /// must come from one of these origins. Without this option: the listener's own address, and localhost.
    #[arg(long, value_name = "URL", env = "COUNTERFOIL_DEMO_ORIGIN", value_delimiter = ',')]
    pub origin: Vec<Origin>,

    /// Believe what proxies in this network say about the client's address (repeatable; none by default)
    ///
    /// Forwarded headers from everyone else are ignored. An address alone means that one host.
    #[arg(long, value_name = "CIDR", env = "COUNTERFOIL_DEMO_TRUSTED_PROXY", value_delimiter = ',', value_parser = network)]
    pub trusted_proxy: Vec<IpNet>,

    /// A session policy in TOML, for what has no option here
    ///
    /// A table `[limits]` in it says how often things may be tried, and a table `[events]` who is told what happens.
    #[arg(long, value_name = "FILE", env = "COUNTERFOIL_DEMO_POLICY")]
    pub policy: Option<PathBuf>,

    /// Keep sessions and keys in this folder, so that a restart signs nobody out
    ///
    /// Made if it is missing. Without this option: `$XDG_STATE_HOME/counterfoil/demo`, which mostly is
    /// `~/.local/state/counterfoil/demo`; the banner names it. Accounts, balances and second factors begin anew each time.
    #[arg(long, value_name = "DIR", env = "COUNTERFOIL_DEMO_DATA")]
    pub data: Option<PathBuf>,

    /// Keep nothing: every session ends when the process does
    ///
    /// So it is with --test-mode, unless --data is given.
    #[arg(long, conflicts_with_all = ["data", "store"])]
    pub memory: bool,

    /// Keep sessions there, and only keys in the folder of --data
    ///
    /// `embedded:FOLDER` on this machine; `redis://[user:password@]host[:port][/database]` (Redis or Valkey;
    /// `redis+sentinel://host[,…]/service` and `redis+cluster://host[,…]` too; over TLS `rediss` for `redis`) or
    /// `postgres://user[:password]@host[:port]/database`, which many nodes may share; or `memory`. An address with a password
    /// is safer in the variable than on the command line. Nodes that share a store need the same keys: copy the key file.
    #[arg(long, value_name = "STORE", env = "COUNTERFOIL_DEMO_STORE", hide_env_values = true)]
    pub store: Option<Place>,

    /// Where addresses are: a database of countries and places in the MMDB format
    ///
    /// Such as GeoLite2-City. Without one nothing is judged by places. New files are taken up while the demo runs.
    #[arg(long, value_name = "FILE", env = "COUNTERFOIL_DEMO_GEO_CITY")]
    pub geo_city: Option<PathBuf>,

    /// Who operates the networks of addresses: a database in the MMDB format
    #[arg(long, value_name = "FILE", env = "COUNTERFOIL_DEMO_GEO_ASN")]
    pub geo_asn: Option<PathBuf>,

    /// Networks whose place is nobody's: a list with lines such as `203.0.113.0/24 vpn` (or relay, hosting)
    #[arg(long, value_name = "FILE", env = "COUNTERFOIL_DEMO_GEO_NETWORKS")]
    pub geo_networks: Option<PathBuf>,

    /// Show what happens to sessions as metrics, for Prometheus, at /metrics there; loopback addresses only
    ///
    /// Port 0 takes a free one, which the banner names. Alert rules and a dashboard: packaging/prometheus, packaging/grafana.
    #[arg(long, value_name = "ADDR", env = "COUNTERFOIL_DEMO_METRICS")]
    pub metrics: Option<SocketAddr>,

    /// Weaken the demo for fast automated tests; loopback listeners only
    ///
    /// A cheap password hash, no limit on sign-in attempts, and the times below may go under their floors. Printed and
    /// logged at start. There is no environment variable for this: weakening is asked for by name.
    #[arg(long)]
    pub test_mode: bool,

    /// The times and the number of sessions.
    #[command(flatten)]
    pub limits: LimitArgs,
}

/// What of the session policy has an option of its own. Absent means: as in the policy.
#[derive(Debug, Clone, Default, PartialEq, Eq, clap::Args)]
#[command(next_help_heading = "Session limits (times like 2s, 500ms, 15m; floors hold unless --test-mode)")]
pub struct LimitArgs {
    /// Give a session a new token this often
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, env = "COUNTERFOIL_DEMO_ROTATE_EVERY")]
    pub rotate_every: Option<Duration>,

    /// Accept the token before the newest one for this long after the newest was used
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, env = "COUNTERFOIL_DEMO_GRACE")]
    pub grace: Option<Duration>,

    /// End a session that was not used for this long
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, env = "COUNTERFOIL_DEMO_IDLE")]
    pub idle: Option<Duration>,

    /// End every session this long after sign-in
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, env = "COUNTERFOIL_DEMO_ABSOLUTE")]
    pub absolute: Option<Duration>,

    /// How long a step-up lasts
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, env = "COUNTERFOIL_DEMO_ELEVATED_FOR")]
    pub elevated_for: Option<Duration>,

    /// Know who ticked "keep me known" for this long after sign-in: greeted, but not signed in
    ///
    /// 30 days unless said here or in the policy; never less than --absolute.
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, env = "COUNTERFOIL_DEMO_REMEMBER_FOR")]
    pub remember_for: Option<Duration>,

    /// How many sessions one account may have at once
    #[arg(long, value_name = "N", env = "COUNTERFOIL_DEMO_LIMIT")]
    pub limit: Option<NonZeroU32>,
}

/// The checked arguments: every combination that exists as a `Plan` may be served.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Plan {
    /// Where to listen.
    pub listen: SocketAddr,
    /// What the listener itself speaks.
    pub transport: Transport,
    /// Where its certificate goes besides.
    pub certificate_to: Option<PathBuf>,
    /// The public origins that were named; empty: derived from the listener by [`Plan::origins`].
    named_origins: Vec<Origin>,
    /// Whose forwarded headers are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Where the rest of the policy is.
    pub policy: Option<PathBuf>,
    /// Where sessions and keys are kept.
    pub keep: Keep,
    /// What tells where addresses are.
    pub geo: GeoSettings,
    /// Where metrics are shown.
    pub metrics: Option<SocketAddr>,
    /// Whether this is the demo, or the demo weakened for tests.
    pub mode: Mode,
    /// What of the policy was given on the command line. The library checks it against its floors.
    pub limits: LimitArgs,
}

/// What the listener speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// Plain http: on loopback, or behind a proxy that speaks https.
    Plain,
    /// https with a certificate made at start.
    SelfMadeTls,
}

/// How strong the demo is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// As it should be attacked.
    Normal,
    /// `--test-mode`.
    Test,
}

/// Arguments that are each readable and together make no sense. The text names the options and their values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanRefused {
    /// Cookies would cross a network unencrypted.
    #[error(
        "--listen {listen} is not a loopback address, and plain http there would send session cookies over the network \
         unencrypted: add --https, or name the https address of the proxy in front with --origin https://…"
    )]
    PlainHttpOnNetwork {
        /// The address asked for.
        listen: SocketAddr,
    },
    /// A weakened demo would be reachable from the network.
    #[error(
        "--test-mode switches off protections and is allowed on loopback addresses only, but --listen is {listen}: \
         use 127.0.0.1 or [::1], or drop --test-mode"
    )]
    TestModeOnNetwork {
        /// The address asked for.
        listen: SocketAddr,
    },
    /// Anybody could watch.
    #[error(
        "--metrics {metrics} is not a loopback address: let Prometheus, or a proxy of yours, ask from this machine"
    )]
    MetricsOnNetwork {
        /// The address asked for.
        metrics: SocketAddr,
    },
    /// The listener cannot be reached under this origin.
    #[error("--https serves https, but --origin is {origin}: write https:// there, or drop --https")]
    PlainOriginOverTls {
        /// The origin named.
        origin: Origin,
    },
    /// Browsers would get cookies without `Secure` from a public host.
    #[error("--origin {origin} is plain http on a host that is not loopback: only https origins may be public")]
    PlainPublicOrigin {
        /// The origin named.
        origin: Origin,
    },
    /// Cookies are Secure or not; one name cannot be both.
    #[error("--origin {plain} and --origin {secure} ask for cookies of two kinds: use one scheme for all origins")]
    MixedSchemes {
        /// The first http origin.
        plain: Origin,
        /// The first https origin.
        secure: Origin,
    },
}

impl TryFrom<DemoArgs> for Plan {
    type Error = PlanRefused;

    fn try_from(arguments: DemoArgs) -> Result<Self, PlanRefused> {
        let listen = arguments.listen;
        let loopback = listen.ip().to_canonical().is_loopback();
        let secure = arguments.origin.iter().find(|origin| origin.scheme() == Scheme::Https);
        let plain = arguments.origin.iter().find(|origin| origin.scheme() == Scheme::Http);
        if arguments.test_mode && !loopback {
            return Err(PlanRefused::TestModeOnNetwork { listen });
        }
        if let Some(metrics) = arguments.metrics.filter(|address| !address.ip().to_canonical().is_loopback()) {
            return Err(PlanRefused::MetricsOnNetwork { metrics });
        }
        if let (true, Some(origin)) = (arguments.https, plain) {
            return Err(PlanRefused::PlainOriginOverTls { origin: origin.clone() });
        }
        if let (Some(plain), Some(secure)) = (plain, secure) {
            return Err(PlanRefused::MixedSchemes { plain: plain.clone(), secure: secure.clone() });
        }
        if let Some(origin) = arguments.origin.iter().find(|o| o.scheme() == Scheme::Http && !o.is_loopback()) {
            return Err(PlanRefused::PlainPublicOrigin { origin: origin.clone() });
        }
        if !loopback && !arguments.https && secure.is_none() {
            return Err(PlanRefused::PlainHttpOnNetwork { listen });
        }
        Ok(Self {
            listen,
            transport: if arguments.https { Transport::SelfMadeTls } else { Transport::Plain },
            certificate_to: arguments.write_certificate,
            named_origins: arguments.origin,
            trusted_proxies: arguments.trusted_proxy,
            policy: arguments.policy,
            keep: match (arguments.data, arguments.store, arguments.memory || arguments.test_mode) {
                (None, None, true) => Keep::nothing(),
                (data, Some(store), _) => Keep::with_store(data.unwrap_or_else(|| state_folder("demo")), store),
                (data, None, _) => Keep::in_folder(data.unwrap_or_else(|| state_folder("demo"))),
            },
            geo: GeoSettings { city: arguments.geo_city, asn: arguments.geo_asn, networks: arguments.geo_networks },
            metrics: arguments.metrics,
            mode: if arguments.test_mode { Mode::Test } else { Mode::Normal },
            limits: arguments.limits,
        })
    }
}

impl Plan {
    /// The origins browsers may use, given the address the listener really has. Never empty; all of one scheme.
    ///
    /// Named ones replace derived ones. Derived are the address itself and `localhost`; for a listener on all
    /// addresses, its loopback address and `localhost`, since which of the others are ours cannot be known.
    ///
    /// # Errors
    /// [`OriginError`] where the listener's address cannot be written as an origin.
    pub fn origins(&self, bound: SocketAddr) -> Result<Vec<Origin>, OriginError> {
        if !self.named_origins.is_empty() {
            return Ok(self.named_origins.clone());
        }
        let own = self.own_origin(bound)?;
        if !own.is_loopback() {
            return Ok(vec![own]);
        }
        let by_name = format!("{}://localhost:{}", self.transport.scheme().as_str(), bound.port()).parse()?;
        Ok(vec![own, by_name])
    }

    /// The origin of the listener itself; for one on all addresses, of its loopback address.
    ///
    /// # Errors
    /// As [`Plan::origins`].
    pub fn own_origin(&self, bound: SocketAddr) -> Result<Origin, OriginError> {
        let ip = match bound.ip().to_canonical() {
            IpAddr::V4(any) if any.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(any) if any.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        // A socket address writes the brackets of IPv6, and has no zone where it is made of an address alone.
        format!("{}://{}", self.transport.scheme().as_str(), SocketAddr::new(ip, bound.port())).parse()
    }
}

impl Transport {
    /// The scheme of URLs that reach the listener directly.
    pub fn scheme(self) -> Scheme {
        match self {
            Self::Plain => Scheme::Http,
            Self::SelfMadeTls => Scheme::Https,
        }
    }
}

/// A network, or an address alone as the network of one host.
fn network(text: &str) -> Result<IpNet, String> {
    text.parse()
        .or_else(|_| text.parse().map(|address: std::net::IpAddr| IpNet::from(address)))
        .map_err(|_| "expected a network such as 10.0.0.0/8 or fd00::/8, or an address".to_owned())
}

#[cfg(test)]
mod tests;
