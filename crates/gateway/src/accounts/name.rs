//! The name of a local account: what people type, and the subject of their sessions.

use std::fmt;
use std::str::FromStr;

use counterfoil::Subject;

/// A name: 1 to 64 of a to z, 0 to 9 and `. _ - + @`, beginning with a letter or digit.
///
/// # Security
/// Small letters only, so that no two accounts look alike, and a name is the same in every header, log and file. What
/// people type at sign-in is read with capitals folded and white space around it dropped; their telephone puts it there.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountName(Box<str>);

/// Not the name of an account.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` cannot be the name of an account: use 1 to 64 of a to z, 0 to 9 and . _ - + @, a letter or digit first; small \
     letters only"
)]
pub struct BadAccountName(Box<str>);

impl AccountName {
    /// The longest name, in bytes.
    pub const MAX_BYTES: usize = 64;

    /// As it stands in files and headers.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name somebody means who types this, if it can be one.
    pub fn typed(text: &str) -> Option<Self> {
        let text = text.trim();
        // Before it is copied: what is typed has any length.
        (text.len() <= Self::MAX_BYTES).then(|| text.to_ascii_lowercase().parse().ok()).flatten()
    }

    /// The subject of this account's sessions.
    pub fn subject(&self) -> Option<Subject> {
        Subject::new(&self.0).ok()
    }
}

impl FromStr for AccountName {
    type Err = BadAccountName;

    fn from_str(text: &str) -> Result<Self, BadAccountName> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let fits = (1..=Self::MAX_BYTES).contains(&text.len())
            && text.bytes().next().is_some_and(plain)
            && text.bytes().all(|byte| plain(byte) || b"._-+@".contains(&byte));
        if fits { Ok(Self(text.into())) } else { Err(BadAccountName(shown(text).into())) }
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&self.0)
    }
}

/// The start of what was written, fit for a terminal.
fn shown(text: &str) -> String {
    let printable = |char: char| if char.is_control() { char::REPLACEMENT_CHARACTER } else { char };
    text.chars().take(AccountName::MAX_BYTES).map(printable).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_plain_and_never_look_alike() {
        let (longest, too_long) = ("a".repeat(64), "a".repeat(65));
        for (text, good) in [
            ("ada", true),
            ("ada.lovelace@example.org", true),
            ("a", true),
            ("7of9", true),
            ("a_b-c+d", true),
            (longest.as_str(), true),
            (too_long.as_str(), false),
            ("", false),
            ("Ada", false),
            (".ada", false),
            ("-ada", false),
            ("@ada", false),
            ("a da", false),
            ("a/b", false),
            ("a:b", false),
            ("a\"b", false),
            ("a\nb", false),
            ("аda", false),
            ("ädä", false),
        ] {
            assert_eq!(text.parse::<AccountName>().is_ok(), good, "{text:?}");
        }
        assert!(!"a\u{1b}[2Jb".parse::<AccountName>().unwrap_err().to_string().contains('\u{1b}'));
    }

    #[test]
    fn what_a_telephone_types_is_the_name_it_means() {
        let long = format!("{}a", " ".repeat(100_000));
        for (typed, name) in [
            ("ada", Some("ada")),
            ("Ada ", Some("ada")),
            ("\tADA@Example.org", Some("ada@example.org")),
            (long.as_str(), Some("a")),
            ("a da", None),
            ("", None),
            ("ÄDA", None),
        ] {
            assert_eq!(AccountName::typed(typed).as_ref().map(AccountName::as_str), name, "{typed:.20}");
        }
    }
}
