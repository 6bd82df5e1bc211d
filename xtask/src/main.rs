//! `cargo xtask`: the commands people run, each of which says what it does and how long its parts took.

mod advisories;
mod fuzz;
mod invocation;
mod overheard;
mod packages;
mod plan;
mod report;
mod stage;
mod tally;
mod tools;
mod wheels;

use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::plan::{Bench, Part, Peers, Size};
use crate::stage::Stage;

/// The commands people run in this workspace.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// All tests, after installing what they need: the command CI runs
    Test,
    /// As `test`, with the long versions of the model check, the races and the property tests
    Full,
    /// Run the demo, optimised
    Demo {
        /// For `counterfoil demo`, e.g. `--https`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Race the demo over HTTP
    Races {
        /// For `races`, e.g. `--full` or `sign-out --n 500` [default: --short]
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Try the stores that many nodes share at real servers, installed where they are missing
    Stores,
    /// Have Prometheus try the alert rules, and libraries of others verify signed events; installs both where missing
    Judges,
    /// Run three nodes on one real Redis and PostgreSQL, and revoke 15,000 sessions; installs the servers where missing
    Nodes {
        /// For `nodes`, e.g. `--short` or `postgres --revocations 1000` [default: all of it]
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Kill workers of the embedded store and cut the power under them, 200 times each
    Crash {
        /// For `crash`, e.g. `--short` or `--kills 0 --cuts 50 --seed 7` [default: --full]
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Drive a real browser through the demo; installs Chromium where it is missing
    Browser {
        /// For `browser`, e.g. `--self-check` or `sign-out idle`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Run the gateway: a real nginx before a small app, with an account to sign in with; ctrl-c ends it
    Gateway {
        /// For `proxies --show`, e.g. `--proxy caddy --port 8088`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Put real proxies with their generated configurations before an app; installs them where they are missing
    Proxies {
        /// For `proxies`, e.g. `--proxy caddy --verbose` or `told query`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Have a real browser come to an app through real proxies and the gateway; installs all of them where missing
    Journeys {
        /// For `journeys`, e.g. `--proxy nginx`, `--long` or `sign-out rename`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Put published applications, unchanged, behind the gateway, use and attack them in a real browser; installs them
    Retrofit {
        /// For `retrofit`, e.g. `otterwiki --proxy caddy --verbose` or `--write docs/gateway/retrofit.md`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Have MDN's HTTP Observatory and testssl look at a site behind the gateway; installs both, takes minutes
    Scan {
        /// For `journeys --scan`, e.g. `--proxy caddy`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Run the auditor over small sites with planted flaws, and over their twins without; installs what those need
    Audit {
        /// For `corpus measure`, e.g. `--only ledger` or `--runs 2 --write docs/audit-measured.md` [default: all of it]
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Try the example apps in Python, JavaScript, PHP, Go and Rust; installs what runs them where it is missing
    Apps {
        /// For `examples/apps/test.py`, e.g. `flask go` or `--mutants php`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Audit published applications, unchanged, and compare the verdicts with what they really do; installs them
    AuditApps {
        /// For `audit-apps`, e.g. `--only django --verbose` or `--write docs/audit-applications.md`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Explore the token family's rules, and mutants of them that must be caught
    Model {
        /// For `model`, e.g. `--full`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Simulate days of browsers, bad networks and thieves, under our rotation and three others
    Simulate {
        /// For `simulation`, e.g. `--short`, `nodes` or `--write docs/rotation.md`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Fuzz the readers with libFuzzer, one target after another, as long as you like; `test` replays their corpora
    Fuzz {
        /// One target of `fuzz/src` [default: all]
        target: Option<String>,
        /// Minutes for each target
        #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=1_440), conflicts_with = "short")]
        minutes: u32,
        /// Ten seconds for each target
        #[arg(long)]
        short: bool,
    },
    /// Measure beside a bare server and bare storage engines, and write docs/benchmarks.md: about an hour
    Bench {
        /// A quick look: less of everything, and nothing is written
        #[arg(long)]
        short: bool,

        /// Other session middleware and storage engines as well: what they need is built, and where Node is there installed
        #[arg(long)]
        peers: bool,

        /// One part of the page; the others stay as they are
        #[arg(long, value_name = "PART")]
        only: Option<Part>,

        /// One size of the curves; printed, not written
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(100..=100_000_000))]
        sessions: Option<u64>,
    },
    /// Which requirements (ASVS, NIST, WSTG, RFCs) are shown by tests, and which are open
    Requirements,
    /// Write the bill of materials of the program, target/counterfoil.cdx.json (CycloneDX)
    Sbom,
    /// Format all sources
    Fmt,
    /// Formatting and clippy, where any warning fails
    Lint,
}

fn main() -> ExitCode {
    let task = Arguments::parse().task;
    if let Err(error) = std::env::set_current_dir(root()) {
        eprintln!("xtask: the workspace is not where it was when this was built: {error}");
        return ExitCode::FAILURE;
    }
    let (purpose, stages) = task.plan();
    println!("xtask: {purpose}");
    report::run(stages)
}

impl Task {
    /// What the task does, in words and in stages.
    fn plan(self) -> (&'static str, Vec<Stage>) {
        match self {
            Self::Test => ("every test there is, in its short version", plan::test(Size::Short)),
            Self::Full => ("every test there is, in its long version", plan::test(Size::Full)),
            Self::Demo { arguments } => ("the demo; ctrl-c ends it", plan::demo(arguments)),
            Self::Races { arguments } => ("races over HTTP against the demo", plan::races(arguments)),
            Self::Stores => ("the stores that nodes share, at real servers", plan::stores()),
            Self::Judges => ("what programs of others say of alerts and signed events", plan::judges()),
            Self::Nodes { arguments } => ("three nodes on one store", plan::nodes(arguments)),
            Self::Crash { arguments } => ("kills and power cuts under the embedded store", plan::crash(arguments)),
            Self::Browser { arguments } => ("a real browser at the demo", plan::browser(arguments)),
            Self::Gateway { arguments } => ("the gateway behind a real proxy", plan::gateway(arguments)),
            Self::Proxies { arguments } => ("real proxies before the gateway", plan::proxies(arguments)),
            Self::Journeys { arguments } => ("a real browser through all of it", plan::journeys(arguments)),
            Self::Scan { arguments } => ("public scanners", plan::scan(arguments)),
            Self::Retrofit { arguments } => ("published applications behind the gateway", plan::retrofit(arguments)),
            Self::Audit { arguments } => ("the auditor, where the truth is known", plan::audit(arguments)),
            Self::Apps { arguments } => ("apps in other languages, and forged assertions", plan::apps(arguments)),
            Self::AuditApps { arguments } => ("our auditor over published applications", plan::audit_apps(arguments)),
            Self::Model { arguments } => ("a model check of the token family", plan::model(arguments)),
            Self::Simulate { arguments } => {
                ("a simulation of rotation, or of several nodes", plan::simulate(arguments))
            }
            Self::Fuzz { target, short: true, .. } => ("a short look with libFuzzer", fuzz::run(target, 10)),
            Self::Fuzz { target, minutes, .. } => {
                ("fuzzing with libFuzzer", fuzz::run(target, minutes.saturating_mul(60)))
            }
            Self::Bench { short, peers, only, sessions } => {
                let size = if short { Size::Short } else { Size::Full };
                let peers = if peers { Peers::Too } else { Peers::None };
                // A size is one of the curves'.
                let only = only.or(sessions.map(|_| Part::Curves));
                ("benchmarks", plan::bench(Bench { size, peers, only, sessions }))
            }
            Self::Requirements => ("what is met and what is open", vec![plan::requirements()]),
            Self::Sbom => ("what the program is made of: target/counterfoil.cdx.json", plan::sbom()),
            Self::Fmt => ("formats all sources", vec![plan::format()]),
            Self::Lint => ("formatting and clippy", vec![plan::lint()]),
        }
    }
}

/// The workspace, so that the command works from any of its directories.
fn root() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn what_follows_a_program_s_name_goes_to_the_program() {
        let parsed = Arguments::try_parse_from(["cargo xtask", "races", "sign-out", "--n", "500"]).unwrap();
        assert!(matches!(parsed.task, Task::Races { arguments } if arguments == ["sign-out", "--n", "500"]));
    }

    #[test]
    fn the_root_holds_the_workspace() {
        assert!(root().join("Cargo.lock").is_file());
    }
}
