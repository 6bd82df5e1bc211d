//! One connection to a site, used for one request after another.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use bytes::{Bytes, BytesMut};
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use url::{Origin, Url};

use super::head::{self, Fields};
use super::record::{Record, Recorded};
use super::tls::Trust;
use super::{WireError, host};
use crate::exchange::Sent;

/// Anything HTTP can be spoken over.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// A connection on which nothing was said yet.
pub(super) struct Opened(pub(super) Box<dyn Stream>);

/// A connection between two requests.
pub(super) struct Idle {
    origin: Origin,
    state: State,
    record: Record,
}

enum State {
    New(Option<Box<dyn Stream>>),
    Speaking(SendRequest<Full<Bytes>>),
}

/// An answer as it was read.
pub(super) struct Read {
    pub(super) status: u16,
    pub(super) headers: Fields,
    pub(super) body: Bytes,
    pub(super) cut: bool,
    pub(super) reusable: bool,
}

impl Opened {
    pub(super) async fn to(url: &Url, trust: &Trust) -> Result<Self, WireError> {
        let (name, port) = (url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(80));
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        // RFC 6761, 6.3: this machine, whatever the resolver knows. Our own tests need one more name that is.
        let tcp = if bare.ends_with(".localhost") || (cfg!(test) && bare == "app.test") {
            let both = [(Ipv4Addr::LOCALHOST, port).into(), (Ipv6Addr::LOCALHOST, port).into()];
            TcpStream::connect::<&[SocketAddr]>(&both).await
        } else {
            TcpStream::connect((bare, port)).await
        };
        let tcp = tcp.map_err(|cause| WireError::Connect { host: host(url), cause })?;
        // A failure here costs speed alone.
        let _ = tcp.set_nodelay(true);
        if url.scheme() == "https" {
            let tls = trust.over(tcp, name).await.map_err(|cause| WireError::Tls { host: host(url), cause })?;
            Ok(Self(Box::new(tls)))
        } else {
            Ok(Self(Box::new(tcp)))
        }
    }
}

impl Idle {
    pub(super) fn of(origin: Origin, opened: Opened) -> Self {
        Self { origin, state: State::New(Some(opened.0)), record: Record::default() }
    }

    pub(super) fn leads_to(&self, origin: &Origin) -> bool {
        self.origin == *origin
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(&self.state, State::Speaking(sender) if !sender.is_closed())
    }

    /// Sends and reads; what is wrong is said in words, since nobody can do anything else about it.
    pub(super) async fn ask(&mut self, sent: &Sent, most: usize) -> Result<Read, String> {
        self.record.clear();
        let request = written(sent)?;
        let sender = self.sender().await?;
        sender.ready().await.map_err(|error| told(&error))?;
        let response = sender.send_request(request).await.map_err(|error| told(&error))?;
        let status = response.status().as_u16();
        let mut headers = head::fields(&self.record.bytes());
        if headers.is_empty() {
            // Read in pieces that were dropped: then what the library kept.
            let kept = response.headers().iter();
            headers = kept.map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
        }
        let (body, cut, whole) = collect(response.into_body(), most).await;
        Ok(Read { status, headers, body, cut, reusable: whole && !cut })
    }

    async fn sender(&mut self) -> Result<&mut SendRequest<Full<Bytes>>, String> {
        if let State::New(stream) = &mut self.state {
            let stream = stream.take().ok_or("the connection failed before")?;
            let (stream, record) = Recorded::new(stream);
            let mut builder = Builder::new();
            builder
                .max_headers(5_000)
                .max_buf_size(8 << 20)
                .ignore_invalid_headers_in_responses(true)
                .allow_obsolete_multiline_headers_in_responses(true)
                .allow_spaces_after_header_name_in_responses(true);
            let (sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(|error| told(&error))?;
            tokio::spawn(connection);
            self.record = record;
            self.state = State::Speaking(sender);
        }
        match &mut self.state {
            State::Speaking(sender) => Ok(sender),
            State::New(_) => Err("the connection failed before".to_owned()),
        }
    }
}

/// What is read of a body, whether there is more, and whether it came to its end.
async fn collect(mut body: Incoming, most: usize) -> (Bytes, bool, bool) {
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return (read.freeze(), true, false) };
        if let Some(data) = frame.data_ref() {
            let room = most.saturating_sub(read.len());
            if data.len() > room {
                read.extend_from_slice(data.get(..room).unwrap_or_default());
                return (read.freeze(), true, false);
            }
            read.extend_from_slice(data);
        }
    }
    (read.freeze(), false, true)
}

fn written(sent: &Sent) -> Result<Request<Full<Bytes>>, String> {
    let target = match sent.url.query() {
        Some(query) => format!("{}?{query}", sent.url.path()),
        None => sent.url.path().to_owned(),
    };
    let mut request = Request::builder().method(sent.method.clone()).uri(target);
    for (name, value) in &sent.headers {
        request = request.header(name.as_str(), value.as_bytes());
    }
    request.body(Full::new(sent.body.clone())).map_err(|error| error.to_string())
}

/// With its causes: the library's own words name only the first.
fn told(error: &hyper::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(one) = cause {
        text = format!("{text}: {one}");
        cause = one.source();
    }
    text
}
