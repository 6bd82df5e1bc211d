//! Where the servers are, and whom to believe that it is those.

use std::path::PathBuf;

use redis::cluster::ClusterClientBuilder;
use redis::sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType};
use redis::{
    Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _, ProtocolVersion, RedisConnectionInfo, RedisResult,
    TlsCertificates, TlsMode,
};

use super::OpenError;

/// An address, taken apart.
#[derive(Clone)]
pub(super) struct Address {
    pub(super) servers: Servers,
    /// Hosts and ports, or the path of a socket: nothing that is secret.
    pub(super) place: Box<str>,
    certificates: Option<TlsCertificates>,
}

/// How the servers stand to each other.
#[derive(Clone)]
pub(super) enum Servers {
    /// There is one.
    One(ConnectionInfo),
    /// Sentinels say which one it is.
    Sentinels(Sentinels),
    /// Each has a part of the keys.
    Cluster(Vec<ConnectionInfo>),
}

/// Sentinels, and whom to ask them for.
#[derive(Clone)]
pub(super) struct Sentinels {
    seeds: Vec<ConnectionInfo>,
    service: Box<str>,
    login: Option<RedisConnectionInfo>,
}

impl Address {
    pub(super) fn parse(text: &str) -> Result<Self, OpenError> {
        let written = Written::new(text)?;
        let roots = written.option(ROOTS).map(PathBuf::from);
        let certificates = match roots {
            Some(path) if !written.encrypted => return Err(OpenError::RootsWithoutTls { path }),
            Some(path) => Some(std::fs::read(&path).map_err(|cause| OpenError::Roots { path, cause })?),
            None => None,
        };
        if written.encrypted {
            // The client takes the one of this process; where the program has chosen one, that stands.
            let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        }
        let certificates = written.encrypted.then_some(TlsCertificates { client_tls: None, root_cert: certificates });
        let servers = written.servers()?;
        let address = Self { place: servers.shown(), servers, certificates };
        // Whatever cannot be used is found out here, and not at the first attempt to connect.
        match &address.servers {
            Servers::One(info) => address.client(info.clone()).map(drop),
            Servers::Sentinels(sentinels) => address.sentinel(sentinels).map(drop),
            Servers::Cluster(seeds) => address.cluster(seeds).build().map(drop),
        }
        .map_err(OpenError::Tls)?;
        Ok(address)
    }

    /// Whether others may listen in.
    pub(super) fn is_exposed(&self) -> bool {
        self.servers.seeds().iter().any(|seed| match seed.addr() {
            ConnectionAddr::Tcp(host, _) => !is_loopback(host),
            _ => false,
        })
    }

    pub(super) const fn is_cluster(&self) -> bool {
        matches!(self.servers, Servers::Cluster(_))
    }

    pub(super) fn client(&self, info: ConnectionInfo) -> RedisResult<Client> {
        match &self.certificates {
            Some(certificates) => Client::build_with_tls(info, certificates.clone()),
            None => Client::open(info),
        }
    }

    pub(super) fn sentinel(&self, sentinels: &Sentinels) -> RedisResult<SentinelClient> {
        let hosts = sentinels.seeds.iter().map(|seed| seed.addr().clone());
        let mut builder = SentinelClientBuilder::new(hosts, &sentinels.service, SentinelServerType::Master)?
            .set_client_to_redis_protocol(ProtocolVersion::RESP3);
        if let Some(login) = sentinels.seeds.first().map(ConnectionInfo::redis_settings) {
            builder = builder.set_client_to_redis_db(login.db());
            builder = login.username().into_iter().fold(builder, SentinelClientBuilder::set_client_to_redis_username);
            builder = login.password().into_iter().fold(builder, SentinelClientBuilder::set_client_to_redis_password);
        }
        if let Some(login) = &sentinels.login {
            let (user, password) = (login.username(), login.password());
            builder = user.into_iter().fold(builder, SentinelClientBuilder::set_client_to_sentinel_username);
            builder = password.into_iter().fold(builder, SentinelClientBuilder::set_client_to_sentinel_password);
        }
        if let Some(certificates) = &self.certificates {
            builder = builder
                .set_client_to_redis_tls_mode(TlsMode::Secure)
                .set_client_to_redis_certificates(certificates.clone())
                .set_client_to_sentinel_tls_mode(TlsMode::Secure)
                .set_client_to_sentinel_certificates(certificates.clone());
        }
        builder.build()
    }

