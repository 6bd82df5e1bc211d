//! Tokens made of what a generator gave: its seed is tried, or its state is read from them.

mod machine;
mod state;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use self::machine::{Family, Machine};
use super::reading::Node;
use super::series::Fit;
use super::{How, fold};

/// What was found, with the index of the column it computes.
pub(super) fn search(nodes: &[&Node], clock: &[u64]) -> Vec<(usize, Fit)> {
    let mut seen = BTreeSet::new();
    let fresh = nodes.iter().filter(|node| !node.constant() && seen.insert(&node.cells)).take(MOST_TARGETS);
    let mut open = Open { forms: fresh.flat_map(|node| forms(node)).collect(), fits: Vec::new() };
    open.search(|forms| forms.iter().filter_map(|form| Some((form.of, form.state()?))).collect());
    // From the cheapest, each seeded once for all that is open: seeding costs most of the time.
    for family in Family::ALL {
        open.search(|forms| of_seed_each(forms, family, clock));
    }
    for family in Family::ALL {
        open.search(|forms| {
            forms
                .chunk_by(|one, other| one.of == other.of)
                .filter_map(|forms| of_one_seed(forms, family, clock))
                .collect()
        });
    }
    open.fits
}

/// What nothing explains yet, and what was found.
struct Open {
    forms: Vec<Form>,
    fits: Vec<(usize, Fit)>,
}

impl Open {
    fn search(&mut self, search: impl Fn(&[Form]) -> Vec<(usize, Fit)>) {
        for (of, fit) in search(&self.forms) {
            if self.fits.iter().all(|(found, _)| *found != of) {
                self.forms.retain(|form| form.of != of);
                self.fits.push((of, fit));
            }
        }
    }
}

/// Cells as what a generator was asked for, one row for each.
struct Form {
    /// The index of their column.
    of: usize,
    rows: Vec<Vec<u32>>,
    /// How many values there are; none where the output is there whole.
    limit: Option<u32>,
}

/// How a value comes from outputs.
#[derive(Clone, Copy)]
enum Draw {
    /// The output without so many low bits.
    Whole(u32),
    /// The remainder of it.
    Modulo(u32),
    /// Just enough high bits, again while they are too many.
    Bits,
    /// The output as a fraction.
    Scaled,
    /// Two outputs as a fraction of 53 bits.
    Fraction,
}

impl Form {
    fn draws(&self) -> &'static [Draw] {
        match self.limit {
            None => &[Draw::Whole(0), Draw::Whole(1)],
            Some(_) => &[Draw::Modulo(0), Draw::Modulo(1), Draw::Modulo(16), Draw::Bits, Draw::Scaled, Draw::Fraction],
        }
    }

    /// What shows its own state, where outputs are there whole.
    fn state(&self) -> Option<Fit> {
        self.limit.is_none().then(|| state::explain(&self.rows)).flatten()
    }

    /// How the first token comes of what the machine gives from its beginning.
    fn begins(&self, machine: &mut Machine) -> Option<Draw> {
        let first = self.rows.first()?;
        self.draws().iter().copied().find(|draw| self.is_at(machine, *draw, 0, first))
    }

    /// Whether the others come in the same way, each of a seed like that of the first.
    fn confirm(&self, machine: &mut Machine, draw: Draw, seeds: &Seeds, clock: &[u64]) -> Option<Fit> {
        let later = self.rows.iter().zip(clock).skip(1).take(MOST_CONFIRMED);
        let held_out = later.clone().count();
        let computed = |(row, at): &(&Vec<u32>, &u64)| {
            (seeds.around)(**at).any(|seed| {
                machine.seed(seed);
                self.is_at(machine, draw, 0, row)
            })
        };
        let hits = later.filter(computed).count();
        let says = format!("is what {} gives after a seed that is {}", machine.family().name(), seeds.name);
        Some(Fit { how: How::Seed, says, candidates: seeds.candidates, hits, held_out }).filter(|fit| self.sure(fit))
    }

    /// Whether chance would hardly find so many.
    fn sure(&self, fit: &Fit) -> bool {
        let symbols = fold::real(self.rows.first().map_or(0, Vec::len));
        let each = self.limit.map_or(30.0, |limit| fold::log2(f64::from(limit)));
        fit.holds() && fold::real(fit.hits) * (symbols * each - fit.bits() - TRIED_BITS).max(0.0) >= SURE_BITS
    }

    fn is_at(&self, machine: &mut Machine, draw: Draw, from: usize, row: &[u32]) -> bool {
        let mut at = from;
        row.iter().all(|value| self.draw(machine, draw, &mut at) == Some(*value))
    }

    fn draw(&self, machine: &mut Machine, draw: Draw, at: &mut usize) -> Option<u32> {
        let width = machine.width();
        let mut next = || {
            *at += 1;
            machine.output(*at - 1)
        };
        let limit = self.limit.unwrap_or(u32::MAX);
        match draw {
            Draw::Whole(shift) => Some(next() >> shift),
            Draw::Modulo(shift) => (next() >> shift).checked_rem(limit),
            Draw::Bits => {
                let bits = 32 - limit.leading_zeros();
                let kept = width.checked_sub(bits)?;
                (0..MOST_REJECTED).map(|_| next() >> kept).find(|value| *value < limit)
            }
            Draw::Scaled => u32::try_from((u64::from(next()) * u64::from(limit)) >> width).ok(),
            Draw::Fraction => {
                let (high, low) = (u64::from(next() >> 5), u64::from(next() >> 6));
                u32::try_from((u128::from(high << 26 | low) * u128::from(limit)) >> 53).ok()
            }
        }
    }
}

