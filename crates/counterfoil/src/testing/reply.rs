//! A response, read to its end.

use axum::response::Response;
use bytes::Bytes;
use counterfoil_core::csrf::PassReason;
use counterfoil_core::seam::Denial;
use http::{Extensions, HeaderMap, StatusCode};
use http_body_util::BodyExt as _;

/// A response with its whole body.
#[derive(Debug, Clone)]
pub struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    extensions: Extensions,
    body: Bytes,
}

impl Reply {
    pub(super) async fn of(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("the body of the response can be read to its end").to_bytes();
        Self { status: parts.status, headers: parts.headers, extensions: parts.extensions, body }
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The first header of this name as text, if it is there.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Why the CSRF decision let the request pass, if it did. `None` also where the method was safe: nothing was judged.
    pub fn passed(&self) -> Option<PassReason> {
        self.extensions.get().copied()
    }

    /// Why Counterfoil answered in the application's place, if it did.
    pub fn denial(&self) -> Option<Denial> {
        self.extensions.get().copied()
    }

    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the body is UTF-8")
    }

    /// The body, read as JSON.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("the body is not that JSON: {error}"))
    }
}
