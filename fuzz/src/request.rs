//! A whole request against the engine: only the genuine token opens the session, and a stranger costs no store call.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, LazyLock};

use counterfoil_core::cookie::HeaderJoin;
use counterfoil_core::engine::Engine;
use counterfoil_core::keys::{KeyError, KeyMaterial, KeyRing, KeySource};
use counterfoil_core::seam::{RequestView, Route, is_websocket};
use counterfoil_core::testing::{Faults, FaultyStore, Jar, sign_in};
use counterfoil_core::{FakeClock, MemoryStore, Moment, Policy, Subject};
use futures_executor::block_on;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::{Target, lines};

pub(crate) const TARGET: Target = Target {
    name: "request",
    check,
    words: &[
        "cookie: ",
        "__Host-Http-id=",
        "GENUINE",
        "; ",
        "origin: https://shop.example",
        "sec-fetch-site: cross-site",
        "\n",
        "upgrade: websocket",
        "x-http-method-override: DELETE",
        "authorization: Bearer ",
        "accept: text/html",
        "POST /",
    ],
};

/// The first line is `METHOD target`, each further one a header. The word `GENUINE` stands for the genuine token.
fn check(input: &[u8]) {
    let site = &*SITE;
    let mut lines = lines(input);
    let first = lines.next().unwrap_or_default();
    let (method, target) = first.split_at(first.iter().position(|byte| *byte == b' ').unwrap_or(first.len()));
    let method = Method::from_bytes(method).unwrap_or_default();
    let target = std::str::from_utf8(target).unwrap_or_default().replace("GENUINE", &site.genuine);
    let headers = headers(lines, &site.genuine);
    let presents = headers.get_all("cookie").iter().any(|value| holds(value.as_bytes(), site.genuine.as_bytes()));

    let view = RequestView {
        method: &method,
        authority: headers.get("host").and_then(|host| host.to_str().ok()),
        target: &target,
        headers: &headers,
        peer: Some(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9))),
        websocket: is_websocket(&headers),
        may_set_cookie: true,
        cookie_join: HeaderJoin::Standard,
    };
    let asked = site.faults.asked();
    let exchange = site.engine.receive(&view, Route::default());
    let signed_in = block_on(exchange.require_signed_in()).is_ok();
    let effects = block_on(exchange.conclude());
    assert!(presents || !signed_in, "somebody is signed in without the token");
    // Rotation is not due, and nobody did anything that sets a cookie.
    assert!(effects.set_cookie.is_none() && effects.denial.is_none());
    assert!(presents || site.faults.asked() == asked, "a stranger cost a store call");
}

fn headers<'a>(lines: impl Iterator<Item = &'a [u8]>, genuine: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines.take(64) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) = line.split_at(colon);
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        let value = match std::str::from_utf8(value) {
            Ok(text) => HeaderValue::from_str(&text.replace("GENUINE", genuine)),
            Err(_) => HeaderValue::from_bytes(value),
        };
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), value) {
            headers.append(name, value);
        }
    }
    headers
}

fn holds(text: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(text, part).is_some()
}

/// A site with one session, and what its browser holds.
struct Site {
    engine: Engine,
    faults: Faults,
    genuine: String,
}

static SITE: LazyLock<Site> = LazyLock::new(|| {
    let ((engine, faults), genuine) = signed_in();
    Site { engine, faults, genuine }
});

/// An engine with one session, and the session's token.
pub(crate) fn signed_in() -> ((Engine, Faults), String) {
    let store = FaultyStore::around(MemoryStore::new());
    let faults = store.faults().clone();
    let clock = FakeClock::at(Moment::from_unix_seconds(1_700_000_000));
    let keys = KeyRing::from_source(&FixedKeys).expect("good keys");
    let policy = Policy::aal2("https://shop.example").expect("a good policy");
    let engine = Engine::new(policy, keys, Arc::new(store), clock, ());
    let mut jar = Jar::default();
    let ada = Subject::new("ada").expect("a subject");
    block_on(sign_in(&engine, &mut jar, &ada)).expect("a session");
    let header = jar.header(engine.now()).expect("a cookie");
    let genuine = header.to_str().ok().and_then(|text| text.split_once('=')).map(|(_, token)| token.to_owned());
    ((engine, faults), genuine.expect("a token"))
}

/// The same keys in every run, so that what was found is found again.
#[derive(Debug)]
pub(crate) struct FixedKeys;

impl KeySource for FixedKeys {
    fn keys(&self) -> Result<KeyMaterial, KeyError> {
        KeyMaterial::parse(
            "k1:b25lIHJvb3Qga2V5IG9mIDMyIGJ5dGVzIGZvciB0ZXN0cyE",
            "cmVmZXJlbmNlIGtleSBvZiAzMiBieXRlcyBmb3IgdGVzdHM",
        )
    }
}
