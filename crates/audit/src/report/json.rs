//! A report as JSON, for programs and for the next run to be compared with.

use super::{FORMAT, Report};

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

/// As written to files.
pub fn written(report: &Report) -> String {
    // Strings, numbers and lists alone: there is nothing that JSON could not say.
    serde_json::to_string_pretty(report).map(|text| text + "\n").unwrap_or_default()
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
