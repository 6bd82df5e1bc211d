//! Routes with limits of their own: `SignedInWithin`, `ActiveWithin`, and what a step-up's challenge says.

use std::time::Duration;

use axum::{Router, routing::get};
use counterfoil::testing::{Browser, Site};
use counterfoil::{Denial, Policy, PolicySettings, Recent};
use http::StatusCode;

use crate::app::app;

const OK: StatusCode = StatusCode::OK;
const AGAIN: StatusCode = StatusCode::UNAUTHORIZED;

/// Its name, pauses and requests, and the answers.
type Row = (&'static str, &'static [(u64, &'static str)], &'static [StatusCode]);

async fn ada_at(site: &Site) -> Browser {
    site.browser(&app(site)).with(site.signed_in("ada").await)
}

async fn answers(ada: &Browser, site: &Site, steps: &[(u64, &str)]) -> Vec<StatusCode> {
    let mut statuses = Vec::new();
    for (pause, path) in steps {
        site.clock().advance(Duration::from_secs(*pause));
        statuses.push(match *path {
            "/login" => ada.post_form("/login", &[("user", "ada")]).await.status(),
            "/step-up" => ada.post_form("/step-up", &[]).await.status(),
            path => ada.get(path).await.status(),
        });
    }
    statuses
}

#[tokio::test]
async fn a_route_may_want_a_recent_sign_in_and_says_how_recent() {
    const IN: StatusCode = StatusCode::SEE_OTHER;
    #[rustfmt::skip]
    let rows: [Row; 5] = [
        ("a second before",              &[(599, "/settings")],                                             &[OK]),
        ("at its limit",                 &[(600, "/settings")],                                             &[AGAIN]),
        ("activity does not help",       &[(300, "/settings"), (300, "/settings"), (0, "/settings")],       &[OK, AGAIN, AGAIN]),
        ("a sign-in does",               &[(600, "/settings"), (0, "/login"), (0, "/me"), (599, "/settings"), (1, "/settings")], &[AGAIN, IN, OK, OK, AGAIN]),
        ("a step-up does",               &[(600, "/settings"), (0, "/step-up"), (599, "/settings"), (1, "/settings")], &[AGAIN, OK, OK, AGAIN]),
    ];
    for (name, steps, expected) in rows {
        let site = Site::new();
        let ada = ada_at(&site).await;
        assert_eq!(answers(&ada, &site, steps).await, expected, "{name}");
    }
}

#[tokio::test]
async fn a_route_may_have_an_idle_limit_of_its_own() {
    const IN: StatusCode = StatusCode::SEE_OTHER;
    #[rustfmt::skip]
    let rows: [Row; 13] = [
        ("a second before",                       &[(599, "/records")],                                          &[OK]),
        ("at its limit",                          &[(600, "/records")],                                          &[AGAIN]),
        ("activity there postpones it",           &[(599, "/records"), (599, "/records"), (599, "/records")],    &[OK, OK, OK]),
        ("and it still comes",                    &[(599, "/records"), (600, "/records")],                       &[OK, AGAIN]),
        ("within the touch step it may not",      &[(29, "/records"), (571, "/records")],                        &[OK, AGAIN]),
        ("at the touch step it does",             &[(30, "/records"), (599, "/records")],                        &[OK, OK]),
        ("asking again does not let anybody in",  &[(600, "/records"), (0, "/records"), (0, "/records")],        &[AGAIN, AGAIN, AGAIN]),
        ("nor does a look elsewhere",             &[(599, "/me"), (1, "/records")],                              &[OK, AGAIN]),
        ("nor polling",                           &[(300, "/records/poll"), (300, "/records")],                  &[OK, AGAIN]),
        ("the same demand is the same clock",     &[(599, "/records/old"), (599, "/archive"), (599, "/records")], &[OK, OK, OK]),
        ("another demand is another clock",       &[(59, "/ledger"), (59, "/records"), (1, "/ledger"), (481, "/records")], &[OK, OK, AGAIN, OK]),
        ("a sign-in lets in again",               &[(600, "/records"), (0, "/login"), (0, "/me"), (599, "/records")],        &[AGAIN, IN, OK, OK]),
        ("a step-up, too",                        &[(600, "/records"), (0, "/step-up"), (599, "/records")],      &[AGAIN, OK, OK]),
    ];
    for (name, steps, expected) in rows {
        let site = Site::new();
        let ada = ada_at(&site).await;
        assert_eq!(answers(&ada, &site, steps).await, expected, "{name}");
    }
}

#[tokio::test]
async fn who_asks_is_told_what_would_be_enough() {
    let site = Site::new();
    let ada = ada_at(&site).await;
    site.clock().advance(Duration::from_mins(10));
    for (path, max_age) in [("/settings", 600), ("/records", 600), ("/archive", 600), ("/ledger", 60)] {
        let fetched = ada.get(path).await;
        assert_eq!(fetched.denial(), Some(Denial::SignInAgain { max_age: Duration::from_secs(max_age) }), "{path}");
        let challenge = fetched.header("www-authenticate").unwrap();
        assert!(challenge.starts_with("Bearer error=\"insufficient_user_authentication\""), "{challenge}");
        assert!(challenge.ends_with(&format!("max_age=\"{max_age}\"")), "{challenge}");
        assert!(fetched.text().contains("urn:counterfoil:sign-in-again"), "{}", fetched.text());
        let navigated = ada.navigate(path).await;
        assert_eq!(navigated.status(), StatusCode::SEE_OTHER);
        assert_eq!(navigated.header("location"), Some(format!("/login?next=%2F{}", &path[1..]).as_str()));
    }
    assert_eq!(ada.get("/me").await.status(), OK, "the session goes on");
    assert!(site.take_events().contains(&"sign_in.required_again"));
}

#[tokio::test]
async fn nobody_and_the_remembered_sign_in_first() {
    let mut settings = PolicySettings::aal2(Site::ORIGIN);
    settings.timeouts.remember_for = Some("30days".parse().unwrap());
    let site = Site::with(Policy::try_from(settings).unwrap());
    let stranger = site.browser(&app(&site));
    let ada = site.browser(&app(&site));
    ada.post_form("/login", &[("user", "ada"), ("remember", "true")]).await;
    ada.get("/records").await;
    site.clock().advance(Duration::from_hours(1));
    for browser in [stranger, ada] {
        for path in ["/settings", "/records", "/archive"] {
            assert_eq!(browser.get(path).await.denial(), Some(Denial::SignInRequired), "{path}");
        }
    }
}

#[tokio::test]
async fn an_outage_lets_nobody_in_and_signs_nobody_out() {
    let site = Site::new();
    let ada = ada_at(&site).await;
    site.store_fails(true);
    for path in ["/settings", "/records"] {
        assert_eq!(ada.get(path).await.status(), StatusCode::SERVICE_UNAVAILABLE, "{path}");
    }
    site.store_fails(false);
    assert_eq!(answers(&ada, &site, &[(0, "/settings"), (0, "/records")]).await, [OK, OK]);
}

#[tokio::test]
async fn the_challenge_of_a_step_up_names_the_shorter_of_two_times() {
    #[rustfmt::skip]
    let rows = [
        //  elevated_for  the route with 60 s, with 300 s, with a year
        ("5m",            [60, 300, 300]),
        ("30s",           [30, 30, 30]),
        ("1h",            [60, 300, 3_600]),
    ];
    for (elevated_for, expected) in rows {
        let mut settings = PolicySettings::aal2(Site::ORIGIN);
        settings.timeouts.elevated_for = Some(elevated_for.parse().unwrap());
        let site = Site::with(Policy::try_from(settings).unwrap());
        let routes = Router::new()
            .route("/60", get(async |_: Recent<60>| ""))
            .route("/300", get(async |_: Recent<300>| ""))
            .route("/year", get(async |_: Recent<31_536_000>| ""))
            .layer(site.sessions());
        let ada = site.browser(&routes).with(site.signed_in("ada").await);
        for (path, max_age) in ["/60", "/300", "/year"].into_iter().zip(expected) {
            let refused = ada.get(path).await;
            let challenge = refused.header("www-authenticate").unwrap();
            assert!(challenge.ends_with(&format!(", max_age=\"{max_age}\"")), "{elevated_for} {path}: {challenge}");
        }
    }
}
