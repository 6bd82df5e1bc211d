//! The table of routes: who is answered what.

use crate::browser::{Browser, Demo, form};

#[tokio::test]
async fn me_says_who_how_surely_and_for_how_long() {
    let demo = Demo::test();
    let me = demo.signed_in("ada").await.get("/me").await.json();
    let keys: Vec<_> = me.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["assurance", "auth_time", "created_at", "expires_in", "factors", "sid", "subject"]);
    assert_eq!((me["subject"].as_str(), me["assurance"].as_str()), (Some("ada"), Some("authenticated")));
    assert_eq!(me["factors"], serde_json::json!(["pwd"]));
    assert!(me["sid"].as_str().unwrap().starts_with("ses_"));
    assert!(me["auth_time"].as_u64() > Some(1_700_000_000) && me["auth_time"] == me["created_at"]);
    assert!((3_590..=3_600).contains(&me["expires_in"].as_u64().unwrap()), "the default is aal2: {me}");
}

#[tokio::test]
async fn strangers_are_answered_as_the_contract_says() {
    let demo = Demo::test();
    #[rustfmt::skip]
    let table = [
        // method  path                       script              navigation
        ("GET",  "/",                         200,                (200, "")),
        ("GET",  "/login",                    200,                (200, "")),
        ("POST", "/logout",                   200,                (303, "/")),
        ("GET",  "/me",                       401,                (303, "/login?next=%2Fme")),
        ("GET",  "/counter",                  200,                (200, "")),
        ("POST", "/counter",                  200,                (303, "/counter")),
        ("GET",  "/note",                     200,                (200, "")),
        ("GET",  "/slow?ms=1",                401,                (303, "/login?next=%2Fslow%3Fms%3D1")),
        ("GET",  "/step-up",                  401,                (303, "/login?next=%2Fstep-up")),
        ("POST", "/step-up",                  401,                (303, "/login")),
        ("GET",  "/transfer",                 401,                (303, "/login?next=%2Ftransfer")),
        ("GET",  "/password",                 401,                (303, "/login?next=%2Fpassword")),
        ("POST", "/password",                 401,                (303, "/login")),
        ("GET",  "/devices",                  401,                (303, "/login?next=%2Fdevices")),
        ("POST", "/devices/ses_x/end",        401,                (303, "/login")),
        ("POST", "/devices/end-others",       401,                (303, "/login")),
        ("GET",  "/try",                      200,                (200, "")),
        ("GET",  "/denied",                   403,                (403, "")),
        ("GET",  "/events",                   401,                (303, "/login?next=%2Fevents")),
        ("GET",  "/nowhere",                  404,                (404, "")),
        ("GET",  "/logout",                   405,                (405, "")),
        ("DELETE", "/me",                     405,                (405, "")),
    ];
    for (method, path, script, (status, location)) in table {
        let mut browser = demo.browser();
        let reply = browser.send(form(browser.script(method, path), &[])).await;
        assert_eq!(reply.status, script, "{method} {path}: {reply:?}");
        let kind = reply.header("content-type");
        if !reply.status.is_success() && path != "/denied" {
            assert_eq!(kind, "application/problem+json", "{method} {path}");
            assert_eq!(reply.json()["status"], script);
        }
        let mut browser = demo.browser();
        let reply = browser.send(form(browser.navigation(method, path), &[])).await;
        assert_eq!((reply.status.as_u16(), reply.header("location")), (status, location), "{method} {path}: {reply:?}");
        if reply.status != 303 {
            assert_eq!(reply.header("content-type"), "text/html; charset=utf-8", "{method} {path}");
        }
    }
}

#[tokio::test]
async fn a_visitor_for_whom_nothing_is_stored_gets_no_cookie() {
    let demo = Demo::test();
    for path in ["/", "/login", "/counter", "/note", "/try", "/denied", "/me", "/nowhere", "/style.css"] {
        assert_eq!(demo.browser().open(path).await.set_cookies(), [""; 0], "{path}");
        let mut forger = demo.browser();
        forger.jar.insert("dev-id".into(), "cfoil1_gen_forged".into());
        forger.jar.insert("dev-an".into(), "1".into());
        assert_eq!(forger.get(path).await.set_cookies(), [""; 0], "{path}, forged");
    }
}

