//! The command line.

use std::path::PathBuf;

use clap::Parser;

use crate::case::{ALL, Case};

/// Drives a real Chromium through the demo: cookies, forms, tabs, crashes, markup, reports.
///
/// Starts `counterfoil demo --test-mode` as often as needed and one browser, all on loopback, and takes them down again.
/// Exit status: 0 all kept, 1 a promise was broken, 2 nothing could be shown (no browser, no demo, time over).
#[derive(Debug, Parser)]
#[command(name = "browser")]
pub(crate) struct Args {
    /// Only these; all of them where none is named
    #[arg(value_name = "CASE", value_parser = known)]
    cases: Vec<Case>,

    /// Visit sites that are broken in one way each instead: each must be found out
    #[arg(long, conflicts_with_all = ["cases", "write"])]
    pub(crate) self_check: bool,

    /// Write what the browser does with malformed cookies to this page
    #[arg(long, value_name = "PAGE")]
    pub(crate) write: Option<PathBuf>,

    /// The `counterfoil` binary [default: target/release/counterfoil, else target/debug/counterfoil]
    #[arg(long, value_name = "PATH", env = "COUNTERFOIL_BIN")]
    bin: Option<PathBuf>,

    /// The browser
    #[arg(long, value_name = "PATH", env = "CHROMIUM_BIN", default_value = "chromium")]
    pub(crate) chromium: PathBuf,

    /// The Prometheus that watches a demo
    #[arg(long, value_name = "PATH", env = "PROMETHEUS_BIN", default_value = "prometheus")]
    pub(crate) prometheus: PathBuf,

    /// Where pictures go
    #[arg(long, value_name = "FOLDER", default_value = "target/browser")]
    pub(crate) pictures: PathBuf,

    /// Cases under way at once
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=32))]
    pub(crate) at_once: u16,
}

impl Args {
    /// The cases to run.
    pub(crate) fn cases(&self) -> Vec<Case> {
        if self.cases.is_empty() { ALL.to_vec() } else { self.cases.clone() }
    }

    /// The demo to run them against.
    pub(crate) fn demo(&self) -> PathBuf {
        let release = PathBuf::from("target/release/counterfoil");
        let built = if release.is_file() { release } else { PathBuf::from("target/debug/counterfoil") };
        self.bin.clone().unwrap_or(built)
    }
}

fn known(name: &str) -> Result<Case, String> {
    let names = || ALL.iter().map(|case| case.name).collect::<Vec<_>>().join(", ");
    ALL.into_iter().find(|case| case.name == name).ok_or_else(|| format!("one of: {}", names()))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn cases_are_known_by_name() {
        let cases = |words: &str| Args::try_parse_from(words.split_whitespace()).map(|args| args.cases().len());
        assert_eq!(cases("browser idle sign-out").unwrap(), 2);
        assert_eq!(cases("browser").unwrap(), ALL.len());
        assert!(cases("browser no-such-case").unwrap_err().to_string().contains("killed-at-once"));
        assert!(cases("browser --self-check idle").is_err());
    }
}
