//! The section about durable writes.

use std::fmt::Write as _;

use super::{CONTENDERS, Row, Size};
use crate::machine::Machine;
use crate::measure::median;
use crate::records::DATA_BYTES;
use crate::waiting::{Outcome, Work};

/// The section as Markdown.
pub fn section(rows: &[Row], size: Size, machine: &Machine) -> String {
    let mut text = format!(
        "## Durable writes\n\n\
         The embedded store beside bare storage engines that write the same: as many bytes under such keys, made durable the \
         same way. Each write is on the disk before its answer.\n\n\
         Measured {machine}; {} rounds of {:.1} s for each.\n\n",
        size.rounds,
        size.span.as_secs_f64(),
    );
    let [ours, fjall, redb, sqlite] = CONTENDERS.map(|contender| contender.name);
    let _ = writeln!(
        text,
        "| work | waiting | {ours}, /s | {fjall}, /s | ratio | lowest – highest | target | {redb}, /s | {sqlite}, /s |\n\
         |---|---|---|---|---|---|---|---|---|"
    );
    text.extend(rows.iter().map(rates));
    let _ = writeln!(
        text,
        "\n| bytes the disk wrote for each | waiting | {ours} | {fjall} | {redb} | {sqlite} |\n|---|---|---|---|---|---|"
    );
    text.extend(rows.iter().map(bytes));
    let _ = writeln!(
        text,
        "\n| CPU for each, all threads | waiting | {ours} | {fjall} | {redb} | {sqlite} |\n|---|---|---|---|---|---|"
    );
    text.extend(rows.iter().map(cpu));
    text.push_str(&METHOD.replace("DATA_BYTES", &DATA_BYTES.to_string()));
    text
}

fn rates(row: &Row) -> String {
    let [ours, fjall, redb, sqlite] = &row.outcomes;
    let ratios: Vec<_> = ours.iter().zip(fjall).map(|(ours, fjall)| ours.rate() / fjall.rate()).collect();
    format!(
        "| {} | {} | {} | {} | {:.2} | {:.2} – {:.2} | ≥ 0.45 | {} | {} |\n",
        name(row.work),
        row.waiting,
        rate(ours),
        rate(fjall),
        median(&ratios),
        ratios.iter().copied().fold(f64::INFINITY, f64::min),
        ratios.iter().copied().fold(0.0, f64::max),
        rate(redb),
        rate(sqlite),
    )
}

fn rate(outcomes: &[Outcome]) -> String {
    if outcomes.is_empty() {
        return NOT_BUILT.to_owned();
    }
    format!("{:.0}", median(&outcomes.iter().map(Outcome::rate).collect::<Vec<_>>()))
}

fn bytes(row: &Row) -> String {
    let cells = row.outcomes.each_ref().map(|outcomes| {
        let mut each: Vec<_> = outcomes.iter().filter_map(Outcome::written_each).collect();
        each.sort_unstable();
        each.get(each.len().saturating_sub(1) / 2).map_or("not measured".to_owned(), u64::to_string)
    });
    format!("| {} | {} | {} |\n", name(row.work), row.waiting, cells.join(" | "))
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn cpu(row: &Row) -> String {
    let cells = row.outcomes.each_ref().map(|outcomes| {
        let each: Vec<_> =
            outcomes.iter().map(|outcome| outcome.cpu.as_secs_f64() * 1e6 / outcome.done as f64).collect();
        if each.is_empty() { NOT_BUILT.to_owned() } else { format!("{:.1} µs", median(&each)) }
    });
    format!("| {} | {} | {} |\n", name(row.work), row.waiting, cells.join(" | "))
}

const fn name(work: Work) -> &'static str {
    match work {
        Work::Insert => "sign-in of a stranger: insert",
        Work::SignIn => "sign-in of a visitor: replace",
        Work::Change => "one data change",
    }
}

const NOT_BUILT: &str = "not built";

const METHOD: &str = "
* Every run is a process of its own on an empty folder. So many tasks wait at once, each for its own write. The engines get
  their writes from one thread that makes one durable commit of whatever waits, and that waits, as the store's does, up to
  0.1 ms for those who were answered a moment ago. What the store does beside (keys, sealing, checks, epochs, limits, its
  rows in memory, a batch's number) has no counterpart there: that is the price the ratio shows.
* A session has DATA_BYTES bytes of data. \"Replace\" ends an anonymous session, which leaves a tombstone, and adds the user's
  within a limit of five, in one step; every subject signs in once. \"One data change\" goes round 20,000 sessions.
* fjall: `PersistMode::SyncData`, as in the store. redb: `Durability::Immediate`. SQLite: WAL, `synchronous=FULL`, a table
  `WITHOUT ROWID`, prepared statements. All else as it comes.
* Bytes are those the process had the system write to the disk, tidying in the background included as far as it happened
  within the run.
";

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn outcome(done: u64) -> Outcome {
        Outcome { done, elapsed: Duration::from_secs(1), cpu: Duration::from_millis(100), written: Some(done * 700) }
    }

    #[test]
    fn a_ratio_is_taken_within_its_round_and_what_was_not_built_is_not_made_up() {
        let outcomes = [vec![outcome(500), outcome(900)], vec![outcome(1_000), outcome(1_000)], vec![], vec![]];
        let row = Row { work: Work::SignIn, waiting: 16, outcomes };
        let size = Size { rounds: 2, span: Duration::from_secs(1) };
        let text = section(&[row], size, &Machine::look());
        for expected in [
            "| 16 | 500 | 1000 | 0.50 | 0.50 – 0.90 | ≥ 0.45 | not built | not built |",
            "| 16 | 700 | 700 | not measured | not measured |",
            "| 16 | 111.1 µs | 100.0 µs | not built | not built |",
        ] {
            assert!(text.contains(expected), "{text}");
        }
    }
}
