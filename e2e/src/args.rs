//! The command line, and the plan it comes to.

use std::{path::PathBuf, time::Duration};

use clap::{ArgGroup, Parser};

use crate::scenario::{Scenario, Size};

/// Race the demo: sign-outs, rotations, counters, limits and password changes, over HTTP on loopback.
///
/// Starts `counterfoil demo --test-mode` by itself for each scenario, on a free port, and takes it down again.
/// Exit status: 0 all kept, 1 a promise was broken, 2 nothing could be shown (no demo, time over, machine too slow).
#[derive(Debug, Parser)]
#[command(name = "races")]
#[command(group = ArgGroup::new("what").args(["scenarios", "full", "short", "self_check"]).required(true).multiple(true))]
pub(crate) struct Args {
    /// Only these; all of them where none is named
    #[arg(value_enum, value_name = "SCENARIO")]
    scenarios: Vec<Scenario>,

    /// The full numbers: 10,000 sign-outs, 10,000 rotations, 100 counters, 50 limits, 100 passwords (the default)
    #[arg(long, conflicts_with_all = ["short", "self_check"])]
    full: bool,

    /// A short version of each, for CI: about a minute in all
    #[arg(long, conflicts_with = "self_check")]
    short: bool,

    /// Judge fabricated observations instead, one violation of each kind: each must be reported
    #[arg(long, conflicts_with = "scenarios")]
    pub(crate) self_check: bool,

    /// How many sign-outs, rotations or rounds, for every scenario that is run
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    n: Option<u64>,

    /// The `counterfoil` binary [default: target/release/counterfoil, else target/debug/counterfoil]
    #[arg(long, value_name = "PATH", env = "COUNTERFOIL_BIN")]
    bin: Option<PathBuf>,

    /// For the whole run, e.g. `90s` or `10m` [default: 5m for --short, else 40m]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    timeout: Option<Duration>,

    /// Requests in flight at once, at most
    #[arg(long, value_name = "N", default_value_t = 400, value_parser = connections)]
    connections: usize,

    /// The dice of an earlier run: the same delays and kinds of request, as far as the machine plays along
    #[arg(long, value_name = "SEED")]
    seed: Option<u64>,
}

/// What is to be run, nothing left open.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) scenarios: Vec<(Scenario, u64)>,
    pub(crate) binary: PathBuf,
    pub(crate) timeout: Duration,
    pub(crate) connections: usize,
    pub(crate) seed: u64,
}

impl Args {
    /// The plan these arguments come to.
    pub(crate) fn plan(self) -> Plan {
        let size = if self.short { Size::Short } else { Size::Full };
        let scenarios = if self.scenarios.is_empty() { Scenario::ALL.to_vec() } else { self.scenarios };
        Plan {
            scenarios: scenarios
                .into_iter()
                .map(|scenario| (scenario, self.n.unwrap_or(scenario.count(size))))
                .collect(),
            binary: self.bin.unwrap_or_else(built_binary),
            timeout: self.timeout.unwrap_or(Duration::from_secs(if self.short { 5 * 60 } else { 40 * 60 })),
            connections: self.connections,
            seed: self.seed.unwrap_or_else(|| fastrand::u64(..)),
        }
    }
}

fn built_binary() -> PathBuf {
    let release = PathBuf::from("target/release/counterfoil");
    if release.is_file() { release } else { PathBuf::from("target/debug/counterfoil") }
}

fn connections(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(connections @ 64..=10_000) => Ok(connections),
        _ => Err("between 64 (the counter's ways) and 10000".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn plan(words: &str) -> Result<Plan, clap::Error> {
        Args::try_parse_from(words.split_whitespace()).map(Args::plan)
    }

    #[test]
    fn the_arguments_are_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn the_full_numbers_are_those_that_must_be_shown() {
        let counts: Vec<u64> = plan("races --full").unwrap().scenarios.iter().map(|(_, count)| *count).collect();
        assert_eq!(counts, [10_000, 10_000, 100, 50, 100]);
    }

    #[test]
    fn a_scenario_can_be_named_and_sized() {
        assert_eq!(plan("races sign-out --n 20").unwrap().scenarios, [(Scenario::SignOut, 20)]);
        assert_eq!(plan("races --short limit").unwrap().scenarios, [(Scenario::Limit, 6)]);
    }

    #[test]
    fn nothing_runs_unasked_or_without_bounds() {
        for words in
            ["races", "races --full --short", "races --self-check limit", "races limit --n 0", "races --connections 63"]
        {
            assert!(plan(words).is_err(), "{words}");
        }
    }
}
