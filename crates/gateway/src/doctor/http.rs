//! As much of HTTP/1.1 as the doctor needs: what it sends no library would, and what it reads is short.

use std::fmt;
use std::io::{self, BufRead, Read as _};

/// An answer.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// Every value under a name.
    pub(super) fn all(&self, wanted: &str) -> Vec<&str> {
        values(&self.headers, wanted)
    }

    /// Reads an answer, passing over interim ones.
    ///
    /// # Errors
    /// What went wrong on the way, or that it is no HTTP/1.1, or too long.
    pub(super) fn read(stream: &mut impl BufRead) -> io::Result<Self> {
        loop {
            let mut answer = Self::head(stream)?;
            if (100..=199).contains(&answer.status) && answer.status != 101 {
                continue;
            }
            if !matches!(answer.status, 101 | 204 | 304) {
                answer.body = answer.rest(stream)?;
            }
            return Ok(answer);
        }
    }

    fn head(stream: &mut impl BufRead) -> io::Result<Self> {
        let mut left = LONGEST_HEAD;
        let mut line = || {
            let mut line = Vec::new();
            let read = stream.by_ref().take(left).read_until(b'\n', &mut line)?;
            left -= u64::try_from(read).unwrap_or(left);
            if line.ends_with(b"\n") { Ok(line) } else { Err(io::Error::from(io::ErrorKind::UnexpectedEof)) }
        };
        let first = line()?;
        let first = String::from_utf8_lossy(&first).into_owned();
        let status = first.strip_prefix("HTTP/1.").and_then(|rest| rest.split(' ').nth(1)?.trim().parse().ok());
        let mut answer = Self { status: status.ok_or(io::ErrorKind::InvalidData)?, ..Self::default() };
        loop {
            let line = line()?;
            let line = String::from_utf8_lossy(&line);
            match line.trim_end().split_once(':') {
                Some((name, value)) => answer.headers.push((name.to_lowercase(), value.trim().to_owned())),
                None if line.trim_end().is_empty() => return Ok(answer),
                None => return Err(io::ErrorKind::InvalidData.into()),
            }
        }
    }

    fn rest(&self, stream: &mut impl BufRead) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        if self.all("transfer-encoding").iter().any(|coding| coding.eq_ignore_ascii_case("chunked")) {
            loop {
                let mut line = String::new();
                stream.by_ref().take(100).read_line(&mut line)?;
                let size = u64::from_str_radix(line.trim().split(';').next().unwrap_or_default(), 16);
                let size = size.ok().filter(|size| *size <= LONGEST_BODY).ok_or(io::ErrorKind::InvalidData)?;
                stream.by_ref().take(size).read_to_end(&mut body)?;
                stream.by_ref().take(2).read_until(b'\n', &mut Vec::new())?;
                if size == 0 || body.len() as u64 > LONGEST_BODY {
                    return Ok(body);
                }
            }
        }
        let length = self.all("content-length").first().and_then(|length| length.parse().ok());
        stream.by_ref().take(length.unwrap_or(LONGEST_BODY).min(LONGEST_BODY)).read_to_end(&mut body)?;
        Ok(body)
    }
}

/// Without values and body: cookies come in both.
impl fmt::Debug for Answer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        out.debug_struct("Answer").field("status", &self.status).field("headers", &names).finish_non_exhaustive()
    }
}

/// Every value under a name, in any case.
pub(super) fn values<'a>(headers: &'a [(String, String)], wanted: &str) -> Vec<&'a str> {
    let same = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
    same.map(|(_, value)| value.as_str()).collect()
}

const LONGEST_HEAD: u64 = 256 * 1024;
const LONGEST_BODY: u64 = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> io::Result<Answer> {
        Answer::read(&mut io::Cursor::new(text.as_bytes()))
    }

    #[test]
    fn an_answer_ends_where_its_head_says() {
        for (text, status, body) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc", 200, "ab"),
            ("HTTP/1.0 404 No\r\n\r\nall of it", 404, "all of it"),
            ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\nx", 403, ""),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", 200, "abc"),
            ("HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\nraw", 101, ""),
        ] {
            let answer = read(text).unwrap();
            assert_eq!((answer.status, String::from_utf8_lossy(&answer.body).as_ref()), (status, body), "{text}");
        }
    }

    #[test]
    fn an_answer_prints_no_cookie() {
        let answer = read("HTTP/1.1 200 OK\r\nSet-Cookie: id=secret\r\nContent-Length: 6\r\n\r\nsecret").unwrap();
        let shown = format!("{answer:?}");
        assert!(shown.contains("set-cookie") && !shown.contains("secret"), "{shown}");
    }

    #[test]
    fn what_is_no_answer_is_an_error() {
        for text in ["", "hello\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "HTTP/1.1 200 OK\r\nHalf: a"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
