//! Tokens as symbols: who holds one can show it, and nobody can guess one.

use counterfoil_core::rules::family::Presented;
use counterfoil_core::token::{Nonce, TokenHash};

/// A token of a session. No two tokens of a history are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// Which session it names: a sign-in whose reply was lost leaves one that nobody uses.
    pub session: u16,
    /// Which link of the family it is.
    pub generation: u32,
    secret: u64,
}

impl Token {
    /// The token a sign-in sends.
    pub const fn first(session: u16, secret: u64) -> Self {
        Self { session, generation: 0, secret }
    }

    /// Its one successor for `nonce`: whoever derives it again gets the same one.
    pub fn successor(&self, nonce: &Nonce) -> Self {
        let nonce = nonce.as_bytes().first_chunk().map_or(0, |half| u64::from_be_bytes(*half));
        Self { generation: self.generation.saturating_add(1), secret: mixed(self.secret ^ mixed(nonce)), ..*self }
    }

    /// What the server keeps of it.
    pub fn hash(&self) -> TokenHash {
        let mut bytes = [0; 32];
        for (to, from) in bytes.iter_mut().zip(self.secret.to_be_bytes()) {
            *to = from;
        }
        TokenHash::from_bytes(bytes)
    }

    /// The token as the rules see it.
    pub fn presented(&self) -> Presented {
        Presented { generation: self.generation, hash: self.hash() }
    }
}

/// A fresh nonce.
pub(crate) fn nonce(random: &mut fastrand::Rng) -> Nonce {
    Nonce::from_bytes(random.u128(..).to_be_bytes())
}

/// A one-to-one scrambling of 64 bits (the finalizer of `splitmix64`).
pub(crate) const fn mixed(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_successor_is_the_same_one_for_the_same_nonce_only() {
        let (token, one, two) = (Token::first(0, 7), Nonce::from_bytes([1; 16]), Nonce::from_bytes([2; 16]));
        assert_eq!(token.successor(&one), token.successor(&one));
        assert_ne!(token.successor(&one), token.successor(&two));
        assert_ne!(token.successor(&one).hash(), token.hash());
        assert_eq!(token.successor(&one).generation, 1);
    }
}
