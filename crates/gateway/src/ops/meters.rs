//! What is counted, in the text format of OpenMetrics.
//!
//! # Security
//! No label holds what a client can choose: apps are those of the configuration, everything else is one of a few words.
//! No session, subject or address is in here.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use counterfoil::stores::embedded::LiveSessions;
use counterfoil::stores::near_cache::Figures;
use counterfoil::{Correction, detector};
use counterfoil_telemetry::EventMeters;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use super::Outcome;
use super::store_meters::StoreMeters;
use crate::app::AppName;

/// Everything that is counted. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Meters(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    registry: Registry,
    decisions: Family<DecisionLabels, Counter>,
    latency: Family<AppLabels, Histogram, fn() -> Histogram>,
    events: EventMeters,
    store: StoreMeters,
    ready: Gauge,
    reloads: Family<ResultLabels, Counter>,
    reload_failed: Gauge,
    /// Empty where the store does not tell.
    sessions: Family<AssuranceLabels, Gauge>,
    /// The near cache's; empty where there is none.
    lookups: Family<OutcomeLabels, Counter>,
    lag: Family<NoLabels, Gauge<f64, AtomicU64>>,
    bound: Family<NoLabels, Gauge<f64, AtomicU64>>,
    remembered: Family<NoLabels, Gauge>,
    memory: Family<NoLabels, Gauge>,
    /// Empty where there is no detector.
    detector: Family<OutcomeLabels, Counter>,
    /// Empty where the store has no clock.
    clock_correction: Family<NoLabels, Gauge<f64, AtomicU64>>,
    key_age: Gauge<f64, AtomicU64>,
    key_follow_failed: Gauge,
    log_lines_lost: Counter,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AssuranceLabels {
    assurance: &'static str,
}

/// Of what there is one of, or none.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct NoLabels {}

