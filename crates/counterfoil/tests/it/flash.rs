//! Words for the next page: kept in a session, carried by the address for strangers, shown once, never made up.

use std::time::Duration;

use counterfoil::testing::{Browser, Site};
use counterfoil_core::testing::{Fault, Verb};
use http::StatusCode;

use crate::app::{VISITOR, app};

async fn says(browser: &Browser, words: &str, to: &str) -> String {
    let reply = browser.post_form("/say", &[("value", words), ("to", to)]).await;
    assert_eq!(reply.status(), StatusCode::SEE_OTHER, "{}", reply.text());
    reply.header("location").unwrap().to_owned()
}

#[tokio::test]
async fn in_a_session_exactly_one_following_page_shows_them() {
    let site = Site::new();
    let ada = site.browser(&app(&site)).with(site.signed_in("ada").await);
    assert_eq!(says(&ada, "saved", "/heard").await, "/heard");
    assert_eq!(ada.get("/me").await.status(), StatusCode::OK, "a page that does not take them leaves them");
    assert_eq!(ada.get("/heard").await.text(), "saved");
    assert_eq!(ada.get("/heard").await.text(), "");
}

#[tokio::test]
async fn several_are_shown_in_order_and_only_the_last_few_are_kept() {
    let site = Site::new();
    let ada = site.browser(&app(&site)).with(site.signed_in("ada").await);
    for number in 1..=6 {
        says(&ada, &number.to_string(), "/").await;
    }
    assert_eq!(ada.get("/heard").await.text(), "3|4|5|6");
}

#[tokio::test]
async fn of_two_pages_at_once_one_gets_them() {
    let site = Site::new();
    let ada = site.browser(&app(&site)).with(site.signed_in("ada").await);
    says(&ada, "saved", "/heard").await;
    // Both pages see the words before either has taken them.
    site.faults().hold(Verb::Commit);
    let pages = [ada.stolen(), ada.stolen()]
        .map(|page| tokio::spawn(async move { page.get("/heard").await.text().to_owned() }));
    while site.faults().asked_for(Verb::Commit) < 3 {
        tokio::task::yield_now().await;
    }
    site.faults().heal();
    let mut heard = Vec::new();
    for page in pages {
        heard.push(page.await.unwrap());
    }
    heard.sort();
    assert_eq!(heard, ["", "saved"]);
}

#[tokio::test]
async fn a_stranger_costs_nothing_and_hears_them_all_the_same() {
    let site = Site::new();
    let stranger = site.browser(&app(&site));
    let address = says(&stranger, "signed out & gone", "/heard").await;
    assert!(address.starts_with("/heard?said="), "{address}");
    let page = stranger.get(&address).await;
    assert_eq!((page.text(), page.header("set-cookie")), ("signed out & gone", None));
    assert_eq!((site.records(), stranger.cookie(VISITOR)), (0, None));
    assert_eq!(stranger.get("/heard").await.text(), "");
    site.clock().advance(Duration::from_secs(59));
    assert_eq!(stranger.get(&address).await.text(), "signed out & gone", "a reload within a minute");
    site.clock().advance(Duration::from_secs(1));
    assert_eq!(stranger.get(&address).await.text(), "", "at a minute");
}

#[tokio::test]
async fn who_signs_out_hears_it_as_a_stranger() {
    let site = Site::new();
    let ada = site.browser(&app(&site)).with(site.signed_in("ada").await);
    let reply = ada.post_form("/say", &[("value", "bye"), ("to", "/heard"), ("first", "sign_out")]).await;
    assert!(reply.header("set-cookie").unwrap().contains("Max-Age=0"));
    let address = reply.header("location").unwrap();
    assert_eq!(ada.get(address).await.text(), "bye");
}

#[tokio::test]
async fn a_visitor_with_a_record_keeps_them_there() {
    let site = Site::new();
    let visitor = site.browser(&app(&site));
    visitor.post_form("/count", &[]).await;
    assert_eq!(says(&visitor, "counted", "/heard").await, "/heard");
    assert_eq!((visitor.get("/heard").await.text(), site.records()), ("counted", 1));
}

#[tokio::test]
async fn words_in_an_address_cannot_be_made_up_or_changed() {
    let site = Site::new();
    let stranger = site.browser(&app(&site));
    let address = says(&stranger, "call 0123", "/heard").await;
    let sealed = address.split_once('=').unwrap().1;
    for position in 0..sealed.len() {
        let mut changed = sealed.as_bytes().to_vec();
        changed[position] = if changed[position] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        let heard = stranger.get(&format!("/heard?said={changed}")).await;
        assert!(heard.text().is_empty() || changed.len() == position + 1, "{position}: {}", heard.text());
    }
    for made_up in ["", "hello", "%00", "A", &"A".repeat(4_000), "call%200123", "%ff", &sealed[..sealed.len() - 4]] {
        assert_eq!(stranger.get(&format!("/heard?said={made_up}")).await.text(), "", "{made_up:.20}");
    }
    let elsewhere = Site::new();
    assert_eq!(elsewhere.browser(&app(&elsewhere)).get(&address).await.text(), "", "other keys");
}

#[tokio::test]
async fn they_follow_the_way_back_and_lead_to_no_other_site() {
    let site = Site::new();
    let stranger = site.browser(&app(&site));
    #[rustfmt::skip]
    let rows = [
        ("/heard?page=2",         "/heard?page=2&said="),
        ("/heard#top",            "/heard?said="),
        ("https://evil.example",  "/?said="),
        ("//evil.example",        "/?said="),
    ];
    for (to, expected) in rows {
        let address = says(&stranger, "hi", to).await;
        assert!(address.starts_with(expected), "{to}: {address}");
        assert_eq!(address.ends_with("#top"), to.ends_with("#top"), "{address}");
    }
}

#[tokio::test]
async fn too_many_words_are_refused_and_an_outage_is_503() {
    let site = Site::new();
    let ada = site.browser(&app(&site)).with(site.signed_in("ada").await);
    let long = "x".repeat(513);
    assert_eq!(
        ada.post_form("/say", &[("value", &long), ("to", "/")]).await.status(),
        StatusCode::INTERNAL_SERVER_ERROR
    );
    says(&ada, &long[..512], "/heard").await;
    site.faults().on(Verb::Commit, Fault::Before);
    assert_eq!(ada.get("/heard").await.status(), StatusCode::SERVICE_UNAVAILABLE);
    site.faults().heal();
    assert_eq!(ada.get("/heard").await.text().len(), 512, "nothing was lost");
}
