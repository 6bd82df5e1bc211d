//! The command line.

use std::path::PathBuf;

use clap::Parser;
use counterfoil_proxies::kind::Kind;

use crate::app::Which;

/// Puts published applications, with nothing changed but their settings, behind the gateway and a real proxy, uses them in a
/// real browser, and attacks them.
///
/// Everything runs on free ports of loopback and in folders of its own. Exit status: 0 all as it must be, 1 a promise was
/// broken, 2 something could not be shown (no application, no browser, no gateway).
#[derive(Debug, Parser)]
#[command(name = "retrofit")]
pub(crate) struct Args {
    /// Only these applications
    #[arg(value_name = "APPLICATION")]
    apps: Vec<Which>,

    /// Behind these proxies
    #[arg(long, value_name = "PROXY", default_values_t = [Kind::Nginx, Kind::Caddy])]
    pub(crate) proxy: Vec<Kind>,

    /// Put the table into this page, between its marks
    #[arg(long, value_name = "PAGE")]
    pub(crate) write: Option<PathBuf>,

    /// Say also what was seen where all is as it must be
    #[arg(long)]
    pub(crate) verbose: bool,

    /// The `counterfoil` binary [default: target/release/counterfoil, else target/debug/counterfoil]
    #[arg(long, value_name = "PATH", env = "COUNTERFOIL_BIN")]
    bin: Option<PathBuf>,

    /// The browser
    #[arg(long, value_name = "PATH", env = "CHROMIUM_BIN", default_value = "chromium")]
    pub(crate) chromium: PathBuf,

    /// Where pictures of what failed go
    #[arg(long, value_name = "FOLDER", default_value = "target/retrofit/pictures")]
    pub(crate) pictures: PathBuf,
}

impl Args {
    /// The applications to try.
    pub(crate) fn apps(&self) -> Vec<Which> {
        if self.apps.is_empty() { Which::ALL.to_vec() } else { self.apps.clone() }
    }

    /// The gateway.
    pub(crate) fn counterfoil(&self) -> PathBuf {
        let release = PathBuf::from("target/release/counterfoil");
        let built = || if release.is_file() { release } else { PathBuf::from("target/debug/counterfoil") };
        self.bin.clone().unwrap_or_else(built)
    }
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
    fn applications_and_proxies_are_known_by_name() {
        let args = Args::try_parse_from(["retrofit", "otterwiki", "--proxy", "caddy"]).unwrap();
        assert_eq!((args.apps(), args.proxy), (vec![Which::Otterwiki], vec![Kind::Caddy]));
        let all = Args::try_parse_from(["retrofit"]).unwrap();
        assert_eq!((all.apps().len(), all.proxy.len()), (Which::ALL.len(), 2));
    }
}
