//! The keys that sign assertions: derived, for each algorithm, from the random keys of a file of their own.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use aws_lc_rs::{hmac, rand};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use counterfoil::Moment;
use counterfoil::keys::{KeyEntry, KeyError, KeyFile, Offshoot};
use counterfoil_telemetry::set;
use http::HeaderValue;
use serde_json::json;
use std::time::Duration;
use zeroize::Zeroizing;

use super::{Claims, Unsigned};
use crate::app::{Algorithm, AppName};

/// All keys of the file, those that have ended too: what each is good for is a matter of the moment.
pub(super) struct SigningKeys(Vec<SigningKey>);

struct SigningKey {
    entry: KeyEntry,
    es256: Signer,
    eddsa: Signer,
    hs256: Signer,
}

/// One key of one algorithm, with its name on the wire.
pub(super) struct Signer {
    id: String,
    /// The JOSE header, encoded, with its dot.
    header: String,
    key: Key,
}

enum Key {
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
    /// From which each app's own is derived.
    Hs256(Box<hmac::Key>),
}

impl SigningKeys {
    /// The keys of `file`.
    pub(super) fn derive(file: &KeyFile) -> Result<Self, KeyError> {
        let (eddsa, hs256) = (file.offshoots("assertion/eddsa")?, file.offshoots("assertion/hs256")?);
        let mut keys = Vec::with_capacity(eddsa.len());
        for (index, (Offshoot { entry, key }, hs256)) in eddsa.into_iter().zip(hs256).enumerate() {
            let eddsa = Ed25519KeyPair::from_seed_unchecked(&*key).map_err(|_| KeyError::Derivation)?;
            let hs256 = Box::new(hmac::Key::new(hmac::HMAC_SHA256, &*hs256.key));
            keys.push(SigningKey {
                entry,
                es256: Signer::new(&entry, "ES256", Key::Es256(p256(file, index)?)),
                eddsa: Signer::new(&entry, "EdDSA", Key::EdDsa(eddsa)),
                hs256: Signer::new(&entry, "HS256", Key::Hs256(hs256)),
            });
        }
        Ok(Self(keys))
    }

    /// The key that signs: of those that apps have had the time to hear of, the last in turn. A file's first key signs at
    /// once, for there is no other.
    pub(super) fn signing(&self, algorithm: Algorithm, now: Moment) -> Option<&Signer> {
        let begun = self.alive(now).filter(|key| key.begins() <= now).max_by_key(|key| key.begins());
        let key = begun.or_else(|| self.alive(now).min_by_key(|key| key.begins()))?;
        Some(key.signer(algorithm))
    }

    /// RFC 7517. Of HS256 nothing is published.
    pub(super) fn jwks(&self, now: Moment) -> String {
        let keys: Vec<_> = self.alive(now).flat_map(|key| [&key.es256, &key.eddsa]).filter_map(Signer::jwk).collect();
        json!({ "keys": keys }).to_string()
    }

    pub(super) fn shared(&self, app: &AppName, now: Moment) -> Vec<(String, Zeroizing<[u8; 32]>)> {
        let signing = self.signing(Algorithm::Hs256, now).map(Signer::id);
        let mut all: Vec<_> =
            self.alive(now).filter_map(|key| Some((key.hs256.id.clone(), key.hs256.of_app(app)?))).collect();
        all.sort_by_key(|(id, _)| Some(id.as_str()) != signing);
        all
    }

    fn alive(&self, now: Moment) -> impl Iterator<Item = &SigningKey> {
        self.0.iter().filter(move |key| key.entry.until.is_none_or(|until| now < until))
    }
}

impl SigningKey {
    /// From when it signs: never before it has been published for a while.
    fn begins(&self) -> Moment {
        self.entry.signs.max(self.entry.created + PUBLISHED_FOR)
    }

    const fn signer(&self, algorithm: Algorithm) -> &Signer {
        match algorithm {
            Algorithm::Es256 => &self.es256,
            Algorithm::EdDsa => &self.eddsa,
            Algorithm::Hs256 => &self.hs256,
        }
    }
}

impl Signer {
    fn new(entry: &KeyEntry, algorithm: &str, key: Key) -> Self {
        let id = format!("{}-{}", entry.id, algorithm.to_ascii_lowercase());
        let header = json!({ "alg": algorithm, "kid": id, "typ": TYPE }).to_string();
        Self { header: format!("{}.", BASE64.encode(header)), id, key }
    }

