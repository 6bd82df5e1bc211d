//! Counters and times inside cells of one length: which places they take, and what that leaves to guess.

use super::bound;
use super::fold::{Worth, uniqid};
use super::reading::Node;
use super::series::{self, Fit};

struct Window {
    start: usize,
    end: usize,
    fit: Fit,
}

/// The cover of all places by windows that leaves the least; nothing where no window fits.
pub(super) fn best(node: &Node, clock: &[u64]) -> Option<Worth> {
    let width = node.width().filter(|width| (2..=LONGEST).contains(width))?;
    if node.cells.len() < LEAST_SAMPLES || node.constant() {
        return None;
    }
    let places = bound::of_positions(node);
    let mut windows = times(node, clock, width);
    let taken: Vec<_> = windows.iter().map(|window| (window.start, window.end)).collect();
    windows.extend(counters(node, width, &taken));
    (!windows.is_empty()).then(|| cover(node, &windows, &places))
}

fn times(node: &Node, clock: &[u64], width: usize) -> Vec<Window> {
    let mut found: Vec<Window> = Vec::new();
    for (start, end) in spans(width).rev().filter(|(start, end)| end - start >= 4) {
        let free = found.iter().all(|window| end <= window.start || window.end <= start);
        if free
            && let Some(fit) =
                readings(node).iter().find_map(|read| series::time(&column(node, start, end, *read)?, clock))
        {
            found.push(Window { start, end, fit });
        }
    }
    found
}

fn counters(node: &Node, width: usize, taken: &[(usize, usize)]) -> Vec<Window> {
    let free = |start: usize, end: usize| taken.iter().all(|(from, to)| end <= *from || *to <= start);
    let mut found = Vec::new();
    for (start, end) in spans(width).filter(|(start, end)| free(*start, *end)) {
        for read in readings(node) {
            let goes_one_way = column_of(node.cells.iter().take(5), start, end, *read).is_some_and(|head| {
                head.is_sorted_by(|left, right| left < right) || head.is_sorted_by(|left, right| left > right)
            });
            if goes_one_way
                && let Some(fit) = column(node, start, end, *read).and_then(|values| series::counter(&values))
            {
                found.push(Window { start, end, fit });
            }
        }
    }
    found
}

/// From the narrowest.
fn spans(width: usize) -> impl DoubleEndedIterator<Item = (usize, usize)> {
    (1..=width.min(WIDEST)).flat_map(move |wide| (0..=width - wide).map(move |start| (start, start + wide)))
}

/// The least that remains of the first so many places, place by place.
fn cover(node: &Node, windows: &[Window], places: &[f64]) -> Worth {
    let mut least: Vec<(f64, Worth)> = vec![(0.0, Worth::default())];
    for (at, place) in places.iter().enumerate() {
        let (cost, before) = least.last().cloned().unwrap_or_default();
        let mut best =
            (cost + place, Worth { bits: before.bits + place, unexplained: before.unexplained + place, ..before });
        for window in windows.iter().filter(|window| window.end == at + 1) {
            let misses = super::fold::real(window.fit.held_out - window.fit.hits);
            let Some((cost, before)) = least.get(window.start) else { continue };
            let cost = cost + window.fit.bits() + misses / 4.0;
            if cost < best.0 - 0.001 {
                let mut worth = before.clone();
                worth.bits += window.fit.bits();
                worth.explained.push(window.fit.explains(&place_of(node, window)));
                best = (cost, worth);
            }
        }
        least.push(best);
    }
    least.pop().unwrap_or_default().1
}

fn place_of(node: &Node, window: &Window) -> String {
    let kind = if node.text { "characters" } else { "bytes" };
    format!("{kind} {} to {} of {}", window.start + 1, window.end, node.part)
}

type Read = fn(&[u8]) -> Option<u64>;

fn readings(node: &Node) -> &'static [Read] {
    if node.text { &[decimal, hex, unique] } else { &[big_endian, little_endian] }
}

fn column(node: &Node, start: usize, end: usize, read: Read) -> Option<Vec<u64>> {
    column_of(node.cells.iter(), start, end, read)
}

fn column_of<'a>(cells: impl Iterator<Item = &'a Vec<u8>>, start: usize, end: usize, read: Read) -> Option<Vec<u64>> {
    cells.map(|cell| read(cell.get(start..end)?)).collect()
}

fn decimal(cell: &[u8]) -> Option<u64> {
    cell.iter().try_fold(0_u64, |all, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        all.checked_mul(10)?.checked_add(digit)
    })
}

fn hex(cell: &[u8]) -> Option<u64> {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(u64::from);
    cell.iter()
        .filter(|_| cell.len() <= 16)
        .try_fold(0_u64, |all, byte| Some(all << 4 | digit(*byte)?))
        .filter(|_| cell.len() <= 16)
}

fn unique(cell: &[u8]) -> Option<u64> {
    uniqid(std::str::from_utf8(cell).ok()?)
}

fn big_endian(cell: &[u8]) -> Option<u64> {
    (cell.len() <= 8).then(|| cell.iter().fold(0, |all, byte| all << 8 | u64::from(*byte)))
}

fn little_endian(cell: &[u8]) -> Option<u64> {
    (cell.len() <= 8).then(|| cell.iter().rev().fold(0, |all, byte| all << 8 | u64::from(*byte)))
}

const LONGEST: usize = 256;
/// Digits of 64 bits.
const WIDEST: usize = 20;
const LEAST_SAMPLES: usize = 9;
