//! Power cuts: a worker's changes are recorded, then played back up to many moments, and what a disk would hold there is
//! given to another worker.

mod places;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::case::{Case, Cases};
use crate::child::{Job, Place};
use crate::model::World;
use crate::note;
use crate::recording::{self, Event, Kind};
use crate::replay::{Disk, Impossible, NamesLast, Rules, Sync, Tree};
use crate::report::{Bar, Figures};

/// What to cut, and how.
#[derive(Debug, Clone)]
pub(crate) struct CutPlan {
    pub(crate) cuts: u64,
    pub(crate) lies: u64,
    pub(crate) names: NamesLast,
    pub(crate) shim: PathBuf,
    pub(crate) scratch: PathBuf,
    pub(crate) seed: u64,
}

/// The harness itself could not go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("the recording cannot be: {0}")]
    Recording(#[from] Impossible),
    #[error("the shim did not see how {} was changed: what was recorded is not what lies there", .0.display())]
    Unseen(PathBuf),
}

/// What a recording begins with: a store, and what was said of it.
#[derive(Debug, Clone, Default)]
struct Before {
    tree: Tree,
    notes: Vec<u8>,
}

/// What a worker did.
struct Recorded {
    before: Before,
    events: Vec<Event>,
}

/// Records and cuts, as often as planned.
///
/// # Errors
/// [`Broken`]: nothing was shown then.
pub(crate) fn run(plan: &CutPlan, cases: &mut Cases, figures: &mut Figures) -> Result<(), Broken> {
    let mut before = Before::default();
    let recordings = plan.cuts.div_ceil(CUTS_EACH);
    let bar = Bar::new("power cuts", plan.cuts);
    for number in 0..recordings {
        let mut dice = fastrand::Rng::with_seed(plan.seed ^ (number << 20));
        let heavy = number % HEAVY_EVERY == HEAVY_EVERY - 1;
        let Some(recorded) = record(plan, before, dice.u64(..), heavy, cases, figures)? else {
            before = Before::default();
            continue;
        };
        let count = CUTS_EACH.min(plan.cuts - number * CUTS_EACH);
        let honest = Rules { sync: Sync::Honest, names: plan.names };
        let mut last = cut(plan, &recorded, honest, count, &mut dice, &mut |case| {
            bar.step();
            figures.cuts += 1;
            cases.judge(case, &case.ended.wrongs(false), figures)
        })?;
        if number + 1 == recordings && plan.lies > 0 {
            lie(plan, &recorded, &mut dice, figures)?;
        }
        // Every other recording goes on where a cut left the one before.
        before = if number % 2 == 0 { last.pop().unwrap_or_default() } else { Before::default() };
    }
    Ok(())
}

/// The self-check: on a disk that lies about what it has synchronised, something must be found lost.
fn lie(plan: &CutPlan, recorded: &Recorded, dice: &mut fastrand::Rng, figures: &mut Figures) -> Result<(), Broken> {
    let bar = Bar::new("cuts of a lying disk", plan.lies);
    let rules = Rules { sync: Sync::Lying, names: plan.names };
    cut(plan, recorded, rules, plan.lies, dice, &mut |case| {
        bar.step();
        figures.lied(case.ended);
        Ok(())
    })?;
    Ok(())
}

/// Has a worker work under the shim. What was recorded must come to what lies there. `None` where the worker itself found
/// something wrong.
fn record(
    plan: &CutPlan,
    before: Before,
    seed: u64,
    heavy: bool,
    cases: &mut Cases,
    figures: &mut Figures,
) -> Result<Option<Recorded>, Broken> {
    let folder = tempfile::tempdir_in(&plan.scratch)?;
    let place = before.put(folder.path())?;
    let recording = folder.path().join("recording");
    let (deeds, ballast) = if heavy { HEAVY } else { LIGHT };
    let recorded = Some((plan.shim.as_path(), recording.as_path()));
    let ended = Job { place: &place, seed, deeds: Some(deeds), ballast, recorded }.run()?;
    let wrongs = ended.wrongs(false);
    let case = Case { what: "recording", tree: &before.tree, notes: &before.notes, ended: &ended };
    cases.judge(&case, &wrongs, figures)?;
    if !wrongs.is_empty() {
        return Ok(None);
    }
    let events = recording::read(&recording)?;
    let mut disk = Disk::of(&before.tree, Rules { sync: Sync::Lying, names: plan.names });
    for event in &events {
        disk.play(event)?;
    }
    let (replayed, real) = (disk.live(), Tree::read(&place.watched)?);
    if let Some(name) = replayed.difference(&real) {
        return Err(Broken::Unseen(name.to_owned()));
    }
    let told = note::read(&place.notes)?.into_iter().skip(note::parse(&before.notes)?.len());
    figures.recordings += 1;
    figures.events += events.len() as u64;
    figures.journals_rotated += rotations(&events);
    figures.acknowledged.add(&World::of(told).0.tally);
    Ok(Some(Recorded { before, events }))
}

