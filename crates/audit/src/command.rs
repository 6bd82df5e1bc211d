//! An audit as a command runs it: from files and addresses to what is printed and written.
//!
//! Everything that can be wrong with the files is found before the first request.

mod discovery;
mod look;
mod output;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::Duration;

use url::Url;

pub use self::discovery::Discovery;
pub use self::output::{Format, Output, OutputError};
pub use crate::browser::Program;
pub use crate::finding::Verdict;
pub use crate::profile::Account;
pub use crate::report::terminal::{Page, width};
pub use crate::rule::{Group, Severity};
pub use crate::run::Progress;

use crate::browser::BrowserError;
use crate::discover::DiscoverError;
use crate::outcome::Outcome;
use crate::profile::{Profile, ProfileError};
use crate::report::json::{self, NotAReport};
use crate::report::{Judged, Report, terminal};
use crate::run::{Audit, AuditError};
use crate::wire::WireLimits;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Options {
    /// The site; instead of the profile's where there is a profile.
    pub site: Option<String>,
    /// How to sign in; without it, only what anybody sees is looked at.
    pub profile: Option<PathBuf>,
    /// An earlier report, since when differences count.
    pub baseline: Option<PathBuf>,
    /// Certificates (PEM) that are believed besides the system's.
    pub certificates: Option<PathBuf>,
    /// Where the report goes besides the terminal, or instead of it.
    pub outputs: Vec<Output>,
    /// From where on a flaw fails the run; `None` for never.
    pub fail_on: Option<Severity>,
    /// Requests in all.
    pub budget: u32,
    /// Requests in a second.
    pub rate: Option<u32>,
    /// The browser, where one is wanted.
    pub browser: Option<Program>,
    /// The groups that are looked at.
    pub groups: Vec<Group>,
    /// Whether to wait for stated lifetimes to pass.
    pub wait: bool,
    /// What standard output is.
    pub page: Page,
}

/// An audit whose files are read and found to be good.
#[derive(Debug)]
pub struct Ready {
    what: What,
    limits: WireLimits,
    certificates: Option<Vec<u8>>,
    baseline: Option<Report>,
    browser: Option<Program>,
    groups: Vec<Group>,
    wait: bool,
    outputs: Vec<Output>,
    fail_on: Option<Severity>,
    page: Page,
}

#[derive(Debug)]
enum What {
    Everything(Box<Profile>, bool),
    Passively(Url),
}

/// What came of it.
#[derive(Debug)]
pub struct Done {
    /// For standard output.
    pub printed: String,
    /// How many flaws fail the run.
    pub failures: usize,
}

