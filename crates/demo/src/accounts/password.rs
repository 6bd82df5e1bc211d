//! A password as typed, and what a new one must be.

use std::fmt;

use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

/// A password as someone typed it. Never shown, never compared outside this module, overwritten when dropped.
pub struct Password(Zeroizing<String>);

/// Why a new password is not accepted. The text may be shown to the person who chose it.
///
/// The rules are NIST SP 800-63B-4, 3.1.1.2: a length, a blocklist and nothing else (no classes of characters, no
/// expiry). That section asks 15 characters of a password that is the only factor and 8 beside another one; the demo
/// takes 8, because its printed passwords must be quick to type. Take 15 where the password stands alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NewPasswordRefused {
    /// Fewer than [`MINIMUM_CHARACTERS`].
    #[error("the new password has fewer than {MINIMUM_CHARACTERS} characters")]
    TooShort,
    /// More than [`MAXIMUM_BYTES`].
    #[error("the new password is longer than {MAXIMUM_BYTES} bytes")]
    TooLong,
    /// On the blocklist, or made of the account's name.
    #[error("the new password is among the first ones anyone would guess")]
    Guessable,
    /// The one being replaced.
    #[error("the new password is the current one")]
    Unchanged,
}

/// Unicode characters, as NIST counts them.
pub const MINIMUM_CHARACTERS: usize = 8;
/// Well above the 64 characters NIST asks to allow; bounded, so that hashing has a bounded input.
pub const MAXIMUM_BYTES: usize = 256;

impl Password {
    /// Takes a copy of what was typed.
    pub fn new(typed: &str) -> Self {
        Self(Zeroizing::new(typed.to_owned()))
    }

    /// What the hash function gets: nothing longer than [`MAXIMUM_BYTES`], as no account has such a password.
    pub(super) fn bytes_to_hash(&self) -> Option<&[u8]> {
        (self.0.len() <= MAXIMUM_BYTES).then_some(self.0.as_bytes())
    }

    pub(super) fn acceptable_as_new(&self, name: &str, current: &Self) -> Result<(), NewPasswordRefused> {
        let guessable = |word: &str| self.0.eq_ignore_ascii_case(word);
        if self.0.len() > MAXIMUM_BYTES {
            Err(NewPasswordRefused::TooLong)
        } else if self.0.chars().count() < MINIMUM_CHARACTERS {
            Err(NewPasswordRefused::TooShort)
        } else if BLOCKLIST.iter().any(|word| guessable(word)) || guessable(&name.repeat(2)) || guessable(name) {
            Err(NewPasswordRefused::Guessable)
        } else if *self.0 == *current.0 {
            // Both were just sent by the same person, so how long the comparison takes tells nobody anything.
            Err(NewPasswordRefused::Unchanged)
        } else {
            Ok(())
        }
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(redacted)")
    }
}

impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|typed| Self(Zeroizing::new(typed)))
    }
}

/// The most used passwords of eight characters and more. A real application asks a breach corpus instead.
const BLOCKLIST: &[&str] = &[
    "password",
    "password1",
    "password123",
    "passw0rd",
    "12345678",
    "123456789",
    "1234567890",
    "87654321",
    "11111111",
    "00000000",
    "qwertyuiop",
    "qwerty123",
    "iloveyou",
    "sunshine",
    "princess",
    "football",
    "baseball",
    "superman",
    "trustno1",
    "letmein1",
    "counterfoil",
];

#[cfg(test)]
mod tests {
    use super::{NewPasswordRefused::*, *};

    #[test]
    fn a_new_password_has_a_length_and_is_not_the_first_guess() {
        let (long, too_long) = ("x".repeat(MAXIMUM_BYTES), "x".repeat(MAXIMUM_BYTES + 1));
        #[rustfmt::skip]
        let table = [
            ("seven characters",       "abcdefg",        Err(TooShort)),
            ("seven, more than bytes", "äöüäöüä",        Err(TooShort)),
            ("eight characters",       "abcdefgh",       Ok(())),
            ("spaces count",           "a b c d ",       Ok(())),
            ("no classes asked for",   "aaaaaaaaaaaab",  Ok(())),
            ("256 bytes",              &long,            Ok(())),
            ("257 bytes",              &too_long,        Err(TooLong)),
            ("on the list",            "Password123",    Err(Guessable)),
            ("the name twice",         "gracegrace",     Err(Guessable)),
            ("the current one",        "grace-demo-1",   Err(Unchanged)),
        ];
        for (name, new, verdict) in table {
            let current = Password::new("grace-demo-1");
            assert_eq!(Password::new(new).acceptable_as_new("grace", &current), verdict, "{name}");
        }
    }

    #[test]
    fn the_whole_blocklist_is_long_enough_to_matter() {
        assert!(BLOCKLIST.iter().all(|word| word.len() >= MINIMUM_CHARACTERS));
    }
}