    pub(super) fn cluster(&self, seeds: &[ConnectionInfo]) -> ClusterClientBuilder {
        let builder = ClusterClientBuilder::new(seeds.iter().cloned()).use_protocol(ProtocolVersion::RESP3);
        match &self.certificates {
            Some(certificates) => builder.tls(TlsMode::Secure).certs(certificates.clone()),
            None => builder,
        }
    }
}

impl Servers {
    fn seeds(&self) -> &[ConnectionInfo] {
        match self {
            Self::One(seed) => std::slice::from_ref(seed),
            Self::Sentinels(Sentinels { seeds, .. }) | Self::Cluster(seeds) => seeds,
        }
    }

    fn shown(&self) -> Box<str> {
        let hosts: Vec<_> = self.seeds().iter().map(|seed| seed.addr().to_string()).collect();
        match self {
            Self::Sentinels(sentinels) => format!("{} of the sentinels {}", sentinels.service, hosts.join(",")).into(),
            _ => hosts.join(",").into(),
        }
    }
}

/// An address as it was written: `redis[s][+sentinel|+cluster]://[user[:password]@]host[:port][,…][/path][?options]`.
struct Written<'a> {
    encrypted: bool,
    kind: &'a str,
    user: Option<&'a str>,
    hosts: &'a str,
    path: &'a str,
    options: Vec<&'a str>,
}

impl<'a> Written<'a> {
    fn new(text: &'a str) -> Result<Self, OpenError> {
        let (scheme, rest) = text.split_once("://").ok_or(OpenError::Address(None))?;
        let (scheme, kind) = scheme.split_once('+').unwrap_or((scheme, ""));
        let known = ["redis", "rediss"].contains(&scheme) && ["", "sentinel", "cluster"].contains(&kind);
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        // A password may have an `@` in it, a host may not.
        let (user, rest) = rest.rsplit_once('@').map_or((None, rest), |(user, rest)| (Some(user), rest));
        let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
        if !known || hosts.split(',').any(str::is_empty) || (kind.is_empty() && hosts.contains(',')) {
            return Err(OpenError::Address(None));
        }
        let options = query.split('&').filter(|option| !option.is_empty()).collect();
        Ok(Self { encrypted: scheme == "rediss", kind, user, hosts, path, options })
    }

