//! Configurations as they are written: what must be in each, and what cannot be written.

use super::*;
use crate::app::{Algorithm, CookieReturn};
use crate::rules::{Access, Rule, Rules};
use counterfoil::Policy;
use counterfoil_telemetry::set::SignalSettings;

fn app(origin: &str) -> AppConfig {
    AppConfig {
        name: "my-wiki".parse().unwrap(),
        proxy: Proxy::Nginx,
        policy: Policy::aal2(origin).unwrap(),
        rules: Rules::new(vec![Rule::new("/*".parse().unwrap(), Access::SignedIn)]),
        cookie_return: CookieReturn::One,
        assertion: Algorithm::Es256,
        app_cookies: crate::app_cookies::AppCookies::default(),
        upstream: Some("http://127.0.0.1:8080".parse().unwrap()),
    }
}

fn listen() -> Listen {
    let at = |text: &str| text.parse().unwrap();
    Listen { public: at("0.0.0.0:9400"), decision: at("127.0.0.1:9401"), health: at("127.0.0.1:9403") }
}

fn text(proxy: Proxy, app: &AppConfig) -> String {
    proxy_config(proxy, app, &listen(), None, None).unwrap().iter().map(|file| file.text.as_str()).collect()
}

#[test]
fn every_proxy_is_told_where_all_three_are_and_what_is_ours() {
    let wiki = app("https://wiki.example");
    for proxy in Proxy::ALL {
        let text = text(proxy, &wiki);
        let envoy = matches!(proxy, Proxy::Envoy | Proxy::EnvoyGrpc);
        let addresses =
            if envoy { ["9401", "9400", "8080"] } else { ["127.0.0.1:9401", "127.0.0.1:9400", "127.0.0.1:8080"] };
        for part in addresses.into_iter().chain(["wiki.example", "/.session/", "/.well-known/counterfoil/", "/authz/"])
        {
            assert!(text.contains(part), "{}: {part}", proxy.as_str());
        }
        assert!(text.to_lowercase().contains("cookie"), "{}", proxy.as_str());
    }
}

#[test]
fn what_receivers_of_shared_signals_look_up_is_passed_on_where_the_issuer_is_the_app_s() {
    let signals =
        |issuer: &str| -> SignalSettings { serde_json::from_value(serde_json::json!({ "issuer": issuer })).unwrap() };
    for proxy in Proxy::ALL {
        for (issuer, path) in [
            ("https://wiki.example", Some("/.well-known/ssf-configuration")),
            ("https://wiki.example/a", Some("/.well-known/ssf-configuration/a")),
            ("https://login.example", None),
        ] {
            let app = app("https://wiki.example");
            let files = proxy_config(proxy, &app, &listen(), None, Some(&signals(issuer))).unwrap();
            let text: String = files.iter().map(|file| file.text.as_str()).collect();
            let found = text.match_indices("/.well-known/ssf-configuration").count();
            assert_eq!(found, usize::from(path.is_some()), "{} {issuer}", proxy.as_str());
            assert!(path.is_none_or(|path| text.contains(path)), "{} {issuer}", proxy.as_str());
        }
    }
}

#[test]
fn each_decision_is_asked_for_at_the_endpoint_of_its_proxy() {
    for (proxy, endpoint) in [
        (Proxy::Nginx, "/authz/auth-request/my-wiki;"),
        (Proxy::Traefik, "/authz/forward-auth/my-wiki\""),
        (Proxy::Caddy, "/authz/forward-auth/my-wiki?\n"),
        (Proxy::Haproxy, "/authz/forward-auth/my-wiki\""),
        (Proxy::Envoy, "/authz/ext-authz/my-wiki\n"),
        (Proxy::EnvoyGrpc, "value: my-wiki }"),
    ] {
        assert!(text(proxy, &app("https://wiki.example")).contains(endpoint), "{}", proxy.as_str());
    }
}

