//! JSON web tokens, made and read by hand: the flawed sites need what no library lets one do.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// A token in its parts.
#[derive(Debug, Clone)]
pub(crate) struct Jwt {
    /// Algorithm and type.
    pub(crate) head: Value,
    /// Who, until when, for whom.
    pub(crate) claims: Value,
    /// What the signature is over.
    pub(crate) input: String,
    /// Decoded.
    pub(crate) signature: Vec<u8>,
}

impl Jwt {
    /// The parts of a token, nothing checked.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let (input, signature) = text.rsplit_once('.')?;
        let (head, claims) = input.split_once('.')?;
        let value = |part| serde_json::from_slice(&unbase64(part)?).ok();
        let signature = unbase64(signature)?;
        Some(Self { head: value(head)?, claims: value(claims)?, input: input.to_owned(), signature })
    }

    /// A text claim.
    pub(crate) fn says(&self, claim: &str) -> Option<&str> {
        self.claims.get(claim)?.as_str()
    }

    /// The algorithm it says it has.
    pub(crate) fn algorithm(&self) -> &str {
        self.head.get("alg").and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether it is signed with that secret.
    pub(crate) fn is_signed(&self, secret: &[u8]) -> bool {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        hmac::verify(&key, self.input.as_bytes(), &self.signature).is_ok()
    }

    /// Whether it has not expired.
    pub(crate) fn is_fresh(&self) -> bool {
        let expires = self.claims.get("exp").and_then(Value::as_u64);
        expires.is_some_and(|at| at > crate::house::now().as_secs())
    }
}

/// Everything before the signature.
pub(crate) fn unsigned(algorithm: &str, claims: &Value) -> String {
    let part = |value: &Value| base64(value.to_string().as_bytes());
    format!("{}.{}", part(&json!({ "alg": algorithm, "typ": "JWT" })), part(claims))
}

/// A token signed with a shared secret.
pub(crate) fn signed(secret: &[u8], claims: &Value) -> String {
    let input = unsigned("HS256", claims);
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), input.as_bytes());
    format!("{input}.{}", base64(tag.as_ref()))
}

/// As in tokens.
pub(crate) fn base64(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// As in tokens.
pub(crate) fn unbase64(text: &str) -> Option<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD.decode(text).ok()
}
