//! What a proxy asks about a browser's request.

use counterfoil_benches::load::{Expects, Script};
use counterfoil_proxies::kind::Kind;

use crate::arranged::Arranged;

/// How a member's requests differ from each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paths {
    /// One page for each session, again and again: its assertion was signed a moment ago.
    Same,
    /// Another page each time: an assertion is good for one.
    Other,
}

/// The questions of each connection: `each` of them, before they begin anew.
pub(crate) fn members(arranged: &Arranged, paths: Paths, run: usize, each: usize) -> Vec<Script> {
    let expects = allowed(arranged.kind);
    let script = |connection: usize| {
        let request = |number: usize| {
            let session = connection * SESSIONS + number % SESSIONS;
            let target = match paths {
                Paths::Same => "/page/000-0000000".to_owned(),
                Paths::Other => format!("/page/{run:03}-{:07}", connection * each + number),
            };
            question(arranged, &target, arranged.cookies.get(session).map(String::as_str)).into_bytes()
        };
        Script { requests: (0..each).map(request).collect(), takes_cookie: false, expects }
    };
    (0..CONNECTIONS).map(script).collect()
}

/// One question of a member's.
pub(crate) fn one(arranged: &Arranged, cookie: &str) -> String {
    question(arranged, "/page/000-0000000", Some(cookie))
}

/// The same question on each connection, of somebody without a session, about a page that is public.
pub(crate) fn strangers(arranged: &Arranged) -> Vec<Script> {
    let request = question(arranged, "/public/page/0000000", None).into_bytes();
    let script = |_| Script { requests: vec![request.clone()], takes_cookie: false, expects: allowed(arranged.kind) };
    (0..CONNECTIONS).map(script).collect()
}

/// The same questions, for a server that answers 200 to everything.
pub(crate) fn answered_empty(scripts: Vec<Script>) -> Vec<Script> {
    scripts.into_iter().map(|script| Script { expects: EMPTY, ..script }).collect()
}

/// What the proxy's generated configuration sends, for a browser's request for a page.
fn question(arranged: &Arranged, target: &str, cookie: Option<&str>) -> String {
    let (host, path) = (&arranged.host, arranged.kind.decision(target));
    let told = match arranged.kind {
        Kind::Nginx => format!(
            "X-Counterfoil-Method: GET\r\nX-Counterfoil-Target: {target}\r\nX-Counterfoil-Host: {host}\r\n\
             X-Counterfoil-Server: {}\r\nX-Counterfoil-Scheme: http\r\nX-Forwarded-For: 127.0.0.1\r\n",
            host.split(':').next().unwrap_or(host)
        ),
        _ => format!(
            "X-Forwarded-Method: GET\r\nX-Forwarded-Uri: {target}\r\nX-Forwarded-Host: {host}\r\n\
             X-Forwarded-Proto: http\r\nX-Forwarded-For: 127.0.0.1\r\n"
        ),
    };
    format!("GET {path} HTTP/1.1\r\nHost: counterfoil\r\n{told}{}\r\n", browser(cookie))
}

/// What the browser itself sent along.
pub(crate) fn browser(cookie: Option<&str>) -> String {
    let cookie = cookie.map(|cookie| format!("Cookie: theme=dark; {cookie}\r\n")).unwrap_or_default();
    format!(
        "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n\
         Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\nAccept-Language: en-US,en;q=0.5\r\n\
         Accept-Encoding: gzip, deflate, br, zstd\r\nSec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\n\
         Sec-Fetch-Site: same-origin\r\n{cookie}"
    )
}

fn allowed(kind: Kind) -> Expects {
    match kind.allowed() {
        200 => EMPTY,
        _ => Expects { head: "HTTP/1.1 204 ", end: "\r\n\r\n" },
    }
}

const EMPTY: Expects = Expects { head: "HTTP/1.1 200 ", end: "\r\n\r\n" };
/// As the library's figures have them.
pub(crate) const CONNECTIONS: usize = counterfoil_benches::modes::CONNECTIONS;
/// Of each connection.
pub(crate) const SESSIONS: usize = counterfoil_benches::modes::SESSIONS;