/// Why there is no verdict.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// Neither profile nor site.
    #[error("say which site: its address, or a --profile that names it")]
    NoSite,
    /// Not an address.
    #[error("{0:?} is no address of a site; write scheme and host, such as https://app.example.org")]
    Site(String),
    /// A file that cannot be read.
    #[error("{}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A profile that says something else than it may.
    #[error("{}", path.display())]
    Profile {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        source: ProfileError,
    },
    /// A baseline that is none.
    #[error("{}", path.display())]
    Baseline {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        source: NotAReport,
    },
    /// Where reports cannot go.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// No profile can be proposed.
    #[error("no profile can be proposed: {0}")]
    Discover(#[from] DiscoverError),
    /// The profile cannot do without a browser.
    #[error(transparent)]
    Browser(#[from] BrowserError),
    /// Nothing could be judged.
    #[error(transparent)]
    Audit(#[from] AuditError),
}

impl Options {
    /// Reads every file.
    ///
    /// # Errors
    ///
    /// [`CommandError`], which names the file and what is wrong with it.
    pub fn read(self) -> Result<Ready, CommandError> {
        let site = self.site.as_deref().map(site).transpose()?;
        let what = match (&self.profile, site) {
            (Some(path), site) => What::Everything(Box::new(profile(path, site)?), false),
            (None, Some(site)) => What::Passively(site),
            (None, None) => return Err(CommandError::NoSite),
        };
        if let What::Everything(profile, _) = &what
            && profile.sign_in.script.is_some()
            && self.browser.is_none()
        {
            return Err(BrowserError::Needed.into());
        }
        output::check(&self.outputs)?;
        let mut limits = WireLimits { budget: self.budget, ..WireLimits::default() };
        limits.per_second = self.rate;
        Ok(Ready {
            what,
            limits,
            certificates: self.certificates.as_deref().map(bytes).transpose()?,
            baseline: self.baseline.as_deref().map(baseline).transpose()?,
            browser: self.browser,
            groups: self.groups,
            wait: self.wait,
            outputs: self.outputs,
            fail_on: self.fail_on,
            page: self.page,
        })
    }
}

impl Ready {
    /// The accounts that sign in; a password may be missing.
    pub fn accounts(&mut self) -> Vec<&mut Account> {
        match &mut self.what {
            What::Everything(profile, _) => {
                let Profile { account, second_account, .. } = profile.as_mut();
                [account].into_iter().chain(second_account).collect()
            }
            What::Passively(_) => Vec::new(),
        }
    }

    /// What would change an account, in words, unless it is allowed.
    pub fn asks(&self) -> Option<String> {
        match &self.what {
            What::Everything(profile, false)
                if profile.password_change.is_some() && self.groups.contains(&Group::Concurrency) =>
            {
                Some(format!("change the password of {:?} and change it back", profile.account.user))
            }
            What::Everything(..) | What::Passively(_) => None,
        }
    }

    /// Allows it.
    pub fn allow(&mut self) {
        if let What::Everything(_, allowed) = &mut self.what {
            *allowed = true;
        }
    }

    /// Runs the audit and writes the reports.
    ///
    /// # Errors
    ///
    /// Nothing could be judged, or a report could not be written.
    pub async fn run(self, progress: &(dyn Fn(Progress) + Sync)) -> Result<Done, CommandError> {
        let Self { what, limits, certificates, baseline, browser, groups, wait, outputs, fail_on, page } = self;
        let outcome = match what {
            What::Passively(site) => look::at(&site, limits, certificates.as_deref(), progress).await?,
            What::Everything(profile, allowed) => {
                let mut audit = Audit::new(*profile);
                audit.reach.change_account = allowed;
                audit.reach.wait = wait.then_some(LONGEST_WAIT);
                audit.browser = browser;
                (audit.limits, audit.certificates, audit.groups) = (limits, certificates, groups.clone());
                audit.run(progress).await?
            }
        };
        let report = Report::of(&only(outcome, &groups));
        let judged = Judged::new(&report, baseline.as_ref(), fail_on);
        let printed = output::write(&judged, &outputs)?.unwrap_or_else(|| terminal::written(&judged, page));
        Ok(Done { printed, failures: judged.failures().count() })
    }
}

/// A proof may say something about a group nobody asked for.
fn only(mut outcome: Outcome, groups: &[Group]) -> Outcome {
    outcome.findings.retain(|finding| groups.contains(&finding.rule.group));
    outcome
}

fn profile(path: &Path, site: Option<Url>) -> Result<Profile, CommandError> {
    let wrong = |source| CommandError::Profile { path: path.to_owned(), source };
    let mut profile: Profile = text(path)?.parse().map_err(wrong)?;
    if let Some(site) = site {
        profile.site = site;
        profile.plain_http = None;
    }
    Ok(profile)
}

fn baseline(path: &Path) -> Result<Report, CommandError> {
    json::read(&text(path)?).map_err(|source| CommandError::Baseline { path: path.to_owned(), source })
}

fn site(text: &str) -> Result<Url, CommandError> {
    let wrong = || CommandError::Site(text.to_owned());
    let url = Url::parse(text).map_err(|_| wrong())?;
    let whole = matches!(url.scheme(), "http" | "https") && url.has_host() && url.username().is_empty();
    if whole { Ok(url) } else { Err(wrong()) }
}

fn text(path: &Path) -> Result<String, CommandError> {
    std::fs::read_to_string(path).map_err(|source| CommandError::Read { path: path.to_owned(), source })
}

fn bytes(path: &Path) -> Result<Vec<u8>, CommandError> {
    std::fs::read(path).map_err(|source| CommandError::Read { path: path.to_owned(), source })
}

/// What is stated bounds it already.
const LONGEST_WAIT: Duration = Duration::from_hours(24 * 366);
