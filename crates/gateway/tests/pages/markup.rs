//! What every answer carries, and that nothing anybody sends is obeyed as markup.

use axum::body::Body;

use crate::browser::{Browser, Gate, Reply, form};

const HOSTILE: &str = r#"</title><script>alert(1)</script>"'><img src=x onerror=alert(1)>{{7*7}}"#;

fn guarded(reply: &Reply, what: &str) {
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(reply.header(name), value, "{what}: {reply:?}");
    }
    let policy = reply.header("content-security-policy");
    for part in [
        "default-src 'none'",
        "script-src 'none'",
        "style-src 'self'",
        "img-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'self'",
    ] {
        assert!(policy.contains(part), "{what}: {part} in {policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains("data:"), "{what}: {policy}");
    assert!(reply.headers.contains_key("strict-transport-security"), "{what}");
}

const PATHS: &[&str] = &[
    "/.session/login",
    "/.session/login/code",
    "/.session/logout",
    "/.session/me",
    "/.session/refresh",
    "/.session/step-up",
    "/.session/password",
    "/.session/devices",
    "/.session/devices/x/end",
    "/.session/devices/x/rename",
    "/.session/devices/end-others",
    "/.session/totp",
    "/.session/totp/qr.svg",
    "/.session/totp/begin",
    "/.session/totp/confirm",
    "/.session/totp/cancel",
    "/.session/totp/remove",
    "/.session/denied",
    "/.session/csp-report",
    "/.session/style.css",
    "/.session/icon.svg",
    "/.session/nowhere",
    "/",
];

#[tokio::test]
async fn security_headers_are_on_every_answer_and_none_is_stored() {
    let gate = Gate::open();
    let browsers: [Browser; 2] = [gate.stepped_up("ada").await, gate.browser()];
    for browser in browsers {
        for path in PATHS {
            for method in ["GET", "HEAD", "POST", "PUT", "OPTIONS", "BREW"] {
                for request in [browser.script(method, path), browser.navigation(method, path)] {
                    let mut browser = browser.clone();
                    let reply = browser.send(form(request, &[])).await;
                    let what = format!("{method} {path} {}", reply.status);
                    guarded(&reply, &what);
                    assert_ne!(reply.status, 500, "{what}");
                    let kept = reply.header("cache-control") == "no-store"
                        || reply.header("vary").contains("Cookie")
                        || path.ends_with("css")
                        || path.ends_with("icon.svg")
                        || reply.status == 405;
                    assert!(kept || reply.status == 303, "{what}: {reply:?}");
                }
            }
        }
    }
}

#[tokio::test]
async fn markup_in_any_field_is_shown_and_not_obeyed() {
    let gate = Gate::open();
    let mut ada = gate.stepped_up("ada").await;
    let mut agent = ada.script("POST", "/.session/login").body(Body::empty()).unwrap();
    agent.headers_mut().insert("user-agent", HOSTILE.parse().unwrap());
    ada.send(agent).await;
    let own = ada.get("/.session/devices").await.json()["devices"][0]["session"].as_str().unwrap().to_owned();
    let rename = format!("/.session/devices/{own}/rename");
    ada.post(&rename, &[("label", &HOSTILE[..60])]).await;
    ada.post("/.session/totp/begin", &[]).await;
    let mut shown = vec![
        ada.fill_in("/.session/login", "/.session/login", &[("username", HOSTILE), ("password", HOSTILE)]).await,
        ada.fill_in("/.session/step-up", "/.session/step-up", &[("password", HOSTILE)]).await,
        ada.fill_in("/.session/password", "/.session/password", &[("current", HOSTILE), ("new", HOSTILE)]).await,
        ada.fill_in("/.session/totp", "/.session/totp/confirm", &[("code", HOSTILE)]).await,
        ada.open("/.session/devices").await,
    ];
    assert!(shown[4].body.contains("&#60;script&#62;"), "the label is shown: {}", shown[4].body);
    let encoded: String = url::form_urlencoded::byte_serialize(HOSTILE.as_bytes()).collect();
    for path in
        ["denied?reason=", "login?next=/", "step-up?next=/", "refresh?next=/", "login?said=", "nowhere/", "devices?x="]
    {
        shown.push(ada.open(&format!("/.session/{path}{encoded}")).await);
    }
    for reply in shown {
        assert!(!reply.body.contains("<script") && !reply.body.contains("<img src=x"), "{}", reply.body);
        assert!(!reply.body.contains("\"'>"), "{}", reply.body);
        assert!(reply.header("content-type").starts_with("text/html") || reply.status == 303, "{reply:?}");
    }
}

#[tokio::test]
async fn every_form_of_a_session_carries_its_token_and_no_page_needs_a_script() {
    let gate = Gate::open();
    let mut ada = gate.stepped_up("ada").await;
    ada.post("/.session/totp/begin", &[]).await;
    for path in ["login", "logout", "step-up", "password", "totp", "devices"] {
        let page = ada.open(&format!("/.session/{path}")).await;
        assert_eq!(page.status, 200, "{path}");
        let forms: Vec<_> = page.body.split("<form").skip(1).collect();
        assert!(
            !forms.is_empty() && forms.iter().all(|form| form.contains(r#"name="csrf_token""#)),
            "{path}: {}",
            page.body
        );
        for forbidden in ["<script", " onclick", "javascript:", "<style", " style=", "http-equiv"] {
            assert!(!page.body.contains(forbidden), "{path}: {forbidden}");
        }
    }
    let stranger = gate.browser().open("/.session/login").await;
    assert!(
        !stranger.body.contains("csrf_token") && stranger.header("set-cookie").is_empty(),
        "strangers cost nothing"
    );
}

#[tokio::test]
async fn every_page_can_be_used_by_keyboard_and_read_aloud() {
    let gate = Gate::open();
    let (mut ada, mut stranger) = (gate.stepped_up("ada").await, gate.browser());
    ada.post("/.session/totp/begin", &[]).await;
    let mut pages = Vec::new();
    for path in ["login", "logout", "step-up", "password", "totp", "devices", "denied", "nowhere"] {
        pages.push((path, ada.open(&format!("/.session/{path}")).await.body));
    }
    for path in ["login", "logout", "denied", "nowhere"] {
        pages.push((path, stranger.open(&format!("/.session/{path}")).await.body));
    }
    for (path, html) in pages {
        for (what, times) in [
            (r#"<html lang="en">"#, 1),
            ("<h1>", 1),
            (r##"<a class="skip" href="#content">"##, 1),
            (r#"<main id="content""#, 1),
            ("<header>", 1),
            ("<footer>", 1),
            ("wiki.example", 1),
        ] {
            assert!(html.matches(what).count() >= times, "{path}: {what}");
        }
        for input in html.split("<input").skip(1).map(|rest| rest.split('>').next().unwrap()) {
            let unseen = input.contains(r#"type="hidden""#) || input.contains(" hidden");
            let id = input.split_once(r#"id=""#).and_then(|(_, rest)| rest.split_once('"')).map(|(id, _)| id);
            let labelled = id.is_some_and(|id| html.contains(&format!(r#"<label for="{id}">"#)));
            let remembered = input.contains(r#"type="checkbox""#) || input.contains("autocomplete=");
            assert!(input.contains(r#"type="hidden""#) || remembered, "{path}: {input}");
            assert!(unseen || labelled, "{path}: {input}");
        }
        for image in html.split("<img").skip(1) {
            assert!(image.split('>').next().unwrap().contains(" alt=\""), "{path}");
        }
    }
    let style = stranger.get("/.session/style.css").await.body;
    assert!(!style.contains("url(") && !style.contains("@import"));
    assert!(style.contains("prefers-color-scheme: dark") && style.contains(":focus-visible"));
}
