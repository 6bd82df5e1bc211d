//! The messages of Envoy's `envoy/service/auth/v3`, as far as a decision needs them, with Envoy's field numbers. What is
//! not here is passed over when read.
//!
//! Written down by hand: the generated whole is eight megabytes of source, of which this is what one call uses.

use std::fmt;

use http::{HeaderName, HeaderValue};

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct CheckRequest {
    #[prost(message, optional, tag = "1")]
    pub(super) attributes: Option<AttributeContext>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct AttributeContext {
    #[prost(message, optional, tag = "4")]
    pub(super) request: Option<AttributeRequest>,
}

/// `AttributeContext.Request`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct AttributeRequest {
    #[prost(message, optional, tag = "2")]
    pub(super) http: Option<HttpRequest>,
}

/// `AttributeContext.HttpRequest`. Never its body.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub(super) struct HttpRequest {
    #[prost(string, tag = "2")]
    pub(super) method: String,
    /// With the query.
    #[prost(string, tag = "4")]
    pub(super) path: String,
    #[prost(string, tag = "5")]
    pub(super) host: String,
    /// There where the filter has `encode_raw_headers`.
    #[prost(message, optional, tag = "13")]
    pub(super) header_map: Option<Headers>,
}

/// `envoy.config.core.v3.HeaderMap`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Headers {
    #[prost(message, repeated, tag = "1")]
    pub(super) headers: Vec<Header>,
}

/// `envoy.config.core.v3.HeaderValue`: one of the two is filled.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub(super) struct Header {
    #[prost(string, tag = "1")]
    pub(super) key: String,
    #[prost(string, tag = "2")]
    pub(super) value: String,
    #[prost(bytes = "vec", tag = "3")]
    pub(super) raw_value: Vec<u8>,
}

/// `envoy.config.core.v3.HeaderValueOption`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct HeaderOption {
    #[prost(message, optional, tag = "1")]
    pub(super) header: Option<Header>,
    /// `HeaderAppendAction`.
    #[prost(int32, tag = "3")]
    pub(super) append_action: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct CheckResponse {
    /// `google.rpc.Status`: 0 lets the request through.
    #[prost(message, optional, tag = "1")]
    pub(super) status: Option<Status>,
    #[prost(oneof = "HttpResponse", tags = "2, 3")]
    pub(super) http_response: Option<HttpResponse>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(super) enum HttpResponse {
    #[prost(message, tag = "2")]
    Denied(DeniedHttpResponse),
    #[prost(message, tag = "3")]
    Ok(OkHttpResponse),
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Status {
    #[prost(int32, tag = "1")]
    pub(super) code: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub(super) struct DeniedHttpResponse {
    #[prost(message, optional, tag = "1")]
    pub(super) status: Option<HttpStatus>,
    #[prost(message, repeated, tag = "2")]
    pub(super) headers: Vec<HeaderOption>,
    #[prost(string, tag = "3")]
    pub(super) body: String,
}

/// `envoy.type.v3.HttpStatus`; its enumeration is the status codes themselves.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct HttpStatus {
    #[prost(int32, tag = "1")]
    pub(super) code: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct OkHttpResponse {
    #[prost(message, repeated, tag = "2")]
    pub(super) headers: Vec<HeaderOption>,
    #[prost(string, repeated, tag = "5")]
    pub(super) headers_to_remove: Vec<String>,
    #[prost(message, repeated, tag = "6")]
    pub(super) response_headers_to_add: Vec<HeaderOption>,
}

/// What is in headers, paths and bodies is printed nowhere: there are cookies and assertions among it.
impl fmt::Debug for HttpRequest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("HttpRequest").field("method", &self.method).finish_non_exhaustive()
    }
}

impl fmt::Debug for Header {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Header").field("key", &self.key).finish_non_exhaustive()
    }
}

impl fmt::Debug for DeniedHttpResponse {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("DeniedHttpResponse").field("status", &self.status).finish_non_exhaustive()
    }
}

impl CheckResponse {
    pub(super) fn ok(response: OkHttpResponse) -> Self {
        Self { status: Some(Status { code: OK }), http_response: Some(HttpResponse::Ok(response)) }
    }

    pub(super) fn denied(response: DeniedHttpResponse) -> Self {
        Self { status: Some(Status { code: PERMISSION_DENIED }), http_response: Some(HttpResponse::Denied(response)) }
    }
}

/// A header that takes the place of one that is there; `None` if it is not text.
pub(super) fn set(name: &HeaderName, value: &HeaderValue) -> Option<HeaderOption> {
    option(name, value, OVERWRITE)
}

/// A header beside those that are there.
pub(super) fn add(name: &HeaderName, value: &HeaderValue) -> Option<HeaderOption> {
    option(name, value, APPEND)
}

fn option(name: &HeaderName, value: &HeaderValue, append_action: i32) -> Option<HeaderOption> {
    let value = std::str::from_utf8(value.as_bytes()).ok()?.to_owned();
    let header = Header { key: name.as_str().to_owned(), value, raw_value: Vec::new() };
    Some(HeaderOption { header: Some(header), append_action })
}

/// `google.rpc.Code`.
const OK: i32 = 0;
const PERMISSION_DENIED: i32 = 7;
/// `APPEND_IF_EXISTS_OR_ADD`.
const APPEND: i32 = 0;
/// `OVERWRITE_IF_EXISTS_OR_ADD`.
const OVERWRITE: i32 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_message_prints_what_is_in_a_header() {
        let set = set(&http::header::COOKIE, &HeaderValue::from_static("id=secret"));
        let asked = HttpRequest {
            path: "/?code=secret".to_owned(),
            header_map: Some(Headers { headers: set.iter().filter_map(|option| option.header.clone()).collect() }),
            ..HttpRequest::default()
        };
        let denied = DeniedHttpResponse { headers: set.clone().into_iter().collect(), ..DeniedHttpResponse::default() };
        let passed = OkHttpResponse { headers: set.into_iter().collect(), ..OkHttpResponse::default() };
        let shown = format!(
            "{asked:?}{:?}{:?}{:?}",
            asked.header_map,
            CheckResponse::denied(denied),
            CheckResponse::ok(passed)
        );
        assert!(shown.contains("cookie") && !shown.contains("secret"), "{shown}");
    }
}
