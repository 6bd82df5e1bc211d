//! The store's time: this node's clock is corrected by it, and nobody is served while the two are too far apart.

mod guarded;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use counterfoil_core::rules::{ClockReading, Correction};
use counterfoil_core::store::{DynStore, StoreError};
use counterfoil_core::{Clock, Moment};
use parking_lot::Mutex;
use tokio::time::{Instant, sleep, timeout};

use self::guarded::Guarded;

/// The time of nodes that share a store: each corrects its own clock by the store's, so that limits end for all of them at
/// once. Cheap to clone.
///
/// [`Counterfoil`](crate::Counterfoil) does this by itself, unless [`Builder::clock`](crate::Builder::clock) gives it a
/// clock. Use it for an engine of your own: [`store`](Self::store) in the place of the store, the value itself as the clock,
/// and [`keep`](Self::keep) in the background. Stores of one process have no clock; with them it does nothing.
///
/// # Security
/// Beyond [`Correction::MOST`] one of the two clocks is wrong, and nobody can tell which: every verb that judges by time is
/// then [`StoreError::Unavailable`], sign-outs too, because one that is judged by a wrong time may take a session for over
/// and leave it alive. The same holds until the store's clock was read a first time, and from the moment this node's clock
/// was set until it was read again; that is noticed by a clock that nobody sets. By itself all of this ends as soon as the
/// clocks agree.
///
/// What says how old the knowledge of a near cache may be is the node's own clock, never this one: a correction lengthens no
/// bound.
#[derive(Clone)]
pub struct StoreTime(Arc<Inner>);

struct Inner {
    store: Arc<dyn DynStore>,
    clock: Box<dyn Clock>,
    /// What nobody sets is counted from here.
    origin: Instant,
    /// What is added to the clock, in milliseconds.
    correction: AtomicI64,
    /// How far the clock was ahead of what nobody sets when the correction was found, or one of the two below.
    anchor: AtomicI64,
    standing: Mutex<Standing>,
    looking: tokio::sync::Mutex<Looks>,
}

/// What the looks at the store's clock came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Unread,
    /// The store has no clock.
    Alone,
    Agrees(Correction),
    TooFar(Correction),
}

/// Kept from one look to the next.
#[derive(Debug, Default)]
struct Looks {
    /// Requests look no earlier again.
    not_before: Option<Instant>,
    /// Whether it was said that the clock cannot be read.
    told: bool,
}

/// Why nobody is served. The text says what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClockRefused {
    /// Further ahead than is corrected.
    #[error("this node's clock is {by:?} ahead of the session store's, and {most:?} is the most: run an NTP client on both", most = Correction::MOST)]
    Ahead {
        /// How far.
        by: Duration,
    },
    /// Further behind than is corrected.
    #[error("this node's clock is {by:?} behind the session store's, and {most:?} is the most: run an NTP client on both", most = Correction::MOST)]
    Behind {
        /// How far.
        by: Duration,
    },
    /// The store's clock was never read.
    #[error("the session store's clock could not be read yet")]
    Unread,
    /// This node's clock was set since the store's was read.
    #[error("this node's clock was set a moment ago, and is being compared with the session store's again")]
    JustSet,
}

impl StoreTime {
    /// The time of `store` on a node with this clock.
    pub fn of(store: Arc<dyn DynStore>, clock: impl Clock) -> Self {
        Self(Arc::new(Inner {
            store,
            clock: Box::new(clock),
            origin: Instant::now(),
            correction: AtomicI64::new(Correction::NONE.millis()),
            anchor: AtomicI64::new(UNSET),
            standing: Mutex::new(Standing::Unread),
            looking: tokio::sync::Mutex::default(),
        }))
    }

    /// The store, which answers only while the clocks agree.
    pub fn store(&self) -> Arc<dyn DynStore> {
        Arc::new(Guarded(self.clone()))
    }

    /// Looks at the store's clock every second, for ever, or not at all where the store has none.
    pub async fn keep(&self) {
        self.keep_while(|| true).await;
    }

    /// The same for as long as it is wanted.
    pub(crate) async fn keep_while(&self, wanted: impl Fn() -> bool) {
        while wanted() && self.look().await {
            sleep(EVERY).await;
        }
    }

    /// Looks at the store's clock now. `false` where the store has none, and nobody need look again.
    pub async fn look(&self) -> bool {
        let mut looks = self.0.looking.lock().await;
        // Whatever went wrong was told, and what was known counts on.
        let _ = self.0.look(&mut looks).await;
        *self.0.standing.lock() != Standing::Alone
    }

    /// Why nobody is served now; nothing where everything is right.
    pub fn refusal(&self) -> Option<ClockRefused> {
        let standing = *self.0.standing.lock();
        match standing {
            Standing::Alone => None,
            Standing::Unread => Some(ClockRefused::Unread),
            Standing::TooFar(correction) => Some(ClockRefused::of(correction)),
            Standing::Agrees(_) => (!self.0.is_set_right(self.0.clock.now())).then_some(ClockRefused::JustSet),
        }
    }

    /// What the last look said is to be added to this node's clock, also where it is too much; nothing before the first,
    /// and where the store has no clock.
    pub fn correction(&self) -> Option<Correction> {
        match *self.0.standing.lock() {
            Standing::Agrees(correction) | Standing::TooFar(correction) => Some(correction),
            Standing::Unread | Standing::Alone => None,
        }
    }
}

