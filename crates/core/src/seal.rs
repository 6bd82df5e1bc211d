//! Sealing: what lies in a store opens only with the key ring, and only in the place it was written for.

mod secret;

use std::sync::Arc;

use aws_lc_rs::{aead, hmac};
use zeroize::{Zeroize as _, Zeroizing};

pub use self::secret::NotOpened;
use crate::entropy::{Entropy, NoEntropy, SystemEntropy, random};
use crate::id::SessionId;
use crate::keys::{KeyId, KeyRing, PurposeKeys, RingInUse, SectionKey, SharedRing};
use crate::stored::{Format, SharedFormat};

/// What stores seal and open records with. Cheap to clone; all clones see an exchanged ring, and a changed format.
///
/// # Security
/// Each section is sealed with AES-256-GCM under a key of its own: HKDF-SHA256 from the ring's key for this kind of
/// section, with 16 fresh random bytes. The key is used once, so the nonce is zero and nodes need not count. Associated
/// data binds format version, kind of section and session id: moved to another record or place, it does not open.
/// A stolen disk without the keys tells session ids, times, hashes and sizes, and no more; of sizes, in
/// [`Format::Two`], the first bits.
///
/// # Examples
/// ```
/// use counterfoil_core::keys::{GeneratedKeys, SharedRing};
/// use counterfoil_core::seal::Sealer;
///
/// let sealer = Sealer::new(SharedRing::from_source(&GeneratedKeys)?);
/// assert_eq!(sealer.external("oidc.sid", "x"), sealer.clone().external("oidc.sid", "x"));
/// # Ok::<(), counterfoil_core::keys::KeyError>(())
/// ```
#[derive(Clone)]
pub struct Sealer {
    keys: SharedRing,
    entropy: Arc<dyn Entropy>,
    format: SharedFormat,
}

/// The keyed hash under which a store's index keeps a name that others have for a session, such as an OIDC `sid`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExternalRef([u8; 16]);

/// The part of a record that is sealed by itself, so that it can be changed, and opened, without the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    /// What lists and the engine need: subject, factors, label, names elsewhere; or a pending sign-in.
    Listing,
    /// What derives the successor of an open link.
    Link,
    /// The application's data.
    Data,
}

/// Nothing was sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// The source of randomness did not answer. Nothing may be written.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
    /// A part is larger than a record may hold.
    #[error("the {part} of a session has {bytes} bytes, more than the {max} a record may hold")]
    TooLarge {
        /// Which part.
        part: &'static str,
        /// How large it is.
        bytes: usize,
        /// How large it may be.
        max: usize,
    },
    /// The cryptographic library refused.
    #[error("the cryptographic library refused to seal")]
    Refused,
}

/// A sealed section did not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OpenError {
    /// It is shorter than an envelope.
    Truncated,
    /// Its envelope has another format.
    Version(u8),
    /// Its key id cannot be one, or its text is not padded as its format has it.
    Malformed,
    /// Its key is not in the ring.
    UnknownKey(KeyId),
    /// Its tag is wrong: changed, or from another place.
    Altered,
}

impl Sealer {
    /// A sealer with these keys. It writes [`Format::One`] until a store says [otherwise](Self::writing): the other nodes
    /// of a store may know no other.
    pub fn new(keys: impl Into<SharedRing>) -> Self {
        Self::with_entropy(keys, SystemEntropy)
    }

    /// As [`new`](Self::new), with another source of randomness: for tests of what happens when it fails.
    pub fn with_entropy(keys: impl Into<SharedRing>, entropy: impl Entropy) -> Self {
        Self { keys: keys.into(), entropy: Arc::new(entropy), format: SharedFormat::new(Format::One) }
    }

    /// The same keys, for a store of its own, whose records are written in `format`. Other clones are not changed.
    #[must_use]
    pub fn writing(self, format: Format) -> Self {
        Self { format: SharedFormat::new(format), ..self }
    }

    /// In which format records are written now.
    pub fn format(&self) -> Format {
        self.format.load()
    }

    /// From now on all clones write `format`: an operator raised what the store says. Whether they wrote another one.
    pub fn change_format(&self, format: Format) -> bool {
        self.format.change(format)
    }

    /// Which key seals now.
    pub fn signing_id(&self) -> KeyId {
        self.keys.load().signing_id()
    }

    /// Under what a store's index keeps a name that others have for a session; the same whatever key seals.
    pub fn external(&self, kind: &str, value: &str) -> ExternalRef {
        ExternalRef(self.keys.load().external(kind, value))
    }

    /// What a store notes when it is made, and compares whenever it is opened: with another reference key it would find
    /// no subject again, and forget who was signed out everywhere. Says nothing about the key.
    pub fn reference_mark(&self) -> [u8; 16] {
        self.keys.load().reference_mark()
    }

    /// The ring as it is now, for all parts of one record.
    pub(crate) fn ring(&self) -> RingInUse {
        self.keys.load()
    }

