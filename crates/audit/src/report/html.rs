//! A report as one page of HTML: no script, nothing loaded, whatever the site sent is text.

use askama::Template;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::terminal::{by_reason, seconds};
use super::{Entry, Judged, Report};
use crate::baseline::{Drift, State};
use crate::finding::Verdict;
use crate::rule::{Group, Severity};

/// As written to files.
pub fn written(judged: &Judged<'_>) -> String {
    // Strings into a template without fallible filters.
    Page::of(judged).render().unwrap_or_default()
}

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    report: &'a Report,
    style: &'static str,
    style_hash: String,
    day: String,
    took: String,
    version: &'static str,
    tiles: Vec<(Severity, usize)>,
    drift: Option<ShownDrift<'a>>,
    groups: Vec<Row>,
    flaws: Vec<Flaw<'a>>,
    inconclusive: Vec<&'a Entry>,
    sound: Vec<&'a Entry>,
    skipped: Vec<&'a Entry>,
    skipped_by_reason: Vec<(Vec<&'a str>, &'a str)>,
}

struct ShownDrift<'a> {
    since: &'a str,
    rows: Vec<Changed<'a>>,
}

struct Changed<'a> {
    what: String,
    severity: Severity,
    rule: &'a str,
    place: &'a str,
}

/// A group, and how many flaws, inconclusive, sound and skipped it has.
struct Row {
    name: &'static str,
    worst: Option<Severity>,
    /// Nothing is wrong or open, and something was tried.
    holds: bool,
    counts: [usize; 4],
}

struct Flaw<'a> {
    entry: &'a Entry,
    /// Pieces of text, and whether each is code.
    fix: Vec<(bool, &'a str)>,
    before: Option<String>,
}

impl<'a> Page<'a> {
    fn of(judged: &'a Judged<'a>) -> Self {
        let report = judged.report;
        let of = |verdict| report.of_verdict(verdict).collect::<Vec<_>>();
        let mut flaws = of(Verdict::Flaw);
        flaws.sort_by_key(|flaw| std::cmp::Reverse(flaw.severity));
        let count = |severity| flaws.iter().filter(|flaw| flaw.severity == severity).count();
        let skipped = of(Verdict::Skipped);
        Self {
            report,
            style: STYLE,
            style_hash: STANDARD.encode(digest(&SHA256, STYLE.as_bytes())),
            day: day(&report.began),
            took: seconds(report.took_millis),
            version: env!("CARGO_PKG_VERSION"),
            tiles: Severity::ALL.into_iter().rev().map(|severity| (severity, count(severity))).collect(),
            drift: judged.drift.as_ref().map(|drift| ShownDrift::of(judged, drift)),
            groups: Group::ALL.into_iter().filter_map(|group| Row::of(report, group)).collect(),
            flaws: flaws.into_iter().map(|entry| Flaw::of(judged, entry)).collect(),
            inconclusive: of(Verdict::Inconclusive),
            sound: of(Verdict::Sound),
            skipped_by_reason: by_reason(&skipped),
            skipped,
        }
    }
}

impl<'a> ShownDrift<'a> {
    fn of(judged: &Judged<'a>, drift: &Drift<'a>) -> Self {
        let mut rows = Vec::new();
        for state in [State::New, State::Worse, State::Milder] {
            rows.extend(judged.of_state(state).into_iter().map(|flaw| Changed::of(told(drift, flaw), flaw)));
        }
        rows.extend(drift.gone.iter().map(|flaw| Changed::of("gone".to_owned(), flaw)));
        rows.extend(drift.unjudged.iter().map(|flaw| Changed::of("not judged again".to_owned(), flaw)));
        Self { since: &drift.since.began, rows }
    }
}

impl<'a> Changed<'a> {
    fn of(what: String, flaw: &'a Entry) -> Self {
        Self { what, severity: flaw.severity, rule: &flaw.rule, place: &flaw.place }
    }
}

impl Row {
    fn of(report: &Report, group: Group) -> Option<Self> {
        let entries: Vec<_> = report.findings.iter().filter(|entry| entry.group == group).collect();
        let verdicts = [Verdict::Flaw, Verdict::Inconclusive, Verdict::Sound, Verdict::Skipped];
        let counts = verdicts.map(|verdict| entries.iter().filter(|entry| entry.verdict == verdict).count());
        let worst = report.flaws(Severity::Info).filter(|flaw| flaw.group == group).map(|flaw| flaw.severity).max();
        (!entries.is_empty()).then_some(Self {
            name: group.name(),
            worst,
            holds: matches!(counts, [0, 0, sound, _] if sound > 0),
            counts,
        })
    }
}

impl<'a> Flaw<'a> {
    fn of(judged: &Judged<'_>, entry: &'a Entry) -> Self {
        let fix = entry.fix.split('`').enumerate().map(|(at, words)| (at % 2 == 1, words)).collect();
        Self { entry, fix, before: judged.drift.as_ref().map(|drift| told(drift, entry)) }
    }
}

fn told(drift: &Drift<'_>, flaw: &Entry) -> String {
    match (drift.state(flaw), drift.severity_before(flaw)) {
        (State::New, _) | (_, None) => "new".to_owned(),
        (State::Known, _) => "as before".to_owned(),
        (State::Worse, Some(before)) => format!("worse: it was {before}"),
        (State::Milder, Some(before)) => format!("milder: it was {before}"),
    }
}

/// `2026-11-22 23:54 UTC`
fn day(moment: &str) -> String {
    let minutes = moment.get(..16).unwrap_or(moment);
    format!("{} UTC", minutes.replace('T', " "))
}

const STYLE: &str = include_str!("../../templates/report.css");
