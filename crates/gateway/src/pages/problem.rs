//! Every refusal of our pages, and the one place that turns it into an answer.

use axum::response::{IntoResponse as _, Response};
use counterfoil::TriedTooOften;
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

use super::SIGN_IN;
use super::views::{Frame, ProblemPage, page};
use super::visitor::Wants;

/// Why there is no better answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Problem<'a> {
    /// 401: the name and the password do not belong together.
    WrongPassword,
    /// 401: the code is wrong, or was used before.
    WrongCode,
    /// 404
    NotFound,
    /// 405; the router adds `Allow`.
    MethodNotAllowed,
    /// 409: what the request asks for has been overtaken; the text says by what.
    Conflict(&'a str),
    /// 422: the request is understood and asks for something impossible; the text says what.
    Invalid(&'a str),
    /// What reading the body made of it: 400, 408, 413, 415 or 422.
    Unreadable(StatusCode, &'a str),
    /// 429
    TriedTooOften(TriedTooOften),
    /// 503: something this needs does not answer; nothing was changed.
    Unavailable,
}

impl Problem<'_> {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::WrongPassword | Self::WrongCode => StatusCode::UNAUTHORIZED,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Unreadable(status, _) => *status,
            Self::TriedTooOften(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The answer: a page, or `application/problem+json` (RFC 9457).
    pub(super) fn answer(&self, wants: Wants, frame: Frame<'_>) -> Response {
        let (status, title, explanation) = (self.status(), self.title(), self.explanation());
        let retry_after = self.retry_after();
        let mut response = match wants {
            Wants::Page => {
                let way_out = self.way_out();
                page(status, &ProblemPage { frame, status: status.as_u16(), title, explanation, retry_after, way_out })
            }
            Wants::Data => {
                let mut body = json!({
                    "type": "about:blank", "title": title, "status": status.as_u16(), "detail": explanation,
                });
                if let (Self::TriedTooOften(refusal), Some(members)) = (self, body.as_object_mut()) {
                    members.insert("violated-policies".to_owned(), json!([refusal.limit()]));
                }
                let kind = HeaderValue::from_static("application/problem+json");
                (status, [(header::CONTENT_TYPE, kind)], body.to_string()).into_response()
            }
        };
        if status == StatusCode::UNAUTHORIZED {
            // RFC 9110, section 15.5.2: a 401 names a scheme. Ours is the cookie.
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Session"));
        }
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        match self {
            Self::TriedTooOften(refusal) => refusal.told(response),
            _ => response,
        }
    }

    fn title(&self) -> &'static str {
        match self {
            Self::WrongPassword => "Name or password not right",
            Self::WrongCode => "Code not right",
            Self::NotFound => "Nothing here",
            Self::MethodNotAllowed => "Not possible here",
            Self::Conflict(_) => "Not any more",
            Self::Invalid(_) => "That does not work",
            Self::Unreadable(..) => "The request could not be read",
            Self::TriedTooOften(_) => "Too many attempts",
            Self::Unavailable => "Not available at the moment",
        }
    }

    /// What to know, as a sentence.
    pub(super) fn explanation(&self) -> &str {
        match self {
            Self::WrongPassword => "No account has this name with this password.",
            Self::WrongCode => "That code is not right, or it was used before. Wait for the next one.",
            Self::NotFound => "There is no page at this address.",
            Self::MethodNotAllowed => "This address exists, but not for this method.",
            Self::Conflict(text) | Self::Invalid(text) | Self::Unreadable(_, text) => text,
            Self::TriedTooOften(_) => "This was tried too often, for this name or from this address.",
            Self::Unavailable => "Something this needs does not answer. Nothing was changed; you are not signed out.",
        }
    }

    fn retry_after(&self) -> Option<u64> {
        match self {
            Self::TriedTooOften(refusal) => Some(refusal.retry_after_seconds()),
            Self::Unavailable => Some(UNAVAILABLE_FOR_SECONDS),
            _ => None,
        }
    }

    fn way_out(&self) -> (&'static str, &'static str) {
        match self {
            Self::WrongPassword | Self::WrongCode | Self::TriedTooOften(_) | Self::Conflict(_) => (SIGN_IN, "Sign in"),
            _ => ("/", "Back to the app"),
        }
    }
}

/// A guess that keeps clients from asking again at once.
const UNAVAILABLE_FOR_SECONDS: u64 = 5;
