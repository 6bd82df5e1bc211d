//! The measurement: runs of every mode in turn, so that whatever else the machine does falls on all of them.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use indicatif::ProgressBar;

use crate::Failed;
use crate::load::{Load, ask};
use crate::server::Server;
use crate::site::ORIGIN;

/// One kind of request.
#[derive(Debug, Clone, Copy)]
pub struct Mode {
    /// As it stands in the table.
    pub name: &'static str,
    /// The least ratio to the bare server, and the most added CPU in microseconds, that we promise.
    pub target: Option<(f64, f64)>,
    path: &'static str,
    cookie: Cookie,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cookie {
    None,
    Genuine,
    /// A genuine one with one character of its secret changed: as far as a forgery can get.
    Forged,
}

/// What all others are compared with.
pub const BARE: Mode = Mode { name: "bare server", target: None, path: "/", cookie: Cookie::None };

/// Counterfoil, all defaults on, the store in memory.
#[rustfmt::skip]
pub const MODES: [Mode; 4] = [
    Mode { name: "authenticated read",        target: Some((0.85, 1.0)), path: "/signed-in", cookie: Cookie::Genuine },
    Mode { name: "anonymous, no cookie",      target: Some((0.95, 0.3)), path: "/",          cookie: Cookie::None },
    Mode { name: "forged token",              target: Some((0.90, 0.6)), path: "/",          cookie: Cookie::Forged },
    Mode { name: "authenticated + security headers", target: None,       path: "/headers",   cookie: Cookie::Genuine },
];

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Runs of each mode.
    pub runs: usize,
    /// Requests of each run.
    pub requests: usize,
}

/// One run.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    requests: usize,
    elapsed: Duration,
    cpu: Duration,
}

/// All runs of one mode, beside the bare server's.
#[derive(Debug, Clone)]
pub struct Compared {
    /// Which.
    pub mode: Mode,
    /// In the order of the rounds.
    pub runs: Vec<Run>,
    /// The bare server's runs in the same rounds.
    pub bare: Vec<Run>,
}

/// Where things run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// Server and load on a core each.
    Apart,
    /// Wherever the system puts them: there is only one core, or they cannot be pinned.
    Anywhere,
}

impl Run {
    /// Requests per second.
    pub fn rate(&self) -> f64 {
        count(self.requests) / self.elapsed.as_secs_f64()
    }

    /// The server's CPU time for one request, in microseconds.
    pub fn cpu_each(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / count(self.requests)
    }

    /// How much of a core the server used. Well below 1, the load was the bottleneck, and the ratio flatters.
    pub fn busy(&self) -> f64 {
        self.cpu.as_secs_f64() / self.elapsed.as_secs_f64()
    }
}

impl Compared {
    /// Requests per second relative to the bare server, round by round.
    pub fn ratios(&self) -> Vec<f64> {
        self.runs.iter().zip(&self.bare).map(|(run, bare)| run.rate() / bare.rate()).collect()
    }

    /// Microseconds of CPU that a request costs more than with the bare server, round by round.
    pub fn added(&self) -> Vec<f64> {
        self.runs.iter().zip(&self.bare).map(|(run, bare)| run.cpu_each() - bare.cpu_each()).collect()
    }
}

/// Runs everything, with the servers in `programs`.
///
/// # Errors
/// If a server does not start, or does not answer as it should.
pub fn measure(programs: &Path, size: Size, placement: Placement, bar: &ProgressBar) -> Result<Vec<Compared>, Failed> {
    let core = (placement == Placement::Apart).then_some(0);
    let mut bare_server = Server::start(&programs.join("bare"), core)?;
    let mut sessions = Server::start(&programs.join("sessions"), core)?;
    let mut all = MODES.map(|mode| Compared { mode, runs: Vec::new(), bare: Vec::new() });
    for _ in 0..size.runs {
        let bare = run(&mut bare_server, BARE, size.requests)?;
        bar.inc(1);
        for compared in &mut all {
            compared.runs.push(run(&mut sessions, compared.mode, size.requests)?);
            compared.bare.push(bare);
            bar.inc(1);
        }
    }
    Ok(all.into())
}

