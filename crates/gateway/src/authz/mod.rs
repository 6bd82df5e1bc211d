//! The decision endpoints, one for each contract and never shared: a shared one would read headers that another proxy lets
//! through from the client.

mod auth_request;
mod ext_authz;
mod forward_auth;
#[cfg(feature = "grpc")]
mod grpc;

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::Response;
use http::Request;
use http::request::Parts;
use tower_service::Service;

use crate::app::Proxy;
use crate::assertion::Assertions;
use crate::decide::{Outcome, Refusal, decide, refuse};
use crate::doctor::Doctor;
use crate::gateway::{Gateway, Site};
use crate::request::{Malformed, Original, Told};

/// What the decision listener answers.
///
/// | endpoint | for |
/// |---|---|
/// | `/authz/auth-request/{app}` | nginx |
/// | `/authz/forward-auth/{app}` | Traefik, Caddy, `HAProxy` |
/// | `/authz/ext-authz/{app}/…` | Envoy; the rest is the request's own path |
/// | `/envoy.service.auth.v3.Authorization/Check` | Envoy over gRPC (feature `grpc`) |
///
/// # Security
/// The listener is for the operator's proxy alone. An app answers only at the endpoint of the proxy it is configured for;
/// everything else there is denied. Nothing is read from a query, and no body is ever read.
#[derive(Debug, Clone)]
pub struct Decisions(Gateway);

impl Decisions {
    /// For the apps of `gateway`.
    pub const fn of(gateway: Gateway) -> Self {
        Self(gateway)
    }
}

impl Service<Request<Body>> for Decisions {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let gateway = self.0.clone();
        #[cfg(feature = "grpc")]
        if request.uri().path() == grpc::PATH {
            return grpc::Check::new(gateway).call(request);
        }
        Box::pin(async move { Ok(answer(&gateway, request).await) })
    }
}

/// A contract, with its part of an endpoint's path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Contract {
    AuthRequest,
    ForwardAuth,
    ExtAuthz,
}

/// Where a request to the decision listener goes.
struct Endpoint<'a> {
    contract: Contract,
    app: &'a str,
    rest: &'a str,
}

async fn answer(gateway: &Gateway, request: Request<Body>) -> Response {
    Assertions::follow(gateway.assertions());
    // The body stays where it is: no decision rests on one, and it may never come.
    let (parts, _body) = request.into_parts();
    let response = match Endpoint::of(parts.uri.path()) {
        None => forward_auth::write(refuse(None, &Refusal::NotAnEndpoint)),
        Some(Endpoint { contract, app, rest }) => {
            let outcome = match site(gateway, app, |proxy| contract.is_for(proxy)) {
                None => refuse(None, &Refusal::NoSuchApp(app)),
                Some(site) => decision(gateway, &site, contract.read(&parts, rest, site.app.proxy)).await,
            };
            contract.write(outcome)
        }
    };
    gateway.doctor().heard(gateway, &parts, response.status());
    response
}

/// The site of an app, if it answers here.
fn site(gateway: &Gateway, name: &str, answers: impl Fn(Proxy) -> bool) -> Option<Arc<Site>> {
    let sites = gateway.sites();
    let site = sites.called(name)?;
    answers(site.app.proxy).then(|| Arc::clone(site))
}

/// The decision about what a proxy told.
async fn decision(gateway: &Gateway, site: &Site, told: Result<Told<'_>, Malformed>) -> Outcome {
    match told.and_then(|told| Original::new(site, told)) {
        Ok(original) => match Doctor::outcome(gateway, site, &original) {
            Some(wished) => wished,
            None => decide(gateway, site, &original).await,
        },
        Err(malformed) => refuse(Some(site), &Refusal::Malformed(malformed)),
    }
}

impl<'a> Endpoint<'a> {
    fn of(path: &'a str) -> Option<Self> {
        let (contract, rest) = path.strip_prefix("/authz/")?.split_once('/')?;
        let (app, rest) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let contract = match contract {
            "auth-request" if rest.is_empty() => Contract::AuthRequest,
            "forward-auth" if rest.is_empty() => Contract::ForwardAuth,
            "ext-authz" => Contract::ExtAuthz,
            _ => return None,
        };
        Some(Self { contract, app, rest })
    }
}

impl Contract {
    const fn is_for(self, proxy: Proxy) -> bool {
        match self {
            Self::AuthRequest => matches!(proxy, Proxy::Nginx),
            Self::ForwardAuth => matches!(proxy, Proxy::Traefik | Proxy::Caddy | Proxy::Haproxy),
            Self::ExtAuthz => matches!(proxy, Proxy::Envoy),
        }
    }

    fn read<'a>(self, parts: &'a Parts, rest: &str, proxy: Proxy) -> Result<Told<'a>, Malformed> {
        match self {
            Self::AuthRequest => auth_request::read(&parts.headers),
            Self::ForwardAuth => forward_auth::read(&parts.headers, proxy),
            Self::ExtAuthz => ext_authz::read(parts, rest),
        }
    }

    fn write(self, outcome: Outcome) -> Response {
        match self {
            Self::AuthRequest => auth_request::write(outcome),
            Self::ForwardAuth => forward_auth::write(outcome),
            Self::ExtAuthz => ext_authz::write(outcome),
        }
    }
}
