//! Measures what decisions of the gateway cost, and writes that section of the page.

mod arranged;
mod chain;
mod decisions;
mod idle;
mod questions;
mod sample;
mod section;
mod usage;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use counterfoil_benches::machine::Machine;
use counterfoil_benches::page::{Part, publish};
use counterfoil_benches::server::pin;
use counterfoil_benches::{Failed, bar};
use counterfoil_proxies::kind::Kind;
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::sample::Size;
use crate::section::Section;

/// Measure what decisions of the gateway cost: beside an empty answer, behind a real nginx, and while nobody asks.
///
/// Run it by `cargo xtask bench --only gateway`, which builds and installs what it needs first.
#[derive(Debug, Parser)]
#[command(name = "gateway-costs")]
struct Arguments {
    /// A quick look instead of figures to publish: 3 runs of 20,000 requests, 1,000 idle sessions
    #[arg(long)]
    short: bool,

    /// The `counterfoil` that is measured [default: the one beside this program]
    #[arg(long, value_name = "PROGRAM")]
    bin: Option<PathBuf>,

    /// Write the section into this page, beside printing it
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("gateway-costs: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Failed> {
    let (machine, size) = (Machine::look(), arguments.size());
    let counterfoil = arguments.counterfoil()?;
    // A connection for each idle session, and some for everything else.
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most)?;
    if most < u64::try_from(size.idle)? + 500 {
        return Err(format!("{} idle connections need as many open files; the limit is {most}", size.idle).into());
    }
    let core = (machine.cores >= 2 && pin(1).is_ok()).then_some(0);
    let mut measured = Vec::new();
    for kind in CONTRACTS {
        let bar = bar(decisions::runs(size), "decisions");
        measured.push(decisions::measure(kind, &counterfoil, size, core, || bar.inc(1))?);
        bar.finish_and_clear();
    }
    let behind = bar(chain::runs(size), "behind nginx");
    let chain = chain::measure(&counterfoil, size, core, || behind.inc(1))?;
    behind.finish_and_clear();
    let connecting = bar(size.idle, "idle connections");
    let idle = idle::measure(&counterfoil, size, || connecting.inc(1))?;
    connecting.finish_and_clear();
    let section = Section { machine, size, decisions: measured, chain, idle };
    publish(&section.markdown(), Part::Gateway, arguments.write.as_deref())
}

impl Arguments {
    fn size(&self) -> Size {
        if self.short {
            Size { runs: 3, requests: 20_000, idle: 1_000, idle_for: Duration::from_secs(5) }
        } else {
            Size { runs: 9, requests: 50_000, idle: 10_000, idle_for: Duration::from_secs(30) }
        }
    }

    fn counterfoil(&self) -> Result<PathBuf, Failed> {
        let beside = || Ok::<_, Failed>(std::env::current_exe()?.with_file_name("counterfoil"));
        let program = self.bin.clone().map_or_else(beside, Ok)?;
        let is_there = program.is_file();
        is_there.then_some(()).ok_or_else(|| format!("{}: no such program", program.display()))?;
        Ok(program)
    }
}

/// One that answers 204 and 401 only, and the one of the others.
const CONTRACTS: [Kind; 2] = [Kind::Nginx, Kind::Caddy];
