//! Whoever asks, and what their session remembers.

use std::collections::BTreeMap;

use axum::{
    extract::FromRequestParts,
    http::{Method, request::Parts},
    response::{IntoResponse as _, Response},
};
use counterfoil::{
    Assurance, CsrfToken, Error, Flash, Identity, Session,
    data::{Keys, SessionData},
};

use super::Me;
use crate::{
    negotiate::Wants,
    pages::{Ending, Frame},
};

/// Whoever asks, signed in or not: the session of the request, and what every page shows of it.
#[derive(Debug, Clone)]
pub struct Visitor {
    pub(super) session: Session<Remembered>,
    identity: Option<Identity>,
    csrf: CsrfToken,
    flash: Flash,
    /// What the request before said, where this one is for a page.
    said: Vec<String>,
    /// The path asked for.
    here: String,
    /// A page or data.
    pub wants: Wants,
}

/// What a session remembers beside who it belongs to.
#[derive(Debug, Default, SessionData)]
#[session(prefix = "demo")]
pub(super) struct Remembered {
    counter: u64,
}

/// Each note is a key of its own: two requests that write different ones both survive.
const NOTES: Keys<String> = Keys::new("demo.notes/");

impl Visitor {
    /// What every page shows around its content.
    pub fn frame(&self) -> Frame<'_> {
        let limits = self.session.exchange().engine().policy().limits();
        let ending = self
            .identity
            .as_ref()
            .filter(|identity| is_signed_in(identity))
            .and_then(|identity| Ending::near(identity, limits));
        let (subject, remembered, csrf) = (self.subject(), self.remembered(), self.csrf.value());
        Frame { subject, remembered, csrf, flash: &self.said, ending, here: &self.here }
    }

    /// On to a page of this site, which then says `words`.
    ///
    /// # Errors
    /// [`Error`]: return it, and the reply fits.
    pub async fn on_to(&self, path: &str, words: &str) -> Result<Response, Error> {
        Ok(self.flash.redirect(path, words).await?.into_response())
    }

    /// Who is signed in, if anybody.
    pub fn subject(&self) -> Option<&str> {
        self.identity.as_ref().filter(|identity| is_signed_in(identity)).map(|identity| identity.subject().as_str())
    }

    /// Whom this browser is known by, if they are not signed in any more. Good for a greeting.
    pub fn remembered(&self) -> Option<&str> {
        self.identity.as_ref().filter(|identity| !is_signed_in(identity)).map(|identity| identity.subject().as_str())
    }

    /// How surely anybody is known.
    pub fn assurance(&self) -> Assurance {
        self.identity.as_ref().map_or(Assurance::Anonymous, |identity| identity.assurance)
    }

    /// How far this session has counted.
    ///
    /// # Errors
    /// [`Error`]: return it, and the reply fits.
    pub async fn counted(&self) -> Result<u64, Error> {
        Ok(self.session.read().await?.counter)
    }

    /// Counts one further, by compare-and-set, and says how far.
    ///
    /// # Errors
    /// [`Error`]: return it, and the reply fits.
    pub async fn count(&self) -> Result<u64, Error> {
        let next = |data: &mut Remembered| {
            data.counter = data.counter.saturating_add(1);
            data.counter
        };
        self.session.update(next).await
    }

    /// The notes of this session.
    ///
    /// # Errors
    /// [`Error`]: return it, and the reply fits.
    pub async fn notes(&self) -> Result<BTreeMap<String, String>, Error> {
        self.session.get_all(NOTES).await
    }

    /// Sets one note; it is written with the answer, before its headers leave.
    ///
    /// # Errors
    /// [`Error`]: return it, and the reply fits.
    pub fn set_note(&self, key: &str, value: &str) -> Result<(), Error> {
        self.session.set(NOTES.key(key), &value.to_owned())
    }

    /// Signs out. Fine where nobody is signed in.
    ///
    /// # Errors
    /// [`Error`]: return it, and the reply fits.
    pub async fn sign_out(&self) -> Result<(), Error> {
        self.session.sign_out().await
    }

    /// What `/me` says by now: after a sign-in or a step-up, other than at the start of the request.
    ///
    /// # Errors
    /// [`Error`]: return it, and the reply fits.
    pub async fn me(&self) -> Result<Option<Me>, Error> {
        Ok(self.session.identity().await?.map(Into::into))
    }
}

fn is_signed_in(identity: &Identity) -> bool {
    identity.assurance >= Assurance::Authenticated
}

impl<S: Send + Sync> FromRequestParts<S> for Visitor {
    type Rejection = Response;

    /// On public routes a store that does not answer leaves a stranger, so that the page still appears.
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let session = Session::from_request_parts(parts, state).await?;
        let identity = match session.identity().await {
            Ok(identity) => identity,
            Err(_) if session.exchange().route().public => None,
            Err(error) => return Err(error.into_response()),
        };
        let csrf = CsrfToken::from_request_parts(parts, state).await?;
        let flash = Flash::from_request_parts(parts, state).await?;
        let wants = Wants::of(&parts.headers);
        let said = match wants {
            Wants::Page if parts.method == Method::GET => match flash.take().await {
                Ok(said) => said,
                Err(_) if session.exchange().route().public => Vec::new(),
                Err(error) => return Err(error.into_response()),
            },
            _ => Vec::new(),
        };
        let here = parts.uri.path().to_owned();
        Ok(Self { session, identity, csrf, flash, said, here, wants })
    }
}
