//! Tokens that others push to us (RFC 8935): from whom they are taken, what is refused, and with which of the RFC's codes.

use std::fmt;
use std::sync::Arc;

use counterfoil_core::{Clock, Moment};
use http::header::{CONTENT_LANGUAGE, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};
use serde_json::json;

use super::Transactions;
use super::pen::Bearer;
use crate::told::EventId;

mod act;
mod claims;
mod keys;
mod meaning;
mod memory;
mod settings;

use self::claims::{Claims, Envelope};
use self::memory::{Memory, Name};

pub use self::act::Acted;
pub use self::keys::{BadKeys, Keys};
pub use self::meaning::{About, SessionName, UserName, What};
pub use self::settings::{BadTransmitter, KnownBy, Transmitter, TransmitterSettings};

/// Takes tokens from transmitters that are configured, and from nobody else.
///
/// # Security
/// Whom a signal concerns is decided by the transmitter's signature, never by what a token brings along: keys in its header are
/// not looked at, and only four algorithms are allowed. A token is good for one transmitter and one audience, for as long as it
/// is not older than the transmitter's limit, and once.
pub struct Receiver {
    transmitters: Vec<Transmitter>,
    clock: Arc<dyn Clock>,
    memory: Arc<Memory>,
    transactions: Transactions,
}

/// What somebody told us, verified.
#[derive(Debug)]
pub struct Received {
    /// Who: the transmitter's `iss`.
    pub issuer: Arc<str>,
    /// The token's id.
    pub jti: String,
    /// Whom it is about. Without any name, nobody whom we know.
    pub about: About,
    /// What happened.
    pub what: What,
    /// The event with which it began, where that was one of a Counterfoil.
    pub txn: Option<EventId>,
    name: Name,
    memory: Arc<Memory>,
    /// Until when the same token would be taken again.
    until: Moment,
}

/// A token was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Refused {
    /// The code of RFC 8935, section 2.4.
    pub code: Code,
    /// What is wrong, without anything that the token says.
    pub why: &'static str,
}

/// Why a token was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Code {
    /// It is no Security Event Token, or none as Shared Signals want it.
    InvalidRequest,
    /// It is signed by a key or in a way that is not accepted.
    InvalidKey,
    /// Nobody whom we listen to made it.
    InvalidIssuer,
    /// It is for somebody else.
    InvalidAudience,
    /// It is not from whom it says.
    AuthenticationFailed,
    /// Who made it may not tell us this.
    AccessDenied,
    /// Whether it is genuine cannot be told now: the transmitter's keys are not at hand. It is to be sent again.
    NotNow,
}

impl Receiver {
    /// The largest request that is read.
    pub const MOST_BYTES: usize = 64 * 1024;

    /// Listens to these.
    pub fn new(transmitters: Vec<Transmitter>, clock: Arc<dyn Clock>) -> Self {
        Self { transmitters, clock, memory: Arc::default(), transactions: Transactions::default() }
    }

    /// Takes nothing for news that `transactions` know from elsewhere: what our own streams told, and what others told before.
    #[must_use]
    pub fn remembering(self, transactions: Transactions) -> Self {
        Self { transactions, ..self }
    }

    /// Verifies what was posted. `None` if it was dealt with before: it is accepted, and nothing is done again.
    ///
    /// # Errors
    /// [`Refused`]: nothing may be done because of it; [`Refused::response`] is the answer.
    pub async fn receive(&self, headers: &HeaderMap, body: &[u8]) -> Result<Option<Received>, Refused> {
        if body.len() > Self::MOST_BYTES || !is_a_token(headers) {
            return Err(Code::InvalidRequest.because("the body is not an application/secevent+jwt of 64 kB at most"));
        }
        let envelope = Envelope::open(body)?;
        let issuer = envelope.issuer()?;
        let Some(transmitter) = self.transmitters.iter().find(|one| *one.issuer == *issuer) else {
            return Err(Code::InvalidIssuer.because("this issuer is not listened to"));
        };
        if !transmitter.bearer.as_ref().is_none_or(|bearer: &Bearer| bearer.is_shown(headers)) {
            return Err(Code::AuthenticationFailed.because("the bearer token is not that of this transmitter"));
        }
        let now = self.clock.now();
        transmitter.keys.verify(&envelope, now).await?;
        self.read(transmitter, &envelope.claims()?, now)
    }

    /// Of a token whose signature is good.
    fn read(&self, transmitter: &Transmitter, claims: &Claims, now: Moment) -> Result<Option<Received>, Refused> {
        claims.check(&transmitter.audience, transmitter.oldest, now)?;
        let (uri, body) = claims.event()?;
        let what = What::of(uri, body)?;
        let about = About::of(claims.subject.as_ref(), what.wants_a_subject())?;
        if !transmitter.may_say(&what) {
            return Err(Code::AccessDenied.because("this transmitter is not listened to for this type of event"));
        }
        let name = Name::of(&transmitter.issuer, &claims.jti);
        if !transmitter.may_speak_of(&about) {
            return Err(Code::AccessDenied.because("this transmitter is not listened to about whom it calls so"));
        }
        let (issuer, jti) = (Arc::clone(&transmitter.issuer), claims.jti.clone());
        let txn = claims.txn.as_deref().and_then(|txn| txn.parse().ok());
        // Asked last: what is refused has told nobody of anything.
        if self.memory.knows(name, now) || !txn.is_none_or(|txn| self.transactions.is_news(txn, &issuer)) {
            return Ok(None);
        }
        let until = now + transmitter.oldest + claims::SKEW;
        Ok(Some(Received { issuer, jti, about, what, txn, name, memory: Arc::clone(&self.memory), until }))
    }

    /// The answer to what was accepted: 202, without a body.
    pub fn accepted() -> Response<String> {
        let mut response = Response::new(String::new());
        *response.status_mut() = StatusCode::ACCEPTED;
        response
    }
}

impl Received {
    /// It was dealt with: the same token, sent again, is accepted and ignored. Without this it counts as new, so that the
    /// transmitter may try again when we failed.
    pub fn is_done(self) {
        self.memory.remember(self.name, self.until);
    }
}

impl Code {
    pub(crate) const fn because(self, why: &'static str) -> Refused {
        Refused { code: self, why }
    }

    /// Its name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidKey => "invalid_key",
            Self::InvalidIssuer => "invalid_issuer",
            Self::InvalidAudience => "invalid_audience",
            Self::AuthenticationFailed => "authentication_failed",
            Self::AccessDenied => "access_denied",
            Self::NotNow => "temporarily_unavailable",
        }
    }
}

impl Refused {
    /// The answer: 400 and the code, or 503 where it is to be sent again.
    pub fn response(&self) -> Response<String> {
        let mut response = Response::new(json!({ "err": self.code.as_str(), "description": self.why }).to_string());
        let fields = response.headers_mut();
        fields.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        fields.insert(CONTENT_LANGUAGE, HeaderValue::from_static("en"));
        if self.code == Code::NotNow {
            fields.insert(RETRY_AFTER, HeaderValue::from_static("60"));
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        } else {
            *response.status_mut() = StatusCode::BAD_REQUEST;
        }
        response
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Receiver")
            .field("transmitters", &self.transmitters)
            .field("memory", &self.memory)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Code {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// Whether the content type is that of RFC 8935, section 2.1. It has no parameters.
fn is_a_token(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"application/secevent+jwt"))
}

#[cfg(test)]
mod tests;
