//! Whose certificates are believed.

use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

/// Who says which receiver is which.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Trust {
    /// Whom this system believes (`SSL_CERT_FILE` and `SSL_CERT_DIR` are honoured).
    #[default]
    System,
    /// These authorities alone, in PEM.
    Pem(Vec<u8>),
}

/// No certificate can be believed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// There is none, or none that can be read.
    #[error("no certificate of an authority in PEM")]
    NoCertificate,
    /// TLS refuses.
    #[error("TLS cannot be set up")]
    Tls(#[from] rustls::Error),
}

impl Trust {
    /// Whether the certificates can be read.
    ///
    /// # Errors
    /// They cannot, or there is none.
    pub fn check(&self) -> Result<(), TrustError> {
        match self {
            Self::System => Ok(()),
            Self::Pem(_) => self.roots().map(drop),
        }
    }

    pub(super) fn config(&self) -> Result<ClientConfig, TrustError> {
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(self.roots()?)
            .with_no_client_auth();
        Ok(config)
    }

    fn roots(&self) -> Result<RootCertStore, TrustError> {
        let mut roots = RootCertStore::empty();
        match self {
            Self::System => {
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
                // Without any, what goes to this machine alone goes on.
                if roots.is_empty() {
                    tracing::warn!(rule = "receivers", "this system believes no authority: nothing is sent over HTTPS");
                }
            }
            Self::Pem(pem) => {
                for certificate in CertificateDer::pem_slice_iter(pem) {
                    roots.add(certificate.map_err(|_| TrustError::NoCertificate)?)?;
                }
                if roots.is_empty() {
                    return Err(TrustError::NoCertificate);
                }
            }
        }
        Ok(roots)
    }
}
