//! Remember-me through the layer: the same session at lower assurance, greeted and no more.

use std::time::Duration;

use counterfoil::testing::{Browser, Reply, Site};
use counterfoil::{EndReason, Policy, PolicySettings, Subject};
use http::StatusCode;

use crate::app::{ID, app};

const DAY: u64 = 86_400;

/// A site that remembers for 30 days; idle is an hour, absolute a day.
fn remembering() -> Site {
    let mut settings = PolicySettings::aal2(Site::ORIGIN);
    settings.timeouts.remember_for = Some("30days".parse().unwrap());
    Site::with(Policy::try_from(settings).unwrap())
}

async fn ada_asks_to_be_remembered(site: &Site) -> Browser {
    let ada = site.browser(&app(site));
    ada.post_form("/login", &[("user", "ada"), ("remember", "true")]).await;
    assert_eq!(ada.get("/greet").await.text(), "ada (authenticated)");
    ada
}

fn pass(site: &Site, seconds: u64) {
    site.clock().advance(Duration::from_secs(seconds));
}

fn max_age(reply: &Reply) -> Option<u64> {
    let (_, rest) = reply.header("set-cookie")?.split_once("; Max-Age=")?;
    rest.split(';').next()?.parse().ok()
}

#[tokio::test]
async fn who_asked_to_be_remembered_is_greeted_and_no_more() {
    let site = remembering();
    let ada = ada_asks_to_be_remembered(&site).await;
    pass(&site, 3_600);
    assert_eq!(ada.get("/greet").await.text(), "ada (remembered)");
    for (path, what) in [("/step-up", "no step-up"), ("/end-others", "no ending of sessions"), ("/me", "not signed in")]
    {
        assert_eq!(ada.post_form(path, &[]).await.status(), StatusCode::UNAUTHORIZED, "{what}");
    }
    assert_eq!(ada.get("/devices").await.status(), StatusCode::UNAUTHORIZED, "no list of sessions");
    assert_eq!(ada.get("/greet").await.text(), "ada (remembered)", "asking does not bring anybody back");
    pass(&site, 30 * DAY - 3_601);
    assert_eq!(ada.get("/greet").await.text(), "ada (remembered)", "a second before 30 days");
    let jar_keeps_it = ada.stolen();
    pass(&site, 1);
    assert_eq!(jar_keeps_it.get("/greet").await.text(), "who are you?", "at 30 days");
}

#[tokio::test]
async fn also_who_was_active_until_the_absolute_limit_is_remembered_after_it() {
    let site = remembering();
    let ada = ada_asks_to_be_remembered(&site).await;
    for _ in 0..48 {
        assert_eq!(ada.get("/me").await.status(), StatusCode::OK);
        pass(&site, 1_800);
    }
    assert_eq!(ada.get("/me").await.status(), StatusCode::UNAUTHORIZED, "at 24 hours");
    assert_eq!(ada.get("/greet").await.text(), "ada (remembered)");
}

#[tokio::test]
async fn who_did_not_ask_is_not_remembered() {
    let site = remembering();
    let ada = site.browser(&app(&site));
    ada.post_form("/login", &[("user", "ada")]).await;
    assert_eq!(ada.get("/me").await.status(), StatusCode::OK);
    pass(&site, 3_600);
    assert_eq!(ada.get("/greet").await.text(), "who are you?");
}

#[tokio::test]
async fn who_asked_where_the_policy_remembers_nobody_is_not_remembered() {
    let site = Site::new();
    let ada = ada_asks_to_be_remembered(&site).await;
    pass(&site, 3_600);
    assert_eq!(ada.get("/greet").await.text(), "who are you?");
}

#[tokio::test]
async fn a_guard_asks_the_remembered_to_sign_in() {
    let site = remembering();
    let ada = ada_asks_to_be_remembered(&site).await;
    pass(&site, 3_600);
    let fetched = ada.get("/me").await;
    assert_eq!((fetched.status(), fetched.header("www-authenticate")), (StatusCode::UNAUTHORIZED, Some("Session")));
    assert_eq!(
        fetched.header("set-cookie").map(|cookie| cookie.contains("Max-Age=0")),
        Some(false),
        "kept, and renewed"
    );
    let navigated = ada.navigate("/me").await;
    let to = navigated.header("location");
    assert_eq!((navigated.status(), to), (StatusCode::SEE_OTHER, Some("/login?next=%2Fme")));
    let stepped_up = ada.get("/transfer").await;
    assert_eq!(stepped_up.header("www-authenticate"), Some("Session"), "a step-up alone would not do");
}

