//! A detector of one's own, asked about requests before they are decided: bounded in time and number, and left alone for a
//! moment where it fails.
//!
//! ```
//! use counterfoil::detector::{Asking, Detector, Guard, NoVerdict, Question, Verdict};
//! use counterfoil::{Counterfoil, Decision, GeneratedKeys, MemoryStore, NetworkKind, Policy};
//!
//! /// Nobody of ours works on rented computers.
//! struct NoServers;
//!
//! impl Detector for NoServers {
//!     async fn judge(&self, question: Question) -> Result<Verdict, NoVerdict> {
//!         if question.evidence.seen.place.kind != NetworkKind::Hosting {
//!             return Ok(Verdict::NOTHING);
//!         }
//!         Ok(Verdict::NOTHING.with("rented_computer".parse()?, Decision::StepUp)?)
//!     }
//! }
//!
//! let site = Counterfoil::builder(Policy::aal2("https://shop.example")?, &GeneratedKeys, MemoryStore::new())?
//!     .detect_by(Guard::default().around(NoServers), Asking::default())
//!     .build();
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! What it is asked, what it may answer and what follows: `docs/detectors.md`.

mod breaker;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use parking_lot::Mutex;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout};

pub use counterfoil_core::detector::{
    Asking, Detector, DynDetector, Named, NoVerdict, NotASignalName, Occasion, Occasions, OnSilence, Question,
    SignalName, TooManySignals, Verdict,
};

use self::breaker::{Breaker, Entry, News};

/// How long a detector may take, how many questions it answers at once, and when it is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// How long one answer may take [default: 250 ms]: people wait for it.
    pub timeout: Duration,
    /// How many questions are asked at once; what comes on top is not answered, and does not wait [default: 32].
    pub at_once: usize,
    /// After how many failures in a row it is left alone [default: 5].
    pub failures: u32,
    /// For how long; then one question shows whether it is back [default: 5 s].
    pub rest: Duration,
}

/// Holds a detector, or several that stand on the same thing, to [`Bounds`]. Cheap to clone.
///
/// # Security
/// Whoever shows one new client after another has a detector asked each time, so what it may cost is bounded here and not by
/// them. What is asked beyond the bounds is not answered, and [`Asking::on_silence`] says what follows.
#[derive(Debug, Clone)]
pub struct Guard(Arc<Shared>);

/// A detector within its bounds.
#[derive(Debug, Clone)]
pub struct Guarded<D> {
    guard: Guard,
    detector: D,
}

/// What came of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// The detector had nothing to say.
    Nothing,
    /// It said something.
    Signalled,
    /// It took too long.
    TimedOut,
    /// It failed, or panicked, or could not be understood.
    Failed,
    /// Too many were asked at once.
    Busy,
    /// It was left alone.
    Resting,
}

/// How often each outcome was so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures([u64; Outcome::ALL.len()]);

#[derive(Debug)]
struct Shared {
    bounds: Bounds,
    slots: Semaphore,
    breaker: Mutex<Breaker>,
    counts: [AtomicU64; Outcome::ALL.len()],
}

/// One question under way. Where nobody waits for the answer any more, it leaves no trace.
struct Turn<'a> {
    shared: &'a Shared,
    entry: Entry,
    is_over: bool,
    _slot: SemaphorePermit<'a>,
}

impl Guard {
    /// One with these bounds.
    pub fn new(bounds: Bounds) -> Self {
        let breaker = Mutex::new(Breaker::new(bounds.failures, bounds.rest));
        Self(Arc::new(Shared { bounds, slots: Semaphore::new(bounds.at_once), breaker, counts: Default::default() }))
    }

    /// Holds `detector` to the bounds, together with all others that this one holds.
    pub fn around<D: Detector>(&self, detector: D) -> Guarded<D> {
        Guarded { guard: self.clone(), detector }
    }

    /// What came of all questions so far.
    pub fn figures(&self) -> Figures {
        let mut figures = Figures::default();
        let counts = figures.0.iter_mut().zip(&self.0.counts);
        counts.for_each(|(figure, count)| *figure = count.load(Ordering::Relaxed));
        figures
    }
}

impl<D: Detector> Detector for Guarded<D> {
    async fn judge(&self, question: Question) -> Result<Verdict, NoVerdict> {
        let shared = &*self.guard.0;
        let turn = shared.begin().inspect_err(|refused| shared.count(Outcome::of_error(refused)))?;
        let asked = AssertUnwindSafe(async { self.detector.judge(question).await }).catch_unwind();
        let answer = match timeout(shared.bounds.timeout, asked).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(NoVerdict::Panicked),
            Err(_) => Err(NoVerdict::TimedOut),
        };
        turn.end(&answer);
        answer
    }
}

impl Shared {
    fn begin(&self) -> Result<Turn<'_>, NoVerdict> {
        // The slot first: a probe that finds none would leave the breaker waiting for it.
        let slot = self.slots.try_acquire().map_err(|_| NoVerdict::Busy)?;
        let entry = self.breaker.lock().enter(Instant::now().into_std()).ok_or(NoVerdict::Resting)?;
        Ok(Turn { shared: self, entry, is_over: false, _slot: slot })
    }

    fn count(&self, outcome: Outcome) {
        if let Some(count) = self.counts.get(outcome as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Turn<'_> {
    fn end(mut self, answer: &Result<Verdict, NoVerdict>) {
        self.is_over = true;
        let now = Instant::now().into_std();
        let news = match answer {
            Ok(_) => self.shared.breaker.lock().succeeded(self.entry),
            Err(_) => self.shared.breaker.lock().failed(self.entry, now),
        };
        match (news, answer) {
            (Some(News::Down), Err(error)) => {
                let error = error as &dyn std::error::Error;
                tracing::warn!(
                    rule = "detector",
                    error,
                    "the detector failed several times in a row: it is left alone for a moment, and so each time until it \
                     answers again"
                );
            }
            (Some(News::Back), _) => tracing::info!(rule = "detector", "the detector answers again"),
            _ => {}
        }
        self.shared.count(match answer {
            Ok(verdict) if verdict.signals().is_empty() => Outcome::Nothing,
            Ok(_) => Outcome::Signalled,
            Err(error) => Outcome::of_error(error),
        });
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            self.shared.breaker.lock().abandoned(self.entry, Instant::now().into_std());
        }
    }
}

impl Outcome {
    /// Each of them.
    pub const ALL: [Self; 6] =
        [Self::Nothing, Self::Signalled, Self::TimedOut, Self::Failed, Self::Busy, Self::Resting];

    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Signalled => "signalled",
            Self::TimedOut => "timed_out",
            Self::Failed => "failed",
            Self::Busy => "busy",
            Self::Resting => "resting",
        }
    }

    const fn of_error(error: &NoVerdict) -> Self {
        match error {
            NoVerdict::TimedOut => Self::TimedOut,
            NoVerdict::Busy => Self::Busy,
            NoVerdict::Resting => Self::Resting,
            _ => Self::Failed,
        }
    }
}

impl Figures {
    /// How often there was this outcome.
    pub fn of(&self, outcome: Outcome) -> u64 {
        self.0.get(outcome as usize).copied().unwrap_or_default()
    }
}

impl Default for Guard {
    fn default() -> Self {
        Self::new(Bounds::default())
    }
}

impl Default for Bounds {
    fn default() -> Self {
        Self { timeout: Duration::from_millis(250), at_once: 32, failures: 5, rest: Duration::from_secs(5) }
    }
}

#[cfg(test)]
mod tests;
