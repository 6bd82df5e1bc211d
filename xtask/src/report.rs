//! Runs stages and says in the end how long each took, what failed, and how to repeat it.

use std::fmt::Write as _;
use std::process::ExitCode;

use crate::stage::{Outcome, Stage, Then};
use crate::tally::Tally;

/// Runs the stages in order and prints the report.
pub(crate) fn run(stages: Vec<Stage>) -> ExitCode {
    let (planned, mut outcomes) = (stages.len(), Vec::new());
    for stage in stages {
        let then = stage.then;
        let outcome = stage.run();
        let over = !outcome.failed.is_empty() && then == Then::Stop;
        outcomes.push(outcome);
        if over {
            break;
        }
    }
    print!("{}", text(&outcomes, planned));
    let clean = outcomes.iter().all(|outcome| outcome.failed.is_empty());
    if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The report. Where tests were counted, it closes with nextest's own line and a plain one.
fn text(outcomes: &[Outcome], planned: usize) -> String {
    let mut text = table(outcomes);
    for outcome in outcomes {
        for note in &outcome.notes {
            let _ = writeln!(text, "NOTE ({}): {note}", outcome.name);
        }
        for command in &outcome.failed {
            let _ = writeln!(text, "FAILED: {}; to repeat it: {command}", outcome.name);
        }
    }
    if outcomes.len() < planned {
        let _ = writeln!(text, "NOT RUN, as they need what failed: {} more stages", planned - outcomes.len());
    }
    text + &closing(outcomes)
}

fn table(outcomes: &[Outcome]) -> String {
    let mut text = format!("\n{:<WIDTH$} minutes\n", "stage");
    for outcome in outcomes {
        let mark = if outcome.failed.is_empty() { "" } else { "  FAILED" };
        let minutes = outcome.took.as_secs_f64() / 60.0;
        let _ = writeln!(text, "{:<WIDTH$} {minutes:>7.1}{mark}", outcome.name);
    }
    let total: f64 = outcomes.iter().map(|outcome| outcome.took.as_secs_f64()).sum();
    let _ = writeln!(text, "{:<WIDTH$} {:>7.1}", "all", total / 60.0);
    text
}

fn closing(outcomes: &[Outcome]) -> String {
    let mut all = Tally::default();
    for outcome in outcomes {
        all += outcome.tally;
    }
    if all == Tally::default() {
        return String::new();
    }
    let lines = outcomes.iter().filter_map(|outcome| outcome.closing.as_deref());
    lines.fold(String::new(), |text, line| text + line + "\n") + &format!("{all}\n")
}

const WIDTH: usize = 20;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn outcome(name: &'static str, seconds: u64) -> Outcome {
        Outcome {
            name,
            took: Duration::from_secs(seconds),
            tally: Tally::default(),
            closing: None,
            notes: Vec::new(),
            failed: Vec::new(),
        }
    }

    #[test]
    fn the_report_ends_with_both_closing_lines() {
        let outcomes = [
            Outcome {
                tally: Tally { passed: 9, failed: 1 },
                closing: Some("     Summary [   1.2s] 10 tests run: 9 passed, 1 failed, 0 skipped".to_owned()),
                failed: vec!["cargo nextest run".to_owned()],
                ..outcome("unit and property", 90)
            },
            Outcome {
                tally: Tally { passed: 3, failed: 0 },
                notes: vec!["advisories were not checked".to_owned()],
                ..outcome("documentation", 30)
            },
        ];
        assert_eq!(
            text(&outcomes, 3),
            "
stage                minutes
unit and property        1.5  FAILED
documentation            0.5
all                      2.0
FAILED: unit and property; to repeat it: cargo nextest run
NOTE (documentation): advisories were not checked
NOT RUN, as they need what failed: 1 more stages
     Summary [   1.2s] 10 tests run: 9 passed, 1 failed, 0 skipped
12 passed, 1 failed
"
        );
    }

    #[test]
    fn where_no_test_ran_nothing_is_claimed() {
        assert!(!text(&[outcome("lint", 1)], 1).contains("passed"));
    }
}
