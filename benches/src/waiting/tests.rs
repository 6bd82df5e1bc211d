//! Whether crowds, engines and what they say of themselves agree.

use std::collections::{HashMap, HashSet};

use super::*;

#[derive(Clone, Default)]
struct InMemory(Arc<Mutex<HashMap<KeyBytes, Vec<u8>>>>);

impl Engine for InMemory {
    fn write(&mut self, writes: &[(KeyBytes, Vec<u8>)]) -> Result<(), Failed> {
        self.0.lock().unwrap().extend(writes.iter().cloned());
        Ok(())
    }
}

fn run(work: Work) -> Run {
    let (span, folder) = (Duration::from_mins(1), "a folder/of two words".into());
    Run { work, waiting: 16, span, before: 500, old: 40, record: 60, stone: 20, folder }
}

#[test]
fn a_run_survives_its_way_through_arguments_and_an_outcome_its_way_back() {
    let run = run(Work::Change);
    assert_eq!(Run::read(run.arguments().into_iter()).unwrap(), run);
    for written in [None, Some(99)] {
        let (elapsed, cpu) = (Duration::from_micros(7), Duration::from_micros(5));
        let outcome = Outcome { done: 3, elapsed, cpu, written };
        assert_eq!(outcome.to_string().parse::<Outcome>().unwrap(), outcome);
    }
    assert!("3 7".parse::<Outcome>().is_err());
}

#[test]
fn a_change_never_writes_what_is_there() {
    let run = Run { old: 60, ..run(Work::Change) };
    let mut there: HashMap<_, _> = (0..run.before).map(|number| (key(OLD, number), noise(run.old, number))).collect();
    for number in 0..run.before * 3 {
        for (key, bytes) in run.writes(number) {
            assert_ne!(there.insert(key, bytes.clone()), Some(bytes), "{number}");
        }
    }
}

#[tokio::test]
async fn a_sign_in_writes_a_session_and_what_is_left_of_the_old_one_and_each_old_one_ends_once() {
    let engine = InMemory::default();
    let outcome = grouped(&run(Work::SignIn), engine.clone()).await.unwrap();
    let lengths: Vec<_> = engine.0.lock().unwrap().values().map(Vec::len).collect();
    assert_eq!(outcome.done, 500);
    for (bytes, expected) in [(40, 0), (60, 500), (20, 500)] {
        assert_eq!(lengths.iter().filter(|length| **length == bytes).count(), expected, "{bytes}");
    }
}

#[test]
fn keys_lie_far_apart_and_are_never_the_same() {
    let keys: HashSet<_> = [OLD, NEW].iter().flat_map(|kind| (0..5_000).map(|number| key(*kind, number))).collect();
    let buckets: HashSet<_> = keys.iter().map(|key| key[..2].to_vec()).collect();
    assert_eq!(keys.len(), 10_000);
    assert!(buckets.len() > 8_000, "{}", buckets.len());
}
