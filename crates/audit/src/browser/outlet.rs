//! The browser's only way out: a proxy that sends each request as the audit sends its own, and answers some itself.
//!
//! So scope, budget, pace and certificates are those of the wire, and what the browser really sent is there to be read.

mod kind;
#[cfg(test)]
mod tests;
mod tls;

use std::collections::{BTreeSet, HashMap};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use url::Url;

use self::kind::{header, is_file, is_for_everybody, is_page, is_picture};
use self::tls::Mask;
use crate::exchange::{Answer, Exchange, Sent};
use crate::wire::{Wire, WireError, authority, now_millis};

/// The way out.
#[derive(Debug)]
pub(crate) struct Outlet {
    address: SocketAddr,
    desk: Arc<Desk>,
    serving: JoinHandle<()>,
}

/// An address that the audit answers itself, whatever its scheme and port: the site never hears of it.
#[derive(Debug, Clone)]
pub(crate) struct Trap {
    /// Of which host.
    pub(crate) host: String,
    /// Which path.
    pub(crate) path: String,
    /// What is on the page.
    pub(crate) html: String,
    /// Set-Cookie lines.
    pub(crate) cookies: Vec<String>,
}

/// What went out.
#[derive(Debug, Clone)]
pub(crate) struct Passed {
    pub(crate) exchange: Exchange,
    /// Whether it was a page and not a part of one.
    pub(crate) page: bool,
    /// Whether the audit itself answered.
    pub(crate) trapped: bool,
}

struct Desk {
    wire: Arc<Wire>,
    mask: Mask,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    traps: Vec<Trap>,
    passed: Vec<Passed>,
    under_way: usize,
    refused: BTreeSet<String>,
    files: HashMap<String, Answer>,
}

type Reply = Response<Full<Bytes>>;

impl Outlet {
    pub(super) async fn open(wire: Arc<Wire>) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (address, mask) = (listener.local_addr()?, Mask::new().map_err(std::io::Error::other)?);
        let desk = Arc::new(Desk { wire, mask, state: Mutex::default(), changed: Notify::new() });
        let serving = tokio::spawn(serve(listener, Arc::clone(&desk)));
        Ok(Self { address, desk, serving })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// By which the browser believes it.
    pub(super) fn key(&self) -> &str {
        &self.desk.mask.key
    }

    /// Answers these itself from now on, and none of those before.
    pub(crate) fn set(&self, traps: Vec<Trap>) {
        let mut state = self.desk.state();
        state.traps = traps;
        state.refused.clear();
    }

    /// Forgets what passed: each page and its answer would be kept to the end of the audit.
    pub(super) fn forget(&self) {
        self.desk.state().passed.clear();
    }

    /// This moment: later ones have passed since, until it is forgotten.
    pub(crate) fn mark(&self) -> usize {
        self.desk.state().passed.len()
    }

    pub(crate) fn since(&self, mark: usize) -> Vec<Passed> {
        self.desk.state().passed.get(mark..).unwrap_or_default().to_vec()
    }

    /// Whether somebody still waits for an answer.
    pub(super) fn is_busy(&self) -> bool {
        self.desk.state().under_way > 0
    }

    /// Where else pages wanted something from since traps were last set.
    pub(super) fn refused(&self) -> Vec<String> {
        self.desk.state().refused.iter().cloned().collect()
    }

    /// Waits for the next request or answer, at most so long; whether there was one.
    pub(super) async fn changes(&self, within: Duration) -> bool {
        tokio::time::timeout(within, self.desk.changed.notified()).await.is_ok()
    }

    /// What `find` finds in what passed since `mark`, as soon as it does.
    pub(crate) async fn wait<T>(
        &self,
        mark: usize,
        within: Duration,
        find: impl Fn(&[Passed]) -> Option<T>,
    ) -> Option<T> {
        let found = async {
            loop {
                let changed = self.desk.changed.notified();
                if let Some(found) = find(self.desk.state().passed.get(mark..).unwrap_or_default()) {
                    return found;
                }
                changed.await;
            }
        };
        tokio::time::timeout(within, found).await.ok()
    }
}

