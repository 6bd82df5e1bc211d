//! `model`: explores the rules and the mutants, and prints bounds, results and counterexamples.

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use counterfoil_model::{
    Bounds, Plan, RealRules, Size, World, explore, mutant_line, mutants, print_bounds, result_line, trace,
};

/// Explores the token family to a fixpoint: the real rules, then the mutants.
#[derive(Debug, Parser)]
struct Arguments {
    /// Everything, not only what fits into a minute.
    #[arg(long)]
    full: bool,
    /// Print each mutant's counterexample.
    #[arg(long)]
    traces: bool,
    /// Only the mutants.
    #[arg(long)]
    mutants_only: bool,
    /// Only worlds and mutants whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
    /// Override: response lateness in ticks.
    #[arg(long)]
    reply: Option<u8>,
    /// Override: `rotate_every` in ticks.
    #[arg(long)]
    rotate_every: Option<u8>,
    /// Stop a world at this many states.
    #[arg(long, default_value_t = 60_000_000)]
    limit: usize,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let size = if arguments.full { Size::Full } else { Size::Short };
    let mut bounds = Bounds::SHORT;
    bounds.reply = arguments.reply.unwrap_or(bounds.reply);
    bounds.rotate_every = arguments.rotate_every.unwrap_or(bounds.rotate_every);
    println!("{}\n", print_bounds(&bounds));
    let sound = arguments.mutants_only || run_rules(&arguments, size, bounds);
    let caught = run_mutants(&arguments);
    if sound && caught {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn run_rules(arguments: &Arguments, size: Size, bounds: Bounds) -> bool {
    let mut sound = true;
    for setting in Plan::of(size, bounds).settings {
        if !setting.name.contains(&arguments.only) {
            continue;
        }
        let Some(world) = World::new(&RealRules, &setting) else {
            return false;
        };
        #[expect(clippy::disallowed_methods, reason = "how long it took is for the reader only")]
        let start = Instant::now();
        let explored = explore(&world, arguments.limit);
        println!("{}", result_line(&setting, &explored, start.elapsed()));
        if let Some(broken) = &explored.broken {
            println!("{}", trace(broken));
        }
        sound &= explored.complete && explored.broken.is_none();
    }
    sound
}

fn run_mutants(arguments: &Arguments) -> bool {
    let mut caught = true;
    println!();
    for mutant in mutants() {
        if !mutant.name.contains(&arguments.only) {
            continue;
        }
        let Some(world) = World::new(mutant.rules, &mutant.setting) else {
            return false;
        };
        let explored = explore(&world, arguments.limit);
        println!("{}", mutant_line(mutant.name, &explored));
        if let (true, Some(broken)) = (arguments.traces, &explored.broken) {
            println!("{}", trace(broken));
        }
        caught &= explored.broken.as_ref().map(|broken| broken.property) == mutant.breaks;
    }
    caught
}
