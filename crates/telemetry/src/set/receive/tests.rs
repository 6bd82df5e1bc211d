//! What is taken, and everything that is not: a table of tokens that somebody might send.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
    RsaEncoding,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use counterfoil_core::FakeClock;
use serde_json::Value;
use std::time::Duration;

use super::*;

pub(super) const NOW: u64 = 1_700_000_000;
const CAEP: &str = "https://schemas.openid.net/secevent/caep/event-type/";
const RISC: &str = "https://schemas.openid.net/secevent/risc/event-type/";

/// The keys of a transmitter, in each algorithm, and what they are published as.
pub(super) struct Signing {
    ec: EcdsaKeyPair,
    ed: Ed25519KeyPair,
    rsa: Option<RsaKeyPair>,
}

impl Signing {
    pub(super) fn new() -> Self {
        let random = SystemRandom::new();
        let ec = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let ed = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
        Self {
            ec: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, ec.as_ref()).unwrap(),
            ed: Ed25519KeyPair::from_pkcs8(ed.as_ref()).unwrap(),
            rsa: None,
        }
    }

    fn with_rsa() -> Self {
        Self { rsa: Some(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()), ..Self::new() }
    }

    pub(super) fn jwks(&self) -> Value {
        let (x, y) = self.ec.public_key().as_ref()[1..].split_at(32);
        let mut keys = vec![
            json!({ "kty": "EC", "crv": "P-256", "kid": "ec", "use": "sig", "x": BASE64.encode(x), "y": BASE64.encode(y) }),
            json!({ "kty": "OKP", "crv": "Ed25519", "kid": "ed", "alg": "EdDSA", "x": BASE64.encode(self.ed.public_key()) }),
            json!({ "kty": "oct", "kid": "oct", "k": BASE64.encode("a secret that nobody else knows.") }),
            json!({ "kty": "new", "kid": "of a kind to come" }),
        ];
        if let Some(rsa) = &self.rsa {
            let (n, e) = (rsa.public_key().modulus(), rsa.public_key().exponent());
            let [n, e] = [n, e].map(|number| BASE64.encode(number.big_endian_without_leading_zero()));
            keys.push(json!({ "kty": "RSA", "kid": "rsa", "n": n, "e": e }));
            keys.push(json!({ "kty": "RSA", "kid": "rsa-for-rs256", "alg": "RS256", "n": n, "e": e }));
            keys.push(json!({ "kty": "RSA", "kid": "rsa-for-secrets", "use": "enc", "n": n, "e": e }));
        }
        json!({ "keys": keys })
    }

    fn rsa(&self, with: &'static dyn RsaEncoding, text: &[u8]) -> Vec<u8> {
        let rsa = self.rsa.as_ref().unwrap();
        let mut signature = vec![0; rsa.public_modulus_len()];
        rsa.sign(with, &SystemRandom::new(), text, &mut signature).unwrap();
        signature
    }

    /// Signed in the way that the header says, as far as there is one.
    pub(super) fn sign(&self, header: &Value, claims: &str) -> String {
        let text = format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(claims));
        let bytes = text.as_bytes();
        let signature = match header["alg"].as_str().unwrap_or_default() {
            "ES256" => self.ec.sign(&SystemRandom::new(), bytes).unwrap().as_ref().to_vec(),
            "EdDSA" => self.ed.sign(bytes).as_ref().to_vec(),
            "RS256" => self.rsa(&RSA_PKCS1_SHA256, bytes),
            "PS256" => self.rsa(&RSA_PSS_SHA256, bytes),
            // The public key as a secret: what confused verifiers take.
            "HS256" => {
                hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, self.ec.public_key().as_ref()), bytes).as_ref().to_vec()
            }
            _ => Vec::new(),
        };
        format!("{text}.{}", BASE64.encode(signature))
    }
}

pub(super) fn header(algorithm: &str, key: &str) -> Value {
    json!({ "alg": algorithm, "kid": key, "typ": "secevent+jwt" })
}

pub(super) fn claims() -> Value {
    json!({
        "iss": "https://idp.example", "aud": "https://us.example", "iat": NOW, "jti": "1",
        "sub_id": { "format": "email", "email": "ada@example.com" },
        "events": { format!("{CAEP}session-revoked"): {} },
    })
}

pub(super) fn posted() -> HeaderMap {
    [(CONTENT_TYPE, HeaderValue::from_static("application/secevent+jwt"))].into_iter().collect()
}

pub(super) fn settings() -> TransmitterSettings {
    let all = json!({ "issuer": "https://idp.example", "audience": "https://us.example", "knows_by": ["ours", "sub", "email"] });
    serde_json::from_value(all).unwrap()
}

