//! Reading: every candidate is found, nothing else is, and no bytes break it.

use proptest::prelude::*;

use crate::cookie::*;

/// What a row expects for the session cookie: candidates, malformed.
type Expected = (&'static [&'static str], usize);

const fn found(candidates: &'static [&'static str]) -> Expected {
    (candidates, 0)
}

const MALFORMED: Expected = (&[], 1);
const NOT_OURS: Expected = (&[], 0);

fn check(join: HeaderJoin, headers: &[&[u8]], expected: Expected) {
    let scanned = scan(headers.iter().copied(), CookieNames::https(), join);
    let session = scanned.of(CookieKind::Session);
    let shown: Vec<_> = headers.iter().map(|header| String::from_utf8_lossy(header)).collect();
    assert_eq!((session.candidates(), session.malformed()), expected, "{join:?} {shown:?}");
    assert_eq!(session.is_present(), expected != NOT_OURS, "{join:?} {shown:?}");
}

#[test]
fn the_session_cookie_is_found_wherever_it_stands() {
    let rows: &[(&[&[u8]], Expected)] = &[
        (&[], NOT_OURS),
        (&[b""], NOT_OURS),
        (&[b";;; ;"], NOT_OURS),
        (&[b"__Host-Http-id=a_B-9"], found(&["a_B-9"])),
        (&[b"x=1; __Host-Http-id=a"], found(&["a"])),
        (&[b"__Host-Http-id=a; x=1"], found(&["a"])),
        (&[b"x=1;__Host-Http-id=a;y=2"], found(&["a"])),
        (&[b" \t__Host-Http-id \t= \ta\t "], found(&["a"])),
        (&[b"x=1", b"__Host-Http-id=a"], found(&["a"])),
        (&[b"__Host-Http-id=a; __Host-Http-id=b"], found(&["a", "b"])),
        (&[b"__Host-Http-id=a", b"__Host-Http-id=b"], found(&["a", "b"])),
        (&[b"\xff\xfe=\x80; __Host-Http-id=a; \x00"], found(&["a"])),
        (&[b"x=\"a; __Host-Http-id=b\""], MALFORMED),
        // Not our name.
        (&[b"__host-http-id=a"], NOT_OURS),
        (&[b"__Host-Http-ID=a"], NOT_OURS),
        (&[b"__Host-Http-idx=a"], NOT_OURS),
        (&[b"__Host-Http-=a"], NOT_OURS),
        (&[b"x__Host-Http-id=a"], NOT_OURS),
        (&[b"__Host-id=a; id=a; dev-id=a"], NOT_OURS),
        (&[b"x=__Host-Http-id=a"], NOT_OURS),
        (&[b"=__Host-Http-id=a"], NOT_OURS),
        (&[b"__Host-Http-id"], NOT_OURS),
        (&["\u{85}__Host-Http-id=a; \u{2000}__Host-Http-id=a".as_bytes()], NOT_OURS),
        (&[b"\x0b__Host-Http-id=a; \x0c__Host-Http-id=a; __Host-Http-id\x00=a"], NOT_OURS),
        // Our name, no token.
        (&[b"__Host-Http-id="], MALFORMED),
        (&[b"__Host-Http-id=;"], MALFORMED),
        (&[b"__Host-Http-id=\"a\""], MALFORMED),
        (&[b"__Host-Http-id==a"], MALFORMED),
        (&[b"__Host-Http-id=a b"], MALFORMED),
        (&[b"__Host-Http-id=a.b"], MALFORMED),
        (&[b"__Host-Http-id=a\x00"], MALFORMED),
        (&[b"__Host-Http-id=a\xff"], MALFORMED),
        (&["__Host-Http-id=é".as_bytes()], MALFORMED),
        (&[b"__Host-Http-id=a%2Db"], MALFORMED),
        (&[b"__Host-Http-id=; __Host-Http-id=a; __Host-Http-id=?"], (&["a"], 2)),
    ];
    for (headers, expected) in rows {
        check(HeaderJoin::Standard, headers, *expected);
        check(HeaderJoin::Comma, headers, *expected);
    }
}

#[test]
fn a_comma_separates_cookies_only_behind_a_proxy_that_joins_headers_with_it() {
    let rows: &[(&[u8], Expected, Expected)] = &[
        //                                           ;             , and ;
        (b"x=1, __Host-Http-id=a", NOT_OURS, found(&["a"])),
        (b"x=1,__Host-Http-id=a,y=2", NOT_OURS, found(&["a"])),
        (b"__Host-Http-id=a, x=1", MALFORMED, found(&["a"])),
        (b"__Host-Http-id=a, __Host-Http-id=b", MALFORMED, found(&["a", "b"])),
        (b"x=1; __Host-Http-id=a, y=2; __Host-Http-id=b", (&["b"], 1), found(&["a", "b"])),
    ];
    for (header, standard, comma) in rows {
        check(HeaderJoin::Standard, &[header], *standard);
        check(HeaderJoin::Comma, &[header], *comma);
    }
    assert_eq!(HeaderJoin::default(), HeaderJoin::Standard);
}

