//! Events brought to receivers as signed webhooks (Standard Webhooks 1.0.0), each from a queue and by a task of its own.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use counterfoil_core::Clock;
use serde::Deserialize;
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

use crate::client::{Client, Endpoint, EndpointError, PlainHttp};
use crate::hub::Sink;
use crate::only::Only;
use crate::private_file::{Unread, read_secret};
use crate::told::{Told, to_the_millisecond};

mod courier;
mod schedule;
mod secret;

use self::courier::Courier;
use self::schedule::{Chance, by_chance};

pub use self::secret::{NotASecret, Secret};

/// A receiver, seen from outside: how it does. Cheap to clone.
#[derive(Clone)]
pub struct Webhook(Arc<Shared>);

/// A receiver, as it is written in configuration.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookSettings {
    /// What logs and metrics call it.
    pub name: String,
    /// Where it is. Its path and query may be secret: only its origin is ever shown.
    pub url: String,
    /// `whsec_` and base64 of 24 to 64 bytes. With several, each signs: so that one can be exchanged.
    #[serde(default)]
    pub secrets: Vec<Secret>,
    /// Files with a secret each, which nobody but their owner may read.
    #[serde(default)]
    pub secret_files: Vec<PathBuf>,
    /// Which events [default: all].
    #[serde(default)]
    pub events: Only,
    /// Whether HTTP without TLS may leave this machine [default: no].
    #[serde(default)]
    pub plain_http: bool,
    /// How many events wait; what comes on top is lost, and counted [default: 10,000, some 10 MB].
    #[serde(default = "ten_thousand")]
    pub waiting: usize,
    /// How many requests are under way at once; with 1, events arrive in their order [default: 4].
    #[serde(default = "four")]
    pub at_once: usize,
    /// For how long an event is tried [default: 24].
    #[serde(default = "a_day")]
    pub give_up_hours: u32,
}

/// A receiver whose settings were checked.
#[derive(Debug, Clone)]
pub struct Receiver {
    name: String,
    to: Endpoint,
    secrets: Vec<Secret>,
    events: Only,
    waiting: usize,
    at_once: usize,
    give_up_after: Duration,
}

/// The settings of a receiver cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WebhookError {
    /// Nothing may be sent there.
    #[error("webhook `{name}`, url: {error}")]
    Url {
        /// Which receiver.
        name: String,
        /// Why.
        error: EndpointError,
    },
    /// It could not tell who sends.
    #[error("webhook `{0}`: secrets and secret_files must hold at least one together")]
    NoSecret(String),
    /// A file of a secret cannot be used.
    #[error("webhook `{name}`, secret_files: {error}")]
    Unread {
        /// Which receiver.
        name: String,
        /// Why.
        error: Unread,
    },
    /// A file does not have a secret in it.
    #[error("webhook `{name}`, secret_files: {}: {error}", file.display())]
    NotASecret {
        /// Which receiver.
        name: String,
        /// Which file.
        file: PathBuf,
        /// Why.
        error: NotASecret,
    },
    /// A number that would send nothing.
    #[error("webhook `{name}`: {key} (0) must be at least 1")]
    Zero {
        /// Which receiver.
        name: String,
        /// Which setting.
        key: &'static str,
    },
}

/// How a receiver does, since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Figures {
    /// Events that it took.
    pub delivered: u64,
    /// Requests that it did not answer with success.
    pub failed_attempts: u64,
    /// Events that were tried for as long as they may be, or waited when it answered 410.
    pub given_up: u64,
    /// Events that were never tried: too many waited, or it is gone.
    pub lost: u64,
    /// Events that wait, or are under way.
    pub waiting: usize,
    /// Whether it answered 410: it gets nothing until a restart.
    pub is_gone: bool,
}

struct Shared {
    receiver: Receiver,
    delivered: AtomicU64,
    failed_attempts: AtomicU64,
    given_up: AtomicU64,
    lost: AtomicU64,
    waiting: AtomicUsize,
    is_gone: AtomicBool,
    emptied: Notify,
}

/// An event on its way.
struct Letter {
    id: String,
    body: Bytes,
    since: Instant,
    tries: usize,
    place: Place,
}

/// What is dropped before anything became of it is lost, wherever it was.
struct Place {
    webhook: Webhook,
    is_settled: bool,
}

impl WebhookSettings {
    /// Checks them.
    ///
    /// # Errors
    /// They cannot be used.
    pub fn check(self) -> Result<Receiver, WebhookError> {
        let Self { name, url, mut secrets, secret_files, events, plain_http, waiting, at_once, give_up_hours } = self;
        let plain = if plain_http { PlainHttp::Anywhere } else { PlainHttp::Loopback };
        let to = match Endpoint::checked(&url, plain) {
            Ok(to) => to,
            Err(error) => return Err(WebhookError::Url { name, error }),
        };
        for file in secret_files {
            match read_secret(&file).map(|text| Secret::read(&text)) {
                Ok(Ok(secret)) => secrets.push(secret),
                Ok(Err(error)) => return Err(WebhookError::NotASecret { name, file, error }),
                Err(error) => return Err(WebhookError::Unread { name, error }),
            }
        }
        if secrets.is_empty() {
            return Err(WebhookError::NoSecret(name));
        }
        let zero = [("waiting", waiting == 0), ("at_once", at_once == 0), ("give_up_hours", give_up_hours == 0)];
        if let Some((key, _)) = zero.into_iter().find(|(_, is_zero)| *is_zero) {
            return Err(WebhookError::Zero { name, key });
        }
        let give_up_after = Duration::from_secs(u64::from(give_up_hours) * 60 * 60);
        Ok(Receiver { name, to, secrets, events, waiting, at_once, give_up_after })
    }
}