/// One run: everything that is not the request itself happens before its CPU time is taken.
fn run(server: &mut Server, mode: Mode, requests: usize) -> Result<Run, Failed> {
    let mut load = Load::open(server.address(), requests_of(mode, server.address())?)?;
    load.run(requests / 10)?;
    let before = server.cpu()?;
    let (requests, elapsed) = load.run(requests)?;
    Ok(Run { requests, elapsed, cpu: server.cpu()?.saturating_sub(before) })
}

/// For each connection the requests it sends in turn, each with a session of its own.
fn requests_of(mode: Mode, address: SocketAddr) -> Result<Vec<Vec<Vec<u8>>>, Failed> {
    let of_connection = |connection: usize| -> Result<Vec<Vec<u8>>, Failed> {
        let sessions = if mode.cookie == Cookie::None { 1 } else { SESSIONS };
        let users = (0..sessions).map(|session| format!("user-{connection}-{session}"));
        users.map(|user| Ok(request(mode.path, &mode.cookie.header(address, &user)?).into_bytes())).collect()
    };
    (0..CONNECTIONS).map(of_connection).collect()
}

fn request(path: &str, cookie: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: bench.example\r\nAccept: */*\r\n{cookie}\r\n")
}

impl Cookie {
    fn header(self, address: SocketAddr, user: &str) -> Result<String, Failed> {
        Ok(match self {
            Self::None => String::new(),
            Self::Genuine => format!("Cookie: {}\r\n", sign_in(address, user)?),
            Self::Forged => format!("Cookie: {}\r\n", forged(&sign_in(address, user)?)),
        })
    }
}

/// Signs in and returns the cookie, `name=value`.
fn sign_in(address: SocketAddr, user: &str) -> Result<String, Failed> {
    let form = format!("user={user}");
    let answer = ask(
        address,
        &format!(
            "POST /login HTTP/1.1\r\nHost: bench.example\r\nOrigin: {ORIGIN}\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            form.len()
        ),
    )?;
    cookie_of(&answer).map(str::to_owned).ok_or_else(|| format!("no cookie in: {answer}").into())
}

fn cookie_of(answer: &str) -> Option<&str> {
    let header = answer.lines().find(|line| line.to_ascii_lowercase().starts_with("set-cookie:"))?;
    header.split_once(':')?.1.split(';').next().map(str::trim)
}

/// The same cookie with one character of the token's secret changed.
pub fn forged(cookie: &str) -> String {
    let (head, tail) = cookie.split_at(cookie.len().saturating_sub(TAG_AND_SOME));
    let changed = if tail.starts_with('A') { "B" } else { "A" };
    format!("{head}{changed}{}", tail.get(1..).unwrap_or_default())
}

/// The middle value; of an even number, the lower of the two in the middle.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN)
}

#[expect(clippy::cast_precision_loss, reason = "counts of requests are far below 2^52")]
fn count(requests: usize) -> f64 {
    requests as f64
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

    #[test]
    fn the_median_is_the_middle_of_any_order() {
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!((median(&[4.0, 1.0, 3.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn a_run_is_compared_with_the_bare_run_of_its_round() {
        let run = |millis, micros| Run {
            requests: 1000,
            elapsed: Duration::from_millis(millis),
            cpu: Duration::from_micros(micros),
        };
        let compared = Compared { mode: BARE, runs: vec![run(10, 6_000)], bare: vec![run(8, 5_000)] };
        assert!((median(&compared.ratios()) - 0.8).abs() < 1e-9);
        assert!((median(&compared.added()) - 1.0).abs() < 1e-9);
        assert!((run(10, 6_000).busy() - 0.6).abs() < 1e-9);
    }

    #[test]
    fn a_forged_cookie_differs_in_one_character() {
        let genuine = format!("__Host-Http-id=cfoil1_k1_{}", "A".repeat(94));
        let forged = forged(&genuine);
        let differing = genuine.bytes().zip(forged.bytes()).filter(|(one, other)| one != other).count();
        assert_eq!((forged.len(), differing), (genuine.len(), 1));
    }

    #[test]
    fn the_cookie_is_found_in_an_answer() {
        let answer = "HTTP/1.1 204 No Content\r\nSet-Cookie: __Host-Http-id=abc; Path=/; Secure\r\n\r\n";
        assert_eq!(cookie_of(answer), Some("__Host-Http-id=abc"));
        assert_eq!(cookie_of("HTTP/1.1 403 Forbidden\r\n\r\n"), None);
    }
}
