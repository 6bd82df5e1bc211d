//! `counterfoil audit`: its arguments, whom it asks, and what its findings are worth as an exit status.

use std::error::Error;
use std::fs;
use std::io::{IsTerminal as _, Write as _, stderr, stdin, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, builder::PossibleValuesParser};
use counterfoil_audit::command::{
    Account, Discovery, Done, Format, Group, Options, Output, Page, Program, Progress, Ready, Severity, width,
};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

#[derive(Debug, Args)]
pub(crate) struct AuditArgs {
    /// The site, or a page of it; instead of the profile's
    #[arg(value_name = "URL", required_unless_present = "profile")]
    site: Option<String>,

    /// How to sign in and what shows it; without it, only what anybody sees is looked at
    #[arg(long, value_name = "FILE")]
    profile: Option<PathBuf>,

    /// Sign in once at the URL and write a profile there, to be read and corrected, instead of an audit
    #[arg(long, value_name = "FILE", requires = "site", requires = "user", conflicts_with = "profile")]
    discover: Option<PathBuf>,

    /// Who signs in, for --discover
    #[arg(long, value_name = "NAME", requires = "discover")]
    user: Option<String>,

    #[command(flatten)]
    password: PasswordArguments,

    #[command(flatten)]
    report: ReportArguments,

    /// Change the account where a check has to, and change it back, without asking
    #[arg(long)]
    yes: bool,

    /// How many requests may be sent in all
    #[arg(long, value_name = "N", default_value_t = 300)]
    budget: u32,

    /// How many requests may be sent in a second; as fast as the site answers if it is left out
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    rate: Option<u32>,

    /// Certificates in PEM that are believed besides the system's
    #[arg(long, value_name = "PATH")]
    ca: Option<PathBuf>,

    /// Show in a real Chromium what browsers let happen, and sign in by script where the profile says so; the one on PATH
    /// unless another is named
    #[arg(long, value_name = "PATH", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    browser: Option<String>,

    /// Look at this group alone; may be repeated
    #[arg(long, value_name = "GROUP", value_parser = PossibleValuesParser::new(groups()), conflicts_with = "skip")]
    only: Vec<String>,

    /// Do not look at this group; may be repeated
    #[arg(long, value_name = "GROUP", value_parser = PossibleValuesParser::new(groups()))]
    skip: Vec<String>,

    /// Wait for the lifetimes that the profile states, and look whether they are kept
    #[arg(long)]
    wait: bool,
}

#[derive(Debug, Args)]
struct PasswordArguments {
    /// The environment variable that holds the password
    #[arg(long, value_name = "NAME", default_value = "AUDIT_PASSWORD", conflicts_with = "password_file")]
    password_env: String,

