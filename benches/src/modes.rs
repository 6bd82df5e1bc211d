//! What is measured: the kinds of requests, and which of them tell what an optional part costs.

use std::net::SocketAddr;

use crate::Failed;
use crate::load::{Expects, Script, ask};
use crate::site::ORIGIN;

/// One kind of request.
#[derive(Debug, Clone, Copy)]
pub struct Mode {
    /// As it stands in the table.
    pub name: &'static str,
    /// The least ratio to the bare server, and the most added CPU in microseconds, that we promise.
    pub target: Target,
    /// Which part of the requests that others send is enough: a sign-in leaves a tombstone behind.
    pub share: usize,
    /// Which server answers.
    pub served: Served,
    sends: Sends,
    path: &'static str,
    door: &'static str,
    cookie: Cookie,
}

/// What we promise of a kind of request.
#[derive(Debug, Clone, Copy, Default)]
pub struct Target {
    /// At least so much of the bare server's requests per second.
    pub ratio: Option<f64>,
    /// At most so many microseconds of CPU more.
    pub added: Option<f64>,
}

/// Who answers a kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Served {
    /// The bare server.
    Bare,
    /// The one with sessions.
    WithSessions,
    /// The one whose sessions are on the disk.
    Embedded,
    /// The one that does the least a session layer with such tokens can do.
    Least,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sends {
    Get,
    /// As a page of the site sends it, without a body.
    Post,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cookie {
    None,
    Genuine,
    /// One as long as a genuine one, for a server that does not look at it.
    AsLong,
    /// A genuine one with one character of its secret changed: as far as a forgery can get.
    Forged,
    /// The one that the last answer brought.
    Newest,
}

/// An optional part: what the first costs more than the second.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    /// As it stands in the table.
    pub name: &'static str,
    /// Names of [`MODES`], with and without it.
    pub modes: (&'static str, &'static str),
    /// Names of pieces, with and without it; none where it has threads of its own, which would be counted too.
    pub pieces: Option<(&'static str, &'static str)>,
}

/// What every contender must be able to answer.
pub const READ: Mode = Mode {
    name: "authenticated read",
    target: Target { ratio: Some(0.85), added: Some(1.0) },
    share: 1,
    served: Served::WithSessions,
    sends: Sends::Get,
    path: "/signed-in",
    door: "/login",
    cookie: Cookie::Genuine,
};

/// Somebody whom no cookie names.
pub const ANONYMOUS: Mode =
    Mode { name: "anonymous, no cookie", target: promise(0.95, 0.3), path: "/", cookie: Cookie::None, ..READ };

/// As far as somebody without the keys can get.
pub const FORGED: Mode =
    Mode { name: "forged token", target: promise(0.90, 0.6), path: "/", cookie: Cookie::Forged, ..READ };

/// A value is changed, each time to another one.
pub const CHANGE: Mode =
    Mode { name: "one data change", target: least(0.80), sends: Sends::Post, path: "/change", ..READ };

/// One more sign-in of the same browser; it ends the session before it.
pub const SIGN_IN: Mode = Mode {
    name: "sign-in",
    target: least(0.65),
    share: 10,
    sends: Sends::Post,
    path: "/sign-in",
    cookie: Cookie::Newest,
    ..READ
};

/// What all others are compared with.
pub const BARE: Mode =
    Mode { name: "bare server", target: NONE, served: Served::Bare, cookie: Cookie::None, path: "/", ..READ };

/// Counterfoil, all defaults on but where the name says otherwise, the store in memory; the last ones with the embedded
/// store. And what a longer request costs without it.
#[rustfmt::skip]
pub const MODES: [Mode; 16] = [
    Mode { name: "bare server, sent such a cookie", target: NONE, served: Served::Bare, path: "/", cookie: Cookie::AsLong, ..READ },
    Mode { name: "tag, hash and one look into a table, nothing else", target: NONE, served: Served::Least, ..READ },
    READ,
    Mode { name: "authenticated read, all telemetry", target: NONE, path: "/watched", door: "/watched/login", ..READ },
    ANONYMOUS,
    FORGED,
    CHANGE,
    SIGN_IN,
    Mode { name: "authenticated read, security headers", target: NONE, path: "/headers", ..READ },
    Mode { name: "authenticated POST", target: NONE, sends: Sends::Post, ..READ },
    Mode { name: "authenticated POST, CSRF off", target: NONE, sends: Sends::Post, path: "/csrf-off", door: "/csrf-off/login", ..READ },
    Mode { name: "embedded: authenticated read", served: Served::Embedded, ..READ },
    Mode { name: "embedded: anonymous, no cookie", served: Served::Embedded, ..ANONYMOUS },
    Mode { name: "embedded: forged token", served: Served::Embedded, ..FORGED },
    Mode { name: "embedded: one data change", target: NONE, share: 10, served: Served::Embedded, ..CHANGE },
    Mode { name: "embedded: sign-in", target: NONE, served: Served::Embedded, ..SIGN_IN },
];

/// The optional parts, each by itself.
pub const PARTS: [Part; 3] = [
    Part {
        name: "CSRF decision, of a POST",
        modes: ("authenticated POST", "authenticated POST, CSRF off"),
        pieces: Some(("router, authenticated POST", "router, authenticated POST, CSRF off")),
    },
    Part {
        name: "security headers",
        modes: ("authenticated read, security headers", "authenticated read"),
        pieces: Some(("router, authenticated + headers", "router, authenticated")),
    },
    Part { name: "all telemetry", modes: ("authenticated read, all telemetry", "authenticated read"), pieces: None },
];

