//! The application as a browser uses it.

use axum::http::{Method, StatusCode};
use counterfoil::testing::{
    Browser, Site, assert_refuses_strangers, assert_refuses_without_csrf, assert_refuses_without_step_up,
};

use super::*;

const PASSWORD: (&str, &str) = ("password", "ada-plain-1");

#[tokio::test]
async fn whoever_signs_in_posts_without_a_password() {
    let (site, board) = (Site::new(), Board::default());
    let ada = sign_in(&site.browser(&app(&site, board.clone()))).await;
    assert_eq!(ada.navigate("/account").await.status(), StatusCode::OK);
    ada.submit("/notices", &[("text", "tea at <4>")]).await;
    let page = ada.navigate("/").await;
    assert!(page.text().contains("<b>ada</b> : tea at &#60;4&#62;"), "{}", page.text());
}

#[tokio::test]
async fn a_wrong_password_signs_nobody_in_and_steps_nobody_up() {
    let site = Site::new();
    let browser = site.browser(&app(&site, Board::default()));
    for (user, password) in [("ada", "grace-plain-1"), ("nobody", "ada-plain-1")] {
        let reply = browser.submit("/login", &[("user", user), ("password", password)]).await;
        assert!(reply.text().contains("Wrong name or password"), "{user}");
        assert_eq!(browser.navigate("/account").await.header("location"), Some("/login?next=%2Faccount"), "{user}");
    }
    let ada = sign_in(&browser).await;
    ada.submit("/step-up", &[("password", "grace-plain-1")]).await;
    assert_eq!(ada.navigate("/account/email").await.status(), StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn the_address_changes_after_a_step_up_and_the_way_leads_back() {
    let (site, board) = (Site::new(), Board::default());
    let ada = sign_in(&site.browser(&app(&site, board.clone()))).await;
    let refused = ada.navigate("/account/email").await;
    assert_eq!(refused.header("location"), Some("/step-up?next=%2Faccount%2Femail"));
    let done = ada.submit("/step-up", &[PASSWORD, ("next", "/account/email")]).await;
    assert_eq!(done.header("location"), Some("/account/email"));
    assert_eq!(ada.navigate("/account/email").await.status(), StatusCode::OK);
    ada.submit("/account/email", &[("email", "ada@example.org")]).await;
    board.post("ada", "tea");
    assert_eq!(board.notices()[0].email, "ada@example.org");
}

#[tokio::test]
async fn one_device_signs_another_out() {
    let site = Site::new();
    let app = app(&site, Board::default());
    let laptop = sign_in(&site.browser(&app)).await;
    let phone = sign_in(&site.browser(&app).with_header("user-agent", "phone")).await;
    phone.navigate("/").await;
    let page = laptop.navigate("/devices").await;
    let id = page.text().split("value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    laptop.submit("/devices/end", &[("id", &id)]).await;
    assert_eq!(phone.navigate("/account").await.status(), StatusCode::SEE_OTHER);
    assert_eq!(laptop.navigate("/account").await.status(), StatusCode::OK);
    laptop.submit("/logout", &[]).await;
    assert_eq!(laptop.navigate("/account").await.status(), StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn every_route_is_guarded() {
    let site = Site::new();
    let app = app(&site, Board::default());
    for path in ["/account", "/account/email", "/devices", "/step-up"] {
        assert_refuses_strangers(&app, &site, Method::GET, path).await;
    }
    for path in ["/notices", "/account/email", "/devices/end", "/step-up"] {
        assert_refuses_strangers(&app, &site, Method::POST, path).await;
    }
    for path in ["/notices", "/account/email", "/devices/end", "/step-up", "/logout"] {
        assert_refuses_without_csrf(&app, &site, Method::POST, path).await;
    }
    assert_refuses_without_step_up(&app, &site, Method::POST, "/account/email").await;
}

/// Signs in, and presents the new token once.
async fn sign_in(browser: &Browser) -> Browser {
    let reply = browser.submit("/login", &[("user", "ada"), PASSWORD, ("next", "/account")]).await;
    assert_eq!(reply.header("location"), Some("/account"), "{}", reply.text());
    browser.clone()
}
