//! What tokens are, who signed them, and what others are made of them. Made by the frameworks themselves.

use serde_json::{Value, json};

use super::forge::{broken, secrets_of, with_claims, with_name};
use super::jwt::{Hs, Jwt};
use super::secrets::{Scheme, companion, crack, crack_companion, list};
use super::{Kind, Seal, renamed, structure};

const FLASK: &str = "eyJ1c2VyIjoiYWxpY2UiLCJyb2xlIjoibWVtYmVyIn0.awOFTg.9_v9_Q5C_d37dCZBFJlT6BhkWO4";
const FLASK_DEFLATED: &str = ".eJyrViotTi1SslJKzMlMTlXSUcrLL0kFcYcJUKoFAKY9U-Q.awOFTg.fZQDjUXj82NjlQenG8BdXuCTGHU";
const DJANGO: &str =
    "eyJ1c2VyIjoiYWxpY2UiLCJfYXV0aF91c2VyX2lkIjoiNyJ9:1xVHh8:wJPdg_wk8ZdwxmnhQd_sxmJaAKW4wZwEPoVozALJU84";
const DJANGO_DEFLATED: &str =
    ".eJyrViotTi1SslJKzMlMTlXSUaoAspOGCVCqBQDj51Nu:1xVHh8:PdDwhDkq1XDVzFpCJ_dxdI8pP8y90dsOX_rQdq-_jro";
const STARLETTE: &str = "eyJ1c2VyIjogImFsaWNlIn0=.awOFTg.VxniG8yuTJxI2fKXFhwy3etT8tI";
const EXPRESS: &str = "s:nx3dQzqJ2nQ4j0vZ.MS6z3MBtvu+8hp+Ii4I2aijZ1YkuAXnQKyYCVa+OA+s";
const RAILS: &str = "eyJfcmFpbHMiOiB7Im1lc3NhZ2UiOiAiZXlKMWMyVnlYMmxrSWpvM0xDSmxiV0ZwYkNJNkltRnNhV05sUUdWNFlXMXdiR1V1YjNKbkluMD0iLCAiZXhwIjogbnVsbCwgInB1ciI6ICJjb29raWUueCJ9fQ==--04e8291a3c764db1664f51043c1d5c2a8f50a3d9";
const RAILS_OF_SHA256: &str = "eyJfcmFpbHMiOiB7Im1lc3NhZ2UiOiAiZXlKMWMyVnlYMmxrSWpvM0xDSmxiV0ZwYkNJNkltRnNhV05sUUdWNFlXMXdiR1V1YjNKbkluMD0iLCAiZXhwIjogbnVsbCwgInB1ciI6ICJjb29raWUueCJ9fQ==--c7520ce53bf9682d51317ef582db44439a4c4995";
const RAILS_LONG: &str = "eyJfcmFpbHMiOiB7Im1lc3NhZ2UiOiAiZXlKMWMyVnlYMmxrSWpvM0xDSmxiV0ZwYkNJNkltRnNhV05sUUdWNFlXMXdiR1V1YjNKbkluMD0iLCAiZXhwIjogbnVsbCwgInB1ciI6ICJjb29raWUueCJ9fQ==--52dba85d8c8f5725638fe4a4edd3ff591b41fd7b403001a3eee77e717d680b49";
const RACK: &str = "eyJfcmFpbHMiOiB7Im1lc3NhZ2UiOiAiZXlKMWMyVnlYMmxrSWpvM0xDSmxiV0ZwYkNJNkltRnNhV05sUUdWNFlXMXdiR1V1YjNKbkluMD0iLCAiZXhwIjogbnVsbCwgInB1ciI6ICJjb29raWUueCJ9fQ==--630f7b718fb1214d6a4d2fec88e732c2ea6258cf";
const HS256: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbGljZSIsImV4cCI6MTc2Mzg1MjAxMX0.9myw7lWEZZMo2L09EQUhljzk7_a9uENxEyPFE-me3a8";
const HS384: &str = "eyJhbGciOiJIUzM4NCIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbGljZSIsImV4cCI6MTc2Mzg1MjAxMX0.hGCOCr2ZEJc2LG5v9LvJXiqLfxJ3lowli7F-ydo4JmytcbEup8l0xI6wa29iQ_ED";
const HS512: &str = "eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbGljZSIsImV4cCI6MTc2Mzg1MjAxMX0.jlSuWg-n3pwThaVSRRBehpOcYq1P532fhHCV6orBpX-lelx9hJqTNr5Q73jpGllFg3-_lyibeM8qCZec0OXQVw";
const PICKLE: &str = "gASVEwAAAAAAAAB9lIwEdXNlcpSMBWFsaWNllHMu";
const COOKIE_SESSION: (&str, &str) = ("eyJ1c2VyIjoiYWxpY2UifQ==", "4Ajb5agjB1zWZGWzyCidwKr5I_k");
const PEM: &str = "-----BEGIN PUBLIC KEY-----\nMIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDamF0Xx7iIALlYvQH46yDefaeQ\nbQv3pJXnff3exb4iD0iAEQdcN3GlsJItu5Yh2FkrWXN917kbZIV4VPKT4QGujDai\nJbMlpNrK9RW6gbO6cR/GUZenpnmzRgClRa7NJK2IHMMrX68IXuFjwGngo0WIuogV\nTvH5Palm2mZIckFS/QIDAQAB\n-----END PUBLIC KEY-----";
const PEM_OF_PKCS1: &str = "-----BEGIN RSA PUBLIC KEY-----\nMIGJAoGBANqYXRfHuIgAuVi9AfjrIN59p5BtC/ekled9/d7FviIPSIARB1w3caWw\nki27liHYWStZc33XuRtkhXhU8pPhAa6MNqIlsyWk2sr1FbqBs7pxH8ZRl6emebNG\nAKVFrs0krYgcwytfrwhe4WPAaeCjRYi6iBVO8fk9qWbaZkhyQVL9AgMBAAE=\n-----END RSA PUBLIC KEY-----";
const MODULUS: &str = "2phdF8e4iAC5WL0B-Osg3n2nkG0L96SV53393sW-Ig9IgBEHXDdxpbCSLbuWIdhZK1lzfde5G2SFeFTyk-EBrow2oiWzJaTayvUVuoGzunEfxlGXp6Z5s0YApUWuzSStiBzDK1-vCF7hY8Bp4KNFiLqIFU7x-T2pZtpmSHJBUv0";

