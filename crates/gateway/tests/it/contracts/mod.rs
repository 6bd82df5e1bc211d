//! The invariants of every contract, each by its number in the design, and what only one contract has.

#[cfg(feature = "grpc")]
pub(crate) mod grpc;

use axum::body::Body;
use counterfoil::Policy;
use counterfoil_core::cookie::{CookieKind, CookieNames};
use counterfoil_core::testing::Fault;
use counterfoil_gateway::app::{AppConfig, CookieReturn, Proxy};
use counterfoil_gateway::owned::ANSWERED;
use counterfoil_gateway::rules::Access;
use http::{HeaderMap, HeaderValue, Request};

use crate::harness::{Asked, CONTRACTS, Site, app, shop};

/// A request to each contract's endpoint, by what the contract calls it.
fn each() -> impl Iterator<Item = (Proxy, Site)> {
    CONTRACTS.iter().map(|proxy| (*proxy, Site::new(shop(*proxy))))
}

#[tokio::test]
async fn invariant_1_every_2xx_answers_all_headers_we_own_empty_where_they_do_not_apply() {
    for (proxy, site) in each() {
        let ada = site.signed_in("ada").await;
        for (asked, signed_in) in [
            (Asked::get("/"), false),
            (Asked::get("/members/").cookies(&ada), true),
            (Asked::get("/").cookies(&ada), true),
        ] {
            let answered = site.ask(&asked).await;
            assert!(answered.passes(), "{}: {answered:?}", proxy.as_str());
            // Nothing of this could stay as the client sent it.
            let mut spoofed = asked.headers.clone();
            for name in &ANSWERED {
                spoofed.insert(name, HeaderValue::from_static("spoofed=1"));
            }
            let at_the_app = answered.at_the_app(&spoofed);
            for name in &ANSWERED {
                let value = at_the_app.get(name).map_or("", |value| value.to_str().unwrap());
                assert!(!value.contains("spoofed"), "{}: {name}", proxy.as_str());
                let applies = signed_in || matches!(name.as_str(), "counterfoil-assertion" | "counterfoil-assurance");
                assert_eq!(!value.is_empty(), applies && name != "cookie", "{}: {name}", proxy.as_str());
                let told = answered.headers.contains_key(name) || answered.removed.contains(&name.as_str().to_owned());
                assert!(told, "{}: {name} is missing", proxy.as_str());
            }
        }
    }
}

#[tokio::test]
async fn invariant_2_nothing_is_read_from_a_query() {
    for (proxy, site) in each() {
        let queries = "app=other&rule=public&rd=https://evil.example&X-Forwarded-Uri=/&method=GET&uri=/";
        let asked = Asked::get(&format!("/members/?{queries}"));
        assert_eq!(site.ask(&asked).await.seen, 401, "{}", proxy.as_str());
        if matches!(proxy, Proxy::Envoy | Proxy::EnvoyGrpc) {
            continue;
        }
        // Caddy appends the client's query to our address.
        let mut request = Asked::get("/members/").through(proxy);
        *request.uri_mut() = format!("{}?{queries}", request.uri().path()).parse().unwrap();
        assert_eq!(site.send(request).await.seen, 401, "{}", proxy.as_str());
    }
}

#[tokio::test]
async fn invariant_3_at_most_one_set_cookie_leaves_and_none_where_it_would_be_lost() {
    for proxy in CONTRACTS {
        for (returns, cookies) in [(CookieReturn::One, 1), (CookieReturn::None, 0)] {
            let site = Site::new(AppConfig { cookie_return: returns, ..shop(*proxy) });
            let mut ada = site.signed_in("ada").await;
            counterfoil_core::testing::step_up(site.sessions.engine(), &mut ada).await.unwrap();
            site.clock.advance(std::time::Duration::from_mins(20));
            let answered = site.ask(&Asked::get("/members/").cookies(&ada)).await;
            assert!(answered.passes(), "{}", proxy.as_str());
            let set: Vec<_> = answered.headers.get_all("set-cookie").iter().collect();
            assert_eq!(set.len(), cookies, "{}: {returns:?}", proxy.as_str());
        }
    }
}

