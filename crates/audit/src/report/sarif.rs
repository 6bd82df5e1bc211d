//! A report as SARIF 2.1.0: flaws are results; what could not be judged is a notification.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{Entry, Judged, Shown};
use crate::baseline::State;
use crate::finding::Verdict;
use crate::rule::Severity;

/// As written to files.
pub fn written(judged: &Judged<'_>) -> String {
    let report = judged.report;
    let rules = rules(judged);
    let index: BTreeMap<&str, usize> =
        rules.iter().enumerate().map(|(at, (rule, _))| (rule.rule.as_str(), at)).collect();
    let results = report.flaws(Severity::Info).map(|flaw| result(judged, flaw, index.get(flaw.rule.as_str()).copied()));
    let results: Vec<_> = results.collect();
    let log = json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "counterfoil-audit",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": rules.iter().map(|(rule, worst)| descriptor(rule, *worst)).collect::<Vec<_>>(),
                "supportedTaxonomies": [{"name": CWE}],
            }},
            "automationDetails": {"id": format!("counterfoil-audit/{}/", report.site)},
            "invocations": [{
                "executionSuccessful": true,
                "startTimeUtc": report.began,
                "toolExecutionNotifications": report.of_verdict(Verdict::Inconclusive).map(notification).collect::<Vec<_>>(),
            }],
            "taxonomies": [taxonomy(&rules)],
            "results": results,
        }],
    });
    serde_json::to_string_pretty(&log).map(|text| text + "\n").unwrap_or_default()
}

/// Those that are broken, each with the worst of what was found.
fn rules<'a>(judged: &Judged<'a>) -> Vec<(&'a Entry, Severity)> {
    let mut rules: Vec<(&Entry, Severity)> = Vec::new();
    for flaw in judged.report.flaws(Severity::Info) {
        match rules.iter_mut().find(|(known, _)| known.rule == flaw.rule) {
            Some((_, worst)) => *worst = flaw.severity.max(*worst),
            None => rules.push((flaw, flaw.severity)),
        }
    }
    rules
}

fn descriptor(rule: &Entry, worst: Severity) -> Value {
    let name: String = rule.rule.split('-').map(capital).collect();
    json!({
        "id": rule.rule,
        "name": name,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": format!("{}. Sources: {}.", rule.title, rule.sources())},
        "helpUri": format!("https://cwe.mitre.org/data/definitions/{}.html", rule.cwe),
        "help": {"text": rule.fix, "markdown": rule.fix},
        "defaultConfiguration": {"level": level(worst)},
        "relationships": [{
            "target": {"id": rule.cwe.to_string(), "toolComponent": {"name": CWE}},
            "kinds": ["relevant"],
        }],
        "properties": {
            "security-severity": score(worst),
            "precision": "very-high",
            "tags": ["security", format!("external/cwe/cwe-{:03}", rule.cwe), rule.wstg, format!("ASVS-{}", rule.asvs)],
        },
    })
}

fn result(judged: &Judged<'_>, flaw: &Entry, rule: Option<usize>) -> Value {
    let mut result = json!({
        "ruleId": flaw.rule,
        "ruleIndex": rule,
        "kind": "fail",
        "level": level(flaw.severity),
        "message": {"text": format!("{}. {}: {}", flaw.title, flaw.place, flaw.seen)},
        "locations": [{
            "physicalLocation": {"artifactLocation": {"uri": address(&judged.report.site, &flaw.place)}},
            "logicalLocations": [{"fullyQualifiedName": flaw.place, "kind": "resource"}],
        }],
        "partialFingerprints": {"counterfoilAudit/v1": flaw.fingerprint},
        "properties": {"severity": flaw.severity, "security-severity": score(flaw.severity)},
    });
    if let Some(fields) = result.as_object_mut() {
        if let Some(drift) = &judged.drift {
            fields.insert(
                "baselineState".to_owned(),
                json!(match drift.state(flaw) {
                    State::New => "new",
                    State::Worse | State::Milder => "updated",
                    State::Known => "unchanged",
                }),
            );
        }
        if let Some(shown) = flaw.evidence.last() {
            fields.insert("webRequest".to_owned(), web_request(shown));
            fields.insert("webResponse".to_owned(), web_response(shown));
        }
    }
    result
}

fn notification(entry: &Entry) -> Value {
    json!({
        "level": "warning",
        "message": {"text": format!("{} at {} could not be judged: {}", entry.rule, entry.place, entry.seen)},
    })
}

fn taxonomy(rules: &[(&Entry, Severity)]) -> Value {
    let taxa: BTreeSet<u16> = rules.iter().map(|(rule, _)| rule.cwe).collect();
    json!({
        "name": CWE,
        "organization": "MITRE",
        "shortDescription": {"text": "Common Weakness Enumeration"},
        "informationUri": "https://cwe.mitre.org/",
        "isComprehensive": false,
        "taxa": taxa.iter().map(|cwe| json!({
            "id": cwe.to_string(),
            "helpUri": format!("https://cwe.mitre.org/data/definitions/{cwe}.html"),
        })).collect::<Vec<_>>(),
    })
}

fn web_request(shown: &Shown) -> Value {
    let message = Message::of(&shown.request);
    let mut words = message.first.split(' ');
    json!({
        "method": words.next(),
        "target": words.next(),
        "protocol": "HTTP",
        "version": "1.1",
        "headers": message.headers,
        "body": {"text": message.body},
    })
}

fn web_response(shown: &Shown) -> Value {
    let message = Message::of(&shown.response);
    let mut words = message.first.splitn(3, ' ').skip(1);
    json!({
        "statusCode": words.next().and_then(|status| status.parse::<u16>().ok()).unwrap_or_default(),
        "reasonPhrase": words.next().unwrap_or_default(),
        "protocol": "HTTP",
        "version": "1.1",
        "headers": message.headers,
        "body": {"text": message.body},
    })
}

struct Message<'a> {
    first: &'a str,
    headers: Map<String, Value>,
    body: &'a str,
}

impl<'a> Message<'a> {
    fn of(text: &'a str) -> Self {
        let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
        let (first, fields) = head.split_once('\n').unwrap_or((head, ""));
        let mut headers: BTreeMap<&str, String> = BTreeMap::new();
        for (name, value) in fields.lines().filter_map(|line| line.split_once(':')) {
            headers
                .entry(name)
                .and_modify(|all| *all = format!("{all}, {}", value.trim()))
                .or_insert_with(|| value.trim().to_owned());
        }
        let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), Value::String(value))).collect();
        Self { first, headers, body }
    }
}

/// Of the page a place speaks of, or of the site.
fn address(site: &str, place: &str) -> String {
    let path = place.split(' ').find(|word| word.starts_with('/')).unwrap_or("/");
    let whole = url::Url::parse(site).and_then(|site| site.join(path));
    whole.map_or_else(|_| "/".to_owned(), String::from)
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

/// In the middle of what code scanning calls by the same words.
const fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "3.0",
        Severity::Info => "0.0",
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

const CWE: &str = "CWE";
