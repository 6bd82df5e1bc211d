//! The move: how many lines it changes, and what its users notice.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use example_moved::{after, before};
use similar::{ChangeTag, TextDiff};
use tower::ServiceExt;
use tower_sessions::{MemoryStore, SessionStore};

#[test]
fn the_move_changes_at_most_forty_lines() {
    let (before, after) = (include_str!("../src/before.rs"), include_str!("../src/after.rs"));
    let diff = TextDiff::from_lines(before, after);
    // As `git diff --numstat` counts: a line that is replaced counts twice.
    let changed = diff.iter_all_changes().filter(|change| change.tag() != ChangeTag::Equal).count();
    assert!(changed <= 40, "{changed} lines, added and removed together");
}

#[tokio::test]
async fn its_users_stay_signed_in_and_the_old_cookie_is_worth_nothing_afterwards() {
    let old = MemoryStore::default();
    let shop = before::app(old.clone());
    let signed_in = send(&shop, post("/login", "", "user=ada&password=ada-moved-1")).await;
    let old_cookie = cookie_of(&signed_in, "id=").unwrap();
    assert_eq!(text(send(&shop, get("/account", &old_cookie)).await).await, "account of ada\n");

    let shop = after::app(old.clone()).unwrap();
    let adopting = send(&shop, get("/account", &old_cookie)).await;
    let cookie = cookie_of(&adopting, "dev-id=").unwrap();
    assert_eq!(cookie_of(&adopting, "id=").as_deref(), Some("id="), "the browser forgets the old cookie");
    assert_eq!(text(adopting).await, "account of ada\n");
    assert_eq!(text(send(&shop, get("/", &cookie)).await).await, "hello ada\n");
    let id = old_cookie.trim_start_matches("id=").parse().unwrap();
    assert!(old.load(&id).await.unwrap().is_none(), "the old session is over");

    send(&shop, post("/logout", &cookie, "")).await;
    for (which, cookie) in [("the new", &cookie), ("a copy of the old", &old_cookie)] {
        let location = send(&shop, get("/account", cookie)).await.headers().get(header::LOCATION).cloned();
        assert_eq!(location.unwrap(), "/login?next=%2Faccount", "{which} cookie after signing out");
    }
}

#[tokio::test]
async fn strangers_and_wrong_passwords_stay_outside_on_both_sides() {
    let old = MemoryStore::default();
    for shop in [before::app(old.clone()), after::app(old.clone()).unwrap()] {
        assert_eq!(text(send(&shop, get("/", "id=invented")).await).await, "hello stranger\n");
        let wrong = send(&shop, post("/login", "", "user=ada&password=guessed")).await;
        assert_eq!(wrong.headers().get(header::LOCATION).unwrap(), "/login?wrong");
        assert_eq!(send(&shop, get("/account", "")).await.status(), StatusCode::SEE_OTHER);
    }
}

fn get(path: &str, cookie: &str) -> Request<Body> {
    Request::get(path).header("sec-fetch-mode", "navigate").header("cookie", cookie).body(Body::empty()).unwrap()
}

fn post(path: &str, cookie: &str, form: &'static str) -> Request<Body> {
    let post = Request::post(path).header("origin", "http://127.0.0.1:3000").header("cookie", cookie);
    post.header("content-type", "application/x-www-form-urlencoded").body(Body::from(form)).unwrap()
}

async fn send(shop: &Router, request: Request<Body>) -> Response<Body> {
    shop.clone().oneshot(request).await.unwrap()
}

/// `name=value` of the cookie that the response sets, if it sets one whose pair begins so.
fn cookie_of(response: &Response<Body>, begins: &str) -> Option<String> {
    let cookies = response.headers().get_all(header::SET_COOKIE).iter().map(|cookie| cookie.to_str().unwrap());
    let pairs = cookies.map(|cookie| cookie.split(';').next().unwrap());
    pairs.into_iter().find(|pair| pair.starts_with(begins)).map(str::to_owned)
}

async fn text(response: Response<Body>) -> String {
    String::from_utf8(axum::body::to_bytes(response.into_body(), 1_024).await.unwrap().into()).unwrap()
}
