//! When many of a kind in a short time are a signal: so many of them, from one network or of one session.
//!
//! Counted in this process: several nodes each see their share, and raise it that much later. Memory is bounded; whoever
//! comes from a million networks makes it forget, and is seen by none of them.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher as _, Hash};
use std::time::Duration;

use foldhash::quality::RandomState;

use super::signal::Signal;
use crate::moment::Moment;

/// What is counted, and how many of it are a burst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Counted {
    /// Tokens that we never issued, from one network: 10 in 5 minutes. A truncated cookie is one.
    Forged,
    /// Requests of one session that a CSRF check refused: 3 in 5 minutes. A form left open over lunch is one or two.
    CsrfDenied,
    /// Step-ups of one session that failed: 3 in 10 minutes. People mistype twice.
    StepUpFailed,
    /// Accounts at which a sign-in failed, from one network: 10 different ones in 10 minutes.
    SignInFailed,
}

/// What was counted of late.
#[derive(Debug, Default)]
pub struct Bursts {
    /// The newer half, and the older: what is looked at moves to the newer, and the older goes when that is full.
    halves: [HashMap<u64, Recent, RandomState>; 2],
    hasher: RandomState,
    created: Creations,
}

/// The last few of one kind under one key, each with what tells it from others.
#[derive(Debug, Default, Clone)]
struct Recent {
    seen: VecDeque<(Moment, u64)>,
    /// When it was last said; not again before the time is over.
    said: Option<Moment>,
}

/// How many sessions began in each of the last thirteen stretches of five minutes, the current one last.
#[derive(Debug, Default, Clone)]
struct Creations {
    counts: VecDeque<u32>,
    stretch: u64,
    said: bool,
}

impl Counted {
    /// Which signal a burst is.
    pub const fn signal(self) -> Signal {
        match self {
            Self::Forged => Signal::ForgedBurst,
            Self::CsrfDenied => Signal::CsrfFailures,
            Self::StepUpFailed => Signal::StepUpFailures,
            Self::SignInFailed => Signal::AddressSpray,
        }
    }

    /// How many in how long.
    const fn burst(self) -> (usize, Duration) {
        match self {
            Self::Forged => (10, Duration::from_mins(5)),
            Self::CsrfDenied => (3, Duration::from_mins(5)),
            Self::StepUpFailed => (3, Duration::from_mins(10)),
            Self::SignInFailed => (10, Duration::from_mins(10)),
        }
    }

    /// Whether the same thing twice counts once: it does where it is the accounts that count.
    const fn counts_each_once(self) -> bool {
        matches!(self, Self::SignInFailed)
    }
}

impl Bursts {
    /// How many keys are counted at once, at most.
    pub const MOST: usize = 16_384;

    /// Counts one, of `what` under `key`, and says whether this is a burst that was not told yet.
    pub fn count(&mut self, counted: Counted, key: impl Hash, what: impl Hash, now: Moment) -> bool {
        let (key, what) = (self.hasher.hash_one((counted, key)), self.hasher.hash_one(what));
        let (most, within) = counted.burst();
        let recent = self.recent(key);
        recent.seen.retain(|(at, seen)| now.since(*at) < within && !(counted.counts_each_once() && *seen == what));
        recent.seen.push_back((now, what));
        if recent.seen.len() > most {
            recent.seen.pop_front();
        }
        let due = recent.said.is_none_or(|said| now.since(said) >= within);
        let bursts = recent.seen.len() >= most && due;
        if bursts {
            recent.said = Some(now);
        }
        bursts
    }

    /// Counts a session that began, and says whether far more begin than usual and that was not told yet in these five
    /// minutes: 50, and five times as many as in the hour before on average.
    pub fn count_creation(&mut self, now: Moment) -> bool {
        self.created.count(now)
    }

    fn recent(&mut self, key: u64) -> &mut Recent {
        let [newer, older] = &mut self.halves;
        if newer.len() >= Self::MOST / 2 && !newer.contains_key(&key) {
            *older = std::mem::take(newer);
        }
        let known = older.remove(&key);
        newer.entry(key).or_insert_with(|| known.unwrap_or_default())
    }
}

impl Creations {
    fn count(&mut self, now: Moment) -> bool {
        let stretch = now.unix_millis() / STRETCH_MILLIS;
        // A clock that was set back counts on where it was; what was before this process nobody knows.
        let begun = if self.counts.is_empty() { 1 } else { stretch.saturating_sub(self.stretch).min(HOUR + 1) };
        for _ in 0..begun {
            self.counts.push_back(0);
            self.said = false;
        }
        self.stretch = self.stretch.max(stretch);
        while u64::try_from(self.counts.len()).unwrap_or(u64::MAX) > HOUR + 1 {
            self.counts.pop_front();
        }
        let earlier = self.counts.iter().rev().skip(1).copied().map(u64::from);
        let (stretches, before) = earlier.fold((0, 0), |(stretches, sum), count| (stretches + 1, sum + count));
        let Some(current) = self.counts.back_mut() else { return false };
        *current = current.saturating_add(1);
        let current = u64::from(*current);
        let spikes = current >= SPIKE && current * stretches >= 5 * before && !self.said;
        self.said |= spikes;
        spikes
    }
}

