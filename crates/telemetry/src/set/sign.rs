//! Signing: who has the keys, and the form of what is signed (JWS, RFC 7515).

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use counterfoil_core::Moment;
use serde_json::{Value, json};

/// Who signs tokens. The gateway's assertion keys do, so that receivers need one key set only.
pub trait Signer: Send + Sync + 'static {
    /// `claims`, signed with the key of that moment, as [`compact`] writes it.
    ///
    /// # Errors
    /// [`Unsigned`]: there is no key, or it does not sign.
    fn sign(&self, claims: &[u8], now: Moment) -> Result<String, Unsigned>;
}

/// There is no key, or it does not sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a security event token could not be signed")]
pub struct Unsigned;

/// A token in its compact form (RFC 7515, section 7.1), its header typed as RFC 8417, section 2.3, wants it: so that none
/// is taken for another kind of token. `sign` makes the signature of the bytes it gets.
///
/// # Errors
/// [`Unsigned`]: `sign` made none.
pub fn compact(
    algorithm: &str,
    key_id: &str,
    claims: &[u8],
    sign: impl FnOnce(&[u8]) -> Result<Vec<u8>, Unsigned>,
) -> Result<String, Unsigned> {
    let mut text = BASE64.encode(json!({ "alg": algorithm, "kid": key_id, "typ": TYPE }).to_string());
    text.push('.');
    BASE64.encode_string(claims, &mut text);
    let signature = sign(text.as_bytes())?;
    text.push('.');
    BASE64.encode_string(signature, &mut text);
    Ok(text)
}

/// One key that always signs: for programs that have no others.
pub struct SigningKey {
    id: String,
    key: Key,
}

enum Key {
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
}

impl SigningKey {
    /// A key on P-256, from its PKCS #8 form (DER).
    ///
    /// # Errors
    /// [`Unsigned`]: it is no such key.
    pub fn es256(id: &str, pkcs8: &[u8]) -> Result<Self, Unsigned> {
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).map_err(|_| Unsigned)?;
        Ok(Self { id: id.to_owned(), key: Key::Es256(key) })
    }

    /// An Ed25519 key, from its PKCS #8 form (DER).
    ///
    /// # Errors
    /// [`Unsigned`]: it is no such key.
    pub fn eddsa(id: &str, pkcs8: &[u8]) -> Result<Self, Unsigned> {
        let key = Ed25519KeyPair::from_pkcs8(pkcs8).map_err(|_| Unsigned)?;
        Ok(Self { id: id.to_owned(), key: Key::EdDsa(key) })
    }

    /// A new Ed25519 key, which ends with the program: receivers look it up again.
    ///
    /// # Errors
    /// [`Unsigned`]: the system has no randomness.
    pub fn generate(id: &str) -> Result<Self, Unsigned> {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| Unsigned)?;
        Self::eddsa(id, pkcs8.as_ref())
    }

    /// The key set of a program that has this key alone (RFC 7517).
    pub fn key_set(&self) -> String {
        json!({ "keys": [self.jwk()] }).to_string()
    }

    /// Its public half (RFC 7517), for a key set.
    pub fn jwk(&self) -> Value {
        let id = &self.id;
        match &self.key {
            Key::Es256(key) => {
                // Uncompressed: 4, x, y (SEC 1, section 2.3.3).
                let point = key.public_key().as_ref().get(1..).unwrap_or_default();
                let (x, y) = point.split_at(point.len() / 2);
                let (x, y) = (BASE64.encode(x), BASE64.encode(y));
                json!({ "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": id, "x": x, "y": y })
            }
            Key::EdDsa(key) => {
                let x = BASE64.encode(key.public_key().as_ref());
                json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": id, "x": x })
            }
        }
    }
}

impl Signer for SigningKey {
    fn sign(&self, claims: &[u8], _: Moment) -> Result<String, Unsigned> {
        match &self.key {
            Key::Es256(key) => compact("ES256", &self.id, claims, |text| {
                let signature = key.sign(&SystemRandom::new(), text).map_err(|_| Unsigned)?;
                Ok(signature.as_ref().to_vec())
            }),
            Key::EdDsa(key) => compact("EdDSA", &self.id, claims, |text| {
                Ok(key.try_sign(text).map_err(|_| Unsigned)?.as_ref().to_vec())
            }),
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("SigningKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The header's `typ`, and with `application/` before it the content type.
pub(super) const TYPE: &str = "secevent+jwt";
