//! `counterfoil explain`: what is in force, what is kept about people, and what changed since.

use std::error::Error;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read as _, Write as _, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use counterfoil::{LimitSettings, Policy, PolicyError};
use counterfoil_demo::policy::{Written, read_text};
use counterfoil_gateway::config::{ConfigError, Drift, Environment, Explained, NotComparable};
use counterfoil_gateway::options::{CheckArgs, Source};
use counterfoil_telemetry::EventSettings;

/// What can be written after `counterfoil explain`.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// A gateway's configuration, read as `serve` reads it [env: `COUNTERFOIL_CONFIG`]
    ///
    /// Variables such as `COUNTERFOIL__POLICY__PRESET` count too. Without a file and without variables the defaults are explained.
    #[arg(long, value_name = "FILE", conflicts_with = "policy")]
    config: Option<PathBuf>,

    /// A policy file: of a program with the library, or the demo's
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,

    /// Print JSON instead, to keep or to compare with later
    #[arg(long)]
    json: bool,

    /// Print what changed since this file was written with --json, and nothing else
    #[arg(long, value_name = "OLD.json")]
    diff: Option<PathBuf>,
}

/// Why nothing can be explained.
#[derive(Debug, thiserror::Error)]
enum NotExplained {
    #[error("--policy {path}: cannot be read", path = .path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("--policy {path}: is longer than {} KiB, which no policy is", MOST_BYTES >> 10, path = .path.display())]
    TooLarge { path: PathBuf },
    #[error("--policy {path}: is not a policy", path = .path.display())]
    NotAPolicy { path: PathBuf, source: Box<dyn Error> },
    #[error("--policy {path}", path = .path.display())]
    Contradicts { path: PathBuf, source: PolicyError },
    #[error("--diff {path}", path = .path.display())]
    Old { path: PathBuf, source: NotComparable },
}

/// Does what was asked. Whether something changed is the exit status.
pub(crate) fn run(arguments: ExplainArgs) -> Result<ExitCode, Box<dyn Error>> {
    let ExplainArgs { config, policy, json, diff } = arguments;
    let old = diff.as_deref().map(earlier).transpose()?;
    let explained = match policy {
        Some(path) => of_policy(&path)?,
        None => match of_gateway(config) {
            Ok(Some(explained)) => explained,
            Ok(None) => defaults()?,
            Err(ConfigError::Mistakes(mistakes)) => {
                for mistake in &mistakes {
                    eprintln!("error: {mistake}");
                }
                return Ok(ExitCode::from(2));
            }
            Err(error) => return Err(error.into()),
        },
    };
    let Some((path, old)) = old else {
        printed(&if json { explained.json()? + "\n" } else { explained.to_string() })?;
        return Ok(ExitCode::SUCCESS);
    };
    let drift = Drift::between(&old, &explained).map_err(|source| NotExplained::Old { path, source })?;
    printed(&if json { drift.json()? + "\n" } else { drift.to_string() })?;
    Ok(if drift.changes().is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn defaults() -> Result<Explained, PolicyError> {
    eprintln!("nothing was named: these are the defaults, for a site at {ASSUMED_ORIGIN}");
    Ok(Explained::of_policy(&Policy::aal2(ASSUMED_ORIGIN)?, &LimitSettings::default(), &EventSettings::default(), None))
}

/// `None` where nobody said anything.
fn of_gateway(config: Option<PathBuf>) -> Result<Option<Explained>, ConfigError> {
    let config = config.or_else(|| std::env::var_os(CONFIG).filter(|path| path != OsStr::new("")).map(PathBuf::from));
    if config.is_none() && Environment::of_process().is_empty() {
        return Ok(None);
    }
    let checked = Source::from(CheckArgs { config }).read()?;
    for warning in &checked.warnings {
        eprintln!("warning: {warning}");
    }
    Ok(Some(Explained::of_gateway(&checked.config)))
}

fn of_policy(path: &Path) -> Result<Explained, NotExplained> {
    let unreadable = |source| NotExplained::Unreadable { path: path.to_owned(), source };
    let mut text = String::new();
    File::open(path).and_then(|file| file.take(MOST_BYTES + 1).read_to_string(&mut text)).map_err(unreadable)?;
    if u64::try_from(text.len()).is_ok_and(|length| length > MOST_BYTES) {
        return Err(NotExplained::TooLarge { path: path.to_owned() });
    }
    let Written { sessions: mut settings, limits, events, detector } = read_text(text)
        .map_err(|source| NotExplained::NotAPolicy { path: path.to_owned(), source: Box::new(source) })?;
    if settings.origins.is_empty() {
        eprintln!("the file names no origin: explained for a site at {ASSUMED_ORIGIN}");
        settings.origins.push(ASSUMED_ORIGIN.into());
    }
    let policy =
        Policy::try_from(settings).map_err(|source| NotExplained::Contradicts { path: path.to_owned(), source })?;
    Ok(Explained::of_policy(&policy, &limits, &events, detector.as_ref()))
}

fn earlier(path: &Path) -> Result<(PathBuf, Explained), NotExplained> {
    let file = File::open(path).map_err(NotComparable::Unreadable);
    let read = file.and_then(Explained::read).map_err(|source| NotExplained::Old { path: path.to_owned(), source })?;
    Ok((path.to_owned(), read))
}

/// Whoever reads may stop early.
fn printed(text: &str) -> io::Result<()> {
    match stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

const CONFIG: &str = "COUNTERFOIL_CONFIG";
const ASSUMED_ORIGIN: &str = "https://app.example";
const MOST_BYTES: u64 = 1 << 20;

pub(crate) const EXAMPLES: &str = "\
Examples:
  counterfoil explain                                       the defaults
  counterfoil explain --config counterfoil.toml             what a gateway does, app by app
  counterfoil explain --policy policy.toml                  what a program with the library does, or the demo
  counterfoil explain --config counterfoil.toml --json > explained.json
                                                            the same to keep: next to the configuration, in your repository
  counterfoil explain --config counterfoil.toml --diff explained.json
                                                            what changed since then, and what of that weakens

Exit status: 0, or with --diff 0 if nothing changed and 1 if something did; 2 if something cannot be read, or must be changed.";
