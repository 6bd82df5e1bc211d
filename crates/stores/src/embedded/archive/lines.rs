//! Export and import: one JSON object a line, so that other tools can count and cut. What is sealed stays sealed.

use std::io::{BufRead, Read as _, Write};
use std::path::Path;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use counterfoil_core::Moment;
use counterfoil_core::seal::Sealer;
use counterfoil_core::stored::Format;
use serde::{Deserialize, Serialize};

use super::copy::{AT_ONCE, Sessions, Target};
use super::{Checked, check};
use crate::embedded::disk::{Batch, Space, View};
use crate::embedded::epochs::hex;
use crate::embedded::error::DiskError;
use crate::embedded::folder::{Kind, format_of, number_of};
use crate::embedded::{OpenError, Progress};

/// A line of an export.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, tag = "line", rename_all = "snake_case")]
enum Line {
    /// The first.
    Head { format: u32, reference_key: String },
    /// One entry, key and value in base64.
    Entry { space: String, key: String, value: String },
    /// The last: without it the export was cut.
    End { entries: u64 },
}

/// One entry, as the engine has it.
type Entry = (Space, Vec<u8>, Vec<u8>);

/// What an import brought.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Imported {
    /// How many entries.
    pub entries: u64,
}

/// Why an export is not taken in. Nothing that could be opened was made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The folder.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The export cannot be read.
    #[error("line {line} of the export cannot be read")]
    Read {
        /// Which line.
        line: u64,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A line is not what an export has there.
    #[error("line {line} of the export {what}")]
    Line {
        /// Which line.
        line: u64,
        /// What is wrong with it.
        what: &'static str,
    },
    /// It ends too early.
    #[error("the export ends after line {line} without its last line: it was cut; export again")]
    Cut {
        /// The last line there is.
        line: u64,
    },
    /// It is of a store with another reference key.
    #[error("the export is of a store with another reference key; use that key")]
    OtherReferenceKey,
    /// What it holds is damaged.
    #[error("{} entries of the export are damaged, the first is {} in `{}`: {}", .checked.findings.len() as u64 + .checked.more,
        first(checked).0, first(checked).1, first(checked).2)]
    Damaged {
        /// What was found.
        checked: Checked,
    },
}

pub(super) fn export(
    view: &dyn View,
    out: &mut dyn Write,
    sealer: &Sealer,
    progress: &mut Progress<'_>,
) -> Result<u64, DiskError> {
    let mut entries = 0;
    write(out, &Line::Head { format: number_of(sealer.format()), reference_key: hex(&sealer.reference_mark()) })?;
    for space in Space::ALL {
        view.scan(space, &[], &mut |key, value| {
            let (key, value) = (STANDARD.encode(key), STANDARD.encode(value));
            write(out, &Line::Entry { space: space.name().to_owned(), key, value })?;
            entries += 1;
            progress(entries);
            Ok(())
        })?;
    }
    write(out, &Line::End { entries })?;
    out.flush().map_err(|error| DiskError::io("writing the export of", error))?;
    Ok(entries)
}

/// Makes a store of an export, in an empty folder. Every entry is checked before the folder can be opened.
///
/// # Errors
/// [`ImportError`] says which line, or which entry.
pub fn import(
    export: &mut dyn BufRead,
    into: impl AsRef<Path>,
    sealer: &Sealer,
    sessions: Sessions,
    now: Moment,
    progress: &mut Progress<'_>,
) -> Result<Imported, ImportError> {
    let mut lines = Lines { from: export, line: 0 };
    let sealer = &sealer.clone().writing(lines.head(sealer)?);
    let path = into.as_ref();
    let target = Target::begin(path, sealer, Kind::Restored)?;
    let (mut batch, mut entries) = (Batch::default(), 0);
    let failed = |error| ImportError::Open(OpenError::disk(path, error));
    while let Some((space, key, value)) = lines.entry(entries)? {
        batch.put(space, &key, value);
        if batch.bytes() >= AT_ONCE {
            target.disk.write(&std::mem::take(&mut batch)).map_err(failed)?;
        }
        entries += 1;
        progress(entries);
    }
    target.disk.write(&batch).map_err(failed)?;
    let checked = check::check(&*target.disk.view(), sealer, &mut |_| {}).map_err(failed)?;
    if !checked.findings.is_empty() {
        return Err(ImportError::Damaged { checked });
    }
    target.end(sessions, now)?;
    Ok(Imported { entries })
}

struct Lines<'a> {
    from: &'a mut dyn BufRead,
    line: u64,
}

impl Lines<'_> {
    /// In which format the store of the export wrote.
    fn head(&mut self, sealer: &Sealer) -> Result<Format, ImportError> {
        let Line::Head { format, reference_key } = self.next()? else {
            return Err(self.wrong("is not the first line of an export"));
        };
        let format = format_of(format).ok_or_else(|| self.wrong("is of a format this program does not know"))?;
        if reference_key == hex(&sealer.reference_mark()) { Ok(format) } else { Err(ImportError::OtherReferenceKey) }
    }

    /// The next entry; `None` at the end, which must come after `entries` of them.
    fn entry(&mut self, entries: u64) -> Result<Option<Entry>, ImportError> {
        let (space, key, value) = match self.next()? {
            Line::Entry { space, key, value } => (space, key, value),
            Line::End { entries: all } if all == entries => return Ok(None),
            Line::End { .. } => return Err(self.wrong("says that there were more or fewer entries than there are")),
            Line::Head { .. } => return Err(self.wrong("begins another export")),
        };
        let space = Space::ALL.into_iter().find(|known| known.name() == space);
        let space = space.ok_or_else(|| self.wrong("is of a map this program does not know"))?;
        let decode = |text: &str| STANDARD.decode(text);
        match (decode(&key), decode(&value)) {
            (Ok(key), Ok(value)) => Ok(Some((space, key, value))),
            _ => Err(self.wrong("holds something else than base64")),
        }
    }

    fn next(&mut self) -> Result<Line, ImportError> {
        let mut text = String::new();
        let read = (&mut *self.from).take(LONGEST_LINE).read_line(&mut text);
        read.map_err(|source| ImportError::Read { line: self.line + 1, source })?;
        if !text.ends_with('\n') {
            return Err(match u64::try_from(text.len()) {
                Ok(LONGEST_LINE) => ImportError::Line { line: self.line + 1, what: "is longer than any of an export" },
                _ => ImportError::Cut { line: self.line },
            });
        }
        self.line += 1;
        serde_json::from_str(&text).map_err(|_| self.wrong("is not a line of an export"))
    }

    const fn wrong(&self, what: &'static str) -> ImportError {
        ImportError::Line { line: self.line, what }
    }
}

fn write(out: &mut dyn Write, line: &Line) -> Result<(), DiskError> {
    let text = serde_json::to_string(line).map_err(std::io::Error::from);
    let written = text.and_then(|text| writeln!(out, "{text}"));
    written.map_err(|error| DiskError::io("writing the export of", error))
}

fn first(checked: &Checked) -> (&str, &str, &str) {
    checked.findings.first().map_or(("", "", ""), |finding| (&*finding.key, finding.space, &*finding.what))
}

/// A record of the most data there may be, sealed and in base64, is a tenth of it.
const LONGEST_LINE: u64 = 1024 * 1024;
