//! The least a session layer with such tokens can do for a request, and nothing else: where the floor is.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Extension, Router};
use counterfoil::{Counterfoil, MemoryStore, Policy};
use counterfoil_core::SessionId;
use counterfoil_core::cookie::{CookieKind, CookieNames, HeaderJoin, scan};
use counterfoil_core::keys::SharedRing;
use counterfoil_core::token::{Token, TokenHash, TokenKind};
use http::header::{CACHE_CONTROL, COOKIE};
use http::{HeaderValue, StatusCode};
use pin_project_lite::pin_project;
use tower::{Layer, Service};

use crate::site::{FixedKeys, ORIGIN};
use crate::{BODY, Failed};

/// The cookie is found, its tag checked, its secret hashed and compared with what a table says of the session; the handler
/// is given a name, and caches are told to keep nothing. No lifetimes, rotation, CSRF decision, revocation or events.
/// Tokens come from the real door; a session is known from the first time it is seen.
///
/// # Errors
/// If policy or keys are refused.
pub fn app() -> Result<Router, Failed> {
    let site = Counterfoil::new(Policy::aal2(ORIGIN)?, &FixedKeys, MemoryStore::new())?;
    let door = Router::new().route("/login", post(crate::site::login)).layer(site.sessions().public().sign_in());
    let known = Least(Arc::new(Known { ring: SharedRing::from_source(&FixedKeys)?, sessions: Mutex::default() }));
    Ok(Router::new().route("/signed-in", get(read)).layer(known).merge(door))
}

async fn read(Extension(_): Extension<Who>) -> &'static str {
    BODY
}

/// Who is there.
#[derive(Debug, Clone)]
struct Who(#[expect(dead_code, reason = "the handler is only given it")] Arc<str>);

struct Known {
    ring: SharedRing,
    sessions: Mutex<HashMap<SessionId, (TokenHash, Arc<str>), foldhash::fast::RandomState>>,
}

impl Known {
    fn who(&self, request: &Request) -> Option<Who> {
        let cookies = request.headers().get_all(COOKIE).into_iter().map(HeaderValue::as_bytes);
        let found = scan(cookies, CookieNames::https(), HeaderJoin::Standard);
        let text = found.of(CookieKind::Session).candidates().first().copied()?;
        let token = Token::parse(TokenKind::Session, text, &self.ring.load()).ok()?;
        let mut sessions = self.sessions.lock().ok()?;
        let (hash, name) = sessions.entry(token.id()).or_insert_with(|| (token.hash(), token.id().to_string().into()));
        (*hash == token.hash()).then(|| Who(Arc::clone(name)))
    }
}

#[derive(Clone)]
struct Least(Arc<Known>);

#[derive(Clone)]
struct LeastService<S> {
    inner: S,
    known: Arc<Known>,
}

pin_project! {
    struct LeastFuture<F> { #[pin] inner: Option<F> }
}

impl<S> Layer<S> for Least {
    type Service = LeastService<S>;

    fn layer(&self, inner: S) -> LeastService<S> {
        LeastService { inner, known: Arc::clone(&self.0) }
    }
}

impl<S> Service<Request> for LeastService<S>
where
    S: Service<Request, Response = Response>,
{
    type Response = Response;
    type Error = S::Error;
    type Future = LeastFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let inner = self.known.who(&request).map(|who| {
            request.extensions_mut().insert(who);
            self.inner.call(request)
        });
        LeastFuture { inner }
    }
}

impl<F: Future<Output = Result<Response, E>>, E> Future for LeastFuture<F> {
    type Output = Result<Response, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(inner) = self.project().inner.as_pin_mut() else {
            let mut refused = Response::new(Body::empty());
            *refused.status_mut() = StatusCode::UNAUTHORIZED;
            return Poll::Ready(Ok(refused));
        };
        let mut response = ready!(inner.poll(context))?;
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Poll::Ready(Ok(response))
    }
}
