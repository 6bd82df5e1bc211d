//! A report as JSON, for programs and for the next run to be compared with.

use serde::Serialize;

use super::{Entry, FORMAT, Judged, Report};
use crate::baseline::State;
use crate::rule::Severity;

/// Why a file is no earlier report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotAReport {
    /// Not JSON at all, or not ours.
    #[error("it is no report of `counterfoil audit --format json`")]
    Foreign(#[source] serde_json::Error),
    /// Ours, of another version.
    #[error("it says format {0:?}, and this version reads \"{FORMAT}\"")]
    Version(String),
}

/// As written to files: the whole report, and what is different since the baseline.
pub fn written(judged: &Judged<'_>) -> String {
    let whole = Written { report: judged.report, drift: judged.drift.is_some().then(|| WrittenDrift::of(judged)) };
    // Strings, numbers and lists alone: there is nothing that JSON could not say.
    serde_json::to_string_pretty(&whole).map(|text| text + "\n").unwrap_or_default()
}

/// From an earlier run.
///
/// # Errors
/// [`NotAReport`], if it is something else.
pub fn read(text: &str) -> Result<Report, NotAReport> {
    #[derive(serde::Deserialize)]
    struct Head {
        format: String,
    }
    let head: Head = serde_json::from_str(text).map_err(NotAReport::Foreign)?;
    if head.format != FORMAT {
        return Err(NotAReport::Version(head.format));
    }
    serde_json::from_str(text).map_err(NotAReport::Foreign)
}

#[derive(Serialize)]
struct Written<'a> {
    #[serde(flatten)]
    report: &'a Report,
    #[serde(skip_serializing_if = "Option::is_none")]
    drift: Option<WrittenDrift<'a>>,
}

#[derive(Serialize)]
struct WrittenDrift<'a> {
    since: &'a str,
    new: Vec<Brief<'a>>,
    changed: Vec<Brief<'a>>,
    gone: Vec<Brief<'a>>,
    unjudged: Vec<Brief<'a>>,
}

#[derive(Serialize)]
struct Brief<'a> {
    rule: &'a str,
    place: &'a str,
    severity: Severity,
    #[serde(skip_serializing_if = "Option::is_none")]
    severity_before: Option<Severity>,
    fingerprint: &'a str,
}

impl<'a> WrittenDrift<'a> {
    fn of(judged: &'a Judged<'a>) -> Self {
        let drift = judged.drift.as_ref();
        let before = |flaw: &Entry| drift.and_then(|drift| drift.severity_before(flaw));
        let states = |states: &[State]| {
            let flaws = states.iter().flat_map(|state| judged.of_state(*state));
            flaws.map(|flaw| Brief { severity_before: before(flaw), ..Brief::of(flaw) }).collect()
        };
        let briefly =
            |flaws: Option<&Vec<&'a Entry>>| flaws.into_iter().flatten().map(|flaw| Brief::of(flaw)).collect();
        Self {
            since: drift.map_or("", |drift| drift.since.began.as_str()),
            new: states(&[State::New]),
            changed: states(&[State::Worse, State::Milder]),
            gone: briefly(drift.map(|drift| &drift.gone)),
            unjudged: briefly(drift.map(|drift| &drift.unjudged)),
        }
    }
}

impl<'a> Brief<'a> {
    fn of(flaw: &'a Entry) -> Self {
        let Entry { rule, place, severity, fingerprint, .. } = flaw;
        Self { rule, place, severity: *severity, severity_before: None, fingerprint }
    }
}
