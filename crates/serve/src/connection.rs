//! One connection: who it is from, whether it is encrypted, and what it speaks.

use std::convert::Infallible;
use std::error::Error;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, Request};
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::Watcher;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{Notify, OwnedSemaphorePermit, watch};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tower::{ServiceExt, util::BoxCloneSyncService};

use crate::Peers;
use crate::bound::App;
use crate::proxy_protocol;

/// The time for a TLS handshake, and for the header of the PROXY protocol.
pub const LONGEST_HANDSHAKE: Duration = Duration::from_secs(10);

pub(crate) struct Connection<A> {
    pub(crate) peer: SocketAddr,
    /// Whether HTTP/2 is served without TLS.
    pub(crate) plain_http2: bool,
    pub(crate) app: A,
    pub(crate) watcher: Watcher,
    /// Whether peers are told to close it.
    pub(crate) leaving: Arc<AtomicBool>,
    /// Whether it is let go if it has not begun to ask.
    pub(crate) over: watch::Receiver<bool>,
    pub(crate) longest_head: Duration,
    pub(crate) _slot: Option<OwnedSemaphorePermit>,
}

/// A connection on which requests may come.
enum Begun {
    Plain(TcpStream, Speaks),
    Encrypted(Box<TlsStream<TcpStream>>, Speaks),
}

#[derive(Debug, Clone, Copy)]
enum Speaks {
    Http1,
    Http2,
}

impl<A: App> Connection<A> {
    pub(crate) async fn run(mut self, stream: TcpStream, announced_by: Option<Arc<Peers>>, tls: Option<TlsAcceptor>) {
        let mut over = self.over.clone();
        let begun = tokio::select! {
            biased;
            begun = self.begin(stream, announced_by, tls) => begun,
            _ = over.wait_for(|over| *over) => return tracing::debug!("nothing had been asked at the end"),
        };
        match begun {
            Some(Begun::Plain(stream, Speaks::Http1)) => self.http1(stream).await,
            Some(Begun::Plain(stream, Speaks::Http2)) => self.http2(stream).await,
            Some(Begun::Encrypted(stream, Speaks::Http1)) => self.http1(stream).await,
            Some(Begun::Encrypted(stream, Speaks::Http2)) => self.http2(stream).await,
            None => {}
        }
    }

    /// All that comes before the first request. Has [`LONGEST_HANDSHAKE`] for each step.
    async fn begin(
        &mut self,
        mut stream: TcpStream,
        announced_by: Option<Arc<Peers>>,
        tls: Option<TlsAcceptor>,
    ) -> Option<Begun> {
        // Answers are small and complete; waiting to fill a packet only delays them.
        let _ = stream.set_nodelay(true);
        if let Some(peers) = announced_by {
            let announced = timeout(LONGEST_HANDSHAKE, proxy_protocol::announced(&mut stream, self.peer, &peers)).await;
            match announced.unwrap_or(Err(proxy_protocol::Refused::TooSlow)) {
                Ok(peer) => self.peer = peer,
                Err(refused) => {
                    tracing::warn!(
                        rule = "proxy_protocol",
                        reason = refused.reason(),
                        "a connection to the public listener was closed: {refused}"
                    );
                    return None;
                }
            }
        }
        let Some(tls) = tls else {
            let http2 = self.plain_http2 && timeout(LONGEST_HANDSHAKE, begins_in_http2(&stream)).await == Ok(true);
            return Some(Begun::Plain(stream, if http2 { Speaks::Http2 } else { Speaks::Http1 }));
        };
        match timeout(LONGEST_HANDSHAKE, tls.accept(stream)).await {
            Ok(Ok(stream)) => {
                let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                return Some(Begun::Encrypted(Box::new(stream), if http2 { Speaks::Http2 } else { Speaks::Http1 }));
            }
            // A browser that distrusts the self-made certificate ends here, every time it asks its user.
            Ok(Err(error)) => tracing::debug!(error = &error as &dyn Error, "TLS handshake failed"),
            Err(_) => tracing::debug!("TLS handshake took too long"),
        }
        None
    }

    async fn http1<I: AsyncRead + AsyncWrite + Unpin + 'static>(self, stream: I) {
        let leaving = self.leaving;
        let app = ServiceExt::<Request<Body>>::map_response(self.app, move |mut response: Response<Body>| {
            if leaving.load(Ordering::Relaxed) {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            response
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.longest_head)
            .max_headers(MOST_HEADERS)
            .serve_connection(TokioIo::new(stream), service(app, self.peer, Arc::default()));
        report(self.watcher.watch(connection).await);
    }

    /// Idle connections are pinged. One that never asks anything is let go here: the protocol has no such limit.
    async fn http2<I: AsyncRead + AsyncWrite + Unpin + 'static>(self, stream: I) {
        let asked = Arc::new(Notify::new());
        let service = service(self.app, self.peer, Arc::clone(&asked));
        let connection = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(self.longest_head)
            .max_header_list_size(LARGEST_HEAD)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = pin!(self.watcher.watch(connection));
        tokio::select! {
            result = &mut connection => return report(result),
            () = asked.notified() => {}
            () = sleep(self.longest_head) => return tracing::debug!("connection asked nothing"),
        }
        report(connection.await);
    }
}

/// Whether a client begins with HTTP/2's preface (RFC 9113, section 3.4), as no request in HTTP/1.1 begins. Takes nothing
/// from the stream.
async fn begins_in_http2(stream: &TcpStream) -> bool {
    let mut head = [0; PREFACE.len()];
    loop {
        let Ok(read) = stream.peek(&mut head).await else { return false };
        match head.get(..read) {
            Some(begun) if begun == PREFACE => return true,
            // It came in pieces, which no client does on purpose.
            Some(begun) if !begun.is_empty() && PREFACE.starts_with(begun) => sleep(A_MOMENT).await,
            _ => return false,
        }
    }
}

type Answering = BoxCloneSyncService<Request<Incoming>, Response<Body>, Infallible>;

fn service(app: impl App, peer: SocketAddr, asked: Arc<Notify>) -> TowerToHyperService<Answering> {
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

const PREFACE: &[u8] = b"PRI * HTTP/2.0";
const A_MOMENT: Duration = Duration::from_millis(2);
/// The largest head: a cookie header of 64 kB must reach the session layer and be judged there.
const LARGEST_HEAD: u32 = 256 * 1024;
/// Header lines in a request: 500 cookies may come one to a line (HTTP/2 splits them so).
const MOST_HEADERS: usize = 1024;
