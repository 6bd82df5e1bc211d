//! What came of every row with one application behind one proxy.

use crate::verdict::{Failure, Shown};

/// Rows in the order in which they were tried.
#[derive(Debug, Default)]
pub(crate) struct Notes(Vec<(&'static str, Shown)>);

impl Notes {
    /// Notes a row; nothing where it is not green.
    pub(crate) fn note(&mut self, row: &'static str, shown: Shown) -> Option<()> {
        let green = shown.is_ok();
        self.0.push((row, shown));
        green.then_some(())
    }

    /// What a row begins with; where that cannot be had, the row says why.
    pub(crate) fn open<T, E: Into<Failure>>(&mut self, row: &'static str, result: Result<T, E>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.0.push((row, Err(error.into())));
                None
            }
        }
    }

    pub(crate) fn of(&self, row: &str) -> Option<&Shown> {
        self.0.iter().find(|(name, _)| *name == row).map(|(_, shown)| shown)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &(&'static str, Shown)> {
        self.0.iter()
    }
}
