//! How the session store does: how long its verbs take, and how often it did not answer.

use std::time::Instant;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::meters::BUCKETS;

/// What is asked of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Load,
    Insert,
    Replace,
    Commit,
    End,
    Epochs,
    EndSubject,
    EndAll,
    Resolve,
    List,
    Sweep,
    Time,
}

/// The meters of all verbs, at hand: measuring takes no lock and no memory.
#[derive(Debug, Clone)]
pub(crate) struct StoreMeters {
    verbs: [VerbMeters; Verb::ALL.len()],
}

/// One call of a verb. How long it took is counted when this is dropped, also where nobody waited for the end.
#[must_use = "measures until it is dropped"]
pub(crate) struct Call<'a> {
    meters: Option<&'a VerbMeters>,
    since: Instant,
}

#[derive(Debug, Clone)]
struct VerbMeters {
    took: Histogram,
    errors: Counter,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct VerbLabels {
    verb: &'static str,
}

impl StoreMeters {
    /// All at zero: an alert sees the first error only where there was a zero before it.
    pub(super) fn in_registry(registry: &mut Registry) -> Self {
        let histogram: fn() -> Histogram = || Histogram::new(BUCKETS);
        let took = Family::<VerbLabels, Histogram, fn() -> Histogram>::new_with_constructor(histogram);
        let errors = Family::<VerbLabels, Counter>::default();
        registry.register_with_unit(
            "store_duration",
            "How long the session store took, by verb; answers from this node's memory are none of its",
            Unit::Seconds,
            took.clone(),
        );
        registry.register("store_errors", "Times that the session store did not answer, by verb", errors.clone());
        let of = |verb: Verb| {
            let labels = VerbLabels { verb: verb.as_str() };
            VerbMeters { took: took.get_or_create_owned(&labels), errors: errors.get_or_create_owned(&labels) }
        };
        Self { verbs: Verb::ALL.map(of) }
    }

    /// The store is asked from now on.
    pub(crate) fn call(&self, verb: Verb) -> Call<'_> {
        Call { meters: self.verbs.get(verb as usize), since: Instant::now() }
    }
}

impl Call<'_> {
    /// It did not answer.
    pub(crate) fn failed(&self) {
        if let Some(meters) = self.meters {
            meters.errors.inc();
        }
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        if let Some(meters) = self.meters {
            meters.took.observe(self.since.elapsed().as_secs_f64());
        }
    }
}

impl Verb {
    /// Each of them, in the order of the enum.
    const ALL: [Self; 12] = [
        Self::Load,
        Self::Insert,
        Self::Replace,
        Self::Commit,
        Self::End,
        Self::Epochs,
        Self::EndSubject,
        Self::EndAll,
        Self::Resolve,
        Self::List,
        Self::Sweep,
        Self::Time,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Load => "load",
            Self::Insert => "insert",
            Self::Replace => "replace",
            Self::Commit => "commit",
            Self::End => "end",
            Self::Epochs => "epochs",
            Self::EndSubject => "end_subject",
            Self::EndAll => "end_all",
            Self::Resolve => "resolve",
            Self::List => "list",
            Self::Sweep => "sweep",
            Self::Time => "time",
        }
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;

    use super::*;

    fn text(registry: &Registry) -> String {
        let mut text = String::new();
        encode(&mut text, registry).unwrap();
        text
    }

    #[test]
    fn each_verb_is_counted_under_its_own_name_from_the_start() {
        for verb in Verb::ALL {
            let mut registry = Registry::with_prefix("counterfoil");
            let meters = StoreMeters::in_registry(&mut registry);
            meters.call(verb).failed();
            let text = text(&registry);
            for other in Verb::ALL {
                let count = u8::from(other == verb);
                for name in ["counterfoil_store_errors_total", "counterfoil_store_duration_seconds_count"] {
                    let line = format!("{name}{{verb=\"{}\"}} {count}", other.as_str());
                    assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
                }
            }
        }
    }

    #[test]
    fn a_call_that_nobody_waited_for_took_its_time_all_the_same() {
        let mut registry = Registry::default();
        let meters = StoreMeters::in_registry(&mut registry);
        let call = meters.call(Verb::Load);
        assert!(text(&registry).contains("store_duration_seconds_count{verb=\"load\"} 0"));
        drop(call);
        assert!(text(&registry).contains("store_duration_seconds_count{verb=\"load\"} 1"));
        assert!(text(&registry).contains("store_errors_total{verb=\"load\"} 0"));
    }
}