pub(super) fn receiver(signing: &Signing, change: impl FnOnce(&mut TransmitterSettings)) -> (Receiver, FakeClock) {
    let (mut settings, clock) = (settings(), FakeClock::at(Moment::from_unix_seconds(NOW)));
    change(&mut settings);
    let keys = Keys::fixed(signing.jwks().to_string().as_bytes()).unwrap();
    (Receiver::new(vec![settings.check(keys, None).unwrap()], Arc::new(clock.clone())), clock)
}

/// The code of the answer, or `ok`.
async fn code(receiver: &Receiver, token: &str) -> &'static str {
    match receiver.receive(&posted(), token.as_bytes()).await {
        Ok(Some(_)) => "ok",
        Ok(None) => "again",
        Err(refused) => refused.code.as_str(),
    }
}

fn with(change: impl FnOnce(&mut Value)) -> String {
    let mut claims = claims();
    change(&mut claims);
    claims.to_string()
}

#[tokio::test]
async fn only_four_algorithms_with_keys_of_the_set_are_taken_and_nothing_that_the_header_brings() {
    let (signing, other) = (Signing::with_rsa(), Signing::with_rsa());
    let (receiver, _) = receiver(&signing, |_| ());
    let claims = claims().to_string();
    let own = signing.jwks()["keys"][0].clone();
    let plus = |more: Value| {
        let mut header = header("ES256", "ec");
        header.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        header
    };
    let untyped = json!({ "alg": "ES256", "kid": "ec" });
    #[rustfmt::skip]
    let rows = [
        ("ES256",                       &signing, header("ES256", "ec"),                "ok"),
        ("EdDSA",                       &signing, header("EdDSA", "ed"),                "ok"),
        ("RS256",                       &signing, header("RS256", "rsa"),               "ok"),
        ("PS256",                       &signing, header("PS256", "rsa"),               "ok"),
        ("RS256 by a key for it",       &signing, header("RS256", "rsa-for-rs256"),     "ok"),
        ("no kid",                      &signing, json!({ "alg": "EdDSA", "typ": "secevent+jwt" }), "ok"),
        ("typ as a media type",         &signing, plus(json!({ "typ": "application/SecEvent+JWT" })), "ok"),
        ("an unknown member",           &signing, plus(json!({ "x": 1 })),              "ok"),
        ("another's key",               &other,   header("ES256", "ec"),                "authentication_failed"),
        ("another's RSA key",           &other,   header("PS256", "rsa"),               "authentication_failed"),
        ("no kid, another's key",       &other,   json!({ "alg": "EdDSA", "typ": "secevent+jwt" }), "authentication_failed"),
        ("PS256 by a key for RS256",    &signing, header("PS256", "rsa-for-rs256"),     "invalid_key"),
        ("a key for encryption",        &signing, header("RS256", "rsa-for-secrets"),   "invalid_key"),
        ("a key that is not there",     &signing, header("ES256", "old"),               "invalid_key"),
        ("a key of another algorithm",  &signing, header("ES256", "ed"),                "invalid_key"),
        ("none",                        &signing, header("none", "ec"),                 "invalid_key"),
        ("None",                        &signing, header("None", "ec"),                 "invalid_key"),
        ("HS256, public key as secret", &signing, header("HS256", "ec"),                "invalid_key"),
        ("HS256, a secret of the set",  &signing, header("HS256", "oct"),               "invalid_key"),
        ("ES384",                       &signing, header("ES384", "ec"),                "invalid_key"),
        ("its own key",                 &signing, plus(json!({ "jwk": own })),          "invalid_key"),
        ("an address of keys",          &signing, plus(json!({ "jku": "https://evil.example" })), "invalid_key"),
        ("a certificate",               &signing, plus(json!({ "x5c": ["MIIB"] })),     "invalid_key"),
        ("a critical member",           &signing, plus(json!({ "crit": ["exp"] })),     "invalid_request"),
        ("not encoded",                 &signing, plus(json!({ "b64": false })),        "invalid_request"),
        ("compressed",                  &signing, plus(json!({ "zip": "DEF" })),        "invalid_request"),
        ("no typ",                      &signing, untyped,                              "invalid_request"),
        ("an ordinary JWT",             &signing, plus(json!({ "typ": "JWT" })),        "invalid_request"),
        ("an assertion of ours",        &signing, plus(json!({ "typ": "counterfoil+jwt" })), "invalid_request"),
        ("typ is a number",             &signing, plus(json!({ "typ": 1 })),            "invalid_request"),
        ("alg is a list",               &signing, plus(json!({ "alg": ["ES256"] })),    "invalid_request"),
    ];
    for (name, by, header, expected) in rows {
        assert_eq!(code(&receiver, &by.sign(&header, &claims)).await, expected, "{name}");
    }
}

