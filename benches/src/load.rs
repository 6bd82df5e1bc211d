//! The load: keep-alive connections over which requests are sent, one after another on each.
//!
//! One thread writes to each connection in turn and reads its answer when its turn comes again, so that all but one are
//! always waiting for the server. Answers of one kind have one length; each is checked for status and body.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::{BODY, Failed};

/// Connections with requests to send.
#[derive(Debug)]
pub struct Load {
    connections: Vec<Connection>,
}

#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    /// Sent in turn.
    requests: Vec<Vec<u8>>,
    sent: usize,
    /// As long as every answer.
    answer: Vec<u8>,
}

impl Load {
    /// Opens a connection per element of `requests`, and learns from its first answer how long answers are.
    ///
    /// # Errors
    /// If the server does not answer 200 with the body that all servers answer.
    pub fn open(address: SocketAddr, requests: Vec<Vec<Vec<u8>>>) -> Result<Self, Failed> {
        let connections = requests.into_iter().map(|requests| Connection::open(address, requests));
        Ok(Self { connections: connections.collect::<Result<_, _>>()? })
    }

    /// Sends at least `count` requests and returns how many were sent, in how long.
    ///
    /// # Errors
    /// If an answer is not the expected one, or late beyond reason.
    pub fn run(&mut self, count: usize) -> Result<(usize, Duration), Failed> {
        let rounds = count.div_ceil(self.connections.len().max(1));
        let began = Instant::now();
        for connection in &mut self.connections {
            connection.send()?;
        }
        for _ in 1..rounds {
            for connection in &mut self.connections {
                connection.receive()?;
                connection.send()?;
            }
        }
        for connection in &mut self.connections {
            connection.receive()?;
        }
        Ok((rounds * self.connections.len(), began.elapsed()))
    }
}

impl Connection {
    fn open(address: SocketAddr, requests: Vec<Vec<u8>>) -> Result<Self, Failed> {
        let stream = connect(address)?;
        let mut connection = Self { stream, requests, sent: 0, answer: Vec::new() };
        connection.send()?;
        connection.answer = read_answer(&mut connection.stream)?;
        connection.check()?;
        Ok(connection)
    }

    fn send(&mut self) -> Result<(), Failed> {
        let request = self.requests.get(self.sent % self.requests.len().max(1)).ok_or("no requests")?;
        self.sent += 1;
        Ok(self.stream.write_all(request)?)
    }

    fn receive(&mut self) -> Result<(), Failed> {
        self.stream.read_exact(&mut self.answer)?;
        self.check()
    }

    fn check(&self) -> Result<(), Failed> {
        let expected = self.answer.starts_with(b"HTTP/1.1 200 ") && self.answer.ends_with(BODY.as_bytes());
        expected.then_some(()).ok_or_else(|| format!("unexpected: {}", String::from_utf8_lossy(&self.answer)).into())
    }
}

/// Sends one request over a connection of its own, and returns the whole answer as text.
///
/// # Errors
/// If there is none.
pub fn ask(address: SocketAddr, request: &str) -> Result<String, Failed> {
    let mut stream = connect(address)?;
    stream.write_all(request.as_bytes())?;
    Ok(String::from_utf8(read_answer(&mut stream)?)?)
}

fn connect(address: SocketAddr) -> Result<TcpStream, Failed> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// Head and body, by `Content-Length`; a head without one has no body.
fn read_answer(stream: &mut TcpStream) -> Result<Vec<u8>, Failed> {
    let mut answer = Vec::new();
    let mut byte = [0];
    while !answer.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        answer.extend(byte);
    }
    let head = std::str::from_utf8(&answer)?.to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let mut body = vec![0; length.map_or(Ok(0), |length| length.trim().parse())?];
    stream.read_exact(&mut body)?;
    answer.extend(body);
    Ok(answer)
}

/// A machine that is busy otherwise may stop a server for a while; this long is a fault.
const PATIENCE: Duration = Duration::from_secs(30);
