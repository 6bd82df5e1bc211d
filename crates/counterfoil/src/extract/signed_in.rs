//! Guards: the handler runs only for somebody signed in, or stepped up.

use std::ops::Deref;
use std::time::Duration;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::response::{IntoResponse, Response};
use counterfoil_core::engine::Identity;
use counterfoil_core::seam::Denial;
use counterfoil_core::{SessionId, Subject};
use http::request::Parts;

use crate::handle::{Handle, Rejection};

/// Who is signed in. Without a session the handler does not run: 401 for fetches, the sign-in page for navigations.
///
/// The sign-in page is yours: `/login`, or what [`Builder::sign_in_page`](crate::Builder::sign_in_page) says. It is asked
/// with `?next=` and the path to come back to, where that can be asked for again; check it with
/// [`local_path`](crate::local_path). Put this argument before those that read the body, or a stranger hears of a broken
/// form first.
///
/// `Option<SignedIn>` is `None` instead; a store that does not answer is 503 either way.
///
/// # Examples
/// ```
/// use counterfoil::SignedIn;
///
/// async fn me(user: SignedIn) -> String {
///     format!("{} since {}", user.subject(), user.auth_time().unix_seconds())
/// }
/// ```
/// Only a request gives one; it cannot be made from what else says who somebody is:
/// ```compile_fail
/// # use counterfoil::{Identity, SignedIn};
/// fn trusting(somebody: Identity) -> SignedIn {
///     SignedIn(somebody)
/// }
/// ```
#[derive(Debug, Clone)]
pub struct SignedIn(Identity);

/// Who is signed in and stepped up within the last `SECONDS`. A fresh sign-in alone is not enough.
///
/// Without a step-up the handler does not run: fetches get 401 with the challenge of RFC 9470, navigations the step-up
/// page, with `?next=` as the sign-in page gets it.
///
/// Put it on the page that shows a form as well, not only on the route that takes it: a form that is sent too early is
/// lost, and there is no way back to it.
///
/// # Examples
/// ```
/// use counterfoil::Recent;
///
/// async fn pay(user: Recent<300>) -> String {
///     format!("paid by {}", user.subject())
/// }
/// ```
/// What needs a step-up says so in its signature, and is not given less:
/// ```
/// # use counterfoil::{Recent, SignedIn};
/// fn transfer(_: &Recent<300>) {}
///
/// async fn handler(user: Recent<300>) {
///     transfer(&user);
/// }
/// ```
/// ```compile_fail,E0308
/// # use counterfoil::{Recent, SignedIn};
/// fn transfer(_: &Recent<300>) {}
///
/// async fn handler(user: SignedIn) {
///     transfer(&user);
/// }
/// ```
/// ```compile_fail,E0308
/// # use counterfoil::Recent;
/// fn transfer(_: &Recent<300>) {}
///
/// async fn handler(user: Recent<86400>) {
///     transfer(&user);
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Recent<const SECONDS: u64>(SignedIn);

impl SignedIn {
    /// Who.
    pub fn subject(&self) -> &Subject {
        self.0.subject()
    }

    /// The session's public id.
    pub fn session_id(&self) -> SessionId {
        self.0.session
    }

    pub(super) const fn new(identity: Identity) -> Self {
        Self(identity)
    }

    async fn of(parts: &Parts) -> Result<Self, Rejection> {
        let handle = Handle::lent_by(parts)?;
        handle.exchange.require_signed_in().await.map(Self).map_err(Rejection::Denied)
    }
}

impl Deref for SignedIn {
    type Target = Identity;

    fn deref(&self) -> &Identity {
        &self.0
    }
}

impl<const SECONDS: u64> Deref for Recent<SECONDS> {
    type Target = SignedIn;

    fn deref(&self) -> &SignedIn {
        &self.0
    }
}

impl<S: Sync> FromRequestParts<S> for SignedIn {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        Self::of(parts).await.map_err(IntoResponse::into_response)
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for SignedIn {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Response> {
        match Self::of(parts).await {
            Ok(signed_in) => Ok(Some(signed_in)),
            Err(Rejection::Denied(Denial::SignInRequired)) => Ok(None),
            Err(rejection) => Err(rejection.into_response()),
        }
    }
}

impl<S: Sync, const SECONDS: u64> FromRequestParts<S> for Recent<SECONDS> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let handle = Handle::lent_by(parts).map_err(IntoResponse::into_response)?;
        let recent = handle.exchange.require_recent(Duration::from_secs(SECONDS)).await;
        recent.map(|identity| Self(SignedIn(identity))).map_err(|denial| Rejection::Denied(denial).into_response())
    }
}
