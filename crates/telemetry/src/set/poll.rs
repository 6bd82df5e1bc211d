//! Tokens that a receiver comes for (RFC 8936): kept until it confirms them, and given again until it does.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use counterfoil_core::Clock;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use http::{Response, StatusCode};
use parking_lot::Mutex;
use serde::ser::{SerializeMap as _, Serializer};
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, Semaphore};

use super::pen::{Bearer, Pen};
use super::{Token, Writer};
use crate::figures::{Counts, Figures};
use crate::hub::Sink;
use crate::told::Told;

/// A stream that its receiver polls. Cheap to clone; one clone is the [`Sink`], another answers the polls.
///
/// Whoever polls confirms what it got before, and gets what it has not confirmed, the oldest first. Where there is nothing it
/// waits, if it wants to. When there is no room, the oldest token is lost, and counted.
#[derive(Clone)]
pub struct PollStream(Arc<Shared>);

/// How much a polled stream keeps, and gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PollLimits {
    /// How many tokens are kept [default: 10,000, some 15 MB].
    pub kept: usize,
    /// How many are given at once, also where more are asked for [default: 100].
    pub at_once: usize,
    /// How long a poll waits where there is nothing [default: 30 s].
    pub wait: Duration,
    /// How many polls wait; the next is answered at once [default: 8].
    pub waiting_polls: usize,
}

/// Why a poll is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PollError {
    /// It does not show the stream's secret: 401.
    #[error("the bearer token is not that of the stream")]
    Unauthorized,
    /// It is larger than [`PollStream::MOST_BYTES`]: 413.
    #[error("the request exceeds {} bytes", PollStream::MOST_BYTES)]
    TooLarge,
    /// It is not the object that RFC 8936, section 2.2, describes: 400.
    #[error("the request is not a JSON object as RFC 8936 describes it")]
    Malformed,
}

struct Shared {
    stream: String,
    bearer: Bearer,
    limits: PollLimits,
    kept: Mutex<Kept>,
    filled: Notify,
    places: Semaphore,
    counts: Counts,
    refused_told: AtomicU64,
}

/// By the order in which they came.
#[derive(Default)]
struct Kept {
    tokens: BTreeMap<u64, Token>,
    places: HashMap<Arc<str>, u64>,
    next: u64,
}

/// What a poll says (RFC 8936, section 2.2). What else stands there is ignored.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Poll {
    max_events: Option<usize>,
    return_immediately: bool,
    ack: Vec<String>,
    set_errs: HashMap<String, SetError>,
}

#[derive(Debug, Deserialize)]
struct SetError {
    err: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Given<'a> {
    #[serde(serialize_with = "as_map")]
    sets: &'a [Token],
    more_available: bool,
}

impl PollStream {
    /// The largest poll that is read: it confirms some 6,000 tokens.
    pub const MOST_BYTES: usize = 256 * 1024;

    /// A stream whose receiver shows `bearer`, and the sink that fills it.
    pub fn new(writer: Writer, clock: Arc<dyn Clock>, bearer: Bearer, limits: PollLimits) -> (Self, impl Sink) {
        let stream = Self(Arc::new(Shared {
            stream: writer.stream().id().to_owned(),
            bearer,
            limits,
            kept: Mutex::default(),
            filled: Notify::new(),
            places: Semaphore::new(limits.waiting_polls),
            counts: Counts::default(),
            refused_told: AtomicU64::new(0),
        }));
        let filling = Filling { stream: stream.clone(), pen: Pen::new(writer, clock) };
        (stream, filling)
    }

    /// The stream's name.
    pub fn id(&self) -> &str {
        &self.0.stream
    }

    /// How it does.
    pub fn figures(&self) -> Figures {
        let waiting = self.0.kept.lock().tokens.len();
        self.0.counts.figures(waiting)
    }

    /// Keeps one more token, as a verification that the receiver asked for.
    pub fn keep(&self, token: Token) {
        let lost = self.0.kept.lock().put(token, self.0.limits.kept);
        Counts::add(&self.0.counts.lost, lost);
        self.0.filled.notify_waiters();
    }

