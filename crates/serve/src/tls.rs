//! A certificate made at start, known to nobody, for trying https on one's own machine.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use aws_lc_rs::digest::{SHA256, digest};
use counterfoil::origin::Origin;
use rcgen::{CertificateParams, DnType, KeyPair};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        self, ServerConfig,
        crypto::aws_lc_rs::default_provider,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};

/// A certificate and its key, for as long as the process runs.
#[expect(missing_debug_implementations, reason = "holds a private key")]
pub struct Certificate {
    config: Arc<ServerConfig>,
    fingerprint: String,
    pem: String,
}

/// Why https is not possible.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateFailed {
    /// The certificate could not be made.
    #[error("the certificate could not be made")]
    Make(#[from] rcgen::Error),
    /// TLS does not take the certificate.
    #[error("TLS could not be set up")]
    Use(#[from] rustls::Error),
}

impl Certificate {
    /// Makes one for `localhost`, both loopback addresses and the hosts of `origins`, valid for [`VALID_FOR`].
    ///
    /// # Security
    /// TLS 1.2 and 1.3 with the provider's safe defaults. The key is never written anywhere. Nobody vouches for the
    /// certificate: compare the fingerprint before telling a browser to trust it.
    ///
    /// # Errors
    /// [`CertificateFailed`], for example when a host is no valid name.
    pub fn self_made(origins: &[Origin], now: SystemTime) -> Result<Self, CertificateFailed> {
        let mut names: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into();
        names.extend(origins.iter().map(|origin| origin.host().trim_matches(['[', ']']).to_owned()));
        names.sort();
        names.dedup();
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name.push(DnType::CommonName, "Counterfoil demo");
        params.not_before = (now - CLOCK_SKEW).into();
        params.not_after = (now + VALID_FOR).into();
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?;

        let hash = digest(&SHA256, certificate.der());
        let fingerprint = hash.as_ref().iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":");
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self { config: Arc::new(config), fingerprint, pem: certificate.pem() })
    }

    /// SHA-256 of the certificate, as browsers show it.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The certificate without its key, for programs that are to believe it.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.config))
    }
}

/// Longer than a demo runs, shorter than the 398 days after which browsers refuse a certificate.
pub const VALID_FOR: Duration = Duration::from_hours(90 * 24);
const CLOCK_SKEW: Duration = Duration::from_hours(24);
