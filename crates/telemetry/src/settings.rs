//! Everybody who is told of events, as it is configured: the table `[events]`.

use std::collections::{BTreeSet, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use counterfoil_core::Clock;
use serde::Deserialize;

use crate::client::{Client, Limits, Trust, TrustError};
use crate::hub::{Builder, Telemetry};
use crate::lines::{JsonLines, JsonLinesSettings};
use crate::meters::EventMeters;
#[cfg(feature = "otlp")]
use crate::otlp::{BadOtlp, Otlp, OtlpSettings};
use crate::outlet::{Outlet, Sent};
use crate::private_file::{self, Unread};
use crate::set::{self, SignalSettings, Signals, SignalsFailed, Signer, Started};
use crate::trail::{Trail, TrailError, TrailSettings};
use crate::webhook::{Webhook, WebhookError, WebhookSettings};

/// The table `[events]` of a configuration. Nothing of it is needed: without it events are in the log, and in the live stream
/// of whoever asks.
///
/// # Examples
/// ```
/// use counterfoil_telemetry::EventSettings;
///
/// let settings: EventSettings = serde_json::from_str(r#"{ "lines": { "file": "events.jsonl" } }"#)?;
/// assert!(settings.trail.is_none());
/// assert!(serde_json::from_str::<EventSettings>(r#"{ "line": {} }"#).is_err());
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EventSettings {
    /// A file of JSON lines.
    pub lines: Option<JsonLinesSettings>,
    /// The audit trail.
    pub trail: Option<TrailSettings>,
    /// Receivers of signed webhooks.
    pub webhooks: Vec<WebhookSettings>,
    /// Shared Signals: who is told by Security Event Tokens, and who tells us.
    pub signals: Option<SignalSettings>,
    /// A collector of OpenTelemetry.
    #[cfg(feature = "otlp")]
    pub otlp: Option<OtlpSettings>,
    /// Authorities that receivers are believed by, in PEM [default: those of the system].
    pub authorities: Option<PathBuf>,
}

/// Events on their way to everybody who is told. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Running {
    telemetry: Telemetry,
    outlets: Arc<[Outlet]>,
    signals: Option<Signals>,
}

