//! The operator's own detector before our pages: who is held back everywhere can still step up, or sign out.

use serde_json::json;

use crate::browser::{Gate, password};
use crate::judge::Judge;

#[tokio::test]
async fn a_sign_in_that_the_detector_doubts_leads_to_the_step_up_and_from_there_on() {
    let judge = Judge::new().await;
    let gate = Gate::asking(judge.called_out(&json!({})));
    judge.says("step_up");
    let mut ada = gate.browser();
    assert_eq!(ada.sign_in("ada").await.status, 200);
    let [question] = judge.asked().try_into().unwrap();
    assert_eq!((&question["asked_on"], question.get("session.id")), (&json!(["sign_in"]), None));
    assert_eq!(question["route"], json!({ "sensitive": false, "changes_state": true, "navigation": false }));
    let to_step_up = (303, "/.session/step-up?next=%2F.session%2Fdevices".to_owned());
    assert_eq!(ada.open("/.session/devices").await.seen(), to_step_up);
    assert_eq!(ada.get("/.session/devices").await.status, 401);
    let mut leaves = ada.clone();
    assert_eq!(leaves.open("/.session/logout").await.status, 200, "the way out");
    let fields = [("password", password("ada"))];
    let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
    let done = ada.fill_in("/.session/step-up?next=/.session/devices", "/.session/step-up", &fields).await;
    assert_eq!(done.seen(), (303, "/.session/devices".to_owned()), "the way through");
    assert_eq!(ada.open("/.session/devices").await.status, 200);
    assert!(judge.asked().is_empty(), "one question for all of it");
}

#[tokio::test]
async fn a_sign_in_that_the_detector_refuses_is_none() {
    let judge = Judge::new().await;
    let gate = Gate::asking(judge.called_out(&json!({})));
    judge.says("revoke");
    let mut ada = gate.browser();
    let refused = ada.sign_in("ada").await;
    assert_eq!((refused.status.as_u16(), ada.jar.len()), (409, 0), "{refused:?}");
    assert!(refused.body.contains("the sign-in was refused") && !refused.body.contains("own_list"), "{refused:?}");
    let wrong = gate.browser().post("/.session/login", &[("username", "ada"), ("password", "wrong")]).await;
    assert_eq!((wrong.status.as_u16(), judge.asked().len()), (401, 1), "nobody is asked about a wrong password");
}
