//! Every refusal of the demo, and the one place that turns it into an answer.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use counterfoil::TriedTooOften;
use serde_json::json;

use crate::{
    negotiate::Wants,
    pages::{Frame, ProblemPage, WayOut, page},
};

/// Why there is no better answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem<'a> {
    /// 401: nobody is signed in.
    NotSignedIn,
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
    /// What reading the body made of it: 400, 408, 413, 415 or 422, and a text for developers.
    Unreadable(StatusCode, &'a str),
    /// 429
    TriedTooOften(TriedTooOften),
    /// 503: something this needs does not answer; nothing was changed.
    Unavailable,
}

impl Problem<'_> {
    /// The status.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NotSignedIn | Self::WrongPassword | Self::WrongCode => StatusCode::UNAUTHORIZED,
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
    pub fn answer(&self, wants: Wants, frame: Frame<'_>) -> Response {
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
            Self::NotSignedIn => "Please sign in",
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
    pub fn explanation(&self) -> &str {
        match self {
            Self::NotSignedIn => "This needs a signed-in session, and there is none.",
            Self::WrongPassword => "No account has this name with this password.",
            Self::WrongCode => "That code is not right, or it was used before. Wait for the next one.",
            Self::NotFound => "There is no page at this address.",
            Self::MethodNotAllowed => "This address exists, but not for this method.",
            Self::Conflict(text) | Self::Invalid(text) | Self::Unreadable(_, text) => text,
            Self::TriedTooOften(_) => "Passwords were tried too often for this name or from this address.",
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

    fn way_out(&self) -> WayOut {
        match self {
            Self::NotSignedIn | Self::WrongPassword | Self::WrongCode | Self::TriedTooOften(_) | Self::Conflict(_) => {
                WayOut { href: "/login", text: "Sign in" }
            }
            _ => WayOut { href: "/", text: "Back to the start" },
        }
    }
}

/// A guess that keeps clients from asking again at once.
const UNAVAILABLE_FOR_SECONDS: u64 = 5;

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    async fn read(response: Response) -> (u16, String, Option<String>, String) {
        let header = |name| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let (kind, retry) = (header(header::CONTENT_TYPE).unwrap(), header(header::RETRY_AFTER));
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, kind, retry, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn every_problem_has_a_page_and_a_problem_document() {
        #[rustfmt::skip]
        let table = [
            (Problem::NotSignedIn,                                         401, None),
            (Problem::WrongPassword,                                       401, None),
            (Problem::WrongCode,                                           401, None),
            (Problem::NotFound,                                            404, None),
            (Problem::MethodNotAllowed,                                    405, None),
            (Problem::Invalid("the amount <b>"),                           422, None),
            (Problem::Unreadable(StatusCode::PAYLOAD_TOO_LARGE, "too big"), 413, None),
            (Problem::Unavailable,                                         503, Some("5".to_owned())),
        ];
        for (problem, expected, retry) in table {
            let (status, kind, retry_after, html) = read(problem.answer(Wants::Page, Frame::default())).await;
            assert_eq!((status, kind.as_str()), (expected, "text/html; charset=utf-8"));
            assert_eq!(retry_after, retry);
            assert!(html.contains(problem.title()) && !html.contains("<b>"));

            let (status, kind, retry_after, body) = read(problem.answer(Wants::Data, Frame::default())).await;
            assert_eq!((status, kind.as_str()), (expected, "application/problem+json"));
            assert_eq!(retry_after, retry);
            let document: serde_json::Value = serde_json::from_str(&body).unwrap();
            assert_eq!(document["status"], expected);
            assert_eq!(document["detail"], problem.explanation());
        }
    }

    #[tokio::test]
    async fn who_has_to_sign_in_is_shown_where() {
        let (.., html) = read(Problem::NotSignedIn.answer(Wants::Page, Frame::default())).await;
        assert!(html.contains(r#"<a class="action" href="/login">"#));
    }
}
