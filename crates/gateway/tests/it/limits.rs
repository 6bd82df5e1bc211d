//! Cross-site requests again and again: what proxies are told once there were too many, and who else is held back.

use counterfoil::{LimitSettings, Limiter};
use counterfoil_core::testing::Jar;

use crate::harness::{Asked, CONTRACTS, Site, shop};

/// As a page of somebody else's has a browser send it.
fn cross_site(jar: &Jar, address: &'static str) -> Asked {
    let asked = Asked::get("/members/").cookies(jar).header("origin", "https://elsewhere.example");
    Asked { method: "POST".to_owned(), address, ..asked }
}

#[tokio::test]
async fn whoever_is_refused_as_cross_site_too_often_is_told_when_to_come_back_and_nobody_else_is_held_back() {
    for proxy in CONTRACTS {
        // For which no time passes: a slow machine gets no further.
        let site = Site::limited(shop(*proxy), Limiter::at_a_standstill(LimitSettings::default()));
        let ada = site.signed_in("ada").await;
        for number in 0..60 {
            let answered = site.ask(&cross_site(&ada, "203.0.113.7")).await;
            assert_eq!(answered.seen, 403, "{proxy:?} {number}");
        }
        let answered = site.ask(&cross_site(&ada, "203.0.113.7")).await;
        assert_eq!(answered.seen, 429, "{proxy:?}: {answered:?}");
        assert!(answered.header("retry-after").is_some(), "{proxy:?}: {answered:?}");
        assert_eq!(site.ask(&cross_site(&ada, "198.51.100.7")).await.seen, 403, "{proxy:?}: from another address");
        let own = Asked { address: "203.0.113.7", ..Asked::get("/members/").cookies(&ada) };
        assert_eq!(site.ask(&own).await.seen, 200, "{proxy:?}: only what is refused anyway is held back");
        let text = site.gateway.meters().text().unwrap();
        for line in [
            r#"counterfoil_limits_hit_total{app="shop",act="csrf_failures",per="address"} 1"#,
            r#"counterfoil_csrf_denied_total{app="shop",reason="foreign_origin",enforced="true"} 62"#,
        ] {
            assert!(text.contains(line), "{proxy:?}: {line} in\n{text}");
        }
    }
}
