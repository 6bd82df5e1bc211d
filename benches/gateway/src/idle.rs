//! Ten thousand sessions whose proxies hold a connection each, and nobody asks.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use counterfoil_benches::Failed;
use counterfoil_proxies::house::at;
use counterfoil_proxies::kind::Kind;

use crate::arranged::Arranged;
use crate::questions::one;
use crate::sample::Size;
use crate::usage::{cpu, resident};

/// What the gateway uses.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Idle {
    pub(crate) sessions: usize,
    /// KiB resident once it had started, with all sessions in its store.
    pub(crate) started: u64,
    /// With a connection for each session, over which one decision was made.
    pub(crate) connected: u64,
    /// Processor time in [`Self::watched`], while nobody asked.
    pub(crate) cpu: Duration,
    pub(crate) watched: Duration,
}

/// All of it in one process of the gateway, on any core.
pub(crate) fn measure(counterfoil: &Path, size: Size, step: impl Fn()) -> Result<Idle, Failed> {
    let arranged = Arranged::new(Kind::Nginx, counterfoil, at(9), None, size.idle)?;
    let gateway = arranged.gateway(counterfoil, None)?;
    let started = resident(gateway.id())?;
    let mut connections = Vec::with_capacity(size.idle);
    for cookie in &arranged.cookies {
        let mut connection = TcpStream::connect(arranged.decision)?;
        allowed(&mut connection, &one(&arranged, cookie))?;
        connections.push((connection, cookie));
        step();
    }
    let connected = resident(gateway.id())?;
    let before = cpu(gateway.id())?;
    sleep(size.idle_for);
    let used = cpu(gateway.id())?.saturating_sub(before);
    // They still are what they were.
    for (connection, cookie) in &mut connections {
        allowed(connection, &one(&arranged, cookie))?;
    }
    Ok(Idle { sessions: size.idle, started, connected, cpu: used, watched: size.idle_for })
}

fn allowed(connection: &mut TcpStream, question: &str) -> Result<(), Failed> {
    connection.set_read_timeout(Some(PATIENCE))?;
    connection.write_all(question.as_bytes())?;
    let (mut answer, mut byte) = (Vec::new(), [0]);
    while !answer.ends_with(b"\r\n\r\n") {
        connection.read_exact(&mut byte)?;
        answer.extend(byte);
    }
    let is_allowed = answer.starts_with(b"HTTP/1.1 204 ");
    is_allowed.then_some(()).ok_or_else(|| format!("unexpected: {}", String::from_utf8_lossy(&answer)).into())
}

const PATIENCE: Duration = Duration::from_secs(30);
