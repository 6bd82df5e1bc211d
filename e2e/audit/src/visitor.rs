//! Somebody with a browser, as far as exploits need one: cookies, redirects, and the headers other sites can cause.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use crate::web::tls;

/// A client with a jar of cookies, which ignores every attribute but a date in the past.
#[derive(Debug, Clone)]
pub(crate) struct Visitor {
    /// How the site is called, with its port.
    pub(crate) host: String,
    port: u16,
    tls: bool,
    /// Names and values.
    pub(crate) jar: BTreeMap<String, String>,
    /// Sent with every request beside the cookies.
    pub(crate) bearer: Option<String>,
}

/// What came back.
#[derive(Debug, Clone, Default)]
pub(crate) struct Got {
    /// The status code.
    pub(crate) status: u16,
    /// As they came, redirects left out.
    pub(crate) headers: Vec<(String, String)>,
    /// As text.
    pub(crate) body: String,
}

/// A request that has not been sent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Draft {
    /// Upper case.
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    /// Beside those of the visitor.
    pub(crate) headers: Vec<(String, String)>,
    /// Whole.
    pub(crate) body: String,
}

impl Draft {
    /// Without a body.
    pub(crate) fn new(method: &str, target: &str) -> Self {
        Self { method: method.to_owned(), target: target.to_owned(), ..Self::default() }
    }

    /// JSON.
    pub(crate) fn json(method: &str, target: &str, body: &serde_json::Value) -> Self {
        Self { body: body.to_string(), ..Self::new(method, target) }.header("Content-Type", "application/json")
    }

    /// With a header field, in place of one of that name.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(key, _)| !key.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

impl Got {
    /// The first header field of that name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Every `Set-Cookie` line.
    pub(crate) fn cookies(&self) -> impl Iterator<Item = &str> {
        self.headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case("set-cookie")).map(|(_, value)| value.as_str())
    }

    /// A member of a JSON object.
    pub(crate) fn member(&self, name: &str) -> Option<String> {
        serde_json::from_str::<serde_json::Value>(&self.body).ok()?.get(name)?.as_str().map(str::to_owned)
    }
}

impl Visitor {
    /// Somebody nobody knows.
    pub(crate) fn new(host: &str, port: u16) -> Self {
        Self { host: format!("{host}:{port}"), port, tls: false, jar: BTreeMap::new(), bearer: None }
    }

    /// The same with TLS, or without.
    pub(crate) fn over(self, tls: bool) -> Self {
        Self { tls, ..self }
    }

    /// Somebody else, who knows nothing of what this one has.
    pub(crate) fn other(&self) -> Self {
        Self { jar: BTreeMap::new(), bearer: None, ..self.clone() }
    }

    /// What shows the site who this is: a token, or cookies.
    pub(crate) fn header(&self) -> Option<(String, String)> {
        let token = self.bearer.as_ref().map(|token| ("Authorization".to_owned(), format!("Bearer {token}")));
        token.or_else(|| Some(("Cookie".to_owned(), self.cookies()?)))
    }

    fn cookies(&self) -> Option<String> {
        let pairs: Vec<_> = self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    /// Where the site is.
    pub(crate) fn origin(&self) -> String {
        format!("{}://{}", if self.tls { "https" } else { "http" }, self.host)
    }

    /// By a link of the site itself, or typed in.
    pub(crate) fn get(&mut self, target: &str) -> io::Result<Got> {
        self.follow(&Draft::new("GET", target))
    }

    /// As the site's own pages would send it; redirects are followed.
    pub(crate) fn send(&mut self, draft: Draft) -> io::Result<Got> {
        let origin = self.origin();
        self.follow(&draft.header("Origin", &origin).header("Sec-Fetch-Site", "same-origin"))
    }

    /// With nothing but the headers it has; redirects are followed.
    pub(crate) fn follow(&mut self, draft: &Draft) -> io::Result<Got> {
        let mut got = self.once(draft)?;
        for _ in 0..5 {
            let Some(target) = got.header("location").filter(|_| got.status / 100 == 3) else { break };
            let target = target.strip_prefix(&self.origin()).unwrap_or(target).to_owned();
            if !target.starts_with('/') {
                break;
            }
            let cookies: Vec<_> = got.cookies().map(str::to_owned).collect();
            got = self.once(&Draft::new("GET", &target))?;
            got.headers.extend(cookies.into_iter().map(|line| ("set-cookie".to_owned(), line)));
        }
        Ok(got)
    }

    /// One request and its answer.
    pub(crate) fn once(&mut self, draft: &Draft) -> io::Result<Got> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        let asked = self.written(draft);
        let mut bytes = Vec::new();
        if self.tls {
            let name = self.host.split(':').next().unwrap_or_default();
            bytes = tls::exchange(name, stream, &asked)?;
        } else {
            stream.write_all(&asked)?;
            stream.read_to_end(&mut bytes)?;
        }
        let got = parsed(&bytes);
        for line in got.cookies() {
            self.keep(line);
        }
        Ok(got)
    }

    /// The bytes of a request.
    pub(crate) fn written(&self, draft: &Draft) -> Vec<u8> {
        let mut head =
            format!("{} {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", draft.method, draft.target, self.host);
        if let Some(cookies) = self.cookies() {
            _ = write!(head, "Cookie: {cookies}\r\n");
        }
        if let Some(token) = &self.bearer {
            _ = write!(head, "Authorization: Bearer {token}\r\n");
        }
        for (name, value) in &draft.headers {
            _ = write!(head, "{name}: {value}\r\n");
        }
        _ = write!(head, "Content-Length: {}\r\n\r\n{}", draft.body.len(), draft.body);
        head.into_bytes()
    }

    fn keep(&mut self, line: &str) {
        let (pair, attributes) = line.split_once(';').unwrap_or((line, ""));
        let Some((name, value)) = pair.split_once('=') else { return };
        let attributes = attributes.to_ascii_lowercase();
        if value.is_empty() || attributes.contains("max-age=0") || attributes.contains("01 jan 1970") {
            self.jar.remove(name.trim());
        } else {
            self.jar.insert(name.trim().to_owned(), value.trim().to_owned());
        }
    }
}

/// Head and body of an answer; of something else, nothing.
fn parsed(bytes: &[u8]) -> Got {
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
    let headers: Vec<_> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        .collect();
    let chunked =
        headers.iter().any(|(name, value)| name.eq_ignore_ascii_case("transfer-encoding") && value == "chunked");
    let body = if chunked { unchunked(body) } else { body.to_owned() };
    Got { status: status.unwrap_or(0), headers, body }
}

fn unchunked(mut rest: &str) -> String {
    let mut whole = String::new();
    while let Some((size, after)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).unwrap_or(0);
        let (Some(chunk), true) = (after.get(..size), size > 0) else { break };
        whole.push_str(chunk);
        rest = after.get(size + 2..).unwrap_or_default();
    }
    whole
}

/// What browsers declare forms as.
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";
