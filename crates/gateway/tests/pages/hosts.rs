//! Which app a request is for: by its host, and by nothing else.

use std::sync::Arc;

use axum::body::Body;
use counterfoil::{Policy, PolicySettings};
use counterfoil_gateway::app::AppConfig;
use http::{HeaderValue, Request, header};

use crate::browser::{Gate, SHOP, WIKI, app, form, password};

#[tokio::test]
async fn each_host_has_its_app_and_says_so_on_every_page() {
    let gate = Gate::open();
    for (origin, app, host) in [(WIKI, "wiki", "wiki.example"), (SHOP, "shop", "127.0.0.1:8080")] {
        for path in ["/.session/login", "/.session/nowhere", "/.session/denied", "/.session/logout"] {
            let page = gate.browser_at(origin).open(path).await.body;
            assert!(
                page.contains(&format!("<strong>{app}</strong> <span class=\"host\">{host}</span>")),
                "{path}: {page}"
            );
        }
    }
}

#[tokio::test]
async fn a_host_nobody_has_is_misdirected_and_two_are_refused() {
    let gate = Gate::open();
    let mut browser = gate.browser();
    #[rustfmt::skip]
    let table: &[(&str, &[&str], u16)] = &[
        ("/.session/login",                     &["wiki.example"],                 200),
        ("/.session/login",                     &["WIKI.example"],                 200),
        ("/.session/login",                     &["wiki.example."],                421),
        ("/.session/login",                     &["wiki.example.:443"],            421),
        ("/.session/login",                     &["wiki.example:443"],             200),
        ("/.session/login",                     &["wiki.example:80"],              421),
        ("/.session/login",                     &["wiki.example:"],                421),
        ("/.session/login",                     &["wiki.example:443:443"],         421),
        ("/.session/login",                     &["127.0.0.1:8080"],               200),
        ("/.session/login",                     &["127.0.0.1"],                    421),
        ("/.session/login",                     &["wiki.example:8443"],            421),
        ("/.session/login",                     &["evil.example"],                 421),
        ("/.session/login",                     &["wiki.example.evil.example"],    421),
        ("/.session/login",                     &["wiki.example@evil.example"],    421),
        ("/.session/login",                     &[""],                             421),
        ("/.session/login",                     &["wiki.example, evil.example"],   421),
        ("/.session/login",                     &["wiki.example", "evil.example"], 400),
        ("/.session/login",                     &["wiki.example", "wiki.example"], 400),
        ("/.session/login",                     &[],                               400),
        ("https://wiki.example/.session/login", &[],                               200),
        ("https://wiki.example/.session/login", &["wiki.example"],                 200),
        ("https://wiki.example:443/.session/login", &[],                           200),
        ("https://evil.example/.session/login", &["wiki.example"],                 400),
        ("https://wiki.example/.session/login", &["evil.example"],                 400),
    ];
    for (target, hosts, status) in table {
        let request = hosts.iter().fold(Request::get(*target), |request, host| request.header(header::HOST, *host));
        let reply = browser.send(request.header(header::ACCEPT, "text/html").body(Body::empty()).unwrap()).await;
        assert_eq!(reply.status, *status, "{target} {hosts:?}");
        assert!(!reply.body.contains("evil"), "{target} {hosts:?}: {}", reply.body);
        assert!(reply.header("content-security-policy").contains("frame-ancestors 'none'"), "{target} {hosts:?}");
    }
}

#[tokio::test]
async fn a_form_of_an_apps_second_host_is_good_there_with_its_port_written_out_too() {
    let (gate, second) = (Gate::open(), "https://wiki.example.org");
    let settings = PolicySettings { origins: vec![WIKI.to_owned(), second.to_owned()], ..PolicySettings::default() };
    let policy = Policy::try_from(settings).unwrap();
    gate.gateway.exchange(&[AppConfig { policy, ..app("wiki", WIKI) }]).unwrap();
    let mut ada = gate.browser_at(second);
    assert_eq!(ada.sign_in("ada").await.status, 200);
    assert_eq!(ada.post("/.session/step-up", &[("password", &password("ada"))]).await.status, 200);
    let token = ada.get("/.session/me").await.json()["csrf_token"].as_str().unwrap().to_owned();
    let request = ada.script("POST", "/.session/totp/begin").header("x-csrf-token", token);
    let mut request = form(request, &[]);
    request.headers_mut().insert(header::HOST, HeaderValue::from_static("Wiki.Example.org:443"));
    assert_eq!(ada.send(request).await.status, 200);
}

#[tokio::test]
async fn localhost_instead_of_its_number_is_helped_and_strangers_learn_of_no_other_app() {
    let gate = Gate::open();
    let mut browser = gate.browser();
    let mut said = async |host: &str| {
        let request = Request::get("/.session/login").header(header::HOST, host).body(Body::empty()).unwrap();
        browser.send(request).await.body
    };
    assert!(said("localhost:8080").await.contains("http://127.0.0.1:8080"));
    let elsewhere = said("evil.example").await;
    assert!(!elsewhere.contains("127.0.0.1") && !elsewhere.contains("wiki.example"), "{elsewhere}");
}

#[tokio::test]
async fn a_configuration_that_was_exchanged_is_gone_with_the_next_page() {
    let gate = Gate::open();
    assert_eq!(gate.browser().open("/.session/login").await.status, 200);
    let before: Vec<_> = gate.gateway.sites().iter().map(Arc::downgrade).collect();
    gate.gateway.exchange(&[app("wiki", WIKI)]).unwrap();
    assert_eq!(gate.browser().open("/.session/login").await.status, 200);
    assert_eq!(before.iter().map(std::sync::Weak::strong_count).collect::<Vec<_>>(), [0, 0]);
}

#[tokio::test]
async fn a_session_is_one_apps_and_an_exchanged_configuration_signs_nobody_out() {
    let gate = Gate::open();
    let mut ada = gate.signed_in("ada").await;
    assert_eq!(gate.browser_at(SHOP).get("/.session/me").await.json()["signed_in"], false);
    gate.gateway.exchange(&[app("news", WIKI)]).unwrap();
    assert_eq!(ada.get("/.session/me").await.json()["subject"], "ada");
    assert!(ada.open("/.session/login").await.body.contains("Sign in to news"));
    assert_eq!(gate.browser_at(SHOP).open("/.session/login").await.status, 421);
}
