//! Tokens that are brought to a receiver (RFC 8935): one after the other, again while it is not there, from a bounded queue.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use counterfoil_core::Clock;
use http::StatusCode;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde::Deserialize;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::pen::{Bearer, Pen};
use super::poll::as_a_code;
use super::{Token, Writer};
use crate::client::{Answer, Client, Endpoint};
use crate::figures::{Counts, Figures};
use crate::hub::Sink;
use crate::outbox::{Outbox, Place};
use crate::patience::{Patience, asked_for};
use crate::told::Told;

/// A stream that is brought to its receiver. Cheap to clone.
#[derive(Clone)]
pub struct PushStream(Arc<Shared>);

/// Where a stream is brought, and how.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The receiver.
    pub to: Endpoint,
    /// What it knows us by, beside the signature.
    pub bearer: Option<Bearer>,
    /// How many tokens wait; what comes on top is lost, and counted [default: 10,000, some 15 MB].
    pub waiting: usize,
    /// For how long a token is tried while the receiver is not there [default: 1 h].
    pub give_up_after: Duration,
}

struct Shared {
    stream: String,
    delivery: Delivery,
    outbox: Outbox,
}

struct Waiting {
    token: Token,
    since: Instant,
    place: Place,
}

/// What becomes of a token after a try.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Delivered,
    /// The receiver has judged it, and will not take it.
    Refused(String),
    /// It may be taken later.
    Failed {
        why: String,
        asked: Option<Duration>,
    },
}

/// What a receiver says of a token that it refuses (RFC 8935, section 2.3).
#[derive(Deserialize)]
struct Refusal {
    err: String,
}

impl Delivery {
    /// To `to`, with the defaults.
    pub const fn to(to: Endpoint) -> Self {
        Self { to, bearer: None, waiting: 10_000, give_up_after: Duration::from_hours(1) }
    }
}

impl PushStream {
    /// A stream, the sink that fills it, and the work of bringing it: to be spawned on a runtime. The work ends when the sink is
    /// gone and everything was delivered or given up. Where it is dropped before, what waits is lost, and counted.
    pub fn new(
        writer: Writer,
        clock: Arc<dyn Clock>,
        client: Client,
        delivery: Delivery,
    ) -> (Self, impl Sink, impl Future<Output = ()> + Send + 'static) {
        let (queue, tokens) = mpsc::channel(delivery.waiting.max(1));
        let stream =
            Self(Arc::new(Shared { stream: writer.stream().id().to_owned(), delivery, outbox: Outbox::default() }));
        let filling = Filling { stream: stream.clone(), pen: Pen::new(writer, clock), queue };
        let carrier = Carrier { stream: stream.clone(), client, patience: Patience::default() };
        (stream, filling, carrier.carry(tokens))
    }

    /// The stream's name.
    pub fn id(&self) -> &str {
        &self.0.stream
    }

    /// How it does.
    pub fn figures(&self) -> Figures {
        self.0.outbox.figures()
    }

    /// Until nothing waits any more. At the end of a program, with a limit on the time.
    pub async fn drained(&self) {
        self.0.outbox.drained().await;
    }
}

struct Filling {
    stream: PushStream,
    pen: Pen,
    queue: mpsc::Sender<Waiting>,
}

impl Sink for Filling {
    fn take(&mut self, told: &Told) {
        let Shared { outbox, .. } = &*self.stream.0;
        if let Some(token) = self.pen.write(told, outbox.counts()) {
            // What does not go in is dropped, and counted by its place.
            let _ = self.queue.try_send(Waiting { token, since: Instant::now(), place: outbox.place() });
        }
    }
}

struct Carrier {
    stream: PushStream,
    client: Client,
    patience: Patience,
}

impl Carrier {
    /// The work's whole life.
    async fn carry(mut self, mut tokens: mpsc::Receiver<Waiting>) {
        while let Some(Waiting { token, since, place }) = tokens.recv().await {
            self.bring(&token, since).await;
            place.settle();
        }
    }

    /// Until it is delivered or given up.
    async fn bring(&mut self, token: &Token, since: Instant) {
        let Shared { outbox, delivery, .. } = &*Arc::clone(&self.stream.0);
        let counts = outbox.counts();
        loop {
            // Where the one before was not taken either, what is too old is not even tried.
            if self.patience.is_tried() && since.elapsed() >= delivery.give_up_after {
                Counts::add(&counts.given_up, 1);
                return;
            }
            match self.attempt(token).await {
                Outcome::Delivered => {
                    self.answered();
                    Counts::add(&counts.delivered, 1);
                    return;
                }
                Outcome::Refused(err) => {
                    self.answered();
                    self.refused(token, &err);
                    return;
                }
                Outcome::Failed { why, asked } => {
                    Counts::add(&counts.failed_attempts, 1);
                    self.failed(&why);
                    tokio::time::sleep(self.patience.after_failure(asked)).await;
                }
            }
        }
    }

    async fn attempt(&self, token: &Token) -> Outcome {
        let Delivery { to, bearer, .. } = &self.stream.0.delivery;
        let mut headers = HeaderMap::with_capacity(3);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/secevent+jwt"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(bearer) = bearer {
            headers.insert(AUTHORIZATION, bearer.value());
        }
        match self.client.post(to, headers, token.as_str().to_owned().into()).await {
            Ok(answer) => judged(&answer),
            Err(error) => Outcome::Failed { why: error.to_string(), asked: None },
        }
    }

    /// Says once that the receiver does not take tokens.
    fn failed(&self, why: &str) {
        if !self.patience.is_tried() {
            let (stream, to) = (&self.stream.0.stream, &self.stream.0.delivery.to);
            tracing::warn!(rule = "set", stream, %to, why, "security event tokens are not taken: they wait, and are tried again");
        }
    }

    fn answered(&mut self) {
        if self.patience.is_tried() {
            tracing::info!(rule = "set", stream = self.stream.0.stream, "security event tokens are taken again");
        }
        self.patience.rest();
    }

    /// Counts a token that the receiver will never take, and says so at the first and every hundredth.
    fn refused(&self, token: &Token, err: &str) {
        let Shared { outbox, stream, .. } = &*self.stream.0;
        let before = outbox.counts().given_up.fetch_add(1, Ordering::Relaxed);
        if before.is_multiple_of(100) {
            tracing::warn!(rule = "set", stream, jti = &*token.jti, err, "the receiver refused a security event token");
        }
    }
}

/// 202 is success, and so is what others answer instead of it. Final is only what the receiver says of the token itself.
fn judged(answer: &Answer) -> Outcome {
    if answer.status.is_success() {
        return Outcome::Delivered;
    }
    if answer.status == StatusCode::BAD_REQUEST
        && let Ok(Refusal { err }) = serde_json::from_slice(&answer.body)
    {
        return Outcome::Refused(as_a_code(&err).to_owned());
    }
    Outcome::Failed { why: answer.status.as_str().to_owned(), asked: asked_for(&answer.headers) }
}

impl fmt::Debug for PushStream {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("PushStream").field("stream", &self.0.stream).field("figures", &self.figures()).finish()
    }
}

#[cfg(test)]
mod tests;
