//! One-line checks that a route refuses what it must refuse.

use axum::Router;
use counterfoil_core::seam::Denial;
use http::Method;

use super::{Browser, Cookies, Reply, Site};

/// Asserts that nobody gets past the guard of a route without being signed in.
///
/// # Panics
/// If the route answers a request without cookies.
///
/// # Examples
/// ```should_panic
/// use axum::{Router, routing::get};
/// use counterfoil::testing::{Site, assert_refuses_strangers};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let site = Site::new();
/// let app = Router::new().route("/orders", get(async || "all orders")).layer(site.sessions());
/// assert_refuses_strangers(&app, &site, http::Method::GET, "/orders").await; // the guard was forgotten
/// # });
/// ```
pub async fn assert_refuses_strangers(app: &Router, site: &Site, method: Method, path: &str) {
    let reply = site.browser(app).fetch(method.clone(), path).await;
    // A sensitive route asks for the token first.
    if !matches!(reply.denial(), Some(Denial::SignInRequired | Denial::Csrf(_))) {
        fail(&reply, &method, path, "from somebody who is not signed in", "take `SignedIn` in its handler");
    }
}

/// Asserts that being signed in is not enough for a route: it asks for a step-up.
///
/// The request is an honest one of one's own page, with a CSRF token.
///
/// # Panics
/// If the route answers somebody who is signed in but has not stepped up.
///
/// # Examples
/// ```
/// use axum::{Router, routing::post};
/// use counterfoil::{Recent, testing::{Site, assert_refuses_without_step_up}};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let site = Site::new();
/// let app = Router::new().route("/transfer", post(async |_: Recent<300>| "done")).layer(site.sessions());
/// assert_refuses_without_step_up(&app, &site, http::Method::POST, "/transfer").await;
/// # });
/// # Ok::<_, std::io::Error>(())
/// ```
pub async fn assert_refuses_without_step_up(app: &Router, site: &Site, method: Method, path: &str) {
    let reply = somebody(app, site, site.signed_in("ada").await).await.fetch(method.clone(), path).await;
    if !matches!(reply.denial(), Some(Denial::StepUpRequired { .. })) {
        let advice = "take `Recent<SECONDS>` in its handler";
        fail(&reply, &method, path, "from somebody who is signed in but has not stepped up", advice);
    }
}

/// Asserts that a route refuses requests from other sites: with a foreign origin, from a sibling domain, and without
/// any header that says where they come from.
///
/// They come with the cookies of somebody who is signed in and stepped up, so nothing but the CSRF decision is in their
/// way.
///
/// # Panics
/// If the route answers one of them.
///
/// # Examples
/// ```
/// use axum::{Router, routing::get};
/// use counterfoil::testing::{Site, assert_refuses_without_csrf};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let site = Site::new();
/// // A GET that changes something is judged only where it is declared.
/// let app = Router::new().route("/unsubscribe", get(async || "done")).layer(site.sessions().changes_state());
/// assert_refuses_without_csrf(&app, &site, http::Method::GET, "/unsubscribe").await;
/// # });
/// # Ok::<_, std::io::Error>(())
/// ```
pub async fn assert_refuses_without_csrf(app: &Router, site: &Site, method: Method, path: &str) {
    let ada = site.browser(app).with(site.stepped_up("ada").await);
    let sibling = site.origin().replacen("://", "://sibling.", 1);
    let advice = "an unsafe method needs the layer `sessions()`; a safe one that changes something, `changes_state()`";
    for (tab, from) in [
        (ada.from_origin("https://evil.invalid"), "from another site"),
        (ada.from_origin(&sibling), "from a sibling domain"),
        (ada.from_origin("null"), "from a sandboxed frame"),
        (ada.from_origin("https://evil.invalid").without_fetch_metadata(), "from another site by an old browser"),
    ] {
        let reply = tab.fetch(method.clone(), path).await;
        if !matches!(reply.denial(), Some(Denial::Csrf(_))) {
            fail(&reply, &method, path, from, advice);
        }
    }
    let request = http::Request::builder().method(method.clone()).uri(path).body(axum::body::Body::empty());
    let reply = ada.send(request.expect("a path to ask for")).await;
    if !matches!(reply.denial(), Some(Denial::Csrf(_))) {
        fail(&reply, &method, path, "that does not say where it comes from and has no token", advice);
    }
}

async fn somebody(app: &Router, site: &Site, cookies: Cookies) -> Browser {
    let token = site.csrf_token(&cookies).await;
    site.browser(app).with(cookies).with_header("x-csrf-token", &token)
}

fn fail(reply: &Reply, method: &Method, path: &str, request: &str, advice: &str) -> ! {
    let status = reply.status();
    let reason = match (status.as_u16(), reply.denial()) {
        (_, Some(denial)) => format!("it was refused for another reason: {denial:?}"),
        (404, None) => "there is no such route in this router".into(),
        (405, None) => "the route has no such method".into(),
        (500, None) => "perhaps no session layer stands around the route, or two do; see the log".into(),
        (_, None) => format!("the application answered; {advice}"),
    };
    panic!("{method} {path} answered {status} to a request {request}: {reason}")
}