    /// Its `kid`.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// An assertion made now.
    pub(super) fn sign(&self, claims: &Claims<'_>, now: Moment) -> Result<HeaderValue, Unsigned> {
        let mut jti = [0; 16];
        rand::fill(&mut jti).map_err(|_| Unsigned::NoEntropy)?;
        let text = self.compact(&claims.payload(now, jti)?, claims.app())?;
        let mut value = HeaderValue::try_from(text).map_err(|_| Unsigned::Refused)?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// A payload, signed: JWS in its compact form (RFC 7515, section 7.1).
    pub(super) fn compact(&self, payload: &[u8], app: &AppName) -> Result<String, Unsigned> {
        let mut text = self.header.clone();
        BASE64.encode_string(payload, &mut text);
        let signature = self.signature(text.as_bytes(), app)?;
        text.push('.');
        BASE64.encode_string(signature, &mut text);
        Ok(text)
    }

    /// A Security Event Token with these claims.
    pub(super) fn security_event(&self, claims: &[u8]) -> Result<String, set::Unsigned> {
        set::compact("ES256", &self.id, claims, |text| match &self.key {
            Key::Es256(key) => {
                let signature = key.sign(&SystemRandom::new(), text).map_err(|_| set::Unsigned)?;
                Ok(signature.as_ref().to_vec())
            }
            Key::EdDsa(_) | Key::Hs256(_) => Err(set::Unsigned),
        })
    }

    fn signature(&self, text: &[u8], app: &AppName) -> Result<Vec<u8>, Unsigned> {
        let refused = |_| Unsigned::Refused;
        Ok(match &self.key {
            Key::Es256(key) => key.sign(&SystemRandom::new(), text).map_err(refused)?.as_ref().to_vec(),
            Key::EdDsa(key) => key.try_sign(text).map_err(refused)?.as_ref().to_vec(),
            Key::Hs256(key) => {
                let own = hmac::sign(key, app.as_str().as_bytes());
                hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, own.as_ref()), text).as_ref().to_vec()
            }
        })
    }

    /// The key of one app.
    fn of_app(&self, app: &AppName) -> Option<Zeroizing<[u8; 32]>> {
        let Key::Hs256(key) = &self.key else { return None };
        hmac::sign(key, app.as_str().as_bytes()).as_ref().try_into().ok().map(Zeroizing::new)
    }

    fn jwk(&self) -> Option<serde_json::Value> {
        match &self.key {
            Key::Es256(key) => {
                // Uncompressed: 4, x, y (SEC 1, section 2.3.3).
                let (x, y) = key.public_key().as_ref().get(1..)?.split_at_checked(32)?;
                let (x, y) = (BASE64.encode(x), BASE64.encode(y));
                Some(
                    json!({ "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": self.id, "x": x, "y": y }),
                )
            }
            Key::EdDsa(key) => {
                let x = BASE64.encode(key.public_key().as_ref());
                Some(json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": self.id, "x": x }))
            }
            Key::Hs256(_) => None,
        }
    }
}

/// The key on P-256. 32 random bytes are a number on the curve's order, but for one in four billion; then the next are.
fn p256(file: &KeyFile, index: usize) -> Result<EcdsaKeyPair, KeyError> {
    for turn in 0..4 {
        let seeds = file.offshoots(&format!("assertion/es256/{turn}"))?;
        let Offshoot { key: seed, .. } = seeds.get(index).ok_or(KeyError::Derivation)?;
        let der = Zeroizing::new([&DER_BEFORE[..], &seed[..], &DER_AFTER[..]].concat());
        if let Ok(key) = EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, &der) {
            return Ok(key);
        }
    }
    Err(KeyError::Derivation)
}

/// A private key of 32 bytes as `ECPrivateKey` (RFC 5915), on the curve of the object id 1.2.840.10045.3.1.7.
const DER_BEFORE: [u8; 7] = [0x30, 0x31, 0x02, 0x01, 0x01, 0x04, 0x20];
const DER_AFTER: [u8; 12] = [0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

/// RFC 8725, section 3.11: so that none is taken for another kind of token.
const TYPE: &str = "counterfoil+jwt";
/// Twice as long as apps are told to keep the key set.
const PUBLISHED_FOR: Duration = Duration::from_mins(10);