/// A generator seeded anew for each token.
fn of_seed_each(forms: &[Form], family: Family, clock: &[u64]) -> Vec<(usize, Fit)> {
    let Some(first) = clock.first() else { return Vec::new() };
    let mut machine = Machine::new(family);
    let mut begun: Vec<Option<(Draw, &Seeds)>> = vec![None; forms.len()];
    for seeds in &SEEDS {
        for seed in (seeds.around)(*first) {
            if begun.iter().all(Option::is_some) {
                break;
            }
            machine.seed(seed);
            for (form, begun) in forms.iter().zip(&mut begun).filter(|(_, begun)| begun.is_none()) {
                *begun = form.begins(&mut machine).map(|draw| (draw, seeds));
            }
        }
    }
    let confirmed = forms.iter().zip(begun).filter_map(|(form, begun)| {
        let (draw, seeds) = begun?;
        Some((form.of, form.confirm(&mut machine, draw, seeds, clock)?))
    });
    confirmed.collect()
}

/// A generator seeded once, before all tokens.
fn of_one_seed(forms: &[Form], family: Family, clock: &[u64]) -> Option<(usize, Fit)> {
    let began = clock.first()? / 1000;
    let recent = |back: u64| (began - back..=began).rev();
    let mut machine = Machine::new(family);
    // Where outputs are whole and show the state, they were read already.
    let whole = forms.iter().filter(|form| form.limit.is_none() && family.hides_its_state());
    let drawn = forms.iter().filter(|form| form.limit.is_some());
    let place = start(&mut machine, &whole.collect::<Vec<_>>(), (0..64).chain(recent(3_600)), 2_000);
    let drawn: Vec<_> = drawn.collect();
    // Nobody seeds: that is a seed of 0 or 1.
    let place = place.or_else(|| start(&mut machine, &drawn, 0..2, 4_000));
    let place = place.or_else(|| start(&mut machine, &drawn, (2..16).chain(recent(600)), 400));
    let (form, draw, seed, at) = place?;
    machine.seed(seed);
    let mut from = at + 1;
    let later = form.rows.get(1..)?;
    let hits = later.iter().filter(|row| {
        let found = (from..from + FARTHEST).find(|at| form.is_at(&mut machine, draw, *at, row));
        from = found.map_or(from, |at| at + 1);
        found.is_some()
    });
    let hits = hits.count();
    let of = if seed < 64 { "a small number" } else { "when it was started, in seconds" };
    let says = format!("is what {} gives, seeded once with {of}", family.name());
    let fit = Fit { how: How::Seed, says, candidates: fold::real(FARTHEST), hits, held_out: later.len() };
    form.sure(&fit).then_some((form.of, fit))
}

/// Where the first token is among the outputs after one of the seeds.
fn start<'a>(
    machine: &mut Machine,
    forms: &[&'a Form],
    seeds: impl Iterator<Item = u64>,
    outputs: usize,
) -> Option<(&'a Form, Draw, u64, usize)> {
    let width = machine.width();
    let first = |form: &&'a Form| Some((*form, *form.rows.first()?.first()?));
    let starts: Vec<(&Form, u32)> = forms.iter().filter_map(first).collect();
    let tries: Vec<_> =
        starts.iter().flat_map(|(form, first)| form.draws().iter().map(move |draw| (*form, *draw, *first))).collect();
    for seed in seeds.take_while(|_| !tries.is_empty()) {
        machine.seed(seed);
        machine.fill(outputs);
        for (form, draw, first) in &tries {
            let mut from = 0;
            while let Some(at) =
                machine.given(from, outputs).iter().position(|output| draw.may_be(*output, *first, form.limit, width))
            {
                if form.is_at(machine, *draw, from + at, form.rows.first()?) {
                    return Some((*form, *draw, seed, from + at));
                }
                from += at + 1;
            }
        }
    }
    None
}