    /// What of the options is for us: the client does not know files, for instance.
    fn option(&self, name: &str) -> Option<&'a str> {
        self.options.iter().rev().find_map(|option| option.strip_prefix(name)?.strip_prefix('='))
    }

    fn servers(&self) -> Result<Servers, OpenError> {
        match self.kind {
            "sentinel" => {
                let (service, database) = self.path.split_once('/').unwrap_or((self.path, ""));
                if service.is_empty() {
                    return Err(OpenError::NoService);
                }
                let (seeds, login) = (self.seeds(SENTINEL_PORT, database)?, self.sentinel_login()?);
                Ok(Servers::Sentinels(Sentinels { seeds, service: service.into(), login }))
            }
            "cluster" if !self.path.is_empty() => Err(OpenError::DatabaseInCluster),
            "cluster" => Ok(Servers::Cluster(self.seeds(PORT, "")?)),
            _ => self.seeds(PORT, self.path)?.pop().map(Servers::One).ok_or(OpenError::Address(None)),
        }
    }

    /// As whom to ask sentinels, where they want to know.
    fn sentinel_login(&self) -> Result<Option<RedisConnectionInfo>, OpenError> {
        let Some(password) = self.option("sentinel_password") else { return Ok(None) };
        let user = self.option("sentinel_user").unwrap_or_default();
        // The client decodes them as it does those of an address.
        let info = format!("redis://{user}:{password}@sentinel").into_connection_info();
        Ok(Some(info.map_err(|cause| OpenError::Address(Some(cause)))?.redis_settings().clone()))
    }

    /// Each host, with the user and what else is the same for all, as the client reads it.
    fn seeds(&self, port: u16, database: &str) -> Result<Vec<ConnectionInfo>, OpenError> {
        let scheme = if self.encrypted { "rediss" } else { "redis" };
        let user = self.user.map(|user| format!("{user}@")).unwrap_or_default();
        let ours = |option: &&str| OURS.iter().any(|name| option.split('=').next() == Some(name));
        let others: Vec<_> = self.options.iter().filter(|option| !ours(option)).copied().collect();
        let seed = |host: &str| {
            let with_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
            let host = if with_port { host.to_owned() } else { format!("{host}:{port}") };
            let url = format!("{scheme}://{user}{host}/{database}?{}", others.join("&"));
            let info = url.into_connection_info().map_err(|cause| OpenError::Address(Some(cause)))?;
            let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
            Ok(info.set_redis_settings(settings))
        };
        self.hosts.split(',').map(seed).collect()
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

const ROOTS: &str = "sslrootcert";
const OURS: [&str; 3] = [ROOTS, "sentinel_user", "sentinel_password"];
const PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_one_server_or_sentinels_or_a_cluster() {
        #[rustfmt::skip]
        let rows = [
            ("redis://h",                                        Some("h:6379")),
            ("redis://ada:hunter2@h:7/2?sslrootcert=",           None),
            ("rediss://ada:hunt%40er2@h:7/2",                    Some("h:7")),
            ("rediss://ada:hunt@er2@h/2",                        Some("h:6379")),
            ("redis://[::1]:7",                                  Some("::1:7")),
            ("redis+cluster://a:hunter2@h:7,i,j:9",              Some("h:7,i:6379,j:9")),
            ("redis+sentinel://:hunter2@h,i:9/main/1?sentinel_password=hunter2", Some("main of the sentinels h:26379,i:9")),
            ("redis+sentinel://h,i:9",                           None),
            ("redis+cluster://h/1",                              None),
            ("redis+cluster://h,,i",                             None),
            ("redis://h,i",                                      None),
            ("redis://",                                         None),
            ("redis+odd://h",                                    None),
            ("postgres://h",                                     None),
            ("h:6379",                                           None),
        ];
        for (text, expected) in rows {
            let parsed = Address::parse(text);
            let said = parsed.as_ref().err().map(|error| format!("{error} {error:?}")).unwrap_or_default();
            assert!(!said.contains("hunter2"), "{said}");
            assert_eq!(parsed.ok().map(|address| address.place), expected.map(Into::into), "{text}");
        }
    }

    #[test]
    fn every_server_gets_the_user_and_the_database_and_none_what_is_ours() {
        let text = "redis+sentinel://ada:hunt%40er2@h,i:9/main/3?sentinel_user=s&sentinel_password=t%26u";
        let Servers::Sentinels(sentinels) = Address::parse(text).unwrap().servers else { panic!() };
        for seed in &sentinels.seeds {
            let login = seed.redis_settings();
            assert_eq!((login.username(), login.password(), login.db()), (Some("ada"), Some("hunt@er2"), 3));
        }
        let login = sentinels.login.unwrap();
        assert_eq!((login.username(), login.password()), (Some("s"), Some("t&u")));
    }

    #[test]
    fn only_plain_text_off_this_machine_is_exposed() {
        #[rustfmt::skip]
        let rows = [
            ("redis://127.0.0.1", false), ("redis://[::1]:7", false), ("redis://localhost", false),
            ("redis://10.0.0.1",  true),  ("redis://redis", true),    ("rediss://redis", false),
            ("redis+cluster://127.0.0.1,10.0.0.1", true),
        ];
        for (text, expected) in rows {
            assert_eq!(Address::parse(text).unwrap().is_exposed(), expected, "{text}");
        }
    }

    #[test]
    fn certificates_that_cannot_be_used_are_named() {
        for address in ["rediss://h?sslrootcert=/no/such.pem", "redis://h?sslrootcert=/no/such.pem"] {
            let error = Address::parse(address).err().unwrap().to_string();
            assert!(error.contains("/no/such.pem"), "{error}");
        }
    }
}
