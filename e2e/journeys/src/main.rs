//! What people meet who come to an app through a real proxy and the gateway, in a real Chromium over https.
//!
//! Exit status: 0 all kept, 1 a promise was broken, 2 nothing could be shown.

mod app;
mod args;
mod case;
mod scan;
mod spoil;
mod verdict;
mod world;

use std::{
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use clap::Parser as _;
use counterfoil_browser::tab::Opened;
use counterfoil_proxies::kind::Kind;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::Semaphore,
    task::JoinSet,
    time::timeout,
};

use crate::{
    args::Args,
    case::Case,
    scan::Scanned,
    spoil::Spoil,
    verdict::{Failure, Shown, promise},
    world::{Stage, World},
};

fn main() -> ExitCode {
    let args = Args::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return cannot_run(&error.into()),
    };
    match runtime.block_on(run(&args)) {
        Ok(code) => code,
        Err(failure) => cannot_run(&failure),
    }
}

/// Until all is done or somebody interrupts; either way every process is gone afterwards.
async fn run(args: &Args) -> Result<ExitCode, Failure> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        done = run_cases(args) => done,
        _ = interrupt.recv() => Ok(ExitCode::from(2)),
        _ = terminate.recv() => Ok(ExitCode::from(2)),
    }
}

/// A case behind a proxy.
#[derive(Debug, Clone, Copy)]
struct Job {
    case: Case,
    kind: Kind,
    /// The mistake it must find out; without one it must be green.
    spoil: Option<&'static Spoil>,
}

async fn run_cases(args: &Args) -> Result<ExitCode, Failure> {
    if args.scan {
        return Ok(scan_all(args).await);
    }
    let jobs = if args.self_check { mistakes() } else { all(args) };
    let world = Arc::new(World::open(&args.counterfoil(), &args.chromium, &args.pictures).await?);
    println!("{}, gateway {}", world.browser.version().await?, args.counterfoil().display());
    let (seats, began, count) = (Arc::new(Semaphore::new(args.at_once.into())), Instant::now(), jobs.len());
    let mut running = JoinSet::new();
    for job in jobs {
        let (world, seats) = (Arc::clone(&world), Arc::clone(&seats));
        running.spawn(async move {
            // The semaphore is never closed.
            let _seat = seats.acquire_owned().await;
            show(job, world).await
        });
    }
    let ends = running.join_all().await;
    let green = ends.iter().filter(|(end, _)| *end == End::AsItMust).count();
    println!(
        "{green} of {count} as they must be, in {:.1} s; pictures in {}",
        began.elapsed().as_secs_f64(),
        args.pictures.display()
    );
    // Once more, where whoever reads the end of a long log finds it.
    ends.iter().filter(|(end, _)| *end != End::AsItMust).for_each(|(_, said)| println!("{said}"));
    let has = |sought| ends.iter().any(|(end, _)| *end == sought);
    Ok(ExitCode::from(match () {
        () if has(End::Wrong) => 1,
        () if has(End::Unknown) => 2,
        () => 0,
    }))
}

/// Every site by every scanner, one after another.
async fn scan_all(args: &Args) -> ExitCode {
    let mut worst = 0;
    for kind in args.scanned() {
        for scanned in [Scanned::App, Scanned::SignIn] {
            let (word, text, end) = match scan::scan(kind, scanned, args.counterfoil()).await {
                Ok(seen) => ("green", seen, 0),
                Err(failure) if failure.is_broken() => ("RED", failure.in_full(), 1),
                Err(failure) => ("NOT SHOWN", failure.in_full(), 2),
            };
            println!("{word}: {scanned:?} behind {}: {text}", kind.name());
            worst = worst.max(end);
        }
    }
    ExitCode::from(worst)
}

fn all(args: &Args) -> Vec<Job> {
    args.jobs().into_iter().map(|(case, kind)| Job { case, kind, spoil: None }).collect()
}

fn mistakes() -> Vec<Job> {
    let case = |spoil: &Spoil| case::ALL.into_iter().find(|case| case.name == spoil.case);
    spoil::ALL
        .iter()
        .filter_map(|spoil| Some(Job { case: case(spoil)?, kind: spoil.kind, spoil: Some(spoil) }))
        .collect()
}

/// How a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Green, or red where a mistake was made.
    AsItMust,
    Wrong,
    /// Nothing was shown.
    Unknown,
}

/// One case, within its time; with pictures of what it left, where it is not as it must be. What was said of it.
async fn show(job: Job, world: Arc<World>) -> (End, String) {
    let Job { case, kind, spoil } = job;
    let (began, opened) = (Instant::now(), Opened::default());
    let stage = Stage::open(Arc::clone(&world), case, kind, spoil, opened.clone()).await;
    let (shown, printed) = match stage {
        Err(failure) => (Err(failure), String::new()),
        Ok(stage) => {
            let stage = Arc::new(stage);
            let shown = timeout(LONGEST_CASE, (case.run)(Arc::clone(&stage))).await;
            let shown = shown.unwrap_or(Err(Failure::TooLong(LONGEST_CASE))).and_then(|seen| quiet(&stage, seen));
            let printed = if shown.is_err() { stage.printed() } else { String::new() };
            (shown, printed)
        }
    };
    let is_red = shown.as_ref().err().is_some_and(Failure::is_broken);
    let end = match (spoil, &shown) {
        (None, Ok(_)) => End::AsItMust,
        (Some(_), Err(_)) if is_red => End::AsItMust,
        (_, Err(_)) if !is_red => End::Unknown,
        _ => End::Wrong,
    };
    let colour = match (&shown, is_red) {
        (Ok(_), _) => "green",
        (Err(_), true) => "RED",
        (Err(_), false) => "NOT SHOWN",
    };
    let must = match (spoil, end) {
        (Some(spoil), End::AsItMust) => format!(" as it must be where {}", spoil.what),
        (Some(spoil), _) => format!(" and must not be where {}", spoil.what),
        (None, _) => String::new(),
    };
    let text = shown.unwrap_or_else(|failure| failure.in_full());
    let took = began.elapsed().as_secs_f64();
    let said = format!("{colour}{must}: {} behind {} ({took:.1} s): {text}", case.name, kind.name());
    println!("{said}");
    if end != End::AsItMust {
        let pictures = opened.pictures(&world.pictures, &format!("failed-{}-{}", case.name, kind.name())).await;
        println!("  {}\n  {printed}", pictures.join("\n  "));
    }
    (end, said)
}

/// Nothing that was shown may have made the browser complain.
fn quiet(stage: &Stage, seen: String) -> Shown {
    let complaints = stage.complaints();
    promise("the browser complains of nothing", complaints.is_empty(), || complaints.join("; "))?;
    Ok(seen)
}

fn cannot_run(failure: &Failure) -> ExitCode {
    eprintln!("journeys: {}", failure.in_full());
    ExitCode::from(2)
}

const LONGEST_CASE: Duration = Duration::from_mins(5);
