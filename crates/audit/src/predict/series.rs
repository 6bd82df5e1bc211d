//! What a column of numbers is: a counter, or the time.

use super::How;
use super::fold::{log2, real};

/// Something that computes a column, and how well.
#[derive(Debug, Clone)]
pub(super) struct Fit {
    pub(super) how: How,
    /// Said after the name of the part.
    pub(super) says: String,
    pub(super) candidates: f64,
    pub(super) hits: usize,
    pub(super) held_out: usize,
}

impl Fit {
    /// What remains to guess.
    pub(super) fn bits(&self) -> f64 {
        log2(self.candidates)
    }

    /// Nine in ten: a counter that wraps or a clock that is set makes a miss.
    pub(super) fn holds(&self) -> bool {
        self.held_out > 0 && self.hits * 10 >= self.held_out * 9
    }
}

/// How many of `count` samples are learnt from.
pub(super) fn learnt(count: usize) -> usize {
    (count / 3).max(5).min(count / 2)
}

/// A number that goes one way in small steps, other visitors' numbers between ours.
pub(super) fn counter(values: &[u64]) -> Option<Fit> {
    let steps: Vec<i128> = values.windows(2).filter_map(step).collect();
    let (first, later) = steps.split_at_checked(learnt(values.len()).saturating_sub(1))?;
    if later.len() < LEAST_HELD_OUT {
        return None;
    }
    let up = first.first()? > &0;
    if first.iter().any(|step| *step == 0 || (*step > 0) != up) {
        return None;
    }
    let (least, most) = (first.iter().map(|step| step.abs()).min()?, first.iter().map(|step| step.abs()).max()?);
    let within =
        |most: i128| later.iter().filter(|step| **step != 0 && (**step > 0) == up && step.abs() <= most).count();
    let exact = later.iter().filter(|step| Some(*step) == first.first()).count();
    let (candidates, hits, how) = if least == most && exact * 10 >= later.len() * 9 {
        (1, exact, format!("goes {} by {most} each time", if up { "up" } else { "down" }))
    } else {
        let widest = most * 4 + 16;
        let way = if up { "up" } else { "down" };
        (widest, within(widest), format!("goes {way} in small steps, by no more than {most} among those learnt from"))
    };
    let fit = Fit { how: How::Counter, says: how, candidates: real(candidates), hits, held_out: later.len() };
    (fit.holds() && sure(values, &fit)).then_some(fit)
}

/// Whether chance would hardly put numbers into this order.
fn sure(values: &[u64], fit: &Fit) -> bool {
    let misses = real(fit.held_out - fit.hits);
    let orders: f64 = (1..=values.len()).map(|place| log2(real(place))).sum();
    let range = values.iter().max().zip(values.iter().min()).map_or(0, |(most, least)| most - least);
    let places = real(fit.hits) * (log2(real(range)) - fit.bits());
    (orders - misses * 2.0 * log2(real(values.len()))).max(places) >= SURE_BITS
}

/// The time in any usual unit, since 1970 or any other moment.
pub(super) fn time(values: &[u64], clock: &[u64]) -> Option<Fit> {
    if values.len() < LEAST_HELD_OUT || values.len() != clock.len() {
        return None;
    }
    UNITS.iter().find_map(|unit| time_in(values, clock, unit))
}

fn time_in(values: &[u64], clock: &[u64], unit: &Unit) -> Option<Fit> {
    let after = |(value, at): (&u64, &u64)| {
        i128::from(*value) * unit.in_nanos.0 / unit.in_nanos.1 - i128::from(*at) * 1_000_000
    };
    let first = after((values.first()?, clock.first()?));
    if first.abs() > A_DAY_AND_MORE {
        return None;
    }
    let offsets: Vec<i128> = values.iter().zip(clock).map(after).collect();
    let (learnt, later) = offsets.split_at_checked(learnt(values.len()).min(values.len() - 1))?;
    let (least, most) = (learnt.iter().min()?, learnt.iter().max()?);
    let jitter = most - least;
    let slack = jitter.max(SLACK);
    let window = (jitter + 2 * slack) * unit.in_nanos.1 / unit.in_nanos.0 + 1;
    let hits = later.iter().filter(|offset| (least - slack..=most + slack).contains(*offset)).count();
    let says = format!("is the time in {}", unit.name);
    let fit = Fit { how: How::Time, says, candidates: real(window), hits, held_out: later.len() };
    (jitter <= MOST_JITTER && fit.holds()).then_some(fit)
}

fn step(pair: &[u64]) -> Option<i128> {
    Some(i128::from(*pair.last()?) - i128::from(*pair.first()?))
}

struct Unit {
    name: &'static str,
    /// How many nanoseconds one is, as a fraction.
    in_nanos: (i128, i128),
}

const UNITS: [Unit; 6] = [
    Unit { name: "seconds", in_nanos: (1_000_000_000, 1) },
    Unit { name: "milliseconds", in_nanos: (1_000_000, 1) },
    Unit { name: "tenths of milliseconds", in_nanos: (100_000, 1) },
    Unit { name: "microseconds", in_nanos: (1_000, 1) },
    Unit { name: "hundreds of nanoseconds", in_nanos: (100, 1) },
    Unit { name: "nanoseconds", in_nanos: (1, 1) },
];
/// Local time may be 14 hours off.
const A_DAY_AND_MORE: i128 = 26 * 3_600 * 1_000_000_000;
const MOST_JITTER: i128 = 10 * 1_000_000_000;
/// Between making a token and its coming here.
const SLACK: i128 = 250 * 1_000_000;
const LEAST_HELD_OUT: usize = 4;
/// One in a million million: some thousand columns are tried in each audit.
const SURE_BITS: f64 = 40.0;
