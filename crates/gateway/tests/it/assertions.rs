//! The assertion as apps see it, verified by a JOSE library that is not ours.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use counterfoil::keys::{FileKeys, KeyFile};
use counterfoil::{FakeClock, SystemEntropy};
use counterfoil_core::testing::{Request, step_up};
use counterfoil_gateway::app::{Algorithm, AppConfig, Proxy};
use counterfoil_gateway::assertion::{Assertions, JWKS_PATH, LIFE, jwks_router};
use counterfoil_gateway::rules::Access;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use serde_json::Value;
use tower::ServiceExt as _;

use crate::harness::{Asked, NOW, ORIGIN, Site, app, shop};

const PROXY: Proxy = Proxy::Caddy;

/// The claims of an assertion, verified as an app would, but for its time: the clock of these tests is another.
pub(crate) fn verified(site: &Site, assertion: &str) -> Value {
    let jwks = site.gateway.assertions().jwks(site.gateway.now());
    claims(&jwks, assertion, "shop").unwrap()
}

fn claims(jwks: &str, assertion: &str, audience: &str) -> Option<Value> {
    let header = decode_header(assertion).unwrap();
    assert_eq!(header.typ.as_deref(), Some("counterfoil+jwt"));
    let jwks: JwkSet = serde_json::from_str(jwks).unwrap();
    let key = DecodingKey::from_jwk(jwks.find(&header.kid.unwrap())?).unwrap();
    let mut validation = Validation::new(header.alg);
    validation.validate_exp = false;
    validation.set_audience(&[audience]);
    validation.set_issuer(&[ORIGIN]);
    decode::<Value>(assertion, &key, &validation).ok().map(|data| data.claims)
}

async fn assertion(site: &Site, asked: &Asked) -> String {
    let answered = site.ask(asked).await;
    assert!(answered.passes(), "{answered:?}");
    answered.header("counterfoil-assertion").unwrap().to_owned()
}

#[tokio::test]
async fn what_is_claimed_of_somebody_who_stepped_up() {
    let site = Site::new(shop(PROXY));
    let mut ada = site.signed_in("ada").await;
    site.clock.advance(Duration::from_secs(10));
    step_up(site.sessions.engine(), &mut ada).await.unwrap();
    let asked = Asked::get("/admin/x?y=z").method("POST").cookies(&ada).own();
    let answered = site.ask(&asked).await;
    let claims = verified(&site, answered.header("counterfoil-assertion").unwrap());
    let now = NOW.unix_seconds() + 10;
    let bound = BASE64.encode(digest(&SHA256, b"POST\nshop.example\n/admin/x?y=z"));
    let session = answered.header("counterfoil-session").unwrap();
    let mut expected = serde_json::json!({
        "iss": ORIGIN, "aud": "shop", "sub": "ada", "sid": session, "iat": now, "exp": now + 60, "auth_time": now,
        "amr": ["pwd", "otp"], "acr": "elevated", "csrf": "ok", "csrf_reason": "same_origin", "req": bound,
    });
    expected["jti"] = claims["jti"].clone();
    assert_eq!(claims, expected);
    assert!(session.starts_with("ses_") && claims["jti"].as_str().unwrap().len() == 22);
    let told =
        ["subject", "assurance", "auth-time"].map(|name| answered.header(&format!("counterfoil-{name}")).unwrap());
    assert_eq!(told, ["ada", "elevated", now.to_string().as_str()]);
}

#[tokio::test]
async fn anonymous_requests_carry_a_signed_anonymous_assertion() {
    let site = Site::new(shop(PROXY));
    let claims = verified(&site, &assertion(&site, &Asked::get("/")).await);
    let names: BTreeSet<_> = claims.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, BTreeSet::from(["acr", "aud", "csrf", "csrf_reason", "exp", "iat", "iss", "jti", "req"]));
    assert_eq!(
        (&claims["acr"], &claims["csrf"], &claims["csrf_reason"]),
        (&"anonymous".into(), &"n/a".into(), &"safe_method".into())
    );
    assert_eq!(site.faults.asked(), 0, "a stranger costs nothing");
}

