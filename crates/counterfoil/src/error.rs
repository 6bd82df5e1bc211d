//! One error for handlers, and the one place that maps the engine's errors to replies.

use axum::response::{IntoResponse, Response};
use counterfoil_core::BadSubject;
use counterfoil_core::engine::{SessionError, SignInError, StepUpError};
use counterfoil_core::seam::Denial;
use counterfoil_core::store::StoreError;
use http::StatusCode;

use crate::limits::TriedTooOften;
use crate::reply::Denied;

/// What can go wrong with sessions in a handler. Return it: the reply follows.
///
/// An outage is 503 and keeps the client's cookie; an ended session is 401 for fetches and the sign-in page for
/// navigations; a refused sign-in is 409, and what was tried too often 429; a name that cannot be a subject is 400; the rest is 500 with nothing in it that
/// could leak.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An operation on this request's session failed.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// A sign-in was not completed.
    #[error(transparent)]
    SignIn(#[from] SignInError),
    /// A step-up was not granted.
    #[error(transparent)]
    StepUp(#[from] StepUpError),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It was tried too often: 429.
    #[error(transparent)]
    TriedTooOften(#[from] TriedTooOften),
    /// The application's user id cannot be a subject.
    #[error(transparent)]
    Subject(#[from] BadSubject),
}

impl Error {
    fn session(&self) -> Option<&SessionError> {
        match self {
            Self::Session(error)
            | Self::SignIn(SignInError::Session(error))
            | Self::StepUp(StepUpError::Session(error)) => Some(error),
            _ => None,
        }
    }

    fn denial(&self) -> Option<Denial> {
        match self {
            Self::Store(_) => Some(Denial::Unavailable),
            Self::StepUp(StepUpError::NotSignedIn) => Some(Denial::SignInRequired),
            _ => match self.session()? {
                SessionError::Store(StoreError::Corrupt { .. }) => Some(Denial::NotStored),
                SessionError::Store(_) | SessionError::NoEntropy(_) | SessionError::Contended => {
                    Some(Denial::Unavailable)
                }
                SessionError::Ended => Some(Denial::Ended),
                SessionError::NotSignedIn => Some(Denial::SignInRequired),
                _ => Some(Denial::NotStored),
            },
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        if let Some(denial) = self.denial() {
            if matches!(denial, Denial::Unavailable | Denial::NotStored) {
                tracing::error!(error = %self, "a session operation failed");
            }
            return Denied(denial).into_response();
        }
        match self {
            Self::TriedTooOften(refusal) => refusal.into_response(),
            Self::SignIn(_) => (StatusCode::CONFLICT, self.to_string()).into_response(),
            // What somebody typed as a user name, most likely: nothing to wake an operator for.
            Self::Subject(_) => (StatusCode::BAD_REQUEST, self.to_string()).into_response(),
            other => {
                tracing::error!(error = %other, "a session operation failed");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}
