//! A store that does not answer, verb by verb, before and after the effect: 503, the cookie stays, nothing is created,
//! and the same cookie works again.

use counterfoil::testing::{Browser, Fault, Reply, Site, Verb};
use http::StatusCode;

use crate::app::{ELEVATED, ID, VISITOR, app};

const DOWN: StatusCode = StatusCode::SERVICE_UNAVAILABLE;
const OK: StatusCode = StatusCode::OK;
const BOTH: [Fault; 2] = [Fault::Before, Fault::After];

async fn ada_at(site: &Site) -> Browser {
    site.browser(&app(site)).with(site.signed_in("ada").await)
}

/// 503, with nothing in it that a client could lose its session by.
fn assert_down(reply: &Reply, what: &str) {
    assert_eq!(reply.status(), DOWN, "{what}");
    assert_eq!(reply.header("set-cookie"), None, "{what}");
    assert_eq!(reply.header("cache-control"), Some("no-store"), "{what}");
    assert!(reply.header("retry-after").is_some(), "{what}");
}

#[tokio::test]
async fn nobody_is_signed_out_by_an_outage_and_nobody_is_signed_in() {
    let site = Site::new();
    let (ada, stranger) = (ada_at(&site).await, site.browser(&app(&site)));
    let (cookie, records) = (ada.cookie(ID), site.records());
    site.store_fails(true);
    assert_down(&ada.get("/me").await, "fetch");
    assert_down(&ada.navigate("/me").await, "navigation");
    assert_down(&ada.get("/greet").await, "a public page that looks");
    assert_down(&ada.post_form("/note", &[("value", "x")]).await, "data");
    assert_down(&ada.post_form("/count", &[]).await, "an update");
    assert_down(&ada.post_form("/logout", &[]).await, "signing out");
    assert_down(&ada.post_form("/step-up", &[]).await, "stepping up");
    assert_down(&ada.post_form("/end-others", &[]).await, "ending others");
    assert_down(&ada.post_form("/login", &[("user", "ada")]).await, "signing in anew");
    assert_down(&stranger.post_form("/login", &[("user", "ada")]).await, "signing in");
    assert_down(&stranger.post_form("/count", &[]).await, "a stranger's first data");
    site.store_fails(false);
    assert_eq!((ada.cookie(ID), site.records()), (cookie, records));
    assert_eq!(ada.get("/me").await.text(), "ada (authenticated) by pwd", "the same cookie works again");
    assert_eq!(stranger.get("/greet").await.text(), "who are you?");
}

#[tokio::test]
async fn public_pages_answer_while_the_store_is_down() {
    let site = Site::new();
    let ada = ada_at(&site).await;
    site.store_fails(true);
    assert_eq!(ada.get("/").await.text(), "welcome");
    let page = ada.get("/form").await;
    assert_eq!((page.status(), page.text()), (OK, ""), "a form appears, though without its token");
}

#[tokio::test]
async fn a_load_that_fails_changes_nothing() {
    for fault in BOTH {
        let site = Site::new();
        let ada = ada_at(&site).await;
        site.faults().on(Verb::Load, fault);
        assert_down(&ada.get("/me").await, "load");
        site.faults().heal();
        assert_eq!(ada.get("/me").await.status(), OK);
    }
}

#[tokio::test]
async fn data_that_could_not_be_written_is_said_not_to_be() {
    for (fault, stored) in [(Fault::Before, ""), (Fault::After, "x")] {
        let site = Site::new();
        let ada = ada_at(&site).await;
        site.faults().on(Verb::Commit, fault);
        assert_down(&ada.post_form("/note", &[("value", "x")]).await, "commit");
        site.faults().heal();
        // After the effect, the answer was lost: the client was told to try again, and may.
        assert_eq!(ada.get("/note").await.text(), stored, "{fault:?}");
        assert_eq!(ada.post_form("/note", &[("value", "y")]).await.status(), OK);
        assert_eq!(ada.get("/note").await.text(), "y");
    }
}

#[tokio::test]
async fn a_rotation_that_fails_is_no_loss() {
    for fault in BOTH {
        let site = Site::new();
        let ada = ada_at(&site).await;
        let old = ada.cookie(ID);
        site.clock().advance(std::time::Duration::from_mins(15));
        site.faults().on(Verb::Commit, fault);
        let reply = ada.get("/me").await;
        assert_eq!((reply.status(), reply.header("set-cookie")), (OK, None), "{fault:?}");
        site.faults().heal();
        assert_eq!(ada.get("/me").await.status(), OK, "{fault:?}");
        assert_ne!(ada.cookie(ID), old, "the successor comes with the next reply: {fault:?}");
        assert_eq!(ada.get("/me").await.status(), OK, "and is good: {fault:?}");
    }
}

#[tokio::test]
async fn a_first_use_that_cannot_be_written_does_not_count_yet() {
    for fault in BOTH {
        let site = Site::new();
        let ada = site.browser(&app(&site));
        ada.post_form("/login", &[("user", "ada")]).await;
        site.faults().on(Verb::Commit, fault);
        assert_down(&ada.get("/me").await, "first use");
        site.faults().heal();
        assert_eq!(ada.get("/me").await.status(), OK, "{fault:?}");
    }
}

