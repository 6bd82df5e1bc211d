//! Requests that are refused before anybody asks who is there: each with its rule for the log, and its answer.

use axum::body::Body;
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};

use super::{MAX_ANSWER, NO_STORE, Outcome};
use crate::assertion::Unsigned;
use crate::gateway::Site;
use crate::request::Malformed;
use crate::rules::Unreadable;

/// Why a request is refused before anybody asks who is there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal<'a> {
    #[error("nothing answers at this address")]
    NotAnEndpoint,
    #[error("no app of this name is configured for a proxy of this kind: {0:?}")]
    NoSuchApp(&'a str),
    #[error(transparent)]
    Malformed(Malformed),
    #[error("{0}: {1:?}")]
    Unreadable(Unreadable, &'a str),
    #[error("no rule names the path {0:?}")]
    NoRule(&'a str),
    #[error("the app's cookies are longer than an answer may be: {bytes} bytes, and {MAX_ANSWER} fit")]
    CookiesTooLong { bytes: usize },
    #[error("the assertion could not be signed: {0}")]
    Unsigned(Unsigned),
}

/// The answer to a request about which nothing could be asked.
pub(crate) fn refuse(site: Option<&Site>, refusal: &Refusal<'_>) -> Outcome {
    let app = site.map(|site| site.app.name.as_str());
    tracing::warn!(app, rule = refusal.rule(), reason = %refusal, "a request is denied: {refusal}");
    let status = refusal.status();
    let body = format!(
        r#"{{"type":"urn:counterfoil:{}","title":"The request is denied","status":{}}}"#,
        refusal.rule(),
        status.as_u16()
    );
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    response.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    Outcome::Refuse(response)
}

impl Refusal<'_> {
    /// Its name in logs.
    const fn rule(&self) -> &'static str {
        match self {
            Self::NotAnEndpoint | Self::NoSuchApp(_) => "endpoint",
            Self::Malformed(Malformed::Intruder(_)) => "owned-header",
            Self::Malformed(Malformed::TooLarge) | Self::CookiesTooLong { .. } => "too-large",
            Self::Malformed(_) => "metadata",
            Self::Unreadable(..) => "path",
            Self::NoRule(_) => "no-rule",
            Self::Unsigned(_) => "assertion",
        }
    }

    const fn status(&self) -> StatusCode {
        match self {
            Self::Malformed(Malformed::TooLarge) | Self::CookiesTooLong { .. } => {
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
            }
            Self::Unsigned(_) => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::FORBIDDEN,
        }
    }
}
