//! Taking over the sessions of another layer: once, on the requests that may, and never at the cost of whoever is
//! signed in there.

mod old;
mod outage;
mod races;

use std::time::Duration;

use counterfoil::testing::{Browser, Site};
use http::StatusCode;

use self::old::{Old, SID, moving};
use crate::app::{ELEVATED, ID, VISITOR, app};

const OK: StatusCode = StatusCode::OK;
const NOBODY: StatusCode = StatusCode::UNAUTHORIZED;

/// Of one request.
type Headers<'a> = &'a [(&'a str, &'a str)];

/// Ada's browser: signed in there for an hour, never seen here.
fn ada_at(site: &Site, old: &Old) -> Browser {
    old.sign_in("old-ada", "ada", site, Duration::from_hours(1));
    let ada = site.browser(&app(site));
    ada.put_cookie(SID, "old-ada");
    ada
}

#[tokio::test]
async fn whoever_is_signed_in_there_is_signed_in_here_and_the_old_session_is_gone() {
    let (site, old) = moving(|adopt| adopt);
    let ada = ada_at(&site, &old);
    let reply = ada.get("/me").await;
    assert_eq!(reply.text(), "ada (authenticated) by pwd");
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_eq!((ada.cookie(SID), ada.cookie(ID).is_some(), old.sessions()), (None, true, 0));
    assert_eq!(site.take_events(), ["session.adopted"]);
    assert_eq!(ada.get("/me").await.status(), OK);
    assert_eq!((old.looks(), ada.get("/devices").await.text()), (1, "1"), "asked once");
}

#[tokio::test]
async fn it_is_no_more_than_a_sign_in_and_counts_from_the_old_one() {
    let (site, old) = moving(|adopt| adopt);
    let ada = ada_at(&site, &old);
    let reply = ada.get("/me").await;
    let cookies: Vec<_> = reply.headers().get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect();
    let removal = "sid=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/; Secure; HttpOnly; SameSite=Lax";
    assert_eq!(cookies[0], removal);
    assert!(cookies[1].contains("; Max-Age=82800; "), "23 of 24 hours: {}", cookies[1].split_once(';').unwrap().1);
    assert_eq!(ada.get("/transfer").await.status(), NOBODY, "never stepped up");
    assert_eq!(ada.cookie(ELEVATED), None);
    for _ in 0..27 {
        site.clock().advance(Duration::from_mins(50));
        assert_eq!(ada.get("/me").await.status(), OK);
    }
    site.clock().advance(Duration::from_mins(30));
    assert_eq!(ada.get("/me").await.status(), NOBODY, "23 hours later, though active");
}

#[tokio::test]
async fn an_old_session_over_the_limit_is_not_adopted() {
    for (age, status) in [(86_399, OK), (86_400, NOBODY), (2_592_000, NOBODY)] {
        let (site, old) = moving(|adopt| adopt);
        old.sign_in("old-ada", "ada", &site, Duration::from_secs(age));
        let ada = site.browser(&app(&site));
        ada.put_cookie(SID, "old-ada");
        assert_eq!(ada.get("/me").await.status(), status, "{age} seconds");
        let (told, left) = if status == OK { ("session.adopted", 0) } else { ("session.adoption_refused", 1) };
        assert_eq!((site.take_events(), old.sessions()), (vec![told], left), "{age} seconds");
    }
}

