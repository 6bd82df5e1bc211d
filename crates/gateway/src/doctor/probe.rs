//! The doctor's hands: requests through the proxy, each on a connection of its own, and what the gateway tells of them.

use std::cell::Cell;
use std::io::{self, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use counterfoil::{Clock as _, SystemClock};
use counterfoil_core::origin::{Origin, OriginError};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::door::{Asked, Echoed, Recorded};
use super::examine::Options;
use super::http::Answer;
use super::key::{KeyFile, KeyFileError};
use super::ticket::{Ticket, Wish};
use super::{ECHO, RECORD};

/// The way to a site.
#[derive(Debug)]
pub(super) struct Probe {
    pub(super) origin: Origin,
    address: SocketAddr,
    tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
    key: KeyFile,
    next: Cell<u64>,
}

/// One request, and what is known of it.
#[derive(Debug)]
pub(super) struct Visit {
    pub(super) ticket: Ticket,
    pub(super) answer: io::Result<Answer>,
    /// What came the app's way, if it did.
    pub(super) echoed: Option<Echoed>,
    /// What the decision was asked.
    pub(super) asked: Vec<Asked>,
}

/// The examination cannot begin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProbeError {
    /// What was named is not a site.
    #[error("{0}: name the site as browsers do, such as https://wiki.example")]
    Site(String, #[source] OriginError),
    /// The name leads nowhere.
    #[error("{0}: no address is known; name one by --connect")]
    NoAddress(String, #[source] io::Error),
    /// The file with roots cannot be used.
    #[error("{0}: certificates in PEM are expected there")]
    Roots(PathBuf),
    /// The system's roots cannot be used.
    #[error("no root certificates of this system can be read; name a file by --ca")]
    NoRoots,
    /// TLS cannot be spoken with this host at all.
    #[error("TLS cannot be spoken with {0}")]
    Tls(String),
    /// The door cannot be opened.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// Nobody answers.
    #[error("{0} does not answer")]
    Silent(SocketAddr, #[source] io::Error),
    /// Somebody answers, but not our gateway.
    #[error("{0} does not answer as the gateway of this data folder: {1}")]
    NotOurs(String, &'static str),
}

impl Probe {
    pub(super) fn open(options: &Options) -> Result<Self, ProbeError> {
        let site = options.site.trim_end_matches('/');
        let origin = Origin::parse(site).map_err(|error| ProbeError::Site(options.site.clone(), error))?;
        let name = origin.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let found = || {
            let mut all = (name.as_str(), origin.port()).to_socket_addrs()?;
            all.next().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
        };
        let address = options.connect.map_or_else(found, Ok);
        let address = address.map_err(|error| ProbeError::NoAddress(name.clone(), error))?;
        let tls = if origin.is_https() {
            let server = ServerName::try_from(name.clone()).map_err(|_| ProbeError::Tls(name.clone()))?;
            Some((client(options, &name)?, server))
        } else {
            None
        };
        // No number twice, also not in the next examination: the gateway remembers.
        let first = SystemClock.now().unix_millis() * 1_000;
        Ok(Self { origin, address, tls, key: KeyFile::open(&options.data)?, next: Cell::new(first) })
    }

    /// `Host`, as browsers write it.
    pub(super) fn host(&self) -> &str {
        self.origin.as_str().split_once("://").map_or("", |(_, host)| host)
    }

    /// What the gateway knows of the site.
    pub(super) fn site(&self) -> Result<Recorded, ProbeError> {
        let ticket = self.ticket(Wish::Told);
        let answer = self.send(self.get(&self.target(RECORD, ticket), "").as_bytes());
        let answer = answer.map_err(|error| ProbeError::Silent(self.address, error))?;
        serde_json::from_slice(&answer.body).map_err(|_| ProbeError::NotOurs(self.origin.to_string(), NOT_OURS))
    }

    /// A plain visit to the echo, with these header lines.
    pub(super) fn visit(&self, wish: Wish, lines: &str) -> Visit {
        self.visit_with(wish, |echo| self.get(echo, lines))
    }

    /// A visit by whatever request is made of the echo's target.
    pub(super) fn visit_with(&self, wish: Wish, request: impl FnOnce(&str) -> String) -> Visit {
        let ticket = self.ticket(wish);
        let answer = self.send(request(&self.target(ECHO, ticket)).as_bytes());
        let echoed = answer.as_ref().ok().filter(|answer| answer.status == 200);
        let echoed = echoed.and_then(|answer| serde_json::from_slice(&answer.body).ok());
        let record = self.send(self.get(&self.target(RECORD, ticket), "").as_bytes());
        let record = record.ok().and_then(|answer| serde_json::from_slice::<Recorded>(&answer.body).ok());
        Visit { ticket, answer, echoed, asked: record.map(|record| record.asked).unwrap_or_default() }
    }

    /// A `GET` as it is sent. Each of `lines` ends itself.
    pub(super) fn get(&self, target: &str, lines: &str) -> String {
        format!("GET {target} HTTP/1.1\r\nHost: {}\r\n{lines}\r\n", self.host())
    }

    /// Sends these bytes, and reads the answer.
    pub(super) fn send(&self, request: &[u8]) -> io::Result<Answer> {
        let stream = TcpStream::connect_timeout(&self.address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        match &self.tls {
            None => exchange(stream, request),
            Some((config, name)) => {
                let client = ClientConnection::new(Arc::clone(config), name.clone()).map_err(io::Error::other)?;
                exchange(StreamOwned::new(client, stream), request)
            }
        }
    }

    fn ticket(&self, wish: Wish) -> Ticket {
        let number = self.next.get();
        self.next.set(number + 1);
        Ticket::new(number, wish, SystemClock.now())
    }

    fn target(&self, path: &str, ticket: Ticket) -> String {
        format!("{path}?ticket={}", ticket.signed(&self.key.key))
    }
}

impl Visit {
    /// The status that came back; 0 where nothing did.
    pub(super) fn status(&self) -> u16 {
        self.answer.as_ref().map_or(0, |answer| answer.status)
    }
}

/// A proxy may answer, and hang up, before it has heard everything.
fn exchange(mut stream: impl Read + Write, request: &[u8]) -> io::Result<Answer> {
    let sent = stream.write_all(request).and_then(|()| stream.flush());
    Answer::read(&mut BufReader::new(stream)).or_else(|error| sent.and(Err(error)))
}

fn client(options: &Options, name: &str) -> Result<Arc<ClientConfig>, ProbeError> {
    let mut roots = RootCertStore::empty();
    match &options.roots {
        Some(path) => {
            let certificates = CertificateDer::pem_file_iter(path).map_err(|_| ProbeError::Roots(path.clone()))?;
            for certificate in certificates.flatten() {
                roots.add(certificate).map_err(|_| ProbeError::Roots(path.clone()))?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if roots.is_empty() {
        return Err(options.roots.clone().map_or(ProbeError::NoRoots, ProbeError::Roots));
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|_| ProbeError::Tls(name.to_owned()))?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

const NOT_OURS: &str = "the proxy must send /.session/ to the public listener, the host must be one of an app's origins, and --data \
                        must be the running gateway's data folder";
/// Longer than a proxy waits for a decision.
const PATIENCE: Duration = Duration::from_secs(40);
