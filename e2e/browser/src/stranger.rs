//! Every site that is not the demo: pages other people made, raw answers, and a record of who asked what.

mod wire;

use std::{
    collections::HashMap,
    io,
    net::Ipv4Addr,
    sync::{Arc, Mutex, PoisonError},
};

use rcgen::{CertificateParams, KeyPair};
use tokio::{
    io::{AsyncRead, AsyncWrite, BufStream},
    net::TcpListener,
    time::sleep,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::aws_lc_rs::default_provider,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};

pub(crate) use self::wire::{Served, Visit};
use crate::imitation::{Defect, Imitations};

/// A server for all names but the demos', over http and https, on loopback. It lives as long as the runtime.
#[derive(Debug, Clone)]
pub(crate) struct Stranger {
    desk: Arc<Desk>,
    pub(crate) http: u16,
    pub(crate) https: u16,
}

#[derive(Debug, Default)]
struct Desk {
    /// What is answered at a host and path.
    pages: Mutex<HashMap<(String, String), Served>>,
    visits: Mutex<Vec<Visit>>,
    imitations: Imitations,
}

impl Stranger {
    /// Opens both listeners.
    pub(crate) async fn open() -> io::Result<Self> {
        let desk = Arc::new(Desk::default());
        let (plain, secure) =
            (TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?, TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?);
        let (http, https) = (plain.local_addr()?.port(), secure.local_addr()?.port());
        tokio::spawn(serve(plain, None, Arc::clone(&desk)));
        tokio::spawn(serve(secure, Some(acceptor()?), Arc::clone(&desk)));
        Ok(Self { desk, http, https })
    }

    /// Answers at this host and path from now on, over either scheme and whatever the query.
    pub(crate) fn put(&self, host: &str, path: &str, served: Served) {
        lock(&self.desk.pages).insert((host.to_owned(), path.to_owned()), served);
    }

    /// Opens a site with a defect.
    pub(crate) fn imitate(&self, defect: Defect) {
        self.desk.imitations.open(defect);
    }

    /// Who asked this host, in order.
    pub(crate) fn visits(&self, host: &str) -> Vec<Visit> {
        lock(&self.desk.visits).iter().filter(|visit| visit.host == host).cloned().collect()
    }
}

impl Desk {
    async fn answer(&self, visit: Visit) -> Served {
        if let Some((served, pause)) = self.imitations.answer(&visit) {
            sleep(pause).await;
            return served;
        }
        let known = lock(&self.pages).get(&(visit.host.clone(), visit.path().to_owned())).cloned();
        lock(&self.visits).push(visit);
        known.unwrap_or_else(|| Served::page("<title>somewhere else</title>"))
    }
}

async fn serve(listener: TcpListener, tls: Option<TlsAcceptor>, desk: Arc<Desk>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (tls, desk) = (tls.clone(), Arc::clone(&desk));
        tokio::spawn(async move {
            // Browsers open connections ahead of time and drop them; nobody has to know.
            let _ = match tls {
                None => converse(stream, false, &desk).await,
                Some(tls) => match tls.accept(stream).await {
                    Ok(stream) => converse(stream, true, &desk).await,
                    Err(error) => Err(error),
                },
            };
        });
    }
}

async fn converse(stream: impl AsyncRead + AsyncWrite + Unpin, secure: bool, desk: &Desk) -> io::Result<()> {
    let mut stream = BufStream::new(stream);
    while let Some(visit) = wire::read(&mut stream, secure).await? {
        let served = desk.answer(visit).await;
        wire::write(&mut stream, &served).await?;
    }
    Ok(())
}

/// A certificate nobody signed, for every name: the browser was told to take any.
fn acceptor() -> io::Result<TlsAcceptor> {
    let key = KeyPair::generate().map_err(io::Error::other)?;
    let params = CertificateParams::new(vec!["stranger.test".to_owned()]).map_err(io::Error::other)?;
    let certificate = params.self_signed(&key).map_err(io::Error::other)?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key))
        .map_err(io::Error::other)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