    /// The whole answer to a POST: 200, or what [`PollError`] says.
    pub async fn answer(&self, headers: &HeaderMap, body: &[u8]) -> Response<String> {
        let (status, text) = match self.poll(headers, body).await {
            Ok(given) => (StatusCode::OK, given),
            Err(error) => {
                let text = serde_json::json!({ "err": error.code(), "description": error.to_string() });
                (error.status(), text.to_string())
            }
        };
        let mut response = Response::new(text);
        *response.status_mut() = status;
        let fields = response.headers_mut();
        fields.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        fields.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::UNAUTHORIZED {
            fields.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }

    /// What a poll gets: the answer's JSON. Dropped on the way, nothing is lost: only what is confirmed is forgotten.
    ///
    /// # Errors
    /// [`PollError`]: it is refused.
    pub async fn poll(&self, headers: &HeaderMap, body: &[u8]) -> Result<String, PollError> {
        if !self.0.bearer.is_shown(headers) {
            self.refuse();
            return Err(PollError::Unauthorized);
        }
        if body.len() > Self::MOST_BYTES {
            return Err(PollError::TooLarge);
        }
        let poll: Poll = serde_json::from_slice(body).map_err(|_| PollError::Malformed)?;
        self.confirm(&poll);
        let most = poll.max_events.unwrap_or(usize::MAX).min(self.0.limits.at_once);
        if most > 0 && !poll.return_immediately {
            self.wait().await;
        }
        Ok(self.give(most))
    }

    /// Until there is something, but not longer than a poll waits.
    async fn wait(&self) {
        let Ok(_place) = self.0.places.try_acquire() else { return };
        let filled = async {
            loop {
                // Before looking: what comes between is not missed.
                let filled = self.0.filled.notified();
                if !self.0.kept.lock().tokens.is_empty() {
                    return;
                }
                filled.await;
            }
        };
        let _ = tokio::time::timeout(self.0.limits.wait, filled).await;
    }

    fn confirm(&self, poll: &Poll) {
        let Shared { kept, counts, stream, .. } = &*self.0;
        let mut kept = kept.lock();
        let confirmed = poll.ack.iter().filter(|jti| kept.forget(jti)).count();
        let refused: Vec<_> = poll.set_errs.iter().filter(|(jti, _)| kept.forget(jti)).collect();
        drop(kept);
        Counts::add(&counts.delivered, confirmed);
        Counts::add(&counts.given_up, refused.len());
        if let Some((jti, SetError { err })) = refused.first() {
            let (refused, err) = (refused.len(), as_a_code(err));
            tracing::warn!(rule = "set", stream, refused, jti, err, "the receiver refused security event tokens");
        }
    }

    fn give(&self, most: usize) -> String {
        let kept = self.0.kept.lock();
        let sets: Vec<_> = kept.tokens.values().take(most).cloned().collect();
        let more_available = kept.tokens.len() > sets.len();
        drop(kept);
        serde_json::to_string(&Given { sets: &sets, more_available }).unwrap_or_default()
    }

    /// Counts a poll without the secret, and says so at the first and every thousandth.
    fn refuse(&self) {
        Counts::add(&self.0.counts.failed_attempts, 1);
        if self.0.refused_told.fetch_add(1, Ordering::Relaxed).is_multiple_of(1_000) {
            tracing::warn!(
                rule = "set",
                stream = self.0.stream,
                "a poll without the stream's bearer token was refused"
            );
        }
    }
}

impl Kept {
    /// Puts one more at the end. How many went for it.
    fn put(&mut self, token: Token, most: usize) -> usize {
        self.places.insert(Arc::clone(&token.jti), self.next);
        self.tokens.insert(self.next, token);
        self.next += 1;
        let mut lost = 0;
        while self.tokens.len() > most {
            let Some((_, oldest)) = self.tokens.pop_first() else { break };
            self.places.remove(&oldest.jti);
            lost += 1;
        }
        lost
    }

    /// Whether it was there.
    fn forget(&mut self, jti: &str) -> bool {
        self.places.remove(jti).and_then(|place| self.tokens.remove(&place)).is_some()
    }
}

struct Filling {
    stream: PollStream,
    pen: Pen,
}

impl Sink for Filling {
    fn take(&mut self, told: &Told) {
        if let Some(token) = self.pen.write(told, &self.stream.0.counts) {
            self.stream.keep(token);
        }
    }
}

impl PollError {
    /// The status of the answer.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Malformed => StatusCode::BAD_REQUEST,
        }
    }

    const fn code(self) -> &'static str {
        match self {
            Self::Unauthorized => "authentication_failed",
            Self::TooLarge | Self::Malformed => "invalid_request",
        }
    }
}

impl Default for PollLimits {
    fn default() -> Self {
        Self { kept: 10_000, at_once: 100, wait: Duration::from_secs(30), waiting_polls: 8 }
    }
}

impl fmt::Debug for PollStream {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("PollStream").field("stream", &self.0.stream).field("figures", &self.figures()).finish()
    }
}

/// An error code as RFC 8935 registers them; whatever else a receiver writes is not repeated in a log.
pub(super) fn as_a_code(text: &str) -> &str {
    let fits = (1..=40).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if fits { text } else { "other" }
}

fn as_map<S: Serializer>(tokens: &[Token], serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(tokens.len()))?;
    for token in tokens {
        map.serialize_entry(&*token.jti, token.as_str())?;
    }
    map.end()
}

#[cfg(test)]
mod tests;
