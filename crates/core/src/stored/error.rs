//! Why a stored record cannot be read: what, and where in it.

use super::Part;
use crate::id::SessionId;
use crate::keys::KeyId;
use crate::seal::{OpenError, SealError};
use crate::store::StoreError;

/// A record cannot be read. None of these means that the session is absent: fail closed, keep it, look at the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoredError {
    /// It is cut.
    #[error("the record ends in the middle of its {0}")]
    Truncated(Part),
    /// A newer program wrote it.
    #[error(
        "the record's {part} has format {version}, which this version does not know: run the version that wrote it"
    )]
    Version {
        /// Where.
        part: Part,
        /// The format it claims.
        version: u8,
    },
    /// It holds what no version writes in this format.
    #[error("the record's {0} holds what is never written there")]
    Malformed(Part),
    /// A tag is wrong.
    #[error("the record's {0} was changed since it was written, or is another record's")]
    Altered(Part),
    /// It was sealed with a key that the ring does not have, or has no more.
    #[error("the record's {part} is sealed with key `{key}`, which is not in the key ring: put it back")]
    UnknownKey {
        /// Where.
        part: Part,
        /// The key's id.
        key: KeyId,
    },
    /// It lies under another record's key.
    #[error("the record of {found} lies where that of {wanted} should be")]
    Misplaced {
        /// Whose place it is.
        wanted: SessionId,
        /// Whose record it is.
        found: SessionId,
    },
    /// It is a tombstone where a record was wanted, or the other way round.
    #[error("the record is not a {wanted}")]
    NotA {
        /// What was wanted.
        wanted: &'static str,
    },
}

impl StoredError {
    pub(super) const fn of(error: OpenError, part: Part) -> Self {
        match error {
            OpenError::Truncated => Self::Truncated(part),
            OpenError::Version(version) => Self::Version { part, version },
            OpenError::Malformed => Self::Malformed(part),
            OpenError::UnknownKey(key) => Self::UnknownKey { part, key },
            OpenError::Altered => Self::Altered(part),
        }
    }
}

impl From<StoredError> for StoreError {
    fn from(error: StoredError) -> Self {
        let what = match error {
            StoredError::Version { .. } => "a record of a newer format",
            StoredError::UnknownKey { .. } => "a record sealed with a key that is not in the key ring",
            _ => "a damaged record",
        };
        Self::Corrupt { what, cause: Some(error.into()) }
    }
}

impl From<SealError> for StoreError {
    fn from(error: SealError) -> Self {
        Self::Unavailable(error.into())
    }
}
