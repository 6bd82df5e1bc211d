//! https to a proxy: a certificate by an authority of our own making, and a client that believes that one alone.

use std::io::{self, BufReader, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CrlDistributionPoint, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, PublicKeyData as _,
};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::wire::{Message, read_answer};

/// A certificate, and who believes it.
#[derive(Debug, Clone)]
pub struct Tls {
    host: String,
    pem: String,
    authority: CertificateDer<'static>,
    authority_pem: String,
    public_key: Vec<u8>,
}

/// A connection over https.
pub type Encrypted = StreamOwned<ClientConnection, TcpStream>;

impl Tls {
    /// A new authority, and its certificate for one host, as a public one would make it: for three months, with an address
    /// where it says what it has revoked.
    ///
    /// # Errors
    /// If there is no randomness.
    pub fn new(host: &str) -> io::Result<Self> {
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        authority.distinguished_name.push(DnType::CommonName, "made for one test run");
        let key = || KeyPair::generate().map_err(io::Error::other);
        let authority = CertifiedIssuer::self_signed(authority, key()?).map_err(io::Error::other)?;
        let (mut leaf, key) = (CertificateParams::new([host.to_owned()]).map_err(io::Error::other)?, key()?);
        let now = SystemTime::now();
        (leaf.not_before, leaf.not_after) = ((now - DAY).into(), (now + 90 * DAY).into());
        leaf.distinguished_name.push(DnType::CommonName, host);
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        leaf.use_authority_key_identifier_extension = true;
        leaf.crl_distribution_points =
            vec![CrlDistributionPoint { uris: vec!["http://authority.localhost/revoked.crl".to_owned()] }];
        let certificate = leaf.signed_by(&key, &authority).map_err(io::Error::other)?;
        Ok(Self {
            host: host.to_owned(),
            pem: certificate.pem() + &key.serialize_pem(),
            authority: authority.der().clone(),
            authority_pem: authority.pem(),
            public_key: key.subject_public_key_info(),
        })
    }

    /// The public key of the certificate (`SubjectPublicKeyInfo`), for browsers that are told to believe it.
    pub fn public_key(&self) -> &[u8] {
        &self.public_key
    }

    /// Writes certificate and key into one file, which all proxies take, and the authority into another beside it.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn write(&self, folder: &Path) -> io::Result<PathBuf> {
        let path = folder.join("certificate.pem");
        std::fs::write(&path, &self.pem)?;
        std::fs::write(folder.join(AUTHORITY), &self.authority_pem)?;
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
        roots.add(self.authority.clone()).map_err(io::Error::other)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let mut config = config.map_err(io::Error::other)?.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = protocol.into_iter().map(|name| name.as_bytes().to_vec()).collect();
        let name = ServerName::try_from(self.host.clone()).map_err(io::Error::other)?;
        let connection = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
        Ok(StreamOwned::new(connection, stream))
    }
}

/// The authority's own certificate, in the folder of what it is for.
pub const AUTHORITY: &str = "authority.pem";
const DAY: Duration = Duration::from_hours(24);
