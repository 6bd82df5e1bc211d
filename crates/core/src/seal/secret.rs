//! Sealing what belongs to an account and outlives every session and every rotated key, such as a second factor.

use aws_lc_rs::aead;
use zeroize::{Zeroize as _, Zeroizing};

use super::{SALT, SealError, Sealer, TAG, nonce};
use crate::entropy::random;

/// A sealed secret did not open: it was changed, belongs to another purpose or owner, or was sealed with another
/// reference key. Do without it, and say so: it is never "none".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sealed secret does not open: it was changed, is somebody else's, or was sealed with another key file")]
pub struct NotOpened;

impl Sealer {
    /// Seals `plain` for one purpose and one owner; it opens for no other.
    ///
    /// # Security
    /// As records are sealed (AES-256-GCM under a key used once), but from the reference key, which is never rotated:
    /// what belongs to an account must open when every key has been rotated and retired. Purpose and owner are bound to
    /// it, so that one account's secret moved to another does not open.
    ///
    /// # Errors
    /// [`SealError`]: nothing may be written.
    ///
    /// # Examples
    /// ```
    /// use counterfoil_core::keys::{GeneratedKeys, SharedRing};
    /// use counterfoil_core::seal::{NotOpened, Sealer};
    ///
    /// let sealer = Sealer::new(SharedRing::from_source(&GeneratedKeys)?);
    /// let sealed = sealer.seal_secret("totp", "ada", b"secret")?;
    /// assert_eq!(**sealer.open_secret("totp", "ada", &sealed)?, *b"secret");
    /// assert_eq!(sealer.open_secret("totp", "grace", &sealed), Err(NotOpened));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn seal_secret(&self, purpose: &str, owner: &str, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let salt = random::<SALT>(&*self.entropy)?;
        let once = self.ring().secrets().of_write(&salt).map_err(|_| SealError::Refused)?;
        let mut sealed = Vec::with_capacity(1 + SALT + plain.len() + TAG);
        sealed.push(VERSION);
        sealed.extend_from_slice(&salt);
        sealed.extend_from_slice(plain);
        let text = sealed.get_mut(1 + SALT..).unwrap_or_default();
        let bound = aead::Aad::from(context(purpose, owner));
        let Ok(tag) = once.seal_in_place_separate_tag(nonce(), bound, text) else {
            sealed.zeroize();
            return Err(SealError::Refused);
        };
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// What was sealed for this purpose and this owner.
    ///
    /// # Errors
    /// [`NotOpened`]
    pub fn open_secret(&self, purpose: &str, owner: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, NotOpened> {
        let (version, rest) = sealed.split_first().ok_or(NotOpened)?;
        let (salt, rest) = rest.split_first_chunk::<SALT>().filter(|_| *version == VERSION).ok_or(NotOpened)?;
        let length = rest.len().checked_sub(TAG).ok_or(NotOpened)?;
        let once = self.ring().secrets().of_write(salt).map_err(|_| NotOpened)?;
        let mut text = Zeroizing::new(rest.to_vec());
        let bound = aead::Aad::from(context(purpose, owner));
        once.open_in_place(nonce(), bound, &mut text).map_err(|_| NotOpened)?;
        text.truncate(length);
        Ok(text)
    }
}

/// `label ‖ version ‖ length of purpose ‖ purpose ‖ owner`.
fn context(purpose: &str, owner: &str) -> Vec<u8> {
    let length = u64::try_from(purpose.len()).unwrap_or(u64::MAX).to_be_bytes();
    [LABEL, &[VERSION], &length, purpose.as_bytes(), owner.as_bytes()].concat()
}

/// The format of a sealed secret: `version ‖ salt ‖ ciphertext ‖ tag`.
const VERSION: u8 = 1;
const LABEL: &[u8] = b"counterfoil/v1/secret";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::{Entropy, NoEntropy};
    use crate::keys::{KeyMaterial, KeyRing, KeySource, SharedRing};

    const REFERENCE: &str = "cmVmZXJlbmNlIGtleSBvZiAzMiBieXRlcyBmb3IgdGVzdHM";
    const ANOTHER: &str = "YW5vdGhlciByZWZlcmVuY2Uga2V5IGZvciB0aGUgdGVzdHM";
    const ONE: &str = "a:b25lIHJvb3Qga2V5IG9mIDMyIGJ5dGVzIGZvciB0ZXN0cyE";
    const TWO: &str = "b:dHdvIHJvb3Qga2V5cyBvZiAzMiBieXRlcyBmb3IgdGVzdHM";

    struct Keys(&'static str, &'static str);

    impl KeySource for Keys {
        fn keys(&self) -> Result<KeyMaterial, crate::keys::KeyError> {
            KeyMaterial::parse(self.0, self.1)
        }
    }

    fn sealer(keys: &'static str, reference: &'static str) -> Sealer {
        Sealer::new(SharedRing::new(KeyRing::from_source(&Keys(keys, reference)).unwrap()))
    }

    #[test]
    fn a_secret_opens_for_its_purpose_and_owner_however_the_keys_were_rotated() {
        let sealed = sealer(ONE, REFERENCE).seal_secret("totp", "ada", b"20 bytes of a secret").unwrap();
        let rotated = sealer(TWO, REFERENCE);
        assert_eq!(**rotated.open_secret("totp", "ada", &sealed).unwrap(), *b"20 bytes of a secret");
        for (purpose, owner) in [("totp", "grace"), ("recovery", "ada"), ("totpa", "da"), ("", "totpada")] {
            assert_eq!(rotated.open_secret(purpose, owner, &sealed), Err(NotOpened), "{purpose} {owner}");
        }
        assert_eq!(sealer(ONE, ANOTHER).open_secret("totp", "ada", &sealed), Err(NotOpened), "another reference key");
    }

    #[test]
    fn what_was_changed_or_cut_does_not_open() {
        let one = sealer(ONE, REFERENCE);
        let sealed = one.seal_secret("totp", "ada", b"secret").unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(one.open_secret("totp", "ada", &changed), Err(NotOpened), "byte {at}");
            assert_eq!(one.open_secret("totp", "ada", &sealed[..at]), Err(NotOpened), "cut at {at}");
        }
    }

    #[test]
    fn the_same_secret_is_never_sealed_the_same_and_does_not_show() {
        let sealer = sealer(ONE, REFERENCE);
        let (one, two) =
            (sealer.seal_secret("t", "a", b"secret").unwrap(), sealer.seal_secret("t", "a", b"secret").unwrap());
        assert_ne!(one, two);
        assert!(!one.windows(6).any(|part| part == b"secret"));
    }

    #[test]
    fn without_randomness_nothing_is_sealed() {
        struct Dry;
        impl Entropy for Dry {
            fn fill(&self, _: &mut [u8]) -> Result<(), NoEntropy> {
                Err(NoEntropy)
            }
        }
        let ring = KeyRing::from_source(&Keys(ONE, REFERENCE)).unwrap();
        let sealer = Sealer::with_entropy(SharedRing::new(ring), Dry);
        assert_eq!(sealer.seal_secret("t", "a", b"secret"), Err(SealError::NoEntropy(NoEntropy)));
    }
}