#[tokio::test]
async fn the_counter_counts_for_anyone_and_signing_in_begins_anew() {
    let demo = Demo::test();
    let mut browser = demo.browser();
    assert_eq!(browser.get("/counter").await.body, r#"{"value":0}"#);
    for value in 1..=3 {
        let reply = browser.post("/counter", &[]).await;
        assert_eq!(reply.body, format!(r#"{{"value":{value}}}"#));
        assert_eq!(reply.set_cookies().len(), usize::from(value == 1), "one anonymous session");
    }
    assert!(browser.jar.keys().eq(["dev-an"]));
    assert!(browser.open("/counter").await.body.contains(">3</output>"));
    browser.sign_in("ada").await;
    assert_eq!(browser.get("/counter").await.body, r#"{"value":0}"#, "the counter is not portable");
    assert_eq!(browser.fill_in("/counter", "/counter", &[]).await.header("location"), "/counter");
    assert_eq!(browser.get("/counter").await.body, r#"{"value":1}"#);
}

#[tokio::test]
async fn notes_of_two_requests_at_once_both_survive() {
    let demo = Demo::test();
    let mut browser = demo.browser();
    browser.post("/note", &[("key", "first"), ("value", "1")]).await;
    let write = |target: &'static str, key: &'static str| {
        let mut browser = browser.clone();
        async move { browser.post(target, &[("key", key), ("value", key)]).await.status.as_u16() }
    };
    let statuses =
        tokio::join!(write("/slow-note?ms=150", "slow"), write("/note", "quick"), write("/slow-note?ms=80", "b"));
    assert_eq!(statuses, (200, 200, 200));
    let notes = browser.get("/note").await.json();
    assert_eq!(notes, serde_json::json!({ "notes": { "b": "b", "first": "1", "quick": "quick", "slow": "slow" } }));
    browser.post("/note", &[("key", "b"), ("value", "")]).await;
    assert_eq!(browser.get("/note").await.json()["notes"]["b"], "");
}

#[tokio::test]
async fn a_note_that_does_not_fit_is_refused_and_changes_nothing() {
    let demo = Demo::test();
    let mut browser = demo.signed_in("ada").await;
    let (long_key, long_value) = ("k".repeat(65), "v".repeat(1_025));
    for (key, value) in [("", "v"), (long_key.as_str(), "v"), ("k", long_value.as_str())] {
        let reply = browser.post("/note", &[("key", key), ("value", value)]).await;
        assert_eq!((reply.status.as_u16(), reply.header("content-type")), (422, "application/problem+json"));
        let page = browser.fill_in("/note", "/note", &[("key", key), ("value", value)]).await;
        assert_eq!((page.status.as_u16(), page.header("content-type")), (422, "text/html; charset=utf-8"));
    }
    assert_eq!(browser.get("/note").await.body, r#"{"notes":{}}"#);
    let controls = "\u{1}".repeat(1_024);
    let mut statuses = Vec::new();
    for number in 0..12 {
        let note = [("key", format!("k{number}")), ("value", controls.clone())];
        statuses.push(browser.post("/note", &note.each_ref().map(|(name, text)| (*name, text.as_str()))).await.status);
    }
    assert!(statuses.iter().any(|status| *status == 422), "full at some point: {statuses:?}");
    assert!(statuses.iter().all(|status| [200, 422].contains(&status.as_u16())), "{statuses:?}");
}

#[tokio::test]
async fn slow_answers_as_me_and_waits_no_longer_than_it_may() {
    let demo = Demo::test();
    let mut browser = demo.signed_in("grace").await;
    let began = std::time::Instant::now();
    assert_eq!(browser.get("/slow?ms=60").await.json()["subject"], "grace");
    assert!(began.elapsed().as_millis() >= 60);
    for nonsense in ["/slow?ms=-1", "/slow?ms=soon", "/slow?ms=1&ms=2", "/slow?ms=99999999999999999999999"] {
        assert_eq!(browser.get(nonsense).await.status, 400, "{nonsense}");
    }
}

async fn send(browser: &mut Browser, to: &str, amount: &str) -> (u16, String) {
    let token = browser.csrf_token().await;
    let reply = browser.post("/transfer", &[("to", to), ("amount", amount), ("csrf_token", &token)]).await;
    (reply.status.as_u16(), reply.body)
}

#[tokio::test]
async fn money_moves_only_after_a_step_up_and_only_as_asked() {
    let demo = Demo::test();
    let mut ada = demo.signed_in("ada").await;
    assert_eq!(ada.get("/transfer").await.body, r#"{"balance":1000}"#);
    let token = ada.csrf_token().await;
    let refused = ada.post("/transfer", &[("to", "grace"), ("amount", "5"), ("csrf_token", &token)]).await;
    assert_eq!(refused.status, 401, "a fresh sign-in is not enough");
    let challenge = refused.header("www-authenticate");
    assert!(
        challenge.contains("insufficient_user_authentication") && challenge.contains("max_age=\"300\""),
        "{challenge}"
    );

    ada.step_up("ada").await;
    assert_eq!(ada.get("/me").await.json()["assurance"], "elevated");
    assert_eq!(send(&mut ada, "grace", "300").await, (200, r#"{"balance":700}"#.into()));
    for (to, amount) in
        [("grace", "0"), ("grace", "-1"), ("grace", "1e3"), ("grace", "701"), ("ada", "1"), ("mallory", "1")]
    {
        assert_eq!(send(&mut ada, to, amount).await.0, 422, "{to} {amount}");
    }
    assert_eq!(ada.get("/transfer").await.body, r#"{"balance":700}"#);
    assert_eq!(demo.signed_in("grace").await.get("/transfer").await.body, r#"{"balance":1300}"#);
}

#[tokio::test]
async fn people_are_led_to_the_step_up_and_back() {
    let demo = Demo::test();
    let mut ada = demo.signed_in("ada").await;
    let page = ada.open("/transfer").await;
    assert!(page.body.contains(r#"href="/step-up""#) && !page.body.contains(r#"name="amount""#));
    let wrong = ada.fill_in("/step-up", "/step-up", &[("password", "grace-demo-1")]).await;
    assert_eq!((wrong.status.as_u16(), wrong.set_cookies().len()), (401, 0), "{wrong:?}");
    let right = ada.fill_in("/step-up", "/step-up", &[("password", "ada-demo-1")]).await;
    assert_eq!((right.status.as_u16(), right.header("location")), (303, "/transfer"));
    let sent = ada.fill_in("/transfer", "/transfer", &[("to", "grace"), ("amount", "1")]).await;
    assert_eq!((sent.status.as_u16(), sent.header("location")), (303, "/transfer"));
    let refused = ada.fill_in("/transfer", "/transfer", &[("to", "<b>"), ("amount", "1")]).await;
    assert_eq!(refused.status, 422);
    assert!(
        refused.body.contains("no account of that name") && refused.body.contains("&#60;b&#62;"),
        "{}",
        refused.body
    );
}

#[tokio::test]
async fn devices_are_listed_and_ended_one_by_one_or_all_others_at_once() {
    let demo = Demo::test();
    let (mut one, mut two, mut three) =
        (demo.signed_in("ada").await, demo.signed_in("ada").await, demo.signed_in("ada").await);
    let mut grace = demo.signed_in("grace").await;
    let sid_of = |reply: &crate::browser::Reply| reply.json()["sid"].as_str().unwrap().to_owned();
    let (_, second, foreign) = (one.get("/me").await, sid_of(&two.get("/me").await), sid_of(&grace.get("/me").await));
    assert_eq!(
        one.get("/devices").await.json()["devices"].as_array().unwrap().len(),
        2,
        "a session never used is not listed"
    );
    three.get("/me").await;
    let devices = one.get("/devices").await.json();
    let devices = devices["devices"].as_array().unwrap();
    assert_eq!(devices.len(), 3);
    assert_eq!(devices.iter().filter(|device| device["current"] == true).count(), 1);
    let keys: Vec<_> = devices[0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["created_at", "current", "label", "last_seen", "sid"]);
    assert_eq!(devices[0]["label"], "Firefox on Linux");

    for unknown in [foreign.as_str(), "ses_AAAAAAAAAAAAAAAAAAAAAAAA", "ses_", "nonsense", "%00", "..%2Fend-others"] {
        assert_eq!(one.post(&format!("/devices/{unknown}/end"), &[]).await.status, 404, "{unknown}");
    }
    assert_eq!(grace.get("/me").await.status, 200);
    let ended = one.fill_in("/devices", &format!("/devices/{second}/end"), &[]).await;
    assert_eq!((ended.status.as_u16(), ended.header("location")), (303, "/devices"));
    assert_eq!(
        (two.get("/me").await.status, three.get("/me").await.status),
        (401.try_into().unwrap(), 200.try_into().unwrap())
    );
    assert_eq!(one.post(&format!("/devices/{second}/end"), &[]).await.status, 404, "ended already");

    assert_eq!(three.post("/devices/end-others", &[]).await.status, 200);
    assert_eq!(
        (one.get("/me").await.status, three.get("/me").await.status),
        (401.try_into().unwrap(), 200.try_into().unwrap())
    );
    let own = sid_of(&three.get("/me").await);
    let gone = three.post(&format!("/devices/{own}/end"), &[]).await;
    assert_eq!(gone.status, 200);
    assert!(gone.set_cookies()[0].starts_with("dev-id=;"), "one's own is a sign-out: {gone:?}");
}

#[tokio::test]
async fn a_changed_password_ends_the_other_sessions_and_only_them() {
    let demo = Demo::test();
    let (mut ada, mut other, mut grace) =
        (demo.signed_in("ada").await, demo.signed_in("ada").await, demo.signed_in("grace").await);
    #[rustfmt::skip]
    let refused = [
        ("wrong",      "another-long-1", 401),
        ("ada-demo-1", "short",          422),
        ("ada-demo-1", "ada-demo-1",     422),
        ("ada-demo-1", "password123",    422),
    ];
    for (current, new, status) in refused {
        assert_eq!(
            ada.post("/password", &[("current", current), ("new", new)]).await.status,
            status,
            "{current} {new}"
        );
        let page = ada.fill_in("/password", "/password", &[("current", current), ("new", new)]).await;
        assert_eq!((page.status.as_u16(), page.header("content-type")), (status, "text/html; charset=utf-8"));
    }
    assert_eq!(other.get("/me").await.status, 200);

    let changed = ada.fill_in("/password", "/password", &[("current", "ada-demo-1"), ("new", "another-long-1")]).await;
    assert_eq!((changed.status.as_u16(), changed.header("location")), (303, "/devices"), "{changed:?}");
    assert_eq!((ada.get("/me").await.status.as_u16(), grace.get("/me").await.status.as_u16()), (200, 200));
    assert_eq!(other.get("/me").await.status, 401);
    assert_eq!(other.sign_in("ada").await.status, 401, "the old password");
    let again = other.post("/login", &[("username", "ada"), ("password", "another-long-1")]).await;
    assert_eq!(again.status, 200);
}

#[tokio::test]
async fn signing_out_is_final_and_may_be_repeated() {
    let demo = Demo::test();
    let mut ada = demo.signed_in("ada").await;
    let mut copy = ada.clone();
    assert_eq!(ada.fill_in("/", "/logout", &[]).await.header("location"), "/");
    assert!(ada.jar.is_empty());
    assert_eq!(copy.get("/me").await.status, 401);
    assert_eq!(copy.post("/counter", &[]).await.status, 200, "a stranger now");
    let again = copy.post("/logout", &[]).await;
    assert_eq!((again.status.as_u16(), again.body.as_str()), (200, r#"{"signed_out":true}"#));
    assert_eq!(copy.get("/me").await.status, 401);
}

#[tokio::test]
async fn over_https_the_cookies_have_the_names_that_browsers_enforce() {
    let demo = Demo::start("--test-mode --https");
    let mut ada = demo.browser();
    let cookie = ada.sign_in("ada").await.set_cookies()[0].to_owned();
    assert!(cookie.starts_with("__Host-Http-id=cfoil1_"), "{cookie}");
    for attribute in ["; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    ada.post("/step-up", &[("password", "ada-demo-1")]).await;
    let mut stranger = demo.browser();
    stranger.post("/counter", &[]).await;
    assert!(ada.jar.keys().eq(["__Host-Http-el", "__Host-Http-id"]) && stranger.jar.keys().eq(["__Host-Http-an"]));
    assert!(demo.browser().get("/nowhere").await.headers.contains_key("strict-transport-security"));
}
