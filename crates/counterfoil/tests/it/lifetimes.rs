//! Lifetimes to the second, through the layer, by a clock that only the test moves.

use std::time::Duration;

use counterfoil::testing::{Browser, Site};
use counterfoil::{EndReason, EventKind, Policy, PolicySettings};
use http::StatusCode;

use crate::app::{ID, app};

const OK: StatusCode = StatusCode::OK;
const GONE: StatusCode = StatusCode::UNAUTHORIZED;

async fn ada_at(site: &Site) -> Browser {
    site.browser(&app(site)).with(site.signed_in("ada").await)
}

fn pass(site: &Site, seconds: u64) {
    site.clock().advance(Duration::from_secs(seconds));
}

#[tokio::test]
async fn idle_ends_a_session_at_its_limit_not_after_it() {
    #[rustfmt::skip]
    let rows: [(&str, &[u64], StatusCode); 7] = [
        //  name                                 pauses between requests  the last answer
        ("a second before the limit",            &[3_599],                OK),
        ("at the limit",                         &[3_600],                GONE),
        ("activity postpones it",                &[3_599, 3_599, 3_599],  OK),
        ("and it still comes",                   &[3_599, 3_600],         GONE),
        ("activity within the touch step may not", &[179, 3_421],         GONE),
        ("activity at the touch step does",      &[180, 3_599],           OK),
        ("never later, whoever asks how often",  &[180, 60, 60, 3_600],   GONE),
    ];
    for (name, pauses, last) in rows {
        let site = Site::new();
        let ada = ada_at(&site).await;
        let mut status = OK;
        for pause in pauses {
            pass(&site, *pause);
            status = ada.get("/me").await.status();
        }
        assert_eq!(status, last, "{name}");
    }
}

#[tokio::test]
async fn polling_does_not_count_as_activity() {
    let site = Site::new();
    let ada = ada_at(&site).await;
    for _ in 0..5 {
        pass(&site, 600);
        assert_eq!(ada.get("/poll").await.status(), OK);
    }
    pass(&site, 599);
    assert_eq!(ada.get("/poll").await.status(), OK);
    pass(&site, 1);
    assert_eq!(ada.get("/poll").await.status(), GONE);
    assert_eq!(ada.get("/me").await.status(), GONE);
}

#[tokio::test]
async fn a_public_page_that_does_not_look_does_not_count_as_activity() {
    let site = Site::new();
    let ada = ada_at(&site).await;
    pass(&site, 3_000);
    assert_eq!(ada.get("/").await.status(), OK);
    pass(&site, 600);
    assert_eq!(ada.get("/me").await.status(), GONE);
}

#[tokio::test]
async fn absolute_is_never_extended() {
    let site = Site::new();
    let ada = ada_at(&site).await;
    for _ in 0..47 {
        pass(&site, 1_800);
        assert_eq!(ada.get("/me").await.status(), OK);
    }
    pass(&site, 1_799);
    assert_eq!(ada.get("/me").await.status(), OK, "a second before 24 hours");
    let elsewhere = ada.stolen();
    pass(&site, 1);
    assert_eq!(elsewhere.get("/me").await.status(), GONE, "at 24 hours");
}

#[tokio::test]
async fn a_cookie_lives_as_long_as_its_session_may() {
    let site = Site::new();
    let reply = site.browser(&app(&site)).post_form("/login", &[("user", "ada")]).await;
    assert!(reply.header("set-cookie").unwrap().contains("; Max-Age=86400;"));

    let ada = ada_at(&site).await;
    pass(&site, 1_000);
    let rotated = ada.get("/me").await;
    assert!(rotated.header("set-cookie").unwrap().contains("; Max-Age=85400;"), "what is left of 24 hours");
}

#[tokio::test]
async fn a_step_up_ends_by_its_own_clock() {
    let site = Site::new();
    let ada = site.browser(&app(&site)).with(site.stepped_up("ada").await);
    pass(&site, 59);
    assert_eq!(ada.get("/pin").await.status(), OK, "a second before Recent<60>");
    pass(&site, 1);
    assert_eq!(ada.get("/pin").await.status(), GONE, "at 60 seconds");
    assert_eq!(ada.post_form("/transfer", &[]).await.status(), OK, "Recent<300> still counts");
    pass(&site, 239);
    assert_eq!(ada.post_form("/transfer", &[]).await.status(), OK, "a second before 300");
    assert_eq!(ada.get("/me").await.text(), "ada (elevated) by pwd, otp");
    let jar_keeps_it = ada.stolen();
    pass(&site, 1);
    assert_eq!(jar_keeps_it.post_form("/transfer", &[]).await.status(), GONE, "at 300 seconds");
    assert_eq!(ada.get("/me").await.text(), "ada (authenticated) by pwd, otp");
}

#[tokio::test]
async fn a_fresh_sign_in_is_no_step_up() {
    let site = Site::new();
    let ada = site.browser(&app(&site));
    assert_eq!(ada.post_form("/login", &[("user", "ada")]).await.status(), StatusCode::SEE_OTHER);
    assert_eq!(ada.post_form("/transfer", &[]).await.status(), GONE);
    assert_eq!(ada.post_form("/step-up", &[]).await.status(), OK);
    assert_eq!(ada.post_form("/transfer", &[]).await.status(), OK);
}

