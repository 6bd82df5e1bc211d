//! Races over HTTP against `counterfoil demo`, as a stranger would run them: it knows the demo's contract and the wire.
//!
//! Exit status: 0 all kept, 1 a promise was broken, 2 nothing could be shown.

mod args;
mod ask;
mod browser;
mod client;
mod demo;
mod jar;
#[cfg(test)]
mod mock;
mod scenario;
mod self_check;
mod verdict;

use std::{io, path::Path, process::ExitCode, sync::Arc, time::Duration};

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::{
    signal::unix::{SignalKind, signal},
    time::{Instant, timeout_at},
};

use crate::{
    args::{Args, Plan},
    browser::Target,
    demo::Demo,
    scenario::{Scenario, Stage},
    verdict::{Halt, Outcome, Violation},
};

fn main() -> ExitCode {
    let args = Args::parse();
    if args.self_check {
        return self_check();
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return cannot_run(&error),
    };
    match runtime.block_on(run_all(&args.plan())) {
        Ok(code) => code,
        Err(error) => cannot_run(&error),
    }
}

/// Every scenario of the plan, each against a demo of its own. The first that breaks a promise does not stop the rest.
async fn run_all(plan: &Plan) -> Result<ExitCode, io::Error> {
    let deadline = Instant::now() + plan.timeout;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    println!("seed {}, demo {}", plan.seed, plan.binary.display());
    let (mut broken, mut in_doubt) = (false, false);
    for (scenario, count) in plan.scenarios.iter().copied() {
        let started = Instant::now();
        let result = tokio::select! {
            result = timeout_at(deadline, run(scenario, count, plan)) => {
                result.unwrap_or(Err(Halt::Timeout(plan.timeout)))
            }
            _ = interrupt.recv() => Err(Halt::Interrupted),
            _ = terminate.recv() => Err(Halt::Interrupted),
        };
        let seconds = started.elapsed().as_secs_f64();
        match &result {
            Ok(outcome) => println!("{} ({seconds:.1} s): {outcome}", scenario.name()),
            Err(halt) => println!("{} ({seconds:.1} s): NOT SHOWN: {}", scenario.name(), with_causes(halt)),
        }
        match result {
            Ok(outcome) => {
                broken |= outcome.findings.total() > 0;
                in_doubt |= outcome.doubt.is_some();
            }
            Err(Halt::Interrupted | Halt::Timeout(_)) => return Ok(code(broken, true)),
            Err(_) => in_doubt = true,
        }
    }
    Ok(code(broken, in_doubt))
}

/// Starts the demo, runs one scenario, and takes the demo down on every way out.
async fn run(scenario: Scenario, count: u64, plan: &Plan) -> Result<Outcome, Halt> {
    let flags = scenario.flags();
    let mut demo = Demo::start(Path::new(&plan.binary), flags).await?;
    let target = Target::new(demo.address(), plan.connections).await?;
    let stage = Stage {
        target: Arc::new(target),
        rotate_every: flags.rotate_every,
        grace: flags.grace,
        limit: flags.limit,
        count,
        seed: plan.seed,
        bar: bar(scenario, count),
    };
    let bar = stage.bar.clone();
    let result = tokio::select! {
        result = scenario.run(stage) => result,
        ended = demo.ends() => Err(ended.into()),
    };
    bar.finish_and_clear();
    demo.stop().await;
    result
}

/// Draws on a terminal only.
fn bar(scenario: Scenario, count: u64) -> ProgressBar {
    let bar = ProgressBar::new(count).with_message(scenario.name());
    if let Ok(style) = ProgressStyle::with_template("{msg:10} {wide_bar} {pos}/{len} {elapsed} (left {eta})") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(500));
    bar
}

fn self_check() -> ExitCode {
    let cases = self_check::cases();
    for case in &cases {
        let word = if case.holds() { "ok" } else { "WRONG" };
        println!("{word}: {} → {}", case.name, case.expected.unwrap_or("nothing"));
        for violation in &case.reported {
            println!("    {violation}");
        }
    }
    let wrong = cases.iter().filter(|case| !case.holds()).count();
    let untried = self_check::untried(&cases);
    println!(
        "self-check: {} fabricated observations of {} kinds of violation, {wrong} judged wrongly, untried: {untried:?}",
        cases.len(),
        Violation::KINDS.len()
    );
    code(wrong > 0 || !untried.is_empty(), false)
}

fn code(broken: bool, in_doubt: bool) -> ExitCode {
    ExitCode::from(match (broken, in_doubt) {
        (true, _) => 1,
        (false, true) => 2,
        (false, false) => 0,
    })
}

fn cannot_run(error: &dyn std::error::Error) -> ExitCode {
    eprintln!("races: {error}");
    code(false, true)
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