/// The counters of one app's decisions, at hand: counting takes no lock and no memory.
#[derive(Debug, Clone)]
pub struct SiteMeters {
    outcomes: [Counter; Outcome::ALL.len()],
    latency: Histogram,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DecisionLabels {
    app: String,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AppLabels {
    app: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabels {
    result: &'static str,
}

impl Meters {
    /// All at zero.
    pub fn new() -> Self {
        let histogram: fn() -> Histogram = || Histogram::new(BUCKETS);
        let mut registry = Registry::with_prefix("counterfoil");
        let (events, store) = (EventMeters::in_registry(&mut registry), StoreMeters::in_registry(&mut registry));
        let mut inner = Inner {
            registry,
            decisions: Family::default(),
            latency: Family::new_with_constructor(histogram),
            events,
            store,
            ready: Gauge::default(),
            reloads: Family::default(),
            reload_failed: Gauge::default(),
            sessions: Family::default(),
            lookups: Family::default(),
            lag: Family::default(),
            bound: Family::default(),
            remembered: Family::default(),
            memory: Family::default(),
            detector: Family::default(),
            clock_correction: Family::default(),
            key_age: Gauge::default(),
            key_follow_failed: Gauge::default(),
            log_lines_lost: Counter::default(),
        };
        // Alerts need both series from the start.
        for result in ["done", "refused"] {
            let _ = inner.reloads.get_or_create(&ResultLabels { result });
        }
        let registry = &mut inner.registry;
        registry.register("build", "Which program this is", Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]));
        registry.register("decisions", "Answers to proxies, by app and outcome", inner.decisions.clone());
        registry.register_with_unit(
            "decision_duration",
            "How long decisions took",
            Unit::Seconds,
            inner.latency.clone(),
        );
        inner.register_near_cache();
        inner.register_upkeep();
        Self(Arc::new(inner))
    }

    /// Those of an app.
    pub fn site(&self, app: &AppName) -> SiteMeters {
        self.labelled(app.as_str())
    }

    /// Those of requests that name no app of ours.
    pub fn strangers(&self) -> SiteMeters {
        self.labelled("unknown")
    }

    fn labelled(&self, app: &str) -> SiteMeters {
        let outcome = |outcome: Outcome| {
            let labels = DecisionLabels { app: app.to_owned(), outcome: outcome.as_str() };
            self.0.decisions.get_or_create(&labels).clone()
        };
        SiteMeters {
            outcomes: Outcome::ALL.map(outcome),
            latency: self.0.latency.get_or_create(&AppLabels { app: app.to_owned() }).clone(),
        }
    }

    /// What happens to sessions, and what sinks of events lose.
    pub fn events(&self) -> &EventMeters {
        &self.0.events
    }

    /// What is asked of the store.
    pub(crate) fn store(&self) -> &StoreMeters {
        &self.0.store
    }

    /// Whether proxies should ask this gateway now.
    pub fn ready(&self, is_ready: bool) {
        self.0.ready.set(i64::from(is_ready));
    }

    /// The configuration was read again, and exchanged or not.
    pub fn reloaded(&self, exchanged: bool) {
        let result = if exchanged { "done" } else { "refused" };
        self.0.reloads.get_or_create(&ResultLabels { result }).inc();
        self.0.reload_failed.set(i64::from(!exchanged));
    }

    /// How many sessions there are.
    pub fn sessions(&self, live: LiveSessions) {
        for (assurance, count) in live.by_assurance() {
            let labels = AssuranceLabels { assurance: assurance.as_str() };
            self.0.sessions.get_or_create(&labels).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }

    /// What the near cache did so far, and how long it may be unheard that a session ended elsewhere.
    pub fn near_cache(&self, figures: &Figures, bound: Duration) {
        let Figures { hits, misses, bypassed, lag, sessions, bytes, .. } = *figures;
        for (outcome, count) in [("hit", hits), ("miss", misses), ("bypassed", bypassed)] {
            let counter = self.0.lookups.get_or_create(&OutcomeLabels { outcome });
            counter.inner().store(count, Ordering::Relaxed);
        }
        if let Some(lag) = lag {
            self.0.lag.get_or_create(&NoLabels {}).set(lag.as_secs_f64());
        }
        self.0.bound.get_or_create(&NoLabels {}).set(bound.as_secs_f64());
        for (family, count) in [(&self.0.remembered, sessions), (&self.0.memory, bytes)] {
            family.get_or_create(&NoLabels {}).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }

    /// What is added to this node's clock to show the store's time.
    pub fn clock_correction(&self, correction: Correction) {
        let sign = if correction.millis() < 0 { -1.0 } else { 1.0 };
        self.0.clock_correction.get_or_create(&NoLabels {}).set(sign * correction.size().as_secs_f64());
    }

    /// What came of asking the operator's detector so far.
    pub fn detector(&self, figures: &detector::Figures) {
        for outcome in detector::Outcome::ALL {
            let counter = self.0.detector.get_or_create(&OutcomeLabels { outcome: outcome.as_str() });
            counter.inner().store(figures.of(outcome), Ordering::Relaxed);
        }
    }

    /// How old the signing key is.
    pub fn signing_key_age(&self, age: Duration) {
        self.0.key_age.set(age.as_secs_f64());
    }

    /// Whether the key file could be used when it was read last.
    pub fn keys_followed(&self, usable: bool) {
        self.0.key_follow_failed.set(i64::from(!usable));
    }

    /// How many log lines were lost since the start.
    pub fn log_lines_lost(&self, count: u64) {
        self.0.log_lines_lost.inner().store(count, Ordering::Relaxed);
    }

    /// All of it, for whoever scrapes.
    ///
    /// # Errors
    /// None that a text in memory could have.
    pub fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.0.registry)?;
        Ok(text)
    }
}

impl Inner {
    /// What tells of this node's memory before a store that others share.
    fn register_near_cache(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "near_cache_lookups",
            "Sessions answered from memory (hit), not there (miss), and times memory was not asked (bypassed)",
            self.lookups.clone(),
        );
        registry.register_with_unit(
            "near_cache_lag",
            "How long a revocation on another node may be unheard here; beyond the bound memory is not asked",
            Unit::Seconds,
            self.lag.clone(),
        );
        registry.register_with_unit(
            "near_cache_bound",
            "The longest a session is admitted after it was ended on another node",
            Unit::Seconds,
            self.bound.clone(),
        );
        registry.register("near_cache_sessions", "Sessions in memory", self.remembered.clone());
        registry.register_with_unit("near_cache_size", "What they take, roughly", Unit::Bytes, self.memory.clone());
    }

