//! Reading what a form or a script sent: bounded in size and time, with answers that fit who asks.

use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::extract::rejection::{FormRejection, JsonRejection};
use axum::extract::{DefaultBodyLimit, FromRequest, Request};
use axum::response::Response;
use axum::{Form, Json, RequestExt as _};
use futures_util::{StreamExt as _, stream};
use http::{StatusCode, header};
use serde::de::DeserializeOwned;

use super::problem::Problem;
use super::visitor::{Here, Wants};

/// The fields of a body: a form, or a JSON object where the content type says so.
///
/// # Errors
/// Answers 408, 413, 415, 400 or 422 itself, as a page or as a problem document.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<T>(pub(super) T);

/// The longest body read. The longest honest one holds a password and a path.
pub(super) const LONGEST_BODY: usize = 16 * 1024;

/// The longest time a body may take to arrive.
const LONGEST_UPLOAD: Duration = Duration::from_secs(10);

/// Lets a body fail that takes longer than [`LONGEST_UPLOAD`] and a second to arrive, whoever reads it: the session layer
/// does, in search of a CSRF token, before there is an extractor. The second lets an extractor say it better.
pub(super) async fn in_time(request: Request) -> Request {
    if request.body().is_end_stream() {
        return request;
    }
    let deadline = tokio::time::Instant::now() + LONGEST_UPLOAD + Duration::from_secs(1);
    request.map(|body| {
        let chunks = stream::unfold(Some(body.into_data_stream()), move |body| async move {
            let mut body = body?;
            match tokio::time::timeout_at(deadline, body.next()).await {
                Ok(chunk) => chunk.map(|chunk| (chunk, Some(body))),
                Err(late) => Some((Err(axum::Error::new(late)), None)),
            }
        });
        Body::from_stream(chunks)
    })
}

/// Refuses longer bodies in every extractor below this layer.
pub(super) fn body_limit() -> DefaultBodyLimit {
    DefaultBodyLimit::max(LONGEST_BODY)
}

impl<T: DeserializeOwned + Send + 'static> FromRequest<Here> for Fields<T> {
    type Rejection = Response;

    async fn from_request(request: Request, here: &Here) -> Result<Self, Response> {
        let wants = Wants::of(request.headers());
        let frame = here.frame_of(&request);
        let refuse = |status, text: &str| Problem::Unreadable(status, text).answer(wants, frame.borrowed());
        match tokio::time::timeout(LONGEST_UPLOAD, read(request)).await {
            Ok(Ok(fields)) => Ok(Self(fields)),
            Ok(Err(status)) => Err(refuse(status, meaning(status))),
            Err(_) => Err(refuse(StatusCode::REQUEST_TIMEOUT, meaning(StatusCode::REQUEST_TIMEOUT))),
        }
    }
}

async fn read<T: DeserializeOwned + 'static>(request: Request) -> Result<T, StatusCode> {
    if says_json(&request) {
        let read = request.extract::<Json<T>, _>().await;
        read.map(|Json(fields)| fields).map_err(|refusal: JsonRejection| refusal.status())
    } else {
        let read = request.extract::<Form<T>, _>().await;
        read.map(|Form(fields)| fields).map_err(|refusal: FormRejection| refusal.status())
    }
}

/// In words of our own: a parser's may repeat what was sent, a password perhaps.
fn meaning(status: StatusCode) -> &'static str {
    match status {
        StatusCode::REQUEST_TIMEOUT => "What was sent took too long to arrive.",
        StatusCode::PAYLOAD_TOO_LARGE => "What was sent is too long.",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "Send a form, or JSON as application/json.",
        StatusCode::UNPROCESSABLE_ENTITY => "A field is missing, is there twice, or is of another type.",
        _ => "What was sent could not be read.",
    }
}

fn says_json(request: &Request) -> bool {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}
