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

/// What one connection sends.
#[derive(Debug)]
pub struct Script {
    /// Sent in turn.
    pub requests: Vec<Vec<u8>>,
    /// Whether each request carries the cookie that the last answer set, as a browser's does.
    pub takes_cookie: bool,
    /// How every answer begins and ends.
    pub expects: Expects,
}

/// What an answer must be, or it is not the work that was meant.
#[derive(Debug, Clone, Copy)]
pub struct Expects {
    /// With this it begins.
    pub head: &'static str,
    /// With this it ends.
    pub end: &'static str,
}

impl Expects {
    /// What all servers here answer to a request that is let in.
    pub const THE_BODY: Self = Self { head: "HTTP/1.1 200 ", end: BODY };
}

#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    script: Script,
    sent: usize,
    /// As long as every answer.
    answer: Vec<u8>,
}

impl Load {
    /// Opens a connection per script, and learns from its first answer how long answers are.
    ///
    /// # Errors
    /// If an answer is not what its script expects.
    pub fn open(address: SocketAddr, scripts: Vec<Script>) -> Result<Self, Failed> {
        let connections = scripts.into_iter().map(|script| Connection::open(address, script));
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
    fn open(address: SocketAddr, script: Script) -> Result<Self, Failed> {
        let stream = connect(address)?;
        let mut connection = Self { stream, script, sent: 0, answer: Vec::new() };
        connection.send()?;
        connection.answer = read_answer(&mut connection.stream)?;
        connection.check()?;
        connection.take_cookie()?;
        Ok(connection)
    }

    fn send(&mut self) -> Result<(), Failed> {
        let requests = &self.script.requests;
        let request = requests.get(self.sent % requests.len().max(1)).ok_or("no requests")?;
        self.sent += 1;
        Ok(self.stream.write_all(request)?)
    }

    fn receive(&mut self) -> Result<(), Failed> {
        self.stream.read_exact(&mut self.answer)?;
        self.check()?;
        self.take_cookie()
    }

    /// All cookies of one server are equally long, so the new one takes the place of the old.
    fn take_cookie(&mut self) -> Result<(), Failed> {
        if !self.script.takes_cookie {
            return Ok(());
        }
        let set = value_after(&self.answer, b"set-cookie: ").ok_or("no cookie was set")?;
        for request in &mut self.script.requests {
            let place = value_after(request, b"Cookie: ").ok_or("no cookie to replace")?;
            let new = self.answer.get(set.start..set.start + place.len()).ok_or("the cookie is cut off")?;
            request.get_mut(place).ok_or("the request is cut off")?.copy_from_slice(new);
        }
        Ok(())
    }

    fn check(&self) -> Result<(), Failed> {
        let Expects { head, end } = self.script.expects;
        let expected = self.answer.starts_with(head.as_bytes()) && self.answer.ends_with(end.as_bytes());
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

/// Where the value of a header stands, up to the end of its line.
fn value_after(head: &[u8], name: &[u8]) -> Option<std::ops::Range<usize>> {
    let start = head.windows(name.len()).position(|window| window == name)? + name.len();
    let length = head.get(start..)?.iter().position(|byte| *byte == b'\r')?;
    Some(start..start + length)
}

/// A machine that is busy otherwise may stop a server for a while; this long is a fault.
const PATIENCE: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_s_value_ends_with_its_line() {
        let head = b"HTTP/1.1 200 OK\r\nset-cookie: a=b; Path=/\r\n\r\n";
        assert_eq!(value_after(head, b"set-cookie: ").map(|place| &head[place]), Some(b"a=b; Path=/".as_slice()));
        assert_eq!(value_after(head, b"cookie2: "), None);
    }
}
