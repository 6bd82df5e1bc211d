//! Decisions, counted and timed where they leave: whatever the contract, and also those that went wrong.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use axum::body::Body;
use axum::response::Response;
use http::{Request, StatusCode};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::SiteMeters;
use crate::gateway::Gateway;

/// What became of a request to an app.
///
/// A decision may put its outcome into its response's extensions; otherwise the status tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The app gets it.
    Allowed,
    /// They are sent to sign in or to step up.
    SentToSignIn,
    /// No rule lets it through, it is cross-site, or what the proxy said makes no sense.
    Denied,
    /// Too many of them.
    Limited,
    /// The store did not answer.
    Unavailable,
    /// Anything else, which is a mistake of ours or of the proxy's configuration.
    Failed,
}

impl Outcome {
    /// All there are.
    pub const ALL: [Self; 6] =
        [Self::Allowed, Self::SentToSignIn, Self::Denied, Self::Limited, Self::Unavailable, Self::Failed];

    /// As it is written in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::SentToSignIn => "sent_to_sign_in",
            Self::Denied => "denied",
            Self::Limited => "limited",
            Self::Unavailable => "unavailable",
            Self::Failed => "failed",
        }
    }

    /// What an answer to a browser, or to the proxy in its place, comes to.
    pub(crate) fn of(response: &Response) -> Self {
        let told = response.extensions().get::<Self>().copied();
        told.unwrap_or_else(|| match response.status() {
            status if status.is_success() => Self::Allowed,
            status if status.is_redirection() => Self::SentToSignIn,
            StatusCode::UNAUTHORIZED => Self::SentToSignIn,
            StatusCode::FORBIDDEN | StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => Self::Denied,
            StatusCode::TOO_MANY_REQUESTS => Self::Limited,
            StatusCode::SERVICE_UNAVAILABLE => Self::Unavailable,
            _ => Self::Failed,
        })
    }
}

/// Counts and times the answers of the decision listener. The app is the one in the path, `/authz/CONTRACT/APP`, or over
/// gRPC in the call's metadata.
pub fn measured<S>(decisions: S, gateway: &Gateway) -> Measured<S> {
    Measured { inner: decisions, gateway: gateway.clone(), strangers: gateway.meters().strangers() }
}

/// What decides, and what counts its answers.
#[derive(Debug, Clone)]
pub struct Measured<S> {
    inner: S,
    gateway: Gateway,
    strangers: SiteMeters,
}

pin_project! {
    /// An answer that is counted when it is there; and as a failure, if whoever asked went away before.
    pub struct Counting<F> {
        #[pin]
        answer: F,
        count: Count,
    }
}

struct Count {
    meters: SiteMeters,
    since: Instant,
    done: bool,
}

impl<S> Service<Request<Body>> for Measured<S>
where
    S: Service<Request<Body>, Response = Response, Error = Infallible>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Counting<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let site = self.gateway.sites().called(app(&request)).map(|site| site.meters.clone());
        let meters = site.unwrap_or_else(|| self.strangers.clone());
        let count = Count { meters, since: Instant::now(), done: false };
        Counting { answer: self.inner.call(request), count }
    }
}

/// The app that a request to the decision listener names, whether there is one or not.
fn app(request: &Request<Body>) -> &str {
    let named = match request.uri().path().strip_prefix("/authz/") {
        Some(rest) => rest.split('/').nth(1),
        None => request.headers().get(IN_METADATA).and_then(|name| name.to_str().ok()),
    };
    named.unwrap_or_default()
}

/// Where the name of the app stands in calls over gRPC.
const IN_METADATA: &str = "counterfoil-app";

impl<F: Future<Output = Result<Response, Infallible>>> Future for Counting<F> {
    type Output = Result<Response, Infallible>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answer = ready!(this.answer.poll(context));
        if let Ok(response) = &answer {
            this.count.finish(Outcome::of(response));
        }
        Poll::Ready(answer)
    }
}

impl Count {
    fn finish(&mut self, outcome: Outcome) {
        self.done = true;
        self.meters.decided(outcome, self.since.elapsed());
    }
}