#[tokio::test]
async fn the_cookie_lives_as_long_as_its_user_is_remembered() {
    let site = remembering();
    let ada = site.browser(&app(&site));
    let signed_in = ada.post_form("/login", &[("user", "ada"), ("remember", "true")]).await;
    assert_eq!(max_age(&signed_in), Some(30 * DAY));
    ada.get("/me").await;
    pass(&site, 1_000);
    assert_eq!(max_age(&ada.get("/me").await), Some(30 * DAY - 1_000), "rotation extends nothing");
    ada.get("/me").await;
    pass(&site, 2 * DAY - 1_000);
    ada.get("/greet").await; // uses the successor a second time: the first token's end is dated
    pass(&site, 1_000);
    assert_eq!(max_age(&ada.get("/greet").await), Some(28 * DAY - 1_000), "remembered, its token still rotates");
}

#[tokio::test]
async fn signing_in_again_replaces_the_remembered_session() {
    let site = remembering();
    let ada = ada_asks_to_be_remembered(&site).await;
    ada.post_form("/theme", &[("value", "dark")]).await;
    pass(&site, 3_600);
    let before = ada.stolen();
    site.take_events();
    let signed_in = ada.post_form("/login", &[("user", "ada")]).await;
    assert_eq!(max_age(&signed_in), Some(DAY), "asked anew each time");
    assert_eq!(ada.get("/me").await.text(), "ada (authenticated) by pwd");
    assert_eq!(ada.get("/kept").await.text(), "0 dark", "portable data comes along");
    assert_eq!(before.get("/greet").await.text(), "who are you?", "the old one is over");
    assert!(site.events().iter().any(|event| event.kind.reason() == Some(EndReason::Superseded.as_str())));
    pass(&site, 3_600);
    assert_eq!(ada.get("/greet").await.text(), "who are you?", "nothing is left to fall back to");
}

#[tokio::test]
async fn somebody_else_who_signs_in_there_gets_nothing_of_the_remembered() {
    let site = remembering();
    let ada = ada_asks_to_be_remembered(&site).await;
    ada.post_form("/theme", &[("value", "dark")]).await;
    pass(&site, 3_600);
    ada.post_form("/login", &[("user", "grace")]).await;
    assert_eq!(ada.get("/kept").await.text(), "0 ");
    assert_eq!(ada.get("/me").await.text(), "grace (authenticated) by pwd");
}

#[tokio::test]
async fn signing_out_and_revocation_end_being_remembered() {
    type End = for<'a> fn(&'a Site, &'a Browser) -> std::pin::Pin<Box<dyn Future<Output = ()> + 'a>>;
    #[rustfmt::skip]
    let rows: [(&str, End); 3] = [
        ("sign-out",              |_, ada| Box::pin(async { drop(ada.post_form("/logout", &[]).await) })),
        ("all of the subject's",  |site, _| Box::pin(async {
            site.engine().end_subject(&Subject::new("ada").unwrap(), EndReason::Admin).await.unwrap();
        })),
        ("all there are",         |site, _| Box::pin(async { site.engine().end_all(EndReason::Admin).await.unwrap() })),
    ];
    for (name, end) in rows {
        let site = remembering();
        let ada = ada_asks_to_be_remembered(&site).await;
        pass(&site, 3_600);
        let copy = ada.stolen();
        assert_eq!(copy.get("/greet").await.text(), "ada (remembered)", "{name}");
        end(&site, &ada).await;
        assert_eq!(copy.get("/greet").await.text(), "who are you?", "{name}");
    }
}

#[tokio::test]
async fn a_copy_gives_itself_away_also_while_its_owner_is_only_remembered() {
    let site = remembering();
    let ada = ada_asks_to_be_remembered(&site).await;
    let thief = ada.stolen();
    pass(&site, 2 * DAY);
    for pause in [0, 0, 66, 66] {
        pass(&site, pause);
        assert_eq!(ada.get("/greet").await.text(), "ada (remembered)");
    }
    assert_ne!(ada.cookie(ID), thief.cookie(ID), "the token was rotated");
    site.take_events();
    assert_eq!(thief.get("/greet").await.text(), "who are you?");
    assert_eq!(site.take_events(), ["token.reused", "session.ended"]);
    assert_eq!(ada.get("/greet").await.text(), "who are you?", "the session ends for both");
}

#[tokio::test]
async fn a_sign_in_kept_half_done_remembers_the_wish() {
    for (wish, greeting) in [("true", "ada (remembered)"), ("false", "who are you?")] {
        let site = remembering();
        let ada = site.browser(&app(&site));
        ada.post_form("/login/1", &[("user", "ada"), ("remember", wish)]).await;
        ada.post_form("/login/2", &[]).await;
        assert_eq!(ada.get("/me").await.text(), "ada (authenticated) by pwd, otp");
        pass(&site, 3_600);
        assert_eq!(ada.get("/greet").await.text(), greeting, "{wish}");
    }
}
