//! Generators whose state is in what they gave: the next tokens follow from the last.

use super::machine::{JAVA, TWISTER, low, twist, untemper, xorshift};
use crate::predict::How;
use crate::predict::fold;
use crate::predict::series::Fit;

/// Rows of whole outputs, in the order of coming.
pub(super) fn explain(rows: &[Vec<u32>]) -> Option<Fit> {
    by_steps(rows).or_else(|| of_java(rows)).or_else(|| by_history(rows))
}

/// One output is the state for the next.
fn by_steps(rows: &[Vec<u32>]) -> Option<Fit> {
    let halves: Vec<Vec<u64>> = rows.iter().map(|row| row.iter().copied().map(u64::from).collect()).collect();
    let wide: Vec<Vec<u64>> = rows.iter().map(|row| row.chunks_exact(2).filter_map(joined).collect()).collect();
    STEPS.iter().find_map(|step| {
        let rows = if step.wide { &wide } else { &halves };
        let follows =
            |pair: &&[Vec<u64>]| pair.first().zip(pair.last()).is_some_and(|(last, row)| step.follow(last, row));
        let hits = rows.windows(2).filter(follows).count();
        fit(step.name, hits, rows.len().saturating_sub(1), FARTHEST)
    })
}

struct Step {
    name: &'static str,
    wide: bool,
    next: fn(u64) -> u64,
}

impl Step {
    /// Whether a row follows from the last output of the one before, some outputs of other visitors later.
    fn follow(&self, last: &[u64], row: &[u64]) -> bool {
        let (Some(last), Some((first, others))) = (last.last(), row.split_first()) else { return false };
        let mut state = *last;
        let reached = (0..FARTHEST).any(|_| {
            state = (self.next)(state);
            state == *first
        });
        reached && std::iter::once(first).chain(others).zip(others).all(|(word, next)| (self.next)(*word) == *next)
    }
}

/// 32 bits of 48 are seen: the others are tried.
fn of_java(rows: &[Vec<u32>]) -> Option<Fit> {
    let states: Vec<Option<u64>> = rows.iter().map(|row| java_state(row)).take(MOST_TRIED).collect();
    let next = |state: u64| state.wrapping_mul(JAVA).wrapping_add(11) & ((1 << 48) - 1);
    let follows = |pair: &&[Option<u64>]| {
        let Some((Some(last), Some(state))) = pair.first().zip(pair.last()) else { return false };
        let later = std::iter::successors(Some(*last), |state| Some(next(*state)));
        later.skip(1).take(FARTHEST).any(|one| one == *state)
    };
    let hits = states.windows(2).filter(follows).count();
    fit("java.util.Random", hits, states.len().saturating_sub(1), FARTHEST)
}

/// After the first output. `nextLong` adds its halves, and the second is signed.
fn java_state(row: &[u32]) -> Option<u64> {
    let (first, second) = (*row.first()?, *row.get(1)?);
    let firsts = [first, first.wrapping_add(second >> 31)];
    firsts.into_iter().find_map(|first| {
        (0..1 << 16)
            .map(|hidden| u64::from(first) << 16 | hidden)
            .find(|state| low((state.wrapping_mul(JAVA).wrapping_add(11) & ((1 << 48) - 1)) >> 16) == second)
    })
}

/// Outputs follow from many before them: MT19937, glibc's `rand`, xorshift128.
fn by_history(rows: &[Vec<u32>]) -> Option<Fit> {
    let each = rows.first().map_or(0, Vec::len);
    let outputs: Vec<u32> = rows.iter().flatten().copied().collect();
    let words: Vec<u32> = outputs.iter().copied().map(untemper).collect();
    let at = |all: &[u32], at: usize| all.get(at).copied();
    let twisted = |now: usize| {
        let then = now.checked_sub(TWISTER)?;
        Some(twist(at(&words, then)?, at(&words, then + 1)?, at(&words, then + 397)?) == at(&words, now)?)
    };
    let added = |now: usize| {
        let sum = at(&outputs, now.checked_sub(31)?)?.wrapping_add(at(&outputs, now - 3)?) & 0x7fff_ffff;
        let given = at(&outputs, now)?;
        Some(given == sum || given == (sum + 1) & 0x7fff_ffff)
    };
    let shifted = |now: usize| {
        let first = at(&outputs, now.checked_sub(4)?)?;
        let mixed = first ^ first << 11;
        let last = at(&outputs, now - 1)?;
        Some(last ^ last >> 19 ^ mixed ^ mixed >> 8 == at(&outputs, now)?)
    };
    let of = |name: &str, follows: &dyn Fn(usize) -> Option<bool>| {
        let known: Vec<bool> = (0..outputs.len()).filter_map(follows).collect();
        let hits = known.iter().filter(|hit| **hit).count();
        fit(name, hits / each.max(1), known.len() / each.max(1), 1)
    };
    of("MT19937", &twisted)
        .or_else(|| of("rand() of the GNU C library", &added))
        .or_else(|| of("xorshift128", &shifted))
}

fn fit(name: &str, hits: usize, held_out: usize, candidates: usize) -> Option<Fit> {
    let says = format!("is what {name} gives, and what it gives shows its state");
    let fit = Fit { how: How::State, says, candidates: fold::real(candidates), hits, held_out };
    (fit.holds() && hits >= LEAST_HITS).then_some(fit)
}

fn joined(pair: &[u32]) -> Option<u64> {
    Some(u64::from(*pair.first()?) << 32 | u64::from(*pair.last()?))
}

fn narrow(word: u64) -> u64 {
    word & 0xffff_ffff
}

fn splitmix(word: u64) -> u64 {
    let mixed = (word ^ word >> 31 ^ word >> 62).wrapping_mul(0x3196_42b2_d24d_8ec3);
    let mixed = (mixed ^ mixed >> 27 ^ mixed >> 54).wrapping_mul(0x96de_1b17_3f11_9089);
    let state = (mixed ^ mixed >> 30 ^ mixed >> 60).wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

fn xorshift64(mut word: u64) -> u64 {
    word ^= word << 13;
    word ^= word >> 7;
    word ^ word << 17
}

#[rustfmt::skip]
const STEPS: [Step; 9] = [
    Step { name: "the C standard's example of rand()", wide: false, next: |word| (word * 1_103_515_245 + 12_345) & 0x7fff_ffff },
    Step { name: "the C standard's example of rand(), of 32 bits", wide: false, next: |word| narrow(word * 1_103_515_245 + 12_345) },
    Step { name: "the generator of Numerical Recipes", wide: false, next: |word| narrow(word * 1_664_525 + 1_013_904_223) },
    Step { name: "Microsoft's linear generator", wide: false, next: |word| narrow(word * 214_013 + 2_531_011) },
    Step { name: "minstd_rand", wide: false, next: |word| word * 48_271 % 0x7fff_ffff },
    Step { name: "xorshift32", wide: false, next: |word| u64::from(xorshift(low(word))) },
    Step { name: "xorshift64", wide: true, next: xorshift64 },
    Step { name: "Knuth's linear generator of 64 bits", wide: true, next: |word| word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407) },
    Step { name: "SplitMix64", wide: true, next: splitmix },
];
const FARTHEST: usize = 256;
const LEAST_HITS: usize = 4;
const MOST_TRIED: usize = 40;
