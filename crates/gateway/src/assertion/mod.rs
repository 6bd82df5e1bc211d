//! The assertion: the one header an app may trust, signed for one request of one app and for less than a minute.
//!
//! What is in it and how to verify it: `docs/spec/assertion-v1.md`.

mod claims;
mod keys;
mod reuse;
mod shared;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use axum::Router;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::routing::get;
use counterfoil::keys::{FileKeys, KeyError, KeyFile};
use counterfoil::{Clock, Moment, SystemEntropy};
use counterfoil_serve::shared_signals;
use counterfoil_telemetry::set;
use http::HeaderValue;

pub(crate) use self::claims::Claims;
use self::keys::SigningKeys;
use self::reuse::Reuse;
pub use self::shared::{NoSharedKeys, SharedKeys};
use crate::app::{Algorithm, AppName};
use crate::gateway::Gateway;

/// What signs assertions: keys of its own, beside those of the sessions. Who has them can be anybody to an app.
pub struct Assertions {
    keys: ArcSwap<SigningKeys>,
    /// `None` where the keys end with the process.
    file: Option<FileKeys>,
    reuse: Reuse,
    following: AtomicBool,
}

/// No assertion could be made. Deny the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unsigned {
    /// The generator failed.
    #[error("the source of randomness did not answer")]
    NoEntropy,
    /// The signature could not be made.
    #[error("the signature could not be made")]
    Refused,
}

/// How long an assertion is good. Long enough for clocks that differ by seconds and a slow upload's headers; short enough
/// that one that leaks into a log is nothing by the time it is read.
pub const LIFE: Duration = Duration::from_mins(1);

impl Assertions {
    /// Keys that end with the process: apps that keep them in their configuration must be told after each start.
    ///
    /// # Errors
    /// [`KeyError::NoEntropy`].
    pub fn generated(now: Moment) -> Result<Self, KeyError> {
        Self::new(&KeyFile::generate(now, LIFE, &SystemEntropy)?, None)
    }

    /// The keys of this file, which is made if it is not there. It is one that `counterfoil keys list|rotate|retire --file`
    /// reads and changes.
    ///
    /// # Errors
    /// [`KeyError`] if it cannot be made, or read, or is open to others.
    pub fn in_file(path: &Path, clock: impl Clock) -> Result<Self, KeyError> {
        let now = clock.now();
        let file = FileKeys::at(path).clock(clock);
        if std::fs::symlink_metadata(path).is_err() {
            file.create(&KeyFile::generate(now, LIFE, &SystemEntropy)?)?;
        }
        let keys = file.read()?;
        Self::new(&keys, Some(file))
    }

    fn new(keys: &KeyFile, file: Option<FileKeys>) -> Result<Self, KeyError> {
        let keys = ArcSwap::from_pointee(SigningKeys::derive(keys)?);
        Ok(Self { keys, file, reuse: Reuse::new(), following: AtomicBool::new(false) })
    }

    /// Reads the file again. Without one there is nothing to read.
    ///
    /// # Errors
    /// [`KeyError`]; the keys in use are kept.
    pub fn reload(&self) -> Result<(), KeyError> {
        if let Some(file) = &self.file {
            self.keys.store(Arc::new(SigningKeys::derive(&file.read()?)?));
        }
        Ok(())
    }

    /// Begins to read the file again every few seconds, until the gateway is gone. Doing it twice is fine.
    pub(crate) fn follow(this: &Arc<Self>) {
        if this.file.is_none() || this.following.load(Ordering::Relaxed) || this.following.swap(true, Ordering::Relaxed)
        {
            return;
        }
        let weak = Arc::downgrade(this);
        tokio::spawn(async move {
            let mut told = None;
            while let Some(assertions) = weak.upgrade() {
                let looked = tokio::task::spawn_blocking(move || assertions.reload()).await;
                let error = looked.ok().and_then(Result::err);
                // What went wrong is told once, not at every look.
                if let Some(error) = error.as_ref().filter(|error| told.as_ref() != Some(*error)) {
                    tracing::error!(%error, "the keys of assertions could not be read again; those in use are kept");
                }
                told = error;
                tokio::time::sleep(REREAD).await;
            }
        });
    }

    /// The keys that verify, as a JWK set (RFC 7517): also those that do not sign yet, and those that did until lately.
    pub fn jwks(&self, now: Moment) -> String {
        self.keys.load().jwks(now)
    }

    /// The key of an app whose assertions are signed with HS256, for its configuration: the `kid` and the key, of each key
    /// that verifies, first the one that signs.
    ///
    /// # Security
    /// Who has it can make assertions for this app, and for no other.
    pub fn shared_keys(&self, app: &AppName, now: Moment) -> Vec<(String, zeroize::Zeroizing<[u8; 32]>)> {
        self.keys.load().shared(app, now)
    }

    /// Signs, or hands out what was signed for the same request of the same person a moment ago.
    pub(crate) fn sign(&self, claims: &Claims<'_>, now: Moment) -> Result<HeaderValue, Unsigned> {
        let keys = self.keys.load();
        let kid = keys.signing(claims.algorithm(), now).ok_or(Unsigned::Refused)?;
        let same = claims.same(kid.id());
        if let Some(assertion) = self.reuse.find(&same, now) {
            return Ok(assertion);
        }
        let assertion = kid.sign(claims, now)?;
        self.reuse.keep(same, assertion.clone(), now);
        Ok(assertion)
    }
}

/// Security Event Tokens are signed by the same keys, so that receivers need one key set only.
impl set::Signer for Assertions {
    fn sign(&self, claims: &[u8], now: Moment) -> Result<String, set::Unsigned> {
        let keys = self.keys.load();
        keys.signing(Algorithm::Es256, now).ok_or(set::Unsigned)?.security_event(claims)
    }
}

/// `/.well-known/counterfoil/jwks.json`, for the public listener.
pub fn jwks_router(gateway: Gateway) -> Router {
    let answer = async |State(gateway): State<Gateway>| {
        let headers = [(CONTENT_TYPE, "application/jwk-set+json"), (CACHE_CONTROL, "public, max-age=300")];
        (headers, gateway.assertions().jwks(gateway.now()))
    };
    Router::new().route(JWKS_PATH, get(answer)).with_state(gateway)
}

impl std::fmt::Debug for Assertions {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Assertions").field("file", &self.file).finish_non_exhaustive()
    }
}

/// Where apps find the keys.
pub const JWKS_PATH: &str = shared_signals::KEYS;
/// As often as the keys of sessions.
const REREAD: Duration = Duration::from_secs(5);