/// Cuts a recording at some moments, one after the other, and looks. A few of the looks are recorded and cut as well.
fn cut(
    plan: &CutPlan,
    recorded: &Recorded,
    rules: Rules,
    count: u64,
    dice: &mut fastrand::Rng,
    judge: &mut dyn FnMut(&Case<'_>) -> io::Result<()>,
) -> Result<Vec<Before>, Broken> {
    let honest = rules.sync == Sync::Honest;
    let mut places: Vec<_> = places::choose(&recorded.events, usize::try_from(count).unwrap_or(usize::MAX), dice)
        .into_iter()
        // A disk that lies may also have kept all in order, and be behind by a little.
        .map(|place| (place, if !honest && dice.bool() { dice.usize(100..1_000).min(place) } else { 0 }))
        .collect();
    places.sort_unstable_by_key(|(place, behind)| place - behind);
    let (mut disk, mut at, mut left) = (Disk::of(&recorded.before.tree, rules), 0, Vec::new());
    for (number, (place, behind)) in places.into_iter().enumerate() {
        for event in recorded.events.get(at..place - behind).unwrap_or_default() {
            disk.play(event)?;
        }
        at = place - behind;
        let tree = if behind > 0 { disk.live() } else { disk.cut(dice) };
        let notes = noted(&recorded.before.notes, &recorded.events, place);
        let mut after = Before { tree, notes };
        if honest && number % RECOVERY_EVERY == RECOVERY_EVERY - 1 {
            after = cut_the_start(plan, after, rules, dice)?;
        }
        let folder = tempfile::tempdir_in(&plan.scratch)?;
        let looked = after.put(folder.path())?;
        let ended = Job { place: &looked, seed: dice.u64(..), deeds: Some(0), ballast: 0, recorded: None }.run()?;
        judge(&Case { what: "cut", tree: &after.tree, notes: &after.notes, ended: &ended })?;
        left.push(after);
    }
    Ok(left)
}

/// What was noted up to a place.
fn noted(before: &[u8], events: &[Event], place: usize) -> Vec<u8> {
    let notes = events.iter().take(place).filter(|event| event.kind == Kind::Note);
    notes.fold(before.to_vec(), |mut all, event| {
        all.extend(&event.rest);
        all
    })
}

/// The power is cut a second time, while the store is opened after the first.
fn cut_the_start(plan: &CutPlan, after: Before, rules: Rules, dice: &mut fastrand::Rng) -> Result<Before, Broken> {
    let folder = tempfile::tempdir_in(&plan.scratch)?;
    let place = after.put(folder.path())?;
    let recording = folder.path().join("recording");
    let recorded = Some((plan.shim.as_path(), recording.as_path()));
    let ended = Job { place: &place, seed: dice.u64(..), deeds: Some(0), ballast: 0, recorded }.run()?;
    if !ended.wrongs(false).is_empty() {
        // The same start without a second cut is the simpler case to tell.
        return Ok(after);
    }
    let events = recording::read(&recording)?;
    let place = places::choose(&events, 1, dice).first().copied().unwrap_or_default();
    let mut disk = Disk::of(&after.tree, rules);
    for event in events.iter().take(place) {
        disk.play(event)?;
    }
    Ok(Before { tree: disk.cut(dice), notes: noted(&after.notes, &events, place) })
}

impl Before {
    fn put(&self, folder: &Path) -> io::Result<Place> {
        let place = Place::in_folder(&folder.canonicalize()?);
        self.tree.put(&place.watched)?;
        fs::write(&place.notes, &self.notes)?;
        Ok(place)
    }
}

/// How often a new journal was begun.
fn rotations(events: &[Event]) -> u64 {
    let journals = events.iter().filter(|event| event.kind == Kind::Open);
    let mut names: Vec<_> = journals.filter(|event| event.name.extension().is_some_and(|it| it == "jnl")).collect();
    names.sort_by(|one, two| one.name.cmp(&two.name));
    names.dedup_by(|one, two| one.name == two.name);
    names.len().saturating_sub(1) as u64
}

/// Cuts of one recording.
const CUTS_EACH: u64 = 10;
/// Every which of them is a cut of a start after a cut.
const RECOVERY_EVERY: usize = 5;
/// Every which recording writes more than a journal holds.
const HEAVY_EVERY: u64 = 7;
/// Deeds, and bytes of data in each session.
const LIGHT: (u64, usize) = (1_500, 200);
const HEAVY: (u64, usize) = (3_600, 40_000);
