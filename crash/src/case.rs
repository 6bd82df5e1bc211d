//! One restart and what came of it. What went wrong is told, and kept for another look.

use std::fs;
use std::io;
use std::path::PathBuf;

use crate::child::{Ended, Place};
use crate::replay::Tree;
use crate::report::Figures;

/// One restart: what lay there before, and what the worker found.
#[derive(Debug)]
pub(crate) struct Case<'a> {
    pub(crate) what: &'static str,
    pub(crate) tree: &'a Tree,
    pub(crate) notes: &'a [u8],
    pub(crate) ended: &'a Ended,
}

/// All cases of a run.
#[derive(Debug)]
pub(crate) struct Cases {
    keep: PathBuf,
    kept: u64,
}

impl Cases {
    /// Cases that go wrong are kept below `keep`.
    pub(crate) const fn new(keep: PathBuf) -> Self {
        Self { keep, kept: 0 }
    }

    /// Counts a case, and tells what went wrong if anything did.
    pub(crate) fn judge(&mut self, case: &Case<'_>, wrongs: &[String], figures: &mut Figures) -> io::Result<()> {
        figures.starts += case.ended.starts();
        figures.refused += u64::from(case.ended.refused().is_some());
        figures.losses += case.ended.violations();
        if wrongs.is_empty() {
            return Ok(());
        }
        figures.wrong += 1;
        self.kept += 1;
        let folder = self.keep.join(format!("case-{}", self.kept));
        if self.kept <= MOST_KEPT {
            fs::create_dir_all(&folder)?;
            let place = Place::in_folder(&folder);
            case.tree.put(&place.watched)?;
            fs::write(place.notes, case.notes)?;
        }
        eprintln!(
            "{} {}: {}",
            case.what,
            self.kept,
            wrongs.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("\n    ")
        );
        if wrongs.len() > SHOWN {
            eprintln!("    and {} more", wrongs.len() - SHOWN);
        }
        if self.kept <= MOST_KEPT {
            eprintln!("    to see it again: crash look {}", folder.display());
        }
        Ok(())
    }
}

/// How many cases are kept: each may take as much as a store.
const MOST_KEPT: u64 = 20;
const SHOWN: usize = 5;
