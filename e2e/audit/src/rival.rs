//! Other auditors: how each is asked, with a signed-in visitor's cookies where it takes them, and what it says in words of ours.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use clap::ValueEnum;
use serde_json::Value;

use crate::Failure;
use crate::foreign::installed;
use crate::judge::{Finding, Report, Subject, run};

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Rival {
    #[value(name = "wapiti3")]
    Wapiti3,
    Xsrfprobe,
    MdnHttpObservatory,
    Testssl,
}

/// What it called something, and how bad it said that was.
type Said = (String, &'static str);

impl Rival {
    /// As in tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Wapiti3 => "wapiti3",
            Self::Xsrfprobe => "xsrfprobe",
            Self::MdnHttpObservatory => "mdn-http-observatory",
            Self::Testssl => "testssl",
        }
    }

    /// What it says about a site.
    pub(crate) fn ask(self, subject: &Subject<'_>) -> Result<Report, Failure> {
        let out = subject.folder.join("rival.json");
        let command = match self {
            Self::Wapiti3 => wapiti(subject, &out),
            Self::Xsrfprobe => xsrfprobe(subject),
            Self::MdnHttpObservatory => observatory(subject),
            Self::Testssl => testssl(subject, &out),
        };
        let mut report = run(command, subject.folder, LONGEST)?;
        let text = match self {
            Self::Wapiti3 | Self::Testssl => read(&out),
            Self::Xsrfprobe => read(&subject.folder.join(format!("xsrf/{}/report.json", subject.host))),
            Self::MdnHttpObservatory => {
                report.said.lines().last().and_then(|line| serde_json::from_str(line).ok()).unwrap_or_default()
            }
        };
        if text.is_null() {
            report.status = None;
            return Ok(report);
        }
        let said = match self {
            Self::Wapiti3 => of_wapiti(&text),
            Self::Xsrfprobe => of_xsrfprobe(&text),
            Self::Testssl => of_testssl(&text),
            Self::MdnHttpObservatory => of_observatory(&text),
        };
        let words: BTreeMap<String, BTreeMap<String, Vec<String>>> = toml::from_str(include_str!("../rivals.toml"))?;
        let words = words.get(self.name()).cloned().unwrap_or_default();
        report.findings = said.iter().flat_map(|said| meant(&words, said, subject.holds)).collect();
        report.status = Some(i32::from(!report.findings.is_empty()));
        Ok(report)
    }
}

/// Those rules that hold, of what a report may mean; else the first.
fn meant(words: &BTreeMap<String, Vec<String>>, (what, severity): &Said, holds: &dyn Fn(&str) -> bool) -> Vec<Finding> {
    let may = words.get(what).cloned().unwrap_or_default();
    let first: Vec<_> = may.iter().take(1).cloned().collect();
    let true_ones: Vec<_> = may.into_iter().filter(|rule| holds(rule)).collect();
    let rules = if true_ones.is_empty() { first } else { true_ones };
    let finding =
        |rule| Finding { rule, verdict: "flaw".to_owned(), severity: (*severity).to_owned(), place: what.clone() };
    rules.into_iter().map(finding).collect()
}

fn wapiti(subject: &Subject<'_>, out: &Path) -> Command {
    let mut command = Command::new(installed().join("rivals/wapiti/bin/wapiti"));
    command.args(["-u", &subject.page, "--scope", "domain", "-m", "cookieflags,csp,csrf,http_headers,https_redirect"]);
    if let Some((name, value)) = &subject.signed_in {
        command.args(["-H", &format!("{name}: {value}")]);
    }
    command
        .args(["--flush-session", "--no-bugreport", "-v", "0", "--max-scan-time", "60", "-f", "json", "-o"])
        .arg(out);
    command.arg("--store-session").arg(subject.folder);
    command
}

fn xsrfprobe(subject: &Subject<'_>) -> Command {
    let mut command = Command::new(installed().join("rivals/xsrfprobe/bin/xsrfprobe"));
    command.args(["-u", &subject.page, "--json", "--quiet", "--skip-poc", "-o"]).arg(subject.folder.join("xsrf"));
    if let Some((_, cookies)) = subject.signed_in.as_ref().filter(|(name, _)| name == "Cookie") {
        command.args(["-c", &cookies.replace("; ", ",")]);
    }
    command
}

