//! The second factor: set up behind a step-up, asked for after the password, each code good for one use.

use std::time::{SystemTime, UNIX_EPOCH};

use totp_rs::Totp;

use crate::browser::{Browser, Demo, Reply};

/// An authenticator app. It has two codes to give in any one test: that of now, and then the next one, which a clock a
/// step behind would still accept.
struct App {
    totp: Totp,
    given: u64,
}

impl App {
    fn new(address: &str) -> Self {
        Self { totp: Totp::from_url(address).unwrap(), given: 0 }
    }

    fn code(&mut self) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() / 30;
        self.given = now.max(self.given + 1);
        self.totp.generate(self.given * 30).to_string()
    }
}

async fn begin(browser: &mut Browser) -> Reply {
    let token = browser.csrf_token().await;
    browser.post("/totp/begin", &[("csrf_token", &token)]).await
}

async fn confirm(browser: &mut Browser, code: &str) -> Reply {
    let token = browser.csrf_token().await;
    browser.post("/totp/confirm", &[("csrf_token", &token), ("code", code)]).await
}

/// `ada`, signed in and with a second factor, and her app.
async fn enrolled(demo: &Demo) -> (Browser, App) {
    let mut ada = demo.signed_in("ada").await;
    ada.step_up("ada").await;
    let offer = begin(&mut ada).await.json();
    let mut app = App::new(offer["address"].as_str().unwrap());
    let done = confirm(&mut ada, &app.code()).await;
    assert_eq!((done.status.as_u16(), done.body.as_str()), (200, r#"{"changed":true}"#));
    (ada, app)
}

#[tokio::test]
async fn after_the_password_nobody_is_signed_in_until_the_code_is_right() {
    let demo = Demo::test();
    let (_, mut app) = enrolled(&demo).await;
    let mut ada = demo.browser();
    let half = ada.sign_in("ada").await;
    assert_eq!((half.status.as_u16(), half.json()["wanted"].as_str()), (202, Some("otp")));
    assert!(ada.jar.keys().eq(["dev-an"]), "an anonymous session keeps the half: {:?}", ada.jar);
    for path in ["/me", "/devices", "/transfer"] {
        assert_eq!(ada.get(path).await.status, 401, "{path}");
    }
    for wrong in ["000000", "", "12345", "not a code"] {
        let refused = ada.post("/login/code", &[("code", wrong)]).await;
        assert_eq!((refused.status.as_u16(), refused.set_cookies().len()), (401, 0), "{wrong}: {refused:?}");
    }
    let code = app.code();
    let done = ada.post("/login/code", &[("code", &code)]).await;
    assert_eq!(done.json()["factors"], serde_json::json!(["pwd", "otp"]), "{done:?}");
    assert_eq!(ada.get("/me").await.json()["subject"], "ada");

    let mut replayed = demo.browser();
    replayed.sign_in("ada").await;
    assert_eq!(replayed.post("/login/code", &[("code", &code)]).await.status, 401, "a code is good for one use");
    assert_eq!(replayed.get("/me").await.status, 401);
    assert_eq!(demo.browser().sign_in("grace").await.status, 200, "others need none");
}

#[tokio::test]
async fn people_are_led_through_both_steps_and_to_where_they_wanted() {
    let demo = Demo::test();
    let mut ada = demo.signed_in("ada").await;
    let page = ada.open("/totp").await.body;
    assert!(page.contains(r#"href="/step-up?next=%2Ftotp""#) && !page.contains("/totp/begin"), "{page}");
    let back = ada.fill_in("/step-up?next=%2Ftotp", "/step-up", &[("password", "ada-demo-1")]).await;
    assert_eq!(back.header("location"), "/totp");
    let offered = ada.fill_in("/totp", "/totp/begin", &[]).await;
    let address = offered.body.split("<code>").find(|part| part.starts_with("otpauth:")).unwrap();
    let address = address.split('<').next().unwrap().replace("&#38;", "&");
    assert_eq!(offered.header("cache-control"), "no-store");
    let mut app = App::new(&address);
    let wrong = ada
        .send(crate::browser::form(
            ada.navigation("POST", "/totp/confirm"),
            &as_pairs(&offered.hidden_fields("/totp/confirm"), ("code", "000000")),
        ))
        .await;
    assert_eq!(wrong.status, 422);
    assert!(!wrong.body.contains("otpauth:"), "the secret is shown once");
    let code = app.code();
    let done = ada
        .send(crate::browser::form(
            ada.navigation("POST", "/totp/confirm"),
            &as_pairs(&wrong.hidden_fields("/totp/confirm"), ("code", &code)),
        ))
        .await;
    assert_eq!((done.status.as_u16(), done.header("location")), (303, "/totp"));
    assert!(ada.open("/totp").await.body.contains("Your second factor is set up."));

    let mut elsewhere = demo.browser();
    let fields = [("username", "ada"), ("password", "ada-demo-1"), ("remember", "on")];
    let half = elsewhere.fill_in("/login?next=%2Fdevices", "/login", &fields).await;
    assert_eq!((half.status.as_u16(), half.header("location")), (303, "/login/code?next=%2Fdevices"));
    let again = elsewhere.fill_in("/login/code?next=%2Fdevices", "/login/code", &[("code", "000000")]).await;
    assert!(again.status == 401 && again.body.contains(r#"role="alert""#), "{again:?}");
    let inside = elsewhere.fill_in("/login/code?next=%2Fdevices", "/login/code", &[("code", &app.code())]).await;
    assert_eq!((inside.status.as_u16(), inside.header("location")), (303, "/devices"));
    assert!(inside.set_cookies()[0].contains("Max-Age=2592000"), "the wish to be remembered was kept: {inside:?}");
}

fn as_pairs<'a>(hidden: &'a [(String, String)], more: (&'a str, &'a str)) -> Vec<(&'a str, &'a str)> {
    hidden.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain([more]).collect()
}

#[tokio::test]
async fn a_code_alone_opens_nothing() {
    let demo = Demo::test();
    let (_, mut app) = enrolled(&demo).await;
    let mut stranger = demo.browser();
    let refused = stranger.post("/login/code", &[("code", &app.code())]).await;
    assert_eq!((refused.status.as_u16(), refused.set_cookies().len()), (409, 0), "{refused:?}");
    assert_eq!(stranger.open("/login/code").await.header("location"), "/login");
    assert_eq!(stranger.fill_in("/login", "/login", &[("username", "ada"), ("password", "wrong")]).await.status, 401);
    assert_eq!(stranger.open("/login/code").await.header("location"), "/login", "a wrong password is no half");
}

#[tokio::test]
async fn setting_one_up_needs_a_step_up_and_a_form_of_ours_and_ends_the_other_sessions() {
    let demo = Demo::test();
    let mut other = demo.signed_in("ada").await;
    let mut ada = demo.signed_in("ada").await;
    for path in ["/totp/begin", "/totp/confirm", "/totp/remove"] {
        assert_eq!(ada.post(path, &[("code", "1")]).await.status, 403, "{path}: 403 wins over 401");
        let token = ada.csrf_token().await;
        let refused = ada.post(path, &[("csrf_token", &token), ("code", "1")]).await;
        assert_eq!(refused.status, 401, "{path}");
        assert!(refused.header("www-authenticate").contains("insufficient_user_authentication"), "{path}");
    }
    ada.step_up("ada").await;
    let mut app = App::new(begin(&mut ada).await.json()["address"].as_str().unwrap());
    assert_eq!(confirm(&mut ada, "000000").await.status, 422);
    assert_eq!(ada.get("/totp").await.body, r#"{"enrolled":false}"#);
    assert_eq!(other.get("/me").await.status, 200);
    assert_eq!(confirm(&mut ada, &app.code()).await.status, 200);
    assert_eq!((other.get("/me").await.status.as_u16(), ada.get("/me").await.status.as_u16()), (401, 200));
    assert_eq!(begin(&mut ada).await.status, 409, "one at a time");
    let events = ada.get("/events").await.body;
    assert!(events.contains("The second factor was changed: every other session is over."), "{events}");
    assert!(!events.contains("otpauth"));
}

#[tokio::test]
async fn once_removed_the_password_is_enough_again() {
    let demo = Demo::test();
    let (mut ada, _) = enrolled(&demo).await;
    let token = ada.csrf_token().await;
    assert_eq!(ada.post("/totp/remove", &[("csrf_token", &token)]).await.status, 200);
    assert_eq!(demo.browser().sign_in("ada").await.status, 200);
}

#[tokio::test]
async fn a_password_change_overtakes_a_half_done_sign_in() {
    let demo = Demo::test();
    let (mut ada, mut app) = enrolled(&demo).await;
    let mut half = demo.browser();
    half.sign_in("ada").await;
    assert_eq!(ada.post("/password", &[("current", "ada-demo-1"), ("new", "a better one")]).await.status, 200);
    assert_eq!(half.post("/login/code", &[("code", &app.code())]).await.status, 409);
    assert_eq!(half.get("/me").await.status, 401);
}

#[tokio::test]
async fn without_test_mode_codes_are_counted_too() {
    let demo = Demo::start("");
    let (_, mut app) = enrolled(&demo).await;
    let mut thief = demo.browser();
    assert_eq!(thief.sign_in("ada").await.status, 202);
    let mut statuses = Vec::new();
    for _ in 0..6 {
        statuses.push(thief.post("/login/code", &[("code", "000000")]).await.status.as_u16());
    }
    assert_eq!(statuses, [401, 401, 401, 401, 401, 429], "the confirmation was right, and does not count");
    let even_right = thief.post("/login/code", &[("code", &app.code())]).await;
    assert_eq!(even_right.status, 429);
    assert!(even_right.header("retry-after").parse::<u64>().unwrap() > 60);
}
