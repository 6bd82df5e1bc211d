//! Security headers on every answer: pages, JSON, redirects, 404 and 405 alike.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use counterfoil_core::headers::SecurityHeaders;
use counterfoil_core::origin::Scheme;
use http::{HeaderMap, HeaderName, HeaderValue, Response};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

/// Adds security headers to every answer. A header the application set itself wins.
///
/// Made by [`Counterfoil::headers`](crate::Counterfoil::headers); put it around everything, fallbacks included.
#[derive(Debug, Clone)]
pub struct HeadersLayer(Arc<HeaderMap>);

/// A service with security headers.
#[derive(Debug, Clone)]
pub struct HeadersService<S> {
    inner: S,
    headers: Arc<HeaderMap>,
}

pin_project! {
    /// The future of [`HeadersService`].
    #[derive(Debug)]
    pub struct HeadersFuture<F> {
        #[pin]
        inner: F,
        headers: Arc<HeaderMap>,
    }
}

impl HeadersLayer {
    /// Values are checked where they are made, so none is lost here.
    pub(crate) fn new(headers: &SecurityHeaders, scheme: Option<Scheme>) -> Self {
        let pairs = headers.iter(scheme.unwrap_or(Scheme::Https), None);
        let parsed = pairs
            .filter_map(|(name, value)| Some((HeaderName::from_static(name), HeaderValue::from_str(&value).ok()?)));
        Self(Arc::new(parsed.collect()))
    }
}

impl<S> Layer<S> for HeadersLayer {
    type Service = HeadersService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        HeadersService { inner, headers: Arc::clone(&self.0) }
    }
}

impl<S, Request, Body> Service<Request> for HeadersService<S>
where
    S: Service<Request, Response = Response<Body>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = HeadersFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        HeadersFuture { inner: self.inner.call(request), headers: Arc::clone(&self.headers) }
    }
}

impl<F, Body, E> Future for HeadersFuture<F>
where
    F: Future<Output = Result<Response<Body>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut response = ready!(this.inner.poll(context))?;
        // Ours first and the application's over them: one map is copied, and none of ours is looked up.
        let own = std::mem::replace(response.headers_mut(), HeaderMap::clone(this.headers));
        response.headers_mut().extend(own);
        Poll::Ready(Ok(response))
    }
}
