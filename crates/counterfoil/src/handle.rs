//! What the session layer leaves in a request for extractors to find.

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use counterfoil_core::engine::Exchange;
use counterfoil_core::seam::Denial;
use http::StatusCode;
use http::request::Parts;

use crate::reply::Denied;
use crate::site::Site;

/// The request's exchange, and the site it came to.
#[derive(Clone)]
pub(crate) struct Handle {
    pub(crate) site: Arc<Site>,
    pub(crate) exchange: Arc<Exchange>,
}

/// Why an extractor gave nothing.
pub(crate) enum Rejection {
    /// No session layer stands around the route: a fault of the program's.
    NoLayer,
    /// The request is denied.
    Denied(Denial),
}

impl Handle {
    pub(crate) fn of(parts: &Parts) -> Result<Self, Rejection> {
        Self::lent_by(parts).cloned()
    }

    /// For extractors that need it no longer than the request's head is there.
    pub(crate) fn lent_by(parts: &Parts) -> Result<&Self, Rejection> {
        parts.extensions.get::<Self>().ok_or(Rejection::NoLayer)
    }

    /// Runs an operation to its end even if the client hangs up: half a sign-in must not happen.
    pub(crate) async fn detached<T, F>(&self, operation: impl FnOnce(Arc<Exchange>) -> F) -> T
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        match tokio::spawn(operation(Arc::clone(&self.exchange))).await {
            Ok(done) => done,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // Only a runtime that shuts down cancels the task; nobody waits for the answer then.
                Err(_) => std::future::pending().await,
            },
        }
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        match self {
            Self::NoLayer => {
                tracing::error!("a handler asks for a session, but no session layer stands around its route");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
            Self::Denied(denial) => Denied(denial).into_response(),
        }
    }
}
