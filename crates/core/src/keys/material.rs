//! Root keys before derivation: where they come from, and which ones are refused.

use std::time::Duration;

use base64::{Engine as _, engine::DecodePaddingMode, engine::GeneralPurpose, engine::GeneralPurposeConfig};
use zeroize::Zeroizing;

use super::id::KeyId;
use super::source::SourceProblem;
use crate::entropy::{Entropy, NoEntropy, SystemEntropy, random};
use crate::moment::Moment;
use crate::policy::Span;

/// Where root keys come from.
pub trait KeySource {
    /// Reads the keys once, at start.
    ///
    /// # Errors
    /// [`KeyError`] says which key is missing, short or weak. The program must not start then.
    fn keys(&self) -> Result<KeyMaterial, KeyError>;
}

/// Keys made at start and forgotten at exit: for tests, demos and a first try.
///
/// # Security
/// Every session ends when the process does, and a second process does not know the sessions of the first.
#[derive(Debug, Clone, Copy, Default)]
pub struct GeneratedKeys;

impl KeySource for GeneratedKeys {
    fn keys(&self) -> Result<KeyMaterial, KeyError> {
        let id = KeyId::from_ascii(b"gen").ok_or(KeyError::Derivation)?;
        let key = RootKey::generate(&SystemEntropy)?;
        KeyMaterial::new((id, key), Vec::new(), RootKey::generate(&SystemEntropy)?)
    }
}

/// Root keys as read from their source.
///
/// The first key signs. The reference key turns subjects into the names stores know; it is made once and never
/// rotated, because a new one would forget which subjects were signed out everywhere.
pub struct KeyMaterial {
    pub(super) signing: (KeyId, RootKey),
    pub(super) others: Vec<(KeyId, RootKey)>,
    pub(super) reference: RootKey,
    pub(super) sessions_last: Option<Duration>,
    pub(super) left_out: Vec<(KeyId, Moment)>,
}

impl KeyMaterial {
    /// Takes the key that signs, the others that only verify, and the reference key.
    ///
    /// # Errors
    /// [`KeyError::Doubled`] if an id names two keys.
    pub fn new(signing: (KeyId, RootKey), others: Vec<(KeyId, RootKey)>, reference: RootKey) -> Result<Self, KeyError> {
        let mut ids = vec![signing.0];
        for (id, _) in &others {
            if ids.contains(id) {
                return Err(KeyError::Doubled(*id));
            }
            ids.push(*id);
        }
        Ok(Self { signing, others, reference, sessions_last: None, left_out: Vec::new() })
    }

    /// Says how long sessions last at most for these keys to verify until all that was made with them has ended, and
    /// which keys of the source have ended and were left out.
    pub(super) fn scheduled(self, sessions_last: Duration, left_out: Vec<(KeyId, Moment)>) -> Self {
        Self { sessions_last: Some(sessions_last), left_out, ..self }
    }

    /// Reads `id:base64,id:base64,…` (the first signs) and a reference key in base64.
    ///
    /// # Errors
    /// [`KeyError`] names the entry that is wrong, never its text.
    ///
    /// # Examples
    /// ```
    /// use counterfoil_core::keys::{KeyError, KeyMaterial};
    ///
    /// let short = KeyMaterial::parse("k1:c2hvcnQ=", "cmVmZXJlbmNlIGtleSBvZiAzMiBieXRlcyBmb3IgdGVzdHM");
    /// assert!(matches!(short, Err(KeyError::Short { bytes: 5, .. })));
    /// ```
    pub fn parse(keys: &str, reference: &str) -> Result<Self, KeyError> {
        let mut entries = keys.split(',').enumerate().map(|(index, entry)| parse_entry(index + 1, entry.trim()));
        let signing = entries.next().unwrap_or(Err(KeyError::Malformed { position: 1 }))?;
        Self::new(signing, entries.collect::<Result<_, _>>()?, RootKey::parse("reference", reference.trim())?)
    }
}

impl std::fmt::Debug for KeyMaterial {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("KeyMaterial").field("signing", &self.signing.0).finish_non_exhaustive()
    }
}

/// A secret of at least 32 bytes from which the working keys are derived. Wiped when dropped.
pub struct RootKey(Zeroizing<Vec<u8>>);

impl RootKey {
    /// The shortest root key, in bytes: as strong as the HMAC-SHA256 it feeds (RFC 2104, NIST SP 800-107).
    pub const MIN_BYTES: usize = 32;

    /// A fresh random key.
    ///
    /// # Errors
    /// [`KeyError::NoEntropy`] if the generator failed.
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, KeyError> {
        Ok(Self(Zeroizing::new(random::<32>(entropy)?.to_vec())))
    }

    /// Checks and takes key bytes; `name` is used in errors.
    ///
    /// # Errors
    /// [`KeyError::Short`] below 32 bytes; [`KeyError::Weak`] if the bytes repeat so much that nobody drew them.
    pub fn new(name: &str, bytes: Vec<u8>) -> Result<Self, KeyError> {
        let bytes = Zeroizing::new(bytes);
        if bytes.len() < Self::MIN_BYTES {
            return Err(KeyError::Short { name: name.into(), bytes: bytes.len() });
        }
        let mut seen = [false; 256];
        for byte in bytes.iter() {
            if let Some(slot) = seen.get_mut(usize::from(*byte)) {
                *slot = true;
            }
        }
        match seen.iter().filter(|seen| **seen).count() {
            0..8 => Err(KeyError::Weak { name: name.into() }),
            _ => Ok(Self(bytes)),
        }
    }

