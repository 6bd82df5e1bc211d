//! The session token: its wire form, its tag, and the hash that is all a store ever sees.

mod hash;
mod kind;

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

pub use self::hash::{Nonce, TokenHash};
pub use self::kind::TokenKind;
use crate::entropy::{Entropy, NoEntropy, random};
use crate::id::SessionId;
use crate::keys::{KeyId, KeyRing, PurposeKeys};

/// The bearer secret of a session, an anonymous session or an elevation.
///
/// On the wire: `cfoil1_<kid>_<base64url(session id 18 B ‖ generation u32 ‖ secret 32 B ‖ tag 16 B)>`.
///
/// # Security
/// Not `Clone`, `Display`, `Serialize` or `PartialEq`; `Debug` prints `Token(redacted)`; wiped when dropped. A token
/// exists only where its tag was checked or where it was made, so holding one means that we issued it. Whether it still
/// opens anything is the store's to say.
pub struct Token {
    kind: TokenKind,
    id: SessionId,
    generation: u32,
    secret: Zeroizing<[u8; SECRET]>,
}

impl Token {
    /// A fresh token of generation 0.
    pub(crate) fn fresh(kind: TokenKind, id: SessionId, entropy: &dyn Entropy) -> Result<Self, NoEntropy> {
        Ok(Self { kind, id, generation: 0, secret: Zeroizing::new(random(entropy)?) })
    }

    /// Reads a token of `kind` and checks its tag. No store is asked and nothing is allocated.
    ///
    /// # Errors
    /// [`Forged`] if the text is not a token we issued for that cookie: malformed, an unknown key, a wrong tag, or of
    /// another kind. All the same to the caller: no session, and no state changes.
    pub fn parse(kind: TokenKind, text: &str, keys: &KeyRing) -> Result<Self, Forged> {
        let (key_id, body) = text.strip_prefix(PREFIX).and_then(|rest| rest.split_once('_')).ok_or(Forged)?;
        let key = KeyId::from_ascii(key_id.as_bytes()).and_then(|id| keys.find(id)).ok_or(Forged)?;
        let mut bytes = Zeroizing::new([0; BODY]);
        let length = URL_SAFE_NO_PAD.decode_slice(body, bytes.as_mut()).map_err(|_| Forged)?;
        let (signed, tag) = bytes.split_at(SIGNED);
        let tag: &[u8; TAG] = tag.try_into().map_err(|_| Forged)?;
        let token = Self::from_signed(kind, signed).ok_or(Forged)?;
        let genuine = length == BODY && bool::from(subtle::ConstantTimeEq::ct_eq(&token.tag(key)[..], &tag[..]));
        if genuine { Ok(token) } else { Err(Forged) }
    }

    /// The wire form, signed by the ring's signing key. Only the cookie writer may call this.
    pub(crate) fn reveal(&self, keys: &KeyRing) -> Zeroizing<String> {
        let key = keys.signing();
        let mut bytes = Zeroizing::new([0; BODY]);
        let (signed, tag) = bytes.split_at_mut(SIGNED);
        signed.copy_from_slice(self.signed().as_slice());
        tag.copy_from_slice(&self.tag(key));
        let mut text = Zeroizing::new(String::with_capacity(PREFIX.len() + 9 + BODY * 4 / 3 + 2));
        text.push_str(PREFIX);
        text.push_str(key.id.as_str());
        text.push('_');
        URL_SAFE_NO_PAD.encode_string(bytes.as_slice(), &mut text);
        text
    }

    /// Which session the token names.
    pub const fn id(&self) -> SessionId {
        self.id
    }

    /// Which link of the family the token is.
    pub const fn generation(&self) -> u32 {
        self.generation
    }

    /// What a store may know of it.
    pub fn hash(&self) -> TokenHash {
        TokenHash::of(&*self.secret)
    }

    /// The one successor of this token for `nonce`, derived with the chain key `key_id` it was offered under.
    /// `None` if that key has left the ring.
    pub(crate) fn successor(&self, nonce: &Nonce, key_id: KeyId, keys: &KeyRing) -> Option<Self> {
        let mut input = Zeroizing::new([0; CHAIN_LABEL.len() + SessionId::LENGTH + 4 + SECRET + Nonce::LENGTH]);
        fill(
            input.as_mut(),
            &[CHAIN_LABEL, self.id.as_bytes(), &self.generation.to_be_bytes(), &*self.secret, nonce.as_bytes()],
        );
        let mac = hmac::sign(&keys.find(key_id)?.chain, input.as_slice());
        let secret = Zeroizing::new(<[u8; SECRET]>::try_from(mac.as_ref()).ok()?);
        Some(Self { kind: self.kind, id: self.id, generation: self.generation.checked_add(1)?, secret })
    }

    /// A token from its parts: one that is derived, or as the published vectors have them.
    pub(crate) fn assemble(kind: TokenKind, id: SessionId, generation: u32, secret: [u8; SECRET]) -> Self {
        Self { kind, id, generation, secret: Zeroizing::new(secret) }
    }

    fn from_signed(kind: TokenKind, signed: &[u8]) -> Option<Self> {
        let (id, rest) = signed.split_first_chunk::<{ SessionId::LENGTH }>()?;
        let (generation, secret) = rest.split_first_chunk::<4>()?;
        let secret = Zeroizing::new(secret.try_into().ok()?);
        Some(Self { kind, id: SessionId::from_bytes(*id), generation: u32::from_be_bytes(*generation), secret })
    }

    fn signed(&self) -> Zeroizing<[u8; SIGNED]> {
        let mut bytes = Zeroizing::new([0; SIGNED]);
        fill(bytes.as_mut(), &[self.id.as_bytes(), &self.generation.to_be_bytes(), &*self.secret]);
        bytes
    }

    fn tag(&self, key: &PurposeKeys) -> [u8; TAG] {
        let mut input = Zeroizing::new([0; TAG_LABEL.len() + 1 + SIGNED]);
        fill(input.as_mut(), &[TAG_LABEL, &[self.kind.code()], self.signed().as_slice()]);
        let mac = hmac::sign(&key.token, input.as_slice());
        let mut tag = [0; TAG];
        fill(&mut tag, &[mac.as_ref()]);
        tag
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Token(redacted)")
    }
}

/// The text is not a token we issued for this cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a token we issued")]
pub struct Forged;

/// Whether `text` looks like one of our tokens, genuine or not: for finding them where none may be.
pub fn looks_like_token(text: &str) -> bool {
    text.contains(PREFIX)
}

/// Writes `parts` one after another into `out`; what does not fit is left out.
fn fill(out: &mut [u8], parts: &[&[u8]]) {
    let source = parts.iter().flat_map(|part| part.iter());
    for (to, from) in out.iter_mut().zip(source) {
        *to = *from;
    }
}

/// How every token begins, so that leak scanners find it; `1` is the format's version.
pub(crate) const PREFIX: &str = "cfoil1_";
const TAG_LABEL: &[u8] = b"counterfoil/v1/token";
const CHAIN_LABEL: &[u8] = b"counterfoil/v1/next";
const SECRET: usize = 32;
const TAG: usize = 16;
const SIGNED: usize = SessionId::LENGTH + 4 + SECRET;
const BODY: usize = SIGNED + TAG;

#[cfg(test)]
mod tests;
