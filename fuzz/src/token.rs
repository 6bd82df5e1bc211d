//! Tokens: what we did not issue never verifies, and what we issued counts in the cookie of its kind only.

use std::sync::LazyLock;

use counterfoil_core::keys::KeyRing;
use counterfoil_core::token::{Token, TokenKind, looks_like_token};

use crate::Target;
use crate::request::{FixedKeys, signed_in};

pub(crate) const TARGET: Target =
    Target { name: "token", check, words: &["cfoil1_", "k1", "_", "AAAAAAAAAAAAAAAAAAAA", "-", "="] };

fn check(input: &[u8]) {
    let (keys, genuine) = &*RING;
    if let Ok(text) = std::str::from_utf8(input) {
        for kind in TokenKind::ALL {
            refused_unless_genuine(kind, text, genuine, keys);
        }
    }
    // The input as changes to a genuine token: a byte's place, what it becomes; then what is cut off.
    let mut bytes = genuine.clone().into_bytes();
    for change in input.chunks_exact(2) {
        if let [place, becomes] = change
            && let Some(byte) = bytes.get_mut(usize::from(*place))
        {
            *byte = *becomes;
        }
    }
    if let [cut] = input.chunks_exact(2).remainder() {
        bytes.truncate(usize::from(*cut));
    }
    if let Ok(text) = std::str::from_utf8(&bytes) {
        for kind in TokenKind::ALL {
            refused_unless_genuine(kind, text, genuine, keys);
        }
    }
}

fn refused_unless_genuine(kind: TokenKind, text: &str, genuine: &str, keys: &KeyRing) {
    let read = Token::parse(kind, text, keys);
    let issued = text == genuine && kind == TokenKind::Session;
    assert_eq!(read.is_ok(), issued, "{kind:?}: {text:?}");
    if let Ok(token) = read {
        assert!(looks_like_token(text) && token.generation() == 0);
        assert_eq!(format!("{token:?}"), "Token(redacted)");
    }
}

static RING: LazyLock<(KeyRing, String)> = LazyLock::new(|| {
    let keys = KeyRing::from_source(&FixedKeys).expect("good keys");
    (keys, signed_in().1)
});
