//! What a browser would make of headers and instructions, and whether what it signs can be verified.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::cookie::Jar;
use crate::exchange::{Answer, Sent};

fn answered(headers: &[(&str, &str)], body: &str) -> Exchange {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect();
    let url = Url::parse("https://app.example/in/door").unwrap();
    Exchange {
        sent: Sent { method: Method::POST, url, headers: Vec::new(), body: Bytes::new() },
        answer: Answer {
            status: 200,
            headers,
            body: Bytes::from(body.to_owned()),
            cut: false,
            took: std::time::Duration::ZERO,
            at_millis: 0,
        },
    }
}

#[test]
fn an_offer_is_read_as_the_standard_writes_it() {
    #[rustfmt::skip]
    let cases = [
        (r#"(ES256);path="reg";challenge="cv""#,                              Some(("/in/reg", Some("cv"), None))),
        (r#"(RS256 ES256);path="/reg";challenge="cv";authorization="ac""#,    Some(("/reg", Some("cv"), Some("ac")))),
        (r#"(RS256);path="one";challenge="a", (ES256);path="two";challenge="b""#, Some(("/in/two", Some("b"), None))),
        (r#"( ES256 );path="/r";challenge="say \"\\\"";provider_key="x""#,    Some(("/r", Some(r#"say "\""#), None))),
        (r#"(ES256);path="/r""#,                                              Some(("/r", None, None))),
        (r#"(RS256);path="/r";challenge="cv""#,                               None),
        (r#"(ES256);challenge="cv""#,                                         None),
        (r#"(ES256);path="/r;challenge="#,                                    None),
        ("(ES256",                                                            None),
        ("",                                                                  None),
    ];
    for (text, expected) in cases {
        let offer = Offer::of(&answered(&[("Secure-Session-Registration", text)], ""));
        let read =
            offer.as_ref().map(|offer| (offer.url.path(), offer.challenge.as_deref(), offer.authorization.as_deref()));
        assert_eq!(read, expected, "{text}");
    }
    let two =
        [("Secure-Session-Registration", "(RS256);path=\"a\""), ("secure-session-registration", "(ES256);path=\"b\"")];
    assert_eq!(Offer::of(&answered(&two, "")).unwrap().url.path(), "/in/b");
}

#[test]
fn a_challenge_is_taken_for_its_own_session_alone() {
    let both = answered(&[("Secure-Session-Challenge", r#""one";id="a", "two";id="b""#)], "");
    assert_eq!(challenge_of(&both, "b").as_deref(), Some("two"));
    assert_eq!(challenge_of(&both, "c"), None);
    assert_eq!(challenge_of(&answered(&[("Secure-Session-Challenge", r#""one""#)], ""), "a"), None);
}

proptest! {
    #[test]
    fn no_field_makes_the_reader_panic(text in r#"[(); ,="\\a-cé]{0,40}"#) {
        let _ = field::list(&text);
    }
}

#[test]
fn a_proof_can_be_verified_with_the_key_it_brings() {
    let proof = Device::new().unwrap().proof(true, Some("what was asked"), Some("ac")).unwrap();
    let (input, signature) = proof.rsplit_once('.').unwrap();
    let (header, claims) = input.split_once('.').unwrap();
    let decoded = |part: &str| -> Value { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap() };
    let (header, claims) = (decoded(header), decoded(claims));
    assert_eq!(claims, json!({ "jti": "what was asked", "authorization": "ac" }));
    assert_eq!((header["alg"].as_str(), header["typ"].as_str()), (Some("ES256"), Some("dbsc+jwt")));
    let coordinate = |name: &str| URL_SAFE_NO_PAD.decode(header["jwk"][name].as_str().unwrap()).unwrap();
    let point = [vec![4], coordinate("x"), coordinate("y")].concat();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(input.as_bytes(), &signature).unwrap();
}

#[test]
fn a_refresh_says_nothing_of_the_key() {
    let proof = Device::new().unwrap().proof(false, Some("c"), None).unwrap();
    let header = URL_SAFE_NO_PAD.decode(proof.split('.').next().unwrap()).unwrap();
    assert!(!String::from_utf8(header).unwrap().contains("jwk"));
    assert!(unsigned(Some("c")).ends_with('.') && unsigned(None).matches('.').count() == 2);
}

#[test]
fn instructions_that_no_browser_follows_are_none() {
    let whole = json!({ "session_identifier": "s", "refresh_url": "/again", "scope": { "include_site": false },
        "credentials": [{ "type": "cookie", "name": "b", "attributes": "Path=/" }] });
    let read = |value: &Value| Instructions::of(&answered(&[], &value.to_string()));
    assert_eq!(read(&whole).unwrap().refresh.path(), "/again");
    #[rustfmt::skip]
    let changes = [
        ("continue",           json!(false)),
        ("session_identifier", json!("")),
        ("credentials",        json!([])),
        ("credentials",        json!([{ "type": "header", "name": "b" }])),
        ("credentials",        json!([{ "type": "cookie", "name": "" }])),
    ];
    for (name, value) in changes {
        let mut other = whole.clone();
        other[name] = value;
        assert_eq!(read(&other), None, "{other}");
    }
    let mut without = whole;
    without.as_object_mut().unwrap().remove("refresh_url");
    assert_eq!(read(&without).unwrap().refresh.path(), "/in/door");
}

#[test]
fn attributes_are_compared_as_browsers_fill_them_in() {
    #[rustfmt::skip]
    let cases = [
        ("Path=/; Secure; HttpOnly; SameSite=Lax", "Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600", 0),
        ("path=/;secure;httponly",                 "HttpOnly; Secure; Path=/; SameSite=Lax",              0),
        ("Path=/; Secure; Max-Age=0",              "Path=/; Secure; Max-Age=600",                         0),
        ("Secure",                                 "Path=/in; Secure",                                    0),
        ("",                                       "Path=/; Secure",                                      2),
        ("Path=/; Secure; SameSite=Strict",        "Path=/; Secure; SameSite=Lax",                        1),
        ("Domain=app.example; Path=/; Secure",     "Path=/; Secure",                                      1),
        ("Path=/; Secure; HttpOnly",               "Path=/; Secure",                                      1),
        ("Domain=other.example; Path=/",           "Path=/; Secure",                                      1),
    ];
    let url = Url::parse("https://app.example/in/door").unwrap();
    for (promised, set, differing) in cases {
        let body = json!({ "session_identifier": "s", "credentials": [
            { "type": "cookie", "name": "b", "attributes": promised }] });
        let instructions = Instructions::of(&answered(&[], &body.to_string())).unwrap();
        let mut jar = Jar::default();
        jar.take(&url, [format!("b=1; {set}").as_bytes()], 0);
        let differs = instructions.credentials[0].differs(&url, &jar);
        assert_eq!(differs.len(), differing, "{promised} / {set}: {differs:?}");
        assert_eq!(instructions.credentials[0].differs(&url, &Jar::default()).len(), 1);
    }
}