#[tokio::test]
async fn what_a_token_claims_is_held_against_who_made_it_for_whom_and_when() {
    let signing = Signing::new();
    let (receiver, _) = receiver(&signing, |_| ());
    let set = |name: &'static str, value: Value| with(|claims| claims[name] = value);
    let without = |name: &str| with(|claims| drop(claims.as_object_mut().unwrap().remove(name)));
    let revoked = format!("{CAEP}session-revoked");
    let doubled = claims().to_string().replacen('{', "{\"iss\":\"https://evil.example\",", 1);
    let deep = |member: &str, depth| {
        let nested = format!("\"{member}\":{}{}", "[".repeat(depth), "]".repeat(depth));
        with(|claims| claims[member] = json!(1)).replace(&format!("\"{member}\":1"), &nested)
    };
    #[rustfmt::skip]
    let rows = [
        ("as it should be",         claims().to_string(),                               "ok"),
        ("for us and others",       set("aud", json!(["https://a.example", "https://us.example"])), "ok"),
        ("a fraction",              set("iat", json!(1_699_999_999.5)),                 "ok"),
        ("a clock that is ahead",   set("iat", json!(NOW + 60)),                        "ok"),
        ("a day old",               set("iat", json!(NOW - 86_400)),                    "ok"),
        ("more members",            set("txn", json!({ "a": [] })),                     "ok"),
        ("older than a day",        set("iat", json!(NOW - 86_401)),                    "invalid_request"),
        ("of the future",           set("iat", json!(NOW + 61)),                        "invalid_request"),
        ("of no time",              set("iat", json!(-1)),                              "invalid_request"),
        ("beyond all time",         set("iat", json!(1e300)),                           "invalid_request"),
        ("iat is a text",           set("iat", json!(NOW.to_string())),                 "invalid_request"),
        ("no iat",                  without("iat"),                                     "invalid_request"),
        ("another issuer",          set("iss", json!("https://evil.example")),          "invalid_issuer"),
        ("a longer issuer",         set("iss", json!("https://idp.example/")),          "invalid_issuer"),
        ("two issuers",             set("iss", json!(["https://idp.example"])),         "invalid_request"),
        ("one issuer, twice",       doubled,                                            "invalid_request"),
        ("no issuer",               without("iss"),                                     "invalid_request"),
        ("another audience",        set("aud", json!("https://others.example")),        "invalid_audience"),
        ("nobody",                  set("aud", json!([])),                              "invalid_audience"),
        ("a longer audience",       set("aud", json!("https://us.example/")),           "invalid_audience"),
        ("no audience",             without("aud"),                                     "invalid_request"),
        ("an ID token",             set("exp", json!(NOW + 60)),                        "invalid_request"),
        ("with a sub",              set("sub", json!("ada")),                           "invalid_request"),
        ("no jti",                  without("jti"),                                     "invalid_request"),
        ("an empty jti",            set("jti", json!("")),                              "invalid_request"),
        ("a long jti",              set("jti", json!("x".repeat(257))),                 "invalid_request"),
        ("no events",               without("events"),                                  "invalid_request"),
        ("none",                    set("events", json!({})),                           "invalid_request"),
        ("two events",              set("events", json!({ &revoked: {}, "urn:x": {} })), "invalid_request"),
        ("an event is a list",      set("events", json!({ &revoked: [] })),             "invalid_request"),
        ("events are a list",       set("events", json!([&revoked])),                   "invalid_request"),
        ("about whom?",             without("sub_id"),                                  "invalid_request"),
        ("about a text",            set("sub_id", json!("ada")),                        "invalid_request"),
        ("about no format",         set("sub_id", json!({})),                           "invalid_request"),
        ("deep, where nobody looks", deep("x", 20_000),                                 "ok"),
        ("deep",                    deep("sub_id", 20_000),                             "invalid_request"),
        ("deep events",             deep("events", 20_000),                             "invalid_request"),
        ("not JSON",                "{".to_owned(),                                     "invalid_request"),
        ("not an object",           "[]".to_owned(),                                    "invalid_request"),
        ("nothing",                 String::new(),                                      "invalid_request"),
    ];
    for (name, claims, expected) in rows {
        let token = signing.sign(&header("ES256", "ec"), &claims);
        assert_eq!(code(&receiver, &token).await, expected, "{name}");
    }
}

