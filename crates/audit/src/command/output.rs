//! Where reports go, and in which format.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::report::terminal::{self, Page};
use crate::report::{Judged, html, json, junit, sarif};

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// For people at a terminal.
    Text,
    /// For programs, and for the next run to be compared with.
    Json,
    /// For code scanning.
    Sarif,
    /// For test runners.
    Junit,
    /// For people with a browser.
    Html,
}

/// One report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// How.
    pub format: Format,
    /// To which file; standard output otherwise.
    pub file: Option<PathBuf>,
}

/// Where a report cannot go.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OutputError {
    /// No such word.
    #[error("{0:?} is no format; there are text, json, sarif, junit and html")]
    Format(String),
    /// An extension that says nothing.
    #[error("{}: its extension names no format (.txt, .json, .sarif, .xml, .html); say it by --format", .0.display())]
    Extension(PathBuf),
    /// Two on one stream.
    #[error("only one report fits on standard output; give the others a file by --out")]
    Crowded,
    /// A folder that is not there.
    #[error("{}: there is no such folder", .0.display())]
    NoFolder(PathBuf),
    /// Something is there that somebody may have written by hand.
    #[error("{}: it exists already; remove it, or name another file", .0.display())]
    Exists(PathBuf),
    /// The system said no.
    #[error("{}", path.display())]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl Output {
    /// Formats and files in their order; a file without a format has that of its extension.
    ///
    /// # Errors
    ///
    /// A file whose extension says nothing, or two reports for standard output.
    pub fn paired(formats: &[Format], files: &[PathBuf]) -> Result<Vec<Self>, OutputError> {
        let mut outputs = Vec::new();
        for (index, file) in files.iter().enumerate() {
            let said = formats.get(index).copied();
            let format = said.or_else(|| of_extension(file)).ok_or_else(|| OutputError::Extension(file.clone()))?;
            outputs.push(Self { format, file: Some(file.clone()) });
        }
        let printed = formats.get(files.len()..).unwrap_or_default();
        outputs.extend(printed.iter().map(|format| Self { format: *format, file: None }));
        if printed.len() > 1 { Err(OutputError::Crowded) } else { Ok(outputs) }
    }
}

impl FromStr for Format {
    type Err = OutputError;

    fn from_str(word: &str) -> Result<Self, OutputError> {
        match word {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            "sarif" => Ok(Self::Sarif),
            "junit" => Ok(Self::Junit),
            "html" => Ok(Self::Html),
            _ => Err(OutputError::Format(word.to_owned())),
        }
    }
}

/// Before minutes are spent on what could not be written.
pub(super) fn check(outputs: &[Output]) -> Result<(), OutputError> {
    outputs.iter().filter_map(|output| output.file.as_deref()).try_for_each(check_folder)
}

pub(super) fn check_folder(file: &Path) -> Result<(), OutputError> {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() && !folder.is_dir() => {
            Err(OutputError::NoFolder(folder.to_owned()))
        }
        _ => Ok(()),
    }
}

/// Writes what has a file, and returns what has none, unless that is text for the terminal.
pub(super) fn write(judged: &Judged<'_>, outputs: &[Output]) -> Result<Option<String>, OutputError> {
    let mut printed = None;
    for Output { format, file } in outputs {
        match (file, format) {
            (Some(path), _) => std::fs::write(path, written(judged, *format))
                .map_err(|source| OutputError::Write { path: path.clone(), source })?,
            (None, Format::Text) => {}
            (None, _) => printed = Some(written(judged, *format)),
        }
    }
    Ok(printed)
}

fn written(judged: &Judged<'_>, format: Format) -> String {
    match format {
        Format::Text => terminal::written(judged, Page { width: 100, colours: false, verbose: false }),
        Format::Json => json::written(judged),
        Format::Sarif => sarif::written(judged),
        Format::Junit => junit::written(judged),
        Format::Html => html::written(judged),
    }
}

fn of_extension(file: &Path) -> Option<Format> {
    match file.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "txt" => Some(Format::Text),
        "json" => Some(Format::Json),
        "sarif" => Some(Format::Sarif),
        "xml" => Some(Format::Junit),
        "html" | "htm" => Some(Format::Html),
        _ => None,
    }
}
