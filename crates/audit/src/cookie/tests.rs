//! The http-state cases, what lines say, and what a jar does with them.

mod jar;
mod vectors;

use proptest::prelude::*;

use super::*;

fn read(line: &str) -> SetCookie {
    SetCookie::read(line.as_bytes()).unwrap()
}

#[test]
fn a_line_says_what_it_says() {
    let cookie = read(
        "__Host-Http-id=a=b; Path=/; Secure; HttpOnly; SameSite=sTrict; Max-Age=60; Partitioned; Domain=.Example.ORG; Expires=Thu, 01 Jan 1970 00:01:00 GMT",
    );
    assert_eq!((cookie.name.as_str(), cookie.value.as_str()), ("__Host-Http-id", "a=b"));
    assert_eq!((cookie.path.as_deref(), cookie.domain.as_deref()), (Some("/"), Some("example.org")));
    assert_eq!((cookie.max_age, cookie.expires, cookie.same_site), (Some(60), Some(60), Some(SameSite::Strict)));
    assert!(cookie.secure && cookie.http_only && cookie.partitioned && cookie.oddities.is_empty());
    assert_eq!(cookie.prefix(), Some(Prefix::HostHttp));
}

#[test]
fn what_browsers_drop_is_refused() {
    let long = |size: usize| format!("a={}", "b".repeat(size));
    #[rustfmt::skip]
    let cases: [(&str, Option<Refused>); 11] = [
        ("a=b\0c",               Some(Refused::ControlCharacter(0))),
        ("a=b; Path=/\x7f",      Some(Refused::ControlCharacter(0x7f))),
        ("a=b\tc",               None),
        ("",                     Some(Refused::Empty)),
        (" = ; Secure",          Some(Refused::Empty)),
        ("=b",                   None),
        ("=__Host-id",           Some(Refused::NamelessPrefix)),
        ("__sEcure-id",          Some(Refused::NamelessPrefix)),
        ("__Other-id",           None),
        (&long(4095),            None),
        (&long(4096),            Some(Refused::TooLarge(4097))),
    ];
    for (line, refused) in cases {
        assert_eq!(SetCookie::read(line.as_bytes()).err(), refused, "{line:.40}");
    }
}

#[test]
fn what_is_odd_is_kept() {
    let long = format!("a=b; Path=/{}; Secure", "c".repeat(1024));
    #[rustfmt::skip]
    let cases: [(&[u8], &[Oddity]); 19] = [
        (b"a=b",                               &[]),
        (b"a=\"b\"; Priority=High",            &[]),
        (b"a=b;; ;",                           &[]),
        (b"b",                                 &[Oddity::NoName]),
        (b"a b=c",                             &[Oddity::NameCharacter(' ')]),
        (b"a=b,c",                             &[Oddity::ValueCharacter(',')]),
        (b"a=\"b",                             &[Oddity::ValueCharacter('"')]),
        ("a=ü".as_bytes(),                     &[Oddity::ValueCharacter('ü')]),
        (b"a=\xff",                            &[Oddity::ValueCharacter('\u{fffd}'), Oddity::NotUtf8]),
        (b"a=b; Colour=red",                   &[Oddity::Unknown(String::new())]),
        (b"a=b; Path=/; path=/x",              &[Oddity::Duplicate("Path")]),
        (b"a=b; SameSite=Bogus; SameSite=Lax", &[Oddity::UnknownSameSite(String::new()), Oddity::Duplicate("SameSite")]),
        (b"a=b; Expires=soon",                 &[Oddity::BadExpires]),
        (b"a=b; Max-Age=1h",                   &[Oddity::BadMaxAge]),
        (b"a=b; Max-Age=",                     &[Oddity::BadMaxAge]),
        (b"a=b; Path=x",                       &[Oddity::BadPath]),
        (b"a=b; Domain=",                      &[Oddity::EmptyDomain]),
        (b"a=b; Secure=false",                 &[Oddity::FlagWithValue("Secure")]),
        (long.as_bytes(),                      &[Oddity::LongAttribute("Path".to_owned())]),
    ];
    let kinds = |of: &[Oddity]| of.iter().map(kind).collect::<Vec<_>>();
    for (line, expected) in cases {
        let cookie = SetCookie::read(line).unwrap();
        assert_eq!(kinds(&cookie.oddities), kinds(expected), "{}", String::from_utf8_lossy(line));
    }
}

