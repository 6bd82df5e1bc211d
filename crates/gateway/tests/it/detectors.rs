//! The operator's own detector before decisions: what proxies are told while it speaks, and while it does not.

use counterfoil::detector::Outcome;
use counterfoil_core::seam::Denial;
use counterfoil_core::testing::Jar;
use counterfoil_gateway::app::{AppConfig, Proxy};
use counterfoil_gateway::rules::{Access, Rule, Rules};
use serde_json::json;

use crate::harness::{Asked, CONTRACTS, Site, app};
use crate::judge::Judge;

const ELSEWHERE: &str = "203.0.113.7";

/// `/bank/` is sensitive, the rest is not.
fn bank(proxy: Proxy) -> AppConfig {
    let rule = |path: &str| Rule::new(path.parse().unwrap(), Access::SignedIn);
    let sensitive = Rule { sensitive: true, ..rule("/bank/*") };
    AppConfig { rules: Rules::new(vec![sensitive, rule("/*")]), ..app(proxy, Access::SignedIn) }
}

/// Somebody who is known where they are, and whom nobody was asked about since.
async fn at_home(site: &Site, judge: &Judge) -> Jar {
    let ada = site.signed_in("ada").await;
    assert_eq!(site.ask(&Asked::get("/").cookies(&ada)).await.seen, 200);
    judge.asked();
    ada
}

fn from_elsewhere(path: &str, jar: &Jar) -> Asked {
    Asked { address: ELSEWHERE, ..Asked::get(path).cookies(jar) }
}

#[tokio::test]
async fn every_proxy_holds_back_whoever_the_detector_doubts_and_nobody_else() {
    for proxy in CONTRACTS {
        let judge = Judge::new().await;
        let site = Site::asking(bank(*proxy), judge.called_out(&json!({})));
        let ada = at_home(&site, &judge).await;
        judge.says("step_up");
        for _ in 0..3 {
            assert_eq!(site.ask(&Asked::get("/").cookies(&ada)).await.seen, 200, "{proxy:?}: where she always is");
        }
        assert!(judge.asked().is_empty(), "{proxy:?}: about which nobody is asked");
        for _ in 0..2 {
            let answered = site.ask(&from_elsewhere("/", &ada)).await;
            assert_eq!(answered.seen, 401, "{proxy:?}: {answered:?}");
            assert!(matches!(answered.denial, None | Some(Denial::StepUpRequired { .. })), "{answered:?}");
        }
        let sent = site.ask(&from_elsewhere("/a", &ada).navigation()).await;
        assert_eq!(sent.header("location"), Some("/.session/step-up?next=%2Fa"), "{proxy:?}");
        let asked = judge.asked();
        let [question] = asked.as_slice() else { panic!("{proxy:?}: once for each place: {asked:?}") };
        assert_eq!((&question["site"], &question["version"]), (&json!("shop"), &json!(1)));
        assert_eq!(question["asked_on"], json!(["new_context"]), "{proxy:?}");
        assert!(!question.to_string().contains(ELSEWHERE), "{question}");
        assert_eq!(site.ask(&Asked::get("/bank/").cookies(&ada)).await.seen, 200, "{proxy:?}: the owner goes on");
    }
}

#[tokio::test]
async fn a_session_that_the_detector_ends_is_over_for_everybody() {
    let judge = Judge::new().await;
    let site = Site::asking(bank(Proxy::Caddy), judge.called_out(&json!({})));
    let ada = at_home(&site, &judge).await;
    judge.says("revoke");
    assert_eq!(site.ask(&from_elsewhere("/", &ada)).await.denial, Some(Denial::SignInRequired));
    assert_eq!(site.ask(&Asked::get("/").cookies(&ada)).await.denial, Some(Denial::SignInRequired));
}

#[tokio::test]
async fn where_it_cannot_be_understood_what_is_configured_follows() {
    for (fail, sensitive) in [("open", 200), ("closed", 401)] {
        let judge = Judge::new().await;
        let site = Site::asking(bank(Proxy::Caddy), judge.called_out(&json!({ "fail": fail })));
        let ada = at_home(&site, &judge).await;
        judge.says("nonsense");
        assert_eq!(site.ask(&from_elsewhere("/", &ada)).await.seen, 200, "{fail}: reading goes on");
        assert_eq!(site.ask(&from_elsewhere("/bank/", &ada)).await.seen, sensitive, "{fail}");
        assert_eq!(site.ask(&Asked::get("/bank/").cookies(&ada)).await.seen, 200, "{fail}: at home");
        let failed = site.gateway.detector().unwrap().of(Outcome::Failed);
        assert_eq!(failed, if fail == "open" { 1 } else { 2 }, "asked again only where its silence matters");
    }
}
