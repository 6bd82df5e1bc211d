//! Two requests with one old cookie, answers that are lost, clients that hang up.

use std::time::Duration;

use counterfoil::testing::Verb;

use super::old::moving;
use super::{ID, NOBODY, OK, SID, ada_at};

#[tokio::test]
async fn two_tabs_at_once_end_in_one_session() {
    let (site, old) = moving(|adopt| adopt);
    let one = ada_at(&site, &old);
    let other = one.stolen();
    old.answers_together(2);
    let (first, second) = tokio::join!(one.get("/me"), other.get("/me"));
    assert_eq!((first.status(), second.status(), old.looks()), (OK, OK, 2));
    assert_eq!(one.cookie(ID), other.cookie(ID), "whichever answer comes last, the jar holds the same");
    assert_eq!((site.records(), old.sessions()), (1, 0));
    assert_eq!(site.take_events(), ["session.adopted"]);
    assert_eq!(one.get("/me").await.status(), OK);
}

#[tokio::test]
async fn a_tab_that_comes_when_the_old_session_is_gone_finds_the_new_one() {
    let (site, old) = moving(|adopt| adopt);
    let one = ada_at(&site, &old);
    let other = one.stolen();
    one.get("/me").await;
    assert_eq!((old.sessions(), other.get("/me").await.status()), (0, OK));
    assert_eq!((one.cookie(ID), old.looks()), (other.cookie(ID), 1));
}

#[tokio::test]
async fn a_lost_answer_loses_nothing_for_five_minutes() {
    for (seconds, status) in [(0, OK), (66, OK), (299, OK), (300, NOBODY)] {
        let (site, old) = moving(|adopt| adopt);
        let ada = ada_at(&site, &old);
        ada.stolen().get("/me").await;
        site.clock().advance(Duration::from_secs(seconds));
        assert_eq!(ada.get("/me").await.status(), status, "{seconds} s later");
        assert_eq!(site.records(), 1, "{seconds} s later");
        if status == OK {
            assert_eq!(ada.cookie(SID), None);
            assert_eq!(ada.get("/me").await.status(), OK, "{seconds} s later, with the token");
        }
    }
}

#[tokio::test]
async fn a_client_that_hangs_up_leaves_no_half_of_it() {
    let (site, old) = moving(|adopt| adopt);
    let ada = ada_at(&site, &old);
    site.faults().hold(Verb::Insert);
    let asked = {
        let ada = ada.stolen();
        tokio::spawn(async move { ada.get("/me").await })
    };
    until(|| site.faults().asked_for(Verb::Insert) == 1).await;
    asked.abort();
    assert!(asked.await.unwrap_err().is_cancelled());
    assert_eq!(old.sessions(), 1, "ours first");
    site.faults().heal();
    until(|| old.sessions() == 0).await;
    assert_eq!((ada.get("/me").await.status(), site.records()), (OK, 1));
}

#[tokio::test]
async fn everybody_signed_out_meanwhile_wins() {
    let (site, old) = moving(|adopt| adopt);
    let ada = ada_at(&site, &old);
    old.answers_together(2);
    let asked = {
        let ada = ada.clone();
        tokio::spawn(async move { ada.get("/me").await })
    };
    until(|| old.looks() == 1).await;
    site.engine().end_all(counterfoil::EndReason::Admin).await.unwrap();
    let other = site.browser(&crate::app::app(&site));
    other.put_cookie(SID, "nobody");
    other.get("/me").await;
    assert_eq!(asked.await.unwrap().status(), NOBODY);
    assert_eq!((old.sessions(), ada.cookie(ID)), (1, None));
}

async fn until(reached: impl Fn() -> bool) {
    while !reached() {
        tokio::task::yield_now().await;
    }
}
