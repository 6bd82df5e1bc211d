//! An operator's own detector behind a URL: one POST asks it about one request, before that is decided.
//!
//! The question and the answer are JSON; `docs/detectors.md` has both. What bounds it is [`Guard`].

mod answer;
mod question;
mod settings;

use std::sync::Arc;

use bytes::Bytes;
use counterfoil::detector::{Asking, Detector, Figures, Guard, Guarded, NoVerdict, Question, Verdict};
use counterfoil_telemetry::client::{Client, Endpoint};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderValue, StatusCode};

pub use self::settings::{DetectorFailed, DetectorSettings};

/// A detector behind a URL, as it is configured. Cheap to clone.
#[derive(Debug, Clone)]
pub struct CalledOut {
    guard: Guard,
    asking: Asking,
    call: Call,
}

/// Asks about the requests of one site.
#[derive(Debug, Clone)]
pub struct Call {
    client: Client,
    to: Endpoint,
    headers: HeaderMap,
    site: Option<Arc<str>>,
}

/// The detector answered, and nothing can be made of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BadAnswer {
    /// It is an error, a redirect, or something else that is no answer.
    #[error("it answered with status {0}")]
    Status(StatusCode),
    /// It goes on after what is read, or broke off.
    #[error("its answer is longer than {} bytes, or broke off", answer::MOST_BYTES)]
    NotWhole,
    /// It is not what an answer looks like. Nothing of it is repeated.
    #[error("its answer is not what docs/detectors.md says (line {line}, column {column})")]
    NotAnAnswer {
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
    },
}

impl CalledOut {
    /// What asks about the requests of a site, or of the only one. All sites share the bounds.
    pub fn on_site(&self, site: Option<&str>) -> Guarded<impl Detector + use<>> {
        self.guard.around(Call { site: site.map(Arc::from), ..self.call.clone() })
    }

    /// When it is asked.
    pub const fn asking(&self) -> Asking {
        self.asking
    }

    /// What came of all questions so far.
    pub fn figures(&self) -> Figures {
        self.guard.figures()
    }
}

impl Detector for Call {
    async fn judge(&self, question: Question) -> Result<Verdict, NoVerdict> {
        let failed = |error: Box<dyn std::error::Error + Send + Sync>| NoVerdict::Failed(error);
        let body = question::json(&question, self.site.as_deref()).map_err(|error| failed(error.into()))?;
        let answer = self.client.post(&self.to, self.headers.clone(), Bytes::from(body)).await;
        let answer = answer.map_err(|error| failed(error.into()))?;
        match answer.status {
            StatusCode::NO_CONTENT => Ok(Verdict::NOTHING),
            StatusCode::OK if answer.is_whole => answer::read(&answer.body).map_err(|error| failed(error.into())),
            StatusCode::OK => Err(failed(BadAnswer::NotWhole.into())),
            status => Err(failed(BadAnswer::Status(status).into())),
        }
    }
}

/// What every question begins with.
fn headers(secret: Option<HeaderValue>) -> HeaderMap {
    let mut headers = HeaderMap::from_iter([
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (ACCEPT, HeaderValue::from_static("application/json")),
        (USER_AGENT, HeaderValue::from_static(concat!("Counterfoil/", env!("CARGO_PKG_VERSION")))),
    ]);
    headers.extend(secret.map(|secret| (AUTHORIZATION, secret)));
    headers
}

#[cfg(test)]
mod tests;
