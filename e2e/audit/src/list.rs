//! What there is, as a table.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::corpus::Corpus;
use crate::odd::{Expects, Odd};

/// The table, with totals.
pub(crate) fn of(corpus: &Corpus, odds: &[Odd]) -> String {
    let mut text = String::new();
    for pair in &corpus.pairs {
        _ = writeln!(text, "{}\n  {}\n  planted:    {}", pair.name, pair.works, pair.planted.join(" "));
        for (name, rules) in [("background:", &pair.background), ("no flaw:   ", &pair.negatives)] {
            if !rules.is_empty() {
                _ = writeln!(text, "  {name} {}", rules.join(" "));
            }
        }
    }
    for odd in odds {
        let expected = match odd.expects {
            Expects::Judges => "is judged",
            Expects::Inconclusive => "cannot be judged",
            Expects::InPart => "can be judged in part at most",
        };
        _ = writeln!(text, "{}\n  {}\n  {expected}", odd.name, odd.works);
    }
    let planted: usize = corpus.pairs.iter().map(|pair| pair.planted.len()).sum();
    let rules: BTreeSet<_> = corpus.pairs.iter().flat_map(|pair| &pair.planted).collect();
    _ = writeln!(
        text,
        "\n{} pairs, {planted} planted flaws, {} rules; {} odd sites",
        corpus.pairs.len(),
        rules.len(),
        odds.len()
    );
    text
}
