//! `counterfoil replay`: sequences of sightings through the real engine, one line for each request, or a score.

use std::error::Error;
use std::io::{BufWriter, IsTerminal as _, Write as _, stderr, stdout};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use counterfoil_replay::matrix::Matrix;
use counterfoil_replay::{Sequence, files, play, score};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// Folders of sequences, or single ones
    #[arg(value_name = "DIR", required = true)]
    paths: Vec<PathBuf>,

    /// Hold the answers against what each sequence expects, and print what is not as expected and a table of all; the exit
    /// status is 1 if there is anything
    #[arg(long)]
    score: bool,
}

pub(crate) const EXAMPLES: &str = "\
Examples:
  counterfoil replay corpus/sightings/own            one line of JSON for each request
  counterfoil replay --score corpus/sightings/own    what is not as the sequences expect, and a table of all

The sequences and their format: corpus/sightings. Places are those of each file; no database is needed.

Exit status: 0, 1 if something is not as expected, 2 if a file is none or cannot be played.";

pub(crate) fn run(args: &ReplayArgs) -> Result<ExitCode, Box<dyn Error>> {
    let mut paths = Vec::new();
    for path in &args.paths {
        paths.extend(files(path)?);
    }
    if paths.is_empty() {
        return Err("there is no sequence: no file there ends in .json".into());
    }
    let (mut matrix, mut out) = (Matrix::default(), BufWriter::new(stdout().lock()));
    let progress = progress(paths.len());
    for path in &paths {
        let sequence = Sequence::read(path)?;
        let answers = play(&sequence.scene).map_err(|error| format!("{} was not played: {error}", path.display()))?;
        if args.score {
            let findings = score::score(&sequence.label, &answers);
            matrix.count(&sequence, &findings);
            for finding in findings.iter().filter(|_| !sequence.label.is_device_bound()) {
                writeln!(out, "{}: {finding}", sequence.label.id)?;
            }
        } else {
            for answer in &answers {
                writeln!(out, "{}", answer.line(&sequence.label.id)?)?;
            }
            if sequence.scene.is_device_bound() {
                progress.println(format!("{}: waits for device-bound sessions", sequence.label.id));
            }
        }
        progress.inc(1);
    }
    progress.finish_and_clear();
    if args.score {
        write!(out, "{matrix}")?;
    }
    out.flush()?;
    Ok(if matrix.weight() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Only where somebody watches, and not what else is printed.
fn progress(sequences: usize) -> ProgressBar {
    let shown = stderr().is_terminal() && !stdout().is_terminal();
    let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(u64::try_from(sequences).ok(), target);
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} sequences, {eta} left");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
