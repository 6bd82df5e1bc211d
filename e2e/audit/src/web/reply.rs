//! An answer: sound headers unless a site says otherwise, and any bytes at all where it must.

use std::fmt::Write as _;
use std::io;
use std::net::TcpStream;

use serde_json::Value;

/// An answer.
pub(crate) struct Reply {
    /// The status code.
    pub(crate) status: u16,
    /// As they are sent.
    pub(crate) headers: Vec<(String, String)>,
    /// What follows.
    pub(crate) body: Body,
}

/// What follows the head, or all of it.
pub(crate) enum Body {
    /// After a head of ours.
    Bytes(Vec<u8>),
    /// Instead of a head of ours; the connection ends afterwards.
    Raw(Vec<u8>),
    /// The connection is somebody else's from here on.
    TakeOver(Take),
}

/// What is done with a connection.
pub(crate) type Take = Box<dyn FnOnce(TcpStream) -> io::Result<()> + Send>;

impl Reply {
    /// A page of HTML.
    pub(crate) fn page(title: &str, inner: &str) -> Self {
        let body = format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title></head>\n\
             <body><h1>{title}</h1>\n{inner}\n</body></html>\n"
        );
        Self::of(200, "text/html; charset=utf-8", body.into_bytes())
    }

    /// Somewhere else, by GET.
    pub(crate) fn to(target: &str) -> Self {
        Self::of(303, "text/plain", Vec::new()).header("Location", target)
    }

    /// JSON.
    pub(crate) fn json(value: &Value) -> Self {
        Self::of(200, "application/json", value.to_string().into_bytes())
    }

    /// No, and why.
    pub(crate) fn no(status: u16, why: &str) -> Self {
        Self::of(status, "text/plain; charset=utf-8", why.as_bytes().to_vec())
    }

    /// Nothing but these bytes.
    pub(crate) fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self { status: 0, headers: Vec::new(), body: Body::Raw(bytes.into()) }
    }

    /// Whatever `take` does with the connection.
    pub(crate) fn take_over(take: impl FnOnce(TcpStream) -> io::Result<()> + Send + 'static) -> Self {
        Self { status: 0, headers: Vec::new(), body: Body::TakeOver(Box::new(take)) }
    }

    fn of(status: u16, kind: &str, body: Vec<u8>) -> Self {
        let mut headers = vec![("Content-Type".to_owned(), kind.to_owned())];
        headers.extend(SOUND.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        Self { status, headers, body: Body::Bytes(body) }
    }

    /// With another status.
    pub(crate) fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// With a header field, in place of one of that name.
    pub(crate) fn header(self, name: &str, value: &str) -> Self {
        let mut reply = self.without(name);
        reply.headers.push((name.to_owned(), value.to_owned()));
        reply
    }

    /// Without a header field.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(key, _)| !key.eq_ignore_ascii_case(name));
        self
    }

    /// With one more cookie.
    pub(crate) fn cookie(mut self, line: impl Into<String>) -> Self {
        self.headers.push(("Set-Cookie".to_owned(), line.into()));
        self
    }

    /// Status line and header fields, as bytes.
    pub(crate) fn head(&self, length: usize, close: bool) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        for (name, value) in &self.headers {
            _ = write!(head, "{name}: {value}\r\n");
        }
        let close = if close { "Connection: close\r\n" } else { "" };
        _ = write!(head, "Content-Length: {length}\r\n{close}\r\n");
        head.into_bytes()
    }
}

/// What a site sends that has thought of everything; it changes by [`Reply::header`] and [`Reply::without`].
pub(crate) const SOUND: &[(&str, &str)] = &[
    ("Cache-Control", "no-store"),
    (
        "Content-Security-Policy",
        "default-src 'none'; script-src 'none'; style-src 'self'; object-src 'none'; base-uri 'none'; \
         form-action 'self'; frame-ancestors 'none'",
    ),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
];

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        302 => "Found",
        303 => "See Other",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        415 => "Unsupported Media Type",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        _ => "Something",
    }
}
