//! Envoy's contract over gRPC, `envoy.service.auth.v3.Authorization/Check`: the whole request in one message.
//!
//! Which app it is about stands in the call's metadata as `counterfoil-app` (`initial_metadata` of the filter's
//! `grpc_service`), never in the request. The filter must have `encode_raw_headers`: without it a header that came twice is
//! one, and nobody could tell.

mod messages;

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::Response;
use counterfoil_core::cookie::HeaderJoin;
use http::header::{CACHE_CONTROL, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use tonic::server::{Grpc, UnaryService};
use tonic_prost::ProstCodec;
use tower_service::Service;

use self::messages::{CheckRequest, CheckResponse, DeniedHttpResponse, Header, HttpRequest, OkHttpResponse};
use super::{decision, site};
use crate::app::Proxy;
use crate::decide::{Outcome, Refusal, refuse};
use crate::gateway::Gateway;
use crate::ops;
use crate::owned::ANSWERED;
use crate::request::{self, FORWARDED_FOR, Heard, Malformed, Told};

/// Where Envoy calls.
pub(super) const PATH: &str = "/envoy.service.auth.v3.Authorization/Check";

/// The service behind [`PATH`].
#[derive(Debug, Clone)]
pub(super) struct Check(Gateway);

impl Check {
    pub(super) const fn new(gateway: Gateway) -> Self {
        Self(gateway)
    }

    /// The answer to one call.
    async fn answer(self, call: tonic::Request<CheckRequest>) -> tonic::Response<CheckResponse> {
        let mut named = call.metadata().get_all(APP).iter();
        let name = match (named.next(), named.next()) {
            (Some(name), None) => name.to_str().unwrap_or_default().to_owned(),
            _ => String::new(),
        };
        let outcome = match site(&self.0, &name, |proxy| proxy == Proxy::EnvoyGrpc) {
            None => refuse(None, &Refusal::NoSuchApp(&name)),
            Some(site) => match Message::read(call.into_inner()) {
                Ok(message) => decision(&self.0, &site, message.told()).await,
                Err(malformed) => refuse(Some(&site), &Refusal::Malformed(malformed)),
            },
        };
        write(outcome).await
    }
}

/// What Envoy tells.
struct Message {
    method: String,
    host: String,
    target: String,
    headers: HeaderMap,
}

impl Message {
    fn read(check: CheckRequest) -> Result<Self, Malformed> {
        let http =
            check.attributes.and_then(|attributes| attributes.request?.http).ok_or(Malformed::Missing("a request"))?;
        let HttpRequest { method, path, host, header_map } = http;
        let raw = header_map.ok_or(Malformed::Missing("the headers as they came: set `encode_raw_headers`"))?;
        let mut headers = HeaderMap::new();
        for Header { key, value, raw_value } in raw.headers.into_iter().filter(|header| !header.key.starts_with(':')) {
            let value = if raw_value.is_empty() { value.into_bytes() } else { raw_value };
            let name = HeaderName::try_from(key).map_err(|_| Malformed::Unreadable("a header's name"))?;
            let value = HeaderValue::try_from(value).map_err(|_| Malformed::Unreadable("a header's value"))?;
            headers.try_append(name, value).map_err(|_| Malformed::TooLarge)?;
        }
        Ok(Self { method, host, target: path, headers })
    }

    fn told(&self) -> Result<Told<'_>, Malformed> {
        let Self { method, host, target, headers } = self;
        let Heard { told: [scheme, forwarded_for], websocket } = Heard::read(headers, TOLD)?;
        if host.is_empty() {
            return Err(Malformed::Missing("the host"));
        }
        Ok(Told {
            method: request::method(method, "the method")?,
            scheme: request::scheme(scheme, SCHEME)?,
            host,
            target,
            forwarded_for,
            websocket,
            headers,
            join: HeaderJoin::Standard,
        })
    }
}

/// Writes the answer Envoy understands.
async fn write(outcome: Outcome) -> tonic::Response<CheckResponse> {
    // The status of the call is always the same; what was decided is counted by this.
    let counted = match &outcome {
        Outcome::Pass(_) => ops::Outcome::Allowed,
        Outcome::Refuse(refused) => ops::Outcome::of(refused),
    };
    let mut response = match outcome {
        Outcome::Pass(headers) => tonic::Response::new(CheckResponse::ok(passed(&headers))),
        Outcome::Refuse(refused) => {
            let (parts, body) = refused.into_parts();
            // Our own, and short.
            let body = axum::body::to_bytes(body, MOST_BODY).await.unwrap_or_default();
            let told = parts.headers.iter().filter_map(|(name, value)| messages::set(name, value));
            let denied = CheckResponse::denied(DeniedHttpResponse {
                status: Some(messages::HttpStatus { code: parts.status.as_u16().into() }),
                headers: told.collect(),
                body: String::from_utf8_lossy(&body).into_owned(),
            });
            tonic::Response::from_parts(tonic::metadata::MetadataMap::new(), denied, parts.extensions)
        }
    };
    response.extensions_mut().insert(counted);
    response
}

/// What is set on the request and taken out of it, and what goes back to the browser. Of what is not UTF-8 this contract
/// can set nothing: cookies that are not are taken out.
fn passed(headers: &HeaderMap) -> OkHttpResponse {
    let (mut set, mut removed) = (Vec::new(), Vec::new());
    for name in ANSWERED {
        let value = headers.get(&name).filter(|value| !value.is_empty());
        match value.and_then(|value| messages::set(&name, value)) {
            Some(header) => set.push(header),
            None => removed.push(name.as_str().to_owned()),
        }
    }
    let cookie = headers.get(SET_COOKIE).and_then(|cookie| messages::add(&SET_COOKIE, cookie));
    let no_store = cookie.as_ref().and_then(|_| messages::set(&CACHE_CONTROL, &crate::decide::NO_STORE));
    OkHttpResponse {
        headers: set,
        headers_to_remove: removed,
        response_headers_to_add: cookie.into_iter().chain(no_store).collect(),
    }
}

impl UnaryService<CheckRequest> for Check {
    type Response = CheckResponse;
    type Future = Waiting<Result<tonic::Response<CheckResponse>, tonic::Status>>;

    fn call(&mut self, call: tonic::Request<CheckRequest>) -> Self::Future {
        let this = self.clone();
        Box::pin(async move { Ok(this.answer(call).await) })
    }
}

impl Service<Request<Body>> for Check {
    type Response = Response;
    type Error = Infallible;
    type Future = Waiting<Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let this = self.clone();
        Box::pin(async move {
            let mut grpc = Grpc::new(ProstCodec::default()).apply_max_message_size_config(Some(MOST_MESSAGE), None);
            Ok(grpc.unary(this, request).await.map(Body::new))
        })
    }
}

type Waiting<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The name of the app, in a call's metadata.
const APP: &str = "counterfoil-app";
const SCHEME: &str = "x-forwarded-proto";
const TOLD: [&str; 2] = [SCHEME, FORWARDED_FOR];
/// The headers come twice: as a map, and as they came.
const MOST_MESSAGE: usize = 4 * crate::request::MAX_HEADERS;
const MOST_BODY: usize = 64 * 1024;
