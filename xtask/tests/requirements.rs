//! `docs/requirements.toml` names every requirement we hold ourselves to, and no test that is not there.
//!
//! `cargo xtask requirements` runs this and shows what it prints: what is met, and what is open.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::path::Path;

use serde::Deserialize;

#[test]
fn every_requirement_of_the_sources_is_listed_once() {
    let listed: Vec<String> = read().into_iter().map(|requirement| requirement.id).collect();
    let once: BTreeSet<&str> = listed.iter().map(String::as_str).collect();
    assert_eq!(once.len(), listed.len(), "an id is listed twice");
    let expected: BTreeSet<&str> = SOURCES.iter().flat_map(|(_, ids)| ids.split(", ")).collect();
    assert_eq!(once, expected);
}

#[test]
fn no_requirement_points_to_nothing() {
    for requirement in read() {
        assert!(!requirement.by.is_empty(), "{}: nobody shows it", requirement.id);
        let said = requirement.open.as_ref().is_some_and(|open| !open.trim().is_empty());
        assert!(said || !requirement.tests.is_empty(), "{}: neither a test nor what is open", requirement.id);
        for reference in &requirement.tests {
            assert!(exists(reference), "{}: there is no test {reference}", requirement.id);
        }
    }
}

/// What a tool is to show is met in full once a test of that tool is among those that show it.
#[test]
fn nothing_is_met_by_a_tool_that_no_test_shows_it_by() {
    for requirement in read() {
        let explained = requirement.tests.iter().any(|reference| reference.contains("/policy/explain/"));
        let printed = requirement.by.iter().any(|by| matches!(by, By::Explain));
        assert!(!printed || explained || requirement.open.is_some(), "{}: nobody shows it is printed", requirement.id);
        let audited = requirement.tests.iter().any(|reference| reference.starts_with("crates/audit/"));
        let asked = requirement.by.iter().any(|by| matches!(by, By::Audit));
        assert!(!asked || audited || requirement.open.is_some(), "{}: no test of the auditor shows it", requirement.id);
    }
}

#[test]
fn what_is_open_is_printed() {
    let all = read();
    let (open, met): (Vec<_>, Vec<_>) = all.iter().partition(|requirement| requirement.open.is_some());
    let (partly, not_begun): (Vec<_>, Vec<_>) = open.into_iter().partition(|open| !open.tests.is_empty());
    println!("{} requirements: {} met, {} in part, {} open\n", all.len(), met.len(), partly.len(), not_begun.len());
    for (heading, some) in [("In part, missing:", &partly), ("Open:", &not_begun)] {
        println!("{heading}");
        for requirement in some {
            println!("  {:<32} {}", requirement.id, requirement.open.as_deref().unwrap_or_default());
        }
        println!();
    }
    assert!(met.len() >= MET, "{} were met and {} are: what became of the others?", MET, met.len());
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    requirement: Vec<Requirement>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Requirement {
    id: String,
    #[serde(rename = "asks")]
    _asks: String,
    by: Vec<By>,
    #[serde(default)]
    tests: Vec<String>,
    open: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum By {
    Test,
    Audit,
    Explain,
}

fn read() -> Vec<Requirement> {
    toml::from_str::<Listed>(&text("docs/requirements.toml").unwrap()).unwrap().requirement
}

/// `races::NAME` is a race over HTTP, `browser::NAME` a case of the real browser; anything else is a file and a test
/// function in it.
fn exists(reference: &str) -> bool {
    let (place, name) = reference.split_once("::").unwrap();
    match place {
        "races" => return text("e2e/src/scenario.rs").unwrap().contains(&format!("=> \"{name}\"")),
        "browser" => return text("e2e/browser/src/case.rs").unwrap().contains(&format!("\"{name}\"")),
        _ => {}
    }
    let Some(source) = text(place) else { return false };
    let mut lines = source.lines().collect::<Vec<_>>();
    let Some(index) = lines.iter().position(|line| line.contains(&format!("fn {name}("))) else {
        return false;
    };
    lines.truncate(index);
    let attributes = lines.iter().rev().take_while(|line| line.trim_start().starts_with("#["));
    attributes.filter(|line| line.contains("test")).count() == 1
}

fn text(path: &str) -> Option<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    std::fs::read_to_string(root.join(path)).ok()
}

/// How many were met when somebody last looked. It only grows.
const MET: usize = 65;

/// Which ids there are.
#[rustfmt::skip]
const SOURCES: &[(&str, &str)] = &[
    ("OWASP ASVS 5.0, V7", "ASVS 7.1.1, ASVS 7.1.2, ASVS 7.1.3, ASVS 7.2.1, ASVS 7.2.2, ASVS 7.2.3, ASVS 7.2.4, ASVS 7.3.1, \
        ASVS 7.3.2, ASVS 7.4.1, ASVS 7.4.2, ASVS 7.4.3, ASVS 7.4.4, ASVS 7.4.5, ASVS 7.5.1, ASVS 7.5.2, ASVS 7.5.3, \
        ASVS 7.6.1, ASVS 7.6.2"),
    ("OWASP ASVS 5.0, further", "ASVS 3.3.1, ASVS 3.3.2, ASVS 3.3.3, ASVS 3.3.4, ASVS 3.3.5, ASVS 3.4.1, ASVS 3.4.2, ASVS 3.4.3, \
        ASVS 3.4.4, ASVS 3.4.5, ASVS 3.4.6, ASVS 3.4.7, ASVS 3.4.8, ASVS 3.5.1, ASVS 3.5.2, ASVS 3.5.3, ASVS 3.5.8, \
        ASVS 4.1.3, ASVS 4.2.5, ASVS 4.4.2, ASVS 6.1.1, ASVS 6.3.1, ASVS 6.3.5, ASVS 6.3.7, ASVS 6.8.4, ASVS 8.2.4, \
        ASVS 8.3.2, ASVS 9.1.1, ASVS 9.1.2, ASVS 9.1.3, ASVS 9.2.1, ASVS 9.2.2, ASVS 9.2.3, ASVS 9.2.4, ASVS 10.1.1, \
        ASVS 10.1.2, ASVS 10.2.1, ASVS 10.2.2, ASVS 10.4.5, ASVS 10.4.8, ASVS 10.4.9, ASVS 10.5.1, ASVS 10.5.2, \
        ASVS 10.5.3, ASVS 10.5.4, ASVS 10.5.5, ASVS 11.5.1, ASVS 11.5.2, ASVS 13.3.1, ASVS 13.3.2, ASVS 13.3.3, \
        ASVS 13.3.4, ASVS 14.2.1, ASVS 14.2.2, ASVS 14.2.5, ASVS 14.3.1, ASVS 14.3.2, ASVS 16.2.5"),
    ("NIST SP 800-63B-4", "NIST AAL1, NIST AAL2, NIST AAL3"),
    ("OWASP WSTG", "WSTG-SESS-01, WSTG-SESS-02, WSTG-SESS-03, WSTG-SESS-04, WSTG-SESS-05, WSTG-SESS-06, WSTG-SESS-07, \
        WSTG-SESS-08, WSTG-SESS-09, WSTG-SESS-10, WSTG-SESS-11"),
    ("RFCs and drafts", "RFC 6265bis limits, OAuth for browser-based apps, RFC 9470, RFC 9449, RFC 8628, RFC 9457, RFC 9651, \
        RFC 8725, RFC 9068, RFC 7662, RFC 7009, RFC 8176, Shared Signals/CAEP, RFC 9116"),
    ("Third-party suites", "Wycheproof, http-state, Observatory A+, testssl, csp_evaluator, Chromium cookies"),
];
