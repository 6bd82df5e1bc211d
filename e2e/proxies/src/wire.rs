//! As much of HTTP/1.1 as it takes to hear a proxy and to speak to one byte by byte: also what no library would send.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};

/// A request or an answer as it came over the wire.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Message {
    /// The first line, without its end.
    pub first: String,
    /// Names and values as they were written, without the space around values.
    pub headers: Vec<(String, String)>,
    /// What follows the head, without its framing.
    pub body: Vec<u8>,
}

impl Message {
    /// A word of the first line.
    pub fn word(&self, at: usize) -> &str {
        self.first.split(' ').nth(at).unwrap_or_default()
    }

    /// The method of a request.
    pub fn method(&self) -> &str {
        self.word(0)
    }

    /// The target of a request, as it was sent.
    pub fn target(&self) -> &str {
        self.word(1)
    }

    /// The status of an answer; 0 where it has none.
    pub fn status(&self) -> u16 {
        self.word(1).parse().unwrap_or(0)
    }

    /// Every value under a name, in their order.
    pub fn all(&self, wanted: &str) -> Vec<&str> {
        let same = self.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
        same.map(|(_, value)| value.as_str()).collect()
    }

    /// The value under a name that is there once; nothing where it is absent or repeated.
    pub fn only(&self, wanted: &str) -> Option<&str> {
        match self.all(wanted).as_slice() {
            [value] => Some(value),
            _ => None,
        }
    }

    /// What stands under a name, lines joined; empty where it is absent.
    pub fn joined(&self, wanted: &str) -> String {
        self.all(wanted).join("; ")
    }

    /// Whether the text stands anywhere in the head.
    pub fn mentions(&self, text: &str) -> bool {
        self.first.contains(text) || self.headers.iter().any(|(_, value)| value.contains(text))
    }

    fn asks_for_100(&self) -> bool {
        self.all("expect").iter().any(|value| value.eq_ignore_ascii_case("100-continue"))
    }
}

/// How a message's end is found where its head does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Otherwise {
    /// It has no body: requests, and answers to `HEAD`.
    Empty,
    /// It lasts until the connection ends.
    UntilClosed,
}

