//! A small server with the demo's contract, for testing the races themselves: sound, or broken in one chosen way.
//!
//! It is no model of Counterfoil. It knows just enough of rotation to give the races something to judge.

mod sessions;
mod tests;

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpListener,
    task::JoinSet,
    time::{Instant, sleep},
};

use self::sessions::{Id, Sessions};

/// The one thing that is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    SlowWriteRevives,
    SlowAnswerSetsCookie,
    NoGrace,
    NewSuccessorEachTime,
    ClearsDeadCookies,
    LosesUpdates,
    LimitForgotten,
    EpochForgotten,
}

/// A server that ends with the value.
#[derive(Debug)]
struct Mock {
    address: SocketAddr,
    _server: JoinSet<()>,
}

impl Fault {
    fn kills_at_first_use(self) -> bool {
        matches!(self, Self::NoGrace | Self::ClearsDeadCookies)
    }
}

#[derive(Debug)]
struct Site {
    fault: Fault,
    sessions: Mutex<Sessions>,
}

impl Mock {
    async fn start(fault: Fault, rotate_every: Duration, grace: Duration, limit: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let sessions = Mutex::new(Sessions::new(fault, rotate_every, grace, limit));
        let site = Arc::new(Site { fault, sessions });
        let mut server = JoinSet::new();
        server.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let site = Arc::clone(&site);
                connections.spawn(async move {
                    let service = service_fn(|request| answer(Arc::clone(&site), request));
                    http1::Builder::new().serve_connection(TokioIo::new(stream), service).await
                });
            }
        });
        Self { address, _server: server }
    }
}

async fn answer(site: Arc<Site>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let now = Instant::now();
    let (head, body) = request.into_parts();
    let form = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
    let token = cookie(&head.headers, "dev-id").unwrap_or_default();
    let hold = head.uri.query().and_then(|query| query.strip_prefix("ms=")).map_or(0, |ms| ms.parse().unwrap());
    let id = site.sessions.lock().unwrap().present(&token, now);
    let mut reply = site.handle(&head.method, head.uri.path(), &head.headers, &form, id).await;
    sleep(Duration::from_millis(hold)).await;
    let mut sessions = site.sessions.lock().unwrap();
    if let Some(id) = id {
        if site.fault == Fault::SlowWriteRevives && head.uri.path() == "/slow-note" {
            sessions.revive(id);
        }
        let successor = match site.fault {
            Fault::SlowAnswerSetsCookie if hold > 0 => Some("dead".to_owned()),
            _ => sessions.successor(id, &token, Instant::now()),
        };
        reply.cookies.extend(successor.map(|token| format!("dev-id={token}; Path=/; HttpOnly")));
    } else if site.fault == Fault::ClearsDeadCookies && !token.is_empty() {
        reply.cookies.push(REMOVED.to_owned());
    }
    Ok(reply.into())
}

impl Site {
    async fn handle(&self, method: &Method, path: &str, headers: &HeaderMap, form: &str, id: Option<Id>) -> Reply {
        match (method.as_str(), path) {
            ("POST", "/login") => self.log_in(form).await,
            ("POST", "/counter") => self.count_up(headers, id).await,
            ("POST", "/note") if id.is_none() => {
                let number = self.sessions.lock().unwrap().visit();
                Reply::ok("{}").with_cookie(format!("dev-an={number}; Path=/"))
            }
            ("GET", "/counter") => value(self.sessions.lock().unwrap().counter(&owner(headers, id))),
            ("GET", "/") => Reply::ok("<form></form>"),
            (_, route) => match id {
                None => Reply { status: StatusCode::UNAUTHORIZED, ..Reply::ok("{}") },
                Some(id) => self.handle_signed_in(method, route, form, id),
            },
        }
    }

    fn handle_signed_in(&self, method: &Method, path: &str, form: &str, id: Id) -> Reply {
        let mut sessions = self.sessions.lock().unwrap();
        match (method.as_str(), path) {
            ("GET", "/me" | "/slow") => Reply::ok(format!("{{\"sid\":\"{id}\"}}")),
            ("POST", "/note" | "/slow-note") => Reply::ok("{}"),
            ("POST", "/logout") => {
                sessions.end(id);
                Reply::ok("{}").with_cookie(REMOVED.to_owned())
            }
            ("POST", "/password") => {
                let subject = sessions.subject(id);
                sessions.change_password(&subject, &field(form, "new"), id);
                Reply::ok("{}")
            }
            _ => Reply { status: StatusCode::NOT_FOUND, ..Reply::ok("{}") },
        }
    }

    async fn log_in(&self, form: &str) -> Reply {
        let subject = field(form, "username");
        let verified = self.sessions.lock().unwrap().verify(&subject, &field(form, "password"));
        // A password hash takes its time; this is where the race with its change is.
        sleep(Duration::from_millis(10)).await;
        let created = verified.and_then(|epoch| self.sessions.lock().unwrap().sign_in(&subject, epoch, Instant::now()));
        match created {
            Some(token) => Reply::ok("{}").with_cookie(format!("dev-id={token}; Path=/")),
            None => Reply { status: StatusCode::UNAUTHORIZED, ..Reply::ok("{}") },
        }
    }

    async fn count_up(&self, headers: &HeaderMap, id: Option<Id>) -> Reply {
        let owner = owner(headers, id);
        if self.fault != Fault::LosesUpdates {
            return value(self.sessions.lock().unwrap().count_up(&owner));
        }
        let read = self.sessions.lock().unwrap().counter(&owner);
        sleep(Duration::from_millis(1)).await;
        self.sessions.lock().unwrap().set_counter(&owner, read + 1);
        value(read + 1)
    }
}

#[derive(Debug)]
struct Reply {
    status: StatusCode,
    body: String,
    cookies: Vec<String>,
}

impl Reply {
    fn ok(body: impl Into<String>) -> Self {
        Self { status: StatusCode::OK, body: body.into(), cookies: Vec::new() }
    }

    fn with_cookie(mut self, line: String) -> Self {
        self.cookies.push(line);
        self
    }
}

impl From<Reply> for Response<Full<Bytes>> {
    fn from(reply: Reply) -> Self {
        let response = Response::builder().status(reply.status);
        let lines = reply.cookies.iter();
        lines
            .fold(response, |response, line| response.header(header::SET_COOKIE, line))
            .body(Full::from(reply.body))
            .unwrap()
    }
}

fn value(number: u64) -> Reply {
    Reply::ok(format!("{{\"value\":{number}}}"))
}

/// Whose counter: the session's, else the visit's.
fn owner(headers: &HeaderMap, id: Option<Id>) -> String {
    id.map_or_else(|| format!("visit {}", cookie(headers, "dev-an").unwrap_or_default()), |id| format!("session {id}"))
}

fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let line = headers.get(header::COOKIE)?.to_str().unwrap();
    let pairs = line.split("; ").filter_map(|pair| pair.split_once('='));
    pairs.filter(|(key, _)| *key == name).map(|(_, value)| value.to_owned()).next()
}

fn field(form: &str, name: &str) -> String {
    let mut pairs = form.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(key, _)| *key == name).unwrap().1.to_owned()
}

const REMOVED: &str = "dev-id=; Path=/; Max-Age=0";
