//! `model`: explores the rules and the mutants, and prints bounds, results and counterexamples.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use counterfoil_model::{
    ASSUMPTIONS, Bounds, Explored, Plan, RealRules, Setting, Size, World, bounds_line, explore, kinds, mutant_line,
    mutants, result_line, trace,
};

/// Explores the token family to a fixpoint: the real rules, then the mutants. Fails if a property breaks, a world is not
/// finished, or a mutant is not caught.
#[derive(Debug, Parser)]
struct Arguments {
    /// More parallel requests and longer bounds; some minutes instead of half of one.
    #[arg(long)]
    full: bool,
    /// Print each mutant's counterexample.
    #[arg(long)]
    traces: bool,
    /// Only worlds and mutants whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
    /// Try another `rotate_every`, in ticks.
    #[arg(long)]
    rotate_every: Option<u8>,
    /// Try responses that are this many ticks late.
    #[arg(long)]
    reply: Option<u8>,
    /// Give a world up beyond this many states.
    #[arg(long, default_value_t = 100_000_000)]
    limit: usize,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    println!("{ASSUMPTIONS}");
    let sound = run_rules(&arguments);
    let caught = run_mutants(&arguments);
    if sound && caught { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn plan(arguments: &Arguments) -> Plan {
    if arguments.rotate_every.or(arguments.reply).is_none() {
        return Plan::of(if arguments.full { Size::Full } else { Size::Short });
    }
    Plan::within(Bounds {
        rotate_every: arguments.rotate_every.unwrap_or(Bounds::SHORT.rotate_every),
        reply: arguments.reply.unwrap_or(Bounds::SHORT.reply),
        ..Bounds::SHORT
    })
}

fn run_rules(arguments: &Arguments) -> bool {
    let (mut sound, mut states, mut seen, mut bounds) = (true, 0, BTreeMap::new(), None);
    for setting in plan(arguments).settings {
        if !setting.name.contains(&arguments.only) {
            continue;
        }
        let line = bounds_line(&setting.bounds);
        if bounds.as_ref() != Some(&line) {
            println!("\n{line}");
            bounds = Some(line);
        }
        let Some(explored) = run_world(arguments, &setting) else {
            return false;
        };
        for (kind, count) in &explored.kinds {
            *seen.entry(*kind).or_default() += count;
        }
        states += explored.states;
        sound &= explored.complete && explored.broken.is_none();
    }
    println!("\n{states} distinct states. What happened in them:\n{}", kinds(&seen));
    sound
}

fn run_world(arguments: &Arguments, setting: &Setting) -> Option<Explored> {
    let world = World::new(&RealRules, setting)?;
    let start = Instant::now();
    let explored = explore(&world, arguments.limit);
    println!("{}", result_line(setting, &explored, start.elapsed()));
    if let Some(broken) = &explored.broken {
        println!("{}", trace(broken));
    }
    Some(explored)
}

fn run_mutants(arguments: &Arguments) -> bool {
    let mut caught = true;
    println!("Mutants");
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
