//! The command line.

use std::path::PathBuf;

use clap::Parser;

use crate::case::{ALL, Case};
use crate::show::Show;
use counterfoil_proxies::kind::Kind;

/// Puts real proxies with their generated configurations between a browser's bytes and an app, and looks everywhere.
///
/// Starts nginx, Traefik, Caddy, HAProxy and Envoy on free ports of loopback, each in a folder of its own, and takes them
/// down again. Exit status: 0 all kept, 1 a promise was broken, 2 nothing could be shown (no proxy, no gateway).
#[derive(Debug, Parser)]
#[command(name = "proxies")]
pub(crate) struct Args {
    /// Only these cases; all of them where none is named
    #[arg(value_name = "CASE", value_parser = known)]
    cases: Vec<Case>,

    /// Only these proxies
    #[arg(long, value_name = "PROXY")]
    proxy: Vec<Kind>,

    /// Only what needs the gateway itself: somebody signs in and out, and the doctor passes every generated
    /// configuration, and says what is wrong with spoiled ones
    #[arg(long, conflicts_with = "cases")]
    pub(crate) doctor: bool,

    /// Only one proxy before a small app, to look at; ctrl-c ends it
    #[arg(long, conflicts_with_all = ["cases", "doctor", "verbose"])]
    pub(crate) show: bool,

    /// Where browsers find the app that is shown
    #[arg(long, value_name = "PORT", default_value_t = 8080)]
    port: u16,

    /// Where accounts, sessions and logs of what is shown are kept
    #[arg(long, value_name = "FOLDER", default_value = "target/gateway")]
    keep: PathBuf,

    /// The app that is shown [default: target/release/example-notes, else target/debug/example-notes]
    #[arg(long, value_name = "PATH")]
    app: Option<PathBuf>,

    /// Say also what was seen where all is as it must be
    #[arg(long)]
    pub(crate) verbose: bool,

    /// The `counterfoil` binary [default: target/release/counterfoil, else target/debug/counterfoil]
    #[arg(long, value_name = "PATH", env = "COUNTERFOIL_BIN")]
    bin: Option<PathBuf>,
}

impl Args {
    /// The cases to run.
    pub(crate) fn cases(&self) -> Vec<Case> {
        if self.cases.is_empty() { ALL.to_vec() } else { self.cases.clone() }
    }

    /// Whether all of the contract is asked for, or the doctor.
    pub(crate) fn names_no_case(&self) -> bool {
        self.cases.is_empty()
    }

    /// Those of them that the contract's cases speak for.
    pub(crate) fn scripted(&self) -> Vec<Kind> {
        self.kinds().into_iter().filter(|kind| kind.speaks_http()).collect()
    }

    /// The proxies to run them through.
    pub(crate) fn kinds(&self) -> Vec<Kind> {
        let named = |kind: &Kind| self.proxy.is_empty() || self.proxy.contains(kind);
        Kind::ALL.into_iter().filter(named).collect()
    }

    /// What writes the configurations.
    pub(crate) fn counterfoil(&self) -> PathBuf {
        self.bin.clone().unwrap_or_else(|| built("counterfoil"))
    }

    /// What is shown, by the first proxy that was asked for.
    pub(crate) fn shown(&self) -> Show {
        let app = self.app.clone().unwrap_or_else(|| built("example-notes"));
        let kind = self.kinds().first().copied().unwrap_or(Kind::Nginx);
        Show { kind, counterfoil: self.counterfoil(), app, port: self.port, keep: self.keep.clone() }
    }
}

/// A program of this workspace, optimised where it is there.
fn built(name: &str) -> PathBuf {
    let release = PathBuf::from("target/release").join(name);
    if release.is_file() { release } else { PathBuf::from("target/debug").join(name) }
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
    fn cases_and_proxies_are_known_by_name() {
        let count = |words: &str| {
            Args::try_parse_from(words.split_whitespace()).map(|args| (args.cases().len(), args.kinds().len()))
        };
        assert_eq!(count("proxies told query --proxy caddy").unwrap(), (2, 1));
        assert_eq!(count("proxies").unwrap(), (ALL.len(), Kind::ALL.len()));
        assert!(count("proxies no-such-case").unwrap_err().to_string().contains("gateway-down"));
    }
}
