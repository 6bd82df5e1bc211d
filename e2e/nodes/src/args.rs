//! The command line, and the plan it comes to.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

use crate::faults::Pace;
use crate::stage::Kind;

/// Three nodes on one real store: how soon a revocation is known everywhere, and that it is never later than the bound.
///
/// Starts a Redis or a PostgreSQL, and `counterfoil demo` three times on it, and ends them again. Exit status: 0 all kept,
/// 1 a promise was broken, 2 nothing could be shown (no server, no demo, answers that were neither yes nor no).
#[derive(Debug, Parser)]
#[command(name = "nodes")]
pub(crate) struct Args {
    /// Only this store; both where none is named
    #[arg(value_enum, value_name = "STORE")]
    stores: Vec<Kind>,

    /// 300 revocations, and each fault briefly
    #[arg(long)]
    short: bool,

    /// How many revocations [default: 15000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    revocations: Option<u32>,

    /// Believe in a bound that nodes do not keep (50 ms) while one is cut off: it must be reported
    #[arg(long, conflicts_with_all = ["short", "revocations"])]
    self_check: bool,

    /// The `counterfoil` binary [default: target/release/counterfoil, else target/debug/counterfoil]
    #[arg(long, value_name = "PATH", env = "COUNTERFOIL_BIN")]
    bin: Option<PathBuf>,
}

/// What is to be done, nothing left open.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) stores: Vec<Kind>,
    pub(crate) revocations: usize,
    pub(crate) pace: Pace,
    pub(crate) binary: PathBuf,
    pub(crate) purpose: Purpose,
}

/// What for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To hold the nodes to their promise.
    Measure,
    /// To hold this program to its own.
    SelfCheck,
}

impl Args {
    /// The plan these arguments come to.
    pub(crate) fn plan(self) -> Plan {
        let purpose = if self.self_check { Purpose::SelfCheck } else { Purpose::Measure };
        let brief = self.short || self.self_check;
        let seconds = |long, short| Duration::from_millis(if brief { short } else { long });
        let pace = Pace {
            bound: if self.self_check { BELIEVED } else { BOUND },
            beyond: seconds(4_000, 1_000),
            sessions: if brief { 12 } else { 24 },
        };
        let stores = match (self.stores.is_empty(), self.self_check) {
            (false, _) => self.stores,
            (true, true) => vec![Kind::Redis],
            (true, false) => vec![Kind::Redis, Kind::Postgres],
        };
        let revocations = self.revocations.unwrap_or(if self.short { 300 } else { 15_000 });
        Plan {
            stores,
            revocations: usize::try_from(revocations).unwrap_or(usize::MAX),
            pace,
            binary: self.bin.unwrap_or_else(built_binary),
            purpose,
        }
    }
}

fn built_binary() -> PathBuf {
    let release = PathBuf::from("target/release/counterfoil");
    if release.is_file() { release } else { PathBuf::from("target/debug/counterfoil") }
}

/// What is promised by default.
const BOUND: Duration = Duration::from_secs(3);
/// What no node keeps that cannot hear.
const BELIEVED: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn plan(words: &str) -> Result<Plan, clap::Error> {
        Args::try_parse_from(words.split_whitespace()).map(Args::plan)
    }

    #[test]
    fn the_arguments_are_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn the_long_run_is_the_one_that_must_be_shown() {
        let plan = plan("nodes").unwrap();
        assert_eq!((plan.revocations, plan.pace.bound.as_secs()), (15_000, 3));
        assert_eq!(plan.stores, [Kind::Redis, Kind::Postgres]);
    }

    #[test]
    fn it_can_be_less_and_the_self_check_believes_in_less() {
        assert_eq!(plan("nodes --short").unwrap().revocations, 300);
        let one = plan("nodes postgres --revocations 50").unwrap();
        assert_eq!((one.stores, one.revocations), (vec![Kind::Postgres], 50));
        let check = plan("nodes --self-check").unwrap();
        assert_eq!((check.purpose, check.pace.bound), (Purpose::SelfCheck, BELIEVED));
        assert!(plan("nodes --self-check --short").is_err());
    }
}
