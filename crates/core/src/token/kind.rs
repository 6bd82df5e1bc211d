//! Which cookie a token belongs to.

/// What a token is for. It counts only in the cookie of its kind; the tag covers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// A signed-in session.
    Session,
    /// An anonymous session.
    Visit,
    /// A step-up beside a session.
    Elevated,
}

impl TokenKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Session, Self::Visit, Self::Elevated];

    /// The byte under the tag.
    pub(super) const fn code(self) -> u8 {
        match self {
            Self::Session => b's',
            Self::Visit => b'v',
            Self::Elevated => b'e',
        }
    }
}
