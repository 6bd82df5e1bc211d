//! The sessions of one person: seen, named, and nobody else's.

use std::time::Duration;

use counterfoil::testing::{Browser, Reply, Site};
use counterfoil::{DeviceLabels, Policy, UserAgents};
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
    let desk = at(&site, "ada").await;
    site.clock().advance(Duration::from_secs(1)); // the newest is listed first
    let phone = at(&site, "ada").await;
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

/// Calls everything what its user agent says, if it says anything.
struct ByTheirWord;

impl DeviceLabels for ByTheirWord {
    fn label(&self, user_agent: &[u8], _: Option<&[u8]>) -> Option<String> {
        std::str::from_utf8(user_agent).ok().map(ToOwned::to_owned)
    }
}

#[tokio::test]
async fn a_label_is_a_name_that_can_be_seen_or_our_own() {
    let site = Site::built(Policy::aal2(Site::ORIGIN).unwrap(), |builder| builder.device_labels(ByTheirWord));
    let long = "x".repeat(65);
    #[rustfmt::skip]
    let rows = [
        ("Toaster/3",                "Toaster/3"),
        ("  Toaster/3  ",            "Toaster/3"),
        (long.as_str(),              "Unknown browser"),
        ("Firefox on\tX11; Linux",  "Firefox on Linux"),
    ];
    for (agent, expected) in rows {
        let somebody = site.browser(&app(&site)).with_header("user-agent", agent);
        somebody.post_form("/login", &[("user", "ada")]).await;
        let id = sid(&somebody).await;
        assert_eq!(somebody.get("/labels").await.text(), expected, "{agent:?}");
        assert_eq!(somebody.post_form("/logout", &[]).await.status(), StatusCode::SEE_OTHER, "{id}");
    }
}

#[tokio::test]
async fn the_data_of_others_knows_more_than_we_do() {
    let agents = UserAgents::new().unwrap();
    let site = Site::built(Policy::aal2(Site::ORIGIN).unwrap(), |builder| builder.device_labels(agents));
    for (agent, expected) in [
        (
            "Mozilla/5.0 (Linux; Android 15; SM-S931B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36",
            "Samsung Internet on Android",
        ),
        ("something nobody has heard of", "Unknown browser"),
    ] {
        let somebody = site.browser(&app(&site)).with_header("user-agent", agent);
        somebody.post_form("/login", &[("user", agent.split(' ').next().unwrap())]).await;
        somebody.get("/me").await;
        assert_eq!(somebody.get("/labels").await.text(), expected);
    }
}