const NONE: Target = Target { ratio: None, added: None };

const fn promise(ratio: f64, added: f64) -> Target {
    Target { ratio: Some(ratio), added: Some(added) }
}

const fn least(ratio: f64) -> Target {
    Target { ratio: Some(ratio), added: None }
}

impl Mode {
    /// The same with another promise.
    #[must_use]
    pub const fn promising(self, target: Target) -> Self {
        Self { target, ..self }
    }

    /// The same, of whose requests a `share`th is enough.
    #[must_use]
    pub const fn sent_less(self, share: usize) -> Self {
        Self { share, ..self }
    }

    /// For each connection the requests it sends in turn, each with a session of its own.
    ///
    /// # Errors
    /// If nobody can sign in.
    pub fn scripts(&self, address: SocketAddr) -> Result<Vec<Script>, Failed> {
        (0..CONNECTIONS).map(|connection| self.script(address, connection)).collect()
    }

    fn script(&self, address: SocketAddr, connection: usize) -> Result<Script, Failed> {
        let one_each = matches!(self.cookie, Cookie::None | Cookie::Newest);
        let sessions = if one_each { 1 } else { SESSIONS };
        let request = |session: usize| -> Result<Vec<u8>, Failed> {
            let user = format!("user-{connection}-{session}");
            let cookie = match self.cookie {
                Cookie::None => String::new(),
                Cookie::AsLong => format!("__Host-Http-id=cfoil1_k1_{:0>94}", connection * SESSIONS + session),
                Cookie::Genuine | Cookie::Newest => sign_in(address, self.door, &user)?,
                Cookie::Forged => forged(&sign_in(address, self.door, &user)?),
            };
            Ok(self.request(&user, &cookie).into_bytes())
        };
        let requests = (0..sessions).map(request).collect::<Result<_, _>>()?;
        Ok(Script { requests, takes_cookie: self.cookie == Cookie::Newest, expects: Expects::THE_BODY })
    }

    fn request(&self, user: &str, cookie: &str) -> String {
        let Self { path, .. } = self;
        let cookie = if cookie.is_empty() { String::new() } else { format!("Cookie: {cookie}\r\n") };
        match self.sends {
            Sends::Get => format!("GET {path} HTTP/1.1\r\nHost: bench.example\r\nAccept: */*\r\n{cookie}\r\n"),
            Sends::Post => format!(
                "POST {path}?{user} HTTP/1.1\r\nHost: bench.example\r\nAccept: */*\r\nOrigin: {ORIGIN}\r\n\
                 Content-Length: 0\r\n{cookie}\r\n"
            ),
        }
    }
}

/// Signs in and returns the cookie, `name=value`.
fn sign_in(address: SocketAddr, door: &str, user: &str) -> Result<String, Failed> {
    let form = format!("user={user}");
    let answer = ask(
        address,
        &format!(
            "POST {door} HTTP/1.1\r\nHost: bench.example\r\nOrigin: {ORIGIN}\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            form.len()
        ),
    )?;
    cookie_of(&answer).map(str::to_owned).ok_or_else(|| format!("no cookie in: {answer}").into())
}

/// The first cookie that is set to something; others may be removed by the same answer.
fn cookie_of(answer: &str) -> Option<&str> {
    let headers = answer.lines().filter(|line| line.to_ascii_lowercase().starts_with("set-cookie:"));
    let mut cookies = headers.filter_map(|header| header.split_once(':')?.1.split(';').next().map(str::trim));
    cookies.find(|cookie| !cookie.ends_with('='))
}

/// The same cookie with one character of the token's secret changed.
pub fn forged(cookie: &str) -> String {
    let (head, tail) = cookie.split_at(cookie.len().saturating_sub(TAG_AND_SOME));
    let changed = if tail.starts_with('A') { "B" } else { "A" };
    format!("{head}{changed}{}", tail.get(1..).unwrap_or_default())
}

/// As many as the published targets were set for.
pub const CONNECTIONS: usize = 32;
/// Of each connection, so that not one hot session is measured.
pub const SESSIONS: usize = 32;
/// The tag takes the last 22 characters; before it stands the secret.
const TAG_AND_SOME: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pieces;

    #[test]
    fn a_forged_cookie_differs_in_one_character() {
        let genuine = format!("__Host-Http-id=cfoil1_k1_{}", "A".repeat(94));
        let forged = forged(&genuine);
        let differing = genuine.bytes().zip(forged.bytes()).filter(|(one, other)| one != other).count();
        assert_eq!((forged.len(), differing), (genuine.len(), 1));
    }

    #[test]
    fn the_cookie_is_found_in_an_answer() {
        let answer = "HTTP/1.1 204 No Content\r\nSet-Cookie: old=; Max-Age=0\r\n\
                      Set-Cookie: __Host-Http-id=abc; Path=/; Secure\r\n\r\n";
        assert_eq!(cookie_of(answer), Some("__Host-Http-id=abc"));
        assert_eq!(cookie_of("HTTP/1.1 403 Forbidden\r\n\r\n"), None);
    }

    #[tokio::test]
    async fn every_part_compares_what_is_measured() {
        let pieces: Vec<_> = pieces::all().unwrap().into_iter().map(|piece| piece.name).collect();
        for Part { name, modes, pieces: counted } in PARTS {
            assert!([modes.0, modes.1].iter().all(|wanted| MODES.iter().any(|mode| mode.name == *wanted)), "{name}");
            assert!(
                counted.is_none_or(|(with, without)| [with, without].iter().all(|name| pieces.contains(name))),
                "{name}"
            );
        }
    }
}
