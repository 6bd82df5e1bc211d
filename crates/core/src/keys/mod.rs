//! The key ring: every secret of the server, derived by purpose from a few root keys.

mod file;
mod id;
#[cfg(any(test, feature = "testing"))]
mod letters;
mod material;
#[cfg(test)]
mod primitives;
mod shared;
mod source;

use std::time::Duration;

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::{aead, hkdf, hmac};
use zeroize::Zeroizing;

pub use self::file::{KeyEntry, KeyFile, KeyFileError, KeyFileProblem, KeyState, Offshoot, RetireError, RotateError};
pub use self::id::{BadKeyId, KeyId};
#[cfg(any(test, feature = "testing"))]
pub use self::letters::Letters;
pub use self::material::{GeneratedKeys, KeyError, KeyMaterial, KeySource, RootKey};
pub use self::shared::{ReferenceMoved, RingInUse, SharedRing};
pub use self::source::SourceProblem;
use crate::id::{Subject, SubjectRef};
use crate::moment::Moment;
use crate::rules::Limits;

/// Keys ready for use: one signs, all verify.
///
/// # Security
/// Each purpose has a key of its own (HKDF-SHA256 with a label), so that a value made for one purpose never verifies
/// for another. A key stays in the ring until the last token and open link made with it ended; take it out earlier and
/// those sessions end. `Debug` shows ids only.
pub struct KeyRing {
    signing: PurposeKeys,
    others: Vec<PurposeKeys>,
    reference: hmac::Key,
    adoption: hmac::Key,
    external: hmac::Key,
    limits: hmac::Key,
    secrets: SectionKey,
    mark: [u8; 16],
    sessions_last: Option<Duration>,
    left_out: Vec<(KeyId, Moment)>,
}

/// The keys derived from one root key.
pub(crate) struct PurposeKeys {
    pub(crate) id: KeyId,
    pub(crate) token: hmac::Key,
    pub(crate) chain: hmac::Key,
    pub(crate) csrf: hmac::Key,
    pub(crate) flash: hmac::Key,
    pub(crate) record: hmac::Key,
    pub(crate) listing: SectionKey,
    pub(crate) link: SectionKey,
    pub(crate) data: SectionKey,
}

/// From which the key of each sealed section is derived, once for each write.
pub(crate) struct SectionKey(Zeroizing<[u8; 32]>);

impl KeyRing {
    /// Derives the ring from what `source` holds.
    ///
    /// # Errors
    /// [`KeyError`] says which key is missing, short, weak or doubled; nothing starts then.
    pub fn from_source(source: &(impl KeySource + ?Sized)) -> Result<Self, KeyError> {
        Self::derive(&source.keys()?)
    }

    fn derive(material: &KeyMaterial) -> Result<Self, KeyError> {
        let (id, root) = &material.signing;
        Ok(Self {
            signing: PurposeKeys::derive(*id, root)?,
            others: material
                .others
                .iter()
                .map(|(id, root)| PurposeKeys::derive(*id, root))
                .collect::<Result<_, _>>()?,
            reference: purpose(&material.reference, "counterfoil/v1/key/reference")?,
            adoption: purpose(&material.reference, "counterfoil/v1/key/adoption")?,
            external: purpose(&material.reference, "counterfoil/v1/key/external")?,
            limits: purpose(&material.reference, "counterfoil/v1/key/limits")?,
            secrets: SectionKey::derive(&material.reference, "counterfoil/v1/key/secrets")?,
            mark: first_16(&hmac::sign(
                &purpose(&material.reference, "counterfoil/v1/key/mark")?,
                b"counterfoil/v1/mark",
            )),
            sessions_last: material.sessions_last,
            left_out: material.left_out.clone(),
        })
    }

    /// Which key signs new tokens.
    pub const fn signing_id(&self) -> KeyId {
        self.signing.id
    }

