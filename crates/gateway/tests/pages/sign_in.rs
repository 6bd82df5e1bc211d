//! Signing in and out: one answer for whatever is wrong, one hash for it, and no way around the limit.

use counterfoil::{LimitSettings, Limiter};
use http::Request;

use crate::browser::{Gate, Reply, SHOP, WIKI, form, named, password};

async fn attempt(gate: &Gate, name: &str, password: &str) -> Reply {
    gate.browser().post("/.session/login", &[("username", name), ("password", password)]).await
}

#[tokio::test]
async fn people_sign_in_where_they_were_going_and_out_for_good() {
    let gate = Gate::open();
    let mut ada = gate.browser();
    let page = "/.session/login?next=%2Fpage%3Fa%3D1%26b%3D2";
    let (name, right) = (("username", " Ada"), password("ada"));
    let reply = ada.fill_in(page, "/.session/login", &[name, ("password", &right)]).await;
    assert_eq!(reply.seen(), (303, "/page?a=1&b=2".to_owned()));
    let before = ada.clone();
    assert_eq!(ada.get("/.session/me").await.json()["subject"], "ada");
    let shown = ada.open("/.session/login?next=%2Fpage").await;
    assert!(
        shown.body.contains(r#"You are signed in as <strong>ada</strong>. <a href="/page">Go on</a>"#),
        "{}",
        shown.body
    );
    assert_eq!(
        ada.fill_in("/.session/logout", "/.session/logout", &[]).await.seen(),
        (303, "/.session/logout".to_owned())
    );
    assert!(ada.jar.is_empty());
    assert!(ada.open("/.session/logout").await.body.contains("You are signed out"));
    assert_eq!(before.clone().get("/.session/me").await.json()["signed_in"], false, "final");
}

#[tokio::test]
async fn our_own_redirect_never_does_what_another_site_s_link_may_not() {
    let gate = Gate::open();
    let mut ada = gate.browser_at(SHOP);
    let (name, password) = (("username", "ada"), ("password", password("ada")));
    for (wanted, expected) in [
        ("/cart", "/cart"),
        ("/cart?clear=1", "/cart"),
        ("/cart%3Fclear=1", "/"),
        ("/buy", "/"),
        ("/BUY?x=1", "/"),
        ("//buy", "/"),
    ] {
        let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("next", wanted).finish();
        for page in ["/.session/login", "/.session/step-up"] {
            let shown = ada.open(&format!("{page}?{query}")).await;
            assert!(!shown.body.contains("clear=1") && !shown.body.to_lowercase().contains("/buy"), "{page}, {wanted}");
            let fields = [name, ("password", password.1.as_str()), ("next", wanted)];
            let fields = if page.ends_with("login") { &fields[..] } else { &fields[1..] };
            let reply = ada.fill_in(page, page, fields).await;
            assert_eq!(reply.seen(), (303, expected.to_owned()), "{page}, {wanted}");
        }
    }
}

#[tokio::test]
async fn the_app_s_own_session_cookies_end_at_every_sign_in_and_sign_out() {
    let gate = Gate::open();
    let mut ada = gate.browser();
    let left = |browser: &crate::browser::Browser| {
        let theirs = ["APP1", "app-session", "theme"].into_iter().filter(|name| browser.jar.contains_key(*name));
        theirs.collect::<Vec<_>>()
    };
    let leave_behind = |browser: &mut crate::browser::Browser| {
        for name in ["APP1", "app-session", "theme"] {
            browser.jar.insert(name.to_owned(), "planted".to_owned());
        }
    };
    leave_behind(&mut ada);
    let wrong = ada.post("/.session/login", &[("username", "ada"), ("password", "not hers")]).await;
    assert_eq!((wrong.status.as_u16(), left(&ada).len()), (401, 3), "nothing ends for a wrong password");
    assert_eq!(ada.sign_in("ada").await.status, 200);
    assert_eq!(left(&ada), ["theme"]);
    leave_behind(&mut ada);
    assert_eq!(ada.get("/.session/me").await.status, 200);
    assert_eq!(left(&ada).len(), 3, "nothing ends in between");
    assert_eq!(ada.post("/.session/logout", &[]).await.status, 200);
    assert_eq!(left(&ada), ["theme"]);

    ada.sign_in("ada").await;
    leave_behind(&mut ada);
    let session = ada.get("/.session/me").await.json()["session"].as_str().unwrap().to_owned();
    assert_eq!(ada.post(&format!("/.session/devices/{session}/end"), &[]).await.status, 200);
    assert_eq!(left(&ada), ["theme"], "also from the page of devices");
}

#[tokio::test]
async fn whatever_is_wrong_is_answered_the_same_after_one_hash() {
    let gate = Gate::open();
    let told =
        |book: &mut counterfoil_gateway::accounts::Book| book.disable(&named("grace"), counterfoil::Moment::EPOCH);
    gate.folder().change(None, told).unwrap();
    gate.settle().await;
    let (right, long) = (password("grace"), "x".repeat(4_000));
    #[rustfmt::skip]
    let table = [
        ("a wrong password",        "ada",         "wrong password here"),
        ("none",                    "ada",         ""),
        ("one that is too long",    "ada",         long.as_str()),
        ("nobody's name",           "mallory",     "wrong password here"),
        ("no name there could be",  "m allory\u{1f600}", "wrong password here"),
        ("a name that is too long", long.as_str(), "wrong password here"),
        ("no name",                 "",            "wrong password here"),
        ("a disabled account",      "grace",       right.as_str()),
    ];
    let mut answers = Vec::new();
    for (what, name, password) in table {
        let before = gate.accounts.passwords_checked();
        let script = attempt(&gate, name, password).await;
        assert_eq!(gate.accounts.passwords_checked() - before, 1, "{what}");
        assert_eq!(
            (script.status.as_u16(), script.header("content-type")),
            (401, "application/problem+json"),
            "{what}"
        );
        assert_eq!(script.header("set-cookie"), "", "{what}");
        let mut browser = gate.browser();
        let fields = [("username", name), ("password", password)];
        let page = browser.send(form(browser.navigation("POST", "/.session/login"), &fields)).await;
        let shown: String = page
            .body
            .split("value=\"")
            .enumerate()
            .map(|(at, part)| if at == 1 { part.split_once('"').unwrap().1 } else { part })
            .collect();
        answers.push((script.body, page.status, shown));
    }
    for (answer, (what, ..)) in answers.iter().zip(table) {
        assert_eq!(*answer, answers[0], "{what}");
    }
    assert_eq!(attempt(&gate, "ada", &password("ada")).await.status, 200);
}

#[tokio::test]
async fn an_address_gets_ten_attempts_and_a_name_twenty_from_wherever_and_none_is_hashed_after_that() {
    let gate = Gate::with(Limiter::at_a_standstill(LimitSettings::default()));
    for _ in 0..10 {
        assert_eq!(attempt(&gate, "ada", "wrong password here").await.status, 401);
    }
    let before = gate.accounts.passwords_checked();
    let refused = attempt(&gate, "grace", &password("grace")).await;
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (429, "6"));
    assert_eq!(refused.json()["status"], 429);
    assert_eq!(gate.accounts.passwords_checked(), before);

    let gate = Gate::with(Limiter::at_a_standstill(LimitSettings::default()));
    let spellings = ["ada", "ADA", " ada ", "Ada"];
    for number in 0..20_u8 {
        let mut browser = gate.browser();
        browser.address = [198, 51, 100, number];
        let fields = [("username", spellings[usize::from(number % 4)]), ("password", "wrong")];
        assert_eq!(browser.post("/.session/login", &fields).await.status, 401, "{number}");
    }
    let mut browser = gate.browser();
    let page = browser
        .fill_in("/.session/login", "/.session/login", &[("username", "ada"), ("password", &password("ada"))])
        .await;
    assert_eq!((page.status.as_u16(), page.header("retry-after")), (429, "3"));
    assert!(page.body.contains("Too many attempts"), "{}", page.body);
    assert_eq!(gate.browser().sign_in("grace").await.status, 200, "another name is not held back");
}