#[tokio::test]
async fn invariant_4_any_method_is_decided_without_a_body_and_never_cached() {
    for (proxy, site) in each() {
        let ada = site.signed_in("ada").await;
        for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND", "BREW", "QUERY"] {
            let mut request = Asked::get("/members/x").method(method).own().cookies(&ada).through(proxy);
            if proxy != Proxy::EnvoyGrpc {
                // It never comes.
                let pending =
                    Body::from_stream(futures_util::stream::pending::<Result<bytes::Bytes, std::io::Error>>());
                *request.body_mut() = pending;
                request.headers_mut().insert("expect", HeaderValue::from_static("100-continue"));
            }
            let answered = site.send(request).await;
            assert!(answered.passes(), "{} {method}: {answered:?}", proxy.as_str());
            assert!(answered.status == 200 || answered.status == 204 || proxy == Proxy::EnvoyGrpc);
            assert_eq!(answered.header("cache-control"), Some("no-store"), "{} {method}", proxy.as_str());
            assert!(answered.body.is_empty(), "{} {method}", proxy.as_str());
        }
        assert_eq!(site.ask(&Asked::get("/members/").method("TRACE").cookies(&ada)).await.seen, 403);
        for denied in [Asked::get("/members/"), Asked::get("/members/").navigation(), Asked::get("/nowhere")] {
            let answered = site.ask(&denied).await;
            assert!(!answered.passes() && answered.header("cache-control") == Some("no-store"), "{answered:?}");
        }
    }
}

#[tokio::test]
async fn invariant_4_no_answer_is_longer_than_4_kib() {
    for (proxy, site) in each() {
        let ada = site.signed_in(&"a".repeat(255)).await;
        site.clock.advance(std::time::Duration::from_mins(20));
        let length =
            |headers: &HeaderMap| headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
        let own = ada.header(crate::harness::NOW).unwrap();
        for (others, passes) in [(0, true), (1_000, true), (6_000, false), (40_000, false)] {
            let cookies = format!("{}; theirs={}", own.to_str().unwrap(), "x".repeat(others));
            let answered = site.ask(&Asked::get("/members/").header("cookie", &cookies)).await;
            assert_eq!(answered.passes(), passes, "{} with {others}: {answered:?}", proxy.as_str());
            let length: usize = length(&answered.headers);
            assert!(length < 4_096 - 100, "{}: {length}", proxy.as_str());
        }
        // Nor is a way back.
        let far = Asked::get(&format!("/members/{}", "x".repeat(7_000))).navigation();
        let answered = site.ask(&far).await;
        assert_eq!(answered.seen, 303, "{}", proxy.as_str());
        let length: usize = length(&answered.headers);
        assert!(length < 4_096 - 100, "{}: {length}", proxy.as_str());
    }
}

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

#[tokio::test]
async fn invariant_7_cookie_headers_that_a_proxy_joined_are_read_and_two_sessions_are_refused() {
    for proxy in JOINING {
        let site = Site::new(shop(proxy));
        let (ada, eve) = (site.signed_in("ada").await, site.signed_in("eve").await);
        let [ada, eve] = [&ada, &eve].map(|jar| jar.header(crate::harness::NOW).unwrap().to_str().unwrap().to_owned());
        #[rustfmt::skip]
        let rows = [
            ("joined by the proxy",                format!("a=1, {ada}"),          200, "a=1"),
            ("joined by a comma alone",            format!("a=1,{ada},b=2"),       200, "a=1,b=2"),
            ("joined, ours first",                 format!("{ada}, a=1"),          200, "a=1"),
            ("the same session twice",             format!("{ada}, {ada}"),        200, ""),
            ("two sessions",                       format!("{ada}, {eve}"),        401, ""),
            // What a sibling domain planted in a cookie of another name (decision 0008).
            ("planted beside one's own",           format!("{ada}; x=1, {eve}"),   401, ""),
        ];
        for (name, cookies, seen, at_the_app) in rows {
            let answered = site.ask(&Asked::get("/members/").header("cookie", &cookies)).await;
            assert_eq!(answered.seen, seen, "{}: {name}", proxy.as_str());
            if seen == 200 {
                assert_eq!(answered.header("cookie"), Some(at_the_app), "{}: {name}", proxy.as_str());
            }
        }
    }
}

