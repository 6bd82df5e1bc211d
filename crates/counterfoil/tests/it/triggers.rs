//! What becomes of sessions when the account behind them changes: reactions, races, and a store that fails half-way.

use std::sync::Arc;
use std::time::Duration;

use axum::{Router, routing::post};
use counterfoil::testing::{Browser, Reply, Site};
use counterfoil::{EventKind, Policy, Reaction, Session, Subject, Trigger, policy_from_toml};
use counterfoil_core::testing::{Fault, Verb};
use http::StatusCode;

use crate::app::{ID, app};

const OK: StatusCode = StatusCode::OK;
const IN: StatusCode = StatusCode::SEE_OTHER;
const OUT: StatusCode = StatusCode::UNAUTHORIZED;

async fn ada_at(site: &Site) -> Browser {
    site.browser(&app(site)).with(site.stepped_up("ada").await)
}

async fn pulls(ada: &Browser, trigger: Trigger) -> Reply {
    ada.post_form("/trigger", &[("trigger", trigger.as_str())]).await
}

async fn both(one: &Browser, other: &Browser, path: &str) -> [StatusCode; 2] {
    [one.get(path).await.status(), other.get(path).await.status()]
}

fn policy(triggers: &str) -> Policy {
    policy_from_toml(&format!(
        "origins = [\"{}\"]\n[danger]\nweak_reactions = true\n[triggers]\n{triggers}",
        Site::ORIGIN
    ))
    .unwrap()
}

#[tokio::test]
async fn each_trigger_does_what_its_default_says_and_tells_it() {
    #[rustfmt::skip]
    let rows = [
        //  trigger                     reaction             signed in: this, other   stepped up: this, other
        (Trigger::PasswordChanged,    Reaction::EndOthers, [OK, OUT],               [OK, OUT]),
        (Trigger::PasswordReset,      Reaction::EndAll,    [OUT, OUT],              [OUT, OUT]),
        (Trigger::EmailChanged,       Reaction::StepUp,    [OK, OK],                [OUT, OK]),
        (Trigger::MfaChanged,         Reaction::EndOthers, [OK, OUT],               [OK, OUT]),
        (Trigger::RoleChanged,        Reaction::Rotate,    [OK, OK],                [OK, OK]),
        (Trigger::AccountDisabled,    Reaction::EndAll,    [OUT, OUT],              [OUT, OUT]),
    ];
    for (trigger, reaction, signed_in, stepped_up) in rows {
        let name = trigger.as_str();
        let site = Site::new();
        let (ada, elsewhere) = (ada_at(&site).await, ada_at(&site).await);
        let grace = site.browser(&app(&site)).with(site.signed_in("grace").await);
        site.take_events();
        let reply = pulls(&ada, trigger).await;
        assert_eq!((reply.status(), reply.text()), (OK, reaction.as_str()), "{name}");
        assert!(
            site.events().iter().any(|event| event.kind == EventKind::AccountChanged { trigger, reaction }),
            "{name}"
        );
        assert_eq!(both(&ada, &elsewhere, "/me").await, signed_in, "{name}");
        assert_eq!(both(&ada, &elsewhere, "/transfer").await, stepped_up, "{name}");
        assert_eq!(grace.get("/me").await.status(), OK, "{name}: nobody else is concerned");
    }
}

#[tokio::test]
async fn the_policy_says_which_reaction_follows() {
    for (reaction, signed_in) in [("end_all", OUT), ("end_others", OK), ("rotate", OK), ("step_up", OK)] {
        let site = Site::with(policy(&format!("password_changed = \"{reaction}\"")));
        let (ada, elsewhere) = (ada_at(&site).await, ada_at(&site).await);
        assert_eq!(pulls(&ada, Trigger::PasswordChanged).await.text(), reaction);
        let others_go_on = matches!(reaction, "rotate" | "step_up");
        let expected = [signed_in, if others_go_on { OK } else { OUT }];
        assert_eq!(both(&ada, &elsewhere, "/me").await, expected, "{reaction}");
    }
}

#[tokio::test]
async fn where_no_session_asks_all_end_whatever_the_policy_says() {
    for trigger in Trigger::ALL {
        let site = Site::new();
        let (ada, elsewhere) = (ada_at(&site).await, ada_at(&site).await);
        let done = site.trigger(&Subject::new("ada").unwrap(), trigger).await.unwrap();
        assert_eq!(done, Reaction::EndAll, "{}", trigger.as_str());
        assert_eq!(both(&ada, &elsewhere, "/me").await, [OUT, OUT], "{}", trigger.as_str());
        let new = site.browser(&app(&site));
        assert_eq!(
            new.post_form("/login", &[("user", "ada")]).await.status(),
            IN,
            "whoever may sign in is not our word"
        );
    }
}

