//! The auditor as anybody would run it, and what its report says.

use std::path::Path;
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::app::Standing;
use crate::house::Failure;
use crate::profile::Account;

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
    let profile = folder.path().join("profile.toml");
    std::fs::write(&profile, &standing.written)?;
    by_profile(&profile, Command::new(counterfoil).args(["audit", "--yes"]))
}

/// Runs it as somebody does who knows no more than where and as whom to sign in: with the profile that it proposes, as it is.
pub(crate) fn newcomer(standing: &Standing, counterfoil: &Path) -> Result<Report, Failure> {
    let folder = tempfile::tempdir()?;
    let profile = folder.path().join("profile.toml");
    let Account { user, password } = &standing.profile.account;
    let as_user = || {
        let mut command = Command::new(counterfoil);
        command.arg("audit").env("AUDIT_PASSWORD", password);
        command
    };
    let page = format!("http://127.0.0.1:{}{}", standing.port, standing.profile.sign_in_page());
    run(as_user().arg(page).args(["--user", user, "--discover"]).arg(&profile))?;
    by_profile(&profile, as_user().args(["--only", "role"]))
}

fn by_profile(profile: &Path, command: &mut Command) -> Result<Report, Failure> {
    let report = profile.with_extension("json");
    run(command.args(["--format", "json", "--fail-on", "never", "--profile"]).arg(profile).arg("--out").arg(&report))?;
    Ok(serde_json::from_str(&std::fs::read_to_string(report)?)?)
}

fn run(command: &mut Command) -> Result<(), Failure> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| Failure::Start("counterfoil", error))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(Failure::Said { program: "counterfoil audit", said })
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
