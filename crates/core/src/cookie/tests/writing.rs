//! Writing: exactly the attributes the name promises, and nothing a browser would drop.

use std::time::Duration;

use proptest::prelude::*;

use crate::cookie::*;

const DAY: Duration = Duration::from_hours(24);

fn shape(same_site: SameSite) -> CookieShape {
    CookieShape::new(CookieNames::https(), same_site).unwrap()
}

fn set(value: &str, lifetime: CookieLifetime) -> String {
    shape(SameSite::Lax).set(CookieKind::Session, value, lifetime).unwrap().as_str().to_owned()
}

#[test]
fn every_shape_prints_as_pinned() {
    use CookieKind::{Anonymous, Elevated, Session};
    let (https, plain) = (CookieNames::https(), CookieNames::plain_http_loopback());
    for (names, same_site, kind, printed) in [
        (https, SameSite::Lax, Session, "__Host-Http-id=v; Max-Age=86400; Path=/; Secure; HttpOnly; SameSite=Lax"),
        (
            https,
            SameSite::Strict,
            Elevated,
            "__Host-Http-el=v; Max-Age=86400; Path=/; Secure; HttpOnly; SameSite=Strict",
        ),
        (https, SameSite::None, Anonymous, "__Host-Http-an=v; Max-Age=86400; Path=/; Secure; HttpOnly; SameSite=None"),
        (
            https,
            SameSite::NonePartitioned,
            Session,
            "__Host-Http-id=v; Max-Age=86400; Path=/; Secure; HttpOnly; SameSite=None; Partitioned",
        ),
        (plain, SameSite::Lax, Session, "dev-id=v; Max-Age=86400; Path=/; HttpOnly; SameSite=Lax"),
        (plain, SameSite::Strict, Elevated, "dev-el=v; Max-Age=86400; Path=/; HttpOnly; SameSite=Strict"),
        (plain, SameSite::Lax, Anonymous, "dev-an=v; Max-Age=86400; Path=/; HttpOnly; SameSite=Lax"),
    ] {
        let shape = CookieShape::new(names, same_site).unwrap();
        assert_eq!(shape.set(kind, "v", CookieLifetime::For(DAY)).unwrap().as_str(), printed);
    }
}

#[test]
fn a_cookie_for_other_sites_frames_does_not_build_without_secure() {
    for same_site in [SameSite::None, SameSite::NonePartitioned] {
        assert_eq!(CookieShape::new(CookieNames::plain_http_loopback(), same_site), Err(NeedsSecure));
    }
}

#[test]
fn max_age_is_whole_seconds_never_zero_and_at_most_400_days() {
    for (lifetime, age) in [
        (Duration::ZERO, 1),
        (Duration::from_millis(1), 1),
        (Duration::from_millis(1_999), 1),
        (Duration::from_secs(2), 2),
        (400 * DAY, 34_560_000),
        (400 * DAY + Duration::from_secs(1), 34_560_000),
        (Duration::MAX, 34_560_000),
    ] {
        assert!(set("v", CookieLifetime::For(lifetime)).contains(&format!("; Max-Age={age};")), "{lifetime:?}");
    }
    assert!(!set("v", CookieLifetime::UntilBrowserCloses).contains("Max-Age"));
}

#[test]
fn a_removal_differs_from_its_cookie_in_value_and_age_alone() {
    for same_site in [SameSite::Lax, SameSite::Strict, SameSite::None, SameSite::NonePartitioned] {
        for kind in CookieKind::ALL {
            let set = shape(same_site).set(kind, "v", CookieLifetime::For(DAY)).unwrap();
            let removal = shape(same_site).removal(kind);
            let expected =
                set.as_str().replacen("=v; Max-Age=86400", "=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT", 1);
            assert_eq!(removal.as_str(), expected);
        }
    }
}

#[test]
fn a_value_no_browser_would_keep_is_refused() {
    let room = MAX_COOKIE_BYTES - "__Host-Http-id".len();
    let (full, over) = ("a".repeat(room), "a".repeat(room + 1));
    for (value, verdict) in [
        ("a", Ok(())),
        (full.as_str(), Ok(())),
        (over.as_str(), Err(CookieError::TooLong { bytes: MAX_COOKIE_BYTES + 1 })),
        ("", Err(CookieError::Empty)),
        ("a b", Err(CookieError::Byte { position: 1 })),
        ("a;b", Err(CookieError::Byte { position: 1 })),
        ("a,b", Err(CookieError::Byte { position: 1 })),
        ("\"a\"", Err(CookieError::Byte { position: 0 })),
        ("a\\", Err(CookieError::Byte { position: 1 })),
        ("ab\r\nSet-Cookie: x", Err(CookieError::Byte { position: 2 })),
        ("a\0", Err(CookieError::Byte { position: 1 })),
        ("a\x7f", Err(CookieError::Byte { position: 1 })),
        ("é", Err(CookieError::Byte { position: 0 })),
    ] {
        let written = shape(SameSite::Lax).set(CookieKind::Session, value, CookieLifetime::For(DAY));
        assert_eq!(written.map(drop), verdict, "{value:.20}");
    }
}

#[test]
fn debug_shows_the_name_and_no_value() {
    let cookie = shape(SameSite::Lax).set(CookieKind::Session, "secret", CookieLifetime::UntilBrowserCloses).unwrap();
    assert_eq!(format!("{cookie:?}"), "SetCookie(__Host-Http-id=redacted)");
    assert_eq!(format!("{:?}", CookieNames::https().name(CookieKind::Session)), "CookieName(__Host-Http-id)");
}

/// Name, value and attributes as a browser takes them apart (RFC 6265bis, section 5.6), attributes in lower case.
fn as_a_browser_reads(header: &str) -> (String, String, Vec<String>) {
    let mut parts = header.split(';').map(str::trim);
    let (name, value) = parts.next().unwrap().split_once('=').unwrap();
    (name.to_owned(), value.to_owned(), parts.map(str::to_ascii_lowercase).collect())
}

proptest! {
    #[test]
    fn a_browser_reads_what_was_written(value in "[!#-+\\--:<-\\[\\]-~]{1,200}", seconds in 1u64..34_560_000) {
        let header = set(&value, CookieLifetime::For(Duration::from_secs(seconds)));
        let (name, read, attributes) = as_a_browser_reads(&header);
        prop_assert_eq!((name.as_str(), &read), ("__Host-Http-id", &value));
        let age = format!("max-age={seconds}");
        prop_assert_eq!(attributes, [age.as_str(), "path=/", "secure", "httponly", "samesite=lax"]);
    }

    #[test]
    fn a_token_comes_back_as_it_was_set(value in "[A-Za-z0-9_-]{1,200}") {
        let header = set(&value, CookieLifetime::UntilBrowserCloses);
        let pair = header.split(';').next().unwrap();
        let scanned = scan([pair.as_bytes()], CookieNames::https(), HeaderJoin::Standard);
        prop_assert_eq!(scanned.of(CookieKind::Session).candidates(), [value.as_str()]);
    }

    #[test]
    fn no_value_breaks_the_writer_or_the_header(value in "\\PC{0,40}|[\\x00-\\xff]{0,40}") {
        if let Ok(cookie) = shape(SameSite::Lax).set(CookieKind::Session, &value, CookieLifetime::For(DAY)) {
            prop_assert!(cookie.as_str().bytes().all(|byte| (b' '..=b'~').contains(&byte)));
            prop_assert_eq!(as_a_browser_reads(cookie.as_str()).1, value);
        }
    }
}