impl Draw {
    /// Whether `first` can come of an output: quick, for most cannot.
    fn may_be(self, output: u32, first: u32, limit: Option<u32>, width: u32) -> bool {
        let limit = limit.unwrap_or(u32::MAX);
        match self {
            Self::Whole(shift) => output >> shift == first,
            Self::Modulo(shift) => (output >> shift) % limit == first,
            Self::Scaled => (u64::from(output) * u64::from(limit)) >> width == u64::from(first),
            Self::Bits => {
                let kept = width.saturating_sub(32 - limit.leading_zeros());
                output >> kept == first
            }
            Self::Fraction => {
                let near = (u64::from(output) * u64::from(limit)) >> 32;
                near == u64::from(first) || near + 1 == u64::from(first)
            }
        }
    }
}

fn forms(node: &Node) -> Vec<Form> {
    let (of, mut forms) = (node.index, Vec::new());
    if node.text {
        let number = |cell: &Vec<u8>| Some(vec![std::str::from_utf8(cell).ok()?.parse().ok()?]);
        forms.extend(node.cells.iter().map(number).collect::<Option<Vec<_>>>().map(|rows| Form {
            of,
            rows,
            limit: None,
        }));
        let long = node.cells.iter().all(|cell| cell.len() >= 6);
        let symbols = |alphabet: &&str| {
            let rows = |cell: &Vec<u8>| cell.iter().map(|byte| place(alphabet, *byte)).collect::<Option<Vec<u32>>>();
            let rows = node.cells.iter().map(rows).collect::<Option<Vec<_>>>()?;
            Some(Form { of, rows, limit: u32::try_from(alphabet.len()).ok() })
        };
        let fitting: Vec<_> = ALPHABETS.iter().filter(|_| long).filter_map(symbols).collect();
        let least = fitting.iter().filter_map(|form| form.limit).min();
        forms.extend(fitting.into_iter().filter(|form| form.limit == least));
    } else if let Some(width) = node.width() {
        let row = |cell: &Vec<u8>| cell.iter().copied().map(u32::from).collect();
        if width.is_multiple_of(4) && width <= 128 {
            forms.extend(words(&node.cells).map(|rows| Form { of, rows, limit: None }));
        }
        forms.push(Form { of, rows: node.cells.iter().map(row).collect(), limit: Some(256) });
    }
    forms
}

/// Words of 32 bits, the first of them first or last, with their high or low bytes first, or as Java's `nextLong` adds
/// two of them, the second with a sign.
fn words(cells: &[Vec<u8>]) -> [Vec<Vec<u32>>; 4] {
    let read = |cell: &Vec<u8>, of: fn([u8; 4]) -> u32| -> Vec<u32> {
        cell.chunks_exact(4).filter_map(|chunk| chunk.first_chunk().copied()).map(of).collect()
    };
    let big: Vec<Vec<u32>> = cells.iter().map(|cell| read(cell, u32::from_be_bytes)).collect();
    let little = cells.iter().map(|cell| read(cell, u32::from_le_bytes)).collect();
    let last_first = big.iter().map(|row| row.iter().rev().copied().collect()).collect();
    let carried = |pair: &[u32]| match pair {
        [high, low] => vec![high.wrapping_add(low >> 31), *low],
        other => other.to_vec(),
    };
    let longs = big.iter().map(|row| row.chunks(2).flat_map(carried).collect()).collect();
    [big, last_first, little, longs]
}

fn place(alphabet: &str, byte: u8) -> Option<u32> {
    alphabet.bytes().position(|one| one == byte).and_then(|at| u32::try_from(at).ok())
}

/// Where seeds are looked for.
struct Seeds {
    name: &'static str,
    candidates: f64,
    around: fn(u64) -> Box<dyn Iterator<Item = u64>>,
}

const SEEDS: [Seeds; 3] = [
    Seeds {
        name: "the time in seconds",
        candidates: 6.0,
        around: |clock| Box::new((clock / 1000 - 3..=clock / 1000 + 2).rev()),
    },
    Seeds {
        name: "the time in milliseconds",
        candidates: 1_300.0,
        around: |clock| Box::new((clock - 1_200..=clock + 100).rev()),
    },
    Seeds { name: "a small number", candidates: 32_768.0, around: |_| Box::new(0..32_768) },
];
const ALPHABETS: [&str; 12] = [
    "0123456789",
    "0123456789abcdef",
    "0123456789ABCDEF",
    "abcdefghijklmnopqrstuvwxyz",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "0123456789abcdefghijklmnopqrstuvwxyz",
    "abcdefghijklmnopqrstuvwxyz0123456789",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
];
const MOST_TARGETS: usize = 4;
const MOST_CONFIRMED: usize = 12;
const MOST_REJECTED: usize = 64;
/// How many outputs other visitors may have had between two of ours.
const FARTHEST: usize = 400;
/// Families, forms and draws tried with each seed.
const TRIED_BITS: f64 = 8.0;
const SURE_BITS: f64 = 60.0;
