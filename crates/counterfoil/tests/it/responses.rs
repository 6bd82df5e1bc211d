//! Status, headers, cookies and body of each kind of response, pinned together.

use std::fmt::Write as _;

use axum::Router;
use counterfoil::testing::{Browser, Reply, Site, Verb};
use counterfoil::{Policy, PolicySettings};
use http::Method;

use crate::app::app;

/// A response as text: what a client sees, with tokens and ids by their form.
fn pinned(reply: &Reply) -> String {
    let mut text = format!("{}\n", reply.status());
    for (name, value) in reply.headers() {
        writeln!(text, "{name}: {}", redacted(value.to_str().unwrap())).unwrap();
    }
    write!(text, "\n{}", redacted(reply.text())).unwrap();
    text
}

/// Tokens of all kinds are replaced by what they are.
fn redacted(text: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let mut out = String::new();
    for word in text.split_inclusive(|c| !is_word(c)) {
        let (body, rest) = word.split_at(word.trim_end_matches(|c| !is_word(c)).len());
        match body {
            _ if body.starts_with("cfoil1_gen_") => write!(out, "[token of {}]{rest}", body.len()).unwrap(),
            _ if body.len() == 86 => write!(out, "[csrf token]{rest}").unwrap(),
            _ => out.push_str(word),
        }
    }
    out
}

macro_rules! pin {
    ($name:literal, $reply:expr) => {
        insta::assert_snapshot!($name, pinned(&$reply))
    };
}

async fn ada_at(site: &Site) -> (Router, Browser) {
    let app = app(site);
    let browser = site.browser(&app).with(site.signed_in("ada").await);
    (app, browser)
}

#[tokio::test]
async fn signing_in_and_out() {
    let site = Site::new();
    let ada = site.browser(&app(&site));
    pin!("a stranger on a public page gets no cookie", ada.get("/").await);
    pin!("a stranger where the session is looked at gets no cookie", ada.get("/greet").await);
    pin!("a stranger's form has no token", ada.get("/form").await);
    pin!("sign-in", ada.submit("/login", &[("user", "ada")]).await);
    pin!("signed in", ada.get("/me").await);
    pin!("a form with its token", ada.get("/form").await);
    site.clock().advance(std::time::Duration::from_mins(15));
    pin!("rotation", ada.get("/me").await);
    pin!("step-up", ada.post_form("/step-up", &[]).await);
    pin!("stepped up", ada.get("/transfer").await);
    pin!("sign-out", ada.submit("/logout", &[]).await);
    pin!("sign-out after sign-out", ada.submit("/logout", &[]).await);
}

#[tokio::test]
async fn a_stranger_who_leaves_something() {
    let site = Site::new();
    let stranger = site.browser(&app(&site));
    pin!("first anonymous write", stranger.post_form("/count", &[]).await);
    pin!("second anonymous write", stranger.post_form("/count", &[]).await);
}

#[tokio::test]
async fn nobody_is_signed_in() {
    let site = Site::new();
    let stranger = site.browser(&app(&site));
    pin!("401 to a fetch", stranger.get("/me").await);
    pin!("401 to a navigation", stranger.navigate("/me?tab=1&x=%2F").await);
    pin!("401 to a form that cannot be repeated", stranger.submit("/me", &[]).await);
}

#[tokio::test]
async fn a_step_up_is_needed() {
    let site = Site::new();
    let (_, ada) = ada_at(&site).await;
    pin!("RFC 9470 challenge to a fetch", ada.get("/transfer").await);
    pin!("step-up page to a navigation", ada.navigate("/transfer").await);
}

#[tokio::test]
async fn a_request_from_another_site() {
    let site = Site::new();
    let (app, ada) = ada_at(&site).await;
    let evil = ada.from_origin("https://evil.example");
    pin!("403 to a fetch", evil.post_form("/me", &[]).await);
    pin!("403 to a navigation, without a page for it", evil.submit("/me", &[]).await);

    let explaining = Site::built(Policy::aal2(Site::ORIGIN).unwrap(), |builder| builder.denied_page("/denied"));
    let evil = explaining.browser(&crate::app::app(&explaining)).from_origin("https://evil.example");
    pin!("303 to a navigation, with a page for it", evil.submit("/login", &[("user", "ada")]).await);
    drop(app);
}

#[tokio::test]
async fn the_store_is_down() {
    let site = Site::new();
    let (_, ada) = ada_at(&site).await;
    site.store_fails(true);
    pin!("503 to a fetch", ada.get("/me").await);
    pin!("503 to a navigation", ada.navigate("/me").await);
    pin!("a public page while the store is down", ada.get("/").await);
    pin!("503 to a sign-in", ada.post_form("/login", &[("user", "ada")]).await);
    pin!("503 to a sign-out", ada.submit("/logout", &[]).await);
}

