//! What can go wrong with a session while a handler runs. Each variant says what to do next.

use crate::data::{BadPayload, DataError};
use crate::entropy::NoEntropy;
use crate::store::StoreError;

/// An operation on the session of this request failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The store did not answer. Reply 503; the client keeps its cookie and may try again.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The session ended while the request ran. The change is dropped; ask for a new sign-in.
    #[error("the session ended while the request ran")]
    Ended,
    /// Nobody is signed in. Ask for a sign-in.
    #[error("nobody is signed in")]
    NotSignedIn,
    /// The response has been committed: nothing can be set any more, no session begun. Streams use `update`.
    #[error("the response was committed already; in a stream, use `update`")]
    TooLate,
    /// A value does not fit its key. A bug, or another version of the program.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The stored data cannot be read. It is kept as it is.
    #[error(transparent)]
    Payload(#[from] BadPayload),
    /// The session would hold more than it may. Nothing was stored.
    #[error("session data of {bytes} bytes exceeds {max}; keep the rest in a database")]
    TooLarge {
        /// How much it would be.
        bytes: usize,
        /// How much it may be.
        max: usize,
    },
    /// Too many others changed the session at the same time. Try again.
    #[error("the session was changed by others too often; try again")]
    Contended,
    /// The source of randomness failed. Reply 503.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
}

/// A sign-in was not completed. Nobody is signed in by it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignInError {
    /// The subject's sessions were ended, as by a password change, since this sign-in began. Check the credential again.
    #[error("the subject's sessions were ended while this sign-in was under way")]
    SubjectMoved,
    /// The subject has as many sessions as it may, and the policy refuses one more.
    #[error("the subject has as many sessions as it may")]
    OverLimit,
    /// The operator's own detector refuses it. Say that it was refused, and not why: whoever reads it may not be the owner.
    #[error("the sign-in was refused")]
    Refused,
    /// No factor was verified.
    #[error("no factor was verified")]
    NoFactor,
    /// The sign-in took longer than ten minutes. Begin again.
    #[error("the sign-in took too long")]
    Lapsed,
    /// As [`SessionError`].
    #[error(transparent)]
    Session(#[from] SessionError),
}

/// A step-up was not granted. The session is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StepUpError {
    /// Nobody is signed in, or only remembered. Ask for a sign-in.
    #[error("nobody is signed in")]
    NotSignedIn,
    /// The sign-in happened in this very request, and its cookie is the one that leaves. Step up in a later request.
    #[error("the sign-in of this request has not reached the browser yet; step up in a later request")]
    JustSignedIn,
    /// As [`SessionError`].
    #[error(transparent)]
    Session(#[from] SessionError),
}

impl From<StoreError> for SignInError {
    fn from(error: StoreError) -> Self {
        Self::Session(error.into())
    }
}

impl From<NoEntropy> for SignInError {
    fn from(error: NoEntropy) -> Self {
        Self::Session(error.into())
    }
}

impl From<StoreError> for StepUpError {
    fn from(error: StoreError) -> Self {
        Self::Session(error.into())
    }
}

impl From<NoEntropy> for StepUpError {
    fn from(error: NoEntropy) -> Self {
        Self::Session(error.into())
    }
}
