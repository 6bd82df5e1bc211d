//! Events brought to receivers as signed webhooks (Standard Webhooks 1.0.0), each from a queue and by a task of its own.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use counterfoil_core::Clock;
use serde::Deserialize;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::client::{Client, Endpoint, EndpointError, PlainHttp};
use crate::figures::Figures;
use crate::hub::Sink;
use crate::only::Only;
use crate::outbox::{Outbox, Place};
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

struct Shared {
    receiver: Receiver,
    outbox: Outbox,
    is_gone: AtomicBool,
}

/// An event on its way.
struct Letter {
    id: String,
    body: Bytes,
    since: Instant,
    tries: usize,
    place: Place,
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
        let webhook = Self(Arc::new(Shared { receiver, outbox: Outbox::default(), is_gone: AtomicBool::new(false) }));
        let courier = Courier::new(webhook.clone(), letters, clock, client, chance);
        (webhook.clone(), Filling { webhook, queue }, courier.carry())
    }

    /// What logs and metrics call it.
    pub fn name(&self) -> &str {
        &self.0.receiver.name
    }

    /// How it does.
    pub fn figures(&self) -> Figures {
        self.0.outbox.figures()
    }

    /// Whether it answered 410: it gets nothing until a restart.
    pub fn is_gone(&self) -> bool {
        self.0.is_gone.load(Ordering::Relaxed)
    }

    /// Until nothing waits any more. At the end of a program, with a limit on the time.
    pub async fn drained(&self) {
        self.0.outbox.drained().await;
    }
}

struct Filling {
    webhook: Webhook,
    queue: mpsc::Sender<Letter>,
}

impl Sink for Filling {
    fn take(&mut self, told: &Told) {
        let Shared { receiver, outbox, .. } = &*self.webhook.0;
        if !receiver.events.means(told) {
            return;
        }
        if let Some(place) = outbox.place_below(receiver.waiting) {
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
