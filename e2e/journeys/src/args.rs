//! The command line.

use std::path::PathBuf;

use clap::Parser;
use counterfoil_proxies::kind::Kind;

use crate::case::{ALL, Behind, Case, Runs};

/// Has a real Chromium come to an app through real proxies and the gateway, over https.
///
/// Each case has an app, a gateway and a proxy of its own, on free ports of loopback and in a folder of its own, which are
/// taken down again. Exit status: 0 all kept, 1 a promise was broken, 2 nothing could be shown (no browser, no proxy).
#[derive(Debug, Parser)]
#[command(name = "journeys")]
pub(crate) struct Args {
    /// Only these cases; all of them where none is named
    #[arg(value_name = "CASE", value_parser = known)]
    cases: Vec<Case>,

    /// Only these proxies
    #[arg(long, value_name = "PROXY")]
    proxy: Vec<Kind>,

    /// Every case behind every proxy, also where another case shows the proxy's part in it
    #[arg(long)]
    every: bool,

    /// Also what takes minutes
    #[arg(long)]
    long: bool,

    /// Make mistakes in the chain instead: each must be found out
    #[arg(long, conflicts_with_all = ["cases", "proxy", "every", "long"])]
    pub(crate) self_check: bool,

    /// The `counterfoil` binary [default: target/release/counterfoil, else target/debug/counterfoil]
    #[arg(long, value_name = "PATH", env = "COUNTERFOIL_BIN")]
    bin: Option<PathBuf>,

    /// The browser
    #[arg(long, value_name = "PATH", env = "CHROMIUM_BIN", default_value = "chromium")]
    pub(crate) chromium: PathBuf,

    /// Where pictures go
    #[arg(long, value_name = "FOLDER", default_value = "target/journeys")]
    pub(crate) pictures: PathBuf,

    /// Cases under way at once
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=32))]
    pub(crate) at_once: u16,
}

impl Args {
    /// The cases to run, and behind which proxies.
    pub(crate) fn jobs(&self) -> Vec<(Case, Kind)> {
        let named = |case: &Case| match self.cases.as_slice() {
            [] => self.long || case.runs == Runs::Always,
            cases => cases.iter().any(|other| other.name == case.name),
        };
        let cases = ALL.into_iter().filter(named);
        cases.flat_map(|case| self.kinds(case).map(move |kind| (case, kind))).collect()
    }

    fn kinds(&self, case: Case) -> impl Iterator<Item = Kind> {
        let all = self.every || !self.proxy.is_empty() || case.behind == Behind::Every;
        Kind::ALL.into_iter().filter(move |kind| {
            let named = self.proxy.is_empty() || self.proxy.contains(kind);
            named && (all || matches!(kind, Kind::Nginx | Kind::Caddy))
        })
    }

    /// The gateway.
    pub(crate) fn counterfoil(&self) -> PathBuf {
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
    fn what_depends_on_the_proxy_is_shown_behind_all() {
        let jobs = |words: &str| Args::try_parse_from(words.split_whitespace()).map(|args| args.jobs().len());
        assert_eq!(jobs("journeys sign-out").unwrap(), Kind::ALL.len());
        assert_eq!(jobs("journeys rename").unwrap(), 2);
        assert_eq!(jobs("journeys rename --every").unwrap(), Kind::ALL.len());
        assert_eq!(jobs("journeys rename --proxy envoy").unwrap(), 1);
        assert!(jobs("journeys no-such-case").unwrap_err().to_string().contains("there-and-back"));
    }
}
