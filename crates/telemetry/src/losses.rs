//! What a sink could not write: counted always, told once in a while.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How many events a sink lost since it began. Cheap to clone; read by metrics while the sink works.
#[derive(Debug, Clone, Default)]
pub struct Lost(Arc<AtomicU64>);

impl Lost {
    /// How many.
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn add(&self, events: u64) {
        self.0.fetch_add(events, Ordering::Relaxed);
    }
}

/// The count, and how much of it was told.
#[derive(Debug, Default)]
pub(crate) struct Losses {
    pub(crate) lost: Lost,
    untold: u64,
    told: Option<Instant>,
}

impl Losses {
    /// Some were lost: how many there are to tell of, if it is time to.
    pub(crate) fn lose(&mut self, events: u64, now: Instant) -> Option<u64> {
        self.lost.add(events);
        self.untold += events;
        let is_time = self.told.is_none_or(|told| now.saturating_duration_since(told) >= BETWEEN);
        is_time.then(|| {
            self.told = Some(now);
            std::mem::take(&mut self.untold)
        })
    }

    /// It works again: whether there is something to say, and how many of the lost were not told of yet.
    pub(crate) fn over(&mut self) -> Option<u64> {
        self.told.take().map(|_| std::mem::take(&mut self.untold))
    }
}

/// A full disk is one message a minute, not one for each event: the log may be on that disk.
const BETWEEN: Duration = Duration::from_mins(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_told_once_a_minute_and_once_more_when_they_are_over() {
        let began = Instant::now();
        let mut losses = Losses::default();
        //  after   lost  told
        for (after, lost, told) in [(0, 1, Some(1)), (1, 5, None), (59, 5, None), (60, 1, Some(11)), (61, 2, None)] {
            assert_eq!(losses.lose(lost, began + Duration::from_secs(after)), told, "{after}");
        }
        assert_eq!((losses.over(), losses.over()), (Some(2), None));
        assert_eq!(losses.lost.count(), 14);
        assert_eq!(losses.lose(1, began + Duration::from_secs(62)), Some(1), "and the next is told at once");
    }
}
