//! A house: the gateway itself behind a real proxy with its generated configuration, before an app.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::kind::{Kind, LOG};
use crate::process::{Process, listening};
use crate::site::{self, FILE, HOST, Site, free_port};
use crate::tls::Tls;
use crate::verdict::Failure;
use crate::wire::{Message, exchange};

/// What to build.
#[derive(Debug, Clone, Copy)]
pub struct Plan<'a> {
    /// The proxy.
    pub kind: Kind,
    /// The `counterfoil` binary.
    pub counterfoil: &'a Path,
    /// How browsers come to it.
    pub over: Over<'a>,
    /// Where the app is, or will be.
    pub upstream: SocketAddr,
    /// As in [`Site::rules`].
    pub rules: &'a str,
    /// Whose accounts there are.
    pub people: &'a [&'a str],
}

/// How browsers come to a house.
#[derive(Debug, Clone, Copy)]
pub enum Over<'a> {
    /// In the clear, on loopback.
    Http,
    /// With this certificate, which is for [`HOST`].
    Https(&'a Tls),
}

/// The gateway, running; [`proxy`](Self::proxy) opens its door. Dropping it ends it and forgets its folder.
#[derive(Debug)]
pub struct House {
    /// The proxy's kind.
    pub kind: Kind,
    /// Where browsers find it: `https://app.localhost:4711`.
    pub origin: String,
    /// `Host`, as browsers write it: `app.localhost:4711`.
    pub host: String,
    /// Where the proxy listens.
    pub address: SocketAddr,
    /// Where the gateway listens for browsers, behind the proxy; apps read the keys of assertions there.
    pub public: SocketAddr,
    counterfoil: PathBuf,
    folder: TempDir,
    tls: Option<Tls>,
    passwords: Vec<(String, String)>,
    _gateway: Process,
}

impl House {
    /// Has the gateway write its proxy's configuration, makes accounts, and starts the gateway.
    ///
    /// # Errors
    /// What could not be written or started.
    pub fn open(plan: Plan<'_>) -> Result<Self, Failure> {
        let Plan { kind, counterfoil, over, upstream, rules, people } = plan;
        let (folder, port) = (tempfile::tempdir()?, free_port()?);
        let host = format!("{HOST}:{port}");
        let (scheme, tls) = match over {
            Over::Http => ("http", None),
            Over::Https(tls) => ("https", Some(tls.clone())),
        };
        let origin = format!("{scheme}://{host}");
        let (public, decision) = (at(free_port()?), at(free_port()?));
        let site = Site { kind, origin: origin.clone(), upstream, public, decision, cookie_return: "one", rules };
        let pem = tls.as_ref().map(|tls| tls.write(folder.path())).transpose()?;
        site.configure(counterfoil, folder.path(), pem.as_deref())?;
        let account = |name: &&str| Ok(((*name).to_owned(), site::account(counterfoil, folder.path(), name)?));
        let passwords = people.iter().map(account).collect::<Result<_, Failure>>()?;
        let gateway = serve(counterfoil, folder.path(), decision)?;
        let (counterfoil, address) = (counterfoil.to_owned(), at(port));
        Ok(Self { kind, origin, host, address, public, counterfoil, folder, tls, passwords, _gateway: gateway })
    }

    /// Starts the proxy with what lies in the folder.
    ///
    /// # Errors
    /// If it does not start with that.
    pub fn proxy(&self) -> Result<Process, Failure> {
        let mut proxy = Process::start(self.kind.command(self.folder())?, self.kind.program())?;
        listening(self.address, &mut proxy, self.kind.name(), || self.printed())?;
        Ok(proxy)
    }

    /// Starts the proxy, and waits until a page of ours comes through: a port may be open before the routes behind it are
    /// known.
    ///
    /// # Errors
    /// As [`proxy`](Self::proxy), or if none ever comes.
    pub fn ready(&self) -> Result<Process, Failure> {
        let (proxy, end) = (self.proxy()?, Instant::now() + START);
        let request = format!("GET /.session/login HTTP/1.1\r\nHost: {}\r\nAccept: text/html\r\n\r\n", self.host);
        while Instant::now() < end {
            if self.ask(request.as_bytes()).is_ok_and(|answer| answer.status() == 200) {
                return Ok(proxy);
            }
            thread::sleep(Duration::from_millis(50));
        }
        Err(Failure::NotReady { program: self.kind.name(), said: self.printed() })
    }

    /// Sends these bytes to the proxy, on a connection of their own.
    ///
    /// # Errors
    /// What went wrong on the way.
    pub fn ask(&self, request: &[u8]) -> io::Result<Message> {
        let stream = TcpStream::connect_timeout(&self.address, START)?;
        stream.set_read_timeout(Some(START))?;
        match &self.tls {
            Some(tls) => tls.exchange(stream, request),
            None => exchange(&stream, request),
        }
    }

    /// Somebody's password; empty where there is no such account.
    pub fn password(&self, name: &str) -> &str {
        self.passwords.iter().find(|(other, _)| other == name).map_or("", |(_, password)| password)
    }

    /// What was written and logged; the gateway's own state is in `data`.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A command of the gateway's, run in the folder.
    pub fn command(&self) -> Command {
        site::command(&self.counterfoil, self.folder())
    }

    /// The end of what proxy and gateway printed.
    pub fn printed(&self) -> String {
        let read = |name| fs::read_to_string(self.folder().join(name)).unwrap_or_default();
        let text = read(LOG) + &read("error.log") + &read(GATEWAY_LOG);
        let from = text.len().saturating_sub(4_000);
        text.get(from..).unwrap_or(&text).to_owned()
    }
}

/// Starts the gateway on the configuration in `folder`, and waits until it takes decisions.
///
/// # Errors
/// [`Failure::NotReady`] with what it printed.
pub fn serve(counterfoil: &Path, folder: &Path, decision: SocketAddr) -> Result<Process, Failure> {
    let log = fs::File::create(folder.join(GATEWAY_LOG))?;
    let mut serve = site::command(counterfoil, folder);
    serve.args(["serve", "--config", FILE]).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    let mut gateway = Process::start(serve, counterfoil.to_owned())?;
    let printed = || fs::read_to_string(folder.join(GATEWAY_LOG)).unwrap_or_default();
    listening(decision, &mut gateway, "counterfoil", printed)?;
    Ok(gateway)
}

/// This port of loopback.
pub fn at(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// What the gateway printed, in its folder.
pub const GATEWAY_LOG: &str = "gateway.log";
const START: Duration = Duration::from_secs(30);