#[tokio::test]
async fn another_persons_session_is_neither_spared_nor_touched() {
    for trigger in Trigger::ALL {
        let site = Site::new();
        let (ada, grace) = (ada_at(&site).await, site.browser(&app(&site)).with(site.stepped_up("grace").await));
        let operator = grace.get("/sid").await.text().parse().unwrap();
        site.engine().trigger(&Subject::new("ada").unwrap(), trigger, Some(operator)).await.unwrap();
        assert_eq!(both(&grace, &grace, "/transfer").await, [OK, OK], "{}", trigger.as_str());
        let ends = !matches!(trigger.reaction(), Reaction::Rotate | Reaction::StepUp);
        assert_eq!(ada.get("/me").await.status(), if ends { OUT } else { OK }, "{}", trigger.as_str());
    }
}

#[tokio::test]
async fn nobody_pulls_a_trigger_who_is_not_signed_in() {
    let site = Site::new();
    let stranger = site.browser(&app(&site));
    assert_eq!(pulls(&stranger, Trigger::PasswordChanged).await.status(), OUT);
}

#[tokio::test]
async fn ending_all_takes_ones_own_cookie_along() {
    let site = Site::new();
    let ada = ada_at(&site).await;
    let reply = pulls(&ada, Trigger::AccountDisabled).await;
    let removal = reply.header("set-cookie").unwrap();
    assert!(removal.starts_with("__Host-Http-id=;") && removal.contains("Max-Age=0"), "{removal}");
    assert_eq!(ada.cookie(ID), None);
}

#[tokio::test]
async fn what_was_set_before_and_after_is_kept_unless_the_session_ended() {
    for (trigger, kept) in
        [(Trigger::PasswordChanged, "after"), (Trigger::EmailChanged, "after"), (Trigger::RoleChanged, "after")]
    {
        let site = Site::new();
        let ada = ada_at(&site).await;
        let reply = ada.post_form("/trigger", &[("trigger", trigger.as_str()), ("note", "after")]).await;
        assert_eq!(reply.status(), OK, "{}: {}", trigger.as_str(), reply.text());
        assert_eq!(ada.get("/note").await.text(), kept, "{}", trigger.as_str());
    }
}

#[tokio::test]
async fn a_sign_in_under_way_is_overtaken_by_what_ends_sessions() {
    #[rustfmt::skip]
    let rows = [
        (Trigger::PasswordChanged, StatusCode::CONFLICT),
        (Trigger::AccountDisabled, StatusCode::CONFLICT),
        (Trigger::RoleChanged,     OK),
        (Trigger::EmailChanged,    OK),
    ];
    for (trigger, expected) in rows {
        let site = Site::new();
        let (ada, half_in) = (ada_at(&site).await, site.browser(&app(&site)));
        half_in.post_form("/login/1", &[("user", "ada")]).await;
        pulls(&ada, trigger).await;
        assert_eq!(half_in.post_form("/login/2", &[]).await.status(), expected, "{}", trigger.as_str());
        assert_eq!(half_in.get("/me").await.status(), if expected == OK { OK } else { OUT }, "{}", trigger.as_str());
    }
}

#[tokio::test]
async fn the_first_token_rotates_at_once_and_signs_no_tab_out() {
    let site = Site::new();
    let ada = site.browser(&app(&site)).with(site.signed_in("ada").await);
    let tab = ada.stolen();
    let reply = pulls(&ada, Trigger::RoleChanged).await;
    assert!(reply.header("set-cookie").unwrap().starts_with("__Host-Http-id=cfoil1_"), "with this very answer");
    assert_ne!(ada.cookie(ID), tab.cookie(ID));
    assert_eq!(tab.get("/me").await.status(), OK, "its request was under way");
    assert_eq!(tab.cookie(ID), ada.cookie(ID), "both end in the same token");
}

#[tokio::test]
async fn a_later_token_rotates_when_it_is_due_and_not_before() {
    let site = Site::new();
    let ada = site.browser(&app(&site)).with(site.signed_in("ada").await);
    for pause in [900, 0, 66, 66] {
        site.clock().advance(Duration::from_secs(pause));
        ada.get("/me").await;
    }
    let second = ada.cookie(ID);
    assert_eq!(pulls(&ada, Trigger::RoleChanged).await.header("set-cookie"), None, "it may be in an answer under way");
    site.clock().advance(Duration::from_secs(898));
    ada.get("/me").await;
    assert_eq!(ada.cookie(ID), second);
    site.clock().advance(Duration::from_secs(2));
    ada.get("/me").await;
    assert_ne!(ada.cookie(ID), second);
}