#[tokio::test]
async fn only_requests_whose_answer_reaches_the_browser_adopt() {
    let cross = ("sec-fetch-site", "cross-site");
    #[rustfmt::skip]
    let rows: [(&str, &str, Headers<'_>, u16, bool); 13] = [
        //  request                            path       headers                                                        status adopts
        ("a script's",                         "/me",     &[("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "cors")],                                                           200,   true),
        ("to a public page that looks",        "/greet",  &[],                                                           200,   true),
        ("to a public page that does not",     "/",       &[],                                                           200,   false),
        ("a link on another site",             "/me",     &[cross, ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")], 200, true),
        ("a link on a sibling",                "/me",     &[("sec-fetch-site", "same-site")],                            200,   true),
        ("another site's image",               "/me",     &[cross, ("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")],     401, false),
        ("another site's frame",               "/me",     &[cross, ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")],   303, false),
        ("another site's script",              "/me",     &[cross, ("sec-fetch-mode", "cors")],                          401,   false),
        ("a prefetch",                         "/me",     &[("sec-purpose", "prefetch;prerender")],                      503,   false),
        ("a prefetch of a public page",        "/",       &[("purpose", "prefetch")],                                    200,   false),
        ("a WebSocket handshake",              "/me",     &[("upgrade", "websocket"), ("origin", Site::ORIGIN)],         401,   false),
        ("with the wrong name",                "/me",     &[("cookie", "SID=old-ada")],                                  200,   true),
        ("with another value as well",         "/me",     &[("cookie", "sid=other")],                                    401,   false),
    ];
    for (request, path, headers, status, adopts) in rows {
        let (site, old) = moving(|adopt| adopt);
        let ada = ada_at(&site, &old);
        let asked = headers.iter().fold(http::Request::get(path), |asked, (name, value)| asked.header(*name, *value));
        let reply = ada.send(asked.body(axum::body::Body::empty()).unwrap()).await;
        assert_eq!(reply.status().as_u16(), status, "{request}");
        assert_eq!((old.looks(), old.sessions()), if adopts { (1, 0) } else { (0, 1) }, "{request}");
        assert_eq!((ada.cookie(ID).is_some(), ada.cookie(SID).is_none()), (adopts, adopts), "{request}");
        assert_eq!(site.records(), usize::from(adopts), "{request}");
    }
}

#[tokio::test]
async fn a_forged_request_adopts_nobody() {
    #[rustfmt::skip]
    let rows: [(&str, Headers<'_>, bool, u16); 5] = [
        //  request                       headers                                      metadata status
        ("another site's form",           &[("origin", "https://evil.example")],       true,    403),
        ("the same in an old browser",    &[("origin", "https://evil.example")],       false,   403),
        ("one that says nothing at all",  &[],                                         false,   403),
        ("the same beside a bearer token",&[("authorization", "Bearer x")],            false,   403),
        ("a sandboxed frame's",           &[("origin", "null")],                       false,   403),
    ];
    for (request, headers, metadata, status) in rows {
        let (site, old) = moving(|adopt| adopt);
        let ada = ada_at(&site, &old);
        let mut posted = http::Request::post("/me").header("host", "test.example");
        if metadata {
            posted = posted.header("sec-fetch-site", "cross-site");
        }
        posted = headers.iter().fold(posted, |posted, (name, value)| posted.header(*name, *value));
        assert_eq!(
            ada.send(posted.body(axum::body::Body::empty()).unwrap()).await.status().as_u16(),
            status,
            "{request}"
        );
        assert_eq!((old.looks(), ada.cookie(SID).is_some()), (0, true), "{request}");
    }
    let (site, old) = moving(|adopt| adopt);
    let ada = ada_at(&site, &old);
    assert_eq!(ada.post_form("/me", &[]).await.text(), "ada (authenticated) by pwd", "the site's own form does");
}

#[tokio::test]
async fn who_is_signed_in_here_is_not_asked_for_there() {
    let (site, old) = moving(|adopt| adopt);
    let ada = ada_at(&site, &old);
    let grace = ada.clone().with(site.signed_in("grace").await);
    grace.put_cookie(SID, "old-ada");
    assert!(grace.get("/me").await.text().starts_with("grace "));
    let tossed =
        grace.with_header("cookie", &format!("{ID}={}", ada.with(site.signed_in("ada").await).cookie(ID).unwrap()));
    assert_eq!(tossed.get("/me").await.status(), NOBODY, "two genuine tokens: somebody plays with the jar");
    assert_eq!(old.looks(), 0);
    let rubbish = site.browser(&app(&site));
    rubbish.put_cookie(ID, "cfoil1_gen_AAAA");
    rubbish.put_cookie(SID, "old-ada");
    assert_eq!(rubbish.get("/me").await.status(), OK, "what is no token of ours is no reason to ask for a sign-in");
}

#[tokio::test]
async fn who_is_nobody_there_is_nobody_here_and_keeps_the_cookie() {
    let (site, _) = moving(|adopt| adopt);
    let visitor = site.browser(&app(&site));
    visitor.put_cookie(SID, "with-a-cart-but-nobody");
    assert_eq!(visitor.get("/greet").await.text(), "who are you?");
    assert!(visitor.cookie(SID).is_some(), "its own layer may still need it");
    assert_eq!((site.records(), site.take_events().len()), (0, 0));
}

#[tokio::test]
async fn a_visitors_portable_data_comes_along() {
    let (site, old) = moving(|adopt| adopt);
    let ada = site.browser(&app(&site));
    ada.post_form("/theme", &[("value", "dark")]).await;
    ada.post_form("/count", &[]).await;
    old.sign_in("old-ada", "ada", &site, Duration::ZERO);
    ada.put_cookie(SID, "old-ada");
    assert_eq!(ada.get("/kept").await.text(), "0 dark");
    assert!(ada.cookie(VISITOR).is_some(), "its session is over; the cookie is ignored beside one");
    assert_eq!(site.take_events(), ["session.created", "session.ended", "session.adopted"]);
}

#[tokio::test]
async fn a_copy_of_the_old_cookie_is_worth_nothing_once_the_new_token_is_used() {
    let (site, old) = moving(|adopt| adopt);
    let ada = ada_at(&site, &old);
    let copy = ada.stolen();
    ada.get("/me").await;
    ada.get("/me").await;
    site.clock().advance(Duration::from_secs(64));
    assert_eq!(copy.stolen().get("/me").await.status(), OK, "sent before the answer came, arrived late");
    site.clock().advance(Duration::from_secs(1));
    site.take_events();
    assert_eq!(copy.get("/me").await.status(), NOBODY);
    assert_eq!(site.take_events(), ["session.adoption_refused"]);
    assert_eq!(ada.get("/me").await.status(), OK, "and its user does not suffer for it");
}

#[tokio::test]
async fn what_is_signed_out_stays_so_even_if_the_old_session_cannot_be_ended() {
    let (site, old) = moving(|adopt| adopt);
    let ada = ada_at(&site, &old);
    let copy = ada.stolen();
    old.cannot_be_ended();
    ada.get("/me").await;
    ada.post_form("/logout", &[]).await;
    assert_eq!((ada.get("/me").await.status(), copy.get("/me").await.status()), (NOBODY, NOBODY));
    assert_eq!((old.sessions(), site.events().last().unwrap().kind.reason()), (1, Some("ended")));
    site.clock().advance(Duration::from_hours(22));
    assert_eq!(copy.get("/me").await.status(), NOBODY, "a day later as well");
}

#[tokio::test]
async fn signing_in_or_out_with_the_old_cookie_ends_the_old_session_too() {
    for (path, afterwards) in [("/login", OK), ("/logout", NOBODY)] {
        let (site, old) = moving(|adopt| adopt);
        let ada = ada_at(&site, &old);
        ada.post_form(path, &[("user", "grace")]).await;
        assert_eq!((ada.cookie(SID), old.sessions()), (None, 0), "{path}");
        let me = ada.get("/me").await;
        assert_eq!((me.status(), me.text().starts_with("ada")), (afterwards, false), "{path}");
        assert_eq!(ada.cookie(ID).is_some(), afterwards == OK, "{path}: no cookie of a session that is over");
    }
}

#[tokio::test]
async fn signing_out_other_devices_includes_those_that_have_not_come_here_yet() {
    let (site, old) = moving(|adopt| adopt);
    let laptop = ada_at(&site, &old);
    laptop.get("/me").await;
    assert_eq!(laptop.post_form("/end-others", &[]).await.status(), OK);
    old.sign_in("old-phone", "ada", &site, Duration::from_hours(2));
    let phone = site.browser(&app(&site));
    phone.put_cookie(SID, "old-phone");
    assert_eq!(phone.get("/me").await.status(), NOBODY);
    assert_eq!((old.sessions(), phone.cookie(SID)), (0, None), "it is ended there");
    assert_eq!(site.events().last().unwrap().kind.reason(), Some("subject_ended"));
    assert_eq!(laptop.get("/me").await.status(), OK);
}

#[tokio::test]
async fn after_the_end_date_the_old_cookie_is_not_read() {
    let now = counterfoil_core::Clock::now(Site::new().clock());
    let (site, old) = moving(|adopt| adopt.until(now + Duration::from_secs(10)));
    let ada = ada_at(&site, &old);
    site.clock().advance(Duration::from_secs(10));
    assert_eq!((ada.get("/me").await.status(), old.looks()), (NOBODY, 0));
    site.clock().set(now + Duration::from_secs(9));
    assert_eq!(ada.get("/me").await.status(), OK, "a moment before it is");
}

#[tokio::test]
async fn the_removal_fits_the_cookie() {
    let (site, old) = moving(|adopt| adopt.path("/app").domain("test.example"));
    let ada = ada_at(&site, &old);
    let reply = ada.get("/me").await;
    assert!(reply.header("set-cookie").unwrap().contains("; Path=/app; Domain=test.example; Secure; "));
}