/// Of jwt.io.
const KNOWN: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c";

#[test]
fn makes_are_told_apart() {
    #[rustfmt::skip]
    let cases = [
        (KNOWN,                                                Kind::Jwt,           Seal::Signed),
        ("eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.",               Kind::Jwt,           Seal::None),
        ("eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA", Kind::Jwe, Seal::Encrypted),
        (FLASK,                                                Kind::Flask,         Seal::Signed),
        (FLASK_DEFLATED,                                       Kind::Flask,         Seal::Signed),
        (STARLETTE,                                            Kind::Flask,         Seal::Signed),
        (DJANGO,                                               Kind::Django,        Seal::Signed),
        (DJANGO_DEFLATED,                                      Kind::Django,        Seal::Signed),
        (EXPRESS,                                              Kind::ExpressSigned, Seal::Signed),
        ("s%3Aabc.MS6z3MBtvu%2B8hp",                           Kind::ExpressSigned, Seal::Signed),
        (RAILS,                                                Kind::RailsSigned,   Seal::Signed),
        (RAILS_LONG,                                           Kind::RailsSigned,   Seal::Signed),
        ("QUJDREVGR0hJSktMTU5P--QUJDREVGR0hJSktM--QUJDREVGR0hJSktMTU5PUA%3D%3D", Kind::RailsEncrypted, Seal::Encrypted),
        ("eyJpdiI6ImEiLCJ2YWx1ZSI6ImIiLCJtYWMiOiJjIn0%3D",     Kind::Laravel,       Seal::Encrypted),
        ("CfDJ8AAAAAAAAAAAAAAA",                               Kind::AspNet,        Seal::Encrypted),
        ("v4.local.AAAAAAAA",                                  Kind::Paseto,        Seal::Encrypted),
        ("9b2d4f66-0c1a-11ee-be56-0242ac120002",               Kind::Uuid(1),       Seal::Reference),
        ("0190163d-8694-739b-aea5-966c26f8ad91",               Kind::Uuid(7),       Seal::Reference),
        ("01ARZ3NDEKTSV4RRFFQ69G5FAV",                         Kind::Ulid,          Seal::Reference),
        ("507f1f77bcf86cd799439011",                           Kind::ObjectId,      Seal::Reference),
        ("eyJ1c2VyIjoiYWxpY2UifQ==",                           Kind::Json,          Seal::None),
        ("%7B%22user%22%3A%22alice%22%7D",                     Kind::Json,          Seal::None),
        ("7b2275736572223a22616c696365227d",                   Kind::Json,          Seal::None),
        ("user=alice&role=member",                             Kind::Query,         Seal::None),
        ("a:1:{s:4:\"user\";s:5:\"alice\";}",                  Kind::PhpSerialized, Seal::None),
        (PICKLE,                                               Kind::Pickle,        Seal::None),
        ("1763852011",                                         Kind::Number,        Seal::None),
        ("9f86d081884c7d659a2feaa0c55ad015",                   Kind::Hex,           Seal::Reference),
        ("q83vEjRWeJCrze8SNFZ4kA",                             Kind::Base64,        Seal::Reference),
        ("x",                                                  Kind::Opaque,        Seal::Reference),
        ("",                                                   Kind::Opaque,        Seal::Reference),
    ];
    for (value, kind, seal) in cases {
        let known = structure(value);
        assert_eq!((known.kind, known.seal), (kind, seal), "{value}");
    }
}

