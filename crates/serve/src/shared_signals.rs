//! Shared Signals at a public listener: what receivers look up, where they come for their tokens, and where others tell us.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use counterfoil_core::Engine;
use counterfoil_telemetry::set::{PollStream, Signals, receive::Receiver};

/// Where transmitters push tokens to; the streams that are polled have their names below it.
pub const ADDRESS: &str = "/.session/signals";
/// Where our keys are.
pub const KEYS: &str = "/.well-known/counterfoil/jwks.json";

#[derive(Clone)]
struct Answering {
    signals: Signals,
    engine: Arc<dyn Fn() -> Option<Engine> + Send + Sync>,
}

/// The routes of `signals`. What others tell is done to the sessions of `engine`, which may be another each time.
///
/// # Security
/// None of them looks at a cookie: who asks is known by a signature or a bearer token, so no browser can be made to ask.
pub fn router(signals: Signals, engine: impl Fn() -> Option<Engine> + Send + Sync + 'static) -> Router {
    let configuration = signals.configuration_path();
    let answering = Answering { signals, engine: Arc::new(engine) };
    Router::new()
        .route(&configuration, get(configured))
        .route(ADDRESS, post(received))
        .route(&format!("{ADDRESS}/{{id}}"), post(polled))
        .with_state(answering)
}

/// The key set of a program whose only keys these are.
pub fn keys(jwks: String) -> Router {
    let jwks = Bytes::from(jwks);
    let headers = [(CONTENT_TYPE, "application/jwk-set+json"), (CACHE_CONTROL, "public, max-age=300")];
    Router::new().route(KEYS, get(async move || (headers, jwks)))
}

async fn configured(State(answering): State<Answering>) -> Response {
    answering.signals.configuration(KEYS).map(Body::from)
}

async fn received(State(answering): State<Answering>, request: Request) -> Response {
    let (headers, body) = match whole(request, Receiver::MOST_BYTES).await {
        Ok(whole) => whole,
        Err(status) => return refuse(status),
    };
    match (answering.engine)() {
        Some(engine) => answering.signals.receive(&headers, &body, engine).await.map(Body::from),
        None => refuse(StatusCode::SERVICE_UNAVAILABLE),
    }
}

async fn polled(State(answering): State<Answering>, Path(id): Path<String>, request: Request) -> Response {
    match whole(request, PollStream::MOST_BYTES).await {
        Ok((headers, body)) => answering.signals.poll(&id, &headers, &body).await.map(Body::from),
        Err(status) => refuse(status),
    }
}

/// All of a request, if it comes in time and is not larger.
async fn whole(request: Request, most: usize) -> Result<(HeaderMap, Bytes), StatusCode> {
    let (parts, body) = request.into_parts();
    match tokio::time::timeout(LONGEST_UPLOAD, to_bytes(body, most)).await {
        Ok(Ok(body)) => Ok((parts.headers, body)),
        Ok(Err(_)) => Err(StatusCode::PAYLOAD_TOO_LARGE),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}

fn refuse(status: StatusCode) -> Response {
    (status, [(CACHE_CONTROL, "no-store")]).into_response()
}

const LONGEST_UPLOAD: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests;
