//! As much of HTTP/1.1 as it takes to hear a browser and to answer it byte by byte: also what no library would send.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// One request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Visit {
    pub(crate) secure: bool,
    pub(crate) host: String,
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// One answer.
#[derive(Debug, Clone)]
pub(crate) struct Served {
    pub(crate) status: u16,
    /// Header lines as they go out, each with its end of line.
    pub(crate) lines: Vec<u8>,
    pub(crate) body: String,
}

impl Visit {
    /// Without the query.
    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// A header's value, empty where it is absent.
    pub(crate) fn header(&self, wanted: &str) -> &str {
        let found = self.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map_or("", |(_, value)| value)
    }

    /// A cookie's value, if the browser sent one of this name.
    pub(crate) fn cookie(&self, wanted: &str) -> Option<&str> {
        let pairs = self.header("cookie").split(';').filter_map(|pair| pair.trim().split_once('='));
        pairs.into_iter().find(|(name, _)| *name == wanted).map(|(_, value)| value)
    }

    /// A field of the query or of the form.
    pub(crate) fn field(&self, wanted: &str) -> Option<String> {
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        let pairs = [query, &self.body].into_iter().flat_map(|text| text.split('&'));
        let mut pairs = pairs.filter_map(|pair| pair.split_once('='));
        pairs.find(|(name, _)| *name == wanted).map(|(_, value)| decoded(value))
    }
}

impl Served {
    /// A page, status 200.
    pub(crate) fn page(html: &str) -> Self {
        let head = "<!doctype html><meta charset=utf-8><link rel=icon href=data:,>";
        Self {
            status: 200,
            lines: b"Content-Type: text/html; charset=utf-8\r\n".to_vec(),
            body: format!("{head}{html}"),
        }
    }

    /// JSON, with a status.
    pub(crate) fn data(status: u16, value: &serde_json::Value) -> Self {
        Self { status, lines: b"Content-Type: application/json\r\n".to_vec(), body: value.to_string() }
    }

    /// On to somewhere else.
    pub(crate) fn see_other(to: &str) -> Self {
        Self { status: 303, lines: format!("Location: {to}\r\n").into_bytes(), body: String::new() }
    }

    /// With one more header, which may hold any byte.
    pub(crate) fn with(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.lines.extend([name.as_bytes(), b": ", value.as_ref(), b"\r\n"].concat());
        self
    }
}

/// The next request; `None` where the browser hung up.
pub(super) async fn read(stream: &mut (impl AsyncBufRead + Unpin), secure: bool) -> io::Result<Option<Visit>> {
    let mut head = Vec::new();
    loop {
        let read = stream.take(LONGEST_LINE).read_until(b'\n', &mut head).await?;
        if read == 0 || head.len() > LONGEST_HEAD {
            return Ok(None);
        }
        if head.ends_with(b"\r\n\r\n") {
            break;
        }
    }
    let mut visit = understood(&String::from_utf8_lossy(&head));
    visit.secure = secure;
    let length = visit.header("content-length").parse().unwrap_or(0_usize).min(LONGEST_BODY);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    visit.body = String::from_utf8_lossy(&body).into_owned();
    Ok(Some(visit))
}

/// Sends an answer; the connection stays open.
pub(super) async fn write(stream: &mut (impl AsyncWrite + Unpin), served: &Served) -> io::Result<()> {
    let Served { status, lines, body } = served;
    stream.write_all(format!("HTTP/1.1 {status} Made Up\r\nContent-Length: {}\r\n", body.len()).as_bytes()).await?;
    stream.write_all(lines).await?;
    stream.write_all(b"Cache-Control: no-store\r\n\r\n").await?;
    stream.write_all(body.as_bytes()).await?;
    stream.flush().await
}

fn understood(head: &str) -> Visit {
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap_or_default().split(' ');
    let (method, target) = (first.next().unwrap_or_default().to_owned(), first.next().unwrap_or_default().to_owned());
    let headers: Vec<_> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect();
    let mut visit = Visit { method, target, headers, ..Visit::default() };
    visit.host = visit.header("host").split(':').next().unwrap_or_default().to_owned();
    visit
}

/// `application/x-www-form-urlencoded`.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits: String = rest.by_ref().take(2).map(char::from).collect();
                u8::from_str_radix(&digits, 16).unwrap_or(b'?')
            }
            other => other,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

const LONGEST_LINE: u64 = 64 * 1024;
const LONGEST_HEAD: usize = 256 * 1024;
const LONGEST_BODY: usize = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_request_is_heard_with_its_cookies_and_fields() {
        let text =
            "POST /note?a=1 HTTP/1.1\r\nHost: evil.test:443\r\nCookie: x=1; y=2\r\nContent-Length: 9\r\n\r\nk=%3Cb%3E";
        let mut stream = io::Cursor::new(format!("{text}GET / HTTP/1.1\r\nhost: b\r\n\r\n").into_bytes());
        let visit = read(&mut stream, true).await.unwrap().unwrap();
        assert_eq!((visit.method.as_str(), visit.path(), visit.host.as_str()), ("POST", "/note", "evil.test"));
        assert_eq!((visit.cookie("y"), visit.cookie("z")), (Some("2"), None));
        assert_eq!((visit.field("k").as_deref(), visit.field("a").as_deref()), (Some("<b>"), Some("1")));
        assert_eq!(read(&mut stream, true).await.unwrap().unwrap().host, "b");
        assert!(read(&mut stream, true).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn an_answer_holds_whatever_bytes_it_was_given() {
        let mut sent = Vec::new();
        write(&mut sent, &Served::page("x").with("Set-Cookie", b"a=\x01\xff")).await.unwrap();
        let head = sent.windows(18).any(|window| window == b"Set-Cookie: a=\x01\xff\r\n");
        assert!(head && sent.ends_with(b"x"));
    }
}
