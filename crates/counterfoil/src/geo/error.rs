//! Why a file is of no use, and what to do about it.

use std::path::PathBuf;

/// A file that cannot be used. The text names its key, its path, and what to do.
#[derive(Debug, thiserror::Error)]
#[error("geo.{}: {} {problem}", file.key(), path.display())]
pub struct GeoError {
    /// Which of the files.
    pub file: GeoFile,
    /// Where it is.
    pub path: PathBuf,
    /// What is wrong with it.
    #[source]
    pub problem: GeoProblem,
}

/// One of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GeoFile {
    /// Countries and places.
    City,
    /// Operators.
    Asn,
    /// The operator's list.
    Networks,
}

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GeoProblem {
    /// There is none.
    #[error("is not there: put the file there, or remove the key")]
    Missing,
    /// It is there, and is not to be had.
    #[error("cannot be read ({0}): let the user that this program runs as read it")]
    Unreadable(#[source] std::io::Error),
    /// It is not a file.
    #[error("is no file: name the file itself")]
    NoFile,
    /// More than is read into memory.
    #[error("is too large: {bytes} bytes, and {most} are read at most; use a smaller edition")]
    TooLarge {
        /// As it is.
        bytes: u64,
        /// As it may be.
        most: u64,
    },
    /// Somebody is writing it.
    #[error("changed while it was read: put new files there by renaming them")]
    Changing,
    /// It is not in the format, or was cut off.
    #[error("is no MMDB database, or a damaged one ({0}): fetch it again, and unpack it")]
    Damaged(#[source] maxminddb::MaxMindDbError),
    /// A database of something else.
    #[error("is a database of type `{found}`, which tells no {wanted}: name one that does, such as {example}")]
    OtherType {
        /// What it says of itself.
        found: Box<str>,
        /// What was looked for.
        wanted: &'static str,
        /// What would fit.
        example: &'static str,
    },
    /// The list is not text.
    #[error("is not text in UTF-8: it wants lines such as `203.0.113.0/24 vpn`")]
    NoText,
    /// A line of the list.
    #[error("line {line}: {problem}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong there.
        #[source]
        problem: LineProblem,
    },
}

/// What is wrong with a line of the list of networks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LineProblem {
    /// It begins with something else.
    #[error("`{0}` is no network: write one such as 203.0.113.0/24 or 2001:db8::/32, or an address")]
    Network(Box<str>),
    /// It covers all addresses.
    #[error("`{0}` spans every address")]
    Everyone(Box<str>),
    /// An address that is not the network's first.
    #[error("`{written}` has bits set beyond its prefix: write {meant}, if that is what is meant")]
    BeyondPrefix {
        /// As it stands there.
        written: Box<str>,
        /// The network around it.
        meant: Box<str>,
    },
    /// Only a network.
    #[error("says nothing of the network: write vpn, relay or hosting after it")]
    NoKind,
    /// A kind that does not exist.
    #[error("`{0}` is none of vpn, relay, hosting")]
    Kind(Box<str>),
    /// More than two words.
    #[error("`{0}` is one word too many: a remark begins with #")]
    TooMuch(Box<str>),
    /// It was there before, as another kind.
    #[error("the network is of another kind on line {0}: remove one of them")]
    Twice(usize),
    /// The list is longer than is believed.
    #[error("there are more than {0} networks: put neighbours together into larger ones")]
    TooMany(usize),
}

impl GeoFile {
    /// Its key in `[geo]`.
    pub const fn key(self) -> &'static str {
        match self {
            Self::City => "city",
            Self::Asn => "asn",
            Self::Networks => "networks",
        }
    }

    /// What it tells.
    pub(super) const fn tells(self) -> &'static str {
        match self {
            Self::City => "places",
            Self::Asn => "operators",
            Self::Networks => "kinds of networks",
        }
    }

    /// One that would do.
    pub(super) const fn example(self) -> &'static str {
        match self {
            Self::City => "GeoLite2-City.mmdb",
            Self::Asn => "GeoLite2-ASN.mmdb",
            Self::Networks => "a list of your own",
        }
    }
}
