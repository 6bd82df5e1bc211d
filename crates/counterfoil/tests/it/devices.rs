//! The sessions of one person: seen, named, and nobody else's.

use counterfoil::testing::{Browser, Reply, Site};
use counterfoil_core::testing::{Fault, Verb};
use http::StatusCode;

use crate::app::app;

async fn at(site: &Site, subject: &str) -> Browser {
    site.browser(&app(site)).with(site.signed_in(subject).await)
}

async fn sid(browser: &Browser) -> String {
    browser.get("/sid").await.text().to_owned()
}

async fn renames(browser: &Browser, sid: &str, label: &str) -> Reply {
    browser.post_form("/rename", &[("sid", sid), ("label", label)]).await
}

#[tokio::test]
async fn a_device_gets_the_name_its_user_wants() {
    let site = Site::new();
    let (desk, phone) = (at(&site, "ada").await, at(&site, "ada").await);
    assert_eq!(renames(&desk, &sid(&desk).await, "  the desk ").await.text(), "true: Unknown browser, the desk");
    assert_eq!(renames(&desk, &sid(&phone).await, "<the phone>").await.text(), "true: <the phone>, the desk");
    assert_eq!(renames(&phone, &sid(&phone).await, "phone").await.text(), "true: phone, the desk");
    assert_eq!(desk.post_form("/count", &[]).await.text(), "1", "its session goes on");
}

#[tokio::test]
async fn nobody_names_somebody_elses_device_or_one_that_is_gone() {
    let site = Site::new();
    let (ada, grace, gone) = (at(&site, "ada").await, at(&site, "grace").await, at(&site, "ada").await);
    let past = sid(&gone).await;
    gone.post_form("/logout", &[]).await;
    for id in [sid(&grace).await, past] {
        assert_eq!(renames(&ada, &id, "mine").await.text(), "false: Unknown browser");
    }
    assert_eq!(renames(&grace, &sid(&grace).await, "hers").await.text(), "true: hers");
    assert_eq!(renames(&gone, &sid(&ada).await, "x").await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_name_that_could_not_be_stored_is_an_outage_and_not_a_name() {
    let site = Site::new();
    let ada = at(&site, "ada").await;
    let id = sid(&ada).await;
    site.faults().on(Verb::Commit, Fault::Before);
    assert_eq!(renames(&ada, &id, "lost").await.status(), StatusCode::SERVICE_UNAVAILABLE);
    site.faults().heal();
    assert_eq!(renames(&ada, &id, "kept").await.text(), "true: kept");
}