/// Reads a whole request; `None` where the other side hung up before it began one.
///
/// # Errors
/// What went wrong with the connection, or [`io::ErrorKind::InvalidData`] for what is not HTTP/1.1.
pub fn read_request(stream: &mut (impl BufRead + Write)) -> io::Result<Option<Message>> {
    let Some(mut request) = read_head(stream)? else { return Ok(None) };
    if request.asks_for_100() {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    request.body = read_body(stream, &request, Otherwise::Empty)?;
    Ok(Some(request))
}

/// Reads an answer, passing over interim ones, except one that changes protocols.
///
/// # Errors
/// As [`read_request`]; [`io::ErrorKind::UnexpectedEof`] where there was none.
pub fn read_answer(stream: &mut impl BufRead, to: &str) -> io::Result<Message> {
    loop {
        let mut answer = read_head(stream)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        match answer.status() {
            101 | 204 | 304 => return Ok(answer),
            100..=199 => {}
            _ if to == "HEAD" => return Ok(answer),
            _ => {
                answer.body = read_body(stream, &answer, Otherwise::UntilClosed)?;
                return Ok(answer);
            }
        }
    }
}

/// Sends a request and reads what comes back. A proxy may answer, and hang up, before it has heard everything.
///
/// # Errors
/// As [`read_answer`], or if the request could not be sent.
pub fn exchange(stream: &TcpStream, request: &[u8]) -> io::Result<Message> {
    let method = String::from_utf8_lossy(request).split(' ').next().unwrap_or_default().to_owned();
    let mut writing = stream.try_clone()?;
    let sent = writing.write_all(request);
    let answer = read_answer(&mut BufReader::new(stream), &method);
    // An upgraded connection goes on.
    if !answer.as_ref().is_ok_and(|answer| answer.status() == 101) {
        let _ = stream.shutdown(Shutdown::Both);
    }
    answer.or_else(|error| sent.and(Err(error)))
}

/// Reads to the end of a head, and no further.
///
/// # Errors
/// As [`read_request`].
pub fn read_head(stream: &mut impl BufRead) -> io::Result<Option<Message>> {
    let mut head = Vec::new();
    loop {
        let read = stream.by_ref().take(LONGEST_HEAD).read_until(b'\n', &mut head)?;
        if read == 0 {
            return if head.is_empty() { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
        }
        if head.len() as u64 > LONGEST_HEAD {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the head is too long"));
        }
        if head == b"\r\n" {
            head.clear();
        } else if head.ends_with(b"\r\n\r\n") {
            return Ok(Some(understood(&String::from_utf8_lossy(&head))));
        }
    }
}

fn understood(head: &str) -> Message {
    let mut lines = head.split("\r\n");
    let first = lines.next().unwrap_or_default().to_owned();
    let headers = lines.filter_map(|line| line.split_once(':'));
    let headers = headers.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect();
    Message { first, headers, body: Vec::new() }
}

fn read_body(stream: &mut impl BufRead, head: &Message, otherwise: Otherwise) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    if head.all("transfer-encoding").iter().any(|value| value.eq_ignore_ascii_case("chunked")) {
        loop {
            let mut line = String::new();
            stream.by_ref().take(100).read_line(&mut line)?;
            let size = line.trim().split(';').next().unwrap_or_default();
            let size = u64::from_str_radix(size, 16).map_err(|_| io::ErrorKind::InvalidData)?;
            stream.by_ref().take(size).read_to_end(&mut body)?;
            stream.by_ref().take(100).read_line(&mut line)?;
            if size == 0 {
                return Ok(body);
            }
        }
    }
    match head.only("content-length").map(str::parse::<u64>) {
        Some(Ok(length)) => {
            stream.by_ref().take(length).read_to_end(&mut body)?;
            if (body.len() as u64) < length {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Some(Err(_)) => return Err(io::ErrorKind::InvalidData.into()),
        None if otherwise == Otherwise::UntilClosed => {
            stream.read_to_end(&mut body)?;
        }
        None => {}
    }
    Ok(body)
}

const LONGEST_HEAD: u64 = 4 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn request(text: &str) -> Message {
        read_request(&mut io::Cursor::new(text.as_bytes().to_vec())).unwrap().unwrap()
    }

    fn answer(text: &str, to: &str) -> Message {
        read_answer(&mut io::Cursor::new(text.as_bytes().to_vec()), to).unwrap()
    }

    #[test]
    fn a_request_is_heard_as_it_was_written() {
        let heard =
            request("POST /a?b HTTP/1.1\r\nHost: x\r\ncookie: a=1\r\nCookie:  b=2 \r\nContent-Length: 3\r\n\r\nabcdef");
        assert_eq!((heard.method(), heard.target(), heard.body.as_slice()), ("POST", "/a?b", b"abc".as_slice()));
        assert_eq!(
            (heard.all("COOKIE"), heard.only("cookie"), heard.only("host")),
            (vec!["a=1", "b=2"], None, Some("x"))
        );
        assert_eq!(
            request("PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x\r\nc\r\n0\r\n\r\n").body,
            b"abc"
        );
        assert!(request("GET / HTTP/1.1\r\n\r\nrest").body.is_empty());
    }

    #[test]
    fn an_answer_ends_where_its_head_says() {
        assert_eq!(answer("HTTP/1.1 200 OK\r\n\r\nall of it", "GET").body, b"all of it");
        assert_eq!(answer("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", "HEAD").status(), 200);
        assert_eq!(
            answer("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 403 No\r\nContent-Length: 1\r\n\r\nxy", "POST").body,
            b"x"
        );
        assert_eq!(answer("HTTP/1.1 101 Switching\r\n\r\nraw", "GET").status(), 101);
        assert!(answer("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", "GET").body.is_empty());
    }

    #[test]
    fn what_is_cut_short_is_an_error_and_nothing_is_none() {
        let read = |text: &str| read_request(&mut io::Cursor::new(text.as_bytes().to_vec()));
        assert!(read("").unwrap().is_none());
        assert!(read("GET / HTTP/1.1\r\nHost").is_err());
        assert!(read("POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nab").is_err());
    }
}