    pub(super) fn parse(name: &str, text: &str) -> Result<Self, KeyError> {
        let text: String = text
            .chars()
            .map(|c| match c {
                '-' => '+',
                '_' => '/',
                other => other,
            })
            .collect();
        let bytes = LENIENT.decode(text).map_err(|_| KeyError::NotBase64 { name: name.into() })?;
        Self::new(name, bytes)
    }

    pub(super) fn print(&self) -> Zeroizing<String> {
        Zeroizing::new(base64::engine::general_purpose::STANDARD.encode(&*self.0))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for RootKey {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("RootKey(redacted)")
    }
}

/// Why the keys cannot be used. No variant carries key text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// A variable or file that should hold keys is not there.
    #[error("{name} is not set: it holds {holds}")]
    NotSet {
        /// What was looked for.
        name: Box<str>,
        /// What it should hold.
        holds: &'static str,
    },
    /// An entry is not `id:base64`.
    #[error("key entry {position} is not `id:base64` with an id of 1 to 8 characters a-z, 0-9")]
    Malformed {
        /// Which entry, counted from 1.
        position: usize,
    },
    /// A key is not base64.
    #[error("key `{name}` is not base64")]
    NotBase64 {
        /// Its id.
        name: Box<str>,
    },
    /// A key is too short.
    #[error("key `{name}` has {bytes} bytes, fewer than {min}: make one with `openssl rand -base64 32`", min = RootKey::MIN_BYTES)]
    Short {
        /// Its id.
        name: Box<str>,
        /// How long it is.
        bytes: usize,
    },
    /// A key repeats so few bytes that nobody drew it at random: all zero, a default, a pattern.
    #[error("key `{name}` is not random (all zero, a default or a pattern): make one with `openssl rand -base64 32`")]
    Weak {
        /// Its id.
        name: Box<str>,
    },
    /// Two keys share an id.
    #[error("key id `{0}` is given twice")]
    Doubled(KeyId),
    /// What should give the keys cannot be used.
    #[error("{place}: {problem}")]
    Source {
        /// Which file or command.
        place: Box<str>,
        /// What is wrong with it, and what to do.
        problem: Box<SourceProblem>,
    },
    /// Sessions may live longer than old keys are kept: rotating would sign people out.
    #[error(
        "the policy lets a session live for {policy}, but the keys are kept for sessions of {keys} at most: \
         write `sessions last={policy}` or more into the key file"
    )]
    KeptTooShort {
        /// The longest a session may live.
        policy: Span,
        /// What the keys were made for.
        keys: Span,
    },
    /// The generator failed.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
    /// The cryptographic library refused to derive a key.
    #[error("the keys could not be derived")]
    Derivation,
}

fn parse_entry(position: usize, entry: &str) -> Result<(KeyId, RootKey), KeyError> {
    let (id, text) = entry.split_once(':').ok_or(KeyError::Malformed { position })?;
    let id = KeyId::new(id).map_err(|_| KeyError::Malformed { position })?;
    Ok((id, RootKey::parse(id.as_str(), text)?))
}

/// Base64 as people paste it: padded or not.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weak_key_does_not_start() {
        let strong: Vec<u8> = (0..32).collect();
        //  name                bytes                       outcome
        for (name, bytes, good) in [
            ("32 different", strong.clone(), true),
            ("31 bytes", strong.get(..31).unwrap_or_default().to_vec(), false),
            ("all zero", vec![0; 32], false),
            ("a pattern", b"changeme".repeat(4), false),
            ("one letter", vec![b'x'; 64], false),
            ("empty", vec![], false),
        ] {
            assert_eq!(RootKey::new("k", bytes).is_ok(), good, "{name}");
        }
    }

    #[test]
    fn an_error_names_the_entry_and_never_its_text() {
        let reference = "cmVmZXJlbmNlIGtleSBvZiAzMiBieXRlcyBmb3IgdGVzdHM";
        for (keys, says) in [
            ("", "entry 1"),
            ("k1", "entry 1"),
            ("K1:AAAA", "entry 1"),
            ("k1:c2VjcmV0", "`k1` has 6 bytes"),
            ("k1:!!secret!!", "`k1` is not base64"),
        ] {
            let error = KeyMaterial::parse(keys, reference).map(|_| ()).unwrap_err().to_string();
            assert!(error.contains(says), "{keys}: {error}");
            assert!(!error.contains("c2VjcmV0") && !error.contains("secret!!"), "{error}");
        }
    }

    #[test]
    fn two_keys_never_share_an_id() {
        let key = "k1:b25lIHJvb3Qga2V5IG9mIDMyIGJ5dGVzIGZvciB0ZXN0cyE";
        let twice = KeyMaterial::parse(&format!("{key},{key}"), "cmVmZXJlbmNlIGtleSBvZiAzMiBieXRlcyBmb3IgdGVzdHM");
        assert!(matches!(twice, Err(KeyError::Doubled(_))));
    }
}
