//! What is derived from the cookie of the layer before: the id and the first token of the one session it leads to.

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use super::REFERENCE;
use crate::cookie::OldCookie;
use crate::id::{Bucket, SessionId};
use crate::record::Reference;
use crate::token::{Token, TokenKind};

/// The one session that an old cookie leads to.
///
/// # Security
/// Derived, so that parallel tabs, repeated requests and other nodes come to the same session, and a second adoption
/// finds the first one's record or tombstone. The store keeps a keyed hash of the cookie; the token takes key and cookie.
pub(super) struct Heir<'a> {
    key: hmac::Key,
    name: &'a str,
    cookie: &'a OldCookie,
    tail: [u8; 16],
    text: String,
}

impl<'a> Heir<'a> {
    pub(super) fn of(key: hmac::Key, name: &'a str, cookie: &'a OldCookie) -> Self {
        let mac = derive(&key, ID_LABEL, &[], name, cookie);
        let mut tail = [0; 16];
        tail.iter_mut().zip(mac.as_ref()).for_each(|(to, from)| *to = *from);
        Self { key, name, cookie, tail, text: URL_SAFE_NO_PAD.encode(tail) }
    }

    /// The name under which the store knows the session.
    pub(super) fn name(&self) -> &str {
        &self.text
    }

    pub(super) fn reference(&self) -> Reference {
        Reference { kind: REFERENCE.into(), value: self.text.as_str().into() }
    }

    /// The session of a subject in `bucket`, and its first token.
    pub(super) fn first_token(&self, bucket: Bucket) -> Option<(SessionId, Token)> {
        let mut id = [0; SessionId::LENGTH];
        id.iter_mut().zip(bucket.0.iter().chain(&self.tail)).for_each(|(to, from)| *to = *from);
        let id = SessionId::from_bytes(id);
        Some((id, self.token(id)?))
    }

    /// The first token of the session `id`.
    pub(super) fn token(&self, id: SessionId) -> Option<Token> {
        let mac = derive(&self.key, TOKEN_LABEL, id.as_bytes(), self.name, self.cookie);
        Some(Token::assemble(TokenKind::Session, id, 0, mac.as_ref().try_into().ok()?))
    }
}

fn derive(key: &hmac::Key, label: &[u8], id: &[u8], name: &str, cookie: &OldCookie) -> hmac::Tag {
    // A cookie's name has no zero byte, so no two inputs run together.
    let input = [label, id, name.as_bytes(), &[0], cookie.value().as_bytes()];
    let mut whole = Zeroizing::new(Vec::with_capacity(input.iter().map(|part| part.len()).sum()));
    for part in input {
        whole.extend_from_slice(part);
    }
    hmac::sign(key, &whole)
}

const ID_LABEL: &[u8] = b"counterfoil/v1/adopt/id\0";
const TOKEN_LABEL: &[u8] = b"counterfoil/v1/adopt/token\0";
