//! The alert rules, the dashboard and the pages that go with them, held against what is measured and against each other.

use std::collections::BTreeSet;
use std::time::Duration;

use counterfoil::Correction;
use counterfoil::stores::embedded::LiveSessions;
use counterfoil::stores::near_cache::Figures;
use serde_json::Value;

use super::{Meters, Outcome};

const RULES: &str = include_str!("../../../../packaging/prometheus/counterfoil.rules.yml");
const CASES: &str = include_str!("../../../../packaging/prometheus/counterfoil.rules.test.yml");
const DASHBOARD: &str = include_str!("../../../../packaging/grafana/counterfoil.json");
const RUNBOOK: &str = include_str!("../../../../docs/runbook.md");
const MANUAL: &str = include_str!("../../../../docs/gateway/operations.md");

/// Everything that a scrape may have.
fn scrape() -> String {
    let meters = Meters::new();
    meters.site(&"wiki".parse().unwrap()).decided(Outcome::Allowed, Duration::from_millis(1));
    let _ = meters.events().begin("wiki");
    meters.sessions(LiveSessions::default());
    let mut figures = Figures::default();
    figures.lag = Some(Duration::ZERO);
    meters.near_cache(&figures, Duration::from_secs(3));
    meters.detector(&counterfoil::detector::Figures::default());
    meters.clock_correction(Correction::from_millis(1));
    meters.text().unwrap()
}

/// The names under which it is stored.
fn stored(scrape: &str) -> BTreeSet<String> {
    let types = scrape.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let endings = |kind: &str| match kind {
        "counter" => &["_total"][..],
        "histogram" => &["_bucket", "_count", "_sum"],
        "info" => &["_info"],
        _ => &[""],
    };
    types.flat_map(|(name, kind)| endings(kind).iter().map(move |ending| format!("{name}{ending}"))).collect()
}

/// The names of ours in a text, but not the beginnings of some (`counterfoil_near_cache_…`).
fn named(text: &str) -> BTreeSet<&str> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    words.filter(|word| word.starts_with("counterfoil_") && !word.ends_with('_')).collect()
}

/// The pieces of a text that begin after `start`, each up to the end of its line.
fn after<'a>(text: &'a str, start: &'a str) -> impl Iterator<Item = &'a str> {
    text.lines().filter_map(move |line| line.trim_start().strip_prefix(start))
}

fn alerts() -> BTreeSet<&'static str> {
    let alerts: Vec<_> = after(RULES, "- alert: ").collect();
    let names: BTreeSet<_> = alerts.iter().copied().collect();
    assert_eq!(names.len(), alerts.len(), "an alert is there twice");
    assert!(names.len() >= 29, "{names:?}");
    names
}

#[test]
fn nothing_is_looked_for_that_is_not_measured() {
    let scrape = scrape();
    let stored = stored(&scrape);
    for (place, text) in [("rules", RULES), ("cases", CASES), ("dashboard", DASHBOARD), ("runbook", RUNBOOK)] {
        let missing: Vec<_> = named(text).into_iter().filter(|name| !stored.contains(*name)).collect();
        assert!(missing.is_empty(), "{place}: {missing:?} of\n{stored:#?}");
    }
    assert!(named(RULES).len() >= 15 && named(DASHBOARD).len() >= 15);
}

#[test]
fn the_manual_has_a_row_for_all_that_is_measured_and_for_nothing_else() {
    let of_histogram = ["_bucket", "_count", "_sum"];
    let scrape = scrape();
    let measured: BTreeSet<_> = stored(&scrape)
        .into_iter()
        .map(|name| of_histogram.iter().find_map(|ending| name.strip_suffix(ending).map(str::to_owned)).unwrap_or(name))
        .collect();
    let rows: String = MANUAL.lines().filter(|line| line.starts_with("| `counterfoil_")).collect();
    assert!(named(&rows).into_iter().eq(measured.iter().map(String::as_str)), "{:#?}\n{measured:#?}", named(&rows));
}

/// A word that does not exist is a rule that never fires.
#[test]
fn labels_have_words_that_there_are() {
    let scrape = scrape();
    let words = |text: &str, label: &str| {
        let start = format!("{label}=");
        let found = text.split(&start).skip(1).map(|rest| rest.trim_start_matches(['~', '\\', '"']));
        let value = found.filter_map(|rest| rest.split(['"', '\\']).next());
        value.flat_map(|value| value.split('|').map(str::to_owned).collect::<Vec<_>>()).collect::<BTreeSet<_>>()
    };
    for label in ["outcome", "signal", "decision", "event", "reason", "act", "per", "verb", "enforced"] {
        let there = words(&scrape, label);
        for text in [RULES, CASES, DASHBOARD] {
            let missing: Vec<_> = words(text, label).into_iter().filter(|word| !there.contains(word)).collect();
            assert!(missing.is_empty(), "{label}: {missing:?}");
        }
    }
}

