//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

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
}
