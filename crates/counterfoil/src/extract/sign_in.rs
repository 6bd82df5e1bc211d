//! Signing in: the only road to a subject.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Redirect, Response};
use counterfoil_core::engine::{Attempt, SignInOptions, SignedInNow};
use counterfoil_core::rules::Amr;
use counterfoil_core::token::looks_like_token;
use counterfoil_core::{SessionId, Subject};
use http::request::Parts;

use crate::error::Error;
use crate::handle::Handle;
use crate::limits::Trial;

/// The way to sign somebody in. Put [`SessionLayer::sign_in`](crate::layer::SessionLayer::sign_in) around its route.
///
/// # Security
/// Call [`begin`](Self::begin) **before** the credential is checked: it notes the subject's epoch, so that a password
/// reset in between wins. Signing in always makes a new session with a new token; nothing a stranger planted survives.
///
/// # Examples
/// ```
/// use axum::{Form, response::Redirect};
/// use counterfoil::{Amr, Error, SignIn, Subject};
/// # #[derive(serde::Deserialize)] struct Credentials { user: String, password: String }
/// # async fn verify(_: &Credentials) -> bool { true }
///
/// async fn login(gate: SignIn, Form(form): Form<Credentials>) -> Result<Redirect, Error> {
///     let mut attempt = gate.begin(Subject::new(&form.user)?).await?;
///     if !verify(&form).await {
///         return Ok(Redirect::to("/login?wrong"));
///     }
///     attempt.factor(Amr::Pwd);
///     Ok(attempt.complete().await?.redirect("/"))
/// }
/// ```
#[derive(Clone)]
pub struct SignIn(Handle);

/// A sign-in under way. Dropped, it never happened.
///
/// # Security
/// It is worth nothing before [`complete`](Self::complete), which uses it up. Where it is forgotten, the compiler says
/// so:
/// ```
/// # #![deny(unused_must_use)]
/// # use counterfoil::{Amr, Error, SignIn, Subject};
/// async fn login(gate: SignIn, user: Subject) -> Result<(), Error> {
///     let mut attempt = gate.begin(user).await?;
///     attempt.factor(Amr::Pwd);
///     attempt.complete().await?;
///     Ok(())
/// }
/// ```
/// ```compile_fail
/// # #![deny(unused_must_use)]
/// # use counterfoil::{Amr, Error, SignIn, Subject};
/// async fn login(gate: SignIn, user: Subject) -> Result<(), Error> {
///     gate.begin(user).await?; // and then?
///     Ok(())
/// }
/// ```
/// Nor can it be completed twice:
/// ```compile_fail,E0382
/// # use counterfoil::{Amr, Error, SignIn, Subject};
/// async fn login(gate: SignIn, user: Subject) -> Result<(), Error> {
///     let attempt = gate.begin(user).await?;
///     attempt.complete().await?;
///     attempt.complete().await?;
///     Ok(())
/// }
/// ```
#[must_use = "nobody is signed in before `complete`"]
pub struct SigningIn {
    handle: Handle,
    attempt: Attempt,
}

/// A sign-in that is done; its cookie leaves with the response, whatever that is.
#[derive(Debug, Clone)]
pub struct Completed(SignedInNow);

impl SignIn {
    /// Whether the password of `name` may be tried now, by whoever asks from where they ask. Ask before the password is
    /// looked at, and before [`begin`](Self::begin); `name` is the account's, in one spelling, known or not. Best is what
    /// its [`Subject`] will be: then a browser that was signed in to it is known by that. What fails at many accounts from one
    /// network raises the signal `address_spray`.
    ///
    /// # Errors
    /// [`Error::TriedTooOften`]: 429, and nothing is looked at.
    pub async fn trial(&self, name: &str) -> Result<Trial, Error> {
        let asker = self.0.asker(name).await;
        let answer = self.0.site.limits.sign_in(asker, name).await;
        let trial = answer.map_err(|refusal| self.0.held_back(Some(name), refusal))?;
        let (exchange, name) = (Arc::clone(&self.0.exchange), name.to_owned());
        Ok(trial.or_else(move || exchange.sign_in_failed(&name)))
    }

