//! What a real Chromium does with the demo's cookies, forms and pages. Knows nothing but the wire and the DevTools socket.
//!
//! Exit status: 0 all kept, 1 a promise was broken, 2 nothing could be shown.

mod args;
mod case;
mod chromium;
mod demo;
mod devtools;
mod exchange;
mod imitation;
mod jar;
mod page;
mod stranger;
mod tab;
mod variants;
mod verdict;
mod world;

use std::{
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use clap::Parser as _;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::Semaphore,
    task::JoinSet,
    time::timeout,
};

use crate::{
    args::Args,
    case::Case,
    tab::Opened,
    verdict::{Failure, Shown},
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

async fn run_cases(args: &Args) -> Result<ExitCode, Failure> {
    let cases = args.cases();
    let houses = cases.iter().map(|case| case.house);
    let world = Arc::new(World::open(&args.demo(), &args.chromium, houses, &args.pictures).await?);
    let version = world.browser.version().await?;
    println!("{version}, demo {}", args.demo().display());
    let seats = Arc::new(Semaphore::new(args.at_once.into()));
    let mut running = JoinSet::new();
    let began = Instant::now();
    for case in cases {
        let (world, seats) = (Arc::clone(&world), Arc::clone(&seats));
        running.spawn(async move {
            // The semaphore is never closed.
            let _seat = seats.acquire_owned().await;
            let began = Instant::now();
            let (shown, pictures) = show(case, world).await;
            report(case, &shown, &pictures, began.elapsed());
            shown
        });
    }
    let (mut broken, mut unknown, mut green) = (false, false, 0);
    while let Some(shown) = running.join_next().await {
        match shown {
            Ok(Ok(_)) => green += 1,
            Ok(Err(failure)) if failure.promise().is_some() => broken = true,
            Ok(Err(_)) | Err(_) => unknown = true,
        }
    }
    if let Some(page) = &args.write {
        std::fs::write(page, page::write(&variants::all(), &version))?;
    }
    println!("{green} cases green in {:.1} s; pictures in {}", began.elapsed().as_secs_f64(), args.pictures.display());
    Ok(ExitCode::from(if broken { 1 } else { 2 * u8::from(unknown) }))
}

/// One case, within its time; and pictures of what it left, where it is not green.
async fn show(case: Case, world: Arc<World>) -> (Shown, Vec<String>) {
    let stage = Stage { site: world.site(case.house), world: Arc::clone(&world), opened: Opened::default() };
    let opened = stage.opened.clone();
    let shown = timeout(LONGEST_CASE, (case.run)(stage)).await.unwrap_or(Err(Failure::TooLong(LONGEST_CASE)));
    let pictures = match &shown {
        Ok(_) => Vec::new(),
        Err(_) => opened.pictures(&world.pictures, &format!("failed-{}", case.name)).await,
    };
    (shown, pictures)
}

fn report(case: Case, shown: &Shown, pictures: &[String], took: Duration) {
    let (word, text) = match shown {
        Ok(text) => ("ok", text.clone()),
        Err(failure) if failure.promise().is_some() => ("BROKEN", failure.in_full()),
        Err(failure) => ("NOT SHOWN", failure.in_full()),
    };
    let pictures: String = pictures.iter().flat_map(|picture| ["\n  ", picture]).collect();
    println!("{word}: {} ({:.1} s): {text}{pictures}", case.name, took.as_secs_f64());
}

fn cannot_run(failure: &Failure) -> ExitCode {
    eprintln!("browser: {}", failure.in_full());
    ExitCode::from(2)
}

const LONGEST_CASE: Duration = Duration::from_mins(3);
