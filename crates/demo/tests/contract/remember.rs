//! Staying known on a browser: greeted after the session's time is over, and let into nothing that matters.

use crate::browser::{Browser, Demo, form};

/// Sessions here last for a moment, and who asks for it is known for an hour.
fn forgetful() -> Demo {
    Demo::start("--test-mode --idle 100ms --absolute 100ms --remember-for 1h")
}

/// Signs in, and waits until the session's time is over, however busy it is.
async fn remembered(demo: &Demo, name: &str) -> Browser {
    let mut browser = demo.browser();
    let password = format!("{name}-demo-1");
    let reply = browser.post("/login", &[("username", name), ("password", &password), ("remember", "on")]).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert!(reply.set_cookies()[0].contains("Max-Age=3600"), "{reply:?}");
    while browser.get("/me").await.status != 401 {
        tokio::task::yield_now().await;
    }
    browser
}

async fn who(browser: &mut Browser) -> serde_json::Value {
    let request = browser.script("GET", "/");
    let mut request = request.body(axum::body::Body::empty()).unwrap();
    request.headers_mut().insert("accept", "application/json".parse().unwrap());
    browser.send(request).await.json()
}

#[tokio::test]
async fn the_box_is_there_to_tick_and_off_unless_ticked() {
    let demo = Demo::test();
    let mut ada = demo.browser();
    let page = ada.open("/login").await.body;
    assert!(page.contains(r#"name="remember" type="checkbox""#) && !page.contains(" checked"), "{page}");
    assert!(page.contains("For 30days"), "{page}");
    let right = [("username", "ada"), ("password", "ada-demo-1")];
    let without = ada.fill_in("/login", "/login", &right).await;
    assert!(without.set_cookies()[0].contains("Max-Age=86400"), "{without:?}");
    let with = ada.fill_in("/login", "/login", &[right.as_slice(), &[("remember", "on")]].concat()).await;
    assert!(with.set_cookies()[0].contains("Max-Age=2592000"), "{with:?}");
    let wrong = ada.fill_in("/login", "/login", &[("username", "ada"), ("password", "x"), ("remember", "on")]).await;
    assert!(wrong.status == 401 && wrong.body.contains(" checked"), "{wrong:?}");
}

#[tokio::test]
async fn the_wish_is_read_from_forms_and_scripts_and_nothing_else_counts_as_one() {
    let demo = Demo::test();
    #[rustfmt::skip]
    let table = [
        ("true", 200, true), (r#""on""#, 200, true), (r#""1""#, 200, true),
        ("false", 200, false), (r#""""#, 200, false), (r#""off""#, 200, false),
        (r#""perhaps""#, 422, false), ("7", 422, false), ("null", 422, false),
    ];
    for (wish, status, remembered) in table {
        let body = format!(r#"{{"username":"ada","password":"ada-demo-1","remember":{wish}}}"#);
        let request = demo.browser().script("POST", "/login").header("content-type", "application/json");
        let reply = demo.send(request.body(body.into()).unwrap()).await;
        assert_eq!(reply.status, status, "{wish}: {reply:?}");
        let long = reply.set_cookies().iter().any(|cookie| cookie.contains("Max-Age=2592000"));
        assert_eq!(long, remembered, "{wish}: {reply:?}");
    }
}

#[tokio::test]
async fn who_is_remembered_is_greeted_and_asked_to_sign_in() {
    let demo = forgetful();
    assert_eq!(who(&mut demo.browser()).await, serde_json::json!({ "subject": null, "assurance": "anonymous" }));
    let mut ada = remembered(&demo, "ada").await;
    assert_eq!(who(&mut ada).await, serde_json::json!({ "subject": "ada", "assurance": "remembered" }));
    let home = ada.open("/").await.body;
    assert!(home.contains("Welcome back, <strong>ada</strong>") && !home.contains("Signed in as"), "{home}");
    assert!(ada.open("/login").await.body.contains(r#"name="username" value="ada""#));
    for path in ["/me", "/devices", "/transfer", "/password", "/events", "/step-up"] {
        assert_eq!(ada.get(path).await.status, 401, "{path}");
        assert!(ada.open(path).await.header("location").starts_with("/login?next="), "{path}");
    }
    let me = ada.get("/me").await;
    assert_eq!((me.header("www-authenticate"), me.set_cookies()), ("Session", vec![]), "the cookie is not cleared");
    assert_eq!(ada.post("/step-up", &[("password", "ada-demo-1")]).await.status, 401);
}

#[tokio::test]
async fn who_is_remembered_signs_in_anew_or_is_forgotten() {
    let demo = forgetful();
    let mut ada = remembered(&demo, "ada").await;
    let mut before = ada.clone();
    let reply = ada.fill_in("/login", "/login", &[("username", "ada"), ("password", "ada-demo-1")]).await;
    assert_eq!((reply.status.as_u16(), reply.set_cookies().len()), (303, 1));
    assert_eq!(who(&mut before).await["assurance"], "anonymous", "the remembered session was replaced");

    let mut grace = remembered(&demo, "grace").await;
    let mut copy = grace.clone();
    let forgotten = grace.fill_in("/", "/logout", &[]).await;
    assert!(forgotten.status == 303 && forgotten.set_cookies()[0].contains("Max-Age=0"), "{forgotten:?}");
    for browser in [&mut grace, &mut copy] {
        assert_eq!(who(browser).await["subject"], serde_json::Value::Null);
    }
}

#[tokio::test]
async fn another_site_cannot_have_anybody_forgotten() {
    let demo = forgetful();
    let mut ada = remembered(&demo, "ada").await;
    let request = ada.script("POST", "/logout").header("origin", "https://evil.example");
    assert_eq!(ada.send(form(request, &[])).await.status, 403, "403 wins over 401");
    assert_eq!(who(&mut ada).await["assurance"], "remembered");
}
