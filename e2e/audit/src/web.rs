//! A web server as small as the sites it serves: a thread for each connection, and nothing an answer may not say.

mod ask;
mod reply;
#[cfg(test)]
mod tests;
pub(crate) mod tls;

use std::io::{self, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

pub(crate) use self::ask::{Ask, Whence};
pub(crate) use self::reply::{Body, Reply, SOUND, Take};

/// What answers requests.
pub(crate) type Answer = Arc<dyn Fn(&Ask) -> Reply + Send + Sync>;

/// Answers on a loopback port, a free one for 0, until the process ends; says which.
pub(crate) fn serve(port: u16, answer: Answer) -> io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    let port = listener.local_addr()?.port();
    thread::Builder::new().name(format!("site {port}")).spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = Arc::clone(&answer);
            // A connection that cannot be served is closed, which is all its client has to know.
            drop(thread::Builder::new().spawn(move || drop(connection(stream, port, &answer))));
        }
    })?;
    Ok(port)
}

/// Over TLS, where the client wants that.
fn connection(stream: TcpStream, port: u16, answer: &Answer) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    if !tls::begins(&stream) {
        return match talk(stream, port, false, answer)? {
            Some((take, stream)) => take(stream),
            None => Ok(()),
        };
    }
    // Nothing takes over a connection over TLS: no site with sockets has it.
    talk(tls::accept(stream)?, port, true, answer).map(drop)
}

type Taken<S> = Option<(Take, S)>;

/// One request after another, until the client has no more or an answer ends the connection or takes it over.
fn talk<S: Read + Write>(stream: S, port: u16, tls: bool, answer: &Answer) -> io::Result<Taken<S>> {
    let mut reader = BufReader::new(stream);
    while let Some(mut ask) = Ask::read(&mut reader, port)? {
        ask.tls = tls;
        let reply = answer(&ask);
        let writer = reader.get_mut();
        match reply.body {
            Body::Bytes(ref bytes) => {
                let close = ask.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
                writer.write_all(&reply.head(bytes.len(), close))?;
                if ask.method != "HEAD" {
                    writer.write_all(bytes)?;
                }
                writer.flush()?;
                if close {
                    return Ok(None);
                }
            }
            Body::Raw(bytes) => {
                writer.write_all(&bytes)?;
                return writer.flush().map(|()| None);
            }
            Body::TakeOver(take) => return Ok(Some((take, reader.into_inner()))),
        }
    }
    Ok(None)
}

/// The bytes up to and including the first blank line; none where the client has gone.
fn head(reader: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() > LONGEST_HEAD || reader.read(&mut byte)? == 0 {
            return Ok(None);
        }
        head.extend_from_slice(&byte);
    }
    Ok(Some(head))
}

const PATIENCE: Duration = Duration::from_mins(1);
const LONGEST_HEAD: usize = 64 * 1024;
