//! How messages fare.

use std::ops::RangeInclusive;

use fastrand::Rng;

use super::world::World;

/// How messages fare in one history.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weather {
    /// Of a thousand messages, how many are lost.
    pub(super) lost: u64,
    /// Of a thousand, how many are late by up to three seconds.
    pub(super) late: u64,
}

/// How one request and its answer fare.
#[derive(Debug, Clone, Copy)]
pub(super) struct Way {
    /// Microseconds until the request arrives.
    pub(super) there: u64,
    /// And the answer.
    pub(super) back: u64,
    /// Which of the two does not arrive, if one does not.
    pub(super) lost: Option<Lost>,
}

/// What was lost on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lost {
    /// The request: nothing was done.
    Request,
    /// The answer: it was done.
    Answer,
}

impl Weather {
    /// Fine, or bad.
    pub(super) fn draw(random: &mut Rng) -> Self {
        if random.bool() { Self { lost: 2, late: 10 } } else { Self { lost: 30, late: 120 } }
    }

    /// How long one message takes, in microseconds.
    pub(super) fn delay(self, world: &World) -> u64 {
        world.draw(|random| self.of(random))
    }

    /// How a request and its answer fare.
    pub(super) fn way(self, world: &World) -> Way {
        world.draw(|random| {
            let lost = |random: &mut Rng| random.u64(..1_000) < self.lost;
            let lost = match (lost(random), lost(random)) {
                (true, _) => Some(Lost::Request),
                (false, true) => Some(Lost::Answer),
                (false, false) => None,
            };
            Way { there: self.of(random), back: self.of(random), lost }
        })
    }

    fn of(self, random: &mut Rng) -> u64 {
        let late = random.u64(..1_000) < self.late;
        random.u64(if late { LATE } else { USUAL })
    }
}

const USUAL: RangeInclusive<u64> = 100..=20_000;
const LATE: RangeInclusive<u64> = 20_000..=3_000_000;
