//! Replies to requests the application does not answer: problem+json for fetches, a page or a redirect for navigations.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use counterfoil_core::seam::Denial;
use counterfoil_core::token::looks_like_token;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use http::uri::PathAndQuery;
use http::{HeaderValue, StatusCode};

use crate::limits::TriedTooOften;
use crate::site::Pages;

/// A denial on its way out. The session layer writes the reply, because it knows who asked and where people are sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Denied(pub(crate) Denial);

/// A refusal on its way out, which the layer may still make a page of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeldBack(pub(crate) TriedTooOften);

/// What of a request a reply depends on.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) navigation: bool,
    /// The address to come back to; only of a navigation that can be repeated.
    pub(crate) again: Option<PathAndQuery>,
}

impl IntoResponse for Denied {
    fn into_response(self) -> Response {
        let mut response = problem(self.0);
        response.extensions_mut().insert(self);
        response
    }
}

/// The reply to a denied request. The [`Denial`] itself travels in the response's extensions, for logs and tests.
pub(crate) fn write(denial: Denial, asked: &Asked, pages: &Pages) -> Response {
    let mut response = form_of(denial, asked, pages);
    response.extensions_mut().insert(denial);
    response
}

fn form_of(denial: Denial, asked: &Asked, pages: &Pages) -> Response {
    if !asked.navigation {
        return problem(denial);
    }
    match (denial, &pages.denied) {
        (Denial::SignInRequired | Denial::SignInAgain { .. } | Denial::Ended, _) => {
            redirect(&with_next(&pages.sign_in, asked))
        }
        (Denial::StepUpRequired { .. }, _) => redirect(&with_next(&pages.step_up, asked)),
        (Denial::Csrf(reason), Some(page)) => redirect(&format!("{page}?reason={}", reason.as_str())),
        (denial, _) => page(denial),
    }
}

/// The reply to a request whose form could not be read for its CSRF token.
pub(crate) fn unread(status: StatusCode, asked: &Asked) -> Response {
    let (name, title, detail) = match status {
        StatusCode::PAYLOAD_TOO_LARGE => ("form-too-large", "The form is too large", "It was not carried out."),
        _ => ("form-unreadable", "The form could not be read", "It was not carried out. Send it again."),
    };
    let words = Words { name, title, detail };
    if asked.navigation { html(status, &words) } else { json(status, &words) }
}

/// The reply to what was tried too often.
pub(crate) fn tried_too_often(refusal: &TriedTooOften, navigation: bool) -> Response {
    let (status, seconds) = (StatusCode::TOO_MANY_REQUESTS, refusal.retry_after_seconds());
    let title = "That was tried too often";
    let mut response = if navigation {
        let detail = format!("Nothing was looked at. Try again in {seconds} seconds.");
        html(status, &Words { name: "tried-too-often", title, detail: &detail })
    } else {
        let body = serde_json::json!({
            "type": "urn:counterfoil:tried-too-often",
            "title": title,
            "status": status.as_u16(),
            "detail": format!("Nothing was looked at. Try again in {seconds} seconds."),
            "violated-policies": [refusal.limit()],
        });
        answer(status, "application/problem+json", body.to_string())
    };
    response.extensions_mut().insert(HeldBack(*refusal));
    refusal.told(response)
}

fn problem(denial: Denial) -> Response {
    with_headers(denial, json(status(denial), &words(denial)))
}

fn page(denial: Denial) -> Response {
    with_headers(denial, html(status(denial), &words(denial)))
}

fn status(denial: Denial) -> StatusCode {
    StatusCode::from_u16(denial.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// RFC 9457 problem details.
fn json(status: StatusCode, Words { name, title, detail }: &Words<'_>) -> Response {
    let body = serde_json::json!({
        "type": format!("urn:counterfoil:{name}"),
        "title": title,
        "status": status.as_u16(),
        "detail": detail,
    });
    answer(status, "application/problem+json", body.to_string())
}

/// A page for people, without a script and without anything from the request in it.
fn html(status: StatusCode, Words { title, detail, .. }: &Words<'_>) -> Response {
    let body = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title></head>\
         <body><main><h1>{title}</h1><p>{detail}</p><p><a href=\"/\">Back to the start</a></p></main></body></html>"
    );
    answer(status, "text/html; charset=utf-8", body)
}

fn answer(status: StatusCode, content_type: &'static str, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    response
}

fn with_headers(denial: Denial, mut response: Response) -> Response {
    let headers = response.headers_mut();
    match denial {
        Denial::Unavailable => {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("5"));
        }
        Denial::StepUpRequired { max_age } | Denial::SignInAgain { max_age } => {
            // RFC 9470, section 3: what would be sufficient.
            let challenge = format!(
                "Bearer error=\"insufficient_user_authentication\", \
                 error_description=\"a more recent authentication is required\", max_age=\"{}\"",
                max_age.as_secs()
            );
            headers.extend(HeaderValue::try_from(challenge).ok().map(|challenge| (WWW_AUTHENTICATE, challenge)));
        }
        Denial::SignInRequired | Denial::Ended => {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Session"));
        }
        _ => {}
    }
    response
}

fn redirect(to: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let to = HeaderValue::try_from(to).unwrap_or(HeaderValue::from_static("/"));
    response.headers_mut().insert(LOCATION, to);
    response.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    response
}

/// The page with the way back as `next`, for whoever asked for something that can be asked for again. An address with
/// one of our tokens in it goes no further.
fn with_next(page: &str, asked: &Asked) -> String {
    match asked.again.as_ref().filter(|again| !looks_like_token(again.as_str())) {
        Some(again) => {
            let next: String = url::form_urlencoded::byte_serialize(again.as_str().as_bytes()).collect();
            format!("{page}?next={next}")
        }
        None => page.into(),
    }
}

struct Words<'a> {
    name: &'static str,
    title: &'static str,
    detail: &'a str,
}

const fn words(denial: Denial) -> Words<'static> {
    let (name, title, detail) = match denial {
        Denial::Csrf(_) => (
            "csrf",
            "The request looks like it came from another site",
            "It was not carried out. Open the page again and repeat what you did there.",
        ),
        Denial::SignInRequired => ("sign-in-required", "Sign in first", "This needs somebody to be signed in."),
        Denial::StepUpRequired { .. } => {
            ("step-up-required", "Confirm that it is you", "This needs a fresh confirmation of who you are.")
        }
        Denial::SignInAgain { .. } => ("sign-in-again", "Sign in again", "This needs a more recent sign-in."),
        Denial::Ended => (
            "session-ended",
            "The session has ended",
            "It ended while the request was under way; what the request changed was not stored. Sign in again.",
        ),
        Denial::Unavailable => (
            "session-store-unavailable",
            "Sessions are unavailable",
            "Nothing was changed and nobody was signed out. Try again in a moment.",
        ),
        _ => ("session-not-stored", "The session could not be stored", "Nothing was changed."),
    };
    Words { name, title, detail }
}

pub(crate) const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