#[test]
fn what_a_token_says_is_read_through_every_wrapping() {
    let user = json!("alice");
    for value in [FLASK, FLASK_DEFLATED, DJANGO, DJANGO_DEFLATED, STARLETTE, COOKIE_SESSION.0, "user=alice&role=member"]
    {
        let claims = structure(value).claims.unwrap();
        assert_eq!(claims.get("user"), Some(&user), "{value}");
    }
    assert_eq!(structure(RAILS).claims, Some(json!({ "user_id": 7, "email": "alice@example.org" })));
}

#[test]
fn what_tells_of_a_person_is_named() {
    let told = |value: &str| structure(value).tells("alice");
    assert_eq!(told(FLASK), ["role"]);
    assert_eq!(told(RAILS), ["email"]);
    assert!(told(HS256).is_empty());
    assert!(told("eyJpZCI6Ijk4MTIzIiwiZXhwIjo5fQ==").is_empty());
    assert!(told("9f86d081884c7d659a2feaa0c55ad015").is_empty());
}

#[test]
fn what_a_token_is_for_tells_nothing() {
    #[rustfmt::skip]
    let cases = [
        (json!({ "sub": "alice", "iat": 1, "exp": 2, "jti": "x", "aud": "y", "iss": "z", "scope": "openid", "client_id": "c" }), 0),
        (json!({ "_auth_user_id": "7", "_auth_user_backend": "b.Backend", "_auth_user_hash": "0f" }), 0),
        (json!({ "passport": { "user": "17" }, "csrfSecret": "s", "flash": {}, "cookie": { "path": "/" } }), 0),
        (json!({ "user": "alice", "preferred_username": "alice", "name": "Alice", "_id": "9" }),  0),
        (json!({ "user_id": 7, "username": "carol", "filename": "a.txt", "explanation": "none" }), 0),
        (json!({ "name": "Alice Liddell" }),                         1),
        (json!({ "sub": "alice@example.org" }),                      1),
        (json!({ "user": { "firstName": "A", "isAdmin": false } }),  2),
        (json!({ "realm_access": { "roles": ["a", "b"] } }),         2),
        (json!({ "api-key": "k", "password_hash": "h", "IP": "10.0.0.1", "email": null, "role": "" }), 3),
    ];
    for (claims, many) in cases {
        let told = structure(&claims.to_string()).tells("alice");
        assert_eq!(told.len(), many, "{claims}: {told:?}");
    }
}

