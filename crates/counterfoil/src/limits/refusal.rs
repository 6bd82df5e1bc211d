//! The refusal of what was tried too often, and what every answer to it says.

use axum::response::{IntoResponse, Response};
use counterfoil_core::EventKind;
use counterfoil_core::limits::{Act, Per, Refused};

use super::fields;

/// It was tried too often: 429 with `Retry-After`. Nothing was looked at, and nothing used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("tried too often; try again in {} s", self.retry_after_seconds())]
pub struct TriedTooOften {
    pub(super) refused: Refused,
    /// Whether nobody was told of it yet.
    pub(super) news: bool,
}

impl TriedTooOften {
    /// The value for `Retry-After`: whole seconds, rounded up, at least one.
    pub fn retry_after_seconds(&self) -> u64 {
        let wait = self.refused.wait;
        (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
    }

    /// What was tried.
    pub const fn act(&self) -> Act {
        self.refused.act
    }

    /// Whose budget is used up.
    pub const fn per(&self) -> Per {
        self.refused.per
    }

    /// The event, if this refusal is worth one: the first of a budget within a minute.
    pub fn event(&self) -> Option<EventKind> {
        self.news.then_some(EventKind::LimitHit { act: self.refused.act, per: self.refused.per })
    }

    /// The status, the headers and the extensions every answer to it has, whatever its body.
    #[must_use]
    pub fn told(&self, mut answer: Response) -> Response {
        fields::refuse(answer.headers_mut(), &self.refused, self.retry_after_seconds());
        *answer.status_mut() = http::StatusCode::TOO_MANY_REQUESTS;
        answer.extensions_mut().insert(*self);
        answer
    }

    /// Which limit it was, by the name it has in settings and answers: `sign_in.address`.
    pub fn limit(&self) -> String {
        fields::name(self.refused.act, self.refused.per)
    }
}

/// Problem details (RFC 9457); the session layer makes a page of them where somebody waits for one.
impl IntoResponse for TriedTooOften {
    fn into_response(self) -> Response {
        crate::reply::tried_too_often(&self, false)
    }
}
