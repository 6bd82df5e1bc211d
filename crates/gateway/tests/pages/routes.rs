//! The table of routes: who is answered what, by script and by navigation.

use axum::body::Body;

use crate::browser::{Browser, Gate, SHOP, form, password};

const TO_LOGIN: &str = "/.session/login";

async fn table(browser: &Browser, rows: &[(&str, &str, u16, (u16, &str))]) {
    for (method, path, script, (page, location)) in rows {
        let mut browser = browser.clone();
        let request = browser.script(method, path);
        let asked = if *method == "GET" { request.body(Body::empty()).unwrap() } else { form(request, &[]) };
        assert_eq!(browser.send(asked).await.status, *script, "script: {method} {path}");
        let request = browser.navigation(method, path);
        let asked = if *method == "GET" { request.body(Body::empty()).unwrap() } else { form(request, &[]) };
        assert_eq!(browser.send(asked).await.seen(), (*page, (*location).to_owned()), "page: {method} {path}");
    }
}

#[tokio::test]
async fn strangers_are_answered_as_the_contract_says() {
    let gate = Gate::open();
    #[rustfmt::skip]
    table(&gate.browser(), &[
        // method path                            script navigation
        ("GET",  "/.session/login",               200,   (200, "")),
        ("GET",  "/.session/login/code",          303,   (303, TO_LOGIN)),
        ("POST", "/.session/login/code",          422,   (422, "")),
        ("GET",  "/.session/denied",              200,   (200, "")),
        ("GET",  "/.session/me",                  200,   (200, "")),
        ("GET",  "/.session/logout",              200,   (200, "")),
        ("POST", "/.session/logout",              200,   (303, "/.session/logout")),
        ("GET",  "/.session/refresh?next=/a",     303,   (303, "/a")),
        ("POST", "/.session/refresh",             401,   (303, TO_LOGIN)),
        ("GET",  "/.session/step-up",             401,   (303, "/.session/login?next=%2F.session%2Fstep-up")),
        ("POST", "/.session/step-up",             401,   (303, TO_LOGIN)),
        ("GET",  "/.session/devices",             401,   (303, "/.session/login?next=%2F.session%2Fdevices")),
        ("POST", "/.session/devices/x/end",       401,   (303, TO_LOGIN)),
        ("POST", "/.session/devices/x/rename",    401,   (303, TO_LOGIN)),
        ("POST", "/.session/devices/end-others",  401,   (303, TO_LOGIN)),
        ("GET",  "/.session/password",            401,   (303, "/.session/login?next=%2F.session%2Fpassword")),
        ("POST", "/.session/password",            401,   (303, TO_LOGIN)),
        ("GET",  "/.session/totp",                401,   (303, "/.session/login?next=%2F.session%2Ftotp")),
        ("GET",  "/.session/totp/qr.svg",         401,   (303, "/.session/login?next=%2F.session%2Ftotp%2Fqr.svg")),
        ("GET",  "/.session/",                    303,   (303, "/.session/devices")),
        ("GET",  "/.session/style.css",           200,   (200, "")),
        ("GET",  "/.session/icon.svg",            200,   (200, "")),
        ("GET",  "/.session/nowhere",             404,   (404, "")),
        ("GET",  "/",                             404,   (404, "")),
        ("POST", "/.session/nowhere",             404,   (404, "")),
        ("POST", "/.session/me",                  405,   (405, "")),
        ("POST", "/.session/style.css",           405,   (405, "")),
    ]).await;
}

#[tokio::test]
async fn whoever_is_signed_in_is_answered_as_the_contract_says() {
    let gate = Gate::open();
    #[rustfmt::skip]
    table(&gate.signed_in("ada").await, &[
        ("GET",  "/.session/login",               200,   (200, "")),
        ("GET",  "/.session/login/code",          303,   (303, TO_LOGIN)),
        ("GET",  "/.session/me",                  200,   (200, "")),
        ("GET",  "/.session/logout",              200,   (200, "")),
        ("GET",  "/.session/refresh?next=/a",     303,   (303, "/a")),
        ("GET",  "/.session/refresh?next=//evil", 303,   (303, "/")),
        ("POST", "/.session/refresh",             200,   (303, "/")),
        ("GET",  "/.session/step-up",             200,   (200, "")),
        ("POST", "/.session/step-up",             422,   (422, "")),
        ("GET",  "/.session/devices",             200,   (200, "")),
        ("POST", "/.session/devices/x/end",       404,   (404, "")),
        ("POST", "/.session/devices/ses_AAECAwQFBgcICQoLDA0ODxAR/end", 404, (404, "")),
        ("POST", "/.session/devices/x/rename",    422,   (422, "")),
        ("GET",  "/.session/password",            200,   (200, "")),
        ("POST", "/.session/password",            422,   (422, "")),
        ("GET",  "/.session/totp",                200,   (200, "")),
        ("GET",  "/.session/totp/qr.svg",         401,   (303, "/.session/step-up?next=%2F.session%2Ftotp%2Fqr.svg")),
        // Without the form's token, whatever the headers say.
        ("POST", "/.session/totp/begin",          403,   (303, "/.session/denied?reason=sensitive_without_token")),
        ("POST", "/.session/totp/confirm",        403,   (303, "/.session/denied?reason=sensitive_without_token")),
        ("POST", "/.session/totp/cancel",         403,   (303, "/.session/denied?reason=sensitive_without_token")),
        ("POST", "/.session/totp/remove",         403,   (303, "/.session/denied?reason=sensitive_without_token")),
        ("GET",  "/.session/nowhere",             404,   (404, "")),
    ]).await;
    let mut ada = gate.signed_in("ada").await;
    for path in ["begin", "cancel", "remove"] {
        let reply = ada.post(&format!("/.session/totp/{path}"), &[]).await;
        assert_eq!(reply.status, 401, "{path}: not without a step-up: {reply:?}");
    }
}

