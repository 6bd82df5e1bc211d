//! Instructions per piece of work, counted by callgrind: the same on a busy machine as on an idle one.

use std::path::Path;
use std::process::Command;

use crate::Failed;

/// Whether there is a valgrind to count with.
pub fn is_possible() -> bool {
    Command::new("valgrind").arg("--version").output().is_ok_and(|output| output.status.success())
}

/// Instructions of one time doing `piece`: two runs of different length, so that start and set-up fall out.
///
/// # Errors
/// If it cannot be run or counted.
pub fn each(programs: &Path, piece: &str) -> Result<u64, Failed> {
    let (few, many) = (count(programs, piece, FEW)?, count(programs, piece, MANY)?);
    Ok(many.saturating_sub(few) / (MANY - FEW))
}

fn count(programs: &Path, piece: &str, times: u64) -> Result<u64, Failed> {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    let output = valgrind.arg(programs.join("instructions")).args([piece, &times.to_string()]).output()?;
    let text = String::from_utf8_lossy(&output.stderr);
    collected(&text).filter(|_| output.status.success()).ok_or_else(|| format!("{piece}: {text}").into())
}

/// `==123== Collected : 4567`
fn collected(text: &str) -> Option<u64> {
    let mut counts = text.lines().filter_map(|line| line.split_once("Collected :"));
    counts.next_back().and_then(|(_, count)| count.trim().parse().ok())
}

const FEW: u64 = 1_000;
const MANY: u64 = 5_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_read_from_what_callgrind_says() {
        assert_eq!(collected("==1== Events    : Ir\n==1== Collected : 4567\n==1== \n"), Some(4567));
        assert_eq!(collected("==1== error"), None);
    }
}
