//! Security Event Tokens (RFC 8417): what of our events others are told by Shared Signals, and how it is written down.
//!
//! [`Writer::write`] makes a signed token of an event, if the event says something to others: OpenID Shared Signals
//! Framework 1.0, with the event types of CAEP 1.0 and RISC 1.0. Which event becomes what is one table, [`says`].

use std::fmt;
use std::sync::Arc;

use counterfoil_core::{Moment, SubjectRef};
use serde_json::{Map, Value, json};

use crate::told::{EventId, Told};

mod configured;
mod mapping;
mod pen;
mod poll;
mod push;
pub mod receive;
mod settings;
mod sign;
mod signals;
mod subject;
mod transactions;

pub(crate) use self::configured::MOST_KEYS;
pub use self::configured::{Listen, Polled, Pushed, SignalSettings};
pub use self::mapping::{EventType, Says, says};
pub use self::pen::{Bearer, NotABearer};
pub use self::poll::{PollError, PollLimits, PollStream};
pub use self::push::{Delivery, PushStream};
pub use self::settings::{BadStream, PollSettings, PushSettings, Stream, StreamSettings};
pub use self::sign::{Signer, SigningKey, Unsigned, compact};
pub(crate) use self::signals::Started;
pub use self::signals::{Signals, SignalsFailed};
pub use self::transactions::Transactions;

/// By which name a receiver knows a subject. `None` where it is to know the keyed reference only. Asked on the thread that tells
/// events: it waits for nothing.
pub type Names = Arc<dyn Fn(SubjectRef) -> Option<String> + Send + Sync>;

/// Makes tokens for one stream.
#[derive(Clone)]
pub struct Writer {
    stream: Arc<Stream>,
    signer: Arc<dyn Signer>,
    names: Option<Names>,
    transactions: Transactions,
}

/// A token, signed. `Debug` shows its id only: who reads logs is not told what receivers are told.
#[derive(Clone)]
pub struct Token {
    /// What tells it from every other: the id of the event.
    pub jti: Arc<str>,
    text: Arc<str>,
}

impl Writer {
    /// Writes for `stream`, signed by `signer`. Subjects are told by their keyed reference, or by their name where `names`
    /// knows one.
    ///
    /// # Security
    /// The keyed reference tells the receiver that two events are about the same user, and nothing else. A name tells who
    /// it is: hand over `names` only where the receiver is to know.
    pub fn new(stream: Stream, signer: Arc<dyn Signer>, names: Option<Names>) -> Self {
        Self { stream: Arc::new(stream), signer, names, transactions: Transactions::default() }
    }

    /// Has `transactions` know what is told, so that a [`Receiver`](receive::Receiver) that shares them does not take it for
    /// news when it comes back.
    #[must_use]
    pub fn remembering(self, transactions: Transactions) -> Self {
        Self { transactions, ..self }
    }

    /// For which stream.
    pub fn stream(&self) -> &Stream {
        &self.stream
    }

    /// What is said of this event; `None` where this stream's receiver is told nothing of it.
    pub fn claims(&self, told: &Told, now: Moment) -> Option<Value> {
        if !self.stream.events.means(told) {
            return None;
        }
        let Says { event_type, body } = says(&told.event)?;
        let about = subject::of(told, event_type, &self.stream.issuer, self.names.as_ref())?;
        let mut claims = self.head(told.id, event_type, about, &body, now);
        claims.insert("toe".to_owned(), json!(told.event.at.unix_seconds()));
        claims.insert("txn".to_owned(), json!(told.transaction().to_string()));
        Some(claims.into())
    }

    /// The event as a token; `None` where this stream's receiver is told nothing of it.
    ///
    /// # Errors
    /// [`Unsigned`]: there is no key, or it does not sign.
    pub fn write(&self, told: &Told, now: Moment) -> Result<Option<Token>, Unsigned> {
        let Some(claims) = self.claims(told, now) else { return Ok(None) };
        if told.transaction() == told.id {
            // Before anybody hears of it.
            self.transactions.begin_here(told.id);
        }
        self.sign(told.id, &claims, now).map(Some)
    }

    /// A token that says nothing but that the stream works (SSF 1.0, section 8.1.4); `state` is what the receiver gave
    /// when it asked for it.
    ///
    /// # Errors
    /// [`Unsigned`]: there is no key, or it does not sign.
    pub fn verification(&self, state: Option<&str>, now: Moment) -> Result<Token, Unsigned> {
        let id = EventId::fresh(now);
        let about = json!({ "format": "opaque", "id": self.stream.id });
        let body = Map::from_iter(state.map(|state| ("state".to_owned(), json!(state))));
        self.sign(id, &self.head(id, EventType::Verification, about, &body, now).into(), now)
    }

    fn head(
        &self,
        id: EventId,
        event: EventType,
        about: Value,
        body: &Map<String, Value>,
        now: Moment,
    ) -> Map<String, Value> {
        [
            ("iss", json!(self.stream.issuer)),
            ("jti", json!(id.to_string())),
            ("iat", json!(now.unix_seconds())),
            ("aud", json!(self.stream.audience)),
            ("sub_id", about),
            ("events", json!({ event.uri(): body })),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into_iter()
        .collect()
    }

    fn sign(&self, id: EventId, claims: &Value, now: Moment) -> Result<Token, Unsigned> {
        let text = self.signer.sign(claims.to_string().as_bytes(), now)?;
        Ok(Token { jti: id.to_string().into(), text: text.into() })
    }
}

/// What receivers find at `/.well-known/ssf-configuration` (SSF 1.0, section 7): by which keys our tokens are verified, how they
/// come, and that a receiver who cannot read which session or application a token is about leaves it alone, and does not
/// take it for one about everything of the user's.
pub fn configuration(issuer: &str, jwks_uri: &str) -> Value {
    json!({
        "spec_version": "1_0",
        "issuer": issuer,
        "jwks_uri": jwks_uri,
        "delivery_methods_supported": ["urn:ietf:rfc:8935", "urn:ietf:rfc:8936"],
        "critical_subject_members": ["session", "application"],
        "default_subjects": "ALL",
    })
}

impl Token {
    /// The token, as it is sent.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Token").field("jti", &self.jti).finish_non_exhaustive()
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Writer")
            .field("stream", &self.stream)
            .field("names", &self.names.is_some())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
