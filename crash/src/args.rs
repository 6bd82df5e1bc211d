//! The command line, and the plan it comes to.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::cuts::CutPlan;
use crate::kills::KillPlan;
use crate::replay::NamesLast;
use crate::worker::WorkerArgs;

/// Kill workers of an embedded store and cut the power under them, at random moments under load, and look what is left.
///
/// Exit status: 0 all kept, 1 a promise was broken or a lying disk was not found out, 2 nothing could be shown.
#[derive(Debug, Parser)]
#[command(name = "crash", args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) task: Option<Task>,

    /// 200 kills, 200 power cuts, 40 of a lying disk (the default)
    #[arg(long, conflicts_with = "short")]
    full: bool,

    /// 12 kills, 24 power cuts, 8 of a lying disk: for CI
    #[arg(long)]
    short: bool,

    /// How many kills
    #[arg(long, value_name = "N")]
    kills: Option<u64>,

    /// How many power cuts
    #[arg(long, value_name = "N")]
    cuts: Option<u64>,

    /// How many power cuts of a disk that lies: the check of the harness itself
    #[arg(long, value_name = "N")]
    lies: Option<u64>,

    /// When the name of a file is on the disk
    #[arg(long, value_enum, default_value = "folder")]
    names: NamesLast,

    /// The dice of an earlier run: the same moments and the same deeds, as far as the machine plays along
    #[arg(long, value_name = "SEED")]
    seed: Option<u64>,

    /// Where stores are made for the time being [default: the system's folder for such, and one in memory]
    #[arg(long, value_name = "FOLDER")]
    scratch: Option<PathBuf>,

    /// Where cases that go wrong are kept
    #[arg(long, value_name = "FOLDER", default_value = "target/crash")]
    keep: PathBuf,

    /// The library to be preloaded [default: beside this program]
    #[arg(long, value_name = "FILE")]
    shim: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Task {
    /// Look once more at a case that was kept
    Look {
        /// Its folder
        case: PathBuf,
    },
    /// Work with a store: what the harness starts
    #[command(hide = true)]
    Worker(WorkerArgs),
}

/// What is to be run, nothing left open.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) kills: KillPlan,
    pub(crate) cuts: CutPlan,
    pub(crate) keep: PathBuf,
    pub(crate) seed: u64,
}

impl Args {
    /// The plan these arguments come to.
    pub(crate) fn plan(self) -> Plan {
        let (kills, cuts, lies) = if self.short { (12, 24, 8) } else { (200, 200, 40) };
        let seed = self.seed.unwrap_or_else(|| u64::from(fastrand::u32(..)));
        let memory = || Some(PathBuf::from(IN_MEMORY)).filter(|folder| folder.is_dir());
        let memory = self.scratch.clone().or_else(memory).unwrap_or_else(std::env::temp_dir);
        let scratch = self.scratch.unwrap_or_else(std::env::temp_dir);
        let beside = || std::env::current_exe().unwrap_or_default().with_file_name(SHIM);
        Plan {
            kills: KillPlan { kills: self.kills.unwrap_or(kills), scratch, memory: memory.clone(), seed },
            cuts: CutPlan {
                cuts: self.cuts.unwrap_or(cuts),
                lies: self.lies.unwrap_or(lies),
                names: self.names,
                shim: self.shim.unwrap_or_else(beside),
                // Nothing there waits for a disk: what is on it, the recording says.
                scratch: memory,
                seed,
            },
            keep: self.keep.join(format!("seed-{seed}")),
            seed,
        }
    }
}

/// Where Linux has a file system in memory.
const IN_MEMORY: &str = "/dev/shm";
const SHIM: &str = "libcounterfoil_crash_shim.so";

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn plan(words: &str) -> (u64, u64, u64) {
        let plan = Args::try_parse_from(words.split_whitespace()).unwrap().plan();
        (plan.kills.kills, plan.cuts.cuts, plan.cuts.lies)
    }

    #[test]
    fn the_arguments_are_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn the_full_numbers_are_those_that_must_be_shown() {
        assert_eq!(plan("crash"), (200, 200, 40));
        assert_eq!(plan("crash --full"), (200, 200, 40));
        assert_eq!(plan("crash --short"), (12, 24, 8));
        assert_eq!(plan("crash --short --kills 0 --cuts 5 --lies 1"), (0, 5, 1));
    }

    #[test]
    fn nothing_contradicts_itself() {
        for words in ["crash --full --short", "crash --names never", "crash look"] {
            assert!(Args::try_parse_from(words.split_whitespace()).is_err(), "{words}");
        }
    }
}
