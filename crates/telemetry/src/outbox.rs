//! What waits to be sent: how much of it, and what became of the rest. The same for whoever is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use tokio::sync::Notify;

use crate::figures::{Counts, Figures};

/// What one receiver is to get. Cheap to clone: all clones are one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outbox(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    counts: Counts,
    waiting: AtomicUsize,
    emptied: Notify,
}

/// The place of one event or token among those that wait, for as long as it does.
///
/// Where it is dropped before anything became of what stood there, that is lost, and counted: in a queue that was full, in one that
/// nobody reads any more, or in a work that was dropped half way.
#[derive(Debug)]
pub(crate) struct Place {
    outbox: Outbox,
    is_settled: bool,
}

impl Outbox {
    /// What became of those before.
    pub(crate) fn counts(&self) -> &Counts {
        &self.0.counts
    }

    /// How it does.
    pub(crate) fn figures(&self) -> Figures {
        self.0.counts.figures(self.0.waiting.load(Ordering::Relaxed))
    }

    /// One more waits.
    pub(crate) fn place(&self) -> Place {
        self.0.waiting.fetch_add(1, Ordering::Relaxed);
        Place { outbox: self.clone(), is_settled: false }
    }

    /// One more waits, unless there are so many. Then it is lost.
    pub(crate) fn place_below(&self, most: usize) -> Option<Place> {
        let before = self.0.waiting.fetch_add(1, Ordering::Relaxed);
        let place = Place { outbox: self.clone(), is_settled: false };
        // What is dropped here is counted.
        (before < most).then_some(place)
    }

    /// Until nothing waits any more.
    pub(crate) async fn drained(&self) {
        loop {
            let emptied = self.0.emptied.notified();
            if self.0.waiting.load(Ordering::Relaxed) == 0 {
                return;
            }
            emptied.await;
        }
    }
}

impl Place {
    /// It needs no place any more: what became of it was counted.
    pub(crate) fn settle(mut self) {
        self.is_settled = true;
    }

    /// It needs no place any more, and this is what became of it.
    pub(crate) fn settle_as(self, count: impl Fn(&Counts) -> &AtomicU64) {
        Counts::add(count(self.outbox.counts()), 1);
        self.settle();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Inner { counts, waiting, emptied } = &*self.outbox.0;
        if !self.is_settled {
            Counts::add(&counts.lost, 1);
        }
        if waiting.fetch_sub(1, Ordering::Relaxed) == 1 {
            emptied.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dropped_is_lost_and_what_is_settled_is_what_it_was_settled_as() {
        let outbox = Outbox::default();
        let [one, other, third] = std::array::from_fn(|_| outbox.place());
        assert!(outbox.place_below(3).is_none() && outbox.figures().lost == 1, "there was no room for it");
        drop(one);
        other.settle_as(|counts| &counts.delivered);
        third.settle();
        assert!(outbox.place_below(1).is_some());
        assert_eq!(outbox.figures(), Figures { delivered: 1, lost: 3, ..Figures::default() });
    }

    #[tokio::test]
    async fn whoever_waits_for_the_last_goes_on_when_it_is_gone() {
        let outbox = Outbox::default();
        outbox.drained().await;
        let (one, other) = (outbox.place(), outbox.place());
        let waiting = tokio::spawn({
            let outbox = outbox.clone();
            async move { outbox.drained().await }
        });
        tokio::task::yield_now().await;
        one.settle();
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(other);
        waiting.await.unwrap();
    }
}
