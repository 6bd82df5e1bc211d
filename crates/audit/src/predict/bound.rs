//! How much a column can hold at most: its alphabet, its length, what never changes in it.

use super::fold::{log2, real};
use super::reading::Node;

/// An upper bound on what is unknown of a cell to whoever saw the others.
pub(super) fn bits(node: &Node) -> f64 {
    let each: f64 = of_positions(node).iter().sum();
    if node.text { each } else { rank(&node.cells).map_or(each, |rank| each.min(real(rank))) }
}

/// For each position what it can hold; without a common length, for each up to the longest.
pub(super) fn of_positions(node: &Node) -> Vec<f64> {
    let longest = node.cells.iter().map(Vec::len).max().unwrap_or(0);
    let alphabet = if node.text { log2(real(alphabet(node))) } else { 8.0 };
    if node.width().is_none() {
        return vec![alphabet; longest];
    }
    let varies = |at: usize| {
        let first = node.cells.first().and_then(|cell| cell.get(at)).copied().unwrap_or_default();
        let changes = node.cells.iter().filter_map(|cell| cell.get(at)).fold(0, |all, byte| all | (byte ^ first));
        match changes {
            0 => 0.0,
            _ if node.text || node.cells.len() < ENOUGH_FOR_BITS => alphabet,
            changes => f64::from(changes.count_ones()),
        }
    };
    (0..longest).map(varies).collect()
}

/// The size of the smallest usual alphabet that holds all there is.
fn alphabet(node: &Node) -> usize {
    let all = |fits: fn(&u8) -> bool| node.cells.iter().flatten().all(fits);
    let others = node.cells.iter().flatten().filter(|byte| !byte.is_ascii_alphanumeric()).count();
    if all(u8::is_ascii_digit) {
        10
    } else if all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte))
        || all(|byte| byte.is_ascii_digit() || (b'A'..=b'F').contains(byte))
    {
        16
    } else if all(u8::is_ascii_lowercase) || all(u8::is_ascii_uppercase) {
        26
    } else if all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase())
        || all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
    {
        36
    } else if others == 0 {
        62
    } else if all(|byte| byte.is_ascii_alphanumeric() || b"+/=-_.".contains(byte)) {
        64
    } else {
        95
    }
}

/// How many dimensions the cells span as vectors of bits, where there are enough to tell: repeated parts, checksums and
/// shift registers span fewer than they have bits.
fn rank(cells: &[Vec<u8>]) -> Option<usize> {
    let first = cells.first()?;
    if first.len() * 8 + MORE_THAN_BITS > cells.len() || cells.iter().any(|cell| cell.len() != first.len()) {
        return None;
    }
    let mut basis: Vec<(usize, Vec<u8>)> = Vec::new();
    for cell in cells {
        let mut row: Vec<u8> = cell.iter().zip(first).map(|(left, right)| left ^ right).collect();
        for (lead, base) in &basis {
            if has(&row, *lead) {
                row = row.iter().zip(base).map(|(left, right)| left ^ right).collect();
            }
        }
        if let Some(lead) = (0..row.len() * 8).find(|at| has(&row, *at)) {
            basis.push((lead, row));
        }
    }
    Some(basis.len())
}

fn has(row: &[u8], bit: usize) -> bool {
    row.get(bit / 8).is_some_and(|byte| byte >> (bit % 8) & 1 == 1)
}

/// A random bit stays the same through so many once in two thousand times, and then costs one bit.
const ENOUGH_FOR_BITS: usize = 12;
/// Random vectors of k bits span all dimensions after k and some; after k + 40, but once in a million million.
const MORE_THAN_BITS: usize = 40;
