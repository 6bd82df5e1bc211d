//! Runs the histories of an experiment on all cores. The seed of each is its own, so the threads change nothing.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::conditions::Conditions;
use crate::history::simulate;
use crate::rules::Rule;
use crate::tally::Tally;

/// Lives through `histories` histories and adds them up; `progress` hears how many more are done.
///
/// The same histories meet every rule: seed `n` draws the same day under each, until the rule makes it differ.
pub fn run<R: Rule>(
    rule: &R,
    conditions: &Conditions,
    histories: u64,
    first_seed: u64,
    threads: NonZeroUsize,
    progress: &(impl Fn(u64) + Sync),
) -> Tally {
    let next = AtomicU64::new(0);
    let total = Mutex::new(Tally::default());
    let work = || {
        loop {
            let begin = next.fetch_add(CHUNK, Ordering::Relaxed);
            if begin >= histories {
                return;
            }
            let mut tally = Tally::default();
            let end = histories.min(begin + CHUNK);
            for number in begin..end {
                let seed = first_seed + number;
                tally.add(seed, &simulate(rule, conditions, seed));
            }
            total.lock().unwrap_or_else(PoisonError::into_inner).merge(tally);
            progress(end - begin);
        }
    };
    thread::scope(|scope| {
        for _ in 0..threads.get() {
            scope.spawn(work);
        }
    });
    total.into_inner().unwrap_or_else(PoisonError::into_inner).sorted()
}

const CHUNK: u64 = 16;
