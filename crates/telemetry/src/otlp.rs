//! Events as log records of OpenTelemetry, sent to a collector in batches (OTLP 1.x over HTTP, in its binary form).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceResponse;
use prost::Message as _;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::client::{Answer, Client, Endpoint};
use crate::figures::{Counts, Figures};
use crate::hub::Sink;
use crate::only::Only;
use crate::outbox::{Outbox, Place};
use crate::patience::{Patience, asked_for};
use crate::told::Told;

mod record;
mod settings;

pub use self::record::Service;
pub use self::settings::{BadOtlp, OtlpSettings};

/// Events on their way to a collector. Cheap to clone.
///
/// # Security
/// A record says what the event says: public ids and keyed references. `headers` may hold the collector's secret; they are shown
/// nowhere.
#[derive(Clone)]
pub struct Otlp(Arc<Shared>);

/// Where records are sent, and how.
#[derive(Clone)]
pub struct Export {
    /// The collector, with its path: `/v1/logs`.
    pub to: Endpoint,
    /// What it wants beside the content type, as a key.
    pub headers: HeaderMap,
    /// Who sends.
    pub service: Service,
    /// Which events.
    pub events: Only,
    /// How many events wait; what comes on top is lost, and counted [default: 16,384].
    pub waiting: usize,
    /// How many are sent at once [default: 512].
    pub at_once: usize,
    /// How long the first waits for others [default: 1 s].
    pub gathering: Duration,
    /// For how long a batch is tried while the collector is not there [default: 10 min].
    pub give_up_after: Duration,
}

struct Shared {
    export: Export,
    outbox: Outbox,
}

struct Waiting {
    told: Told,
    since: Instant,
    place: Place,
}

/// What becomes of a batch after a try.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    /// It was taken, but for so many.
    Taken { refused: usize },
    /// It will not be taken (OTLP, "Failures": not to be sent again).
    Refused(String),
    /// It may be taken later.
    Failed { why: String, asked: Option<Duration> },
}

impl Export {
    /// To `to`, with the defaults.
    pub fn to(to: Endpoint, service: Service) -> Self {
        Self {
            to,
            headers: HeaderMap::new(),
            service,
            events: Only::default(),
            waiting: 16_384,
            at_once: 512,
            gathering: Duration::from_secs(1),
            give_up_after: Duration::from_mins(10),
        }
    }
}

impl Otlp {
    /// The export, the sink that fills it, and the work of sending: to be spawned on a runtime. The work ends when the sink is
    /// gone and everything was taken or given up. Where it is dropped before, what waits is lost, and counted.
    pub fn new(client: Client, export: Export) -> (Self, impl Sink, impl Future<Output = ()> + Send + 'static) {
        let (queue, events) = mpsc::channel(export.waiting.max(1));
        let otlp = Self(Arc::new(Shared { export, outbox: Outbox::default() }));
        let filling = Filling { otlp: otlp.clone(), queue };
        let carrier = Carrier { otlp: otlp.clone(), client, patience: Patience::default() };
        (otlp, filling, carrier.carry(events))
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
    otlp: Otlp,
    queue: mpsc::Sender<Waiting>,
}

impl Sink for Filling {
    fn take(&mut self, told: &Told) {
        let Shared { export, outbox } = &*self.otlp.0;
        if export.events.means(told) {
            // What does not go in is dropped, and counted by its place.
            let _ = self.queue.try_send(Waiting { told: told.clone(), since: Instant::now(), place: outbox.place() });
        }
    }
}

struct Carrier {
    otlp: Otlp,
    client: Client,
    patience: Patience,
}

impl Carrier {
    /// The work's whole life.
    async fn carry(mut self, mut events: mpsc::Receiver<Waiting>) {
        while let Some(batch) = self.batch(&mut events).await {
            self.bring(&batch).await;
            for event in batch {
                event.place.settle();
            }
        }
    }

