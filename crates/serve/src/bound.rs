//! A listener: how much its peers may take up, and how they are let go.

use std::convert::Infallible;
use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use axum::response::Response;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tower::Service;

use crate::connection::Connection;
use crate::{Certificate, Peers};

/// A listener, how it encrypts, and what it allows.
#[expect(missing_debug_implementations, reason = "a TlsAcceptor has no Debug, and would print keys if it had")]
pub struct Bound {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    announced_by: Option<Arc<Peers>>,
    plain_http2: bool,
    bounds: Bounds,
}

/// How much of a listener its peers may take up, and how they are let go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The time for a request's head to arrive, and so also how long a connection may idle.
    pub longest_head: Duration,
    /// Connections at once; the next ones wait in the system's queue.
    pub most_connections: usize,
    /// Once told to stop: how long whoever asks is still answered, and told to close the connection; and then how long
    /// those get who were accepted last.
    pub longest_leave: Duration,
    /// The time that requests under way get to finish after that.
    pub longest_goodbye: Duration,
}

impl Bounds {
    /// For browsers: anybody, one of whom may be slow on purpose.
    pub const OF_BROWSERS: Self = Self {
        longest_head: Duration::from_secs(30),
        most_connections: 1024,
        longest_leave: Duration::ZERO,
        longest_goodbye: Duration::from_secs(10),
    };

    /// For proxies of the operator's own. They keep connections and ask again on them: the longest any of them keeps one
    /// that idles is an hour (Envoy), and whoever closes first must be the proxy, or a question meets a closing
    /// connection. Ten thousand browsers behind proxies that share nothing fit.
    pub const OF_PROXIES: Self = Self {
        longest_head: Duration::from_mins(61),
        most_connections: 16 * 1024,
        longest_leave: Duration::from_secs(1),
        longest_goodbye: Duration::from_secs(10),
    };
}

impl Bound {
    /// Serves plain http.
    pub fn plain(listener: TcpListener) -> Self {
        Self { listener, tls: None, announced_by: None, plain_http2: false, bounds: Bounds::OF_BROWSERS }
    }

    /// Serves https only.
    pub fn encrypted(listener: TcpListener, certificate: &Certificate) -> Self {
        Self { tls: Some(certificate.acceptor()), ..Self::plain(listener) }
    }

    /// Allows so much, instead of [`Bounds::OF_BROWSERS`].
    pub fn within(self, bounds: Bounds) -> Self {
        Self { bounds, ..self }
    }

    /// Expects every connection to begin with a header of the PROXY protocol, version 2: the peer that handlers see is
    /// the one it names.
    ///
    /// # Security
    /// Only these peers are believed. A connection of anybody else, or without a header, or with a broken one, is closed,
    /// and that is logged.
    pub fn announced_by(self, peers: Peers) -> Self {
        Self { announced_by: Some(Arc::new(peers)), ..self }
    }

    /// Serves HTTP/2 as well to whoever begins in it without TLS (RFC 9113, section 3.3), as proxies do for gRPC.
    pub fn with_plain_http2(self) -> Self {
        Self { plain_http2: true, ..self }
    }

    /// Serves `app` until `stop` resolves, then lets everybody go as the [`Bounds`] say.
    ///
    /// Every request carries `ConnectInfo<SocketAddr>`: the peer, not what a header claims.
    ///
    /// # Security
    /// A handshake and a request's head have [`LONGEST_HANDSHAKE`](crate::LONGEST_HANDSHAKE) and
    /// [`Bounds::longest_head`], so a slow peer holds one of [`Bounds::most_connections`] only that long; a handshake
    /// never holds up the next accept. Bodies are bounded where they are read.
    pub async fn serve<A>(self, app: A, stop: impl Future<Output = ()>)
    where
        A: App,
    {
        let Bounds { longest_leave, longest_goodbye, .. } = self.bounds;
        let open = Open {
            slots: Arc::new(Semaphore::new(self.bounds.most_connections)),
            goodbye: GracefulShutdown::new(),
            leaving: Arc::default(),
            over: watch::Sender::new(false),
        };
        self.accept_until(&app, &open, pin!(stop)).await;

        open.leaving.store(true, Ordering::Relaxed);
        if !longest_leave.is_zero() && !open.is_empty(&self.bounds) {
            self.accept_until(&app, &open, pin!(sleep(longest_leave))).await;
        }
        // What the system accepted and nobody asked for stays in its queue, for whoever has the socket too.
        drop(self.listener);
        if !longest_leave.is_zero() {
            let _ = timeout(longest_leave, open.all_gone(&self.bounds)).await;
        }
        open.over.send_replace(true);
        if timeout(longest_goodbye, open.goodbye.shutdown()).await.is_err() {
            tracing::warn!("some requests were still under way and are cut off");
        }
    }

    async fn accept_until(&self, app: &impl App, open: &Open, mut end: Pin<&mut impl Future<Output = ()>>) {
        loop {
            let (stream, peer, slot) = tokio::select! {
                biased;
                () = &mut end => return,
                accepted = self.accept(&open.slots) => accepted,
            };
            let connection = Connection {
                peer,
                plain_http2: self.plain_http2,
                app: app.clone(),
                watcher: open.goodbye.watcher(),
                leaving: Arc::clone(&open.leaving),
                over: open.over.subscribe(),
                longest_head: self.bounds.longest_head,
                _slot: slot,
            };
            tokio::spawn(connection.run(stream, self.announced_by.clone(), self.tls.clone()));
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

/// What answers on a listener: a `Router`, or any service like it. Each connection has a clone.
pub trait App:
    Service<Request<Body>, Response = Response, Error = Infallible, Future: Send> + Clone + Send + Sync + 'static
{
}

impl<A> App for A where
    A: Service<Request<Body>, Response = Response, Error = Infallible, Future: Send> + Clone + Send + Sync + 'static
{
}

/// The connections of a listener.
struct Open {
    slots: Arc<Semaphore>,
    goodbye: GracefulShutdown,
    leaving: Arc<AtomicBool>,
    /// Whether who has not begun to ask is let go.
    over: watch::Sender<bool>,
}

impl Open {
    fn is_empty(&self, bounds: &Bounds) -> bool {
        self.slots.available_permits() == bounds.most_connections
    }

    async fn all_gone(&self, bounds: &Bounds) {
        let all = u32::try_from(bounds.most_connections).unwrap_or(u32::MAX);
        let _ = self.slots.acquire_many(all).await;
    }
}

fn is_the_peers_fault(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);
