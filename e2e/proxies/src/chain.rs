//! A chain: a real proxy with its generated configuration, and behind it an app, a decision endpoint and our pages.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::http2;
use counterfoil_proxies::kind::{Kind, LOG};
use counterfoil_proxies::process::Process;
use counterfoil_proxies::server::{Answer, Says, Server};
use counterfoil_proxies::site::{HOST, RULES, Site, free_port};
use counterfoil_proxies::tls::Tls;
use counterfoil_proxies::verdict::Failure;
use counterfoil_proxies::wire::{Message, exchange};

/// All of it, until it is dropped.
#[derive(Debug)]
pub(crate) struct Chain {
    pub(crate) kind: Kind,
    counterfoil: PathBuf,
    /// Where browsers find the app: `app.localhost:4711`.
    pub(crate) host: String,
    pub(crate) app: Server,
    pub(crate) decision: Server,
    pub(crate) pages: Server,
    address: SocketAddr,
    tls: Option<Tls>,
    proxy: Process,
    folder: TempDir,
}

/// What one request came to, everywhere.
#[derive(Debug)]
pub(crate) struct Seen {
    /// What the browser got; the reason where it got nothing.
    pub(crate) answer: io::Result<Message>,
    /// What the decision endpoint was asked.
    pub(crate) asked: Vec<Message>,
    /// What the app received.
    pub(crate) app: Vec<Message>,
    /// What our pages received.
    pub(crate) pages: Vec<Message>,
}

impl Chain {
    /// Starts a proxy between servers of its own.
    ///
    /// # Errors
    /// If the gateway writes no configuration, or the proxy does not start with it.
    pub(crate) fn start(kind: Kind, counterfoil: &Path) -> Result<Self, Failure> {
        Self::open(kind, counterfoil, "one", None)
    }

