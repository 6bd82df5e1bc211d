//! `simulation nodes`: lives through histories of several nodes, and says what was wrong in them.

use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::time::Instant;

use clap::Args;
use counterfoil_simulation::nodes::{Counted, Error, History, Mutant, live_all};

/// Several nodes with near caches on one store: a network that loses and cuts, pauses, clocks that are apart, thieves.
/// Fails if in any history a session is admitted beyond the bound, an honest one refused, or an update lost.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// So many histories [default: 10000]
    #[arg(long, conflicts_with = "short")]
    seeds: Option<u64>,
    /// Three hundred of them; some seconds
    #[arg(long)]
    short: bool,
    /// The seed of the first history; each has the next
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Break a rule: fill-unchecked, keep-unchecked, change-mistaken, verdict-from-memory, bound-ignored or gap-ignored
    #[arg(long, value_parser = mutant, conflicts_with = "self_check")]
    mutant: Option<Mutant>,
    /// Break each rule in turn; fails if one of them is not found
    #[arg(long)]
    self_check: bool,
    /// Threads; they change no history [default: one for each core]
    #[arg(long)]
    threads: Option<NonZeroUsize>,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Error> {
    if !arguments.self_check {
        return Ok(if lived(arguments, arguments.mutant)?.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let mut missed = false;
    for mutant in Mutant::ALL {
        let wrong = first_wrong(arguments, Some(mutant))?.1;
        let found = wrong.as_ref().map(|history| (history.seed, history.faults.first().cloned().unwrap_or_default()));
        match found {
            Some((seed, fault)) => println!("{}: found by seed {seed}: {fault}", mutant.name()),
            None => println!("WRONG: {} was not found", mutant.name()),
        }
        missed |= wrong.is_none();
    }
    Ok(if missed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Tells what came of the histories; the first one in which something was wrong.
fn lived(arguments: &Arguments, mutant: Option<Mutant>) -> Result<Option<History>, Error> {
    let began = Instant::now();
    let (histories, wrong) = first_wrong(arguments, mutant)?;
    let all = histories.iter().fold(Counted::default(), |all, history| all + history.counted);
    println!("{} histories in {:.0} s: {all}", histories.len(), began.elapsed().as_secs_f64());
    if let Some(history) = &wrong {
        println!("\nseed {} ends so:", history.seed);
        history.end.iter().for_each(|line| println!("{line}"));
        history.faults.iter().take(SHOWN).for_each(|fault| println!("WRONG in seed {}: {fault}", history.seed));
    }
    Ok(wrong)
}

fn first_wrong(arguments: &Arguments, mutant: Option<Mutant>) -> Result<(Vec<History>, Option<History>), Error> {
    let threads = match arguments.threads {
        Some(threads) => threads,
        None => std::thread::available_parallelism()?,
    };
    let count = if arguments.short || arguments.self_check { SHORT } else { arguments.seeds.unwrap_or(FULL) };
    let seeds = arguments.seed..arguments.seed.saturating_add(count);
    let histories = live_all(seeds, mutant, threads, |history| !history.faults.is_empty())?;
    let wrong = histories.iter().find(|history| !history.faults.is_empty()).cloned();
    Ok((histories, wrong))
}

fn mutant(name: &str) -> Result<Mutant, String> {
    Mutant::named(name).ok_or_else(|| format!("there is no mutant `{name}`"))
}

const FULL: u64 = 10_000;
const SHORT: u64 = 300;
/// How many faults of one history are shown.
const SHOWN: usize = 10;