    /// What tells of the gateway itself.
    fn register_upkeep(&mut self) {
        let registry = &mut self.registry;
        registry.register("ready", "1 if proxies should ask this gateway; /readyz says why not", self.ready.clone());
        registry.register("config_reloads", "Times that the configuration was read again", self.reloads.clone());
        registry.register(
            "config_stale",
            "1 if the last reload was refused: an older configuration is in force",
            self.reload_failed.clone(),
        );
        registry.register("detector_answers", DETECTOR_ANSWERS, self.detector.clone());
        registry.register(
            "sessions",
            "Live sessions, if the store tells; those stepped up count as authenticated",
            self.sessions.clone(),
        );
        registry.register_with_unit(
            "signing_key_age",
            "How long ago the key that signs was made",
            Unit::Seconds,
            self.key_age.clone(),
        );
        registry.register_with_unit(
            "clock_correction",
            "What is added to this node's clock to show the session store's time; beyond 5 nobody is served",
            Unit::Seconds,
            self.clock_correction.clone(),
        );
        registry.register(
            "keys_stale",
            "1 if the key file cannot be used: the keys read before are in use",
            self.key_follow_failed.clone(),
        );
        registry.register(
            "log_lines_lost",
            "Lines that whoever reads the log was too slow for",
            self.log_lines_lost.clone(),
        );
    }
}

impl Default for Meters {
    fn default() -> Self {
        Self::new()
    }
}

impl SiteMeters {
    /// One decision was made.
    pub fn decided(&self, outcome: Outcome, took: Duration) {
        if let Some(counter) = self.outcomes.get(outcome as usize) {
            counter.inc();
        }
        self.latency.observe(took.as_secs_f64());
    }
}

const DETECTOR_ANSWERS: &str = "What came of asking the operator's detector";
/// Of decisions and of what the store takes: from answers out of memory to a disk that is nearly full. A proxy waits for each.
pub(super) const BUCKETS: [f64; 10] = [0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.01, 0.05, 0.25, 1.0, 5.0];

#[cfg(test)]
mod tests {
    use counterfoil_core::EventKind;

    use super::super::store_meters::Verb;
    use super::*;

    #[test]
    fn a_scrape_has_every_series_with_names_that_alerts_use() {
        let meters = Meters::new();
        let app: AppName = "wiki".parse().unwrap();
        meters.site(&app).decided(Outcome::Allowed, Duration::from_micros(300));
        meters.site(&app).decided(Outcome::Unavailable, Duration::from_secs(2));
        meters.events().begin(app.as_str()).happened(&EventKind::SessionCreated { previous: None });
        meters.events().losses("webhook", || 4);
        meters.store().call(Verb::Commit).failed();
        meters.ready(true);
        meters.reloaded(true);
        meters.reloaded(false);
        meters.sessions(LiveSessions { anonymous: 7, remembered: 2, authenticated: 5 });
        meters.clock_correction(Correction::from_millis(-1_500));
        meters.log_lines_lost(3);
        meters.signing_key_age(Duration::from_secs(90));
        let text = meters.text().unwrap();
        for line in [
            r#"counterfoil_decisions_total{app="wiki",outcome="allowed"} 1"#,
            r#"counterfoil_decisions_total{app="wiki",outcome="unavailable"} 1"#,
            r#"counterfoil_decisions_total{app="wiki",outcome="denied"} 0"#,
            r#"counterfoil_decision_duration_seconds_bucket{le="0.00025",app="wiki"} 0"#,
            r#"counterfoil_decision_duration_seconds_bucket{le="0.0005",app="wiki"} 1"#,
            r#"counterfoil_decision_duration_seconds_count{app="wiki"} 2"#,
            r#"counterfoil_events_total{app="wiki",event="session.created"} 1"#,
            r#"counterfoil_events_lost_total{sink="webhook"} 4"#,
            r#"counterfoil_store_errors_total{verb="commit"} 1"#,
            "counterfoil_ready 1",
            r#"counterfoil_config_reloads_total{result="done"} 1"#,
            r#"counterfoil_config_reloads_total{result="refused"} 1"#,
            "counterfoil_config_stale 1",
            r#"counterfoil_sessions{assurance="anonymous"} 7"#,
            r#"counterfoil_sessions{assurance="remembered"} 2"#,
            r#"counterfoil_sessions{assurance="authenticated"} 5"#,
            "counterfoil_clock_correction_seconds{} -1.5",
            "counterfoil_signing_key_age_seconds 90.0",
            "counterfoil_keys_stale 0",
            "counterfoil_log_lines_lost_total 3",
            "# EOF",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
    }
}