/// Its check of headers; the rest is about ciphers.
fn testssl(subject: &Subject<'_>, out: &Path) -> Command {
    let mut command = Command::new("testssl");
    command.args(["--quiet", "--color", "0", "--warnings", "batch", "--ip", "127.0.0.1", "--headers", "--jsonfile"]);
    command.arg(out).arg(format!("{}:{}", subject.host, subject.port));
    command
}

fn observatory(subject: &Subject<'_>) -> Command {
    let mut command = Command::new("node");
    command.current_dir(installed().join("rivals/observatory"));
    command.args(["scan.mjs", "site.test", &subject.port.to_string(), "9"]);
    command
}

fn of_wapiti(report: &Value) -> Vec<Said> {
    let all = report.get("vulnerabilities").and_then(Value::as_object).into_iter().flatten();
    all.filter_map(|(what, found)| {
        let worst = found.as_array()?.iter().filter_map(|one| one.get("level")?.as_u64()).max()?;
        Some((what.clone(), if worst >= 3 { "high" } else { "medium" }))
    })
    .collect()
}

fn of_xsrfprobe(report: &Value) -> Vec<Said> {
    let pages = report.get("vulnerabilities").and_then(Value::as_array).into_iter().flatten();
    let found = pages.filter_map(|page| page.get("findings")?.as_array()).flatten();
    found
        .filter_map(|one| {
            let high = one.get("severity")?.as_str()? == "high";
            Some((one.get("test_id")?.as_str()?.to_owned(), if high { "high" } else { "medium" }))
        })
        .collect()
}

fn of_testssl(report: &Value) -> Vec<Said> {
    let all = report.as_array().into_iter().flatten();
    all.filter_map(|one| {
        // It counts cookies without calling what is missing bad.
        let none = one.get("finding").and_then(Value::as_str).is_some_and(|text| text.starts_with("0/"));
        let severity = match one.get("severity")?.as_str()? {
            "INFO" if none => "low",
            "LOW" => "low",
            "MEDIUM" => "medium",
            "HIGH" | "CRITICAL" => "high",
            _ => return None,
        };
        Some((one.get("id")?.as_str()?.to_owned(), severity))
    })
    .collect()
}

fn of_observatory(report: &Value) -> Vec<Said> {
    let tests = report.get("tests").and_then(Value::as_array).into_iter().flatten();
    let failed = tests.filter(|test| test.get("pass").and_then(Value::as_bool) == Some(false));
    failed.filter_map(|test| Some((test.get("name")?.as_str()?.to_owned(), "medium"))).collect()
}

fn read(file: &Path) -> Value {
    std::fs::read(file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

const LONGEST: Duration = Duration::from_mins(3);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_means_what_holds_and_else_its_first_meaning() {
        let words = BTreeMap::from([("x".to_owned(), vec!["a".to_owned(), "b".to_owned(), "c".to_owned()])]);
        let rules = |holds: &dyn Fn(&str) -> bool, what: &str| {
            meant(&words, &(what.to_owned(), "high"), holds).into_iter().map(|one| one.rule).collect::<Vec<_>>()
        };
        assert_eq!(rules(&|rule| rule != "a", "x"), ["b", "c"]);
        assert_eq!(rules(&|_| false, "x"), ["a"]);
        assert!(rules(&|_| true, "something else").is_empty());
    }

    #[test]
    fn every_rule_a_rival_may_mean_is_one_of_the_table() {
        let words: BTreeMap<String, BTreeMap<String, Vec<String>>> =
            toml::from_str(include_str!("../rivals.toml")).unwrap();
        let corpus = crate::corpus::Corpus::read().unwrap();
        let known = |rule: &String| {
            corpus.unjudged.contains(rule)
                || corpus.of_tls.contains(rule)
                || corpus.pairs.iter().any(|pair| pair.planted.contains(rule))
        };
        for rule in words.values().flat_map(BTreeMap::values).flatten() {
            assert!(known(rule), "{rule}");
        }
    }
}
