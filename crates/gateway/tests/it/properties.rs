//! Whatever the headers: nothing panics, nothing passes that the engine alone would refuse, and no answer is too long.

use counterfoil_core::cookie::HeaderJoin;
use counterfoil_core::csrf::CsrfVerdict;
use counterfoil_core::seam::{RequestView, Route};
use counterfoil_core::testing::Jar;
use counterfoil_gateway::app::Proxy;
use futures_executor::block_on;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use proptest::prelude::*;

use crate::contracts::JOINING;
use crate::harness::{Answered, Asked, CONTRACTS, NOW, Site, shop};

/// A piece of a header, genuine or not; `GENUINE` stands for ada's cookies.
fn value() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec![
            "GENUINE", "; ", ", ", "__Host-Http-id=", "__Host-Http-el=", "a=1", "https://shop.example", "https://evil.example",
            "null", "same-origin", "cross-site", "none", "navigate", "cors", "websocket", "shop.example", "evil.example",
            "GET", "POST", "/members/", "/", "..", "%2e", "//", "?x", "https", "http", "198.51.100.7", "unix:", ":443", ".",
            "Counterfoil-Assertion", "close",
        ]).prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(prop_oneof![b' '..=b'~', 0x80..=0xff_u8], 0..6),
    ];
    prop::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat())
}

fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "cookie",
        "origin",
        "referer",
        "sec-fetch-site",
        "sec-fetch-mode",
        "sec-purpose",
        "authorization",
        "x-csrf",
        "x-csrf-token",
        "x-http-method-override",
        "upgrade",
        "connection",
        "sec-websocket-version",
        "accept",
        "user-agent",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-forwarded-uri",
        "x-forwarded-method",
        "x-counterfoil-method",
        "x-counterfoil-target",
        "x-counterfoil-host",
        "x-counterfoil-server",
        "x-counterfoil-scheme",
        "counterfoil-subject",
        "counterfoil_subject",
        "host",
        "content-length",
        "forwarded",
    ])
}

fn soup() -> impl Strategy<Value = Vec<(&'static str, Vec<u8>)>> {
    prop::collection::vec((name(), value()), 0..10)
}

/// What the engine alone says of a request to `/members/`.
fn engine_lets_pass(site: &Site, asked: &Asked, join: HeaderJoin) -> bool {
    let method = Method::from_bytes(asked.method.as_bytes()).unwrap();
    let headers = asked.arriving();
    let view = RequestView {
        method: &method,
        authority: Some("shop.example"),
        target: &asked.target,
        headers: &headers,
        peer: None,
        websocket: headers.contains_key("sec-websocket-version"),
        may_set_cookie: true,
        cookie_join: join,
    };
    let exchange = site.sessions.engine().receive(&view, Route::default());
    let token = match exchange.csrf_verdict() {
        CsrfVerdict::NeedsToken(_) => headers.get("x-csrf-token").and_then(|token| token.to_str().ok()),
        _ => None,
    };
    block_on(async { exchange.settle_csrf(token).await.is_ok() && exchange.require_signed_in().await.is_ok() })
}

fn holds(answered: &Answered, asked: &Asked, site: &Site, proxy: Proxy) -> Result<(), TestCaseError> {
    let bytes: usize = answered.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    prop_assert!(bytes < 4_096, "{bytes} bytes");
    prop_assert!(answered.headers.get_all("set-cookie").iter().count() <= 1);
    if answered.passes() {
        let join = if JOINING.contains(&proxy) { HeaderJoin::Comma } else { HeaderJoin::Standard };
        prop_assert!(engine_lets_pass(site, asked, join), "{asked:?}");
        let cookies = answered.headers.get("cookie").map_or(&b""[..], HeaderValue::as_bytes);
        prop_assert!(memchr::memmem::find(cookies, b"__Host-Http-id=cfoil1_").is_none() || cookies.contains(&b','));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn a_soup_of_headers_passes_only_where_the_engine_alone_lets_it(
        soup in soup(),
        method in prop::sample::select(vec!["GET", "POST", "HEAD", "TRACE", "BREW"]),
        contract in 0..CONTRACTS.len(),
    ) {
        let proxy = CONTRACTS[contract];
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let site = Site::new(shop(proxy));
            let genuine = cookies(&site.signed_in("ada").await);
            let mut asked = Asked::get("/members/").method(method);
            append(&mut asked.headers, &soup, &genuine);
            let answered = site.ask(&asked).await;
            holds(&answered, &asked, &site, proxy)
        })?;
    }

    #[test]
    fn a_decision_request_of_nothing_but_soup_never_passes_for_somebody_else(
        soup in soup(),
        target in "[ -~]{0,40}",
        contract in 0..CONTRACTS.len(),
    ) {
        let proxy = CONTRACTS[contract];
        if proxy == Proxy::EnvoyGrpc {
            return Ok(());
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let site = Site::new(shop(proxy));
            let mut request = Asked::get("/members/").through(proxy);
            if let (Proxy::Envoy, Ok(uri)) = (proxy, format!("/authz/ext-authz/shop{target}").parse()) {
                *request.uri_mut() = uri;
            }
            // Over what the proxy told, or beside it.
            append(request.headers_mut(), &soup, "a=1");
            if let Some((name, value)) = soup.first()
                && let Ok(value) = HeaderValue::from_bytes(value)
            {
                request.headers_mut().insert(*name, value);
            }
            let answered = site.send(request).await;
            // Without a cookie of ours only the public page may answer.
            let signed_in = answered.header("counterfoil-subject").is_some_and(|subject| !subject.is_empty());
            prop_assert!(!signed_in);
            Ok(())
        })?;
    }
}

fn append(headers: &mut HeaderMap, soup: &[(&'static str, Vec<u8>)], genuine: &str) {
    for (name, value) in soup {
        let value = String::from_utf8_lossy(value).replace("GENUINE", genuine);
        if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
            headers.append(HeaderName::from_static(name), value);
        }
    }
}

fn cookies(jar: &Jar) -> String {
    jar.header(NOW).unwrap().to_str().unwrap().to_owned()
}