#[tokio::test]
async fn what_is_no_token_at_all_is_refused_before_anything_is_looked_up() {
    let signing = Signing::new();
    let (receiver, _) = receiver(&signing, |_| ());
    let good = signing.sign(&header("ES256", "ec"), &claims().to_string());
    let parts: Vec<_> = good.split('.').collect();
    let large = signing.sign(&header("ES256", "ec"), &with(|claims| claims["x"] = json!("x".repeat(64 * 1024))));
    #[rustfmt::skip]
    let rows = [
        (format!(" {good}\n"),                                          "ok"),
        (String::new(),                                                 "invalid_request"),
        ("..".to_owned(),                                               "invalid_request"),
        (parts[0].to_owned(),                                           "invalid_request"),
        (format!("{}.{}", parts[0], parts[1]),                          "invalid_request"),
        (format!("{good}.{}", parts[2]),                                "invalid_request"),
        (format!("{}.{}.", parts[0], parts[1]),                         "authentication_failed"),
        (format!("{}.{}.!", parts[0], parts[1]),                        "authentication_failed"),
        (format!("{}.{}=.{}", parts[0], parts[1], parts[2]),            "invalid_request"),
        (format!("{}.{}.{}", parts[1], parts[0], parts[2]),             "invalid_request"),
        (claims().to_string(),                                          "invalid_request"),
        (json!({ "payload": parts[1], "protected": parts[0], "signature": parts[2] }).to_string(), "invalid_request"),
        ("é.é.é".to_owned(),                                            "invalid_request"),
        (large,                                                         "invalid_request"),
    ];
    for (token, expected) in rows {
        assert_eq!(code(&receiver, &token).await, expected, "{}", token.get(..60).unwrap_or(&token));
    }
    for content_type in ["application/jwt", "application/json", "application/secevent+jwt; charset=utf-8"] {
        let headers = [(CONTENT_TYPE, HeaderValue::from_static(content_type))].into_iter().collect();
        assert_eq!(receiver.receive(&headers, good.as_bytes()).await.unwrap_err().code, Code::InvalidRequest);
    }
    assert!(receiver.receive(&HeaderMap::new(), good.as_bytes()).await.is_err());
}

#[tokio::test]
async fn a_token_is_dealt_with_once_and_may_come_again_when_we_failed() {
    let signing = Signing::new();
    let (receiver, clock) = receiver(&signing, |_| ());
    let token = |jti: &str, iat: u64| {
        signing.sign(&header("EdDSA", "ed"), &with(|claims| (claims["jti"], claims["iat"]) = (json!(jti), json!(iat))))
    };
    let first = token("1", NOW);
    assert_eq!(code(&receiver, &first).await, "ok");
    let verified = receiver.receive(&posted(), first.as_bytes()).await.unwrap().unwrap();
    assert_eq!((&*verified.issuer, verified.jti.as_str()), ("https://idp.example", "1"));
    verified.is_done();
    assert_eq!(code(&receiver, &first).await, "again");
    assert_eq!(code(&receiver, &token("1", NOW + 1)).await, "again", "made anew it is still the same");
    assert_eq!(code(&receiver, &token("2", NOW)).await, "ok");
    let ahead = token("3", NOW + 60);
    receiver.receive(&posted(), ahead.as_bytes()).await.unwrap().unwrap().is_done();
    clock.advance(Duration::from_hours(24));
    assert_eq!(code(&receiver, &first).await, "again", "as long as it would be taken");
    clock.advance(Duration::from_secs(1));
    assert_eq!(code(&receiver, &first).await, "invalid_request");
    clock.advance(Duration::from_secs(59));
    assert_eq!(code(&receiver, &ahead).await, "again", "also where its clock is ahead of ours");
    clock.advance(Duration::from_secs(1));
    assert_eq!(code(&receiver, &ahead).await, "invalid_request");
}