#[test]
fn times_are_found_in_every_unit() {
    let value = json!({ "exp": 1_763_852_011, "seen": { "at": 1_763_852_011_250_u64 }, "text": "1763852011", "id": 7, "big": 12e30 });
    let times = structure(&value.to_string()).times(1_763_850_000);
    let found: Vec<_> = times.iter().map(|time| (time.path.as_str(), time.seconds, time.per_second)).collect();
    assert_eq!(found, [("/exp", 1_763_852_011, 1), ("/seen/at", 1_763_852_011, 1_000), ("/text", 1_763_852_011, 1)]);
    assert_eq!(structure("1763852011").times(1_763_850_000)[0].path, "");
}

#[test]
fn known_secrets_are_found_and_sign_again() {
    let flask = Scheme::Dangerous { salt: "cookie-session", by_hmac: true };
    let starlette = Scheme::Dangerous { salt: "itsdangerous.Signer", by_hmac: false };
    let django = Scheme::Django("django.contrib.sessions.backends.signed_cookies");
    #[rustfmt::skip]
    let cases = [
        (KNOWN,           Scheme::Jwt(Hs::Hs256),             "your-256-bit-secret"),
        (HS256,           Scheme::Jwt(Hs::Hs256),             "secret"),
        (HS384,           Scheme::Jwt(Hs::Hs384),             "changeme"),
        (HS512,           Scheme::Jwt(Hs::Hs512),             "your-512-bit-secret"),
        (FLASK,           flask,                              "dev"),
        (FLASK_DEFLATED,  flask,                              "dev"),
        (STARLETTE,       starlette,                          "secret-key"),
        (DJANGO,          django,                             "django-insecure-change-me"),
        (DJANGO_DEFLATED, django,                             "django-insecure-change-me"),
        (EXPRESS,         Scheme::Express,                    "keyboard cat"),
        (RAILS,           Scheme::Rails { by_sha256: false }, "development_secret"),
        (RAILS_OF_SHA256, Scheme::Rails { by_sha256: true },  "development_secret"),
        (RAILS_LONG,      Scheme::Rails { by_sha256: true },  "development_secret"),
        (RACK,            Scheme::Rack,                       "rack-secret"),
    ];
    for (value, scheme, secret) in cases {
        let known = crack(value).unwrap_or_else(|| panic!("{value}"));
        assert_eq!((known.scheme, known.secret), (scheme, secret), "{value}");
        let claims = json!({ "user": "bob" });
        if let Some(signed) = known.sign(value, &claims) {
            assert_eq!(crack(&signed), Some(known), "{value}");
            assert_eq!(structure(&signed).claims, Some(claims), "{value}");
        }
    }
    assert_eq!(crack_companion("session", COOKIE_SESSION.0, COOKIE_SESSION.1).unwrap().secret, "keyboard cat");
    assert_eq!(companion("keyboard cat", "session", COOKIE_SESSION.0), COOKIE_SESSION.1);
}

#[test]
fn secrets_nobody_knows_are_not_found() {
    let other = Jwt::read(HS256).unwrap().signed(Hs::Hs256, b"b6f8c2a9e17d4053", &json!({ "sub": "alice" }));
    for value in [other.as_str(), &broken(FLASK), "s:abc.MS6z3MBtvu+8hp", "", "a.b.c", "--", "s:.", "::", "%"] {
        assert_eq!(crack(value), None, "{value}");
    }
    assert_eq!(crack_companion("session", "e30=", "x"), None);
}

#[test]
fn the_list_is_long_and_has_no_secret_twice() {
    let mut all: Vec<_> = list().collect();
    assert!(all.len() > 500);
    all.sort_unstable();
    assert!(all.windows(2).all(|pair| pair[0] != pair[1]));
}