#[tokio::test]
async fn a_cookie_leaves_with_a_500_too() {
    let site = Site::new();
    let (_, ada) = ada_at(&site).await;
    site.clock().advance(std::time::Duration::from_mins(15));
    pin!("rotation with a 500", ada.post_form("/fail", &[]).await);
    assert_eq!(ada.get("/note").await.text(), "kept");
}

#[tokio::test]
async fn the_session_ends_while_the_request_runs() {
    let site = Site::new();
    let (_, ada) = ada_at(&site).await;
    pin!("ended mid-request, fetch", ada.post_form("/overtaken", &[]).await);
    let (_, ada) = ada_at(&site).await;
    pin!("ended mid-request, navigation", ada.submit("/overtaken", &[]).await);
}

#[tokio::test]
async fn a_sign_in_is_refused() {
    let mut settings = PolicySettings::aal2(Site::ORIGIN);
    settings.sessions.limit = Some(1);
    settings.sessions.over_limit = Some(counterfoil_core::store::OverLimit::Refuse);
    let site = Site::with(Policy::try_from(settings).unwrap());
    let (app, _ada) = ada_at(&site).await;
    let second = site.browser(&app);
    pin!("one session too many", second.post_form("/login", &[("user", "ada")]).await);
    pin!("a name that cannot be a subject", second.post_form("/login", &[("user", "a\u{7}da")]).await);
    pin!("a name that is empty", second.submit("/login", &[("user", "")]).await);
    assert_eq!(site.faults().asked_for(Verb::Insert), 3, "ada's, what her devices are, and the one that was refused");
}

#[tokio::test]
async fn the_application_may_keep_an_answer_private() {
    let site = Site::new();
    let answers = |value: &'static str| {
        axum::routing::get(async move |session: counterfoil::Session| {
            session.identity().await.map(|_| ([(http::header::CACHE_CONTROL, value)], "…"))
        })
    };
    let app = Router::new()
        .route("/private", answers("private, max-age=60"))
        .route("/public", answers("public, max-age=60"))
        .route("/strict", answers("no-store, max-age=0"))
        .layer(site.sessions());
    let ada = site.browser(&app).with(site.signed_in("ada").await);
    let caching = async |path: &str| {
        let reply = ada.get(path).await;
        let header = |name| reply.header(name).map(str::to_owned);
        (header("cache-control").unwrap(), header("vary"))
    };
    assert_eq!(caching("/private").await, ("private, max-age=60".into(), Some("Cookie".into())));
    assert_eq!(caching("/public").await, ("no-store".into(), None));
    assert_eq!(caching("/strict").await, ("no-store, max-age=0".into(), None));
    site.clock().advance(std::time::Duration::from_mins(15));
    assert_eq!(caching("/private").await.0, "no-store", "it carries a cookie");
}

#[tokio::test]
async fn a_public_asset_stays_cacheable_for_somebody_signed_in() {
    let site = Site::new();
    let asset = axum::routing::get(async || ([(http::header::CACHE_CONTROL, "public, max-age=3600")], "body {}"));
    let app = Router::new().route("/style.css", asset).layer(site.sessions().public());
    let ada = site.browser(&app).with(site.signed_in("ada").await);
    let reply = ada.get("/style.css").await;
    assert_eq!((reply.header("cache-control"), reply.header("vary")), (Some("public, max-age=3600"), Some("Cookie")));
}

#[tokio::test]
async fn security_headers_are_on_every_answer() {
    let site = Site::new();
    let app = app(&site).layer(site.headers());
    let ada = site.browser(&app).with(site.signed_in("ada").await);
    pin!("security headers on a page", ada.get("/").await);
    let names = |reply: &Reply| {
        let mut names: Vec<String> = reply.headers().keys().map(ToString::to_string).collect();
        names.retain(|name| {
            !["vary", "cache-control", "content-type", "content-length", "allow"].contains(&name.as_str())
        });
        names.retain(|name| !["www-authenticate", "location"].contains(&name.as_str()));
        names
    };
    let page = names(&ada.get("/").await);
    for (what, reply) in [
        ("404", ada.get("/nowhere").await),
        ("405", ada.fetch(Method::DELETE, "/").await),
        ("401", site.browser(&app).get("/me").await),
        ("303", site.browser(&app).navigate("/me").await),
        ("403", ada.from_origin("https://evil.example").post_form("/me", &[]).await),
    ] {
        assert_eq!(names(&reply), page, "{what}");
    }
}

#[tokio::test]
async fn two_session_layers_are_a_fault_of_the_program() {
    let site = Site::new();
    let app = app(&site).layer(site.sessions());
    pin!("two session layers", site.browser(&app).get("/").await);
}

#[tokio::test]
async fn no_session_layer_is_a_fault_of_the_program() {
    let site = Site::new();
    let app = Router::new().route("/me", axum::routing::get(async |_: counterfoil::SignedIn| ()));
    pin!("no session layer", site.browser(&app).get("/me").await);
}
