//! The site under measurement: Counterfoil as the quick start sets it up.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::routing::{get, post};
use axum::{Form, Router};
use counterfoil::data::Key;
use counterfoil::{
    Amr, Counterfoil, Error, MemoryStore, Policy, PolicySettings, Session, SignIn, SignedIn, Store, Subject,
};
use counterfoil_core::keys::{KeyError, KeyId, KeyMaterial, KeySource, RootKey, SharedRing};
use counterfoil_core::policy::CsrfWeakening;
use counterfoil_core::seal::Sealer;
use counterfoil_stores::embedded::{EmbeddedStore, Settings};
use http::{StatusCode, Uri};
use serde::Deserialize;

use crate::{BODY, Failed};

/// The site's origin. The servers speak plain http, as behind a proxy that ends TLS; the cookies are those of https.
pub const ORIGIN: &str = "https://bench.example";

/// Keys that are the same in every part of one measurement.
#[derive(Debug, Clone, Copy)]
pub struct FixedKeys;

/// The bare server's route, for whoever comes and for whoever is signed in; the latter also with security headers, without
/// a CSRF decision, and beside a change of data. And two ways to sign in: with a form, and with nothing to read.
///
/// # Errors
/// If policy or keys are refused.
pub fn app() -> Result<Router, Failed> {
    let site = Counterfoil::new(Policy::aal2(ORIGIN)?, &FixedKeys, MemoryStore::new())?;
    let headers = Router::new().route("/headers", get(read)).layer(site.sessions()).layer(site.headers());
    Ok(rooms(&site).merge(headers).merge(without_csrf()?))
}

/// The same site with its sessions in `folder`, without the variants.
///
/// # Errors
/// As [`app`], and if the folder is refused.
pub fn app_in(folder: &Path) -> Result<Router, Failed> {
    app_over(EmbeddedStore::open(folder, sealer()?, Settings::default())?)
}

/// The same site over any store.
///
/// # Errors
/// As [`app`].
pub fn app_over(store: impl Store) -> Result<Router, Failed> {
    Ok(rooms(&Counterfoil::new(Policy::aal2(ORIGIN)?, &FixedKeys, store)?))
}

/// What a store of this site seals with.
///
/// # Errors
/// If the keys are refused.
pub fn sealer() -> Result<Sealer, Failed> {
    Ok(Sealer::new(SharedRing::from_source(&FixedKeys)?))
}

fn rooms(site: &Counterfoil) -> Router {
    let inside = Router::new()
        .route("/", get(async |_: Option<SignedIn>| BODY))
        .route("/signed-in", get(read).post(read))
        .route("/change", post(change))
        .layer(site.sessions());
    let doors = Router::new().route("/login", post(login)).route("/sign-in", post(sign_in));
    inside.merge(doors.layer(site.sessions().public().sign_in()))
}

fn without_csrf() -> Result<Router, Failed> {
    let mut settings = PolicySettings::aal2(ORIGIN);
    settings.danger.csrf = Some(CsrfWeakening::Off);
    let site = Counterfoil::new(settings.try_into()?, &FixedKeys, MemoryStore::new())?;
    let inside = Router::new().route("/csrf-off", post(read)).layer(site.sessions());
    Ok(inside.merge(Router::new().route("/csrf-off/login", post(login)).layer(site.sessions().public().sign_in())))
}

async fn read(_: SignedIn) -> &'static str {
    BODY
}

/// Each time to another value, or there would be nothing to write.
async fn change(_: SignedIn, session: Session) -> Result<&'static str, Error> {
    static CHANGES: AtomicU64 = AtomicU64::new(0);
    session.set(LAST_CHANGE, &CHANGES.fetch_add(1, Ordering::Relaxed))?;
    Ok(BODY)
}

/// The query names the user, as no form shall be measured.
async fn sign_in(gate: SignIn, uri: Uri) -> Result<&'static str, Error> {
    let mut attempt = gate.begin(Subject::new(uri.query().unwrap_or_default())?).await?;
    attempt.factor(Amr::Pwd);
    attempt.complete().await?;
    Ok(BODY)
}

#[derive(Deserialize)]
pub(crate) struct Who {
    user: String,
}

pub(crate) async fn login(gate: SignIn, Form(who): Form<Who>) -> Result<StatusCode, Error> {
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

const LAST_CHANGE: Key<u64> = Key::new("bench.last_change");

fn key(first: u8) -> Result<RootKey, KeyError> {
    RootKey::new("bench", (first..).take(RootKey::MIN_BYTES).collect())
}
