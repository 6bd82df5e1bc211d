//! The CSRF decision alone: the rules are the session layer's (`csrf_table`), without a session behind them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::routing::any;
use counterfoil::Session;
use counterfoil::layer::CsrfLayer;
use counterfoil::testing::{Fault, Site, Verb};
use http::header::{COOKIE, SET_COOKIE};
use http::{Request, StatusCode};
use tower::ServiceExt as _;

/// What the application says of its routes.
type Declared = fn(CsrfLayer) -> CsrfLayer;

/// What came of a request: its status, and how often the handler ran.
async fn answer(site: &Site, declare: Declared, request: Request<Body>) -> (StatusCode, usize) {
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&runs);
    let handler = any(move || {
        counted.fetch_add(1, Ordering::SeqCst);
        async { "counted" }
    });
    let app = Router::new().route("/vote", handler).layer(declare(site.csrf()));
    let response = app.oneshot(request).await.unwrap();
    assert!(!response.headers().contains_key(SET_COOKIE), "this layer sets no cookie");
    (response.status(), runs.load(Ordering::SeqCst))
}

fn request(method: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let mut request = Request::builder().method(method).uri("/vote");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::empty()).unwrap()
}

#[tokio::test]
async fn a_cross_site_request_does_not_reach_the_handler() {
    const OURS: (&str, &str) = ("origin", "https://test.example");
    const THEIRS: (&str, &str) = ("origin", "https://evil.example");
    let plain: Declared = |layer| layer;
    let changes: Declared = |layer| layer.changes_state();
    let door: Declared = |layer| layer.sign_in();
    let site = Site::new();
    #[rustfmt::skip]
    let rows = [
        ("from our own page",              plain,   request("POST", &[OURS]), 200),
        ("from another site",              plain,   request("POST", &[THEIRS]), 403),
        ("a page is only looked at",       plain,   request("GET", &[THEIRS]), 200),
        ("a GET that changes something",   changes, request("GET", &[THEIRS]), 403),
        ("a WebSocket from another site",  plain,   request("GET", &[THEIRS, ("upgrade", "websocket")]), 403),
        ("nothing to go by, no cookie",    plain,   request("POST", &[]), 200),
        ("the same at a sign-in",          door,    request("POST", &[]), 403),
        ("a script of ours at a sign-in",  door,    request("POST", &[("x-csrf", "1")]), 200),
    ];
    for (name, declare, request, status) in rows {
        let answered = answer(&site, declare, request).await;
        assert_eq!(answered, (StatusCode::from_u16(status).unwrap(), usize::from(status == 200)), "{name}");
    }
}

#[tokio::test]
async fn where_a_token_is_needed_the_one_of_the_session_counts() {
    let site = Site::new();
    let cookies = site.signed_in("ada").await;
    let token = site.csrf_token(&cookies).await;
    let cookie = cookies.header().to_str().unwrap();
    for (token, status) in [(token.as_str(), StatusCode::OK), ("another", StatusCode::FORBIDDEN)] {
        let headers = [(COOKIE.as_str(), cookie), ("x-csrf-token", token)];
        assert_eq!(answer(&site, |layer| layer, request("POST", &headers)).await.0, status);
    }
}

#[tokio::test]
async fn a_token_that_cannot_be_checked_is_not_a_wrong_one() {
    let site = Site::new();
    let cookies = site.signed_in("ada").await;
    let token = site.csrf_token(&cookies).await;
    let headers = [(COOKIE.as_str(), cookies.header().to_str().unwrap()), ("x-csrf-token", token.as_str())];
    site.faults().on(Verb::Load, Fault::Before);
    let answered = answer(&site, |layer| layer, request("POST", &headers)).await;
    assert_eq!(answered, (StatusCode::SERVICE_UNAVAILABLE, 0), "the store is away: 503, and nothing runs");
    site.faults().heal();
    assert_eq!(answer(&site, |layer| layer, request("POST", &headers)).await.0, StatusCode::OK);
}

#[tokio::test]
async fn handlers_find_no_session_behind_it() {
    let site = Site::new();
    let handler = any(async |_: Session| "never");
    let app = Router::new().route("/vote", handler).layer(site.csrf());
    let response = app.oneshot(request("GET", &[])).await.unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
}
