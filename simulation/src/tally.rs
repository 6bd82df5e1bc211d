//! What many histories came to. Adding up in any order gives the same.

use crate::history::{Delay, End, Outcome, Refusal};

/// Sums over histories.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many.
    pub histories: u64,
    /// Requests the browsers sent.
    pub requests: u64,
    /// Times a jar changed to another token.
    pub rotations: u64,
    /// Crashes.
    pub crashes: u64,
    /// Honest sessions that ended, with the seed of each.
    pub refusals: Vec<(u64, Refusal)>,
    /// How long each thief that was found had its session.
    pub found: Vec<Delay>,
    /// Thieves that were not found although the browser was in use for long.
    pub missed: u64,
    /// Thieves that were not found, of browsers that were hardly used again.
    pub victim_left: u64,
}

impl Tally {
    /// Adds a history.
    pub fn add(&mut self, seed: u64, outcome: &Outcome) {
        self.histories += 1;
        self.requests += outcome.requests;
        self.rotations += outcome.rotations;
        self.crashes += outcome.crashes;
        match outcome.end {
            End::DayOver => {}
            End::Refused(refusal) => self.refusals.push((seed, refusal)),
            End::Found(after) => self.found.push(after),
            End::Missed => self.missed += 1,
            End::VictimLeft => self.victim_left += 1,
        }
    }

    /// Adds what others counted.
    pub fn merge(&mut self, other: Self) {
        self.histories += other.histories;
        self.requests += other.requests;
        self.rotations += other.rotations;
        self.crashes += other.crashes;
        self.refusals.extend(other.refusals);
        self.found.extend(other.found);
        self.missed += other.missed;
        self.victim_left += other.victim_left;
    }

    /// In the one order, whoever counted first.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        self.refusals.sort_by_key(|(seed, refusal)| (*seed, refusal.at));
        self.found.sort_unstable();
        self
    }

    /// Honest sessions ended.
    pub fn ended(&self) -> u64 {
        u64::try_from(self.refusals.len()).unwrap_or(u64::MAX)
    }

    /// Honest sessions ended by a request that was no more than `millis` late.
    pub fn ended_within(&self, millis: u64) -> u64 {
        self.refusals.iter().filter(|(_, refusal)| refusal.late <= millis).count().try_into().unwrap_or(u64::MAX)
    }

    /// Honest sessions ended in a thousand days.
    pub fn ended_per_thousand(&self) -> f64 {
        per(self.ended(), self.histories) * 1_000.0
    }

    /// What the true figure is below, with 95 % confidence, where not one was seen: the rule of three.
    pub fn below_per_thousand(&self) -> f64 {
        per(3_000, self.histories)
    }

    /// Thieves of browsers that went on being used, and those that were found.
    pub fn thieves(&self) -> (u64, u64) {
        let found = u64::try_from(self.found.len()).unwrap_or(u64::MAX);
        (found + self.missed, found)
    }

    /// The delay, in milliseconds by the clock, within which `percent` of the thieves found were found.
    pub fn within(&self, percent: usize) -> Option<u64> {
        at(self.found.iter().map(|delay| delay.clock), percent)
    }

    /// The same in time of the browser's use.
    pub fn within_use(&self, percent: usize) -> Option<u64> {
        at(self.found.iter().map(|delay| delay.use_of), percent)
    }
}

/// The value that `percent` of all values do not exceed.
fn at(values: impl Iterator<Item = u64>, percent: usize) -> Option<u64> {
    let mut values: Vec<_> = values.collect();
    values.sort_unstable();
    let rank = (values.len() * percent).div_ceil(100);
    values.get(rank.saturating_sub(1)).copied()
}

/// A share of counts.
fn per(part: u64, whole: u64) -> f64 {
    let exact = |count: u64| u32::try_from(count).map_or(f64::NAN, f64::from);
    if whole == 0 { 0.0 } else { exact(part) / exact(whole) }
}
