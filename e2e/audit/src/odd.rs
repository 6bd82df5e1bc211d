//! Sites that are odd rather than flawed: whoever looks at them must end in time, stay harmless, and say whether
//! anything could be judged.

use std::fmt::Write as _;
use std::io::Write as _;
use std::thread;
use std::time::Duration;

use serde::Deserialize;

use crate::corpus::{Wrong, profile};
use crate::desk::{Desk, Manner, PLAIN};
use crate::house::House;
use crate::site::Site;
use crate::web::{Ask, Body, Reply};

/// One of them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Odd {
    /// One word.
    pub(crate) name: String,
    /// What it does, in a line.
    pub(crate) works: String,
    /// What a report has to come to.
    pub(crate) expects: Expects,
    /// Beyond the usual one.
    #[serde(default)]
    more: String,
    /// Instead of the usual words.
    marker: Option<String>,
}

/// What a report has to come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Expects {
    /// Verdicts: exit status 0 or 1.
    Judges,
    /// Exit status 2, with words that say why.
    Inconclusive,
    /// The same, or no flaw and something that could not be judged.
    InPart,
}

#[derive(Deserialize)]
struct Table {
    odd: Vec<Odd>,
}

/// All of them.
pub(crate) fn read() -> Result<Vec<Odd>, Wrong> {
    Ok(toml::from_str::<Table>(include_str!("../odd.toml"))?.odd)
}

impl Odd {
    /// Its profile, for a site that listens there.
    pub(crate) fn profile(&self, port: u16) -> String {
        let usual = USUAL.replace("Signed in as {user}", self.marker.as_deref().unwrap_or("Signed in as {user}"));
        profile(&format!("http://127.0.0.1:{port}"), &format!("{usual}{}", self.more))
    }
}

/// The sites, as functions.
#[rustfmt::skip]
pub(crate) const ALL: &[(&str, Site)] = &[
    ("blank",     usual),
    ("circles",   |_, ask| Reply::to(&format!("{}?again", ask.path))),
    ("fickle",    fickle),
    ("flood",     flood),
    ("formal",    usual),
    ("hoarder",   hoarder),
    ("locksmith", locksmith),
    ("old",       |house, ask| as_bytes(usual(house, ask), |head| head.replacen("HTTP/1.1", "HTTP/1.0", 1).into_bytes())),
    ("scribble",  |house, ask| as_bytes(usual(house, ask), scribbled)),
    ("silent",    |_, _| Reply::take_over(|stream| { thread::sleep(Duration::from_mins(5)); drop(stream); Ok(()) })),
    ("stranger",  usual),
    ("stuck",     stuck),
    ("throttle",  throttle),
    ("ticket",    ticket),
    ("torn",      torn),
];

fn usual(house: &House, ask: &Ask) -> Reply {
    desk(house, ask).usual()
}

fn desk<'a>(house: &'a House, ask: &'a Ask) -> Desk<'a> {
    Desk { house, ask, manner: Manner { cookie: "__Host-odd", ..PLAIN } }
}

/// Every third look at the page says that nobody is signed in.
fn fickle(house: &House, ask: &Ask) -> Reply {
    if ask.path == "/" && house.number() % 3 == 2 { desk(house, ask).stranger() } else { usual(house, ask) }
}

/// A page of 100 MB, whose beginning says who is signed in.
fn flood(house: &House, ask: &Ask) -> Reply {
    let desk = desk(house, ask);
    let Some((_, user)) = desk.me().filter(|_| ask.on() == ("GET", "/")) else { return desk.usual() };
    Reply::take_over(move |mut stream| {
        let head = format!("<p>Signed in as {user}.</p><a href=\"/logout\">Sign out</a>");
        let length = head.len() + 100 * MEGABYTE.len();
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {length}\r\n\r\n{head}")?;
        for _ in 0..100 {
            stream.write_all(MEGABYTE)?;
        }
        Ok(())
    })
}

/// A thousand cookies with the sign-in.
fn hoarder(house: &House, ask: &Ask) -> Reply {
    let reply = usual(house, ask);
    if ask.on() != ("POST", "/login") {
        return reply;
    }
    // Before the session, which browsers would otherwise drop first.
    let decoy = |number| format!("c{number}={number}; Path=/; Secure; HttpOnly; SameSite=Lax");
    let decoys = (0..1000).map(|number| ("Set-Cookie".to_owned(), decoy(number)));
    Reply { headers: decoys.chain(reply.headers).collect(), ..reply }
}

/// Five wrong passwords, and nobody gets in any more.
fn locksmith(house: &House, ask: &Ask) -> Reply {
    let desk = desk(house, ask);
    let locked = house.sessions_of(LOCKED).len() >= 5;
    match (ask.on(), desk.credentials()) {
        (("POST", "/login"), _) if locked => Reply::no(403, "This account is locked."),
        (("POST", "/login"), None) => {
            house.open(Some(LOCKED));
            desk.usual()
        }
        _ => desk.usual(),
    }
}

