//! The service that both layers make of a route: a request's way in, to its handler, and out again.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use counterfoil_core::csrf::PassReason;
use counterfoil_core::seam::{Effects, Route};
use http::Request;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::answer;
use super::gate::{self, Admission};
use crate::handle::Handle;
use crate::reply::{self, Asked};
use crate::site::Site;

/// A service behind a [`SessionLayer`](super::SessionLayer) or a [`CsrfLayer`](super::CsrfLayer).
#[derive(Clone)]
pub struct GuardedService<S> {
    inner: S,
    guard: Guard,
}

/// What a layer knows of the routes it stands around.
#[derive(Clone)]
pub(super) struct Guard {
    pub(super) site: Arc<Site>,
    pub(super) route: Route,
    pub(super) duty: Duty,
}

/// What a layer is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Duty {
    /// The CSRF decision, and the session: opened before the handler, written after it.
    Sessions,
    /// The CSRF decision alone.
    CsrfAlone,
}

pin_project! {
    /// The future of [`GuardedService`]. It waits for the handler and, with most requests, for nothing else.
    pub struct GuardedFuture<S: Service<Request<Body>>> {
        passage: Passage,
        #[pin]
        stage: Stage<S, S::Future>,
    }
}

pin_project! {
    /// How far a request has come.
    #[project = StageProjection]
    enum Stage<S, F> {
        // A form is read for its token, or the store is asked.
        Arriving { admission: Waiting<Admission>, inner: S },
        Handling { #[pin] handler: F },
        // The store takes what was set, or a new token.
        Leaving { conclusion: Waiting<(Effects, Response)> },
    }
}

type Waiting<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What is known of a request until its answer leaves.
struct Passage {
    handle: Handle,
    duty: Duty,
    asked: Asked,
    passed: Option<PassReason>,
}

impl<S> GuardedService<S> {
    pub(super) const fn new(inner: S, guard: Guard) -> Self {
        Self { inner, guard }
    }
}

impl<S> Service<Request<Body>> for GuardedService<S>
where
    S: Service<Request<Body>> + Clone,
    S::Response: IntoResponse,
{
    type Response = Response;
    type Error = S::Error;
    type Future = GuardedFuture<S>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let mut passage = Passage::begin(&self.guard, &request);
        let exchange = &passage.handle.exchange;
        let stage = if let Some(reason) = gate::admit_at_once(exchange, passage.duty, &request) {
            Stage::Handling { handler: self.inner.call(passage.enter(reason, request)) }
        } else {
            // The clone is not ready; the one that was polled is.
            let clone = self.inner.clone();
            let inner = std::mem::replace(&mut self.inner, clone);
            let admission =
                Box::pin(gate::admit(Arc::clone(&passage.handle.site), Arc::clone(exchange), passage.duty, request));
            Stage::Arriving { admission, inner }
        };
        GuardedFuture { passage, stage }
    }
}

impl<S> Future for GuardedFuture<S>
where
    S: Service<Request<Body>>,
    S::Response: IntoResponse,
{
    type Output = Result<Response, S::Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let next = match this.stage.as_mut().project() {
                StageProjection::Arriving { admission, inner } => match ready!(admission.as_mut().poll(context)) {
                    Ok((reason, request)) => {
                        Stage::Handling { handler: inner.call(this.passage.enter(reason, request)) }
                    }
                    Err(refusal) => {
                        let Passage { handle, asked, .. } = this.passage;
                        return Poll::Ready(Ok(refusal.into_reply(asked, &handle.site)));
                    }
                },
                StageProjection::Handling { handler } => {
                    let response = ready!(handler.poll(context))?.into_response();
                    match this.passage.conclude_at_once() {
                        Some(effects) => return Poll::Ready(Ok(this.passage.leave(&effects, response))),
                        None => Stage::Leaving { conclusion: this.passage.conclude(response) },
                    }
                }
                StageProjection::Leaving { conclusion } => {
                    let (effects, response) = ready!(conclusion.as_mut().poll(context));
                    return Poll::Ready(Ok(this.passage.leave(&effects, response)));
                }
            };
            this.stage.set(next);
        }
    }
}

impl Passage {
    fn begin(guard: &Guard, request: &Request<Body>) -> Self {
        let Guard { site, route, duty } = guard;
        if *duty == Duty::Sessions {
            site.housekeeping.begin(&site.engine);
        }
        let exchange = Arc::new(gate::receive(site, *route, request));
        let asked = Asked::of(request, &exchange);
        Self { handle: Handle { site: Arc::clone(site), exchange }, duty: *duty, asked, passed: None }
    }

    /// The request as its handler sees it.
    fn enter(&mut self, reason: PassReason, mut request: Request<Body>) -> Request<Body> {
        self.passed = Some(reason);
        if self.duty == Duty::Sessions {
            request.extensions_mut().insert(self.handle.clone());
        }
        request
    }

    fn conclude_at_once(&self) -> Option<Effects> {
        match self.duty {
            Duty::Sessions => self.handle.exchange.conclude_at_once(),
            Duty::CsrfAlone => Some(Effects::default()),
        }
    }

    fn conclude(&self, response: Response) -> Waiting<(Effects, Response)> {
        let (handle, navigation) = (self.handle.clone(), self.asked.navigation);
        Box::pin(async move {
            match handle.may_create().await {
                Ok(()) => (handle.exchange.conclude().await, response),
                // What was set is dropped, and nothing is made.
                Err(refusal) => (Effects::default(), reply::tried_too_often(&refusal, navigation)),
            }
        })
    }

    fn leave(&self, effects: &Effects, response: Response) -> Response {
        let mut response = match self.duty {
            Duty::Sessions => answer::write(effects, response, &self.asked, &self.handle.site),
            Duty::CsrfAlone => response,
        };
        // Of a method that is safe there is nothing to tell, and most answers are spared a map.
        if let Some(reason) = self.passed.filter(|reason| *reason != PassReason::SafeMethod) {
            response.extensions_mut().insert(reason);
        }
        response
    }
}

impl<S> std::fmt::Debug for GuardedService<S> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("GuardedService").field("guard", &self.guard).finish_non_exhaustive()
    }
}

impl<S: Service<Request<Body>>> std::fmt::Debug for GuardedFuture<S> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("GuardedFuture").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Guard").field("route", &self.route).field("duty", &self.duty).finish_non_exhaustive()
    }
}
