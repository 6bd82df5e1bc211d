//! Where people are signed in, and what happened lately.

use crate::browser::{Gate, Reply};

fn sessions(reply: &Reply) -> Vec<String> {
    reply.json()["devices"]
        .as_array()
        .unwrap()
        .iter()
        .map(|device| device["session"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn devices_are_seen_named_and_ended() {
    let gate = Gate::open();
    let (mut here, mut there) = (gate.signed_in("ada").await, gate.signed_in("ada").await);
    let mut grace = gate.signed_in("grace").await;
    let list = here.get("/.session/devices").await;
    assert_eq!((sessions(&list).len(), list.json()["devices"][0]["current"].as_bool()), (2, Some(true)), "{list:?}");
    assert_eq!(list.json()["devices"][0]["label"], "Firefox on Linux");
    let other = sessions(&list)[1].clone();

    let rename = format!("/.session/devices/{other}/rename");
    let renamed = here.fill_in("/.session/devices", &rename, &[("label", "Kitchen <b>tablet</b>")]).await;
    let page = here.open(renamed.header("location")).await;
    assert!(
        page.body.contains("The device has its new name.") && page.body.contains("Kitchen &#60;b&#62;tablet"),
        "{}",
        page.body
    );
    for bad in ["", "a\nb", &"x".repeat(65)] {
        assert_eq!(here.post(&rename, &[("label", bad)]).await.status, 422, "{bad:?}");
    }
    let end = format!("/.session/devices/{other}/end");
    for (path, fields) in [(&rename, [("label", "mine")]), (&end, [("label", "")])] {
        assert_eq!(grace.post(path, &fields).await.status, 404, "somebody else's");
    }
    let ended = here.fill_in("/.session/devices", &end, &[]).await;
    assert!(ended.header("location").starts_with("/.session/devices"), "{ended:?}");
    assert_eq!(there.get("/.session/me").await.json()["signed_in"], false);
    assert_eq!(sessions(&here.get("/.session/devices").await).len(), 1);
    assert!(!here.open("/.session/devices").await.body.contains("end-others"), "there are none");
    assert_eq!(grace.get("/.session/me").await.json()["signed_in"], true);
}

#[tokio::test]
async fn all_others_end_at_once_and_ending_this_one_is_a_sign_out() {
    let gate = Gate::open();
    let (mut here, mut there) = (gate.signed_in("ada").await, gate.signed_in("ada").await);
    assert_eq!(here.post("/.session/devices/end-others", &[]).await.status, 200);
    assert_eq!(there.get("/.session/me").await.json()["signed_in"], false);
    let own = sessions(&here.get("/.session/devices").await)[0].clone();
    let reply = here.fill_in("/.session/devices", &format!("/.session/devices/{own}/end"), &[]).await;
    assert_eq!(reply.seen(), (303, "/.session/logout".to_owned()));
    assert!(here.jar.is_empty());
}

#[tokio::test]
async fn people_read_what_happened_to_their_own_sessions() {
    let gate = Gate::open();
    let (mut ada, mut grace) = (gate.stepped_up("ada").await, gate.signed_in("grace").await);
    let words = |reply: &Reply| {
        let list = reply.json()["events"].as_array().unwrap().clone();
        list.iter().map(|event| event["words"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(words(&ada.get("/.session/devices").await), ["The password was confirmed.", "Signed in."]);
    assert_eq!(words(&grace.get("/.session/devices").await), ["Signed in."]);
    let page = ada.open("/.session/devices").await.body;
    assert!(page.contains("The password was confirmed.") && page.contains("Firefox on Linux"), "{page}");
}