#[tokio::test]
async fn every_algorithm_is_verified_by_others_and_only_for_its_app() {
    for (algorithm, name) in [(Algorithm::Es256, "ES256"), (Algorithm::EdDsa, "EdDSA"), (Algorithm::Hs256, "HS256")] {
        let config = AppConfig { assertion: algorithm, ..shop(PROXY) };
        let other = AppConfig { name: "other".parse().unwrap(), ..config.clone() };
        let site = Site::new(config);
        let made = assertion(&site, &Asked::get("/")).await;
        assert_eq!(format!("{:?}", decode_header(&made).unwrap().alg), name);
        let (here, there) = if algorithm == Algorithm::Hs256 {
            let keys = |app: &AppConfig| site.gateway.assertions().shared_keys(&app.name, site.gateway.now());
            let of = |app: &AppConfig| {
                let (kid, key) = keys(app).remove(0);
                let key = BASE64.encode(*key);
                serde_json::json!({ "keys": [{ "kty": "oct", "alg": "HS256", "kid": kid, "k": key }] }).to_string()
            };
            assert!(!site.gateway.assertions().jwks(NOW).contains("oct"), "nothing secret is published");
            (of(&shop(PROXY)), of(&other))
        } else {
            let jwks = site.gateway.assertions().jwks(site.gateway.now());
            (jwks.clone(), Site::new(other).gateway.assertions().jwks(NOW))
        };
        assert!(claims(&here, &made, "shop").is_some(), "{name}");
        assert!(claims(&here, &made, "other").is_none(), "{name}: another audience");
        assert!(claims(&there, &made, "shop").is_none(), "{name}: another key");
        let (text, signature) = made.rsplit_once('.').unwrap();
        let flipped = signature.replace(|c| c == signature.chars().nth(10).unwrap(), "A");
        assert!(
            flipped == signature || claims(&here, &format!("{text}.{flipped}"), "shop").is_none(),
            "{name}: changed"
        );
    }
}

#[tokio::test]
async fn an_assertion_is_bound_to_its_method_host_and_target() {
    let site = Site::new(app(PROXY, Access::Public));
    let mut seen = BTreeSet::new();
    let requests = [
        Asked::get("/a"),
        Asked::get("/a").method("POST").own(),
        Asked::get("/b"),
        Asked::get("/a?"),
        Asked::get("/a?b"),
        Asked::get("/%61"),
        Asked::get("/A"),
    ];
    for asked in &requests {
        let claims = verified(&site, &assertion(&site, asked).await);
        assert!(seen.insert(claims["req"].as_str().unwrap().to_owned()), "{asked:?} is bound like another one");
    }
    let canonical = Asked { host: "SHOP.example:443".into(), ..Asked::get("/a") };
    let claims = verified(&site, &assertion(&site, &canonical).await);
    assert!(!seen.insert(claims["req"].as_str().unwrap().to_owned()), "the host is the app's, however it is spelled");
}

#[tokio::test]
async fn the_same_request_of_the_same_person_gets_the_same_assertion_for_half_its_life() {
    let site = Site::new(app(PROXY, Access::Public));
    let (mut ada, eve) = (site.signed_in("ada").await, site.signed_in("eve").await);
    let asked = Asked::get("/a").cookies(&ada);
    let first = assertion(&site, &asked).await;
    assert_eq!(assertion(&site, &asked).await, first);
    let others = [
        Asked::get("/a"),
        Asked::get("/a").cookies(&eve),
        Asked::get("/b").cookies(&ada),
        Asked::get("/a").method("HEAD").cookies(&ada),
        Asked::get("/a").method("POST").cookies(&ada).own(),
        Asked::get("/a").method("POST").cookies(&ada).header("x-csrf", "1"),
    ];
    let mut all = BTreeSet::from([first.clone()]);
    for other in &others {
        assert!(all.insert(assertion(&site, other).await), "{other:?}");
    }
    site.clock.set(NOW + Duration::from_millis(29_999));
    assert_eq!(assertion(&site, &asked).await, first, "just before half its life is over");
    site.clock.set(NOW + LIFE / 2);
    let second = assertion(&site, &asked).await;
    assert_ne!(second, first);
    let left = verified(&site, &second)["exp"].as_u64().unwrap() - site.gateway.now().unix_seconds();
    assert_eq!(left, LIFE.as_secs());
    site.clock.set(NOW);
    assert_ne!(assertion(&site, &asked).await, second, "a clock that is set back");
    let before = assertion(&site, &asked).await;
    step_up(site.sessions.engine(), &mut ada).await.unwrap();
    assert_ne!(assertion(&site, &Asked::get("/a").cookies(&ada)).await, before, "after a step-up");
    assert_ne!(assertion(&site, &asked).await, before, "also without its cookie: another factor was used");
}