impl Webhook {
    /// A receiver, the sink that fills its queue, and the work of bringing it events: to be spawned on a runtime. The work ends when
    /// the sink is gone and everything was delivered or given up, or when the receiver answers 410. Where it is dropped before,
    /// what waits is lost, and counted.
    pub fn new(
        receiver: Receiver,
        clock: Arc<dyn Clock>,
        client: Client,
    ) -> (Self, impl Sink, impl Future<Output = ()> + Send + 'static) {
        Self::with(receiver, clock, client, Box::new(by_chance))
    }

    fn with(
        receiver: Receiver,
        clock: Arc<dyn Clock>,
        client: Client,
        chance: Chance,
    ) -> (Self, Filling, impl Future<Output = ()> + Send + 'static) {
        let (queue, letters) = mpsc::channel(receiver.waiting);
        let webhook = Self(Arc::new(Shared {
            receiver,
            delivered: AtomicU64::new(0),
            failed_attempts: AtomicU64::new(0),
            given_up: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            waiting: AtomicUsize::new(0),
            is_gone: AtomicBool::new(false),
            emptied: Notify::new(),
        }));
        let courier = Courier::new(webhook.clone(), letters, clock, client, chance);
        (webhook.clone(), Filling { webhook, queue }, courier.carry())
    }

    /// What logs and metrics call it.
    pub fn name(&self) -> &str {
        &self.0.receiver.name
    }

    /// How it does.
    pub fn figures(&self) -> Figures {
        let Shared { delivered, failed_attempts, given_up, lost, waiting, is_gone, .. } = &*self.0;
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Figures {
            delivered: read(delivered),
            failed_attempts: read(failed_attempts),
            given_up: read(given_up),
            lost: read(lost),
            waiting: waiting.load(Ordering::Relaxed),
            is_gone: is_gone.load(Ordering::Relaxed),
        }
    }

    /// Until nothing waits any more. At the end of a program, with a limit on the time.
    pub async fn drained(&self) {
        loop {
            let emptied = self.0.emptied.notified();
            if self.0.waiting.load(Ordering::Relaxed) == 0 {
                return;
            }
            emptied.await;
        }
    }

    /// A place among those that wait, if there is one.
    fn place(&self) -> Option<Place> {
        let before = self.0.waiting.fetch_add(1, Ordering::Relaxed);
        let place = Place { webhook: self.clone(), is_settled: false };
        // What is dropped here is counted as lost.
        (before < self.0.receiver.waiting).then_some(place)
    }
}

struct Filling {
    webhook: Webhook,
    queue: mpsc::Sender<Letter>,
}

impl Sink for Filling {
    fn take(&mut self, told: &Told) {
        if !self.webhook.0.receiver.events.means(told) {
            return;
        }
        if let Some(place) = self.webhook.place() {
            let body = body_of(told).into();
            let letter = Letter { id: told.id.to_string(), body, since: Instant::now(), tries: 0, place };
            // What does not go in is dropped, and counted by its place.
            let _ = self.queue.try_send(letter);
        }
    }
}

fn body_of(told: &Told) -> String {
    let (name, time) = (told.event.kind.name(), to_the_millisecond(told.event.at));
    format!(r#"{{"type":"{name}","timestamp":"{time}","data":{}}}"#, told.json())
}

impl Letter {
    /// It needs no place any more, and this is what became of it.
    fn settle(mut self, count: impl Fn(&Shared) -> &AtomicU64) {
        count(&self.place.webhook.0).fetch_add(1, Ordering::Relaxed);
        self.place.is_settled = true;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Shared { lost, waiting, emptied, .. } = &*self.webhook.0;
        if !self.is_settled {
            lost.fetch_add(1, Ordering::Relaxed);
        }
        if waiting.fetch_sub(1, Ordering::Relaxed) == 1 {
            emptied.notify_waiters();
        }
    }
}

impl fmt::Debug for WebhookSettings {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, events, .. } = self;
        out.debug_struct("WebhookSettings").field("name", name).field("events", events).finish_non_exhaustive()
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Webhook")
            .field("name", &self.name())
            .field("figures", &self.figures())
            .finish_non_exhaustive()
    }
}

const fn ten_thousand() -> usize {
    10_000
}

const fn four() -> usize {
    4
}

const fn a_day() -> u32 {
    24
}

#[cfg(test)]
mod tests;
