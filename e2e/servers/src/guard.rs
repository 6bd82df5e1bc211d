//! What guards servers that are not on the same machine as those who use them: TLS and a password.

use std::io::Write as _;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tempfile::NamedTempFile;

use crate::ServerError;

/// A certificate for this machine's address, who vouches for it, and a password. Servers of one guard trust each other.
#[derive(Debug, Clone)]
pub struct Guard {
    certificate: String,
    key: String,
    issuer: String,
    roots: Arc<NamedTempFile>,
    password: &'static str,
}

impl Guard {
    /// A new one.
    ///
    /// # Errors
    /// There is no room for a file.
    pub fn new(password: &'static str) -> Result<Self, ServerError> {
        let other = |error: rcgen::Error| std::io::Error::other(error);
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().map_err(other)?).map_err(other)?;
        let key = KeyPair::generate().map_err(other)?;
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).map_err(other)?;
        // Who is called like their issuer is taken for their own issuer.
        params.distinguished_name.push(DnType::CommonName, "server");
        let certificate = params.signed_by(&key, &issuer).map_err(other)?;
        let mut roots = NamedTempFile::new()?;
        roots.write_all(issuer.pem().as_bytes())?;
        Ok(Self {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
            issuer: issuer.pem(),
            roots: Arc::new(roots),
            password,
        })
    }

    /// The same certificate, with another password.
    #[must_use]
    pub fn with_password(&self, password: &'static str) -> Self {
        Self { password, ..self.clone() }
    }

    /// What opens the servers.
    pub const fn password(&self) -> &'static str {
        self.password
    }

    /// The option of an address that says who vouches for the servers.
    pub fn roots(&self) -> String {
        format!("sslrootcert={}", self.roots.path().display())
    }

    pub(crate) fn files(&self) -> [(&'static str, &str); 3] {
        [("server.crt", &self.certificate), ("server.key", &self.key), ("issuer.crt", &self.issuer)]
    }

    /// Lines of a Redis' configuration, whatever part it plays. Servers talk to each other by TLS as well.
    pub(crate) fn redis_lines(&self, port: u16) -> Vec<String> {
        vec![
            format!("tls-port {port}"),
            "tls-cert-file server.crt".to_owned(),
            "tls-key-file server.key".to_owned(),
            "tls-ca-cert-file issuer.crt".to_owned(),
            "tls-auth-clients no".to_owned(),
            "tls-replication yes".to_owned(),
            format!("requirepass {}", self.password),
        ]
    }
}