#[tokio::test]
async fn invariant_7_behind_proxies_that_join_nothing_a_comma_plants_no_session() {
    for proxy in CONTRACTS.iter().filter(|proxy| !JOINING.contains(proxy)) {
        let site = Site::new(shop(*proxy));
        let (ada, eve) = (site.signed_in("ada").await, site.signed_in("eve").await);
        let [ada, eve] = [&ada, &eve].map(|jar| jar.header(crate::harness::NOW).unwrap().to_str().unwrap().to_owned());
        let planted = Asked::get("/members/").header("cookie", &format!("x=1, {eve}"));
        assert_eq!(site.ask(&planted).await.seen, 401, "{}", proxy.as_str());
        let both = Asked::get("/members/").header("cookie", &ada).header("cookie", &eve);
        assert_eq!(site.ask(&both).await.seen, 401, "{}: in two lines", proxy.as_str());
    }
}

#[tokio::test]
async fn invariant_8_whatever_goes_wrong_denies_and_so_does_what_no_rule_names() {
    for (proxy, site) in each() {
        let ada = site.signed_in("ada").await;
        assert_eq!(site.ask(&Asked::get("/nowhere").cookies(&ada)).await.seen, 403, "{}: no rule", proxy.as_str());
        assert_eq!(site.ask(&Asked::get("/x/members/").cookies(&ada)).await.seen, 403, "{}: anchored", proxy.as_str());
        assert_eq!(site.ask(&Asked::get("/?/members/")).await.seen, 200, "{}: the path only", proxy.as_str());
        site.faults.on_all(Fault::Before);
        assert_eq!(site.ask(&Asked::get("/members/").cookies(&ada)).await.seen, 503, "{}", proxy.as_str());
        site.faults.on_all(Fault::After);
        assert_eq!(site.ask(&Asked::get("/members/").cookies(&ada)).await.seen, 503, "{}", proxy.as_str());
        // An app that is gone from the configuration, or moved to another proxy.
        site.gateway.exchange(&[]).unwrap();
        assert_eq!(site.ask(&Asked::get("/")).await.seen, 403, "{}", proxy.as_str());
        let other = if proxy == Proxy::Nginx { Proxy::Caddy } else { Proxy::Nginx };
        site.gateway.exchange(&[app(other, Access::Public)]).unwrap();
        assert_eq!(site.ask(&Asked::get("/")).await.seen, 403, "{}", proxy.as_str());
    }
}

#[tokio::test]
async fn invariant_9_the_app_sees_all_cookies_but_ours() {
    for (proxy, site) in each() {
        let mut ada = site.signed_in("ada").await;
        counterfoil_core::testing::step_up(site.sessions.engine(), &mut ada).await.unwrap();
        let ours = ada.header(crate::harness::NOW).unwrap().to_str().unwrap().to_owned();
        let names = CookieNames::https();
        let asked = Asked::get("/members/")
            .header("cookie", &format!("theme=dark; {ours}; lang=en"))
            .header("cookie", &format!("{}=malformed!; last=1", names.name(CookieKind::Anonymous)));
        let answered = site.ask(&asked).await;
        let at_the_app = answered.at_the_app(&asked.headers);
        let cookies: Vec<_> = at_the_app.get_all("cookie").iter().collect();
        assert_eq!(cookies, ["theme=dark; lang=en; last=1"], "{}", proxy.as_str());
        // And none at all where only ours were there.
        let only_ours = Asked::get("/members/").header("cookie", &ours);
        let at_the_app = site.ask(&only_ours).await.at_the_app(&only_ours.headers);
        assert!(at_the_app.get("cookie").is_none_or(HeaderValue::is_empty), "{}", proxy.as_str());
    }
}

#[tokio::test]
async fn an_endpoint_is_for_one_contract_and_nothing_else_answers() {
    for proxy in [Proxy::Nginx, Proxy::Traefik, Proxy::Envoy] {
        let site = Site::new(app(proxy, Access::Public));
        for address in [
            "/",
            "/authz",
            "/authz/",
            "/authz/auth-request",
            "/authz/auth-request/",
            "/authz/auth-request/other",
            "/authz/auth-request/shop/x",
            "/authz/forward-auth/shop/",
            "/authz/forward-auth/SHOP",
            "/authz/forward-auth/sh%6fp",
            "/authz/ext-authz/shop",
            "/authz/verify/shop",
            "//authz/auth-request/shop",
        ] {
            let mut request = Asked::get("/").through(proxy);
            *request.uri_mut() = address.parse().unwrap();
            let status = {
                let router = counterfoil_gateway::authz::router(site.gateway.clone());
                tower::ServiceExt::oneshot(router, request).await.unwrap().status()
            };
            assert_eq!(status, 403, "{}: {address}", proxy.as_str());
        }
        for other in [Proxy::Nginx, Proxy::Traefik, Proxy::Envoy].into_iter().filter(|other| *other != proxy) {
            let request = Asked::get("/").through(other);
            let router = counterfoil_gateway::authz::router(site.gateway.clone());
            let status = tower::ServiceExt::oneshot(router, request).await.unwrap().status();
            assert_eq!(status, 403, "{} at the endpoint of {}", proxy.as_str(), other.as_str());
        }
    }
}

