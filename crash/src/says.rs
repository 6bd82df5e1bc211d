//! What a worker tells the harness that started it: a line each.

use std::fmt;

use crate::worker::Trouble;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Says {
    /// The store does not open, and why.
    Refused { text: String },
    /// Something that must never be.
    Violation { text: String },
    /// `store check` found something.
    Finding { text: String },
    /// How many sessions were looked at.
    Looked { sessions: usize },
    /// How many entries were checked.
    Checked { entries: u64 },
    /// All went well to the end.
    Closed,
    /// The worker itself could not go on.
    Trouble { text: String },
}

impl Says {
    /// Reads a line. What is none of ours is trouble.
    pub(crate) fn read(line: &str) -> Self {
        let (word, rest) = line.split_once(": ").unwrap_or((line, ""));
        let text = rest.to_owned();
        match word {
            "refused" => Self::Refused { text },
            "violation" => Self::Violation { text },
            "finding" => Self::Finding { text },
            "looked" => Self::Looked { sessions: rest.parse().unwrap_or_default() },
            "checked" => Self::Checked { entries: rest.parse().unwrap_or_default() },
            "closed" => Self::Closed,
            "trouble" => Self::Trouble { text },
            _ => Self::Trouble { text: line.to_owned() },
        }
    }
}

impl Says {
    /// Whether it must not be said.
    pub(crate) const fn is_wrong(&self) -> bool {
        !matches!(self, Self::Looked { .. } | Self::Checked { .. } | Self::Closed)
    }
}

impl fmt::Display for Says {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { text } => write!(out, "refused: {text}"),
            Self::Violation { text } => write!(out, "violation: {text}"),
            Self::Finding { text } => write!(out, "finding: {text}"),
            Self::Looked { sessions } => write!(out, "looked: {sessions}"),
            Self::Checked { entries } => write!(out, "checked: {entries}"),
            Self::Closed => out.write_str("closed"),
            Self::Trouble { text } => write!(out, "trouble: {text}"),
        }
    }
}

impl From<Trouble> for Says {
    fn from(trouble: Trouble) -> Self {
        let text = with_causes(&trouble).replace('\n', " ");
        match trouble {
            Trouble::Refused(_) => Self::Refused { text },
            _ => Self::Trouble { text },
        }
    }
}

/// An error with what caused it.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_heard() {
        let text = || "the reason: and its cause".to_owned();
        let all = [
            Says::Refused { text: text() },
            Says::Violation { text: text() },
            Says::Finding { text: text() },
            Says::Looked { sessions: 7 },
            Says::Checked { entries: 9 },
            Says::Closed,
            Says::Trouble { text: text() },
        ];
        for says in all {
            assert_eq!(Says::read(&says.to_string()), says);
        }
        assert!(matches!(Says::read("thread panicked"), Says::Trouble { .. }));
    }
}
