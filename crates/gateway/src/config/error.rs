//! What is wrong with a configuration. Each mistake says where, which key, which values, and what to do.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::tree::Place;

/// Something that was written, and should not have been so; or is, and somebody should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    place: Place,
    key: String,
    text: String,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read: create it, or let this user read it.
    #[error("{}: cannot be read", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It says what must be corrected, a line to each mistake.
    #[error("{}", lines(.0))]
    Mistakes(Vec<Mistake>),
}

impl Mistake {
    pub(super) fn new(place: Place, key: impl Into<String>, text: impl Into<String>) -> Self {
        Self { place, key: key.into(), text: text.into() }
    }

    /// Where.
    pub const fn place(&self) -> &Place {
        &self.place
    }

    /// Which key, such as `apps.wiki.rules[1].path`; empty where the text cannot be read at all.
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, key, text } = self;
        if key.is_empty() { write!(out, "{place}: {text}") } else { write!(out, "{place}: {key}: {text}") }
    }
}

impl From<Mistake> for ConfigError {
    fn from(mistake: Mistake) -> Self {
        Self::Mistakes(vec![mistake])
    }
}

/// What may have been meant by `word`: the nearest of `known`, if it is near at all.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase().replace('-', "_");
    let distance = |known: &&'a str| strsim::damerau_levenshtein(&word, &known.replace('-', "_"));
    let most = (word.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|known| (distance(&known), known))
        .filter(|(far, _)| *far <= most)
        .min()
        .map(|(_, known)| known)
}

/// `; did you mean …?`, where something is near.
pub(super) fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, known).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
}

fn lines(mistakes: &[Mistake]) -> String {
    mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