    /// The file whose first line is the password
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct ReportArguments {
    /// How to report; the first is for the first --out, and so on, and one more for standard output
    #[arg(long, value_name = "FORMAT", value_parser = PossibleValuesParser::new(FORMATS))]
    format: Vec<String>,

    /// Where to; without a --format the extension says how (.txt, .json, .sarif, .xml, .html)
    #[arg(long, value_name = "FILE")]
    out: Vec<PathBuf>,

    /// An earlier JSON report: what it knew is not told again and fails nothing
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,

    /// From which severity on a flaw fails the run
    #[arg(long, value_name = "SEVERITY", default_value = "high", value_parser = PossibleValuesParser::new(SEVERITIES))]
    fail_on: String,

    /// Tell what holds as fully as what does not
    #[arg(long)]
    verbose: bool,
}

/// Runs the audit, prints and writes what came of it.
///
/// # Errors
/// Whatever keeps it from judging.
pub(crate) fn run(arguments: &AuditArgs) -> Result<ExitCode, Box<dyn Error>> {
    let AuditArgs { password, yes, .. } = arguments;
    if let Some(discovery) = arguments.discovery() {
        return propose(discovery, password);
    }
    let mut ready = arguments.options()?.read()?;
    password.fill_in(&mut ready)?;
    if let Some(change) = ready.asks() {
        if *yes || agreed(&change) {
            ready.allow();
        } else {
            eprintln!(
                "not tried: whether a change of the password ends other sessions; it would {change} (--yes allows it)"
            );
        }
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let bar = bar();
    let ended = runtime.block_on(ready.run(&|progress| show(&bar, &progress)));
    bar.finish_and_clear();
    let Done { printed, failures } = ended?;
    stdout().write_all(printed.as_bytes())?;
    Ok(if failures > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn propose(mut discovery: Discovery, password: &PasswordArguments) -> Result<ExitCode, Box<dyn Error>> {
    discovery.check()?;
    password.fill_in_one(&mut discovery.account, 0)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    print!("{}", runtime.block_on(discovery.run())?);
    Ok(ExitCode::SUCCESS)
}

impl AuditArgs {
    fn discovery(&self) -> Option<Discovery> {
        let (Some(file), Some(page), Some(user)) = (&self.discover, &self.site, &self.user) else { return None };
        Some(Discovery {
            page: page.clone(),
            account: Account { user: user.clone(), password: String::new() },
            file: file.clone(),
            certificates: self.ca.clone(),
            budget: self.budget,
            rate: self.rate,
        })
    }

    fn options(&self) -> Result<Options, Box<dyn Error>> {
        let ReportArguments { format, out, baseline, fail_on, verbose } = &self.report;
        let formats = format.iter().map(|word| word.parse()).collect::<Result<Vec<Format>, _>>()?;
        Ok(Options {
            site: self.site.clone(),
            profile: self.profile.clone(),
            baseline: baseline.clone(),
            certificates: self.ca.clone(),
            outputs: Output::paired(&formats, out)?,
            fail_on: Severity::ALL.into_iter().find(|severity| severity.name() == fail_on),
            budget: self.budget,
            rate: self.rate,
            browser: self.browser()?,
            groups: self.groups(),
            wait: self.wait,
            page: page(*verbose),
        })
    }

    fn browser(&self) -> Result<Option<Program>, Box<dyn Error>> {
        let Some(path) = &self.browser else { return Ok(None) };
        let named = Some(Path::new(path)).filter(|path| !path.as_os_str().is_empty());
        Ok(Some(Program::find(named)?))
    }

    fn groups(&self) -> Vec<Group> {
        let named = |words: &[String], group: &Group| words.iter().any(|word| word == group.word());
        let wanted = |group: &Group| (self.only.is_empty() || named(&self.only, group)) && !named(&self.skip, group);
        Group::ALL.into_iter().filter(wanted).collect()
    }
}

impl PasswordArguments {
    /// The first account's is where the arguments say, in the environment, in the profile, or asked for.
    fn fill_in(&self, ready: &mut Ready) -> Result<(), Box<dyn Error>> {
        ready.accounts().into_iter().enumerate().try_for_each(|(index, account)| self.fill_in_one(account, index))
    }

    fn fill_in_one(&self, account: &mut Account, index: usize) -> Result<(), Box<dyn Error>> {
        let variable = if index == 0 { self.password_env.as_str() } else { SECOND };
        let said = match &self.password_file {
            Some(path) if index == 0 => Some(first_line(path)?),
            _ => std::env::var(variable).ok().filter(|password| !password.is_empty()),
        };
        match said {
            Some(password) => account.password = password,
            None if !account.password.is_empty() => {}
            None if stdin().is_terminal() => {
                account.password = rpassword::prompt_password(format!("Password of `{}`: ", account.user))?;
            }
            None => return Err(NoPassword { user: account.user.clone(), variable: variable.to_owned() }.into()),
        }
        Ok(())
    }
}

/// Nobody said it and nobody can be asked.
#[derive(Debug, thiserror::Error)]
#[error("no password of `{user}`: {variable} is not set, and nobody can be asked here")]
struct NoPassword {
    user: String,
    variable: String,
}

fn first_line(path: &PathBuf) -> Result<String, Box<dyn Error>> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

/// Only where somebody can say no.
fn agreed(change: &str) -> bool {
    if !stdin().is_terminal() {
        return false;
    }
    eprint!("The audit would {change}. May it? [y/N] ");
    let mut line = String::new();
    let read = stderr().flush().and_then(|()| stdin().read_line(&mut line));
    read.is_ok() && matches!(line.trim(), "y" | "Y" | "yes")
}

fn page(verbose: bool) -> Page {
    let terminal = stdout().is_terminal();
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || std::env::var_os("TERM").is_some_and(|value| value == "dumb");
    Page { width: if terminal { width() } else { 100 }, colours: terminal && !plain, verbose }
}

/// On standard error, and only where somebody looks at it.
fn bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{bar:30} {pos} of {len}  {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

fn show(bar: &ProgressBar, progress: &Progress) {
    bar.set_length(u64::try_from(progress.of).unwrap_or(u64::MAX));
    bar.set_position(u64::try_from(progress.done).unwrap_or(u64::MAX));
    bar.set_message(format!("{}, {} requests", progress.doing, progress.requests));
}

fn groups() -> Vec<&'static str> {
    Group::ALL.into_iter().map(Group::word).collect()
}

const FORMATS: [&str; 5] = ["text", "json", "sarif", "junit", "html"];
const SEVERITIES: [&str; 6] = ["info", "low", "medium", "high", "critical", "never"];
/// Of the profile's second account.
const SECOND: &str = "AUDIT_SECOND_PASSWORD";

pub(crate) const EXAMPLES: &str = "\
Examples:
  counterfoil audit https://app.example.org
                                         what anybody sees: cookies and headers
  counterfoil audit https://app.example.org/login --discover app.toml --user alice
                                         signs in once, and proposes a profile for you to read
  counterfoil audit --profile app.toml   everything; asks for the password, or takes it from AUDIT_PASSWORD
  counterfoil audit --profile app.toml --out report.html --out report.json
                                         the same, for people and for the next run
  counterfoil audit --profile app.toml --baseline report.json --out audit.sarif --fail-on medium
                                         in CI: fails only by what is new since
  counterfoil audit --profile app.toml --browser
                                         the same, and in a real Chromium besides
  counterfoil audit https://staging.example.org --profile app.toml --only sign-out --only csrf
                                         two groups, at another address

It signs in with the account of the profile, sends the requests that the profile declares and no others, and stays on the
site. Reports hold no password, cookie or token.

Exit status: 0 if no flaw is as bad as --fail-on, 1 if one is, 2 if nothing could be judged.";