    /// Starts the same proxy once more, for an app whose answers bring no cookies of ours.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub(crate) fn without_cookies(&self) -> Result<Self, Failure> {
        Self::open(self.kind, &self.counterfoil, "none", None)
    }

    /// The same over https.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub(crate) fn over_https(&self) -> Result<Self, Failure> {
        Self::open(self.kind, &self.counterfoil, "one", Some(Tls::new(HOST)?))
    }

    fn open(kind: Kind, counterfoil: &Path, cookie_return: &str, tls: Option<Tls>) -> Result<Self, Failure> {
        let app = Server::open(Says::Answer(app_says()))?;
        let decision = Server::open(Says::Answer(allowed(kind)))?;
        let pages = Server::open(Says::Answer(Answer::new(200).saying("a page of ours")))?;
        let folder = tempfile::tempdir()?;
        let port = free_port()?;
        let host = format!("{HOST}:{port}");
        let site = Site {
            kind,
            origin: format!("{}://{host}", if tls.is_some() { "https" } else { "http" }),
            upstream: app.address,
            public: pages.address,
            decision: decision.address,
            cookie_return,
            rules: RULES,
        };
        let pem = tls.as_ref().map(|tls| tls.write(folder.path())).transpose()?;
        site.configure(counterfoil, folder.path(), pem.as_deref())?;
        let proxy = Process::start(kind.command(folder.path())?, kind.program())?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let counterfoil = counterfoil.to_owned();
        let mut chain = Self { kind, counterfoil, host, app, decision, pages, address, tls, proxy, folder };
        chain.wait()?;
        Ok(chain)
    }

    /// Until a page of ours comes through.
    fn wait(&mut self) -> Result<(), Failure> {
        let end = Instant::now() + START;
        while Instant::now() < end {
            let seen = self.ask(format!("GET /.session/ready HTTP/1.1\r\nHost: {}\r\n\r\n", self.host));
            if seen.answer.is_ok_and(|answer| answer.status() == 200 && answer.body == b"a page of ours") {
                return Ok(());
            }
            if self.proxy.has_ended()? {
                break;
            }
            thread::sleep(Duration::from_millis(50));
        }
        Err(Failure::NotReady { program: self.kind.name(), said: self.printed() })
    }

    /// The end of what the proxy printed.
    pub(crate) fn printed(&self) -> String {
        let read = |name| fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
        let text = read(LOG) + &read("error.log");
        let from = text.len().saturating_sub(2_000);
        text.get(from..).unwrap_or(&text).to_owned()
    }

    /// Sends these bytes on a connection of their own, and looks everywhere.
    pub(crate) fn ask(&self, request: impl AsRef<[u8]>) -> Seen {
        let answer = self.connect().and_then(|stream| match &self.tls {
            Some(tls) => tls.exchange(stream, request.as_ref()),
            None => exchange(&stream, request.as_ref()),
        });
        self.seen(answer)
    }

    /// A `GET` for this target, with these header lines.
    pub(crate) fn get(&self, target: &str, lines: &str) -> Seen {
        self.ask(self.request("GET", target, lines))
    }

    /// A request as it is sent, without a body. Each of `lines` ends itself.
    pub(crate) fn request(&self, method: &str, target: &str, lines: &str) -> String {
        format!("{method} {target} HTTP/1.1\r\nHost: {}\r\n{lines}\r\n", self.host)
    }

    /// A request in HTTP/2, over https alone; its fields are sent as they are. Says nothing of the answer but that there is
    /// one.
    pub(crate) fn ask_in_http2(&self, fields: &[(&str, &str)]) -> Seen {
        let tls = self.tls.as_ref().ok_or(io::ErrorKind::Unsupported.into());
        let answer = tls.and_then(|tls| http2::ask(&mut tls.connect(self.connect()?, Some("h2"))?, fields));
        self.seen(answer.map(|()| Message::default()))
    }

    /// A connection of its own.
    pub(crate) fn connect(&self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect_timeout(&self.address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// What all servers heard since they were last asked, beside this answer.
    pub(crate) fn seen(&self, answer: io::Result<Message>) -> Seen {
        Seen { answer, asked: self.decision.heard(), app: self.app.heard(), pages: self.pages.heard() }
    }

    /// The decision endpoint answers this from now on.
    pub(crate) fn decide(&self, answer: Answer) {
        self.decision.says(Says::Answer(answer));
    }

    /// Back to how the chain began; what was heard is forgotten.
    pub(crate) fn reset(&self) {
        self.decide(allowed(self.kind));
        self.app.says(Says::Answer(app_says()));
        drop(self.seen(Err(io::ErrorKind::Other.into())));
    }
}

impl Seen {
    /// The status the browser got; 0 where it got no answer.
    pub(crate) fn status(&self) -> u16 {
        self.answer.as_ref().map_or(0, Message::status)
    }

    /// The values under a name in the answer.
    pub(crate) fn answered(&self, name: &str) -> Vec<&str> {
        self.answer.as_ref().map(|answer| answer.all(name)).unwrap_or_default()
    }
}

/// What a decision that allows says, unless a case says otherwise.
pub(crate) fn allowed(kind: Kind) -> Answer {
    Answer::new(kind.allowed())
        .with("Cache-Control", "no-store")
        .with("Counterfoil-Assertion", "an-assertion")
        .with("Counterfoil-Subject", "ada")
        .with("Counterfoil-Session", "ses_1")
        .with("Counterfoil-Assurance", "authenticated")
        .with("Counterfoil-Auth-Time", "1795000000")
        .with("Cookie", "theme=dark")
}

/// The same for nobody: every header there, and empty.
pub(crate) fn allowed_for_nobody(kind: Kind) -> Answer {
    let told = OWNED.iter().fold(Answer::new(kind.allowed()), |answer, name| answer.with(name, ""));
    told.with("Cookie", "").with("Cache-Control", "no-store")
}

fn app_says() -> Answer {
    Answer::new(200).with("Content-Type", "text/plain").saying("the app")
}

/// What only the gateway says to the app.
pub(crate) const OWNED: [&str; 5] = [
    "Counterfoil-Assertion",
    "Counterfoil-Subject",
    "Counterfoil-Session",
    "Counterfoil-Assurance",
    "Counterfoil-Auth-Time",
];

const START: Duration = Duration::from_secs(30);
/// Longer than any proxy waits for a decision.
const PATIENCE: Duration = Duration::from_secs(45);
