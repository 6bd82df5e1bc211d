//! Connections: accepted, encrypted if asked for, bounded in time and number, and let go gently at the end.

use std::{convert::Infallible, error::Error, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::ConnectInfo, http::Request, response::Response};
use hyper::{
    body::Incoming,
    server::conn::{http1, http2},
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::graceful::{GracefulShutdown, Watcher},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use tower::{ServiceExt as _, util::BoxCloneSyncService};

mod tls;

pub use tls::{Certificate, CertificateFailed, VALID_FOR};

/// A listener, and how it encrypts.
#[expect(missing_debug_implementations, reason = "a TlsAcceptor has no Debug, and would print keys if it had")]
pub struct Bound {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
}

impl Bound {
    /// Serves plain http.
    pub fn plain(listener: TcpListener) -> Self {
        Self { listener, tls: None }
    }

    /// Serves https only.
    pub fn encrypted(listener: TcpListener, certificate: &Certificate) -> Self {
        Self { listener, tls: Some(certificate.acceptor()) }
    }

    /// Serves `app` until `stop` resolves, then for at most [`LONGEST_GOODBYE`] what is still under way.
    ///
    /// Every request carries `ConnectInfo<SocketAddr>`: the peer, not what a header claims.
    ///
    /// # Security
    /// A handshake and a request's head have [`LONGEST_HANDSHAKE`] and [`LONGEST_HEAD`], so a slow peer holds one of
    /// [`MOST_CONNECTIONS`] only that long; a handshake never holds up the next accept. Bodies are bounded where they
    /// are read.
    pub async fn serve(self, app: Router, stop: impl Future<Output = ()>) {
        let slots = Arc::new(Semaphore::new(MOST_CONNECTIONS));
        let goodbye = GracefulShutdown::new();
        let mut stop = pin!(stop);
        loop {
            let (stream, peer, slot) = tokio::select! {
                () = &mut stop => break,
                accepted = self.accept(&slots) => accepted,
            };
            let connection = Connection { peer, app: app.clone(), watcher: goodbye.watcher(), _slot: slot };
            let tls = self.tls.clone();
            tokio::spawn(connection.run(stream, tls));
        }
        drop(self.listener);
        if timeout(LONGEST_GOODBYE, goodbye.shutdown()).await.is_err() {
            tracing::warn!("some requests were still under way and are cut off");
        }
    }

    async fn accept(&self, slots: &Arc<Semaphore>) -> (TcpStream, SocketAddr, Option<OwnedSemaphorePermit>) {
        // The semaphore is never closed, so there is always a slot in the end.
        let slot = Arc::clone(slots).acquire_owned().await.ok();
        loop {
            match self.listener.accept().await {
                Ok((stream, peer)) => return (stream, peer, slot),
                Err(error) if is_the_peers_fault(&error) => {}
                Err(error) => {
                    tracing::error!(error = &error as &dyn Error, "cannot accept connections");
                    sleep(PAUSE_AFTER_FAILURE).await;
                }
            }
        }
    }
}

/// The time for a TLS handshake.
pub const LONGEST_HANDSHAKE: Duration = Duration::from_secs(10);
/// The time for a request's head to arrive, and so also how long a connection may idle.
pub const LONGEST_HEAD: Duration = Duration::from_secs(30);
/// The time requests get to finish once the server is told to stop.
pub const LONGEST_GOODBYE: Duration = Duration::from_secs(10);
/// Connections at once; the next ones wait in the system's queue.
pub const MOST_CONNECTIONS: usize = 1024;
/// The largest head: a cookie header of 64 kB must reach the session layer and be judged there.
const LARGEST_HEAD: u32 = 256 * 1024;
/// Header lines in a request: 500 cookies may come one to a line (HTTP/2 splits them so).
const MOST_HEADERS: usize = 1024;
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);

struct Connection {
    peer: SocketAddr,
    app: Router,
    watcher: Watcher,
    _slot: Option<OwnedSemaphorePermit>,
}

impl Connection {
    async fn run(self, stream: TcpStream, tls: Option<TlsAcceptor>) {
        // Answers are small and complete; waiting to fill a packet only delays them.
        let _ = stream.set_nodelay(true);
        let Some(tls) = tls else {
            return self.http1(stream).await;
        };
        match timeout(LONGEST_HANDSHAKE, tls.accept(stream)).await {
            Ok(Ok(stream)) if stream.get_ref().1.alpn_protocol() == Some(b"h2") => self.http2(stream).await,
            Ok(Ok(stream)) => self.http1(stream).await,
            // A browser that distrusts the self-made certificate ends here, every time it asks its user.
            Ok(Err(error)) => tracing::debug!(error = &error as &dyn Error, "TLS handshake failed"),
            Err(_) => tracing::debug!("TLS handshake took too long"),
        }
    }

    async fn http1<I: AsyncRead + AsyncWrite + Unpin + 'static>(self, stream: I) {
        let service = service(self.app, self.peer, Arc::default());
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(LONGEST_HEAD)
            .max_headers(MOST_HEADERS)
            .serve_connection(TokioIo::new(stream), service);
        report(self.watcher.watch(connection).await);
    }

    /// Idle connections are pinged. One that never asks anything is let go here: the protocol has no such limit.
    async fn http2<I: AsyncRead + AsyncWrite + Unpin + 'static>(self, stream: I) {
        let asked = Arc::new(Notify::new());
        let service = service(self.app, self.peer, Arc::clone(&asked));
        let connection = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(LONGEST_HEAD)
            .max_header_list_size(LARGEST_HEAD)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = pin!(self.watcher.watch(connection));
        tokio::select! {
            result = &mut connection => return report(result),
            () = asked.notified() => {}
            () = sleep(LONGEST_HEAD) => return tracing::debug!("connection asked nothing"),
        }
        report(connection.await);
    }
}

type Answering = BoxCloneSyncService<Request<Incoming>, Response<Body>, Infallible>;

fn service(app: Router, peer: SocketAddr, asked: Arc<Notify>) -> TowerToHyperService<Answering> {
    let app = app.map_request(move |mut request: Request<Incoming>| {
        asked.notify_one();
        request.extensions_mut().insert(ConnectInfo(peer));
        request.map(Body::new)
    });
    TowerToHyperService::new(BoxCloneSyncService::new(app))
}

fn report(result: Result<(), hyper::Error>) {
    if let Err(error) = result {
        tracing::debug!(error = &error as &dyn Error, "connection ended early");
    }
}

fn is_the_peers_fault(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// Resolves at ctrl-c or SIGTERM.
///
/// # Errors
/// Where the system lets nobody listen for signals.
pub fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    Ok(async move {
        #[cfg(unix)]
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
    })
}

#[cfg(test)]
mod tests;