#[test]
fn a_forged_token_is_the_other_in_all_but_one_thing() {
    let jwt = Jwt::read(KNOWN).unwrap();
    assert!(jwt.is_by(Hs::Hs256, b"your-256-bit-secret"));
    assert_eq!(jwt.signed(Hs::Hs256, b"your-256-bit-secret", &jwt.claims).split('.').count(), 3);
    let broken = Jwt::read(&jwt.broken()).unwrap();
    assert_eq!((&broken.header, &broken.claims), (&jwt.header, &jwt.claims));
    assert_eq!(broken.signature.len(), jwt.signature.len());
    assert!(!broken.is_by(Hs::Hs256, b"your-256-bit-secret"));
    let none = jwt.of_no_algorithm(&json!({ "sub": "bob" }));
    assert_eq!(none.len(), 5);
    let first = Jwt::read(&none[0]).unwrap();
    assert_eq!((first.algorithm(), first.signature.len(), &first.claims), ("none", 0, &json!({ "sub": "bob" })));
    let old = Jwt::read(&jwt.with_old_signature(&json!({ "sub": "bob" }))).unwrap();
    assert_eq!((old.algorithm(), &old.signature), ("HS256", &jwt.signature));
    assert_eq!(Jwt::read(HS256).unwrap().expires(), Some(1_763_852_011));
}

#[test]
fn what_nothing_signs_is_written_again_as_it_was() {
    #[rustfmt::skip]
    let cases = [
        ("eyJ1c2VyIjoiYWxpY2UifQ==",            "eyJ1c2VyIjoiYm9iYnkifQ=="),
        ("eyJ1c2VyIjoiYWxpY2UifQ",              "eyJ1c2VyIjoiYm9iYnkifQ"),
        ("eyJ1c2VyIjoiYWxpY2UifQ%3D%3D",        "eyJ1c2VyIjoiYm9iYnkifQ%3D%3D"),
        ("%7B%22user%22%3A%22alice%22%7D",      "%7B%22user%22%3A%22bobby%22%7D"),
        ("7b2275736572223a22616c696365227d",    "7b2275736572223a22626f626279227d"),
        ("user=alice&role=member",              "user=bobby&role=member"),
        ("a%3A1%3A%7Bs%3A4%3A%22user%22%3Bs%3A5%3A%22alice%22%3B%7D", "a%3A1%3A%7Bs%3A4%3A%22user%22%3Bs%3A5%3A%22bobby%22%3B%7D"),
        (PICKLE,                                "gASVEwAAAAAAAAB9lIwEdXNlcpSMBWJvYmJ5lHMu"),
    ];
    for (value, expected) in cases {
        let forged = with_name(value, "alice", "bobby").unwrap_or_else(|| panic!("{value}"));
        let sorted = |value: &str| structure(value).claims;
        assert!(forged == expected || sorted(&forged) == sorted(expected), "{value}: {forged}");
    }
    assert_eq!(with_name("eyJ1c2VyIjoiYWxpY2UifQ==", "carol", "bob"), None);
    assert_eq!(with_name(KNOWN, "John Doe", "bob"), None);
    assert_eq!(with_claims("1763852011", &json!(1_763_900_000)).as_deref(), Some("1763900000"));
    assert_eq!(with_claims("\"1763852011\"", &json!(5)).as_deref(), Some("%225%22"));
}

#[test]
fn names_are_replaced_where_they_are_whole() {
    let claims = json!({ "user": "alice", "friends": ["alice", "malice"], "sub": { "name": "alice" } });
    let expected = json!({ "user": "bob", "friends": ["bob", "malice"], "sub": { "name": "bob" } });
    assert_eq!(renamed(&claims, "alice", "bob"), Some(expected));
    assert_eq!(renamed(&Value::Null, "alice", "bob"), None);
}

#[test]
fn a_published_key_is_a_secret_in_every_writing() {
    let jwks = json!({ "keys": [{ "kty": "RSA", "n": MODULUS, "e": "AQAB", "kid": "1" }] }).to_string();
    for document in [jwks.as_str(), PEM] {
        let secrets = secrets_of(document);
        for pem in [PEM.to_owned(), format!("{PEM}\n")] {
            assert!(secrets.contains(&pem.into_bytes()), "{document}");
        }
    }
    assert!(secrets_of(&jwks).contains(&PEM_OF_PKCS1.as_bytes().to_vec()));
    let ec = json!({ "kty": "EC", "crv": "P-256", "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM" });
    assert_eq!(
        secrets_of(&ec.to_string()).iter().filter(|secret| secret.starts_with(b"-----BEGIN PUBLIC KEY")).count(),
        2
    );
    assert!(secrets_of("<html>").is_empty());
}
