//! A password as typed, and what a new one must be.

use std::fmt;

use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

/// A password as someone typed it. Never shown, never compared outside this module, overwritten when dropped.
pub struct Password(Zeroizing<String>);

/// What a new password must be.
///
/// The rules are NIST SP 800-63B-4, 3.1.1.2: a length, a blocklist and nothing else (no classes of characters, no
/// expiry). The blocklist is the few words everybody tries; where it matters, ask a breach corpus as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordRules {
    minimum: usize,
}

/// Why a new password is not accepted. The text may be shown to the person who chose it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NewPasswordRefused {
    /// Too few characters.
    #[error("the new password has fewer than {minimum} characters")]
    TooShort {
        /// The fewest it may have.
        minimum: usize,
    },
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
}

impl PasswordRules {
    /// For a password that is the only factor: 15 characters at least, of any kind.
    pub const ALONE: Self = Self { minimum: 15 };
    /// For a password beside another factor: 8 characters at least, of any kind.
    pub const BESIDE_ANOTHER_FACTOR: Self = Self { minimum: 8 };

    /// The fewest Unicode characters, as NIST counts them.
    pub const fn minimum(self) -> usize {
        self.minimum
    }

    /// Whether `new` may become the password of the account `name`, in place of `current` where that is known.
    ///
    /// # Errors
    /// [`NewPasswordRefused`]: ask for another one.
    pub fn check(self, new: &Password, name: &str, current: Option<&Password>) -> Result<(), NewPasswordRefused> {
        let guessable = |word: &str| new.0.eq_ignore_ascii_case(word);
        if new.0.len() > MAXIMUM_BYTES {
            Err(NewPasswordRefused::TooLong)
        } else if new.0.chars().count() < self.minimum {
            Err(NewPasswordRefused::TooShort { minimum: self.minimum })
        } else if BLOCKLIST.iter().any(|word| guessable(word)) || guessable(&name.repeat(2)) || guessable(name) {
            Err(NewPasswordRefused::Guessable)
        } else if current.is_some_and(|current| *new.0 == *current.0) {
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

/// The most used passwords of eight characters and more.
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
            ("seven characters",       "abcdefg",        Err(TooShort { minimum: 8 })),
            ("seven, more than bytes", "äöüäöüä",        Err(TooShort { minimum: 8 })),
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
            let rules = PasswordRules::BESIDE_ANOTHER_FACTOR;
            assert_eq!(rules.check(&Password::new(new), "grace", Some(&current)), verdict, "{name}");
        }
    }

    #[test]
    fn a_password_that_stands_alone_is_longer() {
        let verdict = |new| PasswordRules::ALONE.check(&Password::new(new), "grace", None);
        assert_eq!(verdict("fourteen chars"), Err(TooShort { minimum: 15 }));
        assert_eq!(verdict("fifteen chars !"), Ok(()));
    }

    #[test]
    fn the_whole_blocklist_is_long_enough_to_matter() {
        let minimum = PasswordRules::BESIDE_ANOTHER_FACTOR.minimum();
        assert!(BLOCKLIST.iter().all(|word| word.len() >= minimum));
    }
}