#[tokio::test]
async fn nobody_is_led_to_another_site() {
    let gate = Gate::open();
    for elsewhere in
        ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/\t/evil.example"]
    {
        let mut ada = gate.browser();
        let fields = [("username", "ada"), ("password", &*password("ada")), ("next", elsewhere)];
        let reply = ada.send(form(ada.navigation("POST", "/.session/login"), &fields)).await;
        assert_eq!(reply.seen(), (303, "/".to_owned()), "{elsewhere}");
        let encoded: String = url::form_urlencoded::byte_serialize(elsewhere.as_bytes()).collect();
        for path in ["login", "step-up", "login/code"] {
            let page = ada.open(&format!("/.session/{path}?next={encoded}")).await;
            assert!(!page.body.contains("evil") && !page.header("location").contains("evil"), "{path} {elsewhere}");
        }
    }
}

#[tokio::test]
async fn another_site_signs_nobody_in_and_nobody_out() {
    let gate = Gate::open();
    let mut ada = gate.signed_in("ada").await;
    for (path, fields) in [
        ("/.session/login", vec![("username", "grace"), ("password", "grace has a long password")]),
        ("/.session/logout", vec![]),
        ("/.session/devices/end-others", vec![]),
        ("/.session/password", vec![("current", "x"), ("new", "y")]),
        ("/.session/step-up", vec![("password", "x")]),
        ("/.session/refresh", vec![]),
    ] {
        for mut browser in [ada.clone(), gate.browser()] {
            if browser.jar.is_empty() && path != "/.session/login" {
                continue;
            }
            let mut request = form(browser.script("POST", path), &fields);
            request.headers_mut().insert("origin", "https://evil.example".parse().unwrap());
            request.headers_mut().insert("sec-fetch-site", "cross-site".parse().unwrap());
            let reply = browser.send(request).await;
            assert_eq!((reply.status.as_u16(), reply.header("set-cookie")), (403, ""), "{path}");
        }
    }
    assert_eq!(ada.get("/.session/me").await.json()["subject"], "ada");
}

