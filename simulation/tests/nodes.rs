//! Several nodes: a seed is a history, ours has no faults, and each mutant is found.

use std::num::NonZeroUsize;

use counterfoil_simulation::nodes::{Mutant, live, live_all};

#[test]
fn the_same_seed_has_the_same_history() {
    let [once, again, other] = [7, 7, 8].map(|seed| live(seed, None).unwrap());
    assert_eq!(once, again);
    assert_ne!(once.hash, other.hash);
}

#[test]
fn nobody_is_admitted_beyond_the_bound_and_much_happens() {
    let histories = live_all(1..61, None, NonZeroUsize::MIN, |_| false).unwrap();
    let faults: Vec<_> = histories.iter().filter(|history| !history.faults.is_empty()).collect();
    assert!(faults.is_empty(), "{faults:#?}");
    let sum = |of: fn(&counterfoil_simulation::nodes::Counted) -> u64| {
        histories.iter().map(|history| of(&history.counted)).sum::<u64>()
    };
    assert!(sum(|counted| counted.from_memory) * 10 > sum(|counted| counted.requests), "next to no hits");
    assert!(sum(|counted| counted.within_bound) > 0, "no revocation was ever heard late");
    assert!(sum(|counted| counted.ended) > 400);
    assert!(sum(|counted| counted.updates) > 1_000 && sum(|counted| counted.unavailable) > 100);
    assert!(sum(|counted| counted.kept) * 3 > sum(|counted| counted.updates), "next to no write stays in memory");
}

#[test]
fn each_mutant_is_found() {
    for mutant in Mutant::ALL {
        let wrong = |history: &counterfoil_simulation::nodes::History| !history.faults.is_empty();
        let histories = live_all(1..301, Some(mutant), NonZeroUsize::MIN, wrong).unwrap();
        assert!(histories.iter().any(wrong), "{} was not found", mutant.name());
    }
}
