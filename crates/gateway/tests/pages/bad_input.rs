//! Bodies, paths and fields that nobody honest sends.

use axum::body::Body;
use http::header;

use crate::browser::Gate;

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

#[tokio::test]
async fn bodies_are_read_or_refused_with_the_status_that_says_why() {
    let gate = Gate::open();
    let long = format!("username=ada&password={}", "x".repeat(20_000));
    #[rustfmt::skip]
    let table = [
        ("a form",                  FORM,                  "username=ada&password=x",                401),
        ("more fields than asked",  FORM,                  "username=ada&password=x&admin=1",        401),
        ("a script",                JSON,                  r#"{"username":"ada","password":"x"}"#,   401),
        ("a field missing",         FORM,                  "username=ada",                           422),
        ("a field twice",           FORM,                  "username=ada&username=b&password=x",     422),
        ("the wrong shape",         JSON,                  r#"{"username":["ada"],"password":"x"}"#, 422),
        ("broken JSON",             JSON,                  "{\"username\":\"secret-in-the-body",     400),
        ("nothing",                 FORM,                  "",                                       422),
        ("another type",            "text/plain",          "username=ada&password=x",                415),
        ("multipart",               "multipart/form-data", "username=ada&password=x",                415),
        ("too long",                FORM,                  long.as_str(),                            413),
    ];
    for (what, kind, body, status) in table {
        let mut browser = gate.browser();
        let request = browser.script("POST", "/.session/login").header(header::CONTENT_TYPE, kind);
        let reply = browser.send(request.body(Body::from(body.to_owned())).unwrap()).await;
        assert_eq!(reply.status, status, "{what}: {}", reply.body);
        assert!(!reply.body.contains("secret-in-the-body"), "{what}: {}", reply.body);
        let request = browser.navigation("POST", "/.session/login").header(header::CONTENT_TYPE, kind);
        let page = browser.send(request.body(Body::from(body.to_owned())).unwrap()).await;
        assert_eq!((page.status.as_u16(), page.header("content-type")), (status, "text/html; charset=utf-8"), "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_ends_is_not_waited_for() {
    let gate = Gate::open();
    for mut browser in [gate.browser(), gate.signed_in("ada").await] {
        for path in ["/.session/login", "/.session/logout", "/.session/totp/begin", "/.session/password"] {
            let endless = futures_util::stream::pending::<Result<String, std::io::Error>>();
            let request = browser.script("POST", path).header(header::CONTENT_TYPE, FORM);
            let reply = browser.send(request.body(Body::from_stream(endless)).unwrap()).await;
            assert_ne!(reply.status, 500, "{path}");
        }
    }
}

#[tokio::test]
async fn strange_paths_and_methods_are_answered_and_harm_nothing() {
    let gate = Gate::open();
    let ada = gate.stepped_up("ada").await;
    for path in [
        "/.session",
        "/.session//login",
        "/.session/login/",
        "/.session/./login",
        "/.session/../login",
        "/.session/%6cogin",
        "/.session/login%00",
        "/.session/login;x",
        "/.SESSION/login",
        "//",
        "/%2e%2e/",
        "/.session/devices/%2e%2e/end",
        "/.session/devices/%FF/end",
        "/.session/devices/a%2Fb/end",
        "/authz/auth-request/wiki",
    ] {
        for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "BREW", "CONNECT"] {
            let mut browser = ada.clone();
            let request = browser.script(method, path).body(Body::empty()).unwrap();
            let reply = browser.send(request).await;
            assert!([400, 403, 404, 405].contains(&reply.status.as_u16()), "{method} {path}: {}", reply.status);
            assert!(reply.header("content-security-policy").contains("default-src 'none'"), "{method} {path}");
        }
    }
    assert_eq!(ada.clone().get("/.session/me").await.json()["assurance"], "elevated");
}
