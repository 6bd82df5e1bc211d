//! The keys of a transmitter: from a file, or fetched from where it publishes them and kept for a while.

use std::fmt;
use std::str;
use std::sync::Arc;
use std::time::Duration;

use counterfoil_core::Moment;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::Value;

use super::claims::Envelope;
use super::{Code, Refused};
use crate::client::{Client, Endpoint};

/// The keys by which a transmitter's tokens are verified.
pub struct Keys(Source);

/// A key set of which nothing can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadKeys {
    /// It is no key set.
    #[error("not a JSON Web Key Set (RFC 7517)")]
    NotASet,
    /// None of its keys verifies tokens.
    #[error("none of the keys is for signatures by ES256, EdDSA, RS256 or PS256")]
    NoneUsable,
}

enum Source {
    Fixed(Arc<KeySet>),
    Fetched(Box<Fetched>),
}

struct Fetched {
    client: Client,
    from: Endpoint,
    known: Mutex<Option<Known>>,
    /// When it was last tried. Held by whoever is trying.
    tried: tokio::sync::Mutex<Option<Moment>>,
}

#[derive(Clone)]
struct Known {
    keys: Arc<KeySet>,
    since: Moment,
}

struct KeySet(Vec<Key>);

struct Key {
    id: Option<String>,
    algorithms: Vec<Algorithm>,
    verifies: DecodingKey,
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<Value>,
}

/// What a key set says of a token.
#[derive(PartialEq, Eq)]
enum Verdict {
    Genuine,
    Forged,
    UnknownKey,
}

impl Keys {
    /// These, and no others: a key set in JSON (RFC 7517).
    ///
    /// # Errors
    /// [`BadKeys`]: nothing in it can be used.
    pub fn fixed(jwks: &[u8]) -> Result<Self, BadKeys> {
        KeySet::read(jwks).map(|set| Self(Source::Fixed(Arc::new(set))))
    }

    /// Those that are published there. Fetched when the first token comes, again after an hour or when a token names a key that
    /// is not among them, but not more than once in a minute; and used for a day where they cannot be fetched again. `client`
    /// decides how large the key set may be: 64 kB do.
    pub fn fetched(client: Client, from: Endpoint) -> Self {
        Self(Source::Fetched(Box::new(Fetched {
            client,
            from,
            known: Mutex::default(),
            tried: tokio::sync::Mutex::default(),
        })))
    }

    /// Whether the signature is good.
    pub(super) async fn verify(&self, envelope: &Envelope<'_>, now: Moment) -> Result<(), Refused> {
        let verdict = match &self.0 {
            Source::Fixed(set) => set.judge(envelope),
            Source::Fetched(fetched) => fetched.judge(envelope, now).await?,
        };
        match verdict {
            Verdict::Genuine => Ok(()),
            Verdict::Forged => Err(Code::AuthenticationFailed.because("the signature is not good")),
            Verdict::UnknownKey => Err(Code::InvalidKey.because("the key is not in the transmitter's key set")),
        }
    }
}

impl Fetched {
    async fn judge(&self, envelope: &Envelope<'_>, now: Moment) -> Result<Verdict, Refused> {
        let not_now = Code::NotNow.because("the transmitter's keys cannot be fetched now");
        let age = self.known(now).map(|known| now.since(known.since));
        if age.is_none_or(|age| age >= REFRESHED_AFTER) {
            self.fetch(now).await;
        }
        let known = self.known(now).ok_or(not_now)?;
        let verdict = known.keys.judge(envelope);
        // A key that is newer than what we know; unless that was fetched just now.
        if verdict != Verdict::UnknownKey || known.since == now {
            return Ok(verdict);
        }
        if !self.fetch(now).await {
            return Err(not_now);
        }
        Ok(self.known(now).ok_or(not_now)?.keys.judge(envelope))
    }

