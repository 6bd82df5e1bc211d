//! Shared Signals that run: what others are told, what they may ask of us, and what they tell us.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use counterfoil_core::{Clock, Engine};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};
use tokio::sync::Semaphore;

use super::configured::SignalSettings;
use super::pen::NotABearer;
use super::poll::PollStream;
use super::push::PushStream;
use super::receive::{BadKeys, BadTransmitter, Code, Receiver, Refused};
use super::settings::BadStream;
use super::{Signer, Transactions, Writer, configuration};
use crate::client::{Client, EndpointError};
use crate::hub::Builder;
use crate::outlet::Outlet;
use crate::private_file::Unread;

/// What a program with a public listener answers there. Cheap to clone.
#[derive(Clone)]
pub struct Signals(Arc<Parts>);

struct Parts {
    issuer: String,
    polled: Vec<PollStream>,
    receiver: Option<Receiver>,
    /// How many tokens are dealt with at once.
    places: Semaphore,
}

/// Shared Signals cannot be as they are configured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignalsFailed {
    /// Nobody is told, and nobody is heard.
    #[error("names neither push, poll nor listen: nobody is told, and nobody is heard")]
    Nothing,
    /// Nobody could sign.
    #[error("push and poll want a key to sign with, and this program has none")]
    NoSigner,
    /// Logs, metrics and addresses tell them apart by their ids.
    #[error("two streams are called `{0}`")]
    SameStream(String),
    /// Which of the two would it be?
    #[error("listen: `{0}` stands there twice")]
    SameIssuer(String),
    /// Receivers could not find our keys.
    #[error(transparent)]
    Issuer(BadStream),
    /// A stream cannot be so.
    #[error("{table} `{id}`: {error}")]
    Stream {
        /// In which table.
        table: &'static str,
        /// Which.
        id: String,
        /// Why.
        error: BadStream,
    },
    /// A transmitter cannot be so.
    #[error("listen `{issuer}`: {error}")]
    Transmitter {
        /// Which.
        issuer: String,
        /// Why.
        error: BadTransmitter,
    },
    /// A transmitter's tokens could not be verified.
    #[error("listen `{0}`: exactly one of jwks_url and jwks_file says by which keys its tokens are verified")]
    WhichKeys(String),
    /// Its keys may not be fetched from there.
    #[error("listen `{issuer}`, jwks_url: {error}")]
    KeysUrl {
        /// Of which transmitter.
        issuer: String,
        /// Why.
        error: EndpointError,
    },
    /// Its keys are none.
    #[error("listen `{issuer}`, jwks_file: {}: {error}", file.display())]
    Keys {
        /// Of which transmitter.
        issuer: String,
        /// Which file.
        file: PathBuf,
        /// Why.
        error: BadKeys,
    },
    /// A file cannot be used.
    #[error("{table} `{name}`: {error}")]
    Unread {
        /// In which table.
        table: &'static str,
        /// Of whom.
        name: String,
        /// Why.
        error: Unread,
    },
    /// A file does not hold what somebody could show.
    #[error("{table} `{name}`, bearer_file: {}: {error}", file.display())]
    Bearer {
        /// In which table.
        table: &'static str,
        /// Of whom.
        name: String,
        /// Which file.
        file: PathBuf,
        /// Why.
        error: NotABearer,
    },
}

/// What is to be run besides, and added to whoever is told.
pub(crate) struct Started {
    pub(crate) signals: Signals,
    pub(crate) outlets: Vec<Outlet>,
    pub(crate) builder: Builder,
}

impl Signals {
    /// Begins to tell and to listen. `for_keys` fetches key sets, `client` brings tokens.
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    pub(crate) fn start(
        settings: &SignalSettings,
        builder: Builder,
        clock: &Arc<dyn Clock>,
        signer: Option<&Arc<dyn Signer>>,
        (client, for_keys): (&Client, &Client),
    ) -> Result<Started, SignalsFailed> {
        let (transactions, mut builder) = (Transactions::default(), builder);
        let (mut outlets, mut polled) = (Vec::new(), Vec::new());
        let writer = |stream| {
            let signer = Arc::clone(signer.ok_or(SignalsFailed::NoSigner)?);
            Ok::<_, SignalsFailed>(Writer::new(stream, signer, None).remembering(transactions.clone()))
        };
        for stream in &settings.push {
            let (stream, delivery) = stream.open(&settings.issuer)?;
            let (stream, sink, work) = PushStream::new(writer(stream)?, Arc::clone(clock), client.clone(), delivery);
            tokio::spawn(work);
            outlets.push(Outlet::push(stream));
            builder = builder.sink(sink);
        }
        for stream in &settings.poll {
            let (stream, bearer, limits) = stream.open(&settings.issuer)?;
            let (stream, sink) = PollStream::new(writer(stream)?, Arc::clone(clock), bearer, limits);
            outlets.push(Outlet::poll(stream.clone()));
            polled.push(stream);
            builder = builder.sink(sink);
        }
        let transmitters =
            settings.listen.iter().map(|listen| listen.open(for_keys)).collect::<Result<Vec<_>, SignalsFailed>>()?;
        let receiver = (!transmitters.is_empty())
            .then(|| Receiver::new(transmitters, Arc::clone(clock)).remembering(transactions.clone()));
        let places = Semaphore::new(MOST_AT_ONCE);
        let signals = Self(Arc::new(Parts { issuer: settings.issuer.clone(), polled, receiver, places }));
        Ok(Started { signals, outlets, builder })
    }

