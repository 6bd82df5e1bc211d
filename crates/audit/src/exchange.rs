//! One request and what came back, as it was on the wire: kept for judging, printed only masked.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use url::Url;

/// A request that was sent.
#[derive(Clone)]
pub struct Sent {
    /// Its method.
    pub method: Method,
    /// Where it went.
    pub url: Url,
    /// Header fields in their order, as sent.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Bytes,
}

/// A response, read leniently: what hyper would refuse or rewrite is here as it came.
#[derive(Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Header fields in their order, byte for byte but for the blanks around each value.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body, up to the size the audit reads.
    pub body: Bytes,
    /// Whether there was more of a body than is read.
    pub cut: bool,
    /// From the request's first byte to the response's last.
    pub took: Duration,
    /// When it had come, in milliseconds since 1970.
    pub at_millis: u64,
}

/// A request with its response.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// What was sent.
    pub sent: Sent,
    /// What came back.
    pub answer: Answer,
}

impl Answer {
    /// The values of a header field, whatever its case.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> + 'a {
        self.headers.iter().filter(move |(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_slice())
    }

    /// The first value of a header field, as text; what is not UTF-8 in it is replaced.
    pub fn first(&self, name: &str) -> Option<String> {
        self.all(name).next().map(|value| String::from_utf8_lossy(value).into_owned())
    }

    /// All values of a list field as one.
    pub fn joined(&self, name: &str) -> Option<String> {
        let values: Vec<_> = self.all(name).map(String::from_utf8_lossy).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    /// The body as text; what is not UTF-8 in it is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Whether the response is a redirect with somewhere to go.
    pub fn redirects(&self) -> bool {
        matches!(self.status, 301 | 302 | 303 | 307 | 308) && self.all("location").next().is_some()
    }
}

impl std::fmt::Debug for Sent {
    /// Without headers and body: they hold secrets.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} {}", self.method, self.url.path())
    }
}

impl std::fmt::Debug for Answer {
    /// Without headers and body: they hold secrets.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} ({} bytes)", self.status, self.body.len())
    }
}
