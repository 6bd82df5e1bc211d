//! `Origin` values made to look like ours, or like nothing at all.

use proptest::prelude::*;

use super::*;

#[test]
fn an_origin_that_only_looks_like_ours_is_foreign() {
    let long = format!("https://shop.example{}", "/".repeat(64 * 1024));
    let many = "https://shop.example, ".repeat(3000);
    let rows: &[&[u8]] = &[
        b"",
        b" ",
        b"NULL",
        b"null ",
        b"null, null",
        b"undefined",
        b"*",
        b"https://",
        b"https://shop.example:8443",
        b"https://shop.example:80",
        b"https://shop.example:443443",
        b"https://shop.example:",
        b"https://shop.example.",
        b"https://shop.example.:443",
        b"https://shop.example/",
        b"https://shop.example.evil.example",
        b"https://evilshop.example",
        b"https://shop.example@evil.example",
        b"https://evil.example/https://shop.example",
        b"https://shop.example, https://evil.example",
        b"https://shop.example https://shop.example",
        b"https://shop.example\r\nX: y",
        b"https://shop.example\0",
        b"https://shop.example\xff",
        b"https://shop.exampl\xc3\xa9",
        b"\xff\xff\xff",
        "https://ѕhop.example".as_bytes(),
        "https://shop。example".as_bytes(),
        b"https://xn--hop-6cd.example",
        b"wss://shop.example",
        b"chrome-extension://shop.example",
        b"file://",
        long.as_bytes(),
        many.as_bytes(),
    ];
    for value in rows {
        for sec_fetch_site in [HeaderCount::Absent, SAME_ORIGIN, NONE] {
            let facts = CsrfFacts { origin: HeaderCount::One(value), sec_fetch_site, x_csrf_is_1: true, ..POST };
            let shown = String::from_utf8_lossy(value);
            assert_eq!(judged(&facts), CsrfVerdict::Deny(DenyReason::ForeignOrigin), "{shown:.60}");
        }
    }
}

#[test]
fn our_origin_is_ours_in_any_spelling_of_the_same() {
    for value in ["https://shop.example", "HTTPS://Shop.EXAMPLE", "https://shop.example:443"] {
        let facts = CsrfFacts { origin: HeaderCount::One(value.as_bytes()), ..POST };
        assert_eq!(judged(&facts), CsrfVerdict::Pass(PassReason::PublicOrigin), "{value}");
    }
}

#[test]
fn a_header_is_counted_as_it_came() {
    assert_eq!(HeaderCount::of([]), HeaderCount::Absent);
    assert_eq!(HeaderCount::of([b"".as_slice()]), HeaderCount::One(b""));
    assert_eq!(HeaderCount::of([b"a".as_slice(), b"a"]), HeaderCount::Repeated);
    assert_eq!(HeaderCount::of([b"a".as_slice(), b"b", b"c"]), HeaderCount::Repeated);
}

proptest! {
    #[test]
    fn random_headers_never_pass_and_never_panic(origin: Vec<u8>, site: Vec<u8>, referer: Vec<u8>) {
        let facts = CsrfFacts {
            origin: HeaderCount::One(&origin),
            sec_fetch_site: HeaderCount::One(&site),
            referer: HeaderCount::One(&referer),
            ..POST
        };
        prop_assert!(judged(&facts).settle(true).is_err());
        let without_origin = CsrfFacts { origin: HeaderCount::Absent, ..facts };
        prop_assert!(judged(&without_origin).settle(true).is_err());
    }
}