impl Drop for Count {
    fn drop(&mut self) {
        if !self.done {
            self.finish(Outcome::Failed);
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::response::IntoResponse as _;
    use axum::routing::any;
    use tower::ServiceExt as _;

    use super::*;
    use crate::testing;

    #[test]
    fn the_status_tells_what_became_of_a_request_unless_the_decision_does() {
        #[rustfmt::skip]
        let table = [
            (200, "allowed"), (204, "allowed"), (303, "sent_to_sign_in"), (307, "sent_to_sign_in"),
            (401, "sent_to_sign_in"), (403, "denied"), (431, "denied"), (429, "limited"), (503, "unavailable"),
            (404, "failed"), (500, "failed"),
        ];
        for (status, expected) in table {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(Outcome::of(&status.into_response()).as_str(), expected, "{status}");
            let mut told = status.into_response();
            told.extensions_mut().insert(Outcome::Limited);
            assert_eq!(Outcome::of(&told), Outcome::Limited);
        }
    }

    #[tokio::test]
    async fn every_answer_is_counted_for_its_app_and_no_path_makes_a_series_of_its_own() {
        let gateway = testing::gateway();
        let decisions = Router::new()
            .route("/authz/forward-auth/{app}", any(|| async { StatusCode::NO_CONTENT }))
            .route("/authz/auth-request/{app}", any(|| async { StatusCode::UNAUTHORIZED }));
        let router = measured(decisions, &gateway);
        for path in [
            "/authz/forward-auth/wiki",
            "/authz/forward-auth/wiki?app=other",
            "/authz/auth-request/wiki",
            "/authz/forward-auth/nobody-configured-this",
            "/elsewhere",
            "/authz/none/wiki/below",
        ] {
            let request = Request::builder().uri(path).body(Body::empty()).unwrap();
            let _ = router.clone().oneshot(request).await.unwrap();
        }
        let text = gateway.meters().text().unwrap();
        for line in [
            r#"counterfoil_decisions_total{app="wiki",outcome="allowed"} 2"#,
            r#"counterfoil_decisions_total{app="wiki",outcome="sent_to_sign_in"} 1"#,
            r#"counterfoil_decisions_total{app="wiki",outcome="failed"} 1"#,
            r#"counterfoil_decisions_total{app="unknown",outcome="allowed"} 1"#,
            r#"counterfoil_decisions_total{app="unknown",outcome="failed"} 1"#,
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
        assert!(!text.contains("nobody-configured-this"), "{text}");
    }

    #[tokio::test]
    async fn over_grpc_the_app_stands_in_the_metadata_and_the_outcome_in_the_answer() {
        let gateway = testing::gateway();
        let denied = || async {
            let mut answer = StatusCode::OK.into_response();
            answer.extensions_mut().insert(Outcome::Denied);
            answer
        };
        let decisions = Router::new().route("/envoy.service.auth.v3.Authorization/Check", any(denied));
        let request = Request::builder().uri("/envoy.service.auth.v3.Authorization/Check").header(IN_METADATA, "wiki");
        let _ = measured(decisions, &gateway).oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let text = gateway.meters().text().unwrap();
        assert!(text.contains(r#"counterfoil_decisions_total{app="wiki",outcome="denied"} 1"#), "{text}");
    }

    #[tokio::test]
    async fn a_proxy_that_does_not_wait_for_the_answer_is_counted_too() {
        let gateway = testing::gateway();
        let never = Router::new().route("/authz/forward-auth/{app}", any(std::future::pending::<()>));
        let request = Request::builder().uri("/authz/forward-auth/wiki").body(Body::empty()).unwrap();
        let mut answer = Box::pin(measured(never, &gateway).oneshot(request));
        assert!(futures_util::poll!(&mut answer).is_pending());
        drop(answer);
        let text = gateway.meters().text().unwrap();
        assert!(text.contains(r#"counterfoil_decisions_total{app="wiki",outcome="failed"} 1"#), "{text}");
    }
}
