//! Measures what sessions in Redis and PostgreSQL cost, with and without this node's memory before them, and writes that
//! section of the page.

mod rows;
mod section;
mod site;
mod sizes;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use counterfoil_benches::machine::Machine;
use counterfoil_benches::measure::{Size, run, run_between};
use counterfoil_benches::modes::BARE;
use counterfoil_benches::page::{Part, publish};
use counterfoil_benches::server::pin;
use counterfoil_benches::{Failed, bar};

use crate::rows::{Row, rows};
use crate::section::Section;
use crate::site::Sites;

/// Measure sessions in stores that nodes share, beside the same server without sessions.
///
/// Run it by `cargo xtask bench --only shared`, which builds and installs what it needs first.
#[derive(Debug, Parser)]
#[command(name = "shared-costs")]
struct Arguments {
    /// A quick look instead of figures to publish: 3 runs of 50,000 requests
    #[arg(long)]
    short: bool,

    /// Runs of each row [default: 9]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    runs: Option<u16>,

    /// Requests of each run [default: 1000000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(10_000..=100_000_000))]
    requests: Option<u32>,

    /// Write the section into this page, beside printing it
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
}

fn main() -> ExitCode {
    match measured(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("shared-costs: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measured(arguments: &Arguments) -> Result<(), Failed> {
    let (machine, amount) = (Machine::look(), arguments.amount()?);
    // The load on the second core, and the servers that keep the sessions beside it; the sites on the first.
    let core = (machine.cores >= 2 && pin(1).is_ok()).then_some(0);
    let mut sites = Sites::start(core)?;
    let mut rows = rows();
    let bar = bar(amount.runs * (rows.len() + 1), "stores that nodes share");
    for _ in 0..amount.runs {
        let bare = run(&mut sites.bare, BARE, amount.requests)?;
        bar.inc(1);
        for Row { behind, compared, commands } in &mut rows {
            let (site, store) = sites.of(*behind);
            let mut counts = Vec::new();
            let run = run_between(site, compared.mode, amount.requests, || {
                counts.extend(store.commands()?);
                Ok(())
            })?;
            if let [before, after] = counts[..] {
                commands.push((after - before, run.requests));
            }
            compared.runs.push(run);
            compared.bare.push(bare);
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    drop(sites);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let room = runtime.block_on(sizes::measure())?;
    let section = Section { machine, size: amount, apart: core.is_some(), rows, sizes: room };
    publish(&section.markdown(), Part::Shared, arguments.write.as_deref())
}

impl Arguments {
    fn amount(&self) -> Result<Size, Failed> {
        let default = if self.short { (3, 50_000) } else { (9, 1_000_000) };
        let requests = self.requests.map_or(Ok(default.1), usize::try_from)?;
        Ok(Size { runs: self.runs.map_or(default.0, usize::from), requests })
    }
}
