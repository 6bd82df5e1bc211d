//! What there is, as a table.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::corpus::Corpus;

/// The table, with totals.
pub(crate) fn of(corpus: &Corpus) -> String {
    let mut text = String::new();
    for pair in &corpus.pairs {
        _ = writeln!(text, "{}\n  {}\n  planted:    {}", pair.name, pair.works, pair.planted.join(" "));
        for (name, rules) in [("background:", &pair.background), ("no flaw:   ", &pair.negatives)] {
            if !rules.is_empty() {
                _ = writeln!(text, "  {name} {}", rules.join(" "));
            }
        }
    }
    let planted: usize = corpus.pairs.iter().map(|pair| pair.planted.len()).sum();
    let rules: BTreeSet<_> = corpus.pairs.iter().flat_map(|pair| &pair.planted).collect();
    _ = writeln!(text, "\n{} pairs, {planted} planted flaws, {} rules", corpus.pairs.len(), rules.len());
    text
}
