//! Devices with names of their own, words after a redirect, and a session that is about to end.

use crate::browser::{Browser, Demo};

async fn sid(browser: &mut Browser) -> String {
    browser.get("/me").await.json()["sid"].as_str().unwrap().to_owned()
}

async fn labels(browser: &mut Browser) -> Vec<String> {
    let devices = browser.get("/devices").await.json();
    devices["devices"].as_array().unwrap().iter().map(|device| device["label"].as_str().unwrap().to_owned()).collect()
}

async fn label_of(browser: &mut Browser, sid: &str) -> String {
    let devices = browser.get("/devices").await.json();
    let device = devices["devices"].as_array().unwrap().iter().find(|device| device["sid"] == sid).unwrap();
    device["label"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_device_is_renamed_and_shown_as_text() {
    let demo = Demo::test();
    let (mut ada, mut phone) = (demo.signed_in("ada").await, demo.signed_in("ada").await);
    phone.get("/me").await;
    assert_eq!(labels(&mut ada).await, ["Firefox on Linux", "Firefox on Linux"]);
    let id = sid(&mut phone).await;
    let reply = ada.post(&format!("/devices/{id}/rename"), &[("label", " <b>Phone</b> ")]).await;
    assert_eq!((reply.status.as_u16(), reply.body.as_str()), (200, r#"{"renamed":true}"#));
    assert_eq!(label_of(&mut ada, &id).await, "<b>Phone</b>");
    let page = ada.open("/devices").await.body;
    assert!(page.contains("&#60;b&#62;Phone") && !page.contains("<b>Phone"), "{page}");
    let action = format!("/devices/{id}/rename");
    let done = ada.fill_in("/devices", &action, &[("label", "Phone")]).await;
    assert_eq!((done.status.as_u16(), done.header("location")), (303, "/devices"));
    assert_eq!(label_of(&mut phone, &id).await, "Phone");
    assert_eq!(
        labels(&mut ada).await.iter().filter(|label| *label == "Firefox on Linux").count(),
        1,
        "the other is as it was"
    );
}

#[tokio::test]
async fn a_name_that_cannot_be_one_is_refused_and_so_is_somebody_elses_device() {
    let demo = Demo::test();
    let (mut ada, mut grace) = (demo.signed_in("ada").await, demo.signed_in("grace").await);
    let (own, hers) = (sid(&mut ada).await, sid(&mut grace).await);
    let long = "x".repeat(65);
    for label in ["", "  ", "two\nlines", "\u{202e}gpj", long.as_str()] {
        let action = format!("/devices/{own}/rename");
        assert_eq!(ada.post(&action, &[("label", label)]).await.status, 422, "{label:?}");
        let page = ada.fill_in("/devices", &action, &[("label", label)]).await;
        assert!(page.status == 422 && page.body.contains(r#"role="alert""#), "{label:?}: {page:?}");
    }
    for id in [hers.as_str(), "ses_x", "nonsense"] {
        assert_eq!(ada.post(&format!("/devices/{id}/rename"), &[("label", "mine")]).await.status, 404, "{id}");
    }
    assert_eq!(
        (labels(&mut ada).await, labels(&mut grace).await),
        (vec!["Firefox on Linux".to_owned()], vec!["Firefox on Linux".to_owned()])
    );
}

#[tokio::test]
async fn what_was_done_is_said_on_the_next_page_and_on_no_other() {
    let demo = Demo::test();
    let mut ada = demo.signed_in("ada").await;
    let fields = [("current", "ada-demo-1"), ("new", "a better one")];
    let done = ada.fill_in("/password", "/password", &fields).await;
    assert_eq!((done.status.as_u16(), done.header("location")), (303, "/devices"));
    ada.get("/me").await;
    let words = r#"<p class="flash" role="status">Your password is changed.</p>"#;
    assert!(ada.open("/devices").await.body.contains(words));
    assert!(!ada.open("/devices").await.body.contains("flash"));
}

#[tokio::test]
async fn a_session_near_its_idle_limit_offers_to_stay_without_a_script() {
    // A quarter of the limit, and at most five minutes, is near.
    let demo = Demo::start("--test-mode --idle 4s");
    let mut ada = demo.signed_in("ada").await;
    let fresh = ada.open("/session").await.body;
    assert!(!fresh.contains("Stay signed in"), "{fresh}");
    let offer = loop {
        let page = ada.open("/session").await;
        assert_eq!(page.status, 200, "asking is no activity, but it is not over yet");
        if page.body.contains("Stay signed in") {
            break page;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    let left = ada.get("/session").await.json()["expires_in"].as_u64().unwrap();
    assert!(left <= 1, "{left}");
    assert_eq!(offer.hidden_fields("/stay").last().unwrap(), &("next".to_owned(), "/session".to_owned()));
    let stays = ada.fill_in("/session", "/stay", &[]).await;
    assert_eq!((stays.status.as_u16(), stays.header("location")), (303, "/session"));
    let page = ada.open("/session").await.body;
    assert!(page.contains("You stay signed in.") && !page.contains("Stay signed in</button>"), "{page}");
    assert!(ada.get("/session").await.json()["expires_in"].as_u64().unwrap() > 2);
}

#[tokio::test]
async fn the_absolute_limit_is_said_as_such_and_leads_to_sign_in() {
    let demo = Demo::start("--test-mode --idle 4s --absolute 4s");
    let mut ada = demo.signed_in("ada").await;
    let page = loop {
        let page = ada.open("/devices").await;
        assert_eq!(page.status, 200, "it is not over yet");
        if page.body.contains("whatever you do") {
            break page.body;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    assert!(page.contains(r#"href="/login?next=%2Fdevices""#) && !page.contains("/stay"), "{page}");
}

#[tokio::test]
async fn strangers_have_no_session_to_keep() {
    let demo = Demo::test();
    let mut stranger = demo.browser();
    assert_eq!(stranger.get("/session").await.status, 401);
    assert_eq!(stranger.post("/stay", &[]).await.status, 401);
    assert_eq!(stranger.open("/session").await.header("location"), "/login?next=%2Fsession");
    assert_eq!(stranger.get("/totp").await.status, 401);
    assert_eq!(stranger.post("/devices/ses_x/rename", &[("label", "x")]).await.status, 401);
}
