//! What a worker says of its deeds, one line for each: what it is about to ask, and what it was answered.
//!
//! The lines hold tokens of a store that lives for minutes, under keys that stand in this program's source.

use std::fs;
use std::io;
use std::path::Path;

use counterfoil_core::Moment;
use serde::{Deserialize, Serialize};

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Note {
    /// A process began. Whatever an earlier one was about to do, it does no more.
    Began { round: u32 },
    /// How far it has come.
    Phase(Phase),
    /// It is about to do something.
    Intent { number: u64, at: Moment, deed: Deed },
    /// It was answered.
    Answer { number: u64, at: Moment, answer: Answer, cookies: Cookies },
}

/// How far a process has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Phase {
    Opening,
    Verifying,
    Loading,
    Closing,
    Closed,
}

/// Something a browser or an operator does. Sessions are named by their public ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Deed {
    /// Signs in, in a browser that may have a session already.
    SignIn {
        user: u32,
        replaces: Option<String>,
    },
    /// Presents a token of the session: which one, counted from the first.
    Use {
        session: String,
        token: usize,
    },
    /// Presents a superseded token, as a thief would.
    Steal {
        session: String,
        token: usize,
    },
    /// Changes the session's data: a counter.
    Count {
        session: String,
    },
    StepUp {
        session: String,
    },
    SignOut {
        session: String,
    },
    /// Ends another session of the same user.
    EndDevice {
        session: String,
        other: String,
    },
    /// Ends all other sessions of the same user.
    EndOthers {
        session: String,
    },
    /// Revokes all sessions of a user.
    EndUser {
        user: u32,
    },
    /// Revokes all sessions there are.
    EndAll,
    Sweep,
    /// Asks the store whether it still knows that the session has ended.
    Remember {
        session: String,
    },
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Answer {
    SignedIn {
        session: String,
    },
    /// The token was accepted, and this is what the session held.
    Accepted {
        user: u32,
        session: String,
        counter: u64,
        elevated: bool,
    },
    Counted {
        counter: u64,
    },
    Done,
    /// Nobody is signed in.
    Refused,
    /// An error, which nothing here should cause.
    Failed {
        error: String,
    },
}

/// Cookies that came with the answer and went into the jar.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cookies {
    pub(crate) session: Option<String>,
    pub(crate) elevated: Option<String>,
}

/// All notes in a file.
///
/// # Errors
/// Where a line cannot be read, unless a process was killed while it wrote it: then the next one says that it began.
pub(crate) fn read(path: &Path) -> io::Result<Vec<Note>> {
    match fs::read(path) {
        Ok(bytes) => parse(&bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

pub(crate) fn parse(bytes: &[u8]) -> io::Result<Vec<Note>> {
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let mut torn: Option<serde_json::Error> = None;
    let mut notes = Vec::new();
    for line in lines {
        let note = serde_json::from_slice(line);
        if let (Some(error), false) = (torn.take(), matches!(note, Ok(Note::Began { .. }))) {
            return Err(error.into());
        }
        match note {
            Ok(note) => notes.push(note),
            Err(error) => torn = Some(error),
        }
    }
    Ok(notes)
}

/// A note as its line. It begins with the line's end too: a line before it may be torn.
pub(crate) fn line(note: &Note) -> io::Result<Vec<u8>> {
    let text = serde_json::to_vec(note)?;
    Ok([b"\n", text.as_slice(), b"\n"].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_may_be_torn_where_a_process_was_killed_and_nowhere_else() {
        let began = line(&Note::Began { round: 1 }).unwrap();
        let done = line(&Note::Phase(Phase::Loading)).unwrap();
        let torn = &done[..done.len() - 3];
        #[rustfmt::skip]
        let rows = [
            ("whole",                  [&began[..], &done, &began].concat(),  Some(3)),
            ("torn at the end",        [&began[..], torn].concat(),           Some(1)),
            ("torn before a start",    [torn, &began].concat(),               Some(1)),
            ("torn in the middle",     [&began[..], torn, &done].concat(),    None),
            ("nothing",                Vec::new(),                            Some(0)),
        ];
        for (name, bytes, expected) in rows {
            assert_eq!(parse(&bytes).ok().map(|notes| notes.len()), expected, "{name}");
        }
    }
}
