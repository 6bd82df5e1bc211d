//! The auditor as anybody would run it, and what its report says.

use std::path::Path;
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::app::Standing;
use crate::house::Failure;

/// Of the report, what is compared.
#[derive(Debug, Deserialize)]
pub(crate) struct Report {
    pub(crate) requests: u32,
    pub(crate) took_millis: u64,
    pub(crate) session_cookies: Vec<String>,
    pub(crate) findings: Vec<Said>,
}

/// A verdict.
#[derive(Debug, Deserialize)]
pub(crate) struct Said {
    pub(crate) rule: String,
    pub(crate) verdict: Verdict,
    pub(crate) seen: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Verdict {
    Flaw,
    Sound,
    Inconclusive,
    Skipped,
}

/// Runs it with the application's profile.
pub(crate) fn audit(standing: &Standing, counterfoil: &Path) -> Result<Report, Failure> {
    // Not in the application's folder, which is looked at for changes.
    let folder = tempfile::tempdir()?;
    let (profile, report) = (folder.path().join("profile.toml"), folder.path().join("report.json"));
    std::fs::write(&profile, &standing.written)?;
    let output = Command::new(counterfoil)
        .arg("audit")
        .arg(format!("http://127.0.0.1:{}", standing.port))
        .args(["--yes", "--format", "json", "--fail-on", "never", "--profile"])
        .arg(&profile)
        .arg("--out")
        .arg(&report)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| Failure::Start("counterfoil", error))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(Failure::Said { program: "counterfoil audit", said });
    }
    Ok(serde_json::from_str(&std::fs::read_to_string(report)?)?)
}

impl Report {
    /// What it says about a rule: a flaw wherever it is, before anything else.
    pub(crate) fn about(&self, rule: &str) -> Option<&Said> {
        let all = || self.findings.iter().filter(|said| said.rule == rule);
        all().find(|said| said.verdict == Verdict::Flaw).or_else(|| all().next())
    }
}

impl Verdict {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Flaw => "wrong",
            Self::Sound => "sound",
            Self::Inconclusive => "undecided",
            Self::Skipped => "not looked at",
        }
    }
}