#[tokio::test]
async fn a_new_key_is_published_before_it_signs_and_an_old_one_after_it_did() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("assertion-keys");
    let clock = FakeClock::at(NOW);
    let assertions = Assertions::in_file(&path, clock.clone()).unwrap();
    let kids = |assertions: &Assertions, at| -> Vec<String> {
        let jwks: Value = serde_json::from_str(&assertions.jwks(at)).unwrap();
        let keys = jwks["keys"].as_array().unwrap().iter();
        keys.map(|key| key["kid"].as_str().unwrap().to_owned()).filter(|kid| kid.ends_with("-es256")).collect()
    };
    let signing = |at| {
        let shop = "shop".parse().unwrap();
        assertions.shared_keys(&shop, at).remove(0).0.replace("-hs256", "-es256")
    };
    let before = kids(&assertions, NOW);
    assert_eq!((before.len(), signing(NOW)), (1, before[0].clone()));
    let file = FileKeys::at(&path).clock(clock);
    file.change(|file: &mut KeyFile| file.rotate(NOW, Duration::ZERO, &SystemEntropy).map_err(|_| panics())).unwrap();
    assertions.reload().unwrap();
    // Published at once, though the file says that it signs; the old one signs until apps have heard of it.
    assert_eq!(kids(&assertions, NOW).len(), 2);
    let minutes = |minutes| NOW + Duration::from_mins(minutes);
    assert_eq!((signing(NOW), signing(minutes(9))), (before[0].clone(), before[0].clone()));
    let after = signing(minutes(10));
    assert_ne!(after, before[0]);
    // And it stays for longer than its last assertion lives.
    assert_eq!(kids(&assertions, minutes(10) + LIFE + LIFE).len(), 2);
    assert_eq!(kids(&assertions, minutes(120)), [after]);
}

#[tokio::test]
async fn keys_outlive_a_restart_and_nobody_else_may_read_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("assertion-keys");
    let first = Assertions::in_file(&path, FakeClock::at(NOW)).unwrap().jwks(NOW);
    assert_eq!(Assertions::in_file(&path, FakeClock::at(NOW)).unwrap().jwks(NOW), first);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(Assertions::in_file(&path, FakeClock::at(NOW)).is_err(), "open to others");
    }
    std::fs::write(&path, "nothing").unwrap();
    assert!(Assertions::in_file(&path, FakeClock::at(NOW)).is_err(), "it is never made anew over something");
}

#[tokio::test]
async fn the_key_set_is_public_and_kept_no_longer_than_a_new_key_waits() {
    let site = Site::new(shop(PROXY));
    let request = http::Request::get(JWKS_PATH).body(axum::body::Body::empty()).unwrap();
    let response = jwks_router(site.gateway.clone()).oneshot(request).await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/jwk-set+json");
    assert_eq!(response.headers()["cache-control"], "public, max-age=300");
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let jwks: Value = serde_json::from_slice(&body).unwrap();
    for key in jwks["keys"].as_array().unwrap() {
        assert!(key.get("d").is_none() && key.get("k").is_none(), "a secret is published");
        assert_eq!(key["use"], "sig");
    }
    assert_eq!(jwks["keys"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_site_that_only_reports_says_in_the_assertion_that_it_would_have_refused() {
    let mut settings = counterfoil::PolicySettings::aal2(ORIGIN);
    settings.danger.csrf = Some(serde_json::from_value("report".into()).unwrap());
    let site = Site::new(AppConfig { policy: settings.try_into().unwrap(), ..app(PROXY, Access::Public) });
    let ada = site.signed_in("ada").await;
    let cross = Asked::get("/").method("POST").cookies(&ada).header("origin", "https://evil.example");
    let claims = verified(&site, &assertion(&site, &cross).await);
    assert_eq!((&claims["csrf"], &claims["csrf_reason"]), (&"fail".into(), &"foreign_origin".into()));
}

#[tokio::test]
async fn a_subject_that_no_header_can_carry_is_whole_in_the_assertion() {
    let site = Site::new(shop(PROXY));
    let ada = site.signed_in("\u{e4}da 100%").await;
    let answered = site.ask(&Asked::get("/members/").cookies(&ada)).await;
    assert_eq!(verified(&site, answered.header("counterfoil-assertion").unwrap())["sub"], "\u{e4}da 100%");
    assert_eq!(answered.header("counterfoil-subject"), Some("%C3%A4da%20100%25"));
}

/// The rotation of a fresh file fails only without randomness.
fn panics() -> counterfoil::KeyError {
    panic!("no rotation")
}

#[tokio::test]
async fn a_request_that_ends_its_session_cannot_be_asserted_from_before() {
    let site = Site::new(shop(PROXY));
    let mut ada = site.signed_in("ada").await;
    let asked = Asked::get("/").cookies(&ada);
    assert_eq!(verified(&site, &assertion(&site, &asked).await)["sub"], "ada");
    Request::new(site.sessions.engine(), &mut ada).send(async |exchange| exchange.sign_out().await).await.unwrap();
    assert!(verified(&site, &assertion(&site, &asked).await).get("sub").is_none());
}
