//! A bounded HTTP client that speaks to one address on loopback, as a page of that origin would.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::{
    client::legacy::{Client as Pool, connect::HttpConnector},
    rt::TokioExecutor,
};
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout},
};

use crate::{
    ask::Ask,
    jar::{Jar, Kind, SetCookie, Token},
};

/// Keep-alive connections to one server, never more requests at once than `connections`.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pool: Pool<HttpConnector, Full<Bytes>>,
    address: SocketAddr,
    origin: HeaderValue,
    permits: Arc<Semaphore>,
}

/// An answer, and when it came.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) cookies: Vec<SetCookie>,
    pub(crate) body: Bytes,
    /// Just before the request left: the server cannot have seen it earlier.
    pub(crate) sent: Instant,
    /// When the answer's head was here: the server cannot have seen the request later.
    pub(crate) received: Instant,
}

/// No answer to one request: it may or may not have reached the server.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoAnswer {
    #[error("the address {0} is not loopback")]
    NotLoopback(SocketAddr),
    #[error("the request could not be written")]
    Request(#[from] http::Error),
    #[error("the connection failed")]
    Connection(#[from] hyper_util::client::legacy::Error),
    #[error("the body could not be read")]
    Body(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("no answer within {}", humantime::format_duration(PATIENCE))]
    Patience,
    #[error("the client was closed")]
    Closed,
}

impl Client {
    /// A client for `address`, sending from `source` where one is given.
    ///
    /// # Errors
    /// [`NoAnswer::NotLoopback`]: these races are never run against anything but this machine.
    pub(crate) fn new(address: SocketAddr, source: Option<IpAddr>, permits: Arc<Semaphore>) -> Result<Self, NoAnswer> {
        if !address.ip().is_loopback() {
            return Err(NoAnswer::NotLoopback(address));
        }
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_local_address(source);
        let pool = Pool::builder(TokioExecutor::new())
            .pool_max_idle_per_host(permits.available_permits())
            .pool_idle_timeout(Duration::from_secs(10))
            .build(connector);
        let origin = HeaderValue::try_from(format!("http://{address}")).map_err(http::Error::from)?;
        Ok(Self { pool, address, origin, permits })
    }

    /// Sends one request with the cookies of `jar`; applies nothing.
    pub(crate) async fn send(&self, ask: &Ask, jar: &Jar) -> Result<Reply, NoAnswer> {
        let request = self.request(ask, jar)?;
        let _permit = self.permits.acquire().await.map_err(|_| NoAnswer::Closed)?;
        timeout(PATIENCE, self.exchange(request)).await.map_err(|_| NoAnswer::Patience)?
    }

    /// As [`Client::send`], again where no answer came. Only for requests that may be repeated.
    pub(crate) async fn send_again(&self, ask: &Ask, jar: &Jar) -> Result<Reply, NoAnswer> {
        for _ in 1..ATTEMPTS {
            if let Ok(reply) = self.send(ask, jar).await {
                return Ok(reply);
            }
        }
        self.send(ask, jar).await
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Reply, NoAnswer> {
        let sent = Instant::now();
        let (head, body) = self.pool.request(request).await?.into_parts();
        let received = Instant::now();
        let body = Limited::new(body, LONGEST_BODY).collect().await.map_err(NoAnswer::Body)?.to_bytes();
        Ok(Reply { status: head.status, cookies: SetCookie::all(&head.headers), body, sent, received })
    }

    fn request(&self, ask: &Ask, jar: &Jar) -> Result<Request<Full<Bytes>>, http::Error> {
        let uri = Uri::builder()
            .scheme("http")
            .authority(self.address.to_string())
            .path_and_query(ask.target.as_str())
            .build()?;
        let mut request = Request::builder()
            .method(ask.method.clone())
            .uri(uri)
            .header(header::ACCEPT, ask.accept)
            .header(header::USER_AGENT, BROWSER)
            .header(SEC_FETCH_SITE, "same-origin");
        if ask.accept != "text/html" {
            request = request.header(SEC_FETCH_MODE, "cors");
        }
        if ask.method.is_safe() {
            return with_cookies(request, jar).body(Full::default());
        }
        with_cookies(request, jar)
            .header(header::ORIGIN, self.origin.clone())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Full::from(ask.form.clone()))
    }
}

impl Reply {
    /// The session token this answer sets, if it sets one.
    pub(crate) fn session(&self) -> Option<&Token> {
        self.cookies.iter().rev().find(|line| line.kind == Kind::Session)?.value.as_ref()
    }

    /// Whether this answer removes the session cookie.
    pub(crate) fn removes_session(&self) -> bool {
        self.cookies.iter().any(|line| line.kind == Kind::Session && line.value.is_none())
    }

    /// Answered as one answers a form (303) or a script (2xx).
    pub(crate) fn is_done(&self) -> bool {
        self.status.is_success() || self.status == StatusCode::SEE_OTHER
    }

    /// Understood and not granted: a wrong password, a limit, a subject that moved.
    pub(crate) fn is_refusal(&self) -> bool {
        let refusals =
            [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN, StatusCode::CONFLICT, StatusCode::TOO_MANY_REQUESTS];
        refusals.contains(&self.status)
    }

    /// One member of a JSON answer.
    pub(crate) fn member(&self, name: &str) -> Option<serde_json::Value> {
        serde_json::from_slice::<serde_json::Value>(&self.body).ok()?.get(name).cloned()
    }
}

fn with_cookies(request: http::request::Builder, jar: &Jar) -> http::request::Builder {
    match jar.header() {
        Some(cookies) => request.header(header::COOKIE, cookies),
        None => request,
    }
}

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const PATIENCE: Duration = Duration::from_secs(30);
const ATTEMPTS: u32 = 3;
const LONGEST_BODY: usize = 256 * 1024;