#[tokio::test]
async fn a_session_nobody_presents_is_over_after_five_minutes() {
    for (seconds, status) in [(299, OK), (300, GONE)] {
        let site = Site::new();
        let ada = site.browser(&app(&site));
        ada.post_form("/login", &[("user", "ada")]).await;
        pass(&site, seconds);
        assert_eq!(ada.get("/me").await.status(), status, "{seconds}");
    }
}

#[tokio::test]
async fn a_token_rotates_when_it_is_due() {
    for (preset, due) in [(Policy::aal2(Site::ORIGIN), 900), (Policy::aal3(Site::ORIGIN), 300)] {
        let site = Site::with(preset.unwrap());
        let ada = ada_at(&site).await;
        pass(&site, due - 1);
        assert_eq!(ada.get("/me").await.header("set-cookie"), None, "a second before");
        pass(&site, 1);
        assert!(ada.get("/me").await.header("set-cookie").unwrap().starts_with("__Host-Http-id=cfoil1_"));
        assert_eq!(ada.get("/me").await.header("set-cookie"), None, "the successor is not replaced");
    }
}

#[tokio::test]
async fn parallel_tabs_and_lost_replies_end_in_the_same_two_tokens() {
    let site = Site::new();
    let ada = ada_at(&site).await;
    let lost = ada.stolen();
    pass(&site, 900);
    ada.get("/me").await;
    let successor = ada.cookie(ID);
    for _ in 0..3 {
        assert_eq!(lost.get("/me").await.status(), OK, "the reply with the successor was lost");
        assert_eq!(lost.cookie(ID), successor, "the same successor again");
    }
}

#[tokio::test]
async fn the_old_token_is_good_within_grace_and_theft_once_it_is_dead() {
    let site = Site::new();
    let ada = ada_at(&site).await;
    let thief = ada.stolen();
    let old = ada.cookie(ID).unwrap();
    pass(&site, 900);
    ada.get("/me").await; // gets the successor
    ada.get("/me").await; // uses it
    pass(&site, 65);
    let late = thief.stolen();
    assert_eq!(late.get("/me").await.status(), OK, "a request sent long ago, within grace");
    assert_eq!(late.cookie(ID).unwrap(), old, "and it displaces nothing");
    site.clock().advance(Duration::from_millis(1));
    ada.get("/me").await; // more than 65 seconds after its first use: the successor was surely received
    pass(&site, 65);
    assert_eq!(thief.stolen().get("/me").await.status(), OK, "at the predecessor's last moment");
    site.take_events();
    site.clock().advance(Duration::from_millis(1));
    assert_eq!(thief.get("/me").await.status(), GONE);
    let kinds: Vec<EventKind> = site.events().into_iter().map(|event| event.kind).collect();
    let ended = EventKind::SessionEnded { reason: EndReason::Reuse };
    assert_eq!(kinds, [EventKind::TokenReused { ended: true }, ended]);
    assert_eq!(ada.get("/me").await.status(), GONE, "the session ends for both");
    assert_eq!(thief.cookie(ID).unwrap(), old, "no cookie is cleared: the reply may overtake a newer one");
}

#[tokio::test]
async fn a_session_that_yields_to_a_newer_one_is_told() {
    let mut settings = PolicySettings::aal2(Site::ORIGIN);
    settings.sessions.limit = Some(1);
    let site = Site::with(Policy::try_from(settings).unwrap());
    let (first, second) = (ada_at(&site).await, ada_at(&site).await);
    first.get("/me").await;
    second.get("/me").await; // from its first use on it counts
    assert_eq!((first.get("/me").await.status(), second.get("/me").await.status()), (GONE, OK));
    let ended = EventKind::SessionEnded { reason: EndReason::Limit };
    assert_eq!(site.events().iter().filter(|event| event.kind == ended).count(), 1);
}

#[tokio::test]
async fn an_old_jar_after_a_crash_is_told_and_nothing_else_is() {
    let site = Site::new();
    let ada = ada_at(&site).await;
    let jar_before_the_crash = ada.stolen();
    pass(&site, 900);
    ada.get("/me").await; // gets the successor
    ada.get("/me").await; // uses it
    pass(&site, 66);
    let told = || site.events().iter().filter(|event| event.kind == EventKind::TokenRolledBack).count();
    assert_eq!(told(), 0, "an ordinary use is no news");
    assert_eq!(jar_before_the_crash.get("/me").await.status(), OK);
    assert_eq!(told(), 1);
}

#[tokio::test]
async fn reuse_is_only_told_where_the_policy_says_so() {
    let mut settings = PolicySettings::aal2(Site::ORIGIN);
    settings.sessions.on_reuse = counterfoil_core::policy::OnReuse::Report;
    let site = Site::with(Policy::try_from(settings).unwrap());
    let ada = ada_at(&site).await;
    let thief = ada.stolen();
    for pause in [900, 0, 66, 66] {
        pass(&site, pause);
        ada.get("/me").await;
    }
    assert_eq!(thief.get("/me").await.status(), GONE, "the dead token is refused");
    assert_eq!(ada.get("/me").await.status(), OK, "the session lives on");
    assert!(site.take_events().contains(&"token.reused"));
}

#[tokio::test]
async fn a_clock_that_steps_back_ends_nobody() {
    let site = Site::new();
    let ada = ada_at(&site).await;
    let start = counterfoil::Clock::now(site.clock());
    pass(&site, 1_000);
    assert_eq!(ada.get("/me").await.status(), OK);
    site.clock().set(start);
    assert_eq!(ada.get("/me").await.status(), OK);
}
