//! Requests as they are written here, and the cookies that come of them. Knows of redirects and nothing else.

use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use url::Url;

/// Somebody with a jar of cookies.
#[derive(Debug, Clone)]
pub(crate) struct Browser {
    port: u16,
    pub(crate) jar: BTreeMap<String, String>,
    /// Of those that are not for the whole site.
    paths: BTreeMap<String, String>,
    pub(crate) agent: &'static str,
}

/// What is sent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Body,
}

/// What it carries.
#[derive(Debug, Clone, Default)]
pub(crate) enum Body {
    #[default]
    Nothing,
    Form(Vec<(String, String)>),
    Multipart(Vec<(String, String)>),
    Raw(&'static str, String),
}

/// What comes back.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) location: Option<String>,
    pub(crate) text: String,
    /// Path and query that answered, after redirects.
    pub(crate) at: String,
}

impl Browser {
    pub(crate) const fn new(port: u16) -> Self {
        Self { port, jar: BTreeMap::new(), paths: BTreeMap::new(), agent: "audit-apps" }
    }

    /// The same jar with nothing in it but these.
    pub(crate) fn only(&self, names: &[String]) -> Self {
        let jar = self.jar.iter().filter(|(name, _)| names.contains(name));
        Self { jar: jar.map(|(name, value)| (name.clone(), value.clone())).collect(), ..self.clone() }
    }

    pub(crate) fn get(&mut self, target: &str) -> io::Result<Answer> {
        self.send(&Request { method: "GET".to_owned(), target: target.to_owned(), ..Request::default() })
    }

    /// A page, wherever it leads within the site.
    pub(crate) fn open(&mut self, target: &str) -> io::Result<Answer> {
        let answer = self.get(target)?;
        self.follow(answer)
    }

    pub(crate) fn follow(&mut self, mut answer: Answer) -> io::Result<Answer> {
        let origin = format!("http://127.0.0.1:{}", self.port);
        for _ in 0..8 {
            let base = Url::parse(&origin).and_then(|site| site.join(&answer.at));
            let next = answer.location.as_ref().and_then(|to| base.ok()?.join(to).ok());
            let Some(next) = next.filter(|next| next.as_str().starts_with(&origin)) else { break };
            answer = self.get(&target_of(&next))?;
        }
        Ok(answer)
    }

    /// As it is, without following anything. Cookies are kept.
    pub(crate) fn send(&mut self, request: &Request) -> io::Result<Answer> {
        let (kind, body) = request.body.encoded();
        // The old version: an answer ends where the connection does.
        let mut head = format!(
            "{} {} HTTP/1.0\r\nHost: 127.0.0.1:{}\r\nUser-Agent: {}\r\nAccept: text/html,*/*;q=0.8\r\n",
            request.method, request.target, self.port, self.agent
        );
        let goes = |name: &String| self.paths.get(name).is_none_or(|path| request.target.starts_with(path));
        let jar = self.jar.iter().filter(|(name, _)| goes(name));
        let jar: Vec<_> = jar.map(|(name, value)| format!("{name}={value}")).collect();
        if !jar.is_empty() {
            head.extend(["Cookie: ", &jar.join("; "), "\r\n"]);
        }
        if let Some(kind) = kind {
            head.extend(["Content-Type: ", &kind, "\r\nContent-Length: ", &body.len().to_string(), "\r\n"]);
        } else if request.method != "GET" {
            head.push_str("Content-Length: 0\r\n");
        }
        for (name, value) in &request.headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        head.push_str("\r\n");
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(head.as_bytes())?;
        stream.write_all(body.as_bytes())?;
        let mut bytes = Vec::new();
        read_answer(&mut stream, &mut bytes)?;
        let answer = Answer::read(&bytes, request.target.clone())?;
        self.keep(&bytes);
        Ok(answer)
    }

    fn keep(&mut self, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        let head = text.split("\r\n\r\n").next().unwrap_or_default();
        for line in head.lines() {
            let Some((field, line)) = line.split_once(':') else { continue };
            if !field.eq_ignore_ascii_case("set-cookie") {
                continue;
            }
            let mut parts = line.split(';').map(str::trim);
            let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else { continue };
            let attributes: Vec<_> = parts.map(str::to_ascii_lowercase).collect();
            let over = |one: &String| {
                let past = one.starts_with("expires=") && PAST.iter().any(|year| one.contains(year));
                one.strip_prefix("max-age=").is_some_and(|age| age == "0" || age.starts_with('-')) || past
            };
            if value.is_empty() || value == "deleted" || attributes.iter().any(over) {
                self.jar.remove(name);
            } else {
                let path = attributes.iter().find_map(|one| one.strip_prefix("path="));
                self.paths.insert(name.to_owned(), path.unwrap_or("/").to_owned());
                self.jar.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

impl Answer {
    fn read(bytes: &[u8], at: String) -> io::Result<Self> {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|word| word.get(..3)?.parse().ok());
        let status = status.ok_or_else(|| io::Error::other(format!("{at}: no answer, but {head:?}")))?;
        let field = |name: &str| {
            let mut lines = head.lines().filter_map(|line| line.split_once(':'));
            lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned())
        };
        Ok(Self { status, location: field("location"), text: body.to_owned(), at })
    }
}

impl Body {
    pub(crate) fn encoded(&self) -> (Option<String>, String) {
        match self {
            Self::Nothing => (None, String::new()),
            Self::Form(fields) => (Some(URLENCODED.to_owned()), urlencoded(fields)),
            Self::Multipart(fields) => {
                let part = |(name, value): &(String, String)| {
                    format!("--{EDGE}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
                };
                let parts: String = fields.iter().map(part).collect();
                (Some(format!("multipart/form-data; boundary={EDGE}")), format!("{parts}--{EDGE}--\r\n"))
            }
            Self::Raw(kind, text) => (Some((*kind).to_owned()), text.clone()),
        }
    }
}

pub(crate) fn urlencoded(fields: &[(String, String)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// Path and query.
pub(crate) fn target_of(url: &Url) -> String {
    url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()))
}

/// Until it is as long as it says, or the other side is done.
fn read_answer(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> io::Result<()> {
    let mut part = [0_u8; 16 * 1024];
    loop {
        let count = match stream.read(&mut part) {
            Ok(count) => count,
            // Some servers end a connection that way which they have answered.
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset && !bytes.is_empty() => return Ok(()),
            Err(error) => return Err(error),
        };
        bytes.extend(part.get(..count).unwrap_or_default());
        let text = String::from_utf8_lossy(bytes);
        let whole = text.split_once("\r\n\r\n").is_some_and(|(head, _)| {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
            });
            length.is_some_and(|length| bytes.len() >= head.len() + 4 + length)
        });
        if count == 0 || whole {
            return Ok(());
        }
    }
}

const URLENCODED: &str = "application/x-www-form-urlencoded";
const EDGE: &str = "audit-apps-edge";
const PATIENCE: Duration = Duration::from_secs(20);
/// Of dates that mean "forget it".
const PAST: [&str; 3] = ["1970", "1980", "01-jan-70"];