impl Drop for Outlet {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Desk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One request, wherever it goes.
    async fn answer(&self, sent: Sent) -> Reply {
        let page = is_page(&sent);
        let trap = self.state().traps.iter().find(|trap| trap.catches(&sent.url)).cloned();
        let trapped = trap.is_some();
        let answer = match trap {
            Some(trap) => trap.answer(),
            None if !self.wire.reaches(&sent.url) => {
                if self.is_by_page(&sent) {
                    self.state().refused.insert(sent.url.origin().ascii_serialization());
                }
                return plain(StatusCode::FORBIDDEN, "counterfoil audit: not the site's");
            }
            None if is_picture(&sent) => return plain(StatusCode::NO_CONTENT, ""),
            None => match self.file(&sent).await {
                Ok(answer) => answer,
                Err(error) => return plain(StatusCode::BAD_GATEWAY, &format!("counterfoil audit: {error}")),
            },
        };
        let reply = reply(&answer);
        // So long is no page, and what passed is kept for a while.
        let long = answer.body.len() > LONGEST_KEPT;
        let answer = if long { Answer { body: Bytes::new(), cut: true, ..answer } } else { answer };
        self.state().passed.push(Passed { exchange: Exchange { sent, answer }, page, trapped });
        reply
    }

    /// Whether a page asked for it, and not the browser itself.
    fn is_by_page(&self, sent: &Sent) -> bool {
        let part = matches!(header(sent, "sec-fetch-dest"), "document" | "iframe" | "script" | "style");
        let sites = |name: &str| Url::parse(header(sent, name)).is_ok_and(|url| self.wire.reaches(&url));
        part || ["referer", "origin"].into_iter().any(sites)
    }

    /// From the site; scripts and style sheets, which are the same for everybody, once for all.
    async fn file(&self, sent: &Sent) -> Result<Answer, WireError> {
        if sent.method != Method::GET || !is_file(sent) {
            return Ok(self.wire.send(sent.clone()).await?.answer);
        }
        if let Some(known) = self.state().files.get(sent.url.as_str()) {
            return Ok(known.clone());
        }
        let answer = self.wire.send_for(sent.clone(), LARGEST_FILE).await?.answer;
        let mut state = self.state();
        let held: usize = state.files.values().map(|file| file.body.len()).sum();
        if is_for_everybody(&answer) && held + answer.body.len() <= MOST_HELD {
            state.files.insert(sent.url.to_string(), answer.clone());
        }
        Ok(answer)
    }
}

impl Trap {
    /// A page without cookies.
    pub(crate) fn new(url: &Url, html: impl Into<String>) -> Self {
        let host = url.host_str().unwrap_or_default().to_owned();
        Self { host, path: url.path().to_owned(), html: html.into(), cookies: Vec::new() }
    }

    fn catches(&self, url: &Url) -> bool {
        url.host_str() == Some(&self.host) && url.path() == self.path
    }

    fn answer(self) -> Answer {
        let line = |name: &str, value: String| (name.to_owned(), value.into_bytes());
        let mut headers = vec![
            line("content-type", "text/html; charset=utf-8".to_owned()),
            line("cache-control", "no-store".to_owned()),
            // Its address is nobody's business, and a site would not know it.
            line("referrer-policy", "origin".to_owned()),
        ];
        headers.extend(self.cookies.into_iter().map(|cookie| line("set-cookie", cookie)));
        let body = format!("<!doctype html><meta charset=utf-8><title>counterfoil audit</title>{}", self.html);
        Answer { status: 200, headers, body: body.into(), cut: false, took: Duration::ZERO, at_millis: now_millis() }
    }
}

async fn serve(listener: TcpListener, desk: Arc<Desk>) {
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        connections.spawn(converse(stream, None, Arc::clone(&desk)));
    }
}

/// One connection of the browser's; within a tunnel, to `through`.
async fn converse(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, through: Option<Url>, desk: Arc<Desk>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let (through, desk) = (through.clone(), Arc::clone(&desk));
        async move {
            Ok::<_, Infallible>(match through {
                None if request.method() == Method::CONNECT => tunnel(request, desk),
                through => counted(request, through.as_ref(), &desk).await,
            })
        }
    });
    // Browsers open connections ahead of time and drop them; nobody has to know.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades().await;
}

