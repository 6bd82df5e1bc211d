//! A key, and what it signs: proofs of type `dbsc+jwt`.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use crate::visitor::Trouble;

/// A key as a browser makes one for a session, but in memory.
pub(crate) struct Device(EcdsaKeyPair);

impl Device {
    /// A new one.
    pub(crate) fn new() -> Result<Self, Trouble> {
        let made = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING);
        made.map(Self).map_err(|_| Trouble::Control("no key can be made on this machine".to_owned()))
    }

    /// A proof that repeats the challenge; with its key where the site does not have it yet.
    pub(crate) fn proof(
        &self,
        with_key: bool,
        challenge: Option<&str>,
        authorization: Option<&str>,
    ) -> Result<String, Trouble> {
        let key = with_key.then(|| self.jwk());
        let input = input("ES256", key, challenge, authorization);
        let signed = self.0.sign(&SystemRandom::new(), input.as_bytes());
        let signature = signed.map_err(|_| Trouble::Control("nothing can be signed on this machine".to_owned()))?;
        Ok(format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    fn jwk(&self) -> Value {
        // A byte that says "uncompressed", and two coordinates.
        let point = self.0.public_key().as_ref();
        let (x, y) = point.get(1..).unwrap_or_default().split_at_checked(32).unwrap_or_default();
        json!({ "kty": "EC", "crv": "P-256", "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y) })
    }
}

/// A proof that says it needs no signature.
pub(crate) fn unsigned(challenge: Option<&str>) -> String {
    format!("{}.", input("none", None, challenge, None))
}

fn input(algorithm: &str, key: Option<Value>, challenge: Option<&str>, authorization: Option<&str>) -> String {
    let mut header = Map::from_iter([("alg".to_owned(), algorithm.into()), ("typ".to_owned(), "dbsc+jwt".into())]);
    header.extend(key.map(|key| ("jwk".to_owned(), key)));
    let claims = [("jti", challenge), ("authorization", authorization)];
    let claims: Map<_, _> =
        claims.into_iter().filter_map(|(name, value)| Some((name.to_owned(), Value::from(value?)))).collect();
    let part = |members| URL_SAFE_NO_PAD.encode(Value::Object(members).to_string());
    format!("{}.{}", part(header), part(claims))
}
