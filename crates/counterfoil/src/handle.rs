//! What the session layer leaves in a request for extractors to find.

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use counterfoil_core::Subject;
use counterfoil_core::engine::Exchange;
use counterfoil_core::seam::Denial;
use http::StatusCode;
use http::request::Parts;

use crate::error::Error;
use crate::limits::{Asker, TriedTooOften};
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

    /// Who tries something of the account called `name`. A store that does not answer makes a stranger of everybody, and
    /// keeps nobody out.
    pub(crate) async fn asker(&self, name: &str) -> Asker {
        let identity = self.exchange.identity().await.ok().flatten();
        let theirs = identity.filter(|identity| identity.subject().as_str() == name);
        Asker {
            client: self.exchange.client_address(),
            session: theirs.as_ref().map(|identity| identity.session),
            is_theirs: theirs.is_some(),
        }
    }

    /// Whether a session may be made for a browser that came with none.
    pub(crate) async fn may_create(&self) -> Result<(), TriedTooOften> {
        let client = match self.exchange.presented() {
            None => self.site.believed_address(&self.exchange),
            Some(_) => None,
        };
        let Some(client) = client else { return Ok(()) };
        // It counts whatever becomes of it.
        let made = self.site.limits.session_creation(client).await.map(drop);
        made.map_err(|refusal| self.site.held_back(&self.exchange, None, refusal))
    }

    /// A refusal as an error; told, where that is news. Whom it concerns is `name`, or who is signed in.
    pub(crate) fn held_back(&self, name: Option<&str>, refusal: TriedTooOften) -> Error {
        let subject = name.and_then(|name| Subject::new(name).ok());
        self.site.held_back(&self.exchange, subject.as_ref(), refusal).into()
    }

    /// Runs an operation to its end even if the client hangs up: half a sign-in must not happen.
    pub(crate) async fn detached<T, F>(&self, operation: impl FnOnce(Arc<Exchange>) -> F) -> T
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        to_the_end(operation(Arc::clone(&self.exchange))).await
    }
}

/// Runs `operation` in a task of its own, to its end even if nobody waits any more.
pub(crate) async fn to_the_end<T: Send + 'static>(operation: impl Future<Output = T> + Send + 'static) -> T {
    match tokio::spawn(operation).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // Only a runtime that shuts down cancels the task; nobody waits for the answer then.
            Err(_) => std::future::pending().await,
        },
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