#[tokio::test]
async fn a_trigger_beside_a_rotation_does_not_disturb_it() {
    let site = Site::new();
    let ada = site.browser(&app(&site)).with(site.signed_in("ada").await);
    let tab = ada.stolen();
    site.clock().advance(Duration::from_mins(15));
    ada.get("/me").await; // the successor is made
    let successor = ada.cookie(ID);
    for trigger in [Trigger::RoleChanged, Trigger::EmailChanged, Trigger::PasswordChanged] {
        assert_eq!(pulls(&tab, trigger).await.status(), OK);
        assert_eq!(tab.cookie(ID), successor, "the same successor, given again");
    }
    assert_eq!(both(&ada, &tab, "/me").await, [OK, OK]);
}

#[tokio::test]
async fn a_withdrawn_step_up_is_granted_anew_by_the_next_one() {
    let site = Site::new();
    let ada = ada_at(&site).await;
    assert_eq!(ada.get("/me").await.text(), "ada (elevated) by pwd, otp");
    let copy = ada.stolen();
    pulls(&ada, Trigger::EmailChanged).await;
    assert_eq!(ada.get("/me").await.text(), "ada (authenticated) by pwd, otp");
    assert_eq!(both(&ada, &copy, "/transfer").await, [OUT, OUT], "also for a copy of its cookie");
    ada.post_form("/step-up", &[]).await;
    assert_eq!(both(&ada, &copy, "/transfer").await, [OK, OUT]);
}

#[tokio::test]
async fn a_store_that_fails_is_503_and_what_was_not_done_can_be_done_again() {
    #[rustfmt::skip]
    let rows = [
        (Trigger::PasswordChanged, Verb::EndSubject, OUT, OK),
        (Trigger::AccountDisabled, Verb::EndSubject, OUT, OUT),
        (Trigger::EmailChanged,    Verb::Commit,     OK,  OUT),
        (Trigger::EmailChanged,    Verb::Load,       OK,  OUT),
    ];
    for (trigger, verb, other, elevated) in rows {
        let name = format!("{} {verb:?}", trigger.as_str());
        let site = Site::new();
        let (ada, elsewhere) = (ada_at(&site).await, ada_at(&site).await);
        site.faults().on(verb, Fault::Before);
        assert_eq!(pulls(&ada, trigger).await.status(), StatusCode::SERVICE_UNAVAILABLE, "{name}");
        site.faults().heal();
        assert_eq!(both(&ada, &elsewhere, "/transfer").await, [OK, OK], "{name}: nothing was done");
        assert_eq!(pulls(&ada, trigger).await.status(), OK, "{name}");
        assert_eq!(
            [elsewhere.get("/me").await.status(), ada.get("/transfer").await.status()],
            [other, elevated],
            "{name}"
        );
    }
}

#[tokio::test]
async fn what_was_done_is_said_to_be_done_though_the_store_fails_right_after() {
    let site = Arc::new(Site::new());
    let elsewhere = ada_at(&site).await;
    let failing = Arc::clone(&site);
    let handler = async move |session: Session| {
        failing.faults().on(Verb::Load, Fault::Before);
        session.trigger(Trigger::PasswordChanged).await.map(Reaction::as_str)
    };
    let routes = app(&site).merge(Router::new().route("/change", post(handler)).layer(site.sessions()));
    let ada = site.browser(&routes).with(site.signed_in("ada").await);
    let reply = ada.post_form("/change", &[]).await;
    assert_eq!((reply.status(), reply.text()), (OK, "end_others"));
    site.faults().heal();
    assert_eq!(both(&ada, &elsewhere, "/me").await, [OK, OUT]);
}

#[tokio::test]
async fn a_reply_that_was_lost_after_the_deed_leaves_it_done_and_doing_it_again_is_fine() {
    let site = Site::new();
    let (ada, elsewhere) = (ada_at(&site).await, ada_at(&site).await);
    site.faults().on(Verb::EndSubject, Fault::After);
    assert_eq!(pulls(&ada, Trigger::PasswordChanged).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    site.faults().heal();
    assert_eq!(both(&ada, &elsewhere, "/me").await, [OK, OUT]);
    assert_eq!(pulls(&ada, Trigger::PasswordChanged).await.status(), OK);
    assert_eq!(both(&ada, &elsewhere, "/me").await, [OK, OUT]);
}
