//! What is sent to receivers elsewhere: one POST at a time, with a limit on everything that comes back.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{ACCEPT, HeaderMap, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::connect::{Connect, HttpConnector};
use hyper_util::client::legacy::{self, Client as Pool};
use hyper_util::rt::{TokioExecutor, TokioTimer};

mod endpoint;
mod trust;

pub use self::endpoint::{Endpoint, EndpointError, PlainHttp};
pub use self::trust::{Trust, TrustError};

/// Sends requests, over TLS and connections that are kept for a moment. Cheap to clone.
///
/// It follows no redirects, asks no proxy, keeps no cookies and decompresses nothing.
///
/// # Examples
/// ```
/// use counterfoil_telemetry::client::{Client, Endpoint, Limits, PlainHttp, Trust};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::new(&Trust::System, Limits::default())?;
/// let to = Endpoint::checked("https://siem.example/in", PlainHttp::Loopback)?;
/// let answer = client.post(&to, http::HeaderMap::new(), "{}".into()).await?;
/// assert!(answer.status.is_success());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client {
    send: Arc<Send>,
    limits: Limits,
}

/// How long a receiver may take, and how much it may answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Until the connection stands, without TLS [default: 5 s].
    pub connect: Duration,
    /// From the beginning to the end of the answer [default: 10 s].
    pub whole: Duration,
    /// How much of the answer's body is read [default: 4 kB].
    pub body: usize,
}

/// What came back.
#[derive(Clone)]
pub struct Answer {
    /// The status: whatever it is.
    pub status: StatusCode,
    /// The fields.
    pub headers: HeaderMap,
    /// The body, as far as it may be read and came in time.
    pub body: Bytes,
    /// Whether that is all of the body.
    pub is_whole: bool,
}

/// Nothing came back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PostError {
    /// No connection: nothing was sent, and it may be tried again.
    #[error("no connection")]
    Connect(#[source] legacy::Error),
    /// The connection broke, or what came is not HTTP: the receiver may have got it.
    #[error("the connection broke, or its other end does not speak HTTP")]
    Broken(#[source] legacy::Error),
    /// No answer within [`Limits::whole`]: the receiver may have got it.
    #[error("no answer in time")]
    TimedOut,
    /// This cannot be a request: it will not do next time either.
    #[error("not a request")]
    Request(#[source] http::Error),
}

type Send = dyn Fn(Request<Full<Bytes>>) -> Sending + std::marker::Send + Sync;
type Sending = Pin<Box<dyn Future<Output = Result<Response<Incoming>, legacy::Error>> + std::marker::Send>>;

impl Client {
    /// One that believes `trust` about who is who.
    ///
    /// # Errors
    /// The certificates cannot be read.
    pub fn new(trust: &Trust, limits: Limits) -> Result<Self, TrustError> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(limits.connect));
        tcp.set_nodelay(true);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(trust.config()?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        Ok(Self::over(connector, limits))
    }

    fn over<C: Connect + Clone + std::marker::Send + Sync + 'static>(connector: C, limits: Limits) -> Self {
        let pool = Pool::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(KEPT)
            .pool_max_idle_per_host(MOST_KEPT)
            .http1_max_buf_size(MOST_HEAD)
            .build(connector);
        Self { send: Arc::new(move |request| Box::pin(pool.request(request))), limits }
    }

    /// Sends `body`, and waits for what comes back. If this is dropped on the way, the connection is closed.
    ///
    /// # Errors
    /// Nothing came back. Any status is an answer.
    pub async fn post(&self, to: &Endpoint, headers: HeaderMap, body: Bytes) -> Result<Answer, PostError> {
        self.ask(Method::POST, to, headers, body).await
    }

    /// Asks for what lies there, in JSON. If this is dropped on the way, the connection is closed.
    ///
    /// # Errors
    /// Nothing came back. Any status is an answer.
    pub async fn get(&self, from: &Endpoint) -> Result<Answer, PostError> {
        let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
        self.ask(Method::GET, from, headers, Bytes::new()).await
    }

    async fn ask(&self, method: Method, to: &Endpoint, headers: HeaderMap, body: Bytes) -> Result<Answer, PostError> {
        let mut request = Request::builder().method(method).uri(to.uri()).body(Full::new(body))?;
        *request.headers_mut() = headers;
        let end = tokio::time::Instant::now() + self.limits.whole;
        let answer = tokio::time::timeout_at(end, (self.send)(request)).await.map_err(|_| PostError::TimedOut)??;
        let (head, mut incoming) = answer.into_parts();
        let mut body = BytesMut::new();
        let read = tokio::time::timeout_at(end, some(&mut incoming, &mut body, self.limits.body)).await;
        let is_whole = read.unwrap_or(false);
        Ok(Answer { status: head.status, headers: head.headers, body: body.freeze(), is_whole })
    }
}

/// Reads up to that many bytes. Whether that is all there is.
async fn some(from: &mut Incoming, to: &mut BytesMut, most: usize) -> bool {
    while let Some(frame) = from.frame().await {
        let Ok(frame) = frame else { return false };
        let Ok(data) = frame.into_data() else { continue };
        let room = most - to.len();
        to.extend_from_slice(data.get(..room).unwrap_or(&data));
        if data.len() > room {
            return false;
        }
    }
    true
}

impl From<legacy::Error> for PostError {
    fn from(error: legacy::Error) -> Self {
        if error.is_connect() { Self::Connect(error) } else { Self::Broken(error) }
    }
}

impl From<http::Error> for PostError {
    fn from(error: http::Error) -> Self {
        Self::Request(error)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), whole: Duration::from_secs(10), body: 4 * 1024 }
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Answer")
            .field("status", &self.status)
            .field("is_whole", &self.is_whole)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Client").field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// Shorter than the five seconds after which widespread servers close: a request must not meet a connection that does.
const KEPT: Duration = Duration::from_secs(3);
const MOST_KEPT: usize = 8;
/// Of an answer's status and fields.
const MOST_HEAD: usize = 32 * 1024;

#[cfg(test)]
pub(crate) mod memory;
#[cfg(test)]
mod tests;
