//! What a real Chromium does with the demo's cookies, forms and pages. Knows nothing but the wire and the `DevTools` socket.
//!
//! Exit status: 0 all kept, 1 a promise was broken, 2 nothing could be shown.

mod args;
mod case;
mod demo;
mod imitation;
mod page;
mod prometheus;
mod self_check;
mod stranger;
mod variants;
mod verdict;
mod world;

use std::{
    io,
    path::Path,
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use clap::Parser as _;
use counterfoil_browser::tab::Opened;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::Semaphore,
    task::JoinSet,
    time::timeout,
};

use crate::{
    args::Args,
    case::Case,
    self_check::Trial,
    verdict::Failure,
    world::{Site, Stage, World},
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

/// A case to run, and where.
#[derive(Debug, Clone, Copy)]
struct Job {
    case: Case,
    /// The broken site it must find out; none for the demo, where it must be green.
    trial: Option<Trial>,
}

async fn run_cases(args: &Args) -> Result<ExitCode, Failure> {
    let demo = |case| Job { case, trial: None };
    let broken = |trial: Trial| Job { case: trial.case, trial: Some(trial) };
    let jobs: Vec<_> = if args.self_check {
        self_check::trials().into_iter().map(broken).collect()
    } else {
        args.cases().into_iter().map(demo).collect()
    };
    let pictures = if args.self_check { args.pictures.join("self-check") } else { args.pictures.clone() };
    forget_failures(&pictures)?;
    let houses = jobs.iter().filter(|job| job.trial.is_none()).map(|job| job.case.house);
    let world = Arc::new(World::open(&args.demo(), &args.chromium, houses, &pictures, &args.prometheus).await?);
    let version = world.browser.version().await?;
    println!("{version}, demo {}", args.demo().display());
    let seats = Arc::new(Semaphore::new(args.at_once.into()));
    let mut running = JoinSet::new();
    let (began, all) = (Instant::now(), jobs.len());
    for job in jobs {
        let (world, seats) = (Arc::clone(&world), Arc::clone(&seats));
        running.spawn(async move {
            // The semaphore is never closed.
            let _seat = seats.acquire_owned().await;
            show(job, world).await
        });
    }
    let ends = running.join_all().await;
    if args.self_check {
        println!("cases that no broken site tries: {:?}", self_check::untried());
    }
    if let Some(page) = &args.write {
        std::fs::write(page, page::write(&variants::all(), &version))?;
    }
    let green = ends.iter().filter(|end| **end == End::AsItMust).count();
    println!(
        "{green} of {all} as they must be, in {:.1} s; pictures in {}",
        began.elapsed().as_secs_f64(),
        pictures.display()
    );
    Ok(ExitCode::from(match () {
        () if ends.contains(&End::Wrong) => 1,
        () if ends.contains(&End::Unknown) => 2,
        () => 0,
    }))
}

/// Takes away the pictures of what failed in an earlier run.
fn forget_failures(pictures: &Path) -> io::Result<()> {
    std::fs::create_dir_all(pictures)?;
    for entry in std::fs::read_dir(pictures)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(FAILED) {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// How a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Green at the demo, red for the right reason at a broken site.
    AsItMust,
    Wrong,
    /// Nothing was shown.
    Unknown,
}

/// One case, within its time; and pictures of what it left, where it is not as it must be.
async fn show(job: Job, world: Arc<World>) -> End {
    let Job { case, trial } = job;
    let began = Instant::now();
    let site = match trial {
        None => world.site(case.house),
        Some(trial) => {
            world.stranger.imitate(trial.defect);
            Site::imitation(trial.defect)
        }
    };
    let stage = Stage { site, world: Arc::clone(&world), opened: Opened::default() };
    let opened = stage.opened.clone();
    let shown = timeout(LONGEST_CASE, (case.run)(stage)).await.unwrap_or(Err(Failure::TooLong(LONGEST_CASE)));
    let is_red = shown.as_ref().err().is_some_and(|failure| failure.promise().is_some());
    let end = match (trial, &shown) {
        (None, Ok(_)) => End::AsItMust,
        (Some(trial), _) if trial.holds(&shown) => End::AsItMust,
        (None, Err(_)) if !is_red => End::Unknown,
        _ => End::Wrong,
    };
    let pictures = match end {
        End::AsItMust => Vec::new(),
        _ => opened.pictures(&world.pictures, &format!("{FAILED}{}", case.name)).await,
    };
    let colour = match (&shown, end) {
        (Ok(_), _) => "green",
        (Err(_), _) if is_red => "RED",
        (Err(_), _) => "NOT SHOWN",
    };
    let text = shown.unwrap_or_else(|failure| failure.in_full());
    report(job, end, colour, &text, &pictures, began.elapsed());
    end
}

fn report(job: Job, end: End, colour: &str, text: &str, pictures: &[String], took: Duration) {
    let where_to = job.trial.map(|trial| format!(" at a site that is {:?}", trial.defect)).unwrap_or_default();
    let must = match (job.trial, end) {
        (Some(_), End::AsItMust) => " as it must be",
        (Some(_), _) => " and must not be",
        (None, _) => "",
    };
    let pictures: String = pictures.iter().flat_map(|picture| ["\n  ", picture]).collect();
    println!("{colour}{must}: {}{where_to} ({:.1} s): {text}{pictures}", job.case.name, took.as_secs_f64());
}

fn cannot_run(failure: &Failure) -> ExitCode {
    eprintln!("browser: {}", failure.in_full());
    ExitCode::from(2)
}

/// What the names of pictures of failures begin with.
const FAILED: &str = "failed-";
const LONGEST_CASE: Duration = Duration::from_mins(3);
