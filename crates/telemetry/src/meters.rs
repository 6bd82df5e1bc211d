//! What happens to sessions as numbers, for alerts and dashboards: series of OpenMetrics that are there from the start.
//!
//! # Security
//! No label holds what a client can choose: sites are those of the configuration, everything else is a word of ours. So there
//! are [`SERIES_PER_SITE`] series for each site and one for each sink, whatever anybody sends; no session, subject or address
//! is in them.

use std::fmt;
use std::sync::Arc;

use counterfoil_core::csrf::DenyReason;
use counterfoil_core::limits::{Act, Per};
use counterfoil_core::rules::{Decision, EndReason, Reaction, Signal, Trigger};
use counterfoil_core::{Event, EventKind, EventSink};
use parking_lot::RwLock;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use crate::only::NAMES;

/// Counts the events of all sites of a program. Cheap to clone.
///
/// # Examples
/// ```
/// use counterfoil_core::{EventKind, rules::EndReason};
/// use counterfoil_telemetry::EventMeters;
/// use prometheus_client::{encoding::text::encode, registry::Registry};
///
/// let mut registry = Registry::with_prefix("counterfoil");
/// let meters = EventMeters::in_registry(&mut registry);
/// let wiki = meters.begin("wiki");
/// wiki.happened(&EventKind::SessionEnded { reason: EndReason::SignOut });
///
/// let mut text = String::new();
/// encode(&mut text, &registry)?;
/// assert!(text.contains(r#"counterfoil_sessions_ended_total{app="wiki",reason="sign_out"} 1"#));
/// assert!(text.contains(r#"counterfoil_sessions_ended_total{app="wiki",reason="reuse"} 0"#));
/// # Ok::<_, std::fmt::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct EventMeters(Arc<Families>);

/// Counts the events of one site, on the path of the request that tells them: no memory is taken, and nobody is waited for but
/// another who counts. It is itself an [`EventSink`].
#[derive(Debug, Clone)]
pub struct SiteEventMeters {
    families: Arc<Families>,
    app: Arc<str>,
}

/// How many series there are for each site: every name of an event, every reason, signal with its decision, and so on.
pub const SERIES_PER_SITE: usize = NAMES.len()
    + 1
    + EndReason::ALL.len()
    + Outcome::ALL.len()
    + DenyReason::ALL.len() * 2
    // That nothing is decided is no event.
    + Signal::ALL.len() * (Decision::ALL.len() - 1)
    + Act::ALL.len() * Per::ALL.len()
    + Trigger::ALL.len() * Reaction::ALL.len();