#[tokio::test]
async fn a_sign_in_that_fails_signs_nobody_in() {
    for (verb, fault) in [
        (Verb::Epochs, Fault::Before),
        (Verb::Epochs, Fault::After),
        (Verb::Insert, Fault::Before),
        (Verb::Insert, Fault::After),
    ] {
        let site = Site::new();
        let ada = site.browser(&app(&site));
        site.faults().on(verb, fault);
        assert_down(&ada.post_form("/login", &[("user", "ada")]).await, "signing in");
        site.faults().heal();
        assert_eq!(ada.get("/greet").await.text(), "who are you?");
        // What was stored before the answer was lost has a token that nobody knows: it is listed nowhere.
        let again = ada.post_form("/login", &[("user", "ada")]).await;
        assert_eq!(again.status(), StatusCode::SEE_OTHER);
        assert_eq!(ada.get("/devices").await.text(), "1", "{verb:?} {fault:?}");
    }
}

#[tokio::test]
async fn a_visitor_whose_sign_in_fails_stays_a_visitor() {
    for (fault, still_there) in [(Fault::Before, "1 "), (Fault::After, "0 ")] {
        let site = Site::new();
        let visitor = site.browser(&app(&site));
        visitor.post_form("/count", &[]).await;
        site.faults().on(Verb::Replace, fault);
        assert_down(&visitor.post_form("/login", &[("user", "ada")]).await, "signing in");
        site.faults().heal();
        assert!(visitor.cookie(VISITOR).is_some() && visitor.cookie(ID).is_none());
        assert_eq!(visitor.get("/greet").await.text(), "who are you?");
        // After the effect, the visitor's session was replaced; what it held was not portable and is gone with it.
        assert_eq!(visitor.get("/kept").await.text(), still_there, "{fault:?}");
        assert_eq!(visitor.post_form("/login", &[("user", "ada")]).await.status(), StatusCode::SEE_OTHER);
        assert_eq!(visitor.get("/me").await.status(), OK);
    }
}

#[tokio::test]
async fn a_sign_out_that_fails_says_so_and_can_be_repeated() {
    for (fault, afterwards) in [(Fault::Before, OK), (Fault::After, StatusCode::UNAUTHORIZED)] {
        let site = Site::new();
        let ada = ada_at(&site).await;
        site.faults().on(Verb::End, fault);
        assert_down(&ada.post_form("/logout", &[]).await, "signing out");
        assert!(ada.cookie(ID).is_some(), "the cookie stays, so that the user can try again");
        site.faults().heal();
        assert_eq!(ada.get("/me").await.status(), afterwards, "{fault:?}");
        assert_eq!(ada.post_form("/logout", &[]).await.status(), StatusCode::SEE_OTHER);
        assert_eq!(ada.cookie(ID), None, "{fault:?}");
    }
}

#[tokio::test]
async fn a_step_up_that_fails_leaves_the_session_usable() {
    for fault in BOTH {
        let site = Site::new();
        let ada = ada_at(&site).await;
        site.faults().on(Verb::Commit, fault);
        assert_down(&ada.post_form("/step-up", &[]).await, "stepping up");
        assert_eq!(ada.cookie(ELEVATED), None);
        site.faults().heal();
        assert_eq!(ada.post_form("/transfer", &[]).await.status(), StatusCode::UNAUTHORIZED, "{fault:?}");
        assert_eq!(ada.get("/me").await.status(), OK, "{fault:?}");
        assert_eq!(ada.post_form("/step-up", &[]).await.status(), OK);
        assert_eq!(ada.post_form("/transfer", &[]).await.status(), OK, "{fault:?}");
    }
}

#[tokio::test]
async fn ending_others_either_happened_or_can_be_repeated() {
    for (fault, others) in [(Fault::Before, OK), (Fault::After, StatusCode::UNAUTHORIZED)] {
        let site = Site::new();
        let (ada, other) = (ada_at(&site).await, ada_at(&site).await);
        site.faults().on(Verb::EndSubject, fault);
        assert_down(&ada.post_form("/end-others", &[]).await, "ending others");
        site.faults().heal();
        assert_eq!((ada.get("/me").await.status(), other.get("/me").await.status()), (OK, others), "{fault:?}");
        assert_eq!(ada.post_form("/end-others", &[]).await.status(), OK);
        assert_eq!(other.get("/me").await.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(ada.get("/me").await.status(), OK, "one's own session is spared");
    }
}

#[tokio::test]
async fn a_half_done_sign_in_survives_an_outage() {
    let site = Site::new();
    let ada = site.browser(&app(&site));
    assert_eq!(ada.post_form("/login/1", &[("user", "ada")]).await.status(), StatusCode::ACCEPTED);
    site.store_fails(true);
    assert_down(&ada.post_form("/login/2", &[]).await, "the second factor");
    site.store_fails(false);
    assert_eq!(ada.get("/greet").await.text(), "who are you?", "one of two factors is nobody");
    assert_eq!(ada.post_form("/login/2", &[]).await.status(), OK);
    assert_eq!(ada.get("/me").await.text(), "ada (authenticated) by pwd, otp");
}
