//! Measures Counterfoil beside the bare server, counts the instructions of its pieces, and writes the page.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use counterfoil_benches::machine::Machine;
use counterfoil_benches::measure::{Contender, Placement, Size, measure, measure_peers};
use counterfoil_benches::modes::MODES;
use counterfoil_benches::page::{Part, publish};
use counterfoil_benches::peers::PEERS;
use counterfoil_benches::side_by_side::{PieceCost, SideBySide};
use counterfoil_benches::{Failed, bar, instructions, pieces, profile, server};

/// Measure Counterfoil beside the same server without it.
///
/// Run it by `cargo xtask bench`, which builds what it needs first.
#[derive(Debug, Parser)]
#[command(name = "side-by-side")]
struct Arguments {
    /// A quick look instead of figures to publish: 3 runs of 50,000 requests
    #[arg(long)]
    short: bool,

    /// Runs of each mode [default: 9]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    runs: Option<u16>,

    /// Requests of each run [default: 1000000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1000..=100_000_000))]
    requests: Option<u32>,

    /// Other session middleware as well, as far as it was built and its runtime is there
    #[arg(long)]
    peers: bool,

    /// Where criterion keeps its figures
    #[arg(long, value_name = "FOLDER", default_value = "target/criterion")]
    criterion: PathBuf,

    /// Write the section into this page, beside printing it
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("side-by-side: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Failed> {
    let machine = Machine::look();
    let programs = std::env::current_exe()?.parent().ok_or("no folder")?.to_owned();
    let (size, placement) = (arguments.size()?, place(&machine));
    let bar = bar(size.runs * (MODES.len() + 1), "beside the bare server");
    let compared = measure(&programs, size, placement, &bar)?;
    bar.finish_and_clear();
    let pieces = costs(&programs, &arguments.criterion)?;
    let peers = if arguments.peers { peers(size, placement)? } else { Vec::new() };
    let counted = instructions::is_possible();
    let shares = counted.then(|| profile::more(&programs, "router, authenticated", "router, bare")).transpose()?;
    let shares = shares.unwrap_or_default();
    let section = SideBySide { machine, size, placement, compared, pieces, shares, peers }.markdown();
    publish(&section, Part::SideBySide, arguments.write.as_deref())
}

impl Arguments {
    fn size(&self) -> Result<Size, Failed> {
        let default = if self.short { (3, 50_000) } else { (9, 1_000_000) };
        let requests = self.requests.map_or(Ok(default.1), usize::try_from)?;
        Ok(Size { runs: self.runs.map_or(default.0, usize::from), requests })
    }
}

/// From the workspace's folder, where `cargo xtask bench` starts this.
fn peers(size: Size, placement: Placement) -> Result<Vec<Contender>, Failed> {
    let bar = bar(size.runs * PEERS.len(), "beside other middleware");
    let peers = measure_peers(Path::new("."), size, placement, &bar)?;
    bar.finish_and_clear();
    Ok(peers)
}

/// Server on the first core, load on the second, where there are two.
fn place(machine: &Machine) -> Placement {
    if machine.cores >= 2 && server::pin(1).is_ok() { Placement::Apart } else { Placement::Anywhere }
}

fn costs(programs: &Path, criterion: &Path) -> Result<Vec<PieceCost>, Failed> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let _inside = runtime.enter();
    let names: Vec<_> = pieces::all()?.into_iter().map(|piece| piece.name).collect();
    let counted = instructions::is_possible();
    if !counted {
        println!("valgrind is not installed: no instructions are counted");
    }
    let bar = bar(names.len(), "instructions");
    let costs = names.into_iter().map(|name| {
        bar.inc(1);
        let instructions = counted.then(|| instructions::each(programs, name)).transpose()?;
        Ok(PieceCost { name, nanoseconds: median(criterion, name), instructions })
    });
    costs.collect()
}

/// Criterion's median of one piece, if it was measured.
fn median(criterion: &Path, name: &str) -> Option<f64> {
    let folder = criterion.join(name).join("new").join("estimates.json");
    let estimates: serde_json::Value = serde_json::from_slice(&std::fs::read(folder).ok()?).ok()?;
    estimates.get("median")?.get("point_estimate")?.as_f64()
}