/// Five minutes.
const STRETCH_MILLIS: u64 = 300_000;
/// How many of them an hour has.
const HOUR: u64 = 12;
/// Less than this is a class that signs in.
const SPIKE: u64 = 50;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: u64) -> Moment {
        Moment::from_unix_seconds(1_800_000_000 + second)
    }

    /// Which of these seconds are told.
    fn told(counted: Counted, seconds: impl IntoIterator<Item = (u64, u32)>) -> Vec<u64> {
        let mut bursts = Bursts::default();
        let tells = |(second, what): &(u64, u32)| bursts.count(counted, "key", what, at(*second));
        seconds.into_iter().filter(tells).map(|(second, _)| second).collect()
    }

    #[test]
    fn a_burst_is_told_once_when_there_are_enough_and_again_when_its_time_is_over() {
        let each = |step: u64, count: u64| (0..count).map(move |number| (number * step, 1));
        #[rustfmt::skip]
        let rows: Vec<(&str, Vec<u64>, Vec<u64>)> = vec![
            ("nine forged tokens",                told(Counted::Forged, each(1, 9)),        vec![]),
            ("ten of them",                       told(Counted::Forged, each(1, 10)),       vec![9]),
            ("forty of them",                     told(Counted::Forged, each(1, 40)),       vec![9]),
            ("for ten minutes",                   told(Counted::Forged, each(5, 130)),      vec![45, 345, 645]),
            ("one every half a minute",           told(Counted::Forged, each(30, 60)),      vec![270, 570, 870, 1_170, 1_470, 1_770]),
            ("one every 34 seconds",              told(Counted::Forged, each(34, 60)),      vec![]),
            ("three step-ups in ten minutes",     told(Counted::StepUpFailed, each(299, 3)), vec![598]),
            ("three in more than that",           told(Counted::StepUpFailed, each(300, 3)), vec![]),
            ("the same account over and over",    told(Counted::SignInFailed, each(1, 50)), vec![]),
            ("ten accounts",                      told(Counted::SignInFailed, (0..10).map(|number: u32| (u64::from(number), number))), vec![9]),
            ("nine accounts, twice each",         told(Counted::SignInFailed, (0..18).map(|number: u32| (u64::from(number), number % 9))), vec![]),
        ];
        for (name, found, expected) in rows {
            assert_eq!(found, expected, "{name}");
        }
    }

    #[test]
    fn each_key_and_each_kind_counts_for_itself() {
        let mut bursts = Bursts::default();
        for number in 0..2 {
            assert!(!bursts.count(Counted::CsrfDenied, 1, number, at(0)));
            assert!(!bursts.count(Counted::CsrfDenied, 2, number, at(0)));
            assert!(!bursts.count(Counted::StepUpFailed, 1, number, at(0)));
        }
        assert!(bursts.count(Counted::CsrfDenied, 1, 2, at(0)));
        assert!(bursts.count(Counted::StepUpFailed, 1, 2, at(0)));
    }

    #[test]
    fn a_million_networks_take_no_more_memory_than_a_few_and_one_that_goes_on_is_still_seen() {
        let mut bursts = Bursts::default();
        let mut told = 0;
        for number in 0..1_000_000_u64 {
            bursts.count(Counted::Forged, number, 0, at(number / 10_000));
            if number % 5_000 == 0 {
                told += u32::from(bursts.count(Counted::Forged, "persistent", 0, at(number / 10_000)));
            }
        }
        assert!(bursts.halves.iter().map(HashMap::len).sum::<usize>() <= Bursts::MOST);
        assert_eq!(told, 1);
    }

    #[test]
    fn sessions_that_begin_are_held_against_the_hour_before() {
        let spikes = |before: u64, now: u64| {
            let mut bursts = Bursts::default();
            let usual = (0..12).flat_map(|stretch| (0..before).map(move |_| stretch * 300));
            let told = usual.filter(|second| bursts.count_creation(at(*second))).count();
            (told, (0..now).filter(|_| bursts.count_creation(at(12 * 300))).count())
        };
        #[rustfmt::skip]
        let rows = [
            ("a class signs in",                      spikes(0, 49),     (0, 0)),
            ("fifty out of nothing",                  spikes(0, 500),    (0, 1)),
            ("fifty where there are forty",           spikes(40, 199),   (0, 0)),
            ("five times as many",                    spikes(40, 200),   (0, 1)),
            ("a busy site on any day: told at first", spikes(1_000, 1_500), (1, 0)),
        ];
        for (name, found, expected) in rows {
            assert_eq!(found, expected, "{name}");
        }
    }

    #[test]
    fn a_clock_that_jumps_neither_panics_nor_makes_a_burst() {
        let mut bursts = Bursts::default();
        for second in [0, 1_000_000_000, 5, 0, u64::MAX / 2_000_000] {
            assert!(!bursts.count(Counted::Forged, 1, second, at(second)));
            assert!(!bursts.count_creation(at(second)));
        }
    }
}