    fn known(&self, now: Moment) -> Option<Known> {
        self.known.lock().clone().filter(|known| now.since(known.since) < USED_FOR)
    }

    /// Whether they were fetched. One asks at a time, and others go by what is known; dropped on the way, it counts as tried.
    async fn fetch(&self, now: Moment) -> bool {
        let Ok(mut tried) = self.tried.try_lock() else { return false };
        if tried.is_some_and(|at| now.since(at) < BETWEEN) {
            return false;
        }
        *tried = Some(now);
        let why = match self.client.get(&self.from).await {
            Ok(answer) if answer.status == http::StatusCode::OK && answer.is_whole => {
                match KeySet::read(&answer.body) {
                    Ok(keys) => {
                        *self.known.lock() = Some(Known { keys: Arc::new(keys), since: now });
                        return true;
                    }
                    Err(error) => error.to_string(),
                }
            }
            Ok(answer) if answer.is_whole => answer.status.as_str().to_owned(),
            Ok(_) => "too large, or broken off".to_owned(),
            Err(error) => error.to_string(),
        };
        tracing::warn!(rule = "set", from = %self.from, why, "a transmitter's keys could not be fetched");
        false
    }
}

impl KeySet {
    /// Keys that cannot be used are left out: a set may hold some for other ends.
    fn read(jwks: &[u8]) -> Result<Self, BadKeys> {
        let Set { keys } = serde_json::from_slice(jwks).map_err(|_| BadKeys::NotASet)?;
        let usable: Vec<_> = keys.into_iter().take(MOST_KEYS).filter_map(Key::read).collect();
        if usable.is_empty() { Err(BadKeys::NoneUsable) } else { Ok(Self(usable)) }
    }

    fn judge(&self, envelope: &Envelope<'_>) -> Verdict {
        let Envelope { algorithm, key_id, signed, signature, .. } = envelope;
        // Where a token names no key, each that could be meant is tried.
        let named = |key: &&Key| key_id.is_none() || key.id == *key_id;
        let mut fitting = self.0.iter().filter(named).filter(|key| key.algorithms.contains(algorithm)).peekable();
        if fitting.peek().is_none() {
            return Verdict::UnknownKey;
        }
        let is_good = |key: &Key| crypto::verify(signature, signed, &key.verifies, *algorithm).unwrap_or(false);
        if fitting.take(MOST_TRIED).any(is_good) { Verdict::Genuine } else { Verdict::Forged }
    }
}

impl Key {
    fn read(key: Value) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(key).ok()?;
        let algorithms: &[Algorithm] = match &jwk.algorithm {
            AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => &[Algorithm::ES256],
            AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => &[Algorithm::EdDSA],
            AlgorithmParameters::RSA(_) => &[Algorithm::RS256, Algorithm::PS256],
            _ => return None,
        };
        if jwk.common.public_key_use.as_ref().is_some_and(|used| *used != PublicKeyUse::Signature) {
            return None;
        }
        let only = |algorithm: &&Algorithm| jwk.common.key_algorithm.is_none_or(|only| only == (**algorithm).into());
        let algorithms: Vec<_> = algorithms.iter().filter(only).copied().collect();
        let verifies = DecodingKey::from_jwk(&jwk).ok().filter(|_| !algorithms.is_empty())?;
        Some(Self { id: jwk.common.key_id, algorithms, verifies })
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::Fixed(set) => write!(out, "Keys({} fixed)", set.0.len()),
            Source::Fetched(fetched) => write!(out, "Keys(from {})", fetched.from),
        }
    }
}

const REFRESHED_AFTER: Duration = Duration::from_hours(1);
const USED_FOR: Duration = Duration::from_hours(24);
/// So that tokens that name keys of nobody cannot have us ask more often.
const BETWEEN: Duration = Duration::from_mins(1);
const MOST_KEYS: usize = 100;
/// Of a token that names no key.
const MOST_TRIED: usize = 8;

#[cfg(test)]
mod tests;