/// TLS to whatever host, ended here: what is in it goes out over the wire, which believes whom it believes.
fn tunnel(mut request: Request<Incoming>, desk: Arc<Desk>) -> Reply {
    let host = request.uri().authority().map(ToString::to_string).unwrap_or_default();
    let Ok(through) = Url::parse(&format!("https://{host}/")) else { return plain(StatusCode::BAD_REQUEST, "") };
    tokio::spawn(async move {
        let Ok(upgraded) = hyper::upgrade::on(&mut request).await else { return };
        if let Ok(stream) = desk.mask.accept(TokioIo::new(upgraded)).await {
            Box::pin(converse(stream, Some(through), desk)).await;
        }
    });
    plain(StatusCode::OK, "")
}

async fn counted(request: Request<Incoming>, through: Option<&Url>, desk: &Desk) -> Reply {
    let _waits = Waits::on(desk);
    match read(request, through).await {
        Ok(sent) => desk.answer(sent).await,
        Err(status) => plain(status, ""),
    }
}

/// Somebody who waits for an answer, also if they leave before it is there.
struct Waits<'a>(&'a Desk);

impl<'a> Waits<'a> {
    fn on(desk: &'a Desk) -> Self {
        desk.state().under_way += 1;
        desk.changed.notify_waiters();
        Self(desk)
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.state().under_way -= 1;
        self.0.changed.notify_waiters();
    }
}

async fn read(request: Request<Incoming>, through: Option<&Url>) -> Result<Sent, StatusCode> {
    let (parts, body) = request.into_parts();
    let target = parts.uri.to_string();
    let url = match through {
        Some(base) => base.join(&target),
        None => Url::parse(&target),
    };
    let url = url.map_err(|_| StatusCode::BAD_REQUEST)?;
    let kept = parts.headers.iter().filter(|(name, _)| !HOP.contains(&name.as_str()) && *name != "host");
    let mut headers = vec![("host".to_owned(), authority(&url))];
    headers
        .extend(kept.map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())));
    // What a page's script sends is the site's to choose.
    let body = Limited::new(body, LONGEST_SENT).collect().await.map_err(|error| {
        if error.is::<LengthLimitError>() { StatusCode::PAYLOAD_TOO_LARGE } else { StatusCode::BAD_REQUEST }
    })?;
    Ok(Sent { method: parts.method, url, headers, body: body.to_bytes() })
}

fn reply(answer: &Answer) -> Reply {
    let mut reply = plain(StatusCode::from_u16(answer.status).unwrap_or(StatusCode::BAD_GATEWAY), "");
    for (name, value) in &answer.headers {
        let lower = name.to_ascii_lowercase();
        let line = HeaderName::from_bytes(lower.as_bytes()).ok().zip(HeaderValue::from_bytes(value).ok());
        if let Some((name, value)) = line.filter(|_| !HOP.contains(&lower.as_str())) {
            reply.headers_mut().append(name, value);
        }
    }
    *reply.body_mut() = Full::new(answer.body.clone());
    reply
}

fn plain(status: StatusCode, text: &str) -> Reply {
    let mut reply = Response::new(Full::from(text.to_owned()));
    *reply.status_mut() = status;
    reply
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Desk")
    }
}

/// What is said of one connection and not of the next, and what is said anew.
const HOP: [&str; 12] = [
    "connection",
    "proxy-connection",
    "proxy-authorization",
    "proxy-authenticate",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "content-length",
    // Compressed pages could not be read.
    "accept-encoding",
    // The browser would ask elsewhere.
    "alt-svc",
];
/// Scripts are larger than pages.
const LARGEST_FILE: usize = 16 << 20;
/// Of scripts and style sheets in all; others are asked for each time.
const MOST_HELD: usize = 64 << 20;
/// Of an answer that is looked at.
const LONGEST_KEPT: usize = 1 << 20;
/// More than any sign-in sends.
const LONGEST_SENT: usize = 1 << 20;
