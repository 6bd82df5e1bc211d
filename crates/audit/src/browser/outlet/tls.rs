//! A certificate for whatever host the browser asks for, which that browser alone believes, and only while it runs.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use rcgen::{CertificateParams, KeyPair, PublicKeyData as _};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// The site's face towards the browser.
pub(super) struct Mask {
    acceptor: TlsAcceptor,
    /// SHA-256 of its public key, as Chromium wants to be told.
    pub(super) key: String,
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoMask {
    #[error("no certificate can be made: {0}")]
    Make(#[from] rcgen::Error),
    #[error("TLS cannot be set up: {0}")]
    Use(#[from] rustls::Error),
}

impl Mask {
    pub(super) fn new() -> Result<Self, NoMask> {
        let pair = KeyPair::generate()?;
        let certificate = CertificateParams::new(vec!["counterfoil-audit.invalid".to_owned()])?.self_signed(&pair)?;
        let key = BASE64_STANDARD.encode(digest(&SHA256, &pair.subject_public_key_info()));
        let secret = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pair.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], secret)?;
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), key })
    }

    pub(super) async fn accept<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S) -> std::io::Result<TlsStream<S>> {
        self.acceptor.accept(stream).await
    }
}
