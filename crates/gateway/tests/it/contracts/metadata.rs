//! Invariants 5 and 6: what a proxy tells, and headers that are ours.

use super::*;

#[tokio::test]
async fn invariant_5_metadata_that_is_missing_repeated_or_not_what_it_should_be_is_denied() {
    let told: [(Proxy, &[&str]); 5] = [
        (
            Proxy::Nginx,
            &[
                "x-counterfoil-method",
                "x-counterfoil-target",
                "x-counterfoil-host",
                "x-counterfoil-server",
                "x-counterfoil-scheme",
                "x-forwarded-for",
            ],
        ),
        (Proxy::Traefik, FORWARDED),
        (Proxy::Caddy, FORWARDED),
        (Proxy::Haproxy, FORWARDED),
        (Proxy::Envoy, &["host", "x-forwarded-proto", "x-forwarded-for"]),
    ];
    for (proxy, names) in told {
        let site = Site::new(app(proxy, Access::Public));
        let request = || Asked::get("/").through(proxy);
        assert!(site.send(request()).await.passes());
        for name in names {
            let (mut missing, mut empty, mut twice, mut wrong) = (request(), request(), request(), request());
            missing.headers_mut().remove(*name);
            empty.headers_mut().insert(*name, HeaderValue::from_static(""));
            let value = twice.headers()[*name].clone();
            twice.headers_mut().append(*name, value);
            wrong.headers_mut().insert(*name, HeaderValue::from_bytes(b"\xff\xfe nothing").unwrap());
            for (what, request) in [("missing", missing), ("empty", empty), ("twice", twice), ("wrong", wrong)] {
                assert_eq!(site.send(request).await.seen, 403, "{}: {name} {what}", proxy.as_str());
            }
        }
    }
}

#[tokio::test]
async fn invariant_5_the_host_is_the_apps_in_its_canonical_form_or_denied() {
    #[rustfmt::skip]
    let hosts = [
        ("shop.example",               true),
        ("SHOP.example",               true),
        ("shop.example:443",           true),
        ("shop.example:80",            false),
        ("shop.example:8443",          false),
        ("shop.example.",              false),
        ("shop.example.:443",          false),
        ("blog.shop.example",          false),
        ("evil.example",               false),
        ("shop.example.evil.example",  false),
        ("user@shop.example",          false),
        ("shop.example, evil.example", false),
        ("shop.example/",              false),
        ("shop.example:443:443",       false),
        ("\u{15f}hop.example",         false),
        ("127.0.0.1",                  false),
    ];
    for proxy in CONTRACTS {
        let site = Site::new(app(*proxy, Access::Public));
        for (host, fine) in hosts {
            let asked = Asked { host: host.into(), ..Asked::get("/") };
            let answered = site.ask(&asked).await;
            assert_eq!(answered.passes(), fine, "{}: {host}: {answered:?}", proxy.as_str());
        }
        let plain = Asked { scheme: "http", ..Asked::get("/") };
        assert_eq!(site.ask(&plain).await.seen, 403, "{}: by plain http", proxy.as_str());
    }
}

#[tokio::test]
async fn invariant_5_paths_that_can_be_read_in_two_ways_are_denied() {
    let paths = [
        "/members/../",
        "/members/%2e%2e/",
        "/members/..;/",
        "/%2fmembers/",
        "/members%2f",
        "/members\\x",
        "/members/%5c",
        "/members/%00",
        "/x/%0d%0a",
        "/members/%25%32%66",
    ];
    for (proxy, site) in each() {
        let mut ada = site.signed_in("ada").await;
        counterfoil_core::testing::step_up(site.sessions.engine(), &mut ada).await.unwrap();
        for path in paths {
            // Some an HTTP library would not even let be asked for.
            if proxy == Proxy::Envoy && format!("/x{path}").parse::<http::Uri>().is_err() {
                continue;
            }
            let answered = site.ask(&Asked::get(path).cookies(&ada)).await;
            assert_eq!(answered.seen, 403, "{}: {path}", proxy.as_str());
        }
        if proxy != Proxy::Envoy {
            for target in ["*", "http://shop.example/", "shop.example/", "/#/members/"] {
                assert_eq!(site.ask(&Asked::get(target).cookies(&ada)).await.seen, 403, "{}: {target}", proxy.as_str());
            }
        }
    }
}

#[tokio::test]
async fn invariant_5_a_target_in_absolute_form_for_another_host_is_denied() {
    let site = Site::new(app(Proxy::Nginx, Access::Public));
    for (server, fine) in [("shop.example", true), ("evil.example", false), ("shop.example.", false)] {
        let mut request = Asked::get("/").through(Proxy::Nginx);
        request.headers_mut().insert("x-counterfoil-server", HeaderValue::from_static(server));
        assert_eq!(site.send(request).await.passes(), fine, "{server}");
    }
    let site = Site::new(app(Proxy::Envoy, Access::Public));
    for (authority, fine) in [("shop.example", true), ("evil.example", false)] {
        let mut request = Asked::get("/").through(Proxy::Envoy);
        *request.uri_mut() = format!("http://{authority}/authz/ext-authz/shop/").parse().unwrap();
        assert_eq!(site.send(request).await.passes(), fine, "{authority}");
    }
}

#[tokio::test]
async fn invariant_6_our_headers_from_a_client_are_refused_in_every_spelling() {
    for (proxy, site) in each() {
        for name in [
            "Counterfoil-Assertion",
            "Counterfoil-Subject",
            "counterfoil_subject",
            "COUNTERFOIL.AUTH.TIME",
            "Counterfoil-Command",
            "X_Counterfoil_Host",
        ] {
            let answered = site.ask(&Asked::get("/").header(name, "root")).await;
            assert_eq!(answered.seen, 403, "{}: {name}", proxy.as_str());
        }
        // The browser's own connection is not ours to see, but where a proxy passes the header on it is refused.
        if proxy != Proxy::EnvoyGrpc {
            let mut request = Asked::get("/").through(proxy);
            request.headers_mut().insert("connection", HeaderValue::from_static("close, Counterfoil-Assertion"));
            assert_eq!(site.send(request).await.seen, 403, "{}", proxy.as_str());
        }
    }
}

const FORWARDED: &[&str] =
    &["x-forwarded-method", "x-forwarded-uri", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-for"];
