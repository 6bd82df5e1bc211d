//! Where the database is, and how one gets there: in clear text only on this machine.

use std::path::{Path, PathBuf};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::error::OpenError;

/// A database's address, taken apart.
#[derive(Clone)]
pub(super) struct Address {
    pub(super) config: Config,
    pub(super) tls: MakeRustlsConnect,
}

impl Address {
    pub(super) fn parse(url: &str) -> Result<Self, OpenError> {
        let Written { url, mode, roots } = Written::read(url)?;
        let mut config: Config = url.parse().map_err(OpenError::Url)?;
        let local = is_of_this_machine(&config);
        config.ssl_mode(match mode {
            // A certificate for `localhost` is rarely one that anybody vouches for.
            None if local => SslMode::Disable,
            Some(Mode::Disable) if !local => return Err(OpenError::PlainText),
            Some(Mode::Disable) => SslMode::Disable,
            _ => SslMode::Require,
        });
        let roots = if config.get_ssl_mode() == SslMode::Disable {
            RootCertStore::empty()
        } else {
            roots.as_deref().map_or_else(system_roots, read_roots)?
        };
        Ok(Self { config, tls: MakeRustlsConnect::new(client(roots)?) })
    }
}

/// What stands in the URL's query that is for us: the client knows fewer modes, and does not know files.
#[derive(Debug, PartialEq, Eq)]
struct Written {
    url: String,
    mode: Option<Mode>,
    roots: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Disable,
    /// Encrypted, and the certificate checked: there is no other kind.
    Verified,
}

impl Written {
    fn read(url: &str) -> Result<Self, OpenError> {
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let (mut mode, mut roots, mut others) = (None, None, Vec::new());
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("sslmode", "disable")) => mode = Some(Mode::Disable),
                Some(("sslmode", "require" | "verify-ca" | "verify-full")) => mode = Some(Mode::Verified),
                Some(("sslmode", other)) => return Err(OpenError::TlsMode { mode: other.to_owned() }),
                Some(("sslrootcert", path)) => roots = Some(PathBuf::from(path)),
                _ => others.push(pair),
            }
        }
        let query = if others.is_empty() { String::new() } else { format!("?{}", others.join("&")) };
        Ok(Self { url: format!("{base}{query}"), mode, roots })
    }
}

impl std::fmt::Debug for Address {
    /// Without the password.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, host) in self.config.get_hosts().iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            match host {
                Host::Tcp(name) => write!(out, "{comma}{name}")?,
                #[cfg(unix)]
                Host::Unix(path) => write!(out, "{comma}{}", path.display())?,
            }
        }
        write!(out, "/{}", self.config.get_dbname().unwrap_or_default())
    }
}

fn is_of_this_machine(config: &Config) -> bool {
    let hosts = config.get_hosts().iter().all(|host| match host {
        Host::Tcp(name) => {
            name == "localhost" || name.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    });
    hosts && config.get_hostaddrs().iter().all(std::net::IpAddr::is_loopback)
}

fn client(roots: RootCertStore) -> Result<ClientConfig, OpenError> {
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Ok(builder.map_err(OpenError::Tls)?.with_root_certificates(roots).with_no_client_auth())
}

fn system_roots() -> Result<RootCertStore, OpenError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() { Err(OpenError::NoRoots) } else { Ok(roots) }
}

fn read_roots(path: &Path) -> Result<RootCertStore, OpenError> {
    let failed = |cause: Box<dyn std::error::Error + Send + Sync>| OpenError::Roots { path: path.to_owned(), cause };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|cause| failed(cause.into()))? {
        roots.add(certificate.map_err(|cause| failed(cause.into()))?).map_err(|cause| failed(cause.into()))?;
    }
    if roots.is_empty() { Err(failed("there is no certificate in it".into())) } else { Ok(roots) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clear_text_stays_on_this_machine() {
        use SslMode::{Disable, Require};
        #[rustfmt::skip]
        let rows = [
            ("postgres://a@127.0.0.1/x",                          Some(Disable)),
            ("postgres://a@localhost/x",                          Some(Disable)),
            ("postgres://a@%2Frun%2Fpostgresql/x",                Some(Disable)),
            ("postgres://a@127.0.0.1/x?sslmode=require",          Some(Require)),
            ("postgres://a@db.internal/x",                        Some(Require)),
            ("postgres://a@db.internal/x?sslmode=verify-full",    Some(Require)),
            ("postgres://a@127.0.0.1,db.internal/x",              Some(Require)),
            ("postgres://a@localhost/x?hostaddr=10.0.0.1",        Some(Require)),
            ("postgres://a@10.0.0.1/x?sslmode=disable",           None),
            ("postgres://a@127.0.0.1,10.0.0.1/x?sslmode=disable", None),
            ("postgres://a@db.internal/x?sslmode=prefer",         None),
        ];
        for (url, mode) in rows {
            // Those that want the system's certificates may find none where the tests run.
            let found = match Address::parse(url) {
                Ok(address) => Some(address.config.get_ssl_mode()),
                Err(OpenError::NoRoots) => Some(Require),
                Err(OpenError::PlainText | OpenError::TlsMode { .. }) => None,
                Err(other) => panic!("{url}: {other}"),
            };
            assert_eq!(found, mode, "{url}");
        }
    }

    #[test]
    fn what_is_ours_of_the_query_is_taken_out_of_it() {
        let read = Written::read("postgres://a@b/c?sslrootcert=/ca.pem&connect_timeout=3&sslmode=verify-ca").unwrap();
        assert_eq!(read.url, "postgres://a@b/c?connect_timeout=3");
        assert_eq!((read.mode, read.roots.as_deref()), (Some(Mode::Verified), Some(Path::new("/ca.pem"))));
    }

    #[test]
    fn what_is_printed_of_an_address_holds_no_password() {
        let address = Address::parse("postgres://ada:lovelace@127.0.0.1:7,localhost:8/shop").unwrap();
        assert_eq!(format!("{address:?}"), "127.0.0.1,localhost/shop");
    }

    #[test]
    fn certificates_that_cannot_be_read_are_named() {
        let error = Address::parse("postgres://a@db.internal/x?sslrootcert=/no/such.pem").unwrap_err();
        assert!(error.to_string().contains("/no/such.pem"), "{error}");
    }
}
