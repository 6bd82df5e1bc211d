//! Where the labelled sequences of sightings lie: ground truth for whoever judges sessions. `README.md` beside this crate says
//! what they are, `FORMAT.md` what is in them; the tests say what holds of all of them.
//!
//! The files are data. This crate finds them and judges nothing.
//!
//! # Examples
//! ```
//! use counterfoil_sightings::{Origin, files};
//!
//! let ours = files(Origin::Own)?;
//! assert!(ours.iter().all(|file| file.extension().is_some_and(|extension| extension == "json")));
//! # Ok::<_, std::io::Error>(())
//! ```

use std::io;
use std::path::{Path, PathBuf};

/// Who made a sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// Given with the format, and not changed.
    Public,
    /// Ours.
    Own,
}

impl Origin {
    /// Each of them.
    pub const ALL: [Self; 2] = [Self::Public, Self::Own];

    /// The folder that holds them.
    pub fn folder(self) -> PathBuf {
        home().join(match self {
            Self::Public => "public",
            Self::Own => "own",
        })
    }
}

/// The files of one origin, by name.
///
/// # Errors
/// The folder cannot be read: this is not a checkout of the repository.
pub fn files(origin: Origin) -> io::Result<Vec<PathBuf>> {
    let mut files = std::fs::read_dir(origin.folder())?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<Vec<_>>>()?;
    files.sort();
    Ok(files)
}

/// The JSON Schema of a sequence.
pub fn schema() -> PathBuf {
    home().join("schema.json")
}

fn home() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