#[test]
fn each_kind_is_found_under_its_own_name_and_no_other() {
    for names in [CookieNames::https(), CookieNames::plain_http_loopback()] {
        for sent in CookieKind::ALL {
            let header = format!("x=1; {}=value", names.name(sent));
            let scanned = scan([header.as_bytes()], names, HeaderJoin::Standard);
            for asked in CookieKind::ALL {
                assert_eq!(scanned.of(asked).is_present(), asked == sent, "{header}: {asked:?}");
            }
            assert!(scanned.is_cookie_bearing());
        }
    }
    let https = scan([b"__Host-Http-id=a".as_slice()], CookieNames::plain_http_loopback(), HeaderJoin::Standard);
    assert!(!https.is_cookie_bearing());
}

#[test]
fn the_ninth_candidate_overflows_and_the_first_eight_stay() {
    let cookies = |count: usize| (0..count).map(|n| format!("__Host-Http-id=v{n}")).collect::<Vec<_>>().join("; ");
    for (count, kept, overflow) in [(7, 7, false), (8, 8, false), (9, 8, true), (500, 8, true)] {
        let header = cookies(count);
        let scanned = scan([header.as_bytes()], CookieNames::https(), HeaderJoin::Standard);
        let session = scanned.of(CookieKind::Session);
        assert_eq!((session.candidates().len(), session.overflow()), (kept, overflow), "{count}");
        assert_eq!(session.candidates()[kept - 1], format!("v{}", kept - 1));
    }
}

#[test]
fn a_token_is_made_of_letters_digits_minus_and_underscore_alone() {
    for byte in 0..=u8::MAX {
        let header = [b"__Host-Http-id=a".as_slice(), &[byte], b"a"].concat();
        let scanned = scan([header.as_slice()], CookieNames::https(), HeaderJoin::Standard);
        let ours = byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        assert_eq!(scanned.of(CookieKind::Session).candidates().len() == 1, ours || byte == b';', "{byte:#x}");
    }
}

#[test]
fn a_value_longer_than_browsers_keep_is_malformed() {
    let room = MAX_COOKIE_BYTES - "__Host-Http-id".len();
    for (length, malformed) in [(room, 0), (room + 1, 1), (64 * 1024, 1)] {
        let header = format!("__Host-Http-id={}", "a".repeat(length));
        let scanned = scan([header.as_bytes()], CookieNames::https(), HeaderJoin::Standard);
        assert_eq!(scanned.of(CookieKind::Session).malformed(), malformed, "{length}");
    }
}

#[test]
fn ours_is_found_behind_64_kib_of_others() {
    let others = (100..600).map(|n| format!("cookie{n}={}; ", "x".repeat(118))).collect::<Vec<_>>().concat();
    let header = format!("{others}__Host-Http-el=a");
    assert!(header.len() > 64_000);
    let scanned = scan([header.as_bytes()], CookieNames::https(), HeaderJoin::Standard);
    assert_eq!(scanned.of(CookieKind::Elevated).candidates(), ["a"]);
    assert!(!scanned.of(CookieKind::Session).is_present());
}

#[test]
fn debug_shows_counts_and_no_value() {
    let scanned =
        scan([b"__Host-Http-id=secret; __Host-Http-id=?".as_slice()], CookieNames::https(), HeaderJoin::Standard);
    let shown = format!("{scanned:?}");
    assert!(
        !shown.contains("secret") && shown.contains("session: Found { candidates: 1, overflow: false, malformed: 1 }")
    );
}

/// Bytes that look like cookies often enough to reach every branch.
fn cookie_like() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"__Host-Http-id".to_vec()),
        Just(b"__Host-Http-an=".to_vec()),
        Just(b"; ".to_vec()),
        Just(b", ".to_vec()),
        Just(b"=".to_vec()),
        Just(b"\"".to_vec()),
        "[A-Za-z0-9_-]{0,12}".prop_map(String::into_bytes),
        proptest::collection::vec(any::<u8>(), 0..6),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// The same rules, written as plainly as possible.
fn plainly(header: &[u8], name: &str, join: HeaderJoin) -> (Vec<String>, usize) {
    let (mut good, mut malformed) = (Vec::new(), 0);
    for pair in header.split(|byte| *byte == b';' || (join == HeaderJoin::Comma && *byte == b',')) {
        let pair: String = pair.iter().map(|byte| char::from(*byte)).collect();
        let Some((left, value)) = pair.split_once('=') else {
            continue;
        };
        if left.trim_matches([' ', '\t']) == name {
            let value = value.trim_matches([' ', '\t']);
            let fine = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            if value.is_empty() || !value.chars().all(fine) {
                malformed += 1;
            } else {
                good.push(value.to_owned());
            }
        }
    }
    (good, malformed)
}

proptest! {
    #[test]
    fn the_fast_reader_agrees_with_the_plain_one(headers in proptest::collection::vec(cookie_like(), 0..3), comma: bool) {
        let join = if comma { HeaderJoin::Comma } else { HeaderJoin::Standard };
        let scanned = scan(headers.iter().map(Vec::as_slice), CookieNames::https(), join);
        for kind in CookieKind::ALL {
            let name = CookieNames::https().name(kind).as_str();
            let plain: Vec<_> = headers.iter().map(|header| plainly(header, name, join)).collect();
            let good: Vec<_> = plain.iter().flat_map(|(good, _)| good).collect();
            let found = scanned.of(kind);
            prop_assert_eq!(found.candidates(), &good.iter().take(MAX_CANDIDATES).map(|text| text.as_str()).collect::<Vec<_>>()[..]);
            prop_assert_eq!(found.overflow(), good.len() > MAX_CANDIDATES);
            prop_assert_eq!(found.malformed(), plain.iter().map(|(_, malformed)| malformed).sum::<usize>());
        }
    }
}
