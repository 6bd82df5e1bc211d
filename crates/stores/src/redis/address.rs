//! Where the server is, and whom to believe that it is that one.

use std::path::{Path, PathBuf};

use redis::{Client, ConnectionAddr, IntoConnectionInfo as _, TlsCertificates};

use super::OpenError;

/// A server's address, taken apart.
#[derive(Clone)]
pub(super) struct Address {
    pub(super) client: Client,
    /// Host and port, or the path of a socket: nothing that is secret.
    pub(super) place: Box<str>,
}

impl Address {
    pub(super) fn parse(text: &str) -> Result<Self, OpenError> {
        let (url, roots) = taken_out(text);
        let client =
            if url.starts_with("rediss://") { encrypted(&url, roots.as_deref())? } else { plain(&url, roots)? };
        let place = client.get_connection_info().addr().to_string().into();
        Ok(Self { client, place })
    }

    /// Whether others may listen in.
    pub(super) fn is_exposed(&self) -> bool {
        match self.client.get_connection_info().addr() {
            ConnectionAddr::Tcp(host, _) => !is_loopback(host),
            _ => false,
        }
    }
}

fn plain(url: &str, roots: Option<PathBuf>) -> Result<Client, OpenError> {
    match roots {
        Some(path) => Err(OpenError::RootsWithoutTls { path }),
        None => Client::open(url).map_err(OpenError::Address),
    }
}

fn encrypted(url: &str, roots: Option<&Path>) -> Result<Client, OpenError> {
    // The client takes the one of this process; where the program has chosen one, that stands.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let root_cert =
        roots.map(|path| std::fs::read(path).map_err(|cause| OpenError::Roots { path: path.to_owned(), cause }));
    let certificates = TlsCertificates { client_tls: None, root_cert: root_cert.transpose()? };
    let info = url.into_connection_info().map_err(OpenError::Address)?;
    Client::build_with_tls(info, certificates).map_err(OpenError::Tls)
}

/// What of the address is for us: the client does not know files.
fn taken_out(text: &str) -> (String, Option<PathBuf>) {
    let (base, query) = text.split_once('?').unwrap_or((text, ""));
    let (ours, others): (Vec<_>, Vec<_>) =
        query.split('&').filter(|pair| !pair.is_empty()).partition(|pair| pair.starts_with(ROOTS));
    let roots = ours.last().and_then(|pair| pair.strip_prefix(ROOTS)).map(PathBuf::from);
    let query = if others.is_empty() { String::new() } else { format!("?{}", others.join("&")) };
    (format!("{base}{query}"), roots)
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

const ROOTS: &str = "sslrootcert=";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ours_of_an_address_is_taken_out_of_it() {
        #[rustfmt::skip]
        let rows = [
            ("redis://h",                                         "redis://h",                    None),
            ("rediss://a:b@h:1/2",                                "rediss://a:b@h:1/2",           None),
            ("rediss://h?sslrootcert=/ca.pem",                    "rediss://h",                   Some("/ca.pem")),
            ("rediss://h/2?protocol=resp3&sslrootcert=ca.pem",    "rediss://h/2?protocol=resp3",  Some("ca.pem")),
        ];
        for (text, url, roots) in rows {
            assert_eq!(taken_out(text), (url.to_owned(), roots.map(PathBuf::from)), "{text}");
        }
    }

    #[test]
    fn only_plain_text_off_this_machine_is_exposed() {
        #[rustfmt::skip]
        let rows = [
            ("redis://127.0.0.1", false), ("redis://[::1]:7", false), ("redis://localhost", false),
            ("redis://10.0.0.1",  true),  ("redis://redis", true),
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