#[test]
fn no_cookie_comes_back_where_none_may() {
    let one = app("https://wiki.example");
    let none = AppConfig { cookie_return: CookieReturn::None, ..one.clone() };
    for (proxy, mark) in [
        (Proxy::Nginx, "add_header Set-Cookie $counterfoil_my_wiki_set_cookie always;\n    add_header Cache"),
        (Proxy::Traefik, "addAuthCookiesToResponse: [__Host-Http-id, __Host-Http-el, __Host-Http-an]"),
        (Proxy::Caddy, "header +Set-Cookie"),
        (Proxy::Haproxy, "http-after-response add-header set-cookie"),
        (Proxy::Envoy, "allowed_client_headers_on_success"),
    ] {
        assert!(text(proxy, &one).contains(mark), "{}", proxy.as_str());
        assert!(!text(proxy, &none).contains(mark), "{}", proxy.as_str());
    }
}

#[test]
fn hosts_on_loopback_are_listened_for_on_loopback_alone() {
    for (proxy, line) in [
        (Proxy::Nginx, "listen 127.0.0.1:8000;"),
        (Proxy::Traefik, "address: \"127.0.0.1:8000\""),
        (Proxy::Caddy, "bind 127.0.0.1"),
        (Proxy::Haproxy, "bind 127.0.0.1:8000"),
        (Proxy::Envoy, "address: 127.0.0.1, port_value: 8000"),
    ] {
        assert!(text(proxy, &app("http://localhost:8000")).contains(line), "{}", proxy.as_str());
        assert!(!text(proxy, &app("https://wiki.example")).contains("127.0.0.1:443"), "{}", proxy.as_str());
    }
}

#[test]
fn nginx_says_what_tls_it_speaks_and_sends_each_host_on_to_itself() {
    let usual = text(Proxy::Nginx, &app("https://wiki.example"));
    for line in [
        "ssl_protocols TLSv1.2 TLSv1.3;",
        "ssl_session_tickets off;",
        "    listen 80;\n    server_name wiki.example;\n    return 308 https://wiki.example$request_uri;",
    ] {
        assert!(usual.contains(line), "{line}: {usual}");
    }
    assert!(text(Proxy::Nginx, &app("https://app.localhost")).contains("    listen 127.0.0.1:80;"));
    // Who listens at another port may have something else at 80.
    for origin in ["https://wiki.example:8443", "http://localhost:8000"] {
        assert!(!text(Proxy::Nginx, &app(origin)).contains("return 308"), "{origin}");
    }
    assert!(!text(Proxy::Nginx, &app("http://localhost:8000")).contains("ssl_"));
}

#[test]
fn a_default_port_may_be_named_or_left_out() {
    let view = |origin| {
        let app = app(origin);
        view::View::new(&app, &listen(), None, None).unwrap().doors.first().unwrap().authorities()
    };
    assert_eq!(view("https://wiki.example"), ["wiki.example", "wiki.example:443"]);
    assert_eq!(view("http://localhost:8000"), ["localhost:8000"]);
}

#[test]
fn what_a_proxy_must_know_and_is_not_told_is_an_error_that_says_so() {
    for (upstream, says) in [
        (None, "set its `upstream`"),
        (Some("https://127.0.0.1:8080"), "write scheme http, host and port"),
        (Some("http://127.0.0.1:8080/base"), "nothing after them"),
        (Some("http://user@127.0.0.1:8080"), "host and port"),
        (Some("/base"), "host and port"),
    ] {
        let app = AppConfig { upstream: upstream.map(|text| text.parse().unwrap()), ..app("https://wiki.example") };
        let error = proxy_config(Proxy::Caddy, &app, &listen(), None, None).unwrap_err().to_string();
        assert!(error.contains("my-wiki") && error.contains(says), "{error}");
    }
    let odd = Certificate { chain: "/etc/ssl/a;b.pem".into(), key: "/etc/ssl/key.pem".into() };
    let error = proxy_config(Proxy::Nginx, &app("https://wiki.example"), &listen(), Some(&odd), None).unwrap_err();
    assert_eq!(error, ProxyConfigError::Path("/etc/ssl/a;b.pem".into()));
}
