//! An origin is exact: what differs in scheme, host or port is another site, and what is no origin is nobody's.

use proptest::prelude::*;

use super::*;

fn origin(text: &str) -> Origin {
    Origin::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn every_spelling_of_an_origin_has_one_canonical_form() {
    for (written, canonical) in [
        ("https://shop.example", "https://shop.example"),
        ("HTTPS://SHOP.Example", "https://shop.example"),
        ("https://shop.example:443", "https://shop.example"),
        ("https://shop.example:0443", "https://shop.example"),
        ("http://shop.example:80", "http://shop.example"),
        ("http://shop.example:443", "http://shop.example:443"),
        ("https://shop.example:8443", "https://shop.example:8443"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("https://BÜCHER.example", "https://xn--bcher-kva.example"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
        ("https://[2001:DB8:0:0:0:0:0:1]:8443", "https://[2001:db8::1]:8443"),
        ("http://[::1]", "http://[::1]"),
    ] {
        assert_eq!(origin(written).as_str(), canonical, "{written}");
    }
}

#[test]
fn what_is_not_an_origin_is_refused_with_the_reason() {
    use OriginError as E;
    for (text, error) in [
        ("", E::Empty),
        ("null", E::Null),
        ("NULL", E::Null),
        ("*", E::Wildcard),
        ("https://*.shop.example", E::Wildcard),
        (" https://shop.example", E::Space),
        ("https://shop.example\n", E::Space),
        ("https://shop\t.example", E::Space),
        ("https://a.example https://b.example", E::Space),
        ("shop.example", E::Scheme),
        ("//shop.example", E::Scheme),
        ("https:shop.example", E::Scheme),
        ("ftp://shop.example", E::Scheme),
        ("file://shop.example", E::Scheme),
        ("://shop.example", E::Scheme),
        ("https://user@shop.example", E::UserInfo),
        ("https://user:secret@shop.example", E::UserInfo),
        ("https://shop.example/", E::Path),
        ("https://shop.example/cart", E::Path),
        ("https://shop.example\\cart", E::Path),
        ("https:///shop.example", E::Path),
        ("https://shop.example?x", E::Query),
        ("https://shop.example#x", E::Fragment),
        ("https://", E::Host),
        ("https://:443", E::Host),
        ("https://sh%6fp.example", E::Host),
        ("https://shop<.example", E::Host),
        ("https://shop;script-src.example", E::Host),
        ("https://shop,evil.example", E::Host),
        ("https://shop'.example", E::Host),
        ("https://shop\".example", E::Host),
        ("https://[::1", E::Host),
        ("https://999.1.1.1", E::Host),
        ("https://xn--a", E::Host),
        ("https://shop.example.", E::TrailingDot),
        ("https://shop.example.:8443", E::TrailingDot),
        ("https://shop.example。", E::TrailingDot),
        ("https://shop.example:", E::Port),
        ("https://shop.example:65536", E::Port),
        ("https://shop.example:x", E::Port),
        ("https://shop.example:-1", E::Port),
    ] {
        assert_eq!(Origin::parse(text), Err(error), "{text:?}");
    }
}

#[test]
fn the_parts_are_those_of_the_canonical_form() {
    let plain = origin("https://BÜCHER.example");
    assert_eq!((plain.scheme(), plain.host(), plain.port()), (Scheme::Https, "xn--bcher-kva.example", 443));
    let address = origin("http://[::1]:3000");
    assert_eq!((address.scheme(), address.host(), address.port()), (Scheme::Http, "[::1]", 3000));
}

#[test]
fn a_header_matches_only_the_same_scheme_host_and_port() {
    let shop = origin("https://shop.example");
    let long = format!("https://shop.example{}", "a".repeat(64 * 1024));
    let rows: &[(&[u8], bool)] = &[
        (b"https://shop.example", true),
        (b"https://shop.example:443", true),
        (b"HTTPS://SHOP.EXAMPLE", true),
        (b"http://shop.example", false),
        (b"http://shop.example:443", false),
        (b"https://shop.example:444", false),
        (b"https://shop.example:80", false),
        (b"https://shop.example.", false),
        (b"https://shop.example/", false),
        (b"https://www.shop.example", false),
        (b"https://shop.example.evil.example", false),
        (b"https://evil-shop.example", false),
        (b"https://shop.example@evil.example", false),
        (b"https://evil.example#https://shop.example", false),
        (b"https://evil.example, https://shop.example", false),
        (b"https://shop.example https://shop.example", false),
        (b"https://shop.exampl", false),
        (b"shop.example", false),
        (b"null", false),
        (b"", false),
        (b"*", false),
        (b"https://shop.example\0", false),
        (b"https://shop.example\xff", false),
        (b"\xff\xfe", false),
        ("https://ѕhop.example".as_bytes(), false),
        ("https://ｓhop.example".as_bytes(), false),
        (long.as_bytes(), false),
    ];
    for (value, same) in rows {
        let shown = String::from_utf8_lossy(value);
        assert_eq!(shop.matches_header(value), *same, "{shown}");
        assert_eq!(TrustedOrigins::new([shop.clone()]).matches_header(value), *same, "{shown}");
    }
}

#[test]
fn an_international_host_matches_in_punycode_only() {
    let books = origin("https://bücher.example");
    assert!(books.matches_header(b"https://xn--bcher-kva.example"));
    assert!(books.matches_header(b"https://XN--BCHER-KVA.example"));
    assert!(!books.matches_header("https://bücher.example".as_bytes()), "browsers send ASCII");
}

#[test]
fn a_referer_counts_by_its_origin_alone() {
    let public = PublicOrigins::new([origin("https://shop.example")]).unwrap();
    let long = format!("https://shop.example/{}", "a".repeat(64 * 1024));
    let rows: &[(&[u8], bool)] = &[
        (b"https://shop.example", true),
        (b"https://shop.example/", true),
        (b"https://shop.example/cart?next=https://evil.example", true),
        (b"https://shop.example?x", true),
        (b"https://shop.example#x", true),
        (b"https://shop.example/\xff", true),
        (long.as_bytes(), true),
        (b"https://evil.example/https://shop.example/", false),
        (b"https://evil.example/?https://shop.example", false),
        (b"https://shop.example@evil.example/", false),
        (b"https://evil.example\\@shop.example/", false),
        (b"https://shop.example\\.evil.example/", false),
        (b"https://shop.example.evil.example/", false),
        (b"http://shop.example/", false),
        (b"https://shop.example:8443/", false),
        (b"//shop.example/", false),
        (b"/cart", false),
        (b"about:blank", false),
        (b"", false),
    ];
    for (value, same) in rows {
        assert_eq!(public.matches_referer(value), *same, "{}", String::from_utf8_lossy(value));
    }
}

#[test]
fn a_set_of_public_origins_is_never_empty_and_has_no_doubles() {
    assert_eq!(PublicOrigins::new([]), Err(NoPublicOrigin));
    let set =
        PublicOrigins::new([origin("https://a.example"), origin("https://b.example"), origin("https://A.example:443")]);
    assert_eq!(set.unwrap().iter().map(Origin::as_str).collect::<Vec<_>>(), ["https://a.example", "https://b.example"]);
    assert!(TrustedOrigins::none().is_empty() && !TrustedOrigins::none().matches_header(b"https://a.example"));
}

proptest! {
    #[test]
    fn parsing_what_was_printed_changes_nothing(host in "[a-z][a-z0-9-]{0,20}(\\.[a-z][a-z0-9]{1,10}){0,3}", port: u16, secure: bool) {
        let written = format!("{}://{host}:{port}", if secure { "https" } else { "http" });
        if let Ok(first) = Origin::parse(&written) {
            prop_assert_eq!(&Origin::parse(first.as_str()).unwrap(), &first);
            prop_assert!(first.matches_header(written.as_bytes()));
            prop_assert_eq!(first.host(), &host);
            prop_assert_eq!(first.port(), port);
        }
    }

    #[test]
    fn no_text_breaks_the_parser_and_what_it_accepts_is_canonical(text in "(https?://)?\\PC{0,40}") {
        if let Ok(first) = Origin::parse(&text) {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:/[]".contains(&byte);
            prop_assert!(first.as_str().bytes().all(plain), "{}", first);
            prop_assert_eq!(&Origin::parse(first.as_str()).unwrap(), &first);
        }
    }

    #[test]
    fn no_header_breaks_the_comparison(value: Vec<u8>) {
        let public = PublicOrigins::new([origin("https://shop.example")]).unwrap();
        prop_assert!(!public.matches_header(&value));
        prop_assert!(!public.matches_referer(&value));
    }
}

#[test]
fn a_request_comes_to_the_origin_its_host_names() {
    let (shop, dev) = (Origin::parse("https://shop.example").unwrap(), Origin::parse("http://localhost:3000").unwrap());
    #[rustfmt::skip]
    let rows = [
        ("the same",           &shop, "shop.example",     true),
        ("in capitals",        &shop, "Shop.Example",     true),
        ("another host",       &shop, "blog.example",     false),
        ("with a port",        &dev,  "localhost:3000",   true),
        ("another port",       &dev,  "localhost:3001",   false),
        ("without its port",   &dev,  "localhost",        false),
        ("nothing",            &dev,  "",                 false),
    ];
    for (name, origin, authority, here) in rows {
        assert_eq!(origin.is_at(authority), here, "{name}");
    }
}