#[tokio::test]
async fn nginx_is_answered_204_401_or_403_and_nothing_else() {
    let site = Site::new(shop(Proxy::Nginx));
    let ada = site.signed_in("ada").await;
    let rows = [
        (Asked::get("/"), 204, None, false),
        (Asked::get("/members/"), 401, Some("401"), false),
        (Asked::get("/members/").navigation(), 401, Some("303"), true),
        (Asked::get("/admin/").cookies(&ada), 401, Some("401"), false),
        (Asked::get("/admin/").cookies(&ada).navigation(), 401, Some("303"), true),
        (Asked::get("/members/").method("POST").cookies(&ada), 403, Some("403"), false),
        (Asked::get("/nowhere"), 403, Some("403"), false),
        (Asked::get("/").header("x", &"x".repeat(70_000)), 403, Some("431"), false),
    ];
    for (asked, status, told, sent_on) in rows {
        let answered = site.ask(&asked).await;
        let seen = (answered.status, answered.header("counterfoil-status"), answered.headers.contains_key("location"));
        assert_eq!(seen, (status, told, sent_on), "{asked:?}");
        assert!(answered.body.is_empty());
    }
    site.faults.on_all(Fault::Before);
    let answered = site.ask(&Asked::get("/members/").cookies(&ada)).await;
    assert_eq!((answered.status, answered.header("counterfoil-status")), (403, Some("503")));
}

#[tokio::test]
async fn headers_of_a_megabyte_are_refused_without_a_look() {
    for proxy in CONTRACTS.iter().filter(|proxy| **proxy != Proxy::EnvoyGrpc) {
        let site = Site::new(app(*proxy, Access::Public));
        let mut request = Asked::get("/").through(*proxy);
        for _ in 0..64 {
            request.headers_mut().append("x-padding", HeaderValue::try_from("x".repeat(16_384)).unwrap());
        }
        assert_eq!(site.send(request).await.seen, 431, "{}", proxy.as_str());
        assert_eq!(site.faults.asked(), 0);
    }
}

#[tokio::test]
async fn an_app_on_plain_http_is_served_under_its_own_scheme_and_port() {
    for proxy in CONTRACTS {
        let policy = Policy::aal2("http://localhost:8080").unwrap();
        let site = Site::new(AppConfig { policy, ..app(*proxy, Access::Public) });
        let here = Asked { scheme: "http", host: "localhost:8080".into(), ..Asked::get("/") };
        assert!(site.ask(&here).await.passes(), "{}", proxy.as_str());
        for (scheme, host) in [("http", "localhost"), ("https", "localhost:8080"), ("http", "localhost:80")] {
            let there = Asked { scheme, host: host.into(), ..Asked::get("/") };
            assert_eq!(site.ask(&there).await.seen, 403, "{}: {scheme}://{host}", proxy.as_str());
        }
    }
}

/// Not a decision request at all.
#[tokio::test]
async fn an_empty_request_is_denied() {
    for address in ["/authz/auth-request/shop", "/authz/forward-auth/shop", "/authz/ext-authz/shop/"] {
        let proxy = if address.contains("auth-request") { Proxy::Nginx } else { Proxy::Caddy };
        let proxy = if address.contains("ext-authz") { Proxy::Envoy } else { proxy };
        let site = Site::new(app(proxy, Access::Public));
        assert_eq!(site.send(Request::get(address).body(Body::empty()).unwrap()).await.seen, 403, "{address}");
    }
}

/// Proxies that hand several `Cookie` headers over as one.
pub(crate) const JOINING: [Proxy; 2] = [Proxy::Haproxy, Proxy::Envoy];
const FORWARDED: &[&str] =
    &["x-forwarded-method", "x-forwarded-uri", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-for"];
