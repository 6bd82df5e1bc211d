//! Either store does not answer: 503 where somebody asks who it is, and nothing is lost.

use counterfoil::testing::{Fault, Verb};
use http::StatusCode;

use super::old::moving;
use super::{ID, OK, SID, ada_at};

const DOWN: StatusCode = StatusCode::SERVICE_UNAVAILABLE;

#[tokio::test]
async fn while_the_old_store_is_down_nobody_is_signed_out_by_it() {
    let (site, old) = moving(|adopt| adopt);
    let ada = ada_at(&site, &old);
    old.is_down(true);
    for path in ["/me", "/greet"] {
        let reply = ada.get(path).await;
        assert_eq!((reply.status(), reply.header("set-cookie")), (DOWN, None), "{path}");
    }
    assert_eq!(ada.get("/").await.status(), OK, "a page that does not ask goes on");
    let stranger = site.browser(&crate::app::app(&site));
    assert_eq!(stranger.get("/greet").await.text(), "who are you?", "nor does it concern those who were never there");
    old.is_down(false);
    assert_eq!(ada.get("/me").await.status(), OK);
}

#[tokio::test]
async fn while_our_store_is_down_the_old_session_stays() {
    for verb in [Verb::Resolve, Verb::Epochs, Verb::Insert] {
        for fault in [Fault::Before, Fault::After] {
            let (site, old) = moving(|adopt| adopt);
            let ada = ada_at(&site, &old);
            site.faults().on(verb, fault);
            let reply = ada.get("/me").await;
            assert_eq!((reply.status(), reply.header("set-cookie")), (DOWN, None), "{verb:?} {fault:?}");
            assert_eq!(old.sessions(), 1, "{verb:?} {fault:?}");
            site.faults().heal();
            assert_eq!(ada.get("/me").await.status(), OK, "{verb:?} {fault:?}");
            assert_eq!((ada.cookie(SID), ada.cookie(ID).is_some()), (None, true), "{verb:?} {fault:?}");
            assert_eq!((ada.get("/me").await.status(), site.records()), (OK, 1), "{verb:?} {fault:?}");
        }
    }
}

#[tokio::test]
async fn an_old_session_that_cannot_be_ended_is_adopted_all_the_same() {
    let (site, old) = moving(|adopt| adopt);
    let ada = ada_at(&site, &old);
    old.cannot_be_ended();
    assert_eq!((ada.get("/me").await.status(), ada.get("/me").await.status()), (OK, OK));
    assert_eq!((old.sessions(), ada.cookie(SID)), (1, None));
}
