//! Whether something that fails is asked again: not for a moment after several failures in a row. Pure: the time comes in.

use std::time::{Duration, Instant};

/// Counts failures in a row.
#[derive(Debug)]
pub(super) struct Breaker {
    most: u32,
    rest: Duration,
    state: State,
}

/// A question that may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    /// As always.
    Usual,
    /// After a rest, to see whether somebody is there.
    Probe,
}

/// What has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    /// It is left alone from now on.
    Down,
    /// It answers again.
    Back,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It is asked; so many failed in a row.
    Asked(u32),
    /// It is left alone until then.
    LeftAlone(Instant),
    /// One question shows whether it is back.
    Probed,
}

impl Breaker {
    /// One that rests for `rest` after `most` failures in a row.
    pub(super) const fn new(most: u32, rest: Duration) -> Self {
        Self { most, rest, state: State::Asked(0) }
    }

    /// Whether to ask, and as what.
    pub(super) fn enter(&mut self, now: Instant) -> Option<Entry> {
        match self.state {
            State::Asked(_) => Some(Entry::Usual),
            State::LeftAlone(until) if until <= now => {
                self.state = State::Probed;
                Some(Entry::Probe)
            }
            State::LeftAlone(_) | State::Probed => None,
        }
    }

    /// There was an answer. One that was asked for before it was left alone says nothing about now.
    pub(super) fn succeeded(&mut self, entry: Entry) -> Option<News> {
        match (entry, self.state) {
            (Entry::Probe, _) => {
                self.state = State::Asked(0);
                Some(News::Back)
            }
            (Entry::Usual, State::Asked(_)) => {
                self.state = State::Asked(0);
                None
            }
            (Entry::Usual, State::LeftAlone(_) | State::Probed) => None,
        }
    }

    /// There was none.
    pub(super) fn failed(&mut self, entry: Entry, now: Instant) -> Option<News> {
        let failures = match (entry, self.state) {
            (Entry::Probe, _) => {
                self.state = State::LeftAlone(now + self.rest);
                return None;
            }
            (Entry::Usual, State::Asked(failures)) => failures + 1,
            (Entry::Usual, State::LeftAlone(_) | State::Probed) => return None,
        };
        let is_down = failures >= self.most;
        self.state = if is_down { State::LeftAlone(now + self.rest) } else { State::Asked(failures) };
        is_down.then_some(News::Down)
    }

    /// Nobody waited for the answer. A probe that nobody waited for is made again.
    pub(super) fn abandoned(&mut self, entry: Entry, now: Instant) {
        if entry == Entry::Probe {
            self.state = State::LeftAlone(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REST: Duration = Duration::from_secs(5);

    #[test]
    fn after_several_failures_in_a_row_it_rests_and_then_one_question_shows_whether_it_is_back() {
        let (mut breaker, now) = (Breaker::new(3, REST), Instant::now());
        let later = |seconds| now + Duration::from_secs(seconds);
        for _ in 0..2 {
            assert_eq!(breaker.failed(Entry::Usual, now), None);
        }
        assert_eq!(breaker.succeeded(Entry::Usual), None, "those in a row alone count");
        for _ in 0..2 {
            assert_eq!(breaker.failed(Entry::Usual, now), None);
        }
        assert_eq!(breaker.enter(now), Some(Entry::Usual));
        assert_eq!(breaker.failed(Entry::Usual, now), Some(News::Down));
        assert_eq!(breaker.enter(later(4)), None);
        assert_eq!(
            breaker.failed(Entry::Usual, later(4)),
            None,
            "asked before: it neither prolongs the rest nor is news"
        );
        assert_eq!(breaker.succeeded(Entry::Usual), None);
        assert_eq!((breaker.enter(later(5)), breaker.enter(later(5))), (Some(Entry::Probe), None), "one at a time");
        assert_eq!(breaker.failed(Entry::Probe, later(6)), None, "still down is no news");
        assert_eq!((breaker.enter(later(10)), breaker.enter(later(11))), (None, Some(Entry::Probe)));
        breaker.abandoned(Entry::Probe, later(12));
        assert_eq!(breaker.enter(later(12)), Some(Entry::Probe), "somebody else's turn");
        assert_eq!(breaker.succeeded(Entry::Probe), Some(News::Back));
        breaker.abandoned(Entry::Usual, later(12));
        assert_eq!(breaker.enter(later(12)), Some(Entry::Usual));
        for _ in 0..2 {
            assert_eq!(breaker.failed(Entry::Usual, later(13)), None, "it begins anew");
        }
    }
}
