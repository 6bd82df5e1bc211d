//! Kills processes and cuts the power under load, and looks what the embedded store still knows.
//!
//! Exit status: 0 all kept, 1 a promise was broken or a lying disk was not found out, 2 nothing could be shown.

mod args;
mod case;
mod child;
mod cuts;
mod kills;
mod model;
mod note;
mod recording;
mod replay;
mod report;
mod says;
mod worker;

use std::path::Path;
use std::process::ExitCode;

use clap::Parser as _;

use crate::args::{Args, Plan, Task};
use crate::case::Cases;
use crate::child::{Job, Place};
use crate::cuts::Broken;
use crate::replay::Tree;
use crate::report::Figures;
use crate::says::with_causes;

fn main() -> ExitCode {
    let mut args = Args::parse();
    let done = match args.task.take() {
        Some(Task::Worker(arguments)) => return worker::run(&arguments),
        Some(Task::Look { case }) => look(&case),
        None => run(&args.plan()),
    };
    done.unwrap_or_else(|broken| {
        eprintln!("crash: nothing was shown: {}", with_causes(&broken));
        ExitCode::from(2)
    })
}

fn run(plan: &Plan) -> Result<ExitCode, Broken> {
    println!("seed {}", plan.seed);
    let (mut figures, mut cases) = (Figures::default(), Cases::new(plan.keep.clone()));
    kills::run(&plan.kills, &mut cases, &mut figures)?;
    cuts::run(&plan.cuts, &mut cases, &mut figures)?;
    print!("{figures}");
    if figures.is_blind() {
        eprintln!("crash: a disk that lies about what it has written was not found out: this harness is worth nothing");
    }
    if figures.is_broken() {
        eprintln!("crash: {} restarts went wrong; their folders are below {}", figures.wrong, plan.keep.display());
    }
    Ok(ExitCode::from(u8::from(figures.is_blind() || figures.is_broken())))
}

/// Opens a copy of what was kept, and says everything that is found.
fn look(case: &Path) -> Result<ExitCode, Broken> {
    let (kept, folder) = (Place::in_folder(case), tempfile::tempdir()?);
    let copy = Place::in_folder(&folder.path().canonicalize()?);
    Tree::read(&kept.watched)?.put(&copy.watched)?;
    std::fs::copy(&kept.notes, &copy.notes)?;
    let ended = Job { place: &copy, seed: 0, deeds: Some(0), ballast: 0, recorded: None }.run()?;
    for says in &ended.says {
        println!("{says}");
    }
    print!("{}", ended.errors);
    Ok(ExitCode::from(u8::from(!ended.wrongs(false).is_empty())))
}
