//! How many tests passed and failed, read from what the runners print last.

use std::fmt;
use std::ops::AddAssign;

/// Tests counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Tally {
    /// Reads nextest's closing line, or else every summary of the standard harness. `None` if there is none.
    pub(crate) fn read(text: &str) -> Option<Self> {
        // Above its closing line, nextest repeats what failed tests printed: summaries of their own among it.
        if let Some(tally) = closing_line(text).and_then(nextest) {
            return Some(tally);
        }
        let summaries = text.lines().filter_map(harness);
        summaries.reduce(|all, one| Self { passed: all.passed + one.passed, failed: all.failed + one.failed })
    }
}

/// Nextest's closing line, as it was printed.
pub(crate) fn closing_line(text: &str) -> Option<&str> {
    text.lines().rev().find(|line| nextest(line).is_some())
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// The plain closing line that is understood whatever the runner.
impl fmt::Display for Tally {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} passed, {} failed", self.passed, self.failed)
    }
}

/// `Summary [ 1.2s] 7/9 tests run: 5 passed (1 slow), 1 failed, 1 timed out, 3 skipped`
fn nextest(line: &str) -> Option<Tally> {
    let (_, counts) = line.trim().strip_prefix("Summary [")?.split_once("] ")?;
    let (run, counts) = counts.split_once(" run: ")?;
    let run = run.split([' ', '/']).next()?.parse::<u64>().ok()?;
    let passed = counts.split(", ").find_map(|part| count(part, "passed")).unwrap_or(0);
    // Whatever ran and did not pass has failed: by a panic, a signal, a time limit.
    Some(Tally { passed, failed: run.saturating_sub(passed) })
}

/// `test result: ok. 12 passed; 0 failed; 1 ignored; …`
fn harness(line: &str) -> Option<Tally> {
    let (_, counts) = line.trim().strip_prefix("test result: ")?.split_once(". ")?;
    let of = |word| counts.split("; ").find_map(|part| count(part, word));
    Some(Tally { passed: of("passed")?, failed: of("failed")? })
}

/// `12 passed (1 slow)` counts 12 of `passed`.
fn count(part: &str, word: &str) -> Option<u64> {
    let (number, rest) = part.split_once(' ')?;
    (rest.split(' ').next() == Some(word)).then(|| number.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_runner_is_read_by_its_last_line() {
        #[rustfmt::skip]
        let table = [
            ("     Summary [   1.203s] 410 tests run: 410 passed, 2 skipped",                       Some((410, 0))),
            ("     Summary [   0.1s] 1 test run: 1 passed, 0 skipped",                              Some((1, 0))),
            ("     Summary [   9.0s] 7/9 tests run: 4 passed (1 slow), 1 failed, 2 timed out, 0 skipped", Some((4, 3))),
            ("     Summary [   9.0s] 2 tests run: 0 passed, 2 failed, 0 skipped",                   Some((0, 2))),
            ("     Summary [   0.0s] 0 tests run: 0 passed, 3 skipped",                             Some((0, 0))),
            ("test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.1s",
                                                                                                     Some((12, 0))),
            ("test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out",      Some((1, 2))),
            ("error: could not compile `counterfoil-core`",                                         None),
            ("",                                                                                     None),
        ];
        for (line, expected) in table {
            let expected = expected.map(|(passed, failed)| Tally { passed, failed });
            assert_eq!(Tally::read(line), expected, "{line}");
        }
    }

    #[test]
    fn several_summaries_add_up() {
        let text =
            "test result: ok. 2 passed; 0 failed; 0 ignored\nnoise\ntest result: ok. 3 passed; 1 failed; 0 ignored";
        assert_eq!(Tally::read(text).unwrap().to_string(), "5 passed, 1 failed");
    }

    #[test]
    fn what_failed_tests_printed_is_not_counted_again() {
        let text =
            "test result: FAILED. 0 passed; 1 failed; 0 ignored\n  Summary [ 1.0s] 3 tests run: 2 passed, 1 failed";
        assert_eq!(Tally::read(text).unwrap().to_string(), "2 passed, 1 failed");
    }

    #[test]
    fn the_closing_line_is_kept_as_it_was() {
        let line = "     Summary [   1.203s] 410 tests run: 410 passed, 2 skipped";
        assert_eq!(closing_line(&format!("PASS x\n{line}\nwarning: …\n")), Some(line));
        assert_eq!(closing_line("test result: ok. 2 passed; 0 failed; 0 ignored"), None);
    }
}