    /// `version ‖ kid ‖ salt ‖ ciphertext ‖ tag`, of the text as a record of this format has it.
    pub(crate) fn seal(
        &self,
        ring: &KeyRing,
        format: Format,
        section: Section,
        id: SessionId,
        plain: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        let (key, salt) = (ring.signing(), random::<SALT>(&*self.entropy)?);
        let mut envelope = Vec::with_capacity(OVERHEAD + format.sealed_length(section, plain.len()));
        envelope.push(VERSION);
        envelope.extend_from_slice(key.id.padded());
        envelope.extend_from_slice(&salt);
        let once = section.key(key).of_write(&salt).map_err(|_| SealError::Refused)?;
        let head = envelope.len();
        format.write(section, plain, &mut envelope);
        let text = envelope.get_mut(head..).unwrap_or_default();
        let Ok(tag) = once.seal_in_place_separate_tag(nonce(), aead::Aad::from(section.context(id)), text) else {
            envelope.zeroize();
            return Err(SealError::Refused);
        };
        envelope.extend_from_slice(tag.as_ref());
        Ok(envelope)
    }
}

/// What a sealed section of a record of this format holds.
pub(crate) fn open(
    ring: &KeyRing,
    format: Format,
    section: Section,
    id: SessionId,
    envelope: &[u8],
) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let (kid, rest) = key_of(envelope)?;
    let (salt, sealed) = rest.split_first_chunk::<SALT>().ok_or(OpenError::Truncated)?;
    let length = sealed.len().checked_sub(TAG).ok_or(OpenError::Truncated)?;
    let key = ring.find(kid).ok_or(OpenError::UnknownKey(kid))?;
    let mut text = Zeroizing::new(sealed.to_vec());
    let once = section.key(key).of_write(salt).map_err(|_| OpenError::Altered)?;
    once.open_in_place(nonce(), aead::Aad::from(section.context(id)), &mut text).map_err(|_| OpenError::Altered)?;
    text.truncate(length);
    format.strip(section, &mut text).ok_or(OpenError::Malformed)?;
    Ok(text)
}

/// Which key a section is sealed with, and what follows its id.
pub(crate) fn key_of(envelope: &[u8]) -> Result<(KeyId, &[u8]), OpenError> {
    let (version, rest) = envelope.split_first().ok_or(OpenError::Truncated)?;
    if *version != VERSION {
        return Err(OpenError::Version(*version));
    }
    let (kid, rest) = rest.split_first_chunk().ok_or(OpenError::Truncated)?;
    Ok((KeyId::from_padded(*kid).ok_or(OpenError::Malformed)?, rest))
}

/// What of an envelope tells it from every other one: all that stands before the ciphertext, and the tag.
pub(crate) fn fingerprint(envelope: &[u8]) -> (&[u8], &[u8]) {
    let head = envelope.get(..OVERHEAD - TAG).unwrap_or(envelope);
    let tag = envelope.last_chunk::<TAG>().map_or(&[][..], |tag| tag);
    (head, tag)
}

/// The tag that closes a record.
pub(crate) fn tag<'a>(key: &PurposeKeys, parts: impl IntoIterator<Item = &'a [u8]>) -> hmac::Tag {
    let mut context = hmac::Context::with_key(&key.record);
    context.update(b"counterfoil/v1/record");
    for part in parts {
        context.update(part);
    }
    context.sign()
}

impl Section {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Listing => "listing",
            Self::Link => "open link",
            Self::Data => "data",
        }
    }

    const fn key(self, keys: &PurposeKeys) -> &SectionKey {
        match self {
            Self::Listing => &keys.listing,
            Self::Link => &keys.link,
            Self::Data => &keys.data,
        }
    }

    /// `label ‖ version ‖ letter ‖ session id`.
    fn context(self, id: SessionId) -> [u8; LABEL.len() + 2 + SessionId::LENGTH] {
        let letter = match self {
            Self::Listing => b'l',
            Self::Link => b'n',
            Self::Data => b'd',
        };
        let mut context = [0; LABEL.len() + 2 + SessionId::LENGTH];
        let parts = LABEL.iter().chain(&[VERSION]).chain(std::slice::from_ref(&letter)).chain(id.as_bytes());
        for (to, from) in context.iter_mut().zip(parts) {
            *to = *from;
        }
        context
    }
}

impl ExternalRef {
    /// From its bytes, as a store kept them.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes, for a store's key.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_tuple("Sealer").field(&self.keys).finish()
    }
}

/// Each key is used once.
fn nonce() -> aead::Nonce {
    aead::Nonce::assume_unique_for_key([0; aead::NONCE_LEN])
}

/// The format of an envelope: in records of every format the same.
const VERSION: u8 = 1;
const LABEL: &[u8] = b"counterfoil/v1/sealed";
const SALT: usize = 16;
const TAG: usize = 16;
/// What an envelope adds to what is in it: version, key id, salt, tag.
pub(crate) const OVERHEAD: usize = 1 + 8 + SALT + TAG;
