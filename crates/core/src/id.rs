//! Who is who: the public session id, the subject, and the keyed reference under which stores know a subject.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::entropy::{Entropy, NoEntropy, random};

/// The public name of a session: safe in logs, lists and URLs; it never authenticates anybody.
///
/// 18 bytes: a 2-byte bucket that keeps one subject's sessions together in a sharded store, and 16 random bytes.
/// Its text form is `ses_` and 24 characters of base64url.
///
/// # Examples
/// ```
/// use counterfoil_core::SessionId;
///
/// let id: SessionId = "ses_AAECAwQFBgcICQoLDA0ODxAR".parse()?;
/// assert_eq!(id.to_string(), "ses_AAECAwQFBgcICQoLDA0ODxAR");
/// # Ok::<(), counterfoil_core::NotASessionId>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId([u8; Self::LENGTH]);

impl SessionId {
    /// Bytes in an id.
    pub const LENGTH: usize = 18;

    /// A fresh id in `bucket`.
    pub(crate) fn fresh(bucket: Bucket, entropy: &dyn Entropy) -> Result<Self, NoEntropy> {
        let mut id = [0; Self::LENGTH];
        let (head, tail) = id.split_at_mut(2);
        head.copy_from_slice(&bucket.0);
        entropy.fill(tail)?;
        Ok(Self(id))
    }

    /// From its bytes, as a store kept them.
    pub const fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }

    /// The bytes, for a store's key.
    pub const fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }

    /// Which bucket the session lies in.
    pub const fn bucket(&self) -> Bucket {
        Bucket([self.0[0], self.0[1]])
    }
}

impl std::fmt::Display for SessionId {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = [0; 24];
        let _ = URL_SAFE_NO_PAD.encode_slice(self.0, &mut text);
        out.write_str("ses_")?;
        out.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl std::fmt::Debug for SessionId {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, out)
    }
}

impl std::str::FromStr for SessionId {
    type Err = NotASessionId;

    fn from_str(text: &str) -> Result<Self, NotASessionId> {
        let body = text.strip_prefix("ses_").filter(|body| body.len() == 24).ok_or(NotASessionId)?;
        let mut id = [0; Self::LENGTH];
        let length = URL_SAFE_NO_PAD.decode_slice(body, &mut id).map_err(|_| NotASessionId)?;
        if length == Self::LENGTH { Ok(Self(id)) } else { Err(NotASessionId) }
    }
}

/// The text is not a session id: `ses_` and 24 characters of base64url.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a session id: expected `ses_` and 24 characters of base64url")]
pub struct NotASessionId;

/// Where a session lies in a sharded store: a keyed hash of the subject, or random for anonymous sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bucket(pub(crate) [u8; 2]);

impl Bucket {
    /// A random bucket, for an anonymous session.
    pub(crate) fn random(entropy: &dyn Entropy) -> Result<Self, NoEntropy> {
        random::<2>(entropy).map(Self)
    }

    /// The bucket as a number.
    pub const fn number(self) -> u16 {
        u16::from_be_bytes(self.0)
    }
}

/// Whose session it is: the application's own id of its user.
///
/// 1 to 255 bytes without control characters. Prefer an id that never changes over a name or an e-mail address.
///
/// # Examples
/// ```
/// use counterfoil_core::Subject;
///
/// assert_eq!(Subject::new("42")?.as_str(), "42");
/// assert!(Subject::new("").is_err());
/// # Ok::<(), counterfoil_core::BadSubject>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Subject(Arc<str>);

impl Subject {
    /// The longest subject, in bytes.
    pub const MAX_BYTES: usize = 255;

    /// Checks and takes a subject.
    ///
    /// # Errors
    /// [`BadSubject`] if it is empty, too long, or holds a control character.
    pub fn new(text: impl AsRef<str>) -> Result<Self, BadSubject> {
        let text = text.as_ref();
        match text {
            "" => Err(BadSubject::Empty),
            _ if text.len() > Self::MAX_BYTES => Err(BadSubject::TooLong { bytes: text.len() }),
            _ if text.chars().any(char::is_control) => Err(BadSubject::ControlCharacter),
            _ => Ok(Self(text.into())),
        }
    }

    /// The subject as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Subject {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::fmt::Debug for Subject {
    /// Not shown: a subject may be an e-mail address, and `Debug` ends up in logs.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Subject(…)")
    }
}

/// Why a text cannot be a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadSubject {
    /// It is empty.
    #[error("a subject may not be empty")]
    Empty,
    /// It is longer than [`Subject::MAX_BYTES`].
    #[error("a subject of {bytes} bytes exceeds {max}", max = Subject::MAX_BYTES)]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// It holds a control character.
    #[error("a subject may not hold control characters")]
    ControlCharacter,
}

/// The name under which stores and events know a subject: a keyed hash, so that neither reveals who it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SubjectRef([u8; 16]);

impl SubjectRef {
    /// From its bytes, as a store kept them.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes, for a store's key.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The bucket in which all sessions of this subject lie.
    pub const fn bucket(&self) -> Bucket {
        Bucket([self.0[0], self.0[1]])
    }
}

impl std::fmt::Display for SubjectRef {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl std::str::FromStr for SubjectRef {
    type Err = NotASubjectRef;

    fn from_str(text: &str) -> Result<Self, NotASubjectRef> {
        let mut bytes = [0; 16];
        // No longer text fits, and none that says the same in another way is taken.
        match URL_SAFE_NO_PAD.decode_slice(text, &mut bytes) {
            Ok(16) => Ok(Self(bytes)),
            _ => Err(NotASubjectRef),
        }
    }
}

/// The text is not the name under which events know a subject: 22 characters of base64url.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a `user.hash`: expected 22 characters of base64url")]
pub struct NotASubjectRef;

impl std::fmt::Debug for SubjectRef {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "SubjectRef({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_id_reads_back_as_it_was_printed(bytes: [u8; 18]) {
            let id = SessionId::from_bytes(bytes);
            prop_assert_eq!(id.to_string().parse(), Ok(id));
        }

        #[test]
        fn a_reference_reads_back_as_it_was_printed(bytes: [u8; 16]) {
            let reference = SubjectRef::from_bytes(bytes);
            prop_assert_eq!(reference.to_string().parse(), Ok(reference));
        }

        #[test]
        fn no_text_makes_the_parsers_panic(text: String) {
            let _ = text.parse::<SessionId>();
            let _ = text.parse::<SubjectRef>();
        }
    }

    #[test]
    fn a_reference_has_one_text() {
        assert!("CQkJCQkJCQkJCQkJCQkJCQ".parse::<SubjectRef>().is_ok());
        for bad in [
            "",
            "CQkJCQkJCQkJCQkJCQkJCR",
            "CQkJCQkJCQkJCQkJCQkJCQ==",
            "CQkJCQkJCQkJCQkJCQkJ",
            "CQkJCQkJCQkJCQkJCQkJCQkJ",
        ] {
            assert_eq!(bad.parse::<SubjectRef>(), Err(NotASubjectRef), "{bad}");
        }
    }

    #[test]
    fn a_subject_is_short_and_printable() {
        assert_eq!(Subject::new("x".repeat(256)), Err(BadSubject::TooLong { bytes: 256 }));
        assert!(Subject::new("x".repeat(255)).is_ok());
        assert_eq!(Subject::new("a\nb"), Err(BadSubject::ControlCharacter));
    }

    #[test]
    fn a_subject_does_not_show_in_debug() {
        assert!(!format!("{:?}", Subject::new("ada@example.org")).contains("ada"));
    }
}
