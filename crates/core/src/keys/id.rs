//! The name of a key, as it stands in a token: one to eight of `a-z0-9`.

/// The name of a key in the ring: `[a-z0-9]{1,8}`. It travels in every token, and says nothing about the key.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyId {
    bytes: [u8; 8],
    length: u8,
}

impl KeyId {
    /// Checks and takes a key id.
    ///
    /// # Errors
    /// [`BadKeyId`] if it is not `[a-z0-9]{1,8}`.
    pub fn new(text: &str) -> Result<Self, BadKeyId> {
        Self::from_ascii(text.as_bytes()).ok_or(BadKeyId)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        self.bytes.get(..usize::from(self.length)).and_then(|id| std::str::from_utf8(id).ok()).unwrap_or_default()
    }

    /// The id in eight bytes, zeros behind it: for records.
    pub(crate) const fn padded(&self) -> &[u8; 8] {
        &self.bytes
    }

    /// Reads it back; there is one way to write an id.
    pub(crate) fn from_padded(bytes: [u8; 8]) -> Option<Self> {
        let length = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
        let id = Self::from_ascii(bytes.get(..length)?)?;
        (id.bytes == bytes).then_some(id)
    }

    pub(crate) fn from_ascii(text: &[u8]) -> Option<Self> {
        let fits = (1..=8).contains(&text.len());
        let plain = text.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        if !fits || !plain {
            return None;
        }
        let mut bytes = [0; 8];
        for (to, from) in bytes.iter_mut().zip(text) {
            *to = *from;
        }
        Some(Self { bytes, length: u8::try_from(text.len()).ok()? })
    }
}

impl std::fmt::Display for KeyId {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.as_str())
    }
}

impl std::fmt::Debug for KeyId {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "KeyId({:?})", self.as_str())
    }
}

/// The text is not a key id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key id is 1 to 8 characters of a-z and 0-9")]
pub struct BadKeyId;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_id_is_one_to_eight_plain_characters() {
        for (text, good) in [
            ("a", true),
            ("k2026", true),
            ("12345678", true),
            ("", false),
            ("123456789", false),
            ("K", false),
            ("a_b", false),
        ] {
            assert_eq!(KeyId::new(text).is_ok(), good, "{text}");
        }
    }
}