#[tokio::test]
async fn a_refusal_is_explained_and_says_where_the_app_is() {
    let gate = Gate::open();
    let page = gate.browser().open("/.session/denied?reason=foreign_origin").await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("localhost instead of 127.0.0.1") && page.body.contains(WIKI), "{}", page.body);
    let page = gate.browser().open("/.session/denied?reason=%3Cb%3Enonsense").await;
    assert!(!page.body.contains("nonsense"), "{}", page.body);
}

#[tokio::test]
async fn scripts_send_json_and_a_changed_password_ends_the_other_sessions() {
    let gate = Gate::open();
    let (mut ada, mut elsewhere) = (gate.signed_in("ada").await, gate.signed_in("ada").await);
    let body = serde_json::json!({ "current": password("ada"), "new": "a better long password" });
    let request = ada.script("POST", "/.session/password").header("content-type", "application/json");
    let reply = ada.send(request.body(body.to_string().into()).unwrap()).await;
    assert_eq!((reply.status.as_u16(), reply.json()), (200, serde_json::json!({ "changed": true })));
    assert_eq!(ada.get("/.session/me").await.json()["signed_in"], true);
    assert_eq!(elsewhere.get("/.session/me").await.json()["signed_in"], false);
    assert_eq!(attempt(&gate, "ada", &password("ada")).await.status, 401);
    assert_eq!(attempt(&gate, "ada", "a better long password").await.status, 200);
}

#[tokio::test]
async fn a_password_that_is_not_accepted_changes_nothing_and_says_why() {
    let gate = Gate::open();
    let mut ada = gate.signed_in("ada").await;
    let right = password("ada");
    #[rustfmt::skip]
    let table = [
        ("not the current one", "wrong",        "a better long password", 401, "the current password is not right"),
        ("too short",           right.as_str(), "fourteen chars",         422, "fewer than 15 characters"),
        ("the same",            right.as_str(), right.as_str(),           422, "is the current one"),
    ];
    for (what, current, new, status, says) in table {
        let page = ada.fill_in("/.session/password", "/.session/password", &[("current", current), ("new", new)]).await;
        assert_eq!(page.status, status, "{what}");
        assert!(page.body.contains(says) && page.body.contains(r#"role="alert""#), "{what}: {}", page.body);
    }
    gate.store_fails(true);
    let fields = [("current", right.as_str()), ("new", "a better long password")];
    assert_eq!(ada.post("/.session/password", &fields).await.status, 503);
    gate.store_fails(false);
    assert_eq!(attempt(&gate, "ada", &right).await.status, 200, "both or neither");
}

#[tokio::test]
async fn nobody_is_signed_in_by_a_request_that_does_not_say_where_it_comes_from() {
    let gate = Gate::open();
    let right = password("ada");
    for (header, status) in [(None, 403), (Some(("authorization", "Bearer x")), 403), (Some(("x-csrf", "1")), 200)] {
        let request = Request::post("/.session/login").header("host", "wiki.example");
        let request = header.into_iter().fold(request, |request, (name, value)| request.header(name, value));
        let reply = gate.browser().send(form(request, &[("username", "ada"), ("password", &right)])).await;
        assert_eq!(reply.status, status, "{header:?}: {reply:?}");
    }
}

#[tokio::test]
async fn who_fails_at_an_account_from_elsewhere_keeps_its_owner_out_neither_at_home_nor_in_the_same_browser() {
    let gate = Gate::with(Limiter::at_a_standstill(LimitSettings::default()));
    let mut home = gate.browser();
    assert_eq!(home.sign_in("ada").await.status, 200);
    let mut statuses = Vec::new();
    for number in 0..40_u8 {
        let mut thief = gate.browser();
        thief.address = [198, 51, 100, number];
        let fields = [("username", "ada"), ("password", "wrong")];
        statuses.push(thief.post("/.session/login", &fields).await.status.as_u16());
    }
    assert_eq!(statuses, [[401; 20], [429; 20]].concat());
    assert_eq!(gate.browser().sign_in("ada").await.status, 200, "another browser at home");
    home.address = [203, 0, 113, 9];
    assert_eq!(home.sign_in("ada").await.status, 200, "the same browser elsewhere");
    let mut stranger = gate.browser();
    stranger.address = [203, 0, 113, 9];
    assert_eq!(stranger.sign_in("ada").await.status, 200, "where that browser was in the meantime");
    stranger.address = [203, 0, 113, 10];
    stranger.jar.clear();
    assert_eq!(stranger.sign_in("ada").await.status, 429, "somewhere new, as long as it lasts");
}
