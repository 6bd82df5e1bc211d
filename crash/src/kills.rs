//! kill -9: workers under load, each killed at some moment; the next one opens what it left, looks, and goes on.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::case::{Case, Cases};
use crate::child::{Job, Place};
use crate::cuts::Broken;
use crate::model::World;
use crate::note::{self, Note, Phase};
use crate::replay::Tree;
use crate::report::{Bar, Figures};

/// What to kill, and how often.
#[derive(Debug, Clone)]
pub(crate) struct KillPlan {
    pub(crate) kills: u64,
    pub(crate) scratch: PathBuf,
    /// The same in memory, where there is such a folder.
    pub(crate) memory: PathBuf,
    pub(crate) seed: u64,
}

/// Kills as often as planned, over several folders.
///
/// # Errors
/// [`Broken`]: nothing was shown then.
pub(crate) fn run(plan: &KillPlan, cases: &mut Cases, figures: &mut Figures) -> Result<(), Broken> {
    let bar = Bar::new("kills", plan.kills);
    let folders = plan.kills.div_ceil(KILLS_EACH);
    for number in 0..folders {
        let mut dice = fastrand::Rng::with_seed(plan.seed ^ (number << 24));
        // Some write so much that their journals are exchanged, where nothing waits for a disk; the others wait.
        let (ballast, scratch) = if number % 2 == 0 { (200, &plan.scratch) } else { (30_000, &plan.memory) };
        let folder = tempfile::tempdir_in(scratch)?;
        let place = Place::in_folder(&folder.path().canonicalize()?);
        let (mut left, mut tries) = (KILLS_EACH.min(plan.kills - number * KILLS_EACH), TRIES);
        while left > 0 && tries > 0 {
            let killed = kill(&place, ballast, &mut dice, cases, figures)?;
            if killed {
                left -= 1;
                bar.step();
            }
            tries -= 1;
        }
        let before = snapshot(&place)?;
        let ended = Job { place: &place, seed: dice.u64(..), deeds: Some(0), ballast, recorded: None }.run()?;
        cases.judge(
            &Case { what: "restart", tree: &before.0, notes: &before.1, ended: &ended },
            &ended.wrongs(false),
            figures,
        )?;
        let (world, _) = World::of(note::read(&place.notes)?);
        figures.acknowledged.add(&world.tally);
    }
    Ok(())
}

/// One worker, killed at some moment; `false` if it had come to its end before.
fn kill(
    place: &Place,
    ballast: usize,
    dice: &mut fastrand::Rng,
    cases: &mut Cases,
    figures: &mut Figures,
) -> Result<bool, Broken> {
    let before = snapshot(place)?;
    let mut worker = Job { place, seed: dice.u64(..), deeds: None, ballast, recorded: None }.start()?;
    // Spread over the start, the work and the end; where it hit is counted below.
    match dice.u8(..10) {
        0..3 => std::thread::sleep(Duration::from_micros(dice.u64(..80_000))),
        3..8 => std::thread::sleep(Duration::from_millis(dice.u64(100..1_200))),
        _ => {
            std::thread::sleep(Duration::from_millis(dice.u64(200..800)));
            worker.tell();
            std::thread::sleep(Duration::from_micros(dice.u64(..50_000)));
        }
    }
    let killed = !worker.has_ended()?;
    worker.kill()?;
    let ended = worker.wait()?;
    let case = Case { what: "kill", tree: &before.0, notes: &before.1, ended: &ended };
    cases.judge(&case, &ended.wrongs(killed), figures)?;
    let phase = if killed { last_phase(&note::read(&place.notes)?) } else { Some(Phase::Closed) };
    figures.killed(phase);
    figures.journals_together += u64::from(journals(&place.store)? > 1);
    // One that had closed its store and not quite ended counts for nothing either.
    Ok(phase != Some(Phase::Closed))
}

/// What lies there, to be kept if the next worker finds something wrong.
fn snapshot(place: &Place) -> io::Result<(Tree, Vec<u8>)> {
    if !place.notes.exists() {
        fs::create_dir_all(&place.watched)?;
        return Ok((Tree::default(), Vec::new()));
    }
    Ok((Tree::read(&place.watched)?, fs::read(&place.notes)?))
}

/// How far the last worker came.
fn last_phase(notes: &[Note]) -> Option<Phase> {
    let mut own = notes.iter().rev().take_while(|note| !matches!(note, Note::Began { .. }));
    own.find_map(|note| if let Note::Phase(phase) = note { Some(*phase) } else { None })
}

/// How many journals there are.
fn journals(store: &Path) -> io::Result<usize> {
    match fs::read_dir(store.join("engine")) {
        Ok(entries) => {
            Ok(entries.flatten().filter(|entry| entry.path().extension().is_some_and(|it| it == "jnl")).count())
        }
        // Killed before there was any.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error),
    }
}

const KILLS_EACH: u64 = 10;
/// How many workers a folder sees at most: some end before they are killed.
const TRIES: u64 = 4 * KILLS_EACH;
