//! What a store says when it cannot answer.

use std::time::Duration;

/// The cause of a failure.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A store did not answer. None of these means that the session is absent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The backend did not answer. Fail closed: reply 503, keep the client's cookie.
    #[error("session store is unavailable")]
    Unavailable(#[source] BoxError),
    /// The backend took too long. As unavailable; the write may or may not have happened.
    #[error("session store did not answer `{verb}` within {limit:?}")]
    Timeout {
        /// Which verb.
        verb: &'static str,
        /// The limit that passed.
        limit: Duration,
    },
    /// A record cannot be read: damaged, or of a newer version. Fail closed, and look at the store.
    #[error("session store holds a record that cannot be read: {what}")]
    Corrupt {
        /// What could not be read.
        what: &'static str,
        /// Where, and what is wrong with it, if the store knows.
        #[source]
        cause: Option<BoxError>,
    },
    /// The backend is set up in a way that would break the contract. Do not start.
    #[error("session store is misconfigured: {what}")]
    Misconfigured {
        /// What is wrong and what to do.
        what: &'static str,
    },
}
