//! What came of a run: progress while it goes on, a table at its end.

use std::fmt;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::child::Ended;
use crate::model::Tally;
use crate::note::Phase;

/// Everything that was counted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Figures {
    /// Kills by how far the worker had come: not even opening, opening, looking, working, closing, closed.
    pub(crate) kills: [u64; 6],
    /// Kills that left more than one journal.
    pub(crate) journals_together: u64,
    pub(crate) recordings: u64,
    /// Changes of files that were recorded.
    pub(crate) events: u64,
    pub(crate) journals_rotated: u64,
    pub(crate) cuts: u64,
    /// Starts that succeeded.
    pub(crate) starts: u64,
    pub(crate) refused: u64,
    pub(crate) losses: u64,
    /// Restarts with which anything was wrong.
    pub(crate) wrong: u64,
    /// Cuts of a disk that lies; how many showed a loss, how many a start that was refused.
    pub(crate) lies: u64,
    pub(crate) lies_found: u64,
    pub(crate) lies_refused: u64,
    pub(crate) acknowledged: Tally,
}

impl Figures {
    /// Counts a kill.
    pub(crate) fn killed(&mut self, phase: Option<Phase>) {
        let place = phase.map_or(0, |phase| 1 + phase as usize);
        if let Some(count) = self.kills.get_mut(place) {
            *count += 1;
        }
    }

    /// Counts a cut of a disk that lies.
    pub(crate) fn lied(&mut self, ended: &Ended) {
        self.lies += 1;
        self.lies_found += u64::from(ended.violations() > 0);
        self.lies_refused += u64::from(ended.refused().is_some());
    }

    /// Whether something was wrong.
    pub(crate) const fn is_broken(&self) -> bool {
        self.wrong > 0
    }

    /// Whether a disk that lies was not found out: then nothing else is worth anything.
    pub(crate) const fn is_blind(&self) -> bool {
        self.lies > 0 && self.lies_found == 0
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut row = |name: &str, value: String| writeln!(out, "{name:<44} {value}");
        let [early, opening, verifying, loading, closing, closed] = self.kills;
        let kills = early + opening + verifying + loading + closing;
        row("kills", format!("{kills}"))?;
        row("  before the store was opened", format!("{early}"))?;
        row("  while it was opened", format!("{opening}"))?;
        row("  while it was looked through", format!("{verifying}"))?;
        row("  under load", format!("{loading}"))?;
        row("  while it was closed", format!("{closing}"))?;
        row("  too late: it was closed", format!("{closed}"))?;
        row("  with two journals or more", format!("{}", self.journals_together))?;
        row("recordings", format!("{} of {} changes", self.recordings, self.events))?;
        row("  journals exchanged in them", format!("{}", self.journals_rotated))?;
        row("power cuts", format!("{}", self.cuts))?;
        let told = &self.acknowledged;
        row("acknowledged: sign-ins", format!("{}", told.sign_ins))?;
        row("  changes of data", format!("{}", told.changes))?;
        row("  rotations", format!("{}", told.rotations))?;
        row("  step-ups", format!("{}", told.step_ups))?;
        row("  sign-outs", format!("{}", told.sign_outs))?;
        row("  revocations", format!("{}", told.revocations))?;
        row("  uses", format!("{}", told.uses))?;
        row("  sweeps", format!("{}", told.sweeps))?;
        row("starts", format!("{}", self.starts))?;
        row("  refused", format!("{}", self.refused))?;
        row("losses, revivals and other violations", format!("{}", self.losses))?;
        if self.lies == 0 {
            return Ok(());
        }
        let found = format!("{} of {} cuts, {} more refused", self.lies_found, self.lies, self.lies_refused);
        row("self-check: a lying disk was found out in", found)
    }
}

/// A bar on a terminal; else a line for every tenth part.
#[derive(Debug)]
pub(crate) struct Bar {
    bar: ProgressBar,
    name: &'static str,
}

impl Bar {
    pub(crate) fn new(name: &'static str, length: u64) -> Self {
        let bar = ProgressBar::new(length).with_message(name);
        if let Ok(style) = ProgressStyle::with_template("{msg:22} {wide_bar} {pos}/{len} {elapsed} (left {eta})") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(500));
        Self { bar, name }
    }

    pub(crate) fn step(&self) {
        self.bar.inc(1);
        let (done, all) = (self.bar.position(), self.bar.length().unwrap_or(1).max(1));
        if self.bar.is_hidden() && done * 10 / all > (done - 1) * 10 / all {
            println!("{}: {done} of {all}, {} s", self.name, self.bar.elapsed().as_secs());
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
