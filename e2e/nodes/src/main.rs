//! Three real processes on one real store: how soon a revocation is known at each, also while something is broken.
//!
//! Exit status: 0 all kept, 1 a promise was broken, 2 nothing could be shown.

mod args;
mod client;
mod faults;
mod judge;
mod lag;
mod link;
mod node;
mod stage;
mod table;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::signal::unix::{SignalKind, signal};

use crate::args::{Args, Plan, Purpose};
use crate::faults::{Fault, Told};
use crate::judge::Findings;
use crate::lag::Measured;
use crate::stage::{Halt, Kind, Stage};

fn main() -> ExitCode {
    let plan = Args::parse().plan();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return not_shown(&error),
    };
    runtime.block_on(run(&plan)).unwrap_or_else(|halt| not_shown(&halt))
}

/// What is started ends on every way out, also by a signal: it is dropped.
async fn run(plan: &Plan) -> Result<ExitCode, Halt> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let work = async {
        match plan.purpose {
            Purpose::Measure => measure(plan).await,
            Purpose::SelfCheck => self_check(plan).await,
        }
    };
    tokio::select! {
        result = work => result,
        _ = interrupt.recv() => Err(Halt::Interrupted),
        _ = terminate.recv() => Err(Halt::Interrupted),
    }
}

/// First how soon, one store after the other; then the faults, at all stores at once: mostly they wait.
async fn measure(plan: &Plan) -> Result<ExitCode, Halt> {
    let mut stages = Vec::new();
    let mut lags = Vec::new();
    for kind in &plan.stores {
        let mut stage = Stage::start(*kind, &plan.binary).await?;
        let bar = bar(*kind, plan.revocations);
        let measured = lag::measure(&stage, plan.pace.bound, plan.revocations, &bar).await?;
        bar.finish_and_clear();
        stage.check()?;
        print!("{}", measured.findings);
        lags.push((kind.name(), measured));
        stages.push((*kind, stage));
    }
    println!("{}", table::of_lags(&mut lags));
    let mut running = tokio::task::JoinSet::new();
    for (kind, stage) in stages {
        let pace = plan.pace;
        running.spawn(async move { Ok::<_, Halt>((kind, all_faults(stage, pace).await?)) });
    }
    let mut told = Vec::new();
    while let Some(of_store) = running.join_next().await {
        let (kind, of_store) = of_store??;
        told.extend(of_store.into_iter().map(|one| (kind.name(), one)));
    }
    told.sort_by_key(|(store, _)| std::cmp::Reverse(*store));
    println!("{}", table::of_faults(&told));
    for (store, told) in told.iter().filter(|(_, told)| told.findings.total() > 0) {
        print!("{store}, {}:\n{}", told.fault.name(), told.findings);
    }
    let findings = lags.iter().map(|(_, Measured { findings, .. })| findings);
    let broken = findings.chain(told.iter().map(|(_, told)| &told.findings)).map(Findings::total).sum::<usize>();
    println!("let in against the promise (bound {}): {broken}", humantime::format_duration(plan.pace.bound));
    Ok(ExitCode::from(u8::from(broken > 0)))
}

async fn all_faults(mut stage: Stage, pace: faults::Pace) -> Result<Vec<Told>, Halt> {
    let mut told = Vec::new();
    for fault in Fault::ALL {
        told.push(faults::try_one(&stage, fault, pace).await?);
        stage.check()?;
    }
    Ok(told)
}

/// The nodes keep three seconds. Who believes in less must find that out, and nothing else.
async fn self_check(plan: &Plan) -> Result<ExitCode, Halt> {
    let mut missed = false;
    for kind in &plan.stores {
        let stage = Stage::start(*kind, &plan.binary).await?;
        let told = faults::try_one(&stage, Fault::Cut, plan.pace).await?;
        let found = told.findings.of("beyond-bound");
        let others = told.findings.total() - found;
        println!(
            "{}, {}: believing in {}, {found} looks were let in beyond it, the last {:.1?} after the end; other findings: {others}",
            kind.name(),
            Fault::Cut.name(),
            humantime::format_duration(plan.pace.bound),
            told.longest,
        );
        print!("{}", told.findings);
        missed |= found == 0 || others > 0;
    }
    println!("self-check: {}", if missed { "WRONG" } else { "ok: a bound that is not kept is found out" });
    Ok(ExitCode::from(u8::from(missed)))
}

/// Draws on a terminal only.
fn bar(kind: Kind, count: usize) -> ProgressBar {
    let bar = ProgressBar::new(u64::try_from(count).unwrap_or(u64::MAX)).with_message(kind.name());
    if let Ok(style) = ProgressStyle::with_template("{msg:10} {wide_bar} {pos}/{len} {elapsed} (left {eta})") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(500));
    bar
}

fn not_shown(error: &dyn std::error::Error) -> ExitCode {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    let text = causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"));
    eprintln!("nodes: NOT SHOWN: {text}");
    ExitCode::from(2)
}
