//! Who is measured: a program that looks at a site and says what is wrong with it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::Failure;
use crate::corpus::Pair;
use crate::rival::Rival;

/// An auditor, and how it is asked.
#[derive(Debug, Clone)]
pub(crate) enum Judge {
    /// `PATH audit URL --profile FILE …`
    Counterfoil(PathBuf),
    /// Another.
    Rival(Rival),
}

/// A site to look at.
pub(crate) struct Subject<'a> {
    /// How it is called, without its port.
    pub(crate) host: &'a str,
    /// Where it listens.
    pub(crate) port: u16,
    /// The certificate to believe, where it speaks TLS.
    pub(crate) certificate: Option<&'a str>,
    /// The page that says who is signed in.
    pub(crate) page: String,
    /// How it works, for who reads profiles.
    pub(crate) profile: String,
    /// The header of somebody signed in, for who reads none.
    pub(crate) signed_in: Option<(String, String)>,
    /// Where files may lie.
    pub(crate) folder: &'a Path,
    /// Whether a rule is broken there, for reports that may mean several.
    pub(crate) holds: &'a dyn Fn(&str) -> bool,
}

/// What it said about one site.
#[derive(Debug, Clone, Default)]
pub(crate) struct Report {
    /// Every verdict.
    pub(crate) findings: Vec<Finding>,
    /// How it ended: 0 nothing, 1 something, 2 it could not judge; none where it had to be stopped.
    pub(crate) status: Option<i32>,
    /// What it printed, for those who want to know why.
    pub(crate) said: String,
    /// How many requests it says it sent.
    pub(crate) requests: Option<u64>,
    /// From start to end.
    pub(crate) took: Duration,
}

/// One verdict.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Finding {
    pub(crate) rule: String,
    pub(crate) verdict: String,
    #[serde(default)]
    pub(crate) severity: String,
    #[serde(default)]
    pub(crate) place: String,
}

#[derive(Deserialize)]
struct Written {
    format: String,
    findings: Vec<Finding>,
    requests: Option<u64>,
}

impl Judge {
    /// As in tables.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Counterfoil(_) => "counterfoil",
            Self::Rival(rival) => rival.name(),
        }
    }

    /// Whether it can look at such a site at all.
    pub(crate) fn can(&self, pair: &Pair) -> bool {
        pair.tls || !matches!(self, Self::Rival(Rival::Testssl))
    }

    /// What it says about a site.
    pub(crate) fn ask(&self, subject: &Subject<'_>) -> Result<Report, Failure> {
        match self {
            Self::Counterfoil(program) => ours(program, subject),
            Self::Rival(rival) => rival.ask(subject),
        }
    }
}

fn ours(program: &Path, subject: &Subject<'_>) -> Result<Report, Failure> {
    let folder = subject.folder;
    let url = format!("http://{}:{}", subject.host, subject.port);
    let (wanted, out) = (folder.join("profile.toml"), folder.join("report.json"));
    fs::write(&wanted, &subject.profile)?;
    let mut command = Command::new(program);
    command.args(["audit", "--yes", "--format", "json", "--profile"]).arg(&wanted).arg("--out").arg(&out);
    match subject.certificate {
        // The profile says where it is, with TLS and without.
        Some(certificate) => {
            let file = folder.join("certificate.pem");
            fs::write(&file, certificate)?;
            command.arg("--ca").arg(&file);
        }
        None => {
            command.arg(&url);
        }
    }
    if subject.profile.contains("[limits]") {
        command.arg("--wait");
    }
    let mut report = run(command, folder, LONGEST)?;
    if let Some(text) = fs::read(&out).ok().filter(|text| !text.is_empty()) {
        let written: Written = serde_json::from_slice(&text).map_err(|error| Failure::Report(error.to_string()))?;
        if written.format != "counterfoil-audit/1" {
            return Err(Failure::Report(format!("format {:?}", written.format)));
        }
        report.findings = written.findings;
        report.requests = written.requests;
    }
    Ok(report)
}

impl Finding {
    /// Whether it says that something is wrong.
    pub(crate) fn is_flaw(&self) -> bool {
        self.verdict == "flaw"
    }

    /// Whether it would wake somebody.
    pub(crate) fn is_grave(&self) -> bool {
        matches!(self.severity.as_str(), "high" | "critical")
    }
}

/// Runs a program to its end, or ends it; what it prints goes through a file, so that no pipe fills.
pub(crate) fn run(mut command: Command, folder: &Path, longest: Duration) -> Result<Report, Failure> {
    let printed = folder.join("printed.txt");
    let file = fs::File::create(&printed)?;
    command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
    let began = Instant::now();
    let mut child =
        command.spawn().map_err(|error| Failure::Start(command.get_program().display().to_string(), error))?;
    let status = wait(&mut child, began + longest)?;
    let said = String::from_utf8_lossy(&fs::read(&printed)?).into_owned();
    Ok(Report { findings: Vec::new(), requests: None, status, said, took: began.elapsed() })
}

fn wait(child: &mut Child, until: Instant) -> Result<Option<i32>, Failure> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status.code());
        }
        if Instant::now() >= until {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(Duration::from_millis(20));
    }
}

const LONGEST: Duration = Duration::from_mins(5);
