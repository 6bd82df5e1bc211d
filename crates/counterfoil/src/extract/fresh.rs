//! Guards for routes with limits of their own: how long ago the sign-in may be, and how long nobody may have been active.

use std::ops::Deref;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse as _, Response};
use http::request::Parts;

use super::SignedIn;
use crate::handle::{Handle, Rejection};

/// Who is signed in and proved who they are, by signing in or by a step-up, within the last `SECONDS`: the route's
/// `max_auth_age`.
///
/// Otherwise the handler does not run: fetches get 401 with the challenge of RFC 9470, whose `max_age` says what would
/// do, and navigations the sign-in page with the way back. Unlike [`Recent`](crate::Recent), a fresh sign-in is enough.
///
/// # Examples
/// ```
/// use counterfoil::SignedInWithin;
///
/// async fn new_address(user: SignedInWithin<900>) -> String {
///     format!("where to, {}?", user.subject())
/// }
/// ```
/// For many routes at once, as a layer inside the session layer:
/// ```
/// use axum::{Router, middleware::from_extractor, routing::get};
/// # use counterfoil::{Counterfoil, GeneratedKeys, MemoryStore, Policy, SignedInWithin};
/// # let site = Counterfoil::new(Policy::aal2("https://shop.example")?, &GeneratedKeys, MemoryStore::new())?;
///
/// let account: Router = Router::new()
///     .route("/account/address", get(async || "…"))
///     .layer(from_extractor::<SignedInWithin<900>>())
///     .layer(site.sessions());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct SignedInWithin<const SECONDS: u64>(SignedIn);

/// Who is signed in and, within the last `SECONDS`, was active on routes with this demand or proved who they are: the
/// route's `max_idle`.
///
/// Otherwise the handler does not run: fetches get 401 with the challenge of RFC 9470, navigations the sign-in page with
/// the way back. The session itself goes on.
///
/// # Security
/// All routes with the same `SECONDS` share one idle clock, and only they move it. A look at any other page, or a second
/// try after a refusal, does not: else the limit would stop nobody who finds a desk left alone. Requests to
/// [quiet](crate::layer::SessionLayer::quiet) routes do not move it either. A limit longer than the session's own idle
/// limit demands nothing more.
///
/// # Examples
/// ```
/// use counterfoil::ActiveWithin;
///
/// async fn records(user: ActiveWithin<300>) -> String {
///     format!("the records of {}", user.subject())
/// }
/// ```
/// It is no other limit, and no step-up:
/// ```compile_fail,E0308
/// # use counterfoil::{ActiveWithin, Recent};
/// fn transfer(_: &Recent<300>) {}
///
/// async fn handler(user: ActiveWithin<300>) {
///     transfer(&user);
/// }
/// ```
#[derive(Debug, Clone)]
pub struct ActiveWithin<const SECONDS: u64>(SignedIn);

impl<const SECONDS: u64> Deref for SignedInWithin<SECONDS> {
    type Target = SignedIn;

    fn deref(&self) -> &SignedIn {
        &self.0
    }
}

impl<const SECONDS: u64> Deref for ActiveWithin<SECONDS> {
    type Target = SignedIn;

    fn deref(&self) -> &SignedIn {
        &self.0
    }
}

impl<S: Sync, const SECONDS: u64> FromRequestParts<S> for SignedInWithin<SECONDS> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let handle = Handle::of(parts).map_err(Rejection::into_response)?;
        let fresh = handle.exchange.require_auth_age(Duration::from_secs(SECONDS)).await;
        fresh.map(|identity| Self(SignedIn::new(identity))).map_err(|denial| Rejection::Denied(denial).into_response())
    }
}

impl<S: Sync, const SECONDS: u64> FromRequestParts<S> for ActiveWithin<SECONDS> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let handle = Handle::of(parts).map_err(Rejection::into_response)?;
        let active = handle.exchange.require_active(Duration::from_secs(SECONDS)).await;
        active.map(|identity| Self(SignedIn::new(identity))).map_err(|denial| Rejection::Denied(denial).into_response())
    }
}
