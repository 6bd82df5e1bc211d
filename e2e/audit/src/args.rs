//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::judge::Judge;
use crate::measure::Plan;
use crate::rival::Rival;

/// The ground truth for auditors of sessions: small sites as vulnerable and fixed twins.
///
/// Exit status: 0 all as it must be, 1 something is not, 2 nothing could be shown.
#[derive(Debug, Parser)]
#[command(name = "corpus")]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) what: What,
}

#[derive(Debug, Subcommand)]
pub(crate) enum What {
    /// What there is, and what is planted in it
    List,
    /// Serve one twin on loopback until interrupted
    Serve {
        /// Of the list
        name: String,
        /// The twin without flaws
        #[arg(long)]
        fixed: bool,
        /// 0 for a free one
        #[arg(long, default_value_t = 0)]
        port: u16,
        /// Where its profile goes [default: printed]
        #[arg(long, value_name = "FILE")]
        write_profile: Option<PathBuf>,
    },
    /// Show that every planted flaw is there, and nothing else: exploits by hand, no auditor
    Check {
        /// Only these
        names: Vec<String>,
    },
    /// Bring what twins in other languages need into target/audit
    Install {
        /// And the other auditors
        #[arg(long)]
        rivals: bool,
    },
    /// Run an auditor over the twins: what it finds, misses and makes up, and what that costs
    Measure(Measure),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Measure {
    /// The `counterfoil` binary
    #[arg(long, value_name = "PATH", env = "COUNTERFOIL_BIN", default_value = "target/debug/counterfoil")]
    counterfoil: PathBuf,
    /// Another auditor instead; `corpus install --rivals` brings them
    #[arg(long, value_name = "NAME")]
    judge: Option<Rival>,
    /// How often; agreement takes more than one
    #[arg(long, value_name = "N", default_value_t = 1)]
    runs: usize,
    /// Only this pair, or this odd site; may be given several times
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// How many sites at once
    #[arg(long, value_name = "N", default_value_t = 2)]
    at_a_time: usize,
    /// Exit with 1 unless recall, precision, agreement, requests and time are what they have to be
    #[arg(long)]
    least: bool,
    /// The odd sites instead: whether each is met as it has to be
    #[arg(long)]
    odd: bool,
    /// Write the table there; rows of other auditors are kept
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
}

impl Measure {
    /// The plan these arguments come to.
    pub(crate) fn plan(self) -> Plan {
        let Self { counterfoil, judge, runs, only, at_a_time, least, odd, write } = self;
        let judge = judge.map_or(Judge::Counterfoil(counterfoil), Judge::Rival);
        Plan { judge, runs, only, at_a_time, least, odd, write }
    }
}
