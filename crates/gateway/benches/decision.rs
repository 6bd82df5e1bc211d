//! Criterion over decisions, without a network: what one costs beside an empty answer, and what signing adds.

use std::convert::Infallible;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use counterfoil::{GeneratedKeys, MemoryStore, Policy, Subject};
use counterfoil_core::keys::SharedRing;
use counterfoil_core::testing::{Jar, sign_in};
use counterfoil_gateway::app::{Algorithm, AppConfig, CookieReturn, Proxy};
use counterfoil_gateway::authz::Decisions;
use counterfoil_gateway::gateway::Gateway;
use counterfoil_gateway::rules::{Access, Rule, Rules};
use criterion::Criterion;
use http::{HeaderValue, Request, StatusCode};
use tokio::runtime::Runtime;
use tower::{Service, ServiceExt as _};

type Failed = Box<dyn std::error::Error>;

fn main() -> Result<(), Failed> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut criterion = Criterion::default().configure_from_args();
    let empty = Router::new().fallback(async || StatusCode::NO_CONTENT);
    criterion.bench_function("an empty answer", |bencher| {
        bencher.iter(|| black_box(ask(&runtime, &empty, request("/", None))));
    });
    let mut measure = |name: &str, decisions: &Decisions, request: &mut dyn FnMut() -> Request<Body>| {
        criterion.bench_function(name, |bencher| bencher.iter(|| black_box(ask(&runtime, decisions, request()))));
    };
    for (algorithm, name) in [(Algorithm::Es256, "ES256"), (Algorithm::EdDsa, "EdDSA"), (Algorithm::Hs256, "HS256")] {
        let (decisions, cookie) = runtime.block_on(site(algorithm))?;
        let mut number = 0_u64;
        let mut next = || {
            number += 1;
            number
        };
        measure(&format!("{name}, a stranger, signed a moment ago"), &decisions, &mut || request("/", None));
        measure(&format!("{name}, a member, signed a moment ago"), &decisions, &mut || request("/", Some(&cookie)));
        let mut anew = || request(&format!("/{}", next()), Some(&cookie));
        measure(&format!("{name}, a member, signed anew"), &decisions, &mut anew);
    }
    criterion.final_summary();
    Ok(())
}

/// An app for members, and the cookies of one.
async fn site(assertion: Algorithm) -> Result<(Decisions, HeaderValue), Failed> {
    let rule = Rule::new("/*".parse()?, Access::Public);
    let app = AppConfig {
        name: "shop".parse()?,
        proxy: Proxy::Caddy,
        policy: Policy::aal2("https://shop.example")?,
        rules: Rules::new(vec![rule]),
        cookie_return: CookieReturn::One,
        assertion,
        app_cookies: counterfoil_gateway::app_cookies::AppCookies::default(),
        upstream: None,
    };
    let ring = SharedRing::from_source(&GeneratedKeys)?;
    let gateway = Gateway::new(&[app], ring, Arc::new(MemoryStore::new()))?;
    let mut jar = Jar::default();
    let site = gateway.sites().iter().next().cloned().ok_or("no site")?;
    sign_in(site.sessions.engine(), &mut jar, &Subject::new("ada")?).await?;
    let cookie = jar.header(gateway.now() + Duration::from_secs(1)).ok_or("no cookie")?;
    Ok((Decisions::of(gateway), cookie))
}

fn request(target: &str, cookie: Option<&HeaderValue>) -> Request<Body> {
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = http::Uri::from_static("/authz/forward-auth/shop");
    let headers = request.headers_mut();
    for (name, value) in [
        ("x-forwarded-method", "GET"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "shop.example"),
        ("x-forwarded-for", "198.51.100.7"),
        ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
        ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
        ("sec-fetch-site", "same-origin"),
        ("sec-fetch-mode", "navigate"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.extend(
        HeaderValue::from_str(target).ok().map(|target| (http::HeaderName::from_static("x-forwarded-uri"), target)),
    );
    headers.extend(cookie.map(|cookie| (http::header::COOKIE, cookie.clone())));
    request
}

fn ask<S>(runtime: &Runtime, server: &S, request: Request<Body>) -> StatusCode
where
    S: Service<Request<Body>, Response = Response, Error = Infallible> + Clone,
{
    runtime.block_on(async {
        match server.clone().oneshot(request).await {
            Ok(response) => response.status(),
            Err(never) => match never {},
        }
    })
}
