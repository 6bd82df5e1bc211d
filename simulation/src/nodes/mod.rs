//! Several nodes on one store, in worlds of their own: the real engine over the real near cache, over a network that is late,
//! loses and cuts, on clocks that are apart. One thread, one seed, no time but the world's: a seed is a history.
//!
//! What must hold in every one of them:
//! * no node admits a session from memory later than the stated bound after it ended, nor at all once it knows;
//! * a request that begins after a session ended is not admitted by the store's word either;
//! * no honest user's session is refused, forgotten or taken for a thief's while it has not ended;
//! * no update that was answered as done is lost, or hidden by what memory holds for longer than the bound.
//!
//! The mutants break one rule each, and must be found.

mod browser;
mod link;
mod script;
mod site;
mod stream;
mod truth;
mod weather;
mod world;

use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use self::script::{ACTIVE, REST};
pub use self::site::Error;
use self::site::{Node, Site};
pub use self::truth::Counted;
use self::world::World;

/// A rule that is broken, to see that it is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutant {
    /// What was read is kept whatever was heard meanwhile.
    FillUnchecked,
    /// What a change of this node made is kept whatever was heard meanwhile.
    KeepUnchecked,
    /// Every change that is told is taken for the last one of this node.
    ChangeMistaken,
    /// What memory holds is judged as the store's word: reuse and forgotten tokens too.
    VerdictFromMemory,
    /// Memory answers however long nothing was heard.
    BoundIgnored,
    /// Lost notices change nothing.
    GapIgnored,
}

/// What came of one history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// Where it came from.
    pub seed: u64,
    /// What was wrong.
    pub faults: Vec<String>,
    /// What happened.
    pub counted: Counted,
    /// Stands for all of it: the same seed has the same.
    pub hash: u64,
    /// Its last lines.
    pub end: Vec<String>,
}

impl Mutant {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::FillUnchecked,
        Self::KeepUnchecked,
        Self::ChangeMistaken,
        Self::VerdictFromMemory,
        Self::BoundIgnored,
        Self::GapIgnored,
    ];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FillUnchecked => "fill-unchecked",
            Self::KeepUnchecked => "keep-unchecked",
            Self::ChangeMistaken => "change-mistaken",
            Self::VerdictFromMemory => "verdict-from-memory",
            Self::BoundIgnored => "bound-ignored",
            Self::GapIgnored => "gap-ignored",
        }
    }

    /// The mutant of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mutant| mutant.name() == name)
    }
}

/// Lives through one history.
///
/// # Errors
/// If the site could not be set up; never by what happens in it.
pub fn live(seed: u64, mutant: Option<Mutant>) -> Result<History, Error> {
    let world = World::new(seed);
    let site = Arc::new(Site::begin(&world, mutant)?);
    let browsers = script::begin(&site)?;
    world.live(ACTIVE + REST);
    site.truth.check_updates();
    let kept = site.nodes.iter().map(Node::kept).sum();
    site.truth.count(|counted| counted.kept = kept);
    let history = History {
        seed,
        faults: site.truth.faults(),
        counted: site.truth.counted(),
        hash: world.hash(),
        end: world.history(),
    };
    drop(browsers);
    // The tasks hold the world they are in.
    world.end();
    Ok(history)
}

/// Lives through the histories of these seeds, until `stop` says so of one; all that were lived through, by seed.
///
/// # Errors
/// As [`live`].
pub fn live_all(
    seeds: Range<u64>,
    mutant: Option<Mutant>,
    threads: NonZeroUsize,
    stop: impl Fn(&History) -> bool + Sync,
) -> Result<Vec<History>, Error> {
    let (next, histories) = (AtomicU64::new(seeds.start), Mutex::new(Vec::new()));
    let work = || -> Result<(), Error> {
        loop {
            let seed = next.fetch_add(1, Ordering::SeqCst);
            if seed >= seeds.end {
                return Ok(());
            }
            let history = live(seed, mutant)?;
            if stop(&history) {
                next.store(seeds.end, Ordering::SeqCst);
            }
            histories.lock().push(history);
        }
    };
    std::thread::scope(|scope| {
        let begun: Vec<_> = (0..threads.get()).map(|_| scope.spawn(work)).collect();
        begun.into_iter().try_for_each(|thread| thread.join().map_err(|_| "a thread panicked")?)
    })?;
    let mut histories = histories.into_inner();
    histories.sort_by_key(|history| history.seed);
    Ok(histories)
}
