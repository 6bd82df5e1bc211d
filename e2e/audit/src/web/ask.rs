//! A request, as sites see it.

use std::io::{self, BufReader, Read};

use serde_json::Value;

use super::head;

/// A request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ask {
    /// Upper case.
    pub(crate) method: String,
    /// Without the query.
    pub(crate) path: String,
    /// What is after the question mark.
    pub(crate) query: String,
    /// As they came.
    pub(crate) headers: Vec<(String, String)>,
    /// Whole.
    pub(crate) body: Vec<u8>,
    /// The site's own.
    pub(crate) port: u16,
    /// Whether it came over TLS.
    pub(crate) tls: bool,
}

impl Ask {
    /// The next request of a connection; none where there is none, or what came is not one.
    pub(super) fn read(reader: &mut BufReader<impl Read>, port: u16) -> io::Result<Option<Self>> {
        let Some(head) = head(reader)? else { return Ok(None) };
        let mut fields = [httparse::EMPTY_HEADER; 100];
        let mut parsed = httparse::Request::new(&mut fields);
        if parsed.parse(&head).is_err() {
            return Ok(None);
        }
        let (path, query) = parsed.path.unwrap_or("/").split_once('?').unwrap_or((parsed.path.unwrap_or("/"), ""));
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        let mut ask = Self {
            method: parsed.method.unwrap_or_default().to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: parsed.headers.iter().map(|field| (field.name.to_owned(), text(field.value))).collect(),
            body: Vec::new(),
            port,
            tls: false,
        };
        let length = ask.header("content-length").and_then(|value| value.parse().ok()).unwrap_or(0).min(LARGEST_BODY);
        ask.body = vec![0; length];
        reader.read_exact(&mut ask.body)?;
        Ok(Some(ask))
    }

    /// Method and path, to match on.
    pub(crate) fn on(&self) -> (&str, &str) {
        (&self.method, &self.path)
    }

    /// The first header field of that name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The first cookie of that name, as it was sent.
    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        let all = self.headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case("cookie"));
        let mut pairs = all.flat_map(|(_, value)| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(key, value)| *key == name && !value.is_empty()).map(|(_, value)| value)
    }

    /// A value of the query.
    pub(crate) fn param(&self, name: &str) -> Option<String> {
        field(self.query.as_bytes(), name)
    }

    /// A value of a form, whatever the body is declared as.
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        field(&self.body, name)
    }

    /// A value of a JSON object, whatever the body is declared as.
    pub(crate) fn member(&self, name: &str) -> Option<String> {
        let value: Value = serde_json::from_slice(&self.body).ok()?;
        value.get(name)?.as_str().map(str::to_owned)
    }

    /// Whether the body is declared as that type.
    pub(crate) fn is(&self, kind: &str) -> bool {
        let declared = self.header("content-type").and_then(|value| value.split(';').next()).unwrap_or_default();
        declared.trim().eq_ignore_ascii_case(kind)
    }

    /// What follows `Bearer` in the authorization.
    pub(crate) fn bearer(&self) -> Option<&str> {
        self.header("authorization")?.strip_prefix("Bearer ")
    }

    /// The site's own origin, as the client calls it.
    pub(crate) fn own_origin(&self) -> String {
        let host = self.header("host").map_or_else(|| format!("127.0.0.1:{}", self.port), str::to_owned);
        format!("{}://{host}", if self.tls { "https" } else { "http" })
    }

    /// What the client says about where the request comes from.
    pub(crate) fn from(&self) -> Whence {
        let own = self.own_origin();
        if let Some(site) = self.header("sec-fetch-site") {
            return if matches!(site, "same-origin" | "none") { Whence::Here } else { Whence::Elsewhere };
        }
        if let Some(origin) = self.header("origin") {
            return if origin == own { Whence::Here } else { Whence::Elsewhere };
        }
        match self.header("referer") {
            Some(referer) if referer.strip_prefix(&own).is_some_and(|rest| rest.starts_with('/')) => Whence::Here,
            Some(_) => Whence::Elsewhere,
            None => Whence::Unsaid,
        }
    }
}

/// Where a request comes from, by the word of a browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whence {
    /// The site itself.
    Here,
    /// Any other.
    Elsewhere,
    /// Nothing says.
    Unsaid,
}

fn field(bytes: &[u8], name: &str) -> Option<String> {
    url::form_urlencoded::parse(bytes).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

const LARGEST_BODY: usize = 4 * 1024 * 1024;
