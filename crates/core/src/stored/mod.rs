//! Records as they lie in a store: a clear head, sealed sections, and a tag over all of it.
//!
//! Written down, with vectors, in `docs/spec/record-v1.md` and `docs/spec/record-v2.md`. Every store that persists goes
//! through here and through nothing else; none seals by itself.

mod codec;
mod error;
mod format;
mod head;
mod history;
mod listing;
mod record;
#[cfg(test)]
mod tests;
mod tombstone;

pub use self::error::StoredError;
pub use self::format::Format;
pub(crate) use self::format::SharedFormat;
pub use self::head::{FamilyHead, Head, LinkHead};
pub(crate) use self::history::{read_history, write_history};
pub use self::record::StoredRecord;
pub use self::tombstone::{Tombstone, code_of};
use crate::id::SessionId;
use crate::keys::{KeyId, KeyRing};
use crate::seal::{self, SealError, Sealer};
use crate::store::Live;

/// A part of a stored record, for errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// What stands in clear.
    Head,
    /// Who it is.
    Listing,
    /// What derives the next token.
    Link,
    /// The application's data.
    Data,
    /// The tag over everything.
    Closing,
}

/// What some bytes of a store are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// A session: [`StoredRecord`].
    Record,
    /// What is left of one: [`Tombstone`].
    Tombstone,
}

/// The bytes of a session, every section sealed anew, in the format that `sealer` [writes](Sealer::format).
///
/// # Errors
/// [`SealError`]: nothing may be written then.
///
/// # Examples
/// ```
/// # use std::time::Duration;
/// use counterfoil_core::keys::{GeneratedKeys, SharedRing};
/// use counterfoil_core::seal::Sealer;
/// use counterfoil_core::store::Live;
/// use counterfoil_core::stored;
/// # use counterfoil_core::rules::{Family, Limits};
/// # use counterfoil_core::{Holder, Moment, Record, SessionId, data::Payload, store::Epochs, token::TokenHash};
/// # let record = Record {
/// #     id: SessionId::from_bytes([1; 18]),
/// #     created_at: Moment::from_unix_seconds(1),
/// #     epochs: Epochs::default(),
/// #     limits: Limits { idle: Duration::from_secs(9), absolute: Duration::from_secs(9), remember_for: None },
/// #     family: Family::born(TokenHash::from_bytes([2; 32]), Moment::from_unix_seconds(1)),
/// #     holder: Holder::Visitor(None),
/// #     data: Payload::from_bytes(b"data"),
/// # };
///
/// let sealer = Sealer::new(SharedRing::from_source(&GeneratedKeys)?);
/// let bytes = stored::encode(&Live::born(record.clone()), &sealer)?;
/// assert_eq!(stored::decode_head(&bytes)?.created_at, record.created_at); // needs no key
/// assert_eq!(*stored::decode(record.id, &bytes, &sealer)?.record, record);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub fn encode(live: &Live, sealer: &Sealer) -> Result<Vec<u8>, SealError> {
    StoredRecord::seal(live, sealer).map(|record| record.to_bytes())
}

/// The session that lies under `id`, every tag checked.
///
/// # Errors
/// [`StoredError`]: the session is not absent; fail closed.
pub fn decode(id: SessionId, bytes: &[u8], sealer: &Sealer) -> Result<Live, StoredError> {
    let record = StoredRecord::from_bytes(bytes)?;
    match record.head().id {
        found if found == id => record.open(sealer),
        found => Err(StoredError::Misplaced { wanted: id, found }),
    }
}

/// What stands in clear, without keys and without looking at the rest: for loading rows at start.
///
/// # Security
/// Nothing is verified. Whoever can write to the disk can put here what they like until the record is opened; so nothing
/// may be admitted on it alone.
///
/// # Errors
/// [`StoredError`] if it is cut, malformed or newer.
pub fn decode_head(bytes: &[u8]) -> Result<Head, StoredError> {
    record::read_head(bytes).map(|(_, head, _)| head)
}

/// What `bytes` are.
///
/// # Errors
/// [`StoredError`] if they are of a newer format, or of none.
pub fn kind_of(bytes: &[u8]) -> Result<Stored, StoredError> {
    let Some((version, rest)) = bytes.split_first() else { return Err(StoredError::Truncated(Part::Head)) };
    match (Format::of_version(*version), rest.first()) {
        (Some(_), Some(&KIND_RECORD)) => Ok(Stored::Record),
        (Some(_), Some(&KIND_TOMBSTONE)) if *version == TOMBSTONE_VERSION => Ok(Stored::Tombstone),
        (Some(_), None) => Err(StoredError::Truncated(Part::Head)),
        (None, _) if *version != 0 => Err(StoredError::Version { part: Part::Head, version: *version }),
        _ => Err(StoredError::Malformed(Part::Head)),
    }
}

/// What closes the record that these bytes are, and tells it from every other state of the same session; nothing where they
/// are too few. It is not verified.
pub fn closing_of(bytes: &[u8]) -> &[u8] {
    bytes.last_chunk::<CLOSING>().map_or(&[], |closing| closing)
}

impl std::fmt::Display for Part {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::Head => "head",
            Self::Listing => seal::Section::Listing.name(),
            Self::Link => seal::Section::Link.name(),
            Self::Data => seal::Section::Data.name(),
            Self::Closing => "closing tag",
        })
    }
}

/// What closes a record: the id of the signing key, and its tag over `parts`.
fn closing<'a>(ring: &KeyRing, parts: impl IntoIterator<Item = &'a [u8]>) -> [u8; CLOSING] {
    let key = ring.signing();
    let tag = seal::tag(key, parts);
    let mut closing = [0; CLOSING];
    for (to, from) in closing.iter_mut().zip(key.id.padded().iter().chain(tag.as_ref())) {
        *to = *from;
    }
    closing
}

/// Whether `closing` is what some key of the ring made of `parts`, and which key.
fn verify<'a>(ring: &KeyRing, parts: impl IntoIterator<Item = &'a [u8]>, closing: &[u8]) -> Result<KeyId, StoredError> {
    let part = Part::Closing;
    let (kid, claimed) = closing.split_first_chunk().ok_or(StoredError::Truncated(part))?;
    let kid = KeyId::from_padded(*kid).ok_or(StoredError::Malformed(part))?;
    let key = ring.find(kid).ok_or(StoredError::UnknownKey { part, key: kid })?;
    let tag = seal::tag(key, parts);
    let right = tag.as_ref().get(..CLOSING - 8).unwrap_or_default();
    let same = aws_lc_rs::constant_time::verify_slices_are_equal(right, claimed);
    same.map(|()| kid).map_err(|_| StoredError::Altered(part))
}

/// Of tombstones there is one format: nothing in them is sealed.
const TOMBSTONE_VERSION: u8 = 1;
const KIND_RECORD: u8 = b'r';
const KIND_TOMBSTONE: u8 = b't';
/// How many bytes a closing has: key id and tag. They are the last of a record, and tell one state of it from every other.
const CLOSING: usize = 8 + 16;