/// Without the words of the site.
fn kind(one: &Oddity) -> Oddity {
    match one {
        Oddity::Unknown(_) => Oddity::Unknown(String::new()),
        Oddity::UnknownSameSite(_) => Oddity::UnknownSameSite(String::new()),
        other => other.clone(),
    }
}

#[test]
fn a_number_beyond_all_numbers_is_the_largest() {
    #[rustfmt::skip]
    let cases = [
        ("0",                       Some(0)),
        ("-1",                      Some(-1)),
        ("99999999999999999999999", Some(i64::MAX)),
        ("-99999999999999999999",   Some(-i64::MAX)),
        ("--1",                     None),
        ("+1",                      None),
        ("1.5",                     None),
    ];
    for (text, age) in cases {
        assert_eq!(read(&format!("a=b; Max-Age={text}")).max_age, age, "{text}");
    }
}

#[test]
fn values_are_not_printed() {
    assert!(!format!("{:?}", read("id=hunter2")).contains("hunter2"));
}

/// As a server that keeps to section 4.1.1 writes it.
fn written(cookie: &SetCookie) -> String {
    let mut line = format!("{}={}", cookie.name, cookie.value);
    let mut say = |text: String| line.extend(["; ".to_owned(), text]);
    cookie.domain.iter().for_each(|domain| say(format!("Domain={domain}")));
    cookie.path.iter().for_each(|path| say(format!("Path={path}")));
    cookie.max_age.iter().for_each(|age| say(format!("Max-Age={age}")));
    cookie.same_site.iter().for_each(|site| say(format!("SameSite={site:?}")));
    [(cookie.secure, "Secure"), (cookie.http_only, "HttpOnly"), (cookie.partitioned, "Partitioned")]
        .iter()
        .filter(|(said, _)| *said)
        .for_each(|(_, name)| say((*name).to_owned()));
    line
}

prop_compose! {
    fn well_formed()(
        pair in "[A-Za-z0-9_!#$%&'*+.^`|~-]{1,20}=[!#-+\\--:<-\\[\\]-~]{0,40}",
        domain in proptest::option::of("[a-z0-9]{1,8}(\\.[a-z]{1,8}){1,2}"),
        path in proptest::option::of("/[a-z0-9/%=]{0,20}"),
        age in proptest::option::of(any::<u32>()),
        site in proptest::option::of(prop_oneof![Just(SameSite::Strict), Just(SameSite::Lax), Just(SameSite::None)]),
        flags in any::<[bool; 3]>(),
    ) -> SetCookie {
        let mut cookie = SetCookie::read(pair.as_bytes()).unwrap();
        (cookie.domain, cookie.path, cookie.max_age, cookie.same_site) = (domain, path, age.map(i64::from), site);
        [cookie.secure, cookie.http_only, cookie.partitioned] = flags;
        cookie
    }
}

proptest! {
    #[test]
    fn what_is_written_well_is_read_whole(cookie in well_formed()) {
        let again = read(&written(&cookie));
        prop_assert!(again == cookie && again.oddities.is_empty(), "{:?}", again.oddities);
    }

    #[test]
    fn no_line_panics(line in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = SetCookie::read(&line);
    }

    #[test]
    fn no_line_of_cookie_like_pieces_panics(
        pieces in proptest::collection::vec("(a|=|;| |\t|\"|Path|/|Domain|\\.|org|Expires|Max-Age|-|[0-9]{1,20}|:|Jan|ü|__Host-|Secure|SameSite){1,3}", 0..20),
        now in any::<u64>(),
    ) {
        let line = pieces.concat();
        let url = "https://app.example.org/a/b".parse().unwrap();
        let mut jar = Jar::default();
        jar.take(&url, [line.as_bytes()], now);
        let _ = jar.header(&url, now);
    }
}