impl Inner {
    /// Whether a verb may judge by `now`.
    fn permits(&self, now: Moment) -> bool {
        if self.anchor.load(Ordering::Acquire) == ALONE {
            return true;
        }
        let clock = self.clock.now();
        // What lies further ahead than is ever corrected was read off a clock that was wrong.
        self.is_set_right(clock) && now <= self.corrected(clock) + Correction::MOST + SLACK
    }

    /// Whether the clocks agreed, and this one was not set since.
    fn is_set_right(&self, clock: Moment) -> bool {
        match self.anchor.load(Ordering::Acquire) {
            UNSET => false,
            ALONE => true,
            anchor => ahead(clock, self.origin.elapsed()).abs_diff(anchor) <= millis(SLACK).unsigned_abs(),
        }
    }

    fn corrected(&self, clock: Moment) -> Moment {
        Correction::from_millis(self.correction.load(Ordering::Acquire)).of(clock)
    }

    /// For a verb that is not permitted: looks, unless somebody did in vain a moment ago.
    async fn admit(&self, now: Moment) -> Result<(), StoreError> {
        let mut looks = self.looking.lock().await;
        let due = looks.not_before.is_none_or(|moment| moment <= Instant::now());
        if !self.permits(now) && due {
            self.look(&mut looks).await?;
        }
        drop(looks);
        if self.permits(now) {
            return Ok(());
        }
        let refused = match *self.standing.lock() {
            Standing::Unread => ClockRefused::Unread,
            Standing::TooFar(correction) => ClockRefused::of(correction),
            Standing::Agrees(_) | Standing::Alone => ClockRefused::JustSet,
        };
        Err(StoreError::Unavailable(refused.into()))
    }

    /// One look. What it says holds as of when the store was asked: a clock that is set meanwhile counts as set since.
    async fn look(&self, looks: &mut Looks) -> Result<(), StoreError> {
        let (asked, began) = (self.clock.now(), Instant::now());
        let limit = ClockReading::LONGEST;
        let answer = timeout(limit, self.store.time()).await;
        let took = began.elapsed();
        let late = || StoreError::Timeout { verb: "time", limit };
        let correction = match answer.unwrap_or_else(|_| Err(late())) {
            Ok(None) => {
                self.anchor.store(ALONE, Ordering::Release);
                *self.standing.lock() = Standing::Alone;
                return Ok(());
            }
            Ok(Some(theirs)) => {
                let in_force = self.anchor.load(Ordering::Acquire) != UNSET;
                let in_force = in_force.then(|| Correction::from_millis(self.correction.load(Ordering::Acquire)));
                ClockReading { asked, took, theirs }.correction(in_force).ok_or_else(late)
            }
            Err(error) => Err(error),
        };
        let agrees = matches!(correction, Ok(correction) if !correction.is_too_much());
        looks.not_before = (!agrees).then(|| Instant::now() + EVERY);
        match correction {
            Ok(correction) => {
                looks.told = false;
                self.settle(correction, ahead(asked, began.duration_since(self.origin)));
                Ok(())
            }
            Err(error) => {
                if !std::mem::replace(&mut looks.told, true) {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(rule = "clock", error, "the session store's clock could not be read");
                }
                Err(error)
            }
        }
    }

    /// Takes in what a look said, and tells it where it changes who is served.
    fn settle(&self, correction: Correction, anchor: i64) {
        let standing =
            if correction.is_too_much() { Standing::TooFar(correction) } else { Standing::Agrees(correction) };
        if standing == Standing::Agrees(correction) {
            self.correction.store(correction.millis(), Ordering::Release);
            self.anchor.store(anchor, Ordering::Release);
        } else {
            self.anchor.store(UNSET, Ordering::Release);
        }
        let before = std::mem::replace(&mut *self.standing.lock(), standing);
        match (before, standing) {
            (Standing::TooFar(_), Standing::TooFar(_)) => {}
            (_, Standing::TooFar(correction)) => {
                tracing::error!(rule = "clock", "{}; nobody is served until then", ClockRefused::of(correction));
            }
            (Standing::TooFar(_), _) => {
                tracing::info!(rule = "clock", "this node's clock agrees with the session store's again");
            }
            _ => {}
        }
    }
}

impl ClockRefused {
    fn of(correction: Correction) -> Self {
        let by = correction.size();
        if correction.millis() < 0 { Self::Ahead { by } } else { Self::Behind { by } }
    }
}

impl Clock for StoreTime {
    fn now(&self) -> Moment {
        self.0.corrected(self.0.clock.now())
    }
}

impl std::fmt::Debug for StoreTime {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_tuple("StoreTime").field(&*self.0.standing.lock()).finish()
    }
}

/// By how much a clock is ahead of one that nobody sets, in milliseconds.
fn ahead(clock: Moment, steady: Duration) -> i64 {
    i64::try_from(clock.unix_millis()).unwrap_or(i64::MAX - 1).saturating_sub(millis(steady))
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// The clocks were not found to agree.
const UNSET: i64 = i64::MIN;
/// There is nothing to agree with.
const ALONE: i64 = i64::MAX;
/// Between looks.
const EVERY: Duration = Duration::from_secs(1);
/// A clock that is led slowly to the right time gains or loses less between two looks; one that is set, more, or so little
/// that the next look is soon enough.
const SLACK: Duration = Duration::from_secs(1);
