//! Scriptorium: tokens signed with a private key, whose public half is taken for a shared secret.

use std::sync::OnceLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{self, KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use crate::house::{House, Session, now, random};
use crate::jwt::{Jwt, base64, unsigned};
use crate::web::{Ask, Reply};

pub(super) fn answer(house: &House, ask: &Ask) -> Reply {
    let token = ask.bearer().and_then(Jwt::read).filter(|token| counts(house, token));
    let is_access = |token: &&Jwt| house.flawed || token.says("use") == Some("access");
    let user = token.as_ref().filter(is_access).and_then(|token| token.says("sub")).unwrap_or_default().to_owned();
    match ask.on() {
        ("GET", "/.well-known/jwks.json") => {
            // A sequence of the modulus, after a zero for its sign, and the exponent 65537.
            let modulus = key().public_key().as_ref().get(9..265).unwrap_or_default();
            Reply::json(
                &json!({ "keys": [{ "kty": "RSA", "use": "sig", "alg": "RS256", "kid": "1", "n": base64(modulus), "e": "AQAB" }] }),
            )
        }
        ("GET", "/public.pem") => Reply::no(200, &pem()),
        ("POST", "/api/login") => match (ask.member("login"), ask.member("password")) {
            (Some(user), Some(password)) if house.knows(&user, &password) => {
                let session = house.open(Some(&user));
                Reply::json(&json!({ "token": made(&session, "access"), "refresh": made(&session, "refresh") }))
            }
            _ => Reply::json(&json!({ "error": "wrong name or password" })).status(401),
        },
        ("POST", "/api/refresh") => {
            let sent = ask.member("refresh").as_deref().and_then(Jwt::read).filter(|token| counts(house, token));
            let session = sent
                .filter(|token| token.says("use") == Some("refresh"))
                .and_then(|token| house.find(token.says("jti")?));
            match session {
                Some(session) => Reply::json(&json!({ "token": made(&session, "access") })),
                None => Reply::json(&json!({ "error": "invalid_grant" })).status(400),
            }
        }
        ("GET", "/api/whoami") if house.has(&user) => {
            Reply::json(&json!({ "login": user, "notes": house.notes(&user) }))
        }
        ("POST", "/api/notes") if house.has(&user) => {
            house.note(&user, &ask.member("text").unwrap_or_default());
            Reply::json(&json!({ "ok": true }))
        }
        ("POST", "/api/logout") if house.has(&user) => {
            house.end(token.as_ref().and_then(|token| token.says("jti")).unwrap_or_default());
            Reply::json(&json!({ "ok": true }))
        }
        _ => Reply::json(&json!({ "error": "unauthorized" })).status(401),
    }
}

fn counts(house: &House, token: &Jwt) -> bool {
    let by_key = || {
        let public =
            signature::UnparsedPublicKey::new(&signature::RSA_PKCS1_2048_8192_SHA256, key().public_key().as_ref());
        public.verify(token.input.as_bytes(), &token.signature).is_ok()
    };
    let signed = match token.algorithm() {
        "RS256" => by_key(),
        "HS256" => house.flawed && token.is_signed(pem().as_bytes()),
        _ => false,
    };
    signed && token.is_fresh() && house.find(token.says("jti").unwrap_or_default()).is_some()
}

fn made(session: &Session, what: &str) -> String {
    let claims = json!({
        "sub": session.user, "jti": session.id, "use": what, "n": random(), "exp": now().as_secs() + 3600,
    });
    let input = unsigned("RS256", &claims);
    let mut signature = vec![0; key().public_modulus_len()];
    if key().sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), input.as_bytes(), &mut signature).is_err() {
        return String::new();
    }
    format!("{input}.{}", base64(&signature))
}

/// The published key, as the file it would be in.
fn pem() -> String {
    use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
    let der: Option<PublicKeyX509Der<'_>> = key().public_key().as_der().ok();
    let text = BASE64_STANDARD.encode(der.as_ref().map_or(&[][..], |der| der.as_ref()));
    let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
}

/// One for as long as the process lives; a machine that cannot make one gets no site.
fn key() -> &'static KeyPair {
    static KEY: OnceLock<KeyPair> = OnceLock::new();
    KEY.get_or_init(|| KeyPair::generate(KeySize::Rsa2048).unwrap_or_else(|_| std::process::abort()))
}