#[test]
fn each_alert_says_how_grave_it_is_what_it_is_and_what_to_do() {
    for (rule, name) in RULES.split("- alert: ").skip(1).zip(after(RULES, "- alert: ")) {
        let grave = ["critical", "warning"].iter().any(|word| rule.contains(&format!("severity: {word}\n")));
        assert!(grave, "{name} has no severity");
        for said in ["summary: \"", "description: \""] {
            assert!(after(rule, said).any(|text| text.ends_with(['.', '}', '"'])), "{name}: {said}");
        }
        let runbook = format!("docs/runbook.md#{}", name.to_lowercase());
        assert_eq!(after(rule, "runbook: ").collect::<Vec<_>>(), [runbook], "{name}");
    }
}

#[test]
fn each_alert_has_its_section_of_the_runbook_and_each_section_its_alert() {
    let sections: Vec<_> = after(RUNBOOK, "### ").collect();
    let once: BTreeSet<_> = sections.iter().copied().collect();
    assert_eq!(once.len(), sections.len(), "a section is there twice");
    assert_eq!(once, alerts());
    for section in RUNBOOK.split("\n### ").skip(1) {
        let section = section.split("\n## ").next().unwrap();
        for part in ["**Means.** ", "**Look.** ", "**Do.** ", "**Harmless** "] {
            assert!(section.contains(part), "{part}: {section}");
        }
    }
}

#[test]
fn each_alert_is_tried_where_it_fires_and_where_it_does_not() {
    for name in alerts() {
        let cases = |what: &str| {
            let start = format!("- name: \"{name} {what} ");
            let cases: Vec<_> = CASES.split("\n  ").filter(|line| line.starts_with(&start)).collect();
            assert!(!cases.is_empty(), "{name} has no case in which it {what}");
            CASES.split("\n\n").filter(move |case| case.contains(&start)).collect::<Vec<_>>()
        };
        for case in cases("fires") {
            assert!(case.contains(&format!("labels: 'ALERTS{{alertname=\"{name}\"")), "{case}");
        }
        for case in cases("is quiet") {
            assert!(case.contains("exp_samples: []") && !case.contains("alertname"), "{case}");
        }
    }
}

#[test]
fn the_dashboard_asks_the_source_that_is_chosen_and_shows_all_there_is_to_see() {
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let titles: BTreeSet<_> = panels.iter().filter_map(|panel| panel["title"].as_str()).collect();
    assert_eq!(titles.len(), panels.len(), "titles tell panels apart");
    for panel in panels.iter().filter(|panel| panel["type"] != "row") {
        let targets = panel["targets"].as_array().unwrap();
        assert!(!targets.is_empty());
        for target in targets {
            let expression = target["expr"].as_str().unwrap();
            assert!(!named(expression).is_empty(), "{expression}");
            assert!(!expression.contains("{app=") || expression.contains("$app"), "{expression}");
        }
    }
    let sources: Vec<_> = after(DASHBOARD, "\"uid\": ").filter(|uid| *uid != r#""${datasource}""#).collect();
    assert_eq!(sources, ["\"counterfoil\","], "the dashboard's own, and no source that is somebody's");
    let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), panels.len());
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    assert_eq!((&variables[0]["name"], &variables[0]["type"]), (&"datasource".into(), &"datasource".into()));
    let shown: BTreeSet<_> = named(DASHBOARD);
    for name in [
        "counterfoil_sessions",
        "counterfoil_sessions_created_total",
        "counterfoil_sessions_ended_total",
        "counterfoil_decisions_total",
        "counterfoil_decision_duration_seconds_bucket",
        "counterfoil_store_duration_seconds_bucket",
        "counterfoil_store_errors_total",
        "counterfoil_near_cache_lookups_total",
        "counterfoil_near_cache_lag_seconds",
        "counterfoil_near_cache_bound_seconds",
        "counterfoil_rotations_total",
        "counterfoil_csrf_denied_total",
        "counterfoil_signals_total",
        "counterfoil_limits_hit_total",
        "counterfoil_events_lost_total",
    ] {
        assert!(shown.contains(name), "{name} is not shown");
    }
}