    /// Every key the ring verifies with, the signing one first.
    pub fn ids(&self) -> impl Iterator<Item = KeyId> + '_ {
        self.all().map(|key| key.id)
    }

    /// How long sessions may last at most for no key to end before what was made with it; `None` if the source does not
    /// say.
    pub const fn sessions_last(&self) -> Option<Duration> {
        self.sessions_last
    }

    /// Keys of the source that have ended, and are not in the ring.
    pub fn left_out(&self) -> &[(KeyId, Moment)] {
        &self.left_out
    }

    /// Refuses a policy whose sessions may outlive the keys they were made with.
    ///
    /// # Errors
    /// [`KeyError::KeptTooShort`].
    pub fn suits(&self, limits: &Limits) -> Result<(), KeyError> {
        let longest = limits.end_of(Moment::EPOCH).since(Moment::EPOCH);
        match self.sessions_last {
            Some(kept) if kept < longest => Err(KeyError::KeptTooShort { policy: longest.into(), keys: kept.into() }),
            _ => Ok(()),
        }
    }

    /// The keyed reference under which stores and events know `subject`.
    pub fn reference(&self, subject: &Subject) -> SubjectRef {
        SubjectRef::from_bytes(first_16(&hmac::sign(&self.reference, subject.as_str().as_bytes())))
    }

    /// What a store notes of the reference key, to refuse another one: with that, it would know nobody again, and forget
    /// who was signed out everywhere. Says nothing about the key.
    pub const fn reference_mark(&self) -> [u8; 16] {
        self.mark
    }

    /// The keyed hash under which a store's index knows a name that others have for a session.
    pub(crate) fn external(&self, kind: &str, value: &str) -> [u8; 16] {
        let length = u64::try_from(kind.len()).unwrap_or(u64::MAX).to_be_bytes();
        let mut context = hmac::Context::with_key(&self.external);
        for part in [&length[..], kind.as_bytes(), value.as_bytes()] {
            context.update(part);
        }
        first_16(&context.sign())
    }

    /// The keyed hash under which limits count whatever these parts name: an address, an account at a place.
    pub(crate) fn counted(&self, parts: &[&[u8]]) -> [u8; 16] {
        let mut context = hmac::Context::with_key(&self.limits);
        for part in parts {
            context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            context.update(part);
        }
        first_16(&context.sign())
    }

    /// What turns another layer's cookie into a session. Of the root key that is never rotated: the same cookie must lead
    /// to the same session on every node, always.
    pub(crate) const fn adoption(&self) -> &hmac::Key {
        &self.adoption
    }

    /// From which the key of each sealed secret of an account is derived. Of the root key that is never rotated: such a
    /// secret outlives every session.
    pub(crate) const fn secrets(&self) -> &SectionKey {
        &self.secrets
    }

    pub(crate) const fn signing(&self) -> &PurposeKeys {
        &self.signing
    }

    pub(crate) fn find(&self, id: KeyId) -> Option<&PurposeKeys> {
        self.all().find(|key| key.id == id)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &PurposeKeys> {
        std::iter::once(&self.signing).chain(&self.others)
    }
}

impl std::fmt::Debug for KeyRing {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("KeyRing")
            .field("signs", &self.signing_id())
            .field("others", &self.others.len())
            .finish_non_exhaustive()
    }
}

impl PurposeKeys {
    fn derive(id: KeyId, root: &RootKey) -> Result<Self, KeyError> {
        Ok(Self {
            id,
            token: purpose(root, "counterfoil/v1/key/token")?,
            chain: purpose(root, "counterfoil/v1/key/chain")?,
            csrf: purpose(root, "counterfoil/v1/key/csrf")?,
            flash: purpose(root, "counterfoil/v1/key/flash")?,
            record: purpose(root, "counterfoil/v1/key/record")?,
            listing: SectionKey::derive(root, "counterfoil/v1/key/listing")?,
            link: SectionKey::derive(root, "counterfoil/v1/key/link")?,
            data: SectionKey::derive(root, "counterfoil/v1/key/data")?,
        })
    }
}

impl SectionKey {
    fn derive(root: &RootKey, label: &str) -> Result<Self, KeyError> {
        expanded(root, label).map(Self)
    }

    /// The key for one write: it is used once, so the nonce beside it may be zero, and no node has to count.
    pub(crate) fn of_write(&self, salt: &[u8; 16]) -> Result<aead::LessSafeKey, Unspecified> {
        let extracted = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(&*self.0);
        let expanded = extracted.expand(&[b"counterfoil/v1/sealed"], &aead::AES_256_GCM)?;
        Ok(aead::LessSafeKey::new(expanded.into()))
    }
}

fn purpose(root: &RootKey, label: &str) -> Result<hmac::Key, KeyError> {
    let label = [label.as_bytes()];
    let extracted = extracted(root);
    let expanded = extracted.expand(&label, hmac::HMAC_SHA256).map_err(|_| KeyError::Derivation)?;
    Ok(hmac::Key::from(expanded))
}

