//! Keys for tests, written as a word.

use super::{KeyError, KeyId, KeyMaterial, KeySource, RootKey};

/// A key for each letter of a word, the first of which signs: `"ba"` is what `"a"` becomes by a rotation. The reference
/// key is the same for all words.
///
/// # Security
/// For tests only: everybody knows these keys.
#[derive(Debug, Clone, Copy)]
pub struct Letters<'a>(pub &'a str);

impl KeySource for Letters<'_> {
    fn keys(&self) -> Result<KeyMaterial, KeyError> {
        let mut keys = self.0.bytes().enumerate().map(|(place, letter)| {
            let id = KeyId::from_ascii(&[letter]).ok_or(KeyError::Malformed { position: place + 1 })?;
            Ok((id, root(letter)?))
        });
        let first = keys.next().ok_or(KeyError::Malformed { position: 1 })??;
        KeyMaterial::new(first, keys.collect::<Result<_, KeyError>>()?, root(1)?)
    }
}

fn root(first: u8) -> Result<RootKey, KeyError> {
    RootKey::new("test", (first..first + 32).collect())
}
