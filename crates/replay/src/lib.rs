//! Labelled sequences of what requests of a session looked like, played through the real engine with a fake clock, and
//! scored by what each expects. What `counterfoil replay` does.
//!
//! A file is read twice: [`scene`] is what a server would see of it, and all that reaches the engine; [`label`] is what it
//! is called, who really held each client and what is expected, and reaches only [`score`].

pub mod label;
pub mod matrix;
mod player;
pub mod scene;
pub mod score;
mod stage;

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::Serialize;

pub use self::player::{NotPlayed, play};

/// What the engine made of one request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// Which request it was, from zero.
    pub request_index: usize,
    /// The strongest decision that was taken meanwhile, by its name.
    pub decision: label::Decision,
    /// What was noticed, by name, each once.
    pub signals: Vec<&'static str>,
    /// Whether the request counted as its session's.
    pub admitted: bool,
}

/// An answer under the name of its sequence.
#[derive(Serialize)]
struct Line<'a> {
    id: &'a str,
    #[serde(flatten)]
    answer: &'a Answer,
}

impl Answer {
    /// The line of JSON that the format asks for.
    ///
    /// # Errors
    /// None that an answer can cause.
    pub fn line(&self, id: &str) -> Result<String, serde_json::Error> {
        serde_json::to_string(&Line { id, answer: self })
    }
}

/// A file of sightings.
#[derive(Debug)]
pub struct Sequence {
    /// What a server sees.
    pub scene: scene::Scene,
    /// What it never sees.
    pub label: label::Label,
}

/// Why a file was not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unreadable {
    /// The file, or its folder, cannot be read.
    #[error("{path} cannot be read")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// It is not in the format.
    #[error("{path} is no sequence of sightings: {cause}")]
    Format {
        /// Which.
        path: PathBuf,
        /// What is wrong, and where.
        cause: serde_json::Error,
    },
    /// It is larger than any sequence.
    #[error("{path} is larger than {} MiB", MOST_BYTES >> 20)]
    TooLarge {
        /// Which.
        path: PathBuf,
    },
}

impl Sequence {
    /// Reads one file.
    ///
    /// # Errors
    /// [`Unreadable`] says which file, and what is wrong with it.
    pub fn read(path: &Path) -> Result<Self, Unreadable> {
        let unreadable = |cause| Unreadable::File { path: path.into(), cause };
        let mut text = String::new();
        let file = File::open(path).map_err(unreadable)?;
        file.take(MOST_BYTES + 1).read_to_string(&mut text).map_err(unreadable)?;
        if u64::try_from(text.len()).is_ok_and(|length| length > MOST_BYTES) {
            return Err(Unreadable::TooLarge { path: path.into() });
        }
        Self::parse(&text).map_err(|cause| Unreadable::Format { path: path.into(), cause })
    }

    /// Reads the text of one.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        Ok(Self { scene: serde_json::from_str(text)?, label: serde_json::from_str(text)? })
    }
}

/// The sequences in a folder: its files that end in `.json`, by name. A file is its own only member.
///
/// # Errors
/// [`Unreadable`] if it cannot be listed.
pub fn files(path: &Path) -> Result<Vec<PathBuf>, Unreadable> {
    if path.is_file() {
        return Ok(vec![path.into()]);
    }
    let unreadable = |cause| Unreadable::File { path: path.into(), cause };
    let entries = std::fs::read_dir(path).map_err(unreadable)?;
    let mut files =
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    Ok(files)
}

/// The longest sequence has 400 requests, of some 300 bytes each.
const MOST_BYTES: u64 = 4 << 20;
