//! What was measured, for terminals and as a page.

use std::fmt::Write as _;

use crate::corpus::Corpus;
use crate::score::{Look, Totals};

/// One line for a twin, and one for each thing that is not as it should be.
pub(crate) fn look(corpus: &Corpus, look: &Look) -> String {
    let marks = look.marks(corpus);
    let twin = if look.fixed { "fixed" } else { "vulnerable" };
    let mut text = format!(
        "{:12} {twin:10} {:2} found {:2} missed {:2} false {:4} requests {:5.1} s\n",
        look.pair.name,
        marks.found.len(),
        marks.missed.len(),
        marks.false_ones.len(),
        look.requests,
        look.report.took.as_secs_f64()
    );
    for rule in &marks.missed {
        let verdict = if marks.overlooked.contains(rule) { "said to hold" } else { verdict_of(look, rule) };
        _ = writeln!(text, "    missed {rule}: {verdict}");
    }
    for one in &marks.false_ones {
        _ = writeln!(text, "    false  {} ({}) at {}", one.rule, one.severity, one.place);
    }
    if !matches!(look.report.status, Some(0 | 1)) {
        let said = look.report.said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
        _ = writeln!(text, "    ended with {:?}: {said}", look.report.status);
    }
    if !look.harmless {
        text.push_str("    the site is not as it was\n");
    }
    text
}

fn verdict_of<'a>(look: &'a Look, rule: &str) -> &'a str {
    look.report.findings.iter().find(|one| one.rule == rule).map_or("not looked at", |one| &one.verdict)
}

/// The totals, line by line.
pub(crate) fn totals(totals: &Totals) -> String {
    let agreement = totals.agreement.map_or_else(|| "of one run alone".to_owned(), |share| format!("{share:.3}"));
    format!(
        "\n{} looks: {} of {} planted flaws found\n\
         recall {:.3}, precision of stateful groups {:.3}, {} false ({} at high or above), agreement {agreement}\n\
         at most {} requests and {:.1} s; {} sites changed, {} not judged\n",
        totals.looks,
        totals.found,
        totals.planted,
        totals.recall(),
        totals.precision(),
        totals.false_ones,
        totals.grave_false,
        totals.most_requests,
        totals.longest.as_secs_f64(),
        totals.harmful,
        totals.unjudged
    )
}

/// The whole page: a row for each auditor, those of others as they were, and what was found where.
pub(crate) fn document(corpus: &Corpus, name: &str, totals: &Totals, looks: &[Look], before: &str) -> String {
    let is_row = |line: &&str| line.starts_with("| `");
    let of = |line: &str, name: &str| line.starts_with(&format!("| `{name}` "));
    let mut rows: Vec<_> = before.lines().filter(is_row).filter(|line| !of(line, name)).map(str::to_owned).collect();
    rows.insert(if name == OURS { 0 } else { rows.len() }, row(name, totals));
    let sites = if name == OURS { table(corpus, looks) } else { kept(before) };
    let (pairs, planted) = (corpus.pairs.len(), corpus.pairs.iter().map(|pair| pair.planted.len()).sum::<usize>());
    format!(
        "{HEAD}\n{pairs} pairs of twins, {planted} planted flaws.\n\n{COLUMNS}\n{}\n\n{SITES}\n\n{sites}",
        rows.join("\n")
    )
}

fn row(name: &str, totals: &Totals) -> String {
    let looks = u32::try_from(totals.looks.max(1)).unwrap_or(1);
    let agreement = totals.agreement.map_or_else(|| "—".to_owned(), |share| format!("{share:.3}"));
    let of = if name == "testssl" { " (sites over TLS alone)" } else { "" };
    format!(
        "| `{name}`{of} | {:.2} | {:.2} | {} | {agreement} | {} | {:.1} |",
        totals.recall(),
        totals.precision(),
        totals.grave_false,
        totals.all_requests / u64::from(looks),
        totals.whole.as_secs_f64() / f64::from(looks)
    )
}

fn table(corpus: &Corpus, looks: &[Look]) -> String {
    let mut text =
        "| site | how it works | planted | found | false, on either twin | requests |\n|---|---|---|---|---|---|\n"
            .to_owned();
    for pair in &corpus.pairs {
        let of_pair: Vec<_> = looks.iter().filter(|look| look.pair.name == pair.name).collect();
        let marks: Vec<_> = of_pair.iter().map(|look| look.marks(corpus)).collect();
        let found: usize = marks.iter().map(|marks| marks.found.len()).sum();
        let wrong: usize = marks.iter().map(|marks| marks.false_ones.len()).sum();
        let most = of_pair.iter().map(|look| look.requests).max().unwrap_or(0);
        let planted = pair.planted.join(", ");
        _ = writeln!(text, "| {} | {} | {planted} | {found} | {wrong} | {most} |", pair.name, pair.works);
    }
    text
}

fn kept(before: &str) -> String {
    before.split_once(SITES).map_or("", |(_, rest)| rest).trim_start().to_owned()
}

const OURS: &str = "counterfoil";
const HEAD: &str = "# The auditor, measured\n\n\
    Small sites stand as twins, one with planted flaws and one without; `corpus check` shows by hand-written exploits that \
    each flaw is there and no other. `corpus measure` runs an auditor over all of them. Recall: the planted flaws it found. \
    Precision: of what it called flaws of session handling, how much is. Each auditor is judged by the rules it can express; \
    a rule it has no word for counts as missed.\n\n\
    ```console\n$ cargo xtask audit --runs 2 --least --write docs/audit-measured.md\n\
    $ target/release/corpus install --rivals\n\
    $ target/release/corpus measure --judge wapiti3 --write docs/audit-measured.md\n```\n\n\
    `testssl` is judged at the one pair that speaks TLS, the others at all; ours alone is told how to sign in.\n";
const COLUMNS: &str = "| auditor | recall | precision | false at high or above | agreement | requests a site | seconds a site |\n\
    |---|---|---|---|---|---|---|";
const SITES: &str = "## Site by site";