/// Events cannot go where it is configured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EventsFailed {
    /// The file cannot be written.
    #[error("events.lines: {} cannot be written", file.display())]
    Lines {
        /// Which.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The trail cannot be begun.
    #[error("events.trail: {}", folder.display())]
    Trail {
        /// Where.
        folder: PathBuf,
        /// Why.
        source: TrailError,
    },
    /// A receiver cannot be told; the text names it.
    #[error("events.webhooks: {0}")]
    Webhook(#[from] WebhookError),
    /// Two receivers cannot be told apart.
    #[error("events.webhooks: two are called `{0}`; logs and metrics tell them apart by their names")]
    SameName(String),
    /// Shared Signals cannot be as they are configured; the text says why.
    #[error("events.signals: {0}")]
    Signals(SignalsFailed),
    /// The collector cannot be told.
    #[cfg(feature = "otlp")]
    #[error("events.otlp: {0}")]
    Otlp(#[from] BadOtlp),
    /// The file of authorities cannot be read.
    #[error("events.authorities: {0}")]
    Unread(#[from] Unread),
    /// Its certificates cannot be used.
    #[error("events.authorities")]
    Authorities(#[from] TrustError),
    /// The system gives no thread.
    #[error("events cannot be told: no thread for them")]
    Thread(#[source] io::Error),
}

impl EventsFailed {
    /// Whether other settings would help, and not another machine.
    pub const fn is_configuration(&self) -> bool {
        !matches!(self, Self::Lines { .. } | Self::Trail { source: TrailError::Folder(_), .. } | Self::Thread(_))
    }
}

impl EventSettings {
    /// The same, with relative paths beginning in `folder`.
    #[must_use]
    pub fn within(mut self, folder: &Path) -> Self {
        let within = |path: &mut PathBuf| *path = folder.join(&*path);
        self.lines.iter_mut().for_each(|lines| within(&mut lines.file));
        self.trail.iter_mut().for_each(|trail| within(&mut trail.folder));
        self.webhooks.iter_mut().flat_map(|webhook| &mut webhook.secret_files).for_each(within);
        self.authorities.iter_mut().for_each(within);
        self.signals.iter_mut().for_each(|signals| signals.begin_in(folder));
        #[cfg(feature = "otlp")]
        self.otlp.iter_mut().filter_map(|otlp| otlp.headers_file.as_mut()).for_each(within);
        self
    }

    /// Whether nobody is told but the log and whoever listens.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Looks at all that can be wrong before anything is begun: reads what is to be read, and writes nothing.
    ///
    /// # Errors
    /// [`EventsFailed`]: the first thing that is wrong.
    pub fn check(&self) -> Result<(), EventsFailed> {
        let trust = self.trust()?;
        if let Some(trail) = &self.trail {
            trail.check().map_err(|source| EventsFailed::Trail { folder: trail.folder.clone(), source })?;
        }
        let mut names = HashSet::new();
        for webhook in &self.webhooks {
            if !names.insert(webhook.name.as_str()) {
                return Err(EventsFailed::SameName(webhook.name.clone()));
            }
            webhook.clone().check()?;
        }
        if let Some(signals) = &self.signals {
            signals.check(&Client::new(&trust, Limits::default())?).map_err(EventsFailed::Signals)?;
        }
        #[cfg(feature = "otlp")]
        if let Some(otlp) = &self.otlp {
            otlp.clone().check("")?;
        }
        Ok(())
    }

    /// Begins to tell everybody. `instance` is this node's name, for OpenTelemetry; `signer` signs what is told by Shared Signals,
    /// and is of no use where nobody is.
    ///
    /// # Panics
    /// Outside of a Tokio runtime: receivers are told by tasks.
    ///
    /// # Errors
    /// [`EventsFailed`]: a file cannot be written, or something that [`check`](Self::check) finds.
    pub fn start(
        self,
        clock: &Arc<dyn Clock>,
        instance: &str,
        signer: Option<&Arc<dyn Signer>>,
    ) -> Result<Running, EventsFailed> {
        self.check()?;
        let trust = self.trust()?;
        let Self { lines, trail, webhooks, signals, .. } = self;
        let mut start = Start { builder: Telemetry::builder(), outlets: Vec::new() };
        // The trail first: what is told to others is on record by then.
        if let Some(settings) = trail {
            let trail = Trail::open(&settings);
            let trail = trail.map_err(|source| EventsFailed::Trail { folder: settings.folder, source })?;
            start.outlets.push(Outlet::file("trail", trail.lost()));
            start.builder = start.builder.sink(trail);
        }
        if let Some(settings) = lines {
            let lines = JsonLines::open(&settings);
            let lines = lines.map_err(|source| EventsFailed::Lines { file: settings.file, source })?;
            start.outlets.push(Outlet::file("lines", lines.lost()));
            start.builder = start.builder.sink(lines);
        }
        if !webhooks.is_empty() {
            let client = Client::new(&trust, Limits::default())?;
            for settings in webhooks {
                start.webhook(settings, clock, &client)?;
            }
        }
        let signals = match &signals {
            Some(settings) => Some(start.signals(settings, clock, signer, &trust)?),
            None => None,
        };
        #[cfg(feature = "otlp")]
        if let Some(settings) = self.otlp {
            start.otlp(settings, instance, Client::new(&trust, Limits::default())?)?;
        }
        #[cfg(not(feature = "otlp"))]
        let _ = instance;
        let telemetry = start.builder.start().map_err(EventsFailed::Thread)?;
        Ok(Running { telemetry, outlets: start.outlets.into(), signals })
    }

    fn trust(&self) -> Result<Trust, EventsFailed> {
        match &self.authorities {
            None => Ok(Trust::System),
            Some(file) => {
                let trust = Trust::Pem(private_file::read_public(file, MOST_AUTHORITIES)?);
                trust.check()?;
                Ok(trust)
            }
        }
    }
}

struct Start {
    builder: Builder,
    outlets: Vec<Outlet>,
}

impl Start {
    fn webhook(
        &mut self,
        settings: WebhookSettings,
        clock: &Arc<dyn Clock>,
        client: &Client,
    ) -> Result<(), EventsFailed> {
        let (webhook, sink, work) = Webhook::new(settings.check()?, Arc::clone(clock), client.clone());
        tokio::spawn(work);
        self.tell(Outlet::webhook(webhook), sink);
        Ok(())
    }

    #[cfg(feature = "otlp")]
    fn otlp(&mut self, settings: OtlpSettings, instance: &str, client: Client) -> Result<(), EventsFailed> {
        let (otlp, sink, work) = Otlp::new(client, settings.check(instance)?);
        tokio::spawn(work);
        self.tell(Outlet::otlp(otlp), sink);
        Ok(())
    }

    fn signals(
        &mut self,
        settings: &SignalSettings,
        clock: &Arc<dyn Clock>,
        signer: Option<&Arc<dyn Signer>>,
        trust: &Trust,
    ) -> Result<Signals, EventsFailed> {
        let of_key_sets = Limits { body: set::MOST_KEYS, ..Limits::default() };
        let (client, for_keys) = (Client::new(trust, Limits::default())?, Client::new(trust, of_key_sets)?);
        let builder = std::mem::replace(&mut self.builder, Telemetry::builder());
        let started = Signals::start(settings, builder, clock, signer, (&client, &for_keys));
        let Started { signals, outlets, builder } = started.map_err(EventsFailed::Signals)?;
        self.outlets.extend(outlets);
        self.builder = builder;
        Ok(signals)
    }

    fn tell(&mut self, outlet: Outlet, sink: impl crate::hub::Sink) {
        self.outlets.push(outlet);
        let builder = std::mem::replace(&mut self.builder, Telemetry::builder());
        self.builder = builder.sink(sink);
    }
}

impl Running {
    /// Takes events.
    pub const fn telemetry(&self) -> &Telemetry {
        &self.telemetry
    }

    /// What is to be answered to those whom Shared Signals tell of, and who tell us; `None` where nobody is configured.
    pub const fn signals(&self) -> Option<&Signals> {
        self.signals.as_ref()
    }

    /// How everybody who is told does.
    pub fn sent(&self) -> impl Iterator<Item = Sent<'_>> {
        self.outlets.iter().map(Outlet::sent).chain([Sent::queue(self.telemetry.lost())])
    }

    /// Has what is lost on the way to each kind of receiver read at every scrape.
    pub fn counted_by(&self, meters: &EventMeters) {
        let kinds: BTreeSet<_> = self.sent().map(|sent| sent.kind).collect();
        for kind in kinds {
            let running = self.clone();
            meters.losses(kind, move || {
                let those = running.sent().filter(|sent| sent.kind == kind);
                those.map(|sent| sent.figures.lost.saturating_add(sent.figures.given_up)).sum()
            });
        }
    }

    /// Waits until everybody was told of everything, but not longer than that. Whether they were.
    pub async fn finish(&self, longest: Duration) -> bool {
        let telemetry = self.telemetry.clone();
        let everything = async {
            // Waits for files, in a thread of its own.
            let written = tokio::task::spawn_blocking(move || telemetry.finish(longest)).await.unwrap_or(false);
            for outlet in &*self.outlets {
                outlet.drained().await;
            }
            written
        };
        tokio::time::timeout(longest, everything).await.unwrap_or(false)
    }
}

/// Some hundred certificates.
const MOST_AUTHORITIES: u64 = 1 << 20;

#[cfg(test)]
mod tests;