/// Signing out fails.
fn stuck(house: &House, ask: &Ask) -> Reply {
    if ask.path == "/logout" { Reply::no(500, "That did not work.") } else { usual(house, ask) }
}

/// Forty requests at once, then one has to wait a second.
fn throttle(house: &House, ask: &Ask) -> Reply {
    if house.number() % 40 == 39 {
        return Reply::no(429, "Not so fast.").header("Retry-After", "1");
    }
    usual(house, ask)
}

/// A trial of eight sign-ins.
fn ticket(house: &House, ask: &Ask) -> Reply {
    let desk = desk(house, ask);
    if ask.on() == ("POST", "/login") && desk.credentials().is_some() && house.number() >= 1008 {
        return Reply::no(403, "Your trial is over.");
    }
    desk.usual()
}

/// The page breaks off before it says who is signed in.
fn torn(house: &House, ask: &Ask) -> Reply {
    let reply = usual(house, ask);
    if ask.path != "/" || ask.method != "GET" {
        return reply;
    }
    let head = String::from_utf8_lossy(&reply.head(9_000, true)).into_owned();
    Reply::raw(format!("{head}<!doctype html>\n<html><body>"))
}

/// The answer's own bytes, its head changed.
fn as_bytes(reply: Reply, change: fn(String) -> Vec<u8>) -> Reply {
    let Body::Bytes(body) = &reply.body else { return reply };
    let mut bytes = change(String::from_utf8_lossy(&reply.head(body.len(), true)).into_owned());
    bytes.extend_from_slice(body);
    Reply::raw(bytes)
}

/// Fifteen `Set-Cookie` lines nobody should send, after the good one.
fn scribbled(mut head: String) -> Vec<u8> {
    head.truncate(head.len().saturating_sub(2));
    _ = write!(head, "Set-Cookie: long={}; Path=/\r\n", "x".repeat(10_000));
    let mut bytes = head.into_bytes();
    for line in SCRIBBLES {
        bytes.extend_from_slice(b"Set-Cookie: ");
        bytes.extend_from_slice(line);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes
}

const SCRIBBLES: [&[u8]; 14] = [
    b"",
    b";",
    b"; Path=/; Secure",
    b"=value",
    b"=",
    b"nameonly",
    b"ctl=a\x01b\x7f; Path=/",
    b"latin=caf\xe9; Path=/",
    b"\xff\xfe=1",
    b"twice=1; Path=/a; Path=/b; Path=/; Secure; secure; SECURE",
    b"dated=1; Expires=Thirsday, 32 Octember 99999 25:61:61 GMT; Max-Age=soon",
    b"spaced = a b \"c , d ; Path = / ; SameSite = Perhaps",
    b"domain=1; Domain=; Domain=.; Domain=..example",
    b"tab\tname=1;\tPath=/;;;;;; =; ;==",
];

const USUAL: &str = "[sign_in]\npage = \"/login\"\nform = { user = \"{user}\", password = \"{password}\" }\n\
                     [signed_in]\nurl = \"/\"\nmarker = \"Signed in as {user}\"\n\
                     [sign_out]\npage = \"/\"\nrequest = \"POST /logout\"\n\
                     [[changes]]\npage = \"/\"\nrequest = \"POST /notes\"\nform = { text = \"{random}\" }\nread = \"/\"\n";
const LOCKED: &str = "locked";
static MEGABYTE: &[u8] = &[b' '; 1024 * 1024];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::visitor::{Draft, Visitor};

    #[test]
    fn the_table_and_the_sites_name_the_same() {
        let table: Vec<_> = read().unwrap().into_iter().map(|odd| odd.name).collect();
        let sites: Vec<_> = ALL.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(table, sites);
    }

    #[test]
    fn odd_answers_come_as_they_are_meant() {
        let get = |name: &str| {
            let port = crate::site::open(name, true, 0).unwrap().port;
            Visitor::new("127.0.0.1", port).once(&Draft::new("GET", "/")).unwrap()
        };
        assert_eq!(get("scribble").headers.iter().filter(|(name, _)| name == "Set-Cookie").count(), 15);
        assert_eq!(get("circles").header("location"), Some("/?again"));
        assert!(get("torn").body.len() < 100 && get("old").body.contains("Nobody is signed in"));
    }

    #[test]
    fn who_guesses_is_locked_out() {
        let house = House::new(false);
        let wrong = Ask { method: "POST".to_owned(), path: "/login".to_owned(), ..Ask::default() };
        let statuses: Vec<_> = (0..6).map(|_| locksmith(&house, &wrong).status).collect();
        assert_eq!(statuses.last(), Some(&403));
        assert!(house.sessions_of(LOCKED).len() == 5);
    }
}
