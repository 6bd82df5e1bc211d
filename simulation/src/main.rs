//! `simulation`: lives through the days, prints what became of them, and writes the published page.

mod nodes_command;

use std::error::Error;
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread::available_parallelism;
use std::time::Duration;

use clap::{Parser, Subcommand};
use counterfoil_simulation::page::{Results, delays, losses, rewritten, tables};
use counterfoil_simulation::{Plan, Timing};
use indicatif::{ProgressBar, ProgressStyle};

/// Simulates rotation: our rules and three others, over bad networks, many tabs, crashes and thieves. Fails if, without a
/// crash and by a request within grace, an honest session of ours ended, or if a thief who goes on with its copy was not found.
#[derive(Debug, Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// One in five hundred of the days; some seconds
    #[arg(long)]
    short: bool,
    /// One in so many of the days
    #[arg(long, value_name = "N", default_value = "1", conflicts_with = "short")]
    one_in: NonZeroU64,
    /// Try another grace, in seconds
    #[arg(long, value_name = "SECONDS", conflicts_with = "write")]
    grace: Option<u64>,
    /// Rewrite the figures of this page, and the pictures in the folder beside it that has its name
    #[arg(long, value_name = "PAGE", conflicts_with = "short")]
    write: Option<PathBuf>,
    /// The seed of the first history; each has the next
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Threads; they change no figure [default: one for each core]
    #[arg(long)]
    threads: Option<NonZeroUsize>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Nodes(nodes_command::Arguments),
    /// What many nodes ask of one store, and of each other: arithmetic over stated inputs
    Scale,
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments = Arguments::parse();
    if let Some(Command::Nodes(nodes)) = &arguments.command {
        return nodes_command::run(nodes).map_err(|error| error as Box<dyn Error>);
    }
    if let Some(Command::Scale) = &arguments.command {
        print!("{}", counterfoil_simulation::scale::table());
        return Ok(ExitCode::SUCCESS);
    }
    let results = results(&arguments)?;
    for section in tables(&results) {
        println!("{}\n\n{}", section.name, section.text);
    }
    if let Some(page) = &arguments.write {
        write(page, &results)?;
    }
    let faults = results.faults();
    for fault in &faults {
        println!("WRONG: {fault}");
    }
    Ok(if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn results(arguments: &Arguments) -> Result<Results, Box<dyn Error>> {
    let plan = Plan::of(if arguments.short { SHORT } else { arguments.one_in });
    let mut timing = Timing::default();
    timing.grace = arguments.grace.map_or(timing.grace, Duration::from_secs);
    let threads = match arguments.threads {
        Some(threads) => threads,
        None => available_parallelism()?,
    };
    let bar = ProgressBar::new(plan.histories());
    bar.set_style(ProgressStyle::with_template("{wide_bar} {human_pos} of {human_len} days, {eta} left  {msg}")?);
    let mut all = Vec::with_capacity(plan.experiments.len());
    for experiment in plan.experiments {
        bar.set_message(experiment.rule.name());
        let tally = experiment.run(timing, arguments.seed, threads, &|more| bar.inc(more))?;
        all.push((experiment, tally));
    }
    bar.finish_and_clear();
    Ok(Results { all })
}

fn write(page: &Path, results: &Results) -> Result<(), Box<dyn Error>> {
    let text = rewritten(&std::fs::read_to_string(page)?, &tables(results))?;
    let pictures = page.with_extension("");
    std::fs::create_dir_all(&pictures)?;
    std::fs::write(pictures.join("losses.svg"), losses(results))?;
    std::fs::write(pictures.join("delays.svg"), delays(results))?;
    Ok(std::fs::write(page, text)?)
}

const SHORT: NonZeroU64 = NonZeroU64::new(500).unwrap();
