//! Measures what the embedded store costs by how many sessions live in it, and writes that section of the page.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use counterfoil_benches::curves::{self, Effort};
use counterfoil_benches::machine::Machine;
use counterfoil_benches::page::{Part, publish};
use counterfoil_benches::{Failed, bar};

/// Measure what the embedded store costs by how many sessions live in it.
///
/// Run it by `cargo xtask bench --only curves`. Ten million sessions take about 5 GB of memory and 15 GB of the disk.
#[derive(Debug, Parser)]
#[command(name = "curves", args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    one: Option<One>,

    /// A quick look instead of figures to publish: 1,000 and 10,000 sessions
    #[arg(long)]
    short: bool,

    /// One size instead of 1,000 to 10,000,000
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(100..=100_000_000))]
    sessions: Option<u64>,

    /// Where to write, on the disk that is to be measured; gone afterwards
    #[arg(long, value_name = "FOLDER", default_value = "target/bench/curves")]
    folder: PathBuf,

    /// Write the section into this page, and the picture beside it
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum One {
    /// One step of one size: what this program starts
    #[command(hide = true)]
    One {
        /// `fill` or `work`
        step: String,
        sessions: u64,
        folder: PathBuf,
        #[arg(long)]
        short: bool,
    },
}

fn main() -> ExitCode {
    let mut arguments = Arguments::parse();
    let done = match arguments.one.take() {
        Some(one) => one.run(),
        None => measure(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("curves: {error}");
            ExitCode::FAILURE
        }
    }
}

impl One {
    fn run(self) -> Result<(), Failed> {
        let Self::One { step, sessions, folder, short } = self;
        let effort = if short { Effort::Short } else { Effort::Full };
        let figures = match step.as_str() {
            "fill" => serde_json::to_string(&curves::fill(sessions, &folder, effort)?)?,
            _ => serde_json::to_string(&curves::work(sessions, &folder, effort)?)?,
        };
        println!("{figures}");
        Ok(())
    }
}

fn measure(arguments: &Arguments) -> Result<(), Failed> {
    let machine = Machine::look();
    let (effort, sizes) = if arguments.short { (Effort::Short, 3..=4) } else { (Effort::Full, 3..=7) };
    let sizes: Vec<_> =
        arguments.sessions.map_or_else(|| sizes.map(|power| 10_u64.pow(power)).collect(), |one| vec![one]);
    let bar = bar(sizes.len(), "sizes");
    let mut points = Vec::new();
    for sessions in sizes {
        points.push(curves::measure(sessions, &arguments.folder, effort)?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    if let Some(page) = &arguments.write {
        std::fs::write(page.with_file_name("benchmarks-curves.svg"), curves::svg(&points))?;
    }
    publish(&curves::section(&points, &machine), Part::Curves, arguments.write.as_deref())
}
