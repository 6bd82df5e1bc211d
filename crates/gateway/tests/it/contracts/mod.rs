//! The invariants of every contract, each by its number in the design, and what only one contract has.

#[cfg(feature = "grpc")]
pub(crate) mod grpc;
mod metadata;
mod single;

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

/// Proxies that hand several `Cookie` headers over as one.
pub(crate) const JOINING: [Proxy; 2] = [Proxy::Haproxy, Proxy::Envoy];
