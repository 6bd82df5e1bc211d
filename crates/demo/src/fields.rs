//! Reading what a form or a script sent: bounded in size and time, with answers that fit who asks.

use std::time::Duration;

use axum::{
    Form, Json, RequestExt as _,
    body::{Body, HttpBody as _},
    extract::{DefaultBodyLimit, FromRequest, Request},
    http::{StatusCode, header},
    response::Response,
};
use futures_util::{StreamExt as _, stream};
use serde::de::DeserializeOwned;

use crate::{negotiate::Wants, pages::Frame, problem::Problem};

/// The fields of a body: a form, or a JSON object where the content type says so.
///
/// # Errors
/// Answers 408, 413, 415, 400 or 422 itself, as a page or as a problem document.
#[derive(Debug, Clone, Copy)]
pub struct Fields<T>(pub T);

/// The longest body read. The longest honest one is a note of about 4 kB.
pub const LONGEST_BODY: usize = 16 * 1024;

/// The longest time a body may take to arrive.
pub const LONGEST_UPLOAD: Duration = Duration::from_secs(10);

/// Lets a body fail that takes longer than [`LONGEST_UPLOAD`] and a second to arrive, whoever reads it: the session layer
/// does, in search of a CSRF token, before there is an extractor. The second lets an extractor say it better.
pub fn in_time(request: Request) -> Request {
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
pub fn body_limit() -> DefaultBodyLimit {
    DefaultBodyLimit::max(LONGEST_BODY)
}

impl<T: DeserializeOwned + Send + 'static, S: Send + Sync> FromRequest<S> for Fields<T> {
    type Rejection = Response;

    async fn from_request(request: Request, _: &S) -> Result<Self, Response> {
        let wants = Wants::of(request.headers());
        let refuse = |status, text: &str| Problem::Unreadable(status, text).answer(wants, Frame::default());
        match tokio::time::timeout(LONGEST_UPLOAD, read(request)).await {
            Ok(Ok(fields)) => Ok(Self(fields)),
            Ok(Err((status, text))) => Err(refuse(status, &text)),
            Err(_) => Err(refuse(StatusCode::REQUEST_TIMEOUT, "the body took too long to arrive")),
        }
    }
}

async fn read<T: DeserializeOwned + 'static>(request: Request) -> Result<T, (StatusCode, String)> {
    if says_json(&request) {
        let Json(fields) = request
            .extract()
            .await
            .map_err(|refusal: axum::extract::rejection::JsonRejection| (refusal.status(), refusal.body_text()))?;
        Ok(fields)
    } else {
        let Form(fields) = request
            .extract()
            .await
            .map_err(|refusal: axum::extract::rejection::FormRejection| (refusal.status(), refusal.body_text()))?;
        Ok(fields)
    }
}

fn says_json(request: &Request) -> bool {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

#[cfg(test)]
mod tests {
    use axum::{Router, routing::post};
    use serde::Deserialize;
    use tower::ServiceExt as _;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Note {
        key: String,
        value: String,
    }

    async fn status_of(kind: &str, body: Body) -> (u16, String) {
        let echo = |Fields(note): Fields<Note>| async move { format!("{}={}", note.key, note.value) };
        let app: Router = Router::new().route("/", post(echo)).layer(body_limit());
        let request = Request::post("/").header(header::CONTENT_TYPE, kind).body(body).unwrap();
        let response = app.oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    const FORM: &str = "application/x-www-form-urlencoded";
    const JSON: &str = "application/json; charset=utf-8";

    #[tokio::test]
    async fn bodies_are_read_or_refused_with_the_status_that_says_why() {
        let long = format!("key=a&value={}", "x".repeat(LONGEST_BODY));
        #[rustfmt::skip]
        let table = [
            ("a form",                FORM,                  "key=a&value=b%3Cc",            200),
            ("a script",              JSON,                  r#"{"key":"a","value":"b"}"#,   200),
            ("more fields than asked", FORM,                 "key=a&value=b&csrf_token=x",   200),
            ("a field missing",       FORM,                  "key=a",                        422),
            ("a field twice",         FORM,                  "key=a&key=b&value=c",          422),
            ("not UTF-8",             FORM,                  "key=%ff&value=b",              200),
            ("too long",              FORM,                  long.as_str(),                  413),
            ("broken JSON",           JSON,                  "{",                            400),
            ("the wrong shape",       JSON,                  r#"{"key":1,"value":"b"}"#,     422),
            ("another type",          "text/plain",          "key=a&value=b",                415),
            ("multipart",             "multipart/form-data", "key=a&value=b",                415),
        ];
        for (name, kind, body, expected) in table {
            let (status, text) = status_of(kind, Body::from(body.to_owned())).await;
            assert_eq!(status, expected, "{name}: {text}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_is_late_fails_for_every_reader_and_one_in_time_is_whole() {
        let read = |body: Body| async move {
            let request = in_time(Request::new(body));
            axum::body::to_bytes(request.into_body(), usize::MAX).await
        };
        let slow = |pause| {
            let chunks = stream::iter(["ab", "cd"]).then(move |chunk| async move {
                tokio::time::sleep(pause).await;
                Ok::<_, std::io::Error>(chunk)
            });
            Body::from_stream(chunks)
        };
        assert_eq!(read(slow(LONGEST_UPLOAD / 2)).await.unwrap(), "abcd");
        assert!(read(slow(LONGEST_UPLOAD)).await.is_err());
        assert_eq!(read(Body::empty()).await.unwrap(), "");
        let endless = stream::pending::<Result<String, std::io::Error>>();
        assert!(read(Body::from_stream(endless)).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_ends_is_not_waited_for() {
        let endless = Body::from_stream(futures_util::stream::pending::<Result<String, std::io::Error>>());
        assert_eq!(status_of(FORM, endless).await.0, 408);
    }
}