#[derive(Debug, Default)]
struct Families {
    events: Family<EventLabels, Counter>,
    created: Family<AppLabels, Counter>,
    ended: Family<EndedLabels, Counter>,
    rotations: Family<RotationLabels, Counter>,
    csrf_denied: Family<CsrfLabels, Counter>,
    signals: Family<SignalLabels, Counter>,
    limits_hit: Family<LimitLabels, Counter>,
    account_changes: Family<AccountLabels, Counter>,
    losses: Losses,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AppLabels {
    app: Arc<str>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EventLabels {
    app: Arc<str>,
    event: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EndedLabels {
    app: Arc<str>,
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RotationLabels {
    app: Arc<str>,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CsrfLabels {
    app: Arc<str>,
    reason: &'static str,
    enforced: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SignalLabels {
    app: Arc<str>,
    signal: &'static str,
    decision: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LimitLabels {
    app: Arc<str>,
    act: &'static str,
    per: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AccountLabels {
    app: Arc<str>,
    change: &'static str,
    reaction: &'static str,
}

/// What a token family came to.
#[derive(Debug, Clone, Copy)]
enum Outcome {
    Rotated,
    Reused,
    RolledBack,
    Forgotten,
}

impl EventMeters {
    /// Counts into `registry`, which gives the names their prefix: `counterfoil`, for the alert rules that come with it.
    pub fn in_registry(registry: &mut Registry) -> Self {
        let families = Families::default();
        families.register(registry);
        Self(Arc::new(families))
    }

    /// The counters of a site, all of which are there from now on: an alert sees the first event as an increase only where
    /// there was a zero before it.
    ///
    /// # Security
    /// `site` is a name of the configuration. One that a client can choose would be a series of its own each time.
    pub fn begin(&self, site: &str) -> SiteEventMeters {
        let site = SiteEventMeters { families: Arc::clone(&self.0), app: site.into() };
        site.begin();
        site
    }

    /// Tells how many events `sink` lost. `lost` is asked at each scrape, and answers at once; sinks of the same name are
    /// added up.
    pub fn losses(&self, sink: &'static str, lost: impl Fn() -> u64 + Send + Sync + 'static) {
        self.0.losses.0.write().push((sink, Box::new(lost)));
    }
}

impl SiteEventMeters {
    /// One event.
    pub fn happened(&self, kind: &EventKind) {
        let Families { events, created, ended, rotations, csrf_denied, signals, limits_hit, account_changes, .. } =
            &*self.families;
        let app = || Arc::clone(&self.app);
        count(events, &EventLabels { app: app(), event: kind.name() });
        if let Some((signal, decision)) = signal(kind) {
            count(signals, &SignalLabels { app: app(), signal: signal.as_str(), decision: decision.as_str() });
        }
        if let Some(outcome) = Outcome::of(kind) {
            count(rotations, &RotationLabels { app: app(), outcome: outcome.as_str() });
        }
        match *kind {
            EventKind::SessionCreated { .. } => count(created, &AppLabels { app: app() }),
            EventKind::SessionEnded { reason } => count(ended, &EndedLabels { app: app(), reason: reason.as_str() }),
            EventKind::CsrfDenied { reason, enforced } => {
                count(csrf_denied, &CsrfLabels { app: app(), reason, enforced });
            }
            EventKind::LimitHit { act, per } => {
                count(limits_hit, &LimitLabels { app: app(), act: act.as_str(), per: per.as_str() });
            }
            EventKind::AccountChanged { trigger, reaction } => {
                let labels = AccountLabels { app: app(), change: trigger.as_str(), reaction: reaction.as_str() };
                count(account_changes, &labels);
            }
            _ => {}
        }
    }

    fn begin(&self) {
        let families = &*self.families;
        let app = || Arc::clone(&self.app);
        zero(&families.created, &AppLabels { app: app() });
        for event in NAMES {
            zero(&families.events, &EventLabels { app: app(), event });
        }
        for reason in EndReason::ALL {
            zero(&families.ended, &EndedLabels { app: app(), reason: reason.as_str() });
        }
        for outcome in Outcome::ALL {
            zero(&families.rotations, &RotationLabels { app: app(), outcome: outcome.as_str() });
        }
        for (reason, enforced) in pairs(DenyReason::ALL, [true, false]) {
            zero(&families.csrf_denied, &CsrfLabels { app: app(), reason: reason.as_str(), enforced });
        }
        let decided = Decision::ALL.into_iter().filter(|decision| *decision != Decision::None);
        for (signal, decision) in pairs(Signal::ALL, decided) {
            let labels = SignalLabels { app: app(), signal: signal.as_str(), decision: decision.as_str() };
            zero(&families.signals, &labels);
        }
        for (act, per) in pairs(Act::ALL, Per::ALL) {
            zero(&families.limits_hit, &LimitLabels { app: app(), act: act.as_str(), per: per.as_str() });
        }
        for (trigger, reaction) in pairs(Trigger::ALL, Reaction::ALL) {
            let labels = AccountLabels { app: app(), change: trigger.as_str(), reaction: reaction.as_str() };
            zero(&families.account_changes, &labels);
        }
    }
}

impl EventSink for SiteEventMeters {
    fn emit(&self, event: &Event) {
        self.happened(&event.kind);
    }
}

/// Which signal of a theft an event is, and what was decided on it. Those from the rules of rotation are events of their own:
/// a reused token ends its session or not, for the others an event is all.
const fn signal(kind: &EventKind) -> Option<(Signal, Decision)> {
    let Some(signal) = kind.signal() else { return None };
    let decision = match kind {
        EventKind::Signalled { decision: Decision::None, .. } => return None,
        EventKind::Signalled { decision, .. } => *decision,
        EventKind::TokenReused { ended: true } => Decision::Revoke,
        _ => Decision::Note,
    };
    Some((signal, decision))
}

impl Outcome {
    const ALL: [Self; 4] = [Self::Rotated, Self::Reused, Self::RolledBack, Self::Forgotten];

    const fn of(kind: &EventKind) -> Option<Self> {
        Some(match kind {
            EventKind::SessionRotated => Self::Rotated,
            EventKind::TokenReused { .. } => Self::Reused,
            EventKind::TokenRolledBack => Self::RolledBack,
            EventKind::TokenForgotten => Self::Forgotten,
            _ => return None,
        })
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Rotated => "rotated",
            Self::Reused => "reused",
            Self::RolledBack => "rolled_back",
            Self::Forgotten => "forgotten",
        }
    }
}

impl Families {
    fn register(&self, registry: &mut Registry) {
        registry.register(
            "events",
            "What happened to sessions, by app; the names are those in the log",
            self.events.clone(),
        );
        registry.register("sessions_created", "Sessions that began", self.created.clone());
        registry.register(
            "sessions_ended",
            "Sessions that were ended one by one, by reason; none tells when the clock ends it",
            self.ended.clone(),
        );
        registry.register(
            "rotations",
            "Tokens that got a successor (rotated), and older or unknown ones that came back",
            self.rotations.clone(),
        );
        registry.register(
            "csrf_denied",
            "Requests that a CSRF check refused (enforced), or would have refused",
            self.csrf_denied.clone(),
        );
        registry.register(
            "signals",
            "What may mean that somebody else has a session, and what was decided on it",
            self.signals.clone(),
        );
        registry.register(
            "limits_hit",
            "Budgets used up, by what was tried and whose they are; each once a minute",
            self.limits_hit.clone(),
        );
        registry.register(
            "account_changes",
            "Changes of accounts, and what was done to their sessions",
            self.account_changes.clone(),
        );
        registry.register_collector(Box::new(self.losses.clone()));
    }
}

/// Who tells how many events were lost.
#[derive(Clone, Default)]
struct Losses(Arc<RwLock<Vec<Loss>>>);

type Loss = (&'static str, Box<dyn Fn() -> u64 + Send + Sync>);

impl Losses {
    /// Each name once.
    fn now(&self) -> Vec<(&'static str, u64)> {
        let mut all: Vec<(&'static str, u64)> = Vec::new();
        for (sink, lost) in self.0.read().iter() {
            match all.iter_mut().find(|(name, _)| name == sink) {
                Some((_, sum)) => *sum = sum.saturating_add(lost()),
                None => all.push((sink, lost())),
            }
        }
        all
    }
}

impl Collector for Losses {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Events that a sink could not take, since the start.";
        let mut family = encoder.encode_descriptor("events_lost", help, None, MetricType::Counter)?;
        for (sink, lost) in self.now() {
            ConstCounter::new(lost).encode(family.encode_family(&[("sink", sink)])?)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Losses {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_map().entries(self.now()).finish()
    }
}

fn count<L: Clone + Eq + std::hash::Hash>(family: &Family<L, Counter>, labels: &L) {
    family.get_or_create(labels).inc();
}

fn zero<L: Clone + Eq + std::hash::Hash>(family: &Family<L, Counter>, labels: &L) {
    drop(family.get_or_create(labels));
}

/// Each of the first with each of the second.
fn pairs<A: Copy, B>(
    first: impl IntoIterator<Item = A>,
    second: impl IntoIterator<Item = B> + Clone,
) -> impl Iterator<Item = (A, B)> {
    first.into_iter().flat_map(move |one| second.clone().into_iter().map(move |other| (one, other)))
}

#[cfg(test)]
mod tests;