    /// The same for a one-time code of `name`, whose password was right.
    ///
    /// # Errors
    /// As [`trial`](Self::trial).
    pub async fn code_trial(&self, name: &str) -> Result<Trial, Error> {
        let asker = self.0.asker(name).await;
        let answer = self.0.site.limits.code(asker, name).await;
        answer.map_err(|refusal| self.0.held_back(Some(name), refusal))
    }

    /// Begins a sign-in, before the credential is checked.
    ///
    /// # Errors
    /// [`Error`] if the store did not answer.
    pub async fn begin(&self, subject: Subject) -> Result<SigningIn, Error> {
        let attempt = self.0.exchange.begin(subject).await?;
        Ok(SigningIn { handle: self.0.clone(), attempt })
    }

    /// The sign-in this browser left half done, if it has not lapsed: one factor verified, another to come.
    ///
    /// # Errors
    /// [`Error`] if the store did not answer.
    pub async fn resume(&self) -> Result<Option<SigningIn>, Error> {
        let pending = self.0.exchange.pending().await?;
        Ok(pending.map(|attempt| SigningIn { handle: self.0.clone(), attempt }))
    }
}

impl SigningIn {
    /// Who it would be.
    pub fn subject(&self) -> &Subject {
        self.attempt.subject()
    }

    /// Notes a factor that was verified.
    pub fn factor(&mut self, amr: Amr) -> &mut Self {
        self.attempt = self.handle.exchange.verified(self.attempt.clone(), amr);
        self
    }

    /// The user asked to be remembered; also a sign-in kept half done remembers that. Counts only where the policy says
    /// for how long (`timeouts.remember_for`).
    ///
    /// # Security
    /// No second credential: past the idle or absolute limit the same session goes on as
    /// [`Remembered`](crate::Assurance::Remembered), which no guard lets in. Its token rotates, and signing out,
    /// revocation and reuse end it, as before.
    pub fn remember(&mut self) -> &mut Self {
        self.attempt = self.attempt.clone().remembering();
        self
    }

    /// Keeps it half done until [`SignIn::resume`]. The session stays nobody's.
    ///
    /// # Errors
    /// [`Error`] if it could not be kept.
    pub async fn hold(self) -> Result<(), Error> {
        let Self { handle, attempt } = self;
        handle.may_create().await?;
        Ok(handle.detached(|exchange| async move { exchange.hold(attempt).await }).await?)
    }

    /// Completes it: a new session, with a new token, in place of whatever was there. Runs to its end even if the client
    /// hangs up.
    ///
    /// # Errors
    /// [`Error`] if nobody is signed in by it; a refused sign-in says why.
    pub async fn complete(self) -> Result<Completed, Error> {
        let Self { handle, attempt } = self;
        handle.may_create().await?;
        let options = SignInOptions::default();
        let done = handle.detached(|exchange| async move { exchange.complete(attempt, options).await }).await;
        Ok(Completed(done?))
    }
}

impl Completed {
    /// Who was signed in.
    pub fn subject(&self) -> &Subject {
        &self.0.subject
    }

    /// The new session's public id.
    pub fn session_id(&self) -> SessionId {
        self.0.session
    }

    /// On to a page of this site; anything else leads to `/`.
    pub fn redirect(&self, to: &str) -> Redirect {
        Redirect::to(local_path(to).unwrap_or("/"))
    }
}

/// `text` if it is a path of this site and nothing else: safe to redirect to and to show, wherever it came from. A path
/// with one of our tokens in it is none.
///
/// # Examples
/// ```
/// use counterfoil::local_path;
///
/// assert_eq!(local_path("/cart?page=2"), Some("/cart?page=2"));
/// for elsewhere in ["https://evil.example", "//evil.example", "/\\evil.example", "/\t/evil.example", "cart", ""] {
///     assert_eq!(local_path(elsewhere), None, "{elsewhere:?}");
/// }
/// ```
pub fn local_path(text: &str) -> Option<&str> {
    let rest = text.strip_prefix('/')?;
    let printable = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let local = printable && !rest.starts_with('/');
    (local && text.len() <= 2_048 && !looks_like_token(text)).then_some(text)
}

impl<S: Sync> FromRequestParts<S> for SignIn {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        Handle::of(parts).map(Self).map_err(IntoResponse::into_response)
    }
}

impl std::fmt::Debug for SignIn {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("SignIn")
    }
}

impl std::fmt::Debug for SigningIn {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("SigningIn").field("factors", &self.attempt.factors()).finish_non_exhaustive()
    }
}
