//! The CSRF token a request carries: in a header, or in a form's hidden field.

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, stream};
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http_body_util::BodyExt as _;

/// What was found, and the body as the handler will read it.
pub(super) struct Sought {
    pub(super) token: Option<String>,
    pub(super) body: Body,
}

/// Why no token could be looked for. Where the decision is enforced, the handler must not run.
#[derive(Debug)]
pub(crate) enum Unread {
    /// It is larger than a form may be. The whole body, what was read of it included, is still here.
    TooLarge(Body),
    /// The client broke off.
    Broken,
}

/// Looks for a token: first in `X-CSRF-Token`, then in the field `csrf_token` of a urlencoded form. Only a form is read,
/// and only up to a limit; any other body passes through unread.
pub(super) async fn seek_token(parts: &Parts, body: Body) -> Result<Sought, Unread> {
    if let Some(token) = parts.headers.get("x-csrf-token") {
        return Ok(Sought { token: token.to_str().ok().map(str::to_owned), body });
    }
    if !is_form(parts) {
        return Ok(Sought { token: None, body });
    }
    let bytes = read(body).await?;
    Ok(Sought { token: field(&bytes), body: Body::from(bytes) })
}

async fn read(mut body: Body) -> Result<Bytes, Unread> {
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        read.extend_from_slice(&frame.map_err(|_| Unread::Broken)?.into_data().unwrap_or_default());
        if read.len() > MAX_FORM {
            let read = stream::iter([Ok(read.freeze())]);
            return Err(Unread::TooLarge(Body::from_stream(read.chain(body.into_data_stream()))));
        }
    }
    Ok(read.freeze())
}

fn is_form(parts: &Parts) -> bool {
    let media = parts.headers.get(CONTENT_TYPE).map(|value| value.as_bytes().split(|byte| *byte == b';'));
    let media = media.and_then(|mut parts| parts.next()).unwrap_or_default().trim_ascii();
    media.eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
}

/// The field, if it is there exactly once.
fn field(form: &Bytes) -> Option<String> {
    let mut found = url::form_urlencoded::parse(form).filter(|(name, _)| name == "csrf_token");
    let token = found.next()?.1.into_owned();
    found.next().is_none().then_some(token)
}

/// The largest form that is read for its token: 2 MiB, as frameworks commonly allow for a form.
const MAX_FORM: usize = 2 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    async fn token_in(content_type: &str, form: &str) -> (Option<String>, Bytes) {
        let (parts, body) = Request::post("/")
            .header(CONTENT_TYPE, content_type)
            .body(Body::from(form.to_owned()))
            .unwrap()
            .into_parts();
        let sought = seek_token(&parts, body).await.unwrap();
        (sought.token, sought.body.collect().await.unwrap().to_bytes())
    }

    #[tokio::test]
    async fn a_token_is_found_in_a_form_and_the_handler_still_reads_the_form() {
        let form = "a=1&csrf_token=x%2By&b=2";
        let (token, body) = token_in("application/x-www-form-urlencoded; charset=utf-8", form).await;
        assert_eq!((token.as_deref(), body), (Some("x+y"), Bytes::from(form)));
    }

    #[tokio::test]
    async fn a_field_given_twice_is_none() {
        assert_eq!(token_in("application/x-www-form-urlencoded", "csrf_token=a&csrf_token=b").await.0, None);
        assert_eq!(token_in("text/plain", "csrf_token=a").await.0, None);
    }

    #[tokio::test]
    async fn a_form_beyond_the_limit_is_refused() {
        let request = Request::post("/").header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let (parts, body) = request.body(Body::from(vec![b'a'; MAX_FORM + 1])).unwrap().into_parts();
        assert!(matches!(seek_token(&parts, body).await, Err(Unread::TooLarge(_))));
    }
}
