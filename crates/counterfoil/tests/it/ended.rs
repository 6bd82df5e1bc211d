//! Waiting for the end of one's session: every kind of end is noticed, and nobody else's.

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use counterfoil::testing::{Browser, Site};
use counterfoil::{EndReason, Policy, Session, Subject};
use futures_util::FutureExt as _;
use http::StatusCode;
use tokio::time::timeout;

use crate::app::app;

/// Longer than anything here may take, shorter than the hub's unasked looks.
const SOON: Duration = Duration::from_secs(5);

fn waiting_room(site: &Site) -> Router {
    let wait = Router::new().route("/wait", get(async |session: Session| session.ended().await));
    wait.layer(site.sessions().quiet()).merge(app(site))
}

/// Somebody waits for the end of ada's session; `end` ends it, and the wait is over.
async fn waits_until(end: impl AsyncFnOnce(&Site, &Browser)) {
    let site = Site::new();
    let app = waiting_room(&site);
    let ada = site.browser(&app).with(site.signed_in("ada").await);
    let waiting = {
        let ada = ada.clone();
        tokio::spawn(async move { ada.get("/wait").await.status() })
    };
    tokio::time::sleep(Duration::from_millis(30)).await;
    assert!(!waiting.is_finished(), "nothing has ended yet");
    end(&site, &ada).await;
    assert_eq!(timeout(SOON, waiting).await.unwrap().unwrap(), StatusCode::OK);
}

#[tokio::test]
async fn waiting_ends_when_somebody_signs_out() {
    waits_until(async |_, ada| assert!(ada.post_form("/logout", &[]).await.status().is_redirection())).await;
}

#[tokio::test]
async fn waiting_ends_when_another_session_ends_the_others() {
    waits_until(async |site, ada| {
        let other = ada.clone().with(site.signed_in("ada").await);
        assert!(other.post_form("/end-others", &[]).await.status().is_success());
    })
    .await;
}

#[tokio::test]
async fn waiting_ends_when_the_subject_is_ended() {
    waits_until(async |site, _| {
        site.engine().end_subject(&Subject::new("ada").unwrap(), EndReason::CredentialChanged).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn waiting_ends_when_all_are_ended() {
    waits_until(async |site, _| site.engine().end_all(EndReason::Admin).await.unwrap()).await;
}

#[tokio::test]
async fn waiting_ends_when_a_thief_is_found() {
    waits_until(async |site, ada| {
        let thief = ada.stolen();
        for pause in [900, 0, 66, 66] {
            site.clock().advance(Duration::from_secs(pause));
            ada.get("/me").await;
        }
        assert_eq!(thief.get("/me").await.status(), StatusCode::UNAUTHORIZED);
    })
    .await;
}

#[tokio::test]
async fn waiting_ends_at_the_idle_limit() {
    let site = Site::new();
    let ada = site.browser(&waiting_room(&site)).with(site.signed_in("ada").await);
    site.clock().advance(Duration::from_millis(3_600_000 - 50));
    let waiting = tokio::spawn(async move { ada.get("/wait").await.status() });
    tokio::time::sleep(Duration::from_millis(30)).await;
    assert!(!waiting.is_finished(), "50 ms before the limit");
    site.clock().advance(Duration::from_millis(50));
    assert_eq!(timeout(SOON, waiting).await.unwrap().unwrap(), StatusCode::OK);
}

#[tokio::test]
async fn waiting_outlives_other_peoples_ends() {
    let site = Site::new();
    let ada = site.browser(&waiting_room(&site)).with(site.signed_in("ada").await);
    let grace = site.browser(&app(&site)).with(site.signed_in("grace").await);
    let waiting = {
        let ada = ada.clone();
        tokio::spawn(async move { ada.get("/wait").await.status() })
    };
    tokio::time::sleep(Duration::from_millis(30)).await;
    grace.post_form("/logout", &[]).await;
    site.engine().end_subject(&Subject::new("grace").unwrap(), EndReason::Admin).await.unwrap();
    ada.post_form("/end-others", &[]).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!waiting.is_finished());
}

#[tokio::test]
async fn waiting_ends_at_once_where_nobody_is_signed_in() {
    let site = Site::new();
    let waited = timeout(SOON, site.browser(&waiting_room(&site)).get("/wait")).await;
    assert_eq!(waited.unwrap().status(), StatusCode::OK);
}

/// The store is watched before the session is looked at: nothing can end unseen in between.
#[tokio::test(flavor = "current_thread")]
async fn an_end_right_after_the_wait_began_is_noticed() {
    let site = Site::new();
    let ada = site.browser(&waiting_room(&site)).with(site.signed_in("ada").await);
    let mut waiting = std::pin::pin!(ada.get("/wait"));
    assert!(waiting.as_mut().now_or_never().is_none(), "polled once, and waits");
    // Nothing else ran meanwhile; a memory store answers without waiting.
    site.engine().end_all(EndReason::Admin).now_or_never().unwrap().unwrap();
    assert!(timeout(SOON, waiting).await.is_ok());
}

/// What a remembered user may do is less than what the stream was opened for.
#[tokio::test]
async fn waiting_ends_when_somebody_is_only_remembered_any_more() {
    let mut settings = counterfoil::PolicySettings::aal2(Site::ORIGIN);
    settings.timeouts.remember_for = Some("30days".parse().unwrap());
    let site = Site::with(Policy::try_from(settings).unwrap());
    let ada = site.browser(&waiting_room(&site));
    ada.post_form("/login", &[("user", "ada"), ("remember", "true")]).await;
    assert_eq!(ada.get("/me").await.status(), StatusCode::OK);
    site.clock().advance(Duration::from_millis(3_600_000 - 50));
    let waiting = {
        let ada = ada.clone();
        tokio::spawn(async move { ada.get("/wait").await.status() })
    };
    tokio::time::sleep(Duration::from_millis(30)).await;
    assert!(!waiting.is_finished());
    site.clock().advance(Duration::from_millis(50));
    assert!(timeout(SOON, waiting).await.is_ok());
}
