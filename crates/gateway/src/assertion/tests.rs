//! The published test vectors: made by the reference on the specification's page, which shares nothing with this code.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use counterfoil::Moment;
use counterfoil::keys::KeyFile;
use counterfoil_core::cookie::HeaderJoin;
use counterfoil_core::csrf::{CsrfVerdict, PassReason};
use counterfoil_core::origin::Scheme;
use serde_json::Value;

use super::claims::{Claims, bound};
use super::keys::SigningKeys;
use crate::app::{Algorithm, AppName};
use crate::decide::Who;
use crate::request::{Original, Told};

const VECTORS: &str = include_str!("../../../../docs/spec/assertion-v1.json");
const NOW: Moment = Moment::from_unix_seconds(1_800_000_000);

fn vectors() -> Value {
    serde_json::from_str(VECTORS).unwrap()
}

/// The keys of the vectors' root, as its key file would have it.
fn keys() -> SigningKeys {
    let root = &vectors()["root"];
    let (id, key) = (root["id"].as_str().unwrap(), root["base64"].as_str().unwrap());
    let file = format!(
        "counterfoil-keys 1\nsessions last=1m\nreference key={key}\n\
         key id={id} created=2026-11-22T00:00:00Z signs=2026-11-22T00:00:00Z key={key}\n"
    );
    SigningKeys::derive(&KeyFile::parse(&file).unwrap()).unwrap()
}

fn app(name: &str) -> AppName {
    name.parse().unwrap()
}

#[test]
fn keys_are_published_as_in_the_vectors() {
    let published: Value = serde_json::from_str(&keys().jwks(NOW)).unwrap();
    assert_eq!(published, vectors()["jwks"]);
}

#[test]
fn each_app_shares_a_key_of_its_own_as_in_the_vectors() {
    for shared in vectors()["shared"].as_array().unwrap() {
        let (kid, key) = keys().shared(&app(shared["app"].as_str().unwrap()), NOW).remove(0);
        assert_eq!(
            (Value::from(kid), Value::from(BASE64.encode(*key))),
            (shared["kid"].clone(), shared["key"].clone())
        );
    }
}

#[test]
fn requests_are_bound_as_in_the_vectors() {
    for row in vectors()["req"].as_array().unwrap() {
        let part = |name: &str| row[name].as_str().unwrap();
        assert_eq!(bound(part("method"), part("host"), part("target")), part("req"), "{row}");
    }
}

#[test]
fn assertions_are_signed_as_in_the_vectors() {
    for (algorithm, name) in [(Algorithm::EdDsa, "EdDSA"), (Algorithm::Hs256, "HS256"), (Algorithm::Es256, "ES256")] {
        let vectors = vectors();
        let expected = vectors["assertions"][name].as_str().unwrap();
        let payload = BASE64.decode(expected.split('.').nth(1).unwrap()).unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&payload).unwrap(), vectors["claims"]);
        let keys = keys();
        let signed = keys.signing(algorithm, NOW).unwrap().compact(&payload, &app("shop")).unwrap();
        if algorithm == Algorithm::Es256 {
            // Signatures differ each time; header and payload do not, and each verifies with the published key.
            let unsigned = |text: &str| text.rsplit_once('.').unwrap().0.to_owned();
            assert_eq!(unsigned(&signed), unsigned(expected));
            assert!(verifies_on_p256(&vectors["jwks"]["keys"][0], expected));
            assert!(verifies_on_p256(&vectors["jwks"]["keys"][0], &signed));
        } else {
            assert_eq!(signed, expected, "{name}");
        }
    }
}

#[test]
fn an_assertion_is_for_its_app_and_at_its_origin_and_is_not_printed() {
    let gateway = crate::testing::gateway();
    let site = gateway.sites().called("wiki").cloned().unwrap();
    let told = Told {
        method: http::Method::GET,
        scheme: Scheme::Https,
        host: "wiki.example:443",
        target: "/page",
        forwarded_for: "192.0.2.1",
        websocket: false,
        headers: &http::HeaderMap::new(),
        join: HeaderJoin::Standard,
    };
    let original = Original::new(&site, told).unwrap();
    let (who, passed) = (Who::Nobody, PassReason::SafeMethod);
    let claims = Claims { site: &site, original: &original, who: &who, passed, verdict: CsrfVerdict::Pass(passed) };
    let said: Value = serde_json::from_slice(&claims.payload(NOW, [7; 16]).unwrap()).unwrap();
    assert_eq!(
        (&said["aud"], &said["iss"], &said["acr"]),
        (&"wiki".into(), &"https://wiki.example".into(), &"anonymous".into())
    );
    assert_eq!(said["req"], bound("GET", "wiki.example", "/page"));
    let signed = gateway.assertions().sign(&claims, gateway.now()).unwrap();
    assert!(!format!("{signed:?}").contains("eyJ"), "{signed:?}");
}

fn verifies_on_p256(jwk: &Value, text: &str) -> bool {
    let bytes = |name: &str| BASE64.decode(jwk[name].as_str().unwrap()).unwrap();
    let public = [vec![4], bytes("x"), bytes("y")].concat();
    let (signed, signature) = text.rsplit_once('.').unwrap();
    let signature = BASE64.decode(signature).unwrap();
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public).verify(signed.as_bytes(), &signature).is_ok()
}