    /// The next events: as soon as there are enough, or when the first has waited for long enough. None when the sink is gone.
    async fn batch(&self, events: &mut mpsc::Receiver<Waiting>) -> Option<Vec<Waiting>> {
        let Export { at_once, gathering, .. } = self.otlp.0.export;
        let mut batch = vec![events.recv().await?];
        let end = Instant::now() + gathering;
        while batch.len() < at_once {
            match tokio::time::timeout_at(end, events.recv()).await {
                Ok(Some(event)) => batch.push(event),
                Ok(None) | Err(_) => break,
            }
        }
        Some(batch)
    }

    /// Until it is taken or given up.
    async fn bring(&mut self, events: &[Waiting]) {
        let Shared { outbox, export } = &*Arc::clone(&self.otlp.0);
        let counts = outbox.counts();
        let Some(since) = events.first().map(|first| first.since) else { return };
        let body = record::request(&export.service, events.iter().map(|event| &event.told)).encode_to_vec();
        loop {
            // Where the one before was not taken either, what is too old is not even tried.
            if self.patience.is_tried() && since.elapsed() >= export.give_up_after {
                Counts::add(&counts.given_up, events.len());
                return;
            }
            match self.attempt(body.clone()).await {
                Outcome::Taken { refused } => {
                    self.answered();
                    let refused = refused.min(events.len());
                    Counts::add(&counts.delivered, events.len() - refused);
                    return Counts::add(&counts.given_up, refused);
                }
                Outcome::Refused(why) => {
                    self.answered();
                    let lost = events.len();
                    tracing::warn!(rule = "otlp", to = %export.to, why, lost, "the collector refused events");
                    return Counts::add(&counts.given_up, lost);
                }
                Outcome::Failed { why, asked } => {
                    Counts::add(&counts.failed_attempts, 1);
                    if !self.patience.is_tried() {
                        tracing::warn!(rule = "otlp", to = %export.to, why, "events are not taken: they wait, and are tried again");
                    }
                    tokio::time::sleep(self.patience.after_failure(asked)).await;
                }
            }
        }
    }

    async fn attempt(&self, body: Vec<u8>) -> Outcome {
        let Export { to, headers, .. } = &self.otlp.0.export;
        let mut headers = headers.clone();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROTOBUF));
        headers.insert(ACCEPT, HeaderValue::from_static(PROTOBUF));
        match self.client.post(to, headers, body.into()).await {
            Ok(answer) => judged(&answer),
            Err(error) => Outcome::Failed { why: error.to_string(), asked: None },
        }
    }

    fn answered(&mut self) {
        if self.patience.is_tried() {
            tracing::info!(rule = "otlp", to = %self.otlp.0.export.to, "events are taken again");
        }
        self.patience.rest();
    }
}

/// OTLP, "OTLP/HTTP Response": what may be sent again is named there, and nothing else may.
fn judged(answer: &Answer) -> Outcome {
    let why = || answer.status.as_str().to_owned();
    match answer.status {
        status if status.is_success() => {
            let response = ExportLogsServiceResponse::decode(&*answer.body).unwrap_or_default();
            let refused = response.partial_success.map_or(0, |partial| partial.rejected_log_records);
            Outcome::Taken { refused: usize::try_from(refused).unwrap_or(0) }
        }
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => Outcome::Failed { why: why(), asked: asked_for(&answer.headers) },
        _ => Outcome::Refused(why()),
    }
}

impl fmt::Debug for Otlp {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Otlp").field("to", &self.0.export.to).field("figures", &self.figures()).finish()
    }
}

impl fmt::Debug for Export {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { to, service, events, .. } = self;
        out.debug_struct("Export")
            .field("to", to)
            .field("service", service)
            .field("events", events)
            .finish_non_exhaustive()
    }
}

const PROTOBUF: &str = "application/x-protobuf";

#[cfg(test)]
mod tests;
