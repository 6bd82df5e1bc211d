//! Measures durable writes of the embedded store beside bare storage engines, and writes their section of the page.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use counterfoil_benches::durable::{self, CONTENDERS, Size, WAITING};
use counterfoil_benches::machine::Machine;
use counterfoil_benches::page::{Part, publish};
use counterfoil_benches::waiting::{Run, Work, contend, exit};
use counterfoil_benches::{Failed, bar};

/// Measure durable writes of the embedded store beside bare storage engines.
///
/// Run it by `cargo xtask bench --only durable`, which builds what it needs first; with `--peers` also redb and SQLite.
#[derive(Debug, Parser)]
#[command(name = "durable", args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    contend: Option<Contend>,

    /// A quick look instead of figures to publish: 1 round of 0.2 s each
    #[arg(long)]
    short: bool,

    /// Runs of everything [default: 5]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    rounds: Option<u16>,

    /// Milliseconds of each run [default: 2000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(10..=60_000))]
    milliseconds: Option<u32>,

    /// Where to write, on the disk that is to be measured; gone afterwards
    #[arg(long, value_name = "FOLDER", default_value = "target/bench/durable")]
    folder: PathBuf,

    /// Write the section into this page, beside printing it
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Contend {
    /// One run: what this program starts
    #[command(hide = true)]
    Contend {
        /// `store` or `fjall`
        engine: String,
        /// See `waiting::Run`
        #[arg(trailing_var_arg = true)]
        run: Vec<String>,
    },
}

fn main() -> ExitCode {
    let mut arguments = Arguments::parse();
    match arguments.contend.take() {
        Some(Contend::Contend { engine, run }) if engine == "fjall" => contend(run.into_iter(), durable::bare_fjall),
        Some(Contend::Contend { run, .. }) => exit(Run::read(run.into_iter()).and_then(|run| durable::store(&run))),
        None => match measure(&arguments) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("durable: {error}");
                ExitCode::FAILURE
            }
        },
    }
}

fn measure(arguments: &Arguments) -> Result<(), Failed> {
    let machine = Machine::look();
    let (rounds, milliseconds) = if arguments.short { (1, 200) } else { (5, 2_000) };
    let span = Duration::from_millis(arguments.milliseconds.unwrap_or(milliseconds).into());
    let size = Size { rounds: arguments.rounds.map_or(rounds, usize::from), span };
    let bar = bar(size.rounds * Work::ALL.len() * WAITING.len() * CONTENDERS.len(), "durable writes");
    let rows = durable::measure(&arguments.folder, size, &bar)?;
    bar.finish_and_clear();
    publish(&durable::section(&rows, size, &machine), Part::Durable, arguments.write.as_deref())
}
