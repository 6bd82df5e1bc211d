//! The reading of a column that leaves the least to guess.

use super::reading::{Node, USER};
use super::series::{self, Fit};
use super::{Explained, How, bound, windows};

/// What a column leaves to guess, and why.
#[derive(Debug, Clone, Default)]
pub(super) struct Worth {
    /// All of it.
    pub(super) bits: f64,
    /// What of it nothing explains.
    pub(super) unexplained: f64,
    pub(super) explained: Vec<Explained>,
}

impl Worth {
    fn of_fit(fit: &Fit, part: &str) -> Self {
        Self { bits: fit.bits(), unexplained: 0.0, explained: vec![fit.explains(part)] }
    }

    fn and(mut self, other: Self) -> Self {
        self.bits += other.bits;
        self.unexplained += other.unexplained;
        self.explained.extend(other.explained);
        self
    }
}

impl Fit {
    /// About a part of the token.
    pub(super) fn explains(&self, part: &str) -> Explained {
        let Self { how, says, candidates, hits, held_out } = self;
        let many = if *candidates > 1.0 { format!(", {candidates:.0} candidates each") } else { String::new() };
        let sentence = format!("{part} {says}: {hits} of {held_out} held-out tokens computed{many}");
        let part = part.to_owned();
        Explained { how: *how, part, hits: *hits, held_out: *held_out, candidates: *candidates, sentence }
    }
}

/// The best of all readings; `fits` are what was found for columns by their index.
pub(super) fn fold(node: &Node, clock: &[u64], fits: &[(usize, Fit)]) -> Worth {
    if let Some((_, fit)) = fits.iter().find(|(index, _)| *index == node.index) {
        return Worth::of_fit(fit, &node.part);
    }
    if node.constant() && !node.user {
        return ways(node, clock, fits).find(|worth| !worth.explained.is_empty()).unwrap_or_default();
    }
    let mut numbers = numbers(node);
    if let Some(fit) = numbers.iter().find_map(|values| series::time(values, clock)) {
        return with_user(node, Worth::of_fit(&fit, &node.part));
    }
    numbers.truncate(MOST_COUNTED);
    let counted = numbers.iter().filter_map(|values| series::counter(values));
    let counted = counted.map(|fit| Worth::of_fit(&fit, &node.part));
    let raw = bound::bits(node);
    let raw = Worth { bits: raw, unexplained: raw, explained: Vec::new() };
    let own = windows::best(node, clock).into_iter().chain(counted).chain(ways(node, clock, fits));
    let best = own.fold(raw, |best, other| if better(&other, &best) { other } else { best });
    with_user(node, best)
}

fn ways(node: &Node, clock: &[u64], fits: &[(usize, Fit)]) -> impl Iterator<Item = Worth> {
    node.ways.iter().map(move |way| way.iter().map(|part| fold(part, clock, fits)).fold(Worth::default(), Worth::and))
}

/// Less to guess; as much, but explained.
fn better(one: &Worth, other: &Worth) -> bool {
    let (left, right) = (one.bits, other.bits);
    left + 0.01 < right || (left < right + 0.01 && one.explained.len() > other.explained.len())
}

fn with_user(node: &Node, worth: Worth) -> Worth {
    if !node.user {
        return worth;
    }
    let held_out = node.cells.len();
    let whole = node.cells.iter().all(|cell| cell == &[USER]);
    let says = if whole { "is the name of the user" } else { "holds the name of the user" };
    let fit = Fit { how: How::User, says: says.to_owned(), candidates: 1.0, hits: held_out, held_out };
    Worth::of_fit(&fit, &node.part).and(worth)
}

/// The column as numbers, in every way that yields one for each cell.
fn numbers(node: &Node) -> Vec<Vec<u64>> {
    if !node.text {
        return Vec::new();
    }
    let read = |number: &dyn Fn(&str) -> Option<u64>| -> Option<Vec<u64>> {
        node.cells.iter().map(|cell| number(std::str::from_utf8(cell).ok()?)).collect()
    };
    let decimal: &dyn Fn(&str) -> Option<u64> = &|cell| cell.parse().ok();
    let hex: &dyn Fn(&str) -> Option<u64> = &|cell| u64::from_str_radix(cell, 16).ok();
    let base36: &dyn Fn(&str) -> Option<u64> = &|cell| u64::from_str_radix(cell, 36).ok();
    let base62 = DIGITS_OF_62.map(|digits| move |cell: &str| in_base(cell, digits));
    let mut all: Vec<_> = [decimal, hex, base36].into_iter().filter_map(read).collect();
    all.extend(base62.iter().filter_map(|number| read(number)));
    all.extend([&uniqid as &dyn Fn(&str) -> _, &fraction].into_iter().filter_map(read));
    all
}

/// Seconds and microseconds, as PHP's `uniqid` writes them.
pub(super) fn uniqid(cell: &str) -> Option<u64> {
    let (seconds, micros) = cell.split_at_checked(8).filter(|_| cell.len() == 13)?;
    let micros = u64::from_str_radix(micros, 16).ok().filter(|micros| *micros < 1_000_000)?;
    u64::from_str_radix(seconds, 16).ok()?.checked_mul(1_000_000)?.checked_add(micros)
}

/// Seconds with a fraction, in microseconds.
fn fraction(cell: &str) -> Option<u64> {
    let (seconds, fraction) = cell.split_once('.')?;
    let micros = format!("{fraction:0<6}");
    let micros: u64 = micros.get(..6)?.parse().ok()?;
    seconds.parse::<u64>().ok()?.checked_mul(1_000_000)?.checked_add(micros)
}

fn in_base(cell: &str, digits: &str) -> Option<u64> {
    let base = u64::try_from(digits.len()).ok()?;
    cell.bytes().try_fold(0_u64, |all, byte| {
        let digit = u64::try_from(digits.bytes().position(|one| one == byte)?).ok()?;
        all.checked_mul(base)?.checked_add(digit)
    })
}

/// As a fraction, exact below 2^53.
pub(crate) fn real(value: impl TryInto<u64>) -> f64 {
    let value = value.try_into().unwrap_or(u64::MAX);
    let half = |bits: u64| u32::try_from(bits & 0xffff_ffff).map_or(0.0, f64::from);
    half(value >> 32) * 4_294_967_296.0 + half(value)
}

/// The bits that so many possibilities are.
pub(super) fn log2(possibilities: f64) -> f64 {
    possibilities.max(1.0).log2()
}

const DIGITS_OF_62: [&str; 3] = [
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
];
/// Decimal and hexadecimal, or the bases that hold letters.
const MOST_COUNTED: usize = 4;
