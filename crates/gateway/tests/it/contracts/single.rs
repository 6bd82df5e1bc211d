//! What only one contract has, and what no contract answers.

use super::*;

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
                let decisions = counterfoil_gateway::authz::Decisions::of(site.gateway.clone());
                tower::ServiceExt::oneshot(decisions, request).await.unwrap().status()
            };
            assert_eq!(status, 403, "{}: {address}", proxy.as_str());
        }
        for other in [Proxy::Nginx, Proxy::Traefik, Proxy::Envoy].into_iter().filter(|other| *other != proxy) {
            let request = Asked::get("/").through(other);
            let decisions = counterfoil_gateway::authz::Decisions::of(site.gateway.clone());
            let status = tower::ServiceExt::oneshot(decisions, request).await.unwrap().status();
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

#[tokio::test]
async fn envoy_takes_out_what_is_empty_for_it_may_pass_over_it() {
    let site = Site::new(shop(Proxy::Envoy));
    let names = async |asked: &Asked| {
        let mut removed = site.ask(asked).await.removed;
        removed.sort();
        removed.join(" ")
    };
    let nobody = "cookie counterfoil-auth-time counterfoil-session counterfoil-subject";
    assert_eq!(names(&Asked::get("/")).await, nobody);
    let ada = site.signed_in("ada").await;
    assert_eq!(names(&Asked::get("/").cookies(&ada)).await, "cookie");
    assert_eq!(names(&Asked::get("/").cookies(&ada).header("cookie", "a=1")).await, "");
}