    /// Who we are to others.
    pub fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// What `GET /.well-known/ssf-configuration` answers, where our keys are at `jwks_path` of the issuer's host.
    pub fn configuration(&self, jwks_path: &str) -> Response<String> {
        let jwks_uri = format!("{}{jwks_path}", Self::origin_of(self.issuer()));
        let mut response = Response::new(configuration(self.issuer(), &jwks_uri).to_string());
        let fields = response.headers_mut();
        fields.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        fields.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
        response
    }

    /// Where receivers look for it, on the issuer's host.
    pub fn configuration_path(&self) -> String {
        Self::configuration_path_of(self.issuer())
    }

    /// Where the receivers of `issuer` look: with its path behind it (SSF 1.0, section 7.1).
    pub fn configuration_path_of(issuer: &str) -> String {
        let path = issuer.strip_prefix(Self::origin_of(issuer)).unwrap_or_default();
        format!("{CONFIGURATION}{}", path.trim_end_matches('/'))
    }

    /// An issuer without its path.
    pub fn origin_of(issuer: &str) -> &str {
        let host = issuer.find("://").map_or(0, |at| at + 3);
        let end = issuer.get(host..).and_then(|rest| rest.find('/')).map_or(issuer.len(), |at| host + at);
        issuer.get(..end).unwrap_or(issuer)
    }

    /// The answer to a POST by which a receiver comes for the tokens of stream `id`.
    pub async fn poll(&self, id: &str, headers: &HeaderMap, body: &[u8]) -> Response<String> {
        match self.0.polled.iter().find(|stream| stream.id() == id) {
            Some(stream) => stream.answer(headers, body).await,
            None => nothing(StatusCode::NOT_FOUND),
        }
    }

    /// Whether anybody is listened to.
    pub fn listens(&self) -> bool {
        self.0.receiver.is_some()
    }

    /// The answer to a POST by which somebody tells us something: the token is verified, what it says is done to the sessions of
    /// `engine`, and only then is it accepted. If this is dropped on the way, what was begun is done.
    pub async fn receive(&self, headers: &HeaderMap, body: &[u8], engine: Engine) -> Response<String> {
        let Some(listening) = &self.0.receiver else {
            return nothing(StatusCode::NOT_FOUND);
        };
        // Anybody may send what has to be verified.
        let Ok(_place) = self.0.places.try_acquire() else {
            let mut response = refuse(Code::NotNow.because("too many tokens at once"));
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
            return response;
        };
        let received = match listening.receive(headers, body).await {
            Ok(Some(received)) => received,
            Ok(None) => return Receiver::accepted(),
            Err(refused) => return refuse(refused),
        };
        let (issuer, jti) = (Arc::clone(&received.issuer), received.jti.clone());
        // A transmitter that hangs up does not leave it half told.
        let acting = tokio::spawn(async move { received.act(&engine).await });
        match acting.await {
            Ok(Ok(acted)) => {
                tracing::info!(rule = "set", %issuer, jti = printable(&jti), ?acted, "a security event token was dealt with");
                Receiver::accepted()
            }
            Ok(Err(error)) => {
                tracing::warn!(rule = "set", %issuer, %error, "a security event token waits: the store does not answer");
                refuse(Code::NotNow.because("it cannot be dealt with now"))
            }
            Err(_) => refuse(Code::NotNow.because("it cannot be dealt with now")),
        }
    }
}

/// Says why where the operator can do something about it: who is not configured is not logged, for anybody may be that.
fn refuse(refused: Refused) -> Response<String> {
    if matches!(refused.code, Code::AccessDenied | Code::InvalidAudience | Code::InvalidKey) {
        tracing::warn!(rule = "set", code = %refused.code, why = refused.why, "a security event token was refused");
    }
    let mut response = refused.response();
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn nothing(status: StatusCode) -> Response<String> {
    let mut response = Response::new(String::new());
    *response.status_mut() = status;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A transmitter's own words in our log.
fn printable(jti: &str) -> String {
    jti.chars().take(64).map(|c| if c.is_ascii_graphic() { c } else { '?' }).collect()
}

impl fmt::Debug for Signals {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Parts { issuer, polled, receiver, .. } = &*self.0;
        out.debug_struct("Signals")
            .field("issuer", issuer)
            .field("polled", polled)
            .field("receiver", receiver)
            .finish_non_exhaustive()
    }
}

/// Where receivers find what they need to know (SSF 1.0, section 7.1).
const CONFIGURATION: &str = "/.well-known/ssf-configuration";
/// Each may wait for the transmitter's keys, or for the store.
const MOST_AT_ONCE: usize = 32;

#[cfg(test)]
mod tests;
