//! The session token: its wire form, its tag, and the hash that is all a store ever sees.

mod hash;
mod kind;

use std::sync::OnceLock;

use aws_lc_rs::{constant_time, hmac};
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
    hash: OnceLock<TokenHash>,
}

impl Token {
    /// A fresh token of generation 0.
    pub(crate) fn fresh(kind: TokenKind, id: SessionId, entropy: &dyn Entropy) -> Result<Self, NoEntropy> {
        Ok(Self::new(kind, id, 0, Zeroizing::new(random(entropy)?)))
    }

    /// Reads a token of `kind` and checks its tag. No store is asked and nothing is allocated.
    ///
    /// # Errors
    /// [`Forged`] if the text is not a token we issued for that cookie: malformed, an unknown key, a wrong tag, or of
    /// another kind. All the same to the caller: no session, and no state changes.
    pub fn parse(kind: TokenKind, text: &str, keys: &KeyRing) -> Result<Self, Forged> {
        let (key_id, body) = text.strip_prefix(PREFIX).and_then(|rest| rest.split_once('_')).ok_or(Forged)?;
        let key = KeyId::from_ascii(key_id.as_bytes()).and_then(|id| keys.find(id)).ok_or(Forged)?;
        let mut bytes = Zeroizing::new([0; HEAD + BODY]);
        let (head, rest) = bytes.split_at_mut(HEAD);
        fill(head, &[TAG_LABEL, &[kind.code()]]);
        let length = URL_SAFE_NO_PAD.decode_slice(body, rest).map_err(|_| Forged)?;
        let (tagged, tag) = bytes.split_at(HEAD + SIGNED);
        let genuine = length == BODY && constant_time::verify_slices_are_equal(&tag_of(tagged, key), tag).is_ok();
        let token = tagged.get(HEAD..).and_then(|signed| Self::from_signed(kind, signed));
        token.filter(|_| genuine).ok_or(Forged)
    }

    /// The wire form, signed by the ring's signing key. Only the cookie writer may call this.
    pub(crate) fn reveal(&self, keys: &KeyRing) -> Zeroizing<String> {
        let key = keys.signing();
        let mut bytes = Zeroizing::new([0; HEAD + BODY]);
        let (tagged, tag) = bytes.split_at_mut(HEAD + SIGNED);
        let (kind, generation) = ([self.kind.code()], self.generation.to_be_bytes());
        fill(tagged, &[TAG_LABEL, &kind, self.id.as_bytes(), &generation, &*self.secret]);
        tag.copy_from_slice(&tag_of(tagged, key));
        let mut text = Zeroizing::new(String::with_capacity(PREFIX.len() + 9 + BODY * 4 / 3 + 2));
        text.push_str(PREFIX);
        text.push_str(key.id.as_str());
        text.push('_');
        URL_SAFE_NO_PAD.encode_string(bytes.get(HEAD..).unwrap_or_default(), &mut text);
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
        *self.hash.get_or_init(|| TokenHash::of(&*self.secret))
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
        Some(Self::new(self.kind, self.id, self.generation.checked_add(1)?, secret))
    }

    /// A token from its parts, as the published vectors have them.
    #[cfg(test)]
    pub(crate) fn assemble(kind: TokenKind, id: SessionId, generation: u32, secret: [u8; SECRET]) -> Self {
        Self::new(kind, id, generation, Zeroizing::new(secret))
    }

    fn from_signed(kind: TokenKind, signed: &[u8]) -> Option<Self> {
        let (id, rest) = signed.split_first_chunk::<{ SessionId::LENGTH }>()?;
        let (generation, secret) = rest.split_first_chunk::<4>()?;
        let secret = Zeroizing::new(secret.try_into().ok()?);
        Some(Self::new(kind, SessionId::from_bytes(*id), u32::from_be_bytes(*generation), secret))
    }

    const fn new(kind: TokenKind, id: SessionId, generation: u32, secret: Zeroizing<[u8; SECRET]>) -> Self {
        Self { kind, id, generation, secret, hash: OnceLock::new() }
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
    memchr::memmem::find(text.as_bytes(), PREFIX.as_bytes()).is_some()
}

/// The tag over a label, the token's kind and what it says.
fn tag_of(tagged: &[u8], key: &PurposeKeys) -> [u8; TAG] {
    let mut tag = [0; TAG];
    fill(&mut tag, &[hmac::sign(&key.token, tagged).as_ref()]);
    tag
}

/// Writes `parts` one after another into `out`; what does not fit is left out.
fn fill(mut out: &mut [u8], parts: &[&[u8]]) {
    for part in parts {
        let (to, rest) = out.split_at_mut(part.len().min(out.len()));
        to.iter_mut().zip(*part).for_each(|(to, from)| *to = *from);
        out = rest;
    }
}

/// How every token begins, so that leak scanners find it; `1` is the format's version.
pub(crate) const PREFIX: &str = "cfoil1_";
const TAG_LABEL: &[u8] = b"counterfoil/v1/token";
const CHAIN_LABEL: &[u8] = b"counterfoil/v1/next";
const SECRET: usize = 32;
const TAG: usize = 16;
/// What the tag covers before the token itself.
const HEAD: usize = TAG_LABEL.len() + 1;
const SIGNED: usize = SessionId::LENGTH + 4 + SECRET;
const BODY: usize = SIGNED + TAG;

#[cfg(test)]
mod tests;
