//! Every input that was worth keeping, and many changed ones, through every target. On any toolchain, and always the same.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::fs;
use std::path::PathBuf;

use counterfoil_fuzz::{TARGETS, Target, find};
use fastrand::Rng;

#[test]
fn forwarding_headers() {
    replay("address");
}

#[test]
fn cookies() {
    replay("cookie");
}

#[test]
fn the_csrf_decision() {
    replay("csrf");
}

#[test]
fn lists_and_structured_headers() {
    replay("headers");
}

#[test]
fn origins() {
    replay("origin");
}

#[test]
fn session_data_and_ids() {
    replay("payload");
}

#[test]
fn stored_records() {
    replay("record");
}

#[test]
fn whole_requests() {
    replay("request");
}

#[test]
fn tokens() {
    replay("token");
}

fn replay(name: &str) {
    let target = find(name).unwrap();
    let seeds = corpus(target);
    assert!(seeds.len() >= 5, "{} seeds", seeds.len());
    (target.check)(b"");
    for seed in &seeds {
        (target.check)(seed);
    }
    let mut random = Rng::with_seed(1);
    for _ in 0..MUTATIONS {
        (target.check)(&changed(target, &seeds, &mut random));
    }
}

#[test]
fn every_corpus_has_its_target() {
    for folder in fs::read_dir(root()).unwrap() {
        let name = folder.unwrap().file_name();
        assert!(TARGETS.iter().any(|target| *target.name == *name), "{name:?}");
    }
}

/// A seed with one to eight changes.
fn changed(target: &Target, seeds: &[Vec<u8>], random: &mut Rng) -> Vec<u8> {
    let mut input = random.choice(seeds).cloned().unwrap_or_default();
    for _ in 0..random.usize(1..=8) {
        let (from, to) = (random.usize(0..=input.len()), random.usize(0..=input.len()));
        let range = from.min(to)..from.max(to);
        match random.u8(0..8) {
            0 | 1 if !input.is_empty() => {
                let at = random.usize(0..input.len());
                input[at] ^= 1 << random.u8(0..8);
            }
            2 if !input.is_empty() => {
                let at = random.usize(0..input.len());
                input[at] = random.u8(..);
            }
            3 => drop(input.drain(range)),
            4 => {
                let again = input[range].to_vec();
                input.splice(from..from, again);
            }
            5 => {
                let other = random.choice(seeds).cloned().unwrap_or_default();
                let cut = random.usize(0..=other.len());
                input.splice(range, other[cut..].iter().copied());
            }
            _ => {
                let word = random.choice(target.words).unwrap_or(&"");
                input.splice(from..from, word.bytes());
            }
        }
        input.truncate(LONGEST);
    }
    input
}

fn corpus(target: &Target) -> Vec<Vec<u8>> {
    let folder = root().join(target.name);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

/// Some seconds in all.
const MUTATIONS: usize = 20_000;
const LONGEST: usize = 6_000;
