//! What is asked and said at a terminal.

use std::error::Error;
use std::io::{IsTerminal as _, Write as _, stderr, stdin};

/// What others chose, on a terminal that is not theirs.
pub(crate) fn shown(text: &str) -> String {
    text.chars().flat_map(|char| if char.is_control() { char.escape_default().collect() } else { vec![char] }).collect()
}

/// Whether somebody says yes to this. Where nobody can be asked, nobody does.
pub(crate) fn agreed(question: &str) -> Result<bool, Box<dyn Error>> {
    if !stdin().is_terminal() {
        return Err("nobody can be asked here: say --yes as well".into());
    }
    eprint!("{question} [y/N] ");
    stderr().flush()?;
    let mut answer = String::new();
    stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