#[tokio::test]
async fn whoever_stepped_up_may_change_the_second_factor() {
    let gate = Gate::open();
    let mut ada = gate.stepped_up("ada").await;
    assert_eq!(ada.get("/.session/totp/qr.svg").await.status, 404, "nothing is on offer");
    assert_eq!(ada.post("/.session/totp/remove", &[]).await.status, 409);
    assert_eq!(ada.post("/.session/totp/confirm", &[("code", "123456")]).await.status, 409);
    assert_eq!(ada.post("/.session/totp/begin", &[]).await.status, 200);
    assert_eq!(ada.get("/.session/totp/qr.svg").await.header("content-type"), "image/svg+xml");
    assert_eq!(ada.post("/.session/totp/cancel", &[]).await.status, 200);
    assert_eq!(ada.get("/.session/totp/qr.svg").await.status, 404);
}

#[tokio::test]
async fn me_says_who_how_surely_and_for_how_long_and_counts_as_no_activity() {
    let gate = Gate::open();
    let nobody = gate.browser().get("/.session/me").await;
    assert_eq!(nobody.json(), serde_json::json!({ "signed_in": false, "assurance": "anonymous" }));
    assert_eq!((nobody.header("cache-control"), nobody.header("content-type")), ("no-store", "application/json"));
    assert!(nobody.header("set-cookie").is_empty());
    let me = gate.signed_in("ada").await.get("/.session/me").await.json();
    let keys: Vec<_> = me.as_object().unwrap().keys().map(String::as_str).collect();
    let expected =
        ["assurance", "auth_time", "created_at", "csrf_token", "ends_in", "expires_in", "factors", "session"];
    assert_eq!(keys[..8], expected);
    assert_eq!(
        (&keys[8..], me["signed_in"].as_bool(), me["subject"].as_str()),
        (&["signed_in", "subject"][..], Some(true), Some("ada"))
    );
    assert_eq!((me["assurance"].as_str(), &me["factors"]), (Some("authenticated"), &serde_json::json!(["pwd"])));
    let elevated = gate.stepped_up("ada").await.get("/.session/me").await.json();
    assert_eq!(elevated["assurance"], "elevated");
}

#[tokio::test]
async fn while_the_store_is_down_pages_for_everybody_work_and_nobody_is_taken_for_a_stranger() {
    let gate = Gate::open();
    let mut ada = gate.signed_in("ada").await;
    gate.store_fails(true);
    for path in ["/.session/login", "/.session/denied"] {
        assert_eq!(ada.open(path).await.status, 200, "{path}");
    }
    for path in ["/.session/me", "/.session/devices", "/.session/logout", "/.session/refresh"] {
        let reply = ada.get(path).await;
        assert_eq!((reply.status.as_u16(), reply.header("set-cookie")), (503, ""), "{path}");
        assert!(!reply.header("retry-after").is_empty(), "{path}");
    }
    let reply = gate.browser().post("/.session/login", &[("username", "ada"), ("password", &password("ada"))]).await;
    assert_eq!(reply.status, 503, "{reply:?}");
    gate.store_fails(false);
    assert_eq!(ada.get("/.session/me").await.json()["signed_in"], true);
}

#[tokio::test]
async fn whoever_is_remembered_is_greeted_and_signs_in_for_the_rest() {
    let gate = Gate::open();
    let mut ada = gate.browser_at(SHOP);
    let shown = ada.open("/.session/login").await;
    assert!(
        shown.body.contains("Keep me known on this browser") && shown.body.contains("For 30 days"),
        "{}",
        shown.body
    );
    let fields = [("username", "ada"), ("password", &password("ada")), ("remember", "on")];
    assert_eq!(ada.fill_in("/.session/login", "/.session/login", &fields).await.seen(), (303, "/".to_owned()));
    assert!(
        !gate.browser().open("/.session/login").await.body.contains("Keep me known"),
        "where the policy says nothing"
    );
}
