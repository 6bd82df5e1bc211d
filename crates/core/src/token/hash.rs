//! What a store may know of a token: the SHA-256 of its secret, and the nonce of an open link.

use aws_lc_rs::{constant_time, digest};

/// SHA-256 of a token's secret. Compared in constant time; `Debug` shows nothing.
#[derive(Clone, Copy)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// The hash of no token: nobody knows, or ever finds, what SHA-256 makes zeros of.
    pub const OF_NONE: Self = Self([0; 32]);

    pub(crate) fn of(secret: &[u8]) -> Self {
        let mut hash = [0; 32];
        for (to, from) in hash.iter_mut().zip(digest::digest(&digest::SHA256, secret).as_ref()) {
            *to = *from;
        }
        Self(hash)
    }

    /// From its bytes, as a store kept them.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, for a store's record.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl PartialEq for TokenHash {
    fn eq(&self, other: &Self) -> bool {
        constant_time::verify_slices_are_equal(&self.0, &other.0).is_ok()
    }
}

impl Eq for TokenHash {}

impl std::fmt::Debug for TokenHash {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("TokenHash(redacted)")
    }
}

/// The random part of a successor's derivation. Kept while its link is open, erased when it closes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Nonce([u8; Self::LENGTH]);

impl Nonce {
    /// Bytes in a nonce.
    pub const LENGTH: usize = 16;

    /// From its bytes, as a store kept them.
    pub const fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }

    /// The bytes, for a store's sealed part.
    pub const fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }
}

impl std::fmt::Debug for Nonce {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Nonce(redacted)")
    }
}