fn expanded(root: &RootKey, label: &str) -> Result<Zeroizing<[u8; 32]>, KeyError> {
    let mut key = Zeroizing::new([0; 32]);
    let label = [label.as_bytes()];
    let expanded = extracted(root).expand(&label, hkdf::HKDF_SHA256).and_then(|okm| okm.fill(&mut *key));
    expanded.map(|()| key).map_err(|_| KeyError::Derivation)
}

fn extracted(root: &RootKey) -> hkdf::Prk {
    hkdf::Salt::new(hkdf::HKDF_SHA256, b"counterfoil/v1").extract(root.bytes())
}

fn first_16(tag: &hmac::Tag) -> [u8; 16] {
    let mut first = [0; 16];
    for (to, from) in first.iter_mut().zip(tag.as_ref()) {
        *to = *from;
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(keys: &str) -> Result<KeyRing, KeyError> {
        KeyRing::derive(&KeyMaterial::parse(keys, REFERENCE)?)
    }

    const REFERENCE: &str = "cmVmZXJlbmNlIGtleSBvZiAzMiBieXRlcyBmb3IgdGVzdHM";
    const ONE: &str = "a:b25lIHJvb3Qga2V5IG9mIDMyIGJ5dGVzIGZvciB0ZXN0cyE";
    const TWO: &str = "b:dHdvIHJvb3Qga2V5cyBvZiAzMiBieXRlcyBmb3IgdGVzdHM";

    #[test]
    fn the_first_key_signs_and_all_verify() -> Result<(), KeyError> {
        let ring = ring(&format!("{TWO},{ONE}"))?;
        assert_eq!(ring.signing_id().as_str(), "b");
        assert_eq!(ring.ids().count(), 2);
        Ok(())
    }

    #[test]
    fn a_reference_survives_key_rotation() -> Result<(), Box<dyn std::error::Error>> {
        let ada = Subject::new("ada")?;
        assert_eq!(ring(ONE)?.reference(&ada), ring(&format!("{TWO},{ONE}"))?.reference(&ada));
        assert_ne!(ring(ONE)?.reference(&ada), ring(ONE)?.reference(&Subject::new("grace")?));
        Ok(())
    }

    #[test]
    fn no_purpose_shares_a_key_with_another() -> Result<(), KeyError> {
        let ring = ring(ONE)?;
        let key = ring.signing();
        let hmac_keys = [
            &key.token,
            &key.chain,
            &key.csrf,
            &key.flash,
            &key.record,
            &ring.reference,
            &ring.adoption,
            &ring.external,
        ];
        let mut tags: Vec<_> = hmac_keys.iter().map(|key| hmac::sign(key, b"x").as_ref().to_vec()).collect();
        // As keys of the same kind, so that they can be compared.
        let sections =
            [&key.listing, &key.link, &key.data, &ring.secrets].map(|key| hmac::Key::new(hmac::HMAC_SHA256, &*key.0));
        tags.extend(sections.iter().map(|key| hmac::sign(key, b"x").as_ref().to_vec()));
        for (index, tag) in tags.iter().enumerate() {
            assert!(!tags.get(index + 1..).unwrap_or_default().contains(tag));
        }
        Ok(())
    }

    #[test]
    fn a_ring_is_exchanged_everywhere_at_once_unless_its_reference_key_moved() -> Result<(), KeyError> {
        let shared = SharedRing::new(ring(ONE)?);
        let (elsewhere, before) = (shared.clone(), shared.load());
        assert_eq!(shared.exchange(ring(&format!("{TWO},{ONE}"))?), Ok(()));
        assert_eq!(elsewhere.load().signing_id().as_str(), "b");
        assert_eq!(before.signing_id().as_str(), "a", "a request ends with the ring it began with");
        let moved = KeyMaterial::parse(TWO, "YW5vdGhlciByZWZlcmVuY2Uga2V5IGZvciB0aGUgdGVzdHM")?;
        assert_eq!(shared.exchange(KeyRing::derive(&moved)?), Err(ReferenceMoved));
        assert_eq!(elsewhere.load().ids().count(), 2);
        Ok(())
    }

    #[test]
    fn debug_shows_no_key() -> Result<(), KeyError> {
        let ring = ring(ONE)?;
        assert_eq!(format!("{ring:?}"), "KeyRing { signs: KeyId(\"a\"), others: 0, .. }");
        Ok(())
    }
}
