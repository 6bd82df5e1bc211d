//! Known advisories against our dependencies. Their database comes over the network, which is not always there.

use std::io;
use std::time::Duration;

use crate::invocation::{Heard, Invocation};

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Checked {
    Clean,
    Found,
    /// No database, so nothing is known. Not a failure, and not a clean bill either.
    Unknown,
}

/// Fetches the database, then checks against it.
pub(crate) fn check() -> io::Result<Checked> {
    let fetched = Invocation::cargo("deny fetch db").run_within(PATIENCE)?;
    let Some(Heard { succeeded: true, .. }) = fetched else {
        return Ok(Checked::Unknown);
    };
    let clean = invocation().run()?;
    Ok(if clean { Checked::Clean } else { Checked::Found })
}

/// The check itself.
pub(crate) fn invocation() -> Invocation {
    Invocation::cargo("deny check advisories")
}

impl Checked {
    pub(crate) fn is_fine(&self) -> bool {
        *self != Self::Found
    }

    /// What a reader must know.
    pub(crate) fn note(&self) -> Option<String> {
        (*self == Self::Unknown)
            .then(|| "advisories NOT checked: their database cannot be reached from here".to_owned())
    }
}

const PATIENCE: Duration = Duration::from_mins(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_found_fails_and_what_was_not_checked_is_said() {
        assert!(Checked::Clean.is_fine() && Checked::Clean.note().is_none());
        assert!(!Checked::Found.is_fine());
        assert!(Checked::Unknown.is_fine());
        assert!(Checked::Unknown.note().unwrap().contains("NOT checked"));
    }
}
