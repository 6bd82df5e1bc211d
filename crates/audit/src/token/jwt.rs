//! JSON web tokens: taken apart, and put together as no library would.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

/// A signed token in its parts; nothing about it was checked.
#[derive(Clone, PartialEq)]
pub struct Jwt {
    /// Algorithm and type.
    pub header: Map<String, Value>,
    /// What it says.
    pub claims: Value,
    /// What the signature is over.
    pub input: String,
    /// Its signature; empty where it has none.
    pub signature: Vec<u8>,
}

/// A MAC of JSON web tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hs {
    /// With SHA-256.
    Hs256,
    /// With SHA-384.
    Hs384,
    /// With SHA-512.
    Hs512,
}

impl Jwt {
    /// The parts of a token.
    pub fn read(text: &str) -> Option<Self> {
        let (input, signature) = text.rsplit_once('.')?;
        let (header, claims) = input.split_once('.')?;
        let header: Map<String, Value> = serde_json::from_slice(&unbase64(header)?).ok()?;
        let claims: Value = serde_json::from_slice(&unbase64(claims)?).ok()?;
        let named = header.get("alg").is_some_and(Value::is_string) && claims.is_object();
        named.then_some(Self { header, claims, input: input.to_owned(), signature: unbase64(signature)? })
    }

    /// The algorithm it names.
    pub fn algorithm(&self) -> &str {
        self.header.get("alg").and_then(Value::as_str).unwrap_or_default()
    }

    /// Its MAC, where it has one.
    pub fn hs(&self) -> Option<Hs> {
        Hs::ALL.into_iter().find(|hs| hs.name() == self.algorithm())
    }

    /// Whether a secret made its MAC.
    pub fn is_by(&self, hs: Hs, secret: &[u8]) -> bool {
        hmac::verify(&hs.key(secret), self.input.as_bytes(), &self.signature).is_ok()
    }

    /// When it says it ends, in seconds since 1970.
    pub fn expires(&self) -> Option<u64> {
        let exp = self.claims.get("exp")?;
        exp.as_u64().or_else(|| format!("{:.0}", exp.as_f64()?).parse().ok())
    }

    /// The same with other claims, below the header's algorithm replaced by `algorithm`, without a signature.
    pub fn unsigned(&self, algorithm: &str, claims: &Value) -> String {
        let mut header = self.header.clone();
        header.insert("alg".to_owned(), Value::String(algorithm.to_owned()));
        format!("{}.{}", encoded(&Value::Object(header)), encoded(claims))
    }

    /// The same with other claims, signed with a secret.
    pub fn signed(&self, hs: Hs, secret: &[u8], claims: &Value) -> String {
        let input = self.unsigned(hs.name(), claims);
        let tag = hmac::sign(&hs.key(secret), input.as_bytes());
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(tag))
    }

    /// The same, saying that it is unsigned, in every spelling: with and without the dot at the end.
    pub fn of_no_algorithm(&self, claims: &Value) -> Vec<String> {
        let bare = ["none", "None", "NONE", "nOnE"].map(|spelling| self.unsigned(spelling, claims));
        let dotted = bare.iter().map(|bare| format!("{bare}."));
        dotted.chain(bare.first().cloned()).collect()
    }

    /// The same with one bit of the signature turned, in its middle: the last bits of base 64 may mean nothing.
    pub fn broken(&self) -> String {
        let mut signature = self.signature.clone();
        let middle = signature.len() / 2;
        if let Some(byte) = signature.get_mut(middle) {
            *byte ^= 0x10;
        }
        format!("{}.{}", self.input, URL_SAFE_NO_PAD.encode(signature))
    }

    /// Other claims below the old signature.
    pub fn with_old_signature(&self, claims: &Value) -> String {
        format!("{}.{}", self.unsigned(self.algorithm(), claims), URL_SAFE_NO_PAD.encode(&self.signature))
    }
}

impl Hs {
    /// From the most used.
    pub const ALL: [Self; 3] = [Self::Hs256, Self::Hs384, Self::Hs512];

    /// As in headers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
        }
    }

    fn key(self, secret: &[u8]) -> hmac::Key {
        let algorithm = match self {
            Self::Hs256 => hmac::HMAC_SHA256,
            Self::Hs384 => hmac::HMAC_SHA384,
            Self::Hs512 => hmac::HMAC_SHA512,
        };
        hmac::Key::new(algorithm, secret)
    }
}

impl std::fmt::Debug for Jwt {
    /// Without what it says and its signature.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Jwt({})", self.algorithm())
    }
}

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn unbase64(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()
}
