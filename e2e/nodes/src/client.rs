//! A client of one node: signs in, looks who is there, and ends sessions, as a page of that node's origin would.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, COOKIE, HeaderMap, ORIGIN, SET_COOKIE};
use http::{HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy::{Client as Pool, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use tokio::time::{Instant, timeout};

use crate::judge::Seen;

/// Keep-alive connections to one node.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pool: Pool<HttpConnector, Full<Bytes>>,
    address: SocketAddr,
    origin: HeaderValue,
}

/// What signs somebody in; never shown.
#[derive(Clone)]
pub(crate) struct Cookie(HeaderValue);

/// One of the demo's accounts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Account {
    name: &'static str,
    password: &'static str,
}

/// How a session is ended.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ending<'a> {
    /// By its own sign-out.
    SignOut(&'a Cookie),
    /// By another session of the same account, from its list.
    Device { by: &'a Cookie, sid: &'a str },
    /// By another session of the same account, with all others.
    Others { by: &'a Cookie },
}

/// An answer, and when it came.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    /// Just before the request left: the node cannot have seen it earlier.
    pub(crate) sent: Instant,
    /// When the answer's head was here: the node cannot have made it later.
    pub(crate) received: Instant,
}

/// No answer to one request: it may or may not have reached the node.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoAnswer {
    #[error("the request could not be written")]
    Request(#[from] http::Error),
    #[error("the connection failed")]
    Connection(#[from] hyper_util::client::legacy::Error),
    #[error("the body could not be read")]
    Body(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("no answer within {}", humantime::format_duration(PATIENCE))]
    Patience,
    #[error("signing in was answered {0}, and set no session cookie")]
    SignIn(StatusCode),
    #[error("a session that was good a moment ago was answered {0}")]
    Who(StatusCode),
}

impl Account {
    /// The two accounts every demo begins with.
    pub(crate) const ALL: [Self; 2] =
        [Self { name: "ada", password: "ada-demo-1" }, Self { name: "grace", password: "grace-demo-1" }];
}

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Result<Self, NoAnswer> {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let pool = Pool::builder(TokioExecutor::new()).build(connector);
        let origin = HeaderValue::try_from(format!("http://{address}")).map_err(http::Error::from)?;
        Ok(Self { pool, address, origin })
    }

    /// A new session.
    pub(crate) async fn sign_in(&self, account: Account) -> Result<Cookie, NoAnswer> {
        let form = format!("username={}&password={}", account.name, account.password);
        let answer = self.ask(Method::POST, "/login", None, form).await?;
        answer.cookie().ok_or(NoAnswer::SignIn(answer.status))
    }

    /// How it answers to this cookie. No answer at all is no admission either.
    pub(crate) async fn look(&self, cookie: &Cookie) -> (Instant, Instant, Seen) {
        let began = Instant::now();
        match self.ask(Method::GET, "/me", Some(cookie), String::new()).await {
            Ok(answer) => (answer.sent, answer.received, answer.seen()),
            Err(_) => (began, Instant::now(), Seen::Nothing),
        }
    }

    /// The public id of the session of this cookie.
    pub(crate) async fn sid(&self, cookie: &Cookie) -> Result<String, NoAnswer> {
        let answer = self.ask(Method::GET, "/me", Some(cookie), String::new()).await?;
        let body: Option<serde_json::Value> = serde_json::from_slice(&answer.body).ok();
        let sid = body.as_ref().and_then(|body| body.get("sid")).and_then(|sid| sid.as_str());
        sid.map(str::to_owned).ok_or(NoAnswer::Who(answer.status))
    }

    /// Ends what is to be ended. It counts as acknowledged if the answer [is so](Answer::acknowledges).
    pub(crate) async fn end(&self, ending: Ending<'_>) -> Result<Answer, NoAnswer> {
        let (path, cookie) = match ending {
            Ending::SignOut(own) => ("/logout".to_owned(), own),
            Ending::Device { by, sid } => (format!("/devices/{sid}/end"), by),
            Ending::Others { by } => ("/devices/end-others".to_owned(), by),
        };
        self.ask(Method::POST, &path, Some(cookie), String::new()).await
    }

    async fn ask(&self, method: Method, path: &str, cookie: Option<&Cookie>, form: String) -> Result<Answer, NoAnswer> {
        let uri = format!("http://{}{path}", self.address);
        let mut request = Request::builder().method(&method).uri(uri).header(ACCEPT, "application/json");
        request = request.header("sec-fetch-site", "same-origin").header("sec-fetch-mode", "cors");
        if let Some(Cookie(value)) = cookie {
            request = request.header(COOKIE, value);
        }
        if method == Method::POST {
            request = request.header(ORIGIN, &self.origin).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        let request = request.body(Full::from(form))?;
        timeout(PATIENCE, self.exchange(request)).await.map_err(|_| NoAnswer::Patience)?
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Answer, NoAnswer> {
        let sent = Instant::now();
        let (head, body) = self.pool.request(request).await?.into_parts();
        let received = Instant::now();
        let body = Limited::new(body, LONGEST_BODY).collect().await.map_err(NoAnswer::Body)?.to_bytes();
        Ok(Answer { status: head.status, headers: head.headers, body, sent, received })
    }
}

impl Answer {
    /// Whether somebody may rely on it that the session has ended.
    pub(crate) fn acknowledges(&self) -> bool {
        self.status.is_success() || self.status == StatusCode::SEE_OTHER
    }

    fn seen(&self) -> Seen {
        match self.status {
            StatusCode::OK => Seen::Admitted,
            StatusCode::UNAUTHORIZED => Seen::SignedOut,
            StatusCode::SERVICE_UNAVAILABLE => Seen::Unavailable,
            _ => Seen::Nothing,
        }
    }

    /// The session cookie this answer sets.
    fn cookie(&self) -> Option<Cookie> {
        let lines = self.headers.get_all(SET_COOKIE).iter().filter_map(|line| line.to_str().ok());
        let pairs = lines.filter_map(|line| line.split(';').next());
        let value = pairs.filter_map(|pair| pair.strip_prefix(COOKIE_NAME)).find(|value| !value.is_empty())?;
        HeaderValue::try_from(format!("{COOKIE_NAME}{value}")).ok().map(Cookie)
    }
}

impl std::fmt::Debug for Cookie {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Cookie(redacted)")
    }
}

/// As the demo names it on plain loopback.
const COOKIE_NAME: &str = "dev-id=";
/// Longer than anything is held up here.
const PATIENCE: Duration = Duration::from_secs(30);
const LONGEST_BODY: usize = 256 * 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, set_cookie: &[&'static str]) -> Answer {
        let headers = set_cookie.iter().map(|line| (SET_COOKIE, HeaderValue::from_static(line))).collect();
        let (status, now) = (StatusCode::from_u16(status).unwrap(), Instant::now());
        Answer { status, headers, body: Bytes::new(), sent: now, received: now }
    }

    #[test]
    fn only_what_lets_somebody_in_counts_as_admitted() {
        let table = [(200, Seen::Admitted), (401, Seen::SignedOut), (503, Seen::Unavailable), (500, Seen::Nothing)];
        for (status, seen) in table {
            assert_eq!(answer(status, &[]).seen(), seen, "{status}");
        }
    }

    #[test]
    fn the_session_cookie_is_found_among_others_and_a_removed_one_is_none() {
        let set = answer(200, &["dev-an=; Max-Age=0", "dev-id=abc; Path=/; HttpOnly"]);
        assert_eq!(set.cookie().unwrap().0, "dev-id=abc");
        assert!(answer(200, &["dev-id=; Max-Age=0"]).cookie().is_none());
        assert_eq!(format!("{:?}", set.cookie().unwrap()), "Cookie(redacted)");
    }
}
