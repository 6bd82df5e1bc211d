//! https to a proxy: a certificate of our own making, and a client that believes it alone.

use std::io::{self, BufReader, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::wire::{Message, read_answer};

/// A certificate, and who believes it.
#[derive(Debug)]
pub struct Tls {
    host: String,
    pem: String,
    certificate: CertificateDer<'static>,
}

/// A connection over https.
pub type Encrypted = StreamOwned<ClientConnection, TcpStream>;

impl Tls {
    /// A new certificate for one host.
    ///
    /// # Errors
    /// If there is no randomness.
    pub fn new(host: &str) -> io::Result<Self> {
        let made = rcgen::generate_simple_self_signed([host.to_owned()]).map_err(io::Error::other)?;
        let pem = made.cert.pem() + &made.signing_key.serialize_pem();
        Ok(Self { host: host.to_owned(), pem, certificate: made.cert.der().clone() })
    }

    /// Writes certificate and key into one file: all proxies take that.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&self, folder: &Path) -> io::Result<PathBuf> {
        let path = folder.join("certificate.pem");
        std::fs::write(&path, &self.pem)?;
        Ok(path)
    }

    /// Sends a request and reads the answer.
    ///
    /// # Errors
    /// What went wrong on the way.
    pub fn exchange(&self, stream: TcpStream, request: &[u8]) -> io::Result<Message> {
        let mut stream = self.connect(stream, None)?;
        stream.write_all(request)?;
        let method = String::from_utf8_lossy(request).split(' ').next().unwrap_or_default().to_owned();
        read_answer(&mut BufReader::new(stream), &method)
    }

    /// Begins to speak TLS, offering one protocol or none.
    ///
    /// # Errors
    /// If the two sides do not agree.
    pub fn connect(&self, stream: TcpStream, protocol: Option<&str>) -> io::Result<Encrypted> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).map_err(io::Error::other)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let mut config = config.map_err(io::Error::other)?.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = protocol.into_iter().map(|name| name.as_bytes().to_vec()).collect();
        let name = ServerName::try_from(self.host.clone()).map_err(io::Error::other)?;
        let connection = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
        Ok(StreamOwned::new(connection, stream))
    }
}