#[tokio::test]
async fn a_transmitter_says_what_it_may_shows_its_secret_and_speaks_for_itself_alone() {
    let (idp, other) = (Signing::new(), Signing::new());
    let keys = |signing: &Signing| Keys::fixed(signing.jwks().to_string().as_bytes()).unwrap();
    let bearer = Bearer::new("correct-horse-battery").unwrap();
    let second = TransmitterSettings { issuer: "https://other.example".to_owned(), ..settings() };
    let transmitters =
        vec![settings().check(keys(&idp), Some(bearer)).unwrap(), second.check(keys(&other), None).unwrap()];
    let receiver = Receiver::new(transmitters, Arc::new(FakeClock::at(Moment::from_unix_seconds(NOW))));
    let from = |signing: &Signing, issuer: &str, event: &str, body: Value| {
        let claims = with(|claims| {
            claims["iss"] = json!(issuer);
            claims["events"] = json!({ event: body });
        });
        signing.sign(&header("ES256", "ec"), &claims)
    };
    let revoked = format!("{CAEP}session-revoked");
    let (first, second) = ("https://idp.example", "https://other.example");
    #[rustfmt::skip]
    let rows = [
        ("with its secret",         Some("Bearer correct-horse-battery"), from(&idp, first, &revoked, json!({})),     "ok"),
        ("without",                 None,                                 from(&idp, first, &revoked, json!({})),     "authentication_failed"),
        ("with another",            Some("Bearer correct-horse-batterz"), from(&idp, first, &revoked, json!({})),     "authentication_failed"),
        ("needs none",              None,                                 from(&other, second, &revoked, json!({})),  "ok"),
        ("in another's name",       Some("Bearer correct-horse-battery"), from(&other, first, &revoked, json!({})),   "authentication_failed"),
        ("may not say this",        None, from(&other, second, &format!("{RISC}account-enabled"), json!({})),         "access_denied"),
        ("what nobody knows",       None, from(&other, second, "https://new.example/event", json!({})),               "ok"),
        ("what does nothing here",  None, from(&other, second, &format!("{CAEP}session-established"), json!({})),     "ok"),
        ("its stream works",        None, from(&other, second, "https://schemas.openid.net/secevent/ssf/event-type/verification", json!({})), "ok"),
    ];
    for (name, shown, token, expected) in rows {
        let mut headers = posted();
        headers.extend(shown.map(|text| (http::header::AUTHORIZATION, HeaderValue::from_static(text))));
        let found = receiver.receive(&headers, token.as_bytes()).await;
        assert_eq!(found.map_or_else(|refused| refused.code.as_str(), |_| "ok"), expected, "{name}");
    }
}

#[tokio::test]
async fn what_we_write_ourselves_is_understood() {
    use super::super::tests::{SESSION, SUBJECT, event, told};
    use counterfoil_core::EventKind;
    use counterfoil_core::rules::EndReason;
    let key = super::super::tests::es256("own");
    let jwks = json!({ "keys": [key.jwk()] }).to_string();
    let settings = TransmitterSettings {
        issuer: "https://login.example".to_owned(),
        audience: "https://mail.example".to_owned(),
        ..settings()
    };
    let stream = super::super::Stream::try_from(super::super::tests::settings()).unwrap();
    let writer = super::super::Writer::new(stream, Arc::new(key), None);
    let transmitter = settings.check(Keys::fixed(jwks.as_bytes()).unwrap(), None).unwrap();
    let receiver = Receiver::new(vec![transmitter], Arc::new(FakeClock::at(super::super::tests::NOW)));
    let ended =
        told(event(Some(SESSION), Some(SUBJECT), EventKind::SubjectEnded { reason: EndReason::CredentialChanged }));
    let token = writer.write(&ended, super::super::tests::NOW).unwrap().unwrap();
    let verified = receiver.receive(&posted(), token.as_str().as_bytes()).await.unwrap().unwrap();
    assert_eq!(verified.what, What::SessionRevoked { except: Some(SESSION) });
    assert_eq!(verified.about, About { session: None, user: Some(UserName::Reference(SUBJECT)) });
}

#[test]
fn an_answer_has_the_code_and_the_status_that_the_rfc_gives_it() {
    #[rustfmt::skip]
    let rows = [
        (Code::InvalidRequest,       "invalid_request",         400),
        (Code::InvalidKey,           "invalid_key",             400),
        (Code::InvalidIssuer,        "invalid_issuer",          400),
        (Code::InvalidAudience,      "invalid_audience",        400),
        (Code::AuthenticationFailed, "authentication_failed",   400),
        (Code::AccessDenied,         "access_denied",           400),
        (Code::NotNow,               "temporarily_unavailable", 503),
    ];
    for (code, name, status) in rows {
        let answer = code.because("why").response();
        assert_eq!((answer.status().as_u16(), code.to_string().as_str()), (status, name));
        assert_eq!(answer.body(), &json!({ "err": name, "description": "why" }).to_string());
        assert_eq!(
            (&answer.headers()[CONTENT_TYPE], &answer.headers()[CONTENT_LANGUAGE]),
            (&"application/json".parse().unwrap(), &"en".parse().unwrap())
        );
        assert_eq!(answer.headers().contains_key(RETRY_AFTER), status == 503);
    }
    let accepted = Receiver::accepted();
    assert_eq!((accepted.status(), accepted.body().as_str()), (StatusCode::ACCEPTED, ""));
}
