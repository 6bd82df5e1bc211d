//! The site under measurement: Counterfoil as the quick start sets it up.

use axum::routing::{get, post};
use axum::{Form, Router};
use counterfoil::{Amr, Counterfoil, Error, MemoryStore, Policy, SignIn, SignedIn, Subject};
use counterfoil_core::keys::{KeyError, KeyId, KeyMaterial, KeySource, RootKey};
use http::StatusCode;
use serde::Deserialize;

use crate::{BODY, Failed};

/// The site's origin. The servers speak plain http, as behind a proxy that ends TLS; the cookies are those of https.
pub const ORIGIN: &str = "https://bench.example";

/// Keys that are the same in every part of one measurement.
#[derive(Debug, Clone, Copy)]
pub struct FixedKeys;

/// The bare server's route three times: for whoever comes, for whoever is signed in, and the latter with security
/// headers. And a way to sign in.
///
/// # Errors
/// If policy or keys are refused.
pub fn app() -> Result<Router, Failed> {
    let site = Counterfoil::new(Policy::aal2(ORIGIN)?, &FixedKeys, MemoryStore::new())?;
    let whoever = Router::new().route("/", get(async |_: Option<SignedIn>| BODY));
    let signed_in = Router::new().route("/signed-in", get(async |_: SignedIn| BODY));
    let headers = Router::new().route("/headers", get(async |_: SignedIn| BODY));
    let door = Router::new().route("/login", post(login)).layer(site.sessions().public().sign_in());
    let headers = headers.layer(site.sessions()).layer(site.headers());
    Ok(whoever.merge(signed_in).layer(site.sessions()).merge(headers).merge(door))
}

#[derive(Deserialize)]
struct Who {
    user: String,
}

async fn login(gate: SignIn, Form(who): Form<Who>) -> Result<StatusCode, Error> {
    let mut attempt = gate.begin(Subject::new(&who.user)?).await?;
    attempt.factor(Amr::Pwd);
    attempt.complete().await?;
    Ok(StatusCode::NO_CONTENT)
}

impl KeySource for FixedKeys {
    fn keys(&self) -> Result<KeyMaterial, KeyError> {
        let id = KeyId::new("bench").map_err(|_| KeyError::Derivation)?;
        KeyMaterial::new((id, key(1)?), Vec::new(), key(2)?)
    }
}

fn key(first: u8) -> Result<RootKey, KeyError> {
    RootKey::new("bench", (first..).take(RootKey::MIN_BYTES).collect())
}
