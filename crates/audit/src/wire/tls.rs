//! Whose certificates are believed.

use std::io;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Why there is no trust to begin with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// Not PEM, or none in it.
    #[error("there is no certificate (PEM) in it")]
    NoCertificate,
    /// The library refuses.
    #[error(transparent)]
    Rustls(#[from] rustls::Error),
}

/// The system's, and those that were given.
pub(super) struct Trust(Arc<ClientConfig>);

impl Trust {
    pub(super) fn new(more: Option<&[u8]>) -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        // A system without any still reaches sites without TLS, and those whose certificate was given.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if let Some(pem) = more {
            let given: Vec<_> = CertificateDer::pem_slice_iter(pem).filter_map(Result::ok).collect();
            if given.is_empty() {
                return Err(TlsError::NoCertificate);
            }
            for one in given {
                roots.add(one)?;
            }
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(Arc::new(config)))
    }

    pub(super) async fn over(&self, stream: TcpStream, host: &str) -> io::Result<TlsStream<TcpStream>> {
        let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(bare).map_err(io::Error::other)?;
        TlsConnector::from(self.0.clone()).connect(name, stream).await
    }
}
