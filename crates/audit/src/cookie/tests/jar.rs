//! What a jar keeps, sends, replaces and forgets.

use url::Url;

use super::super::{Jar, NotKept, SetCookie, is_public_suffix, is_trustworthy};

fn url(text: &str) -> Url {
    text.parse().unwrap()
}

fn jar_of(from: &str, lines: &[&str]) -> Jar {
    let mut jar = Jar::default();
    jar.take(&url(from), lines.iter().map(|line| line.as_bytes()), 0);
    jar
}

#[test]
fn what_browsers_ignore_is_not_kept() {
    let https = "https://app.example.org/a/b";
    #[rustfmt::skip]
    let cases: [(&str, &str, Result<(), NotKept>); 26] = [
        (https,                    "a=b",                                                Ok(())),
        (https,                    "a=b; Domain=example.org",                            Ok(())),
        (https,                    "a=b; Domain=sub.app.example.org",                    Err(NotKept::ForeignDomain)),
        (https,                    "a=b; Domain=other.example",                          Err(NotKept::ForeignDomain)),
        (https,                    "a=b; Domain=xample.org",                             Err(NotKept::ForeignDomain)),
        (https,                    "a=b; Domain=org",                                    Err(NotKept::PublicSuffix)),
        ("https://a.github.io/",   "a=b; Domain=github.io",                              Err(NotKept::PublicSuffix)),
        ("https://github.io/",     "a=b; Domain=github.io",                              Ok(())),
        ("https://a.co.uk/",       "a=b; Domain=co.uk",                                  Err(NotKept::PublicSuffix)),
        ("http://localhost/",      "a=b; Domain=localhost",                              Ok(())),
        ("http://192.0.2.7/",      "a=b; Domain=192.0.2.7",                              Ok(())),
        ("http://192.0.2.7/",      "a=b; Domain=2.7",                                    Err(NotKept::ForeignDomain)),
        ("http://app.example.org", "a=b; Secure",                                        Err(NotKept::SecureOverHttp)),
        ("http://localhost:8080",  "a=b; Secure",                                        Ok(())),
        ("http://127.0.0.1:8080",  "__Host-a=b; Secure; Path=/",                         Ok(())),
        (https,                    "a=b; Partitioned",                                   Err(NotKept::PartitionedNotSecure)),
        (https,                    "__Secure-a=b",                                       Err(NotKept::PrefixBroken)),
        (https,                    "__Secure-a=b; Secure; Domain=example.org",           Ok(())),
        (https,                    "__Host-a=b; Secure; Path=/",                         Ok(())),
        (https,                    "__host-a=b; Secure",                                 Err(NotKept::PrefixBroken)),
        (https,                    "__Host-a=b; Secure; Path=/a",                        Err(NotKept::PrefixBroken)),
        (https,                    "__Host-a=b; Secure; Path=/; Domain=app.example.org", Err(NotKept::PrefixBroken)),
        (https,                    "__Host-a=b; Secure; Path=/; Domain=",                Ok(())),
        (https,                    "__Http-a=b; Secure",                                 Err(NotKept::PrefixBroken)),
        (https,                    "__Http-a=b; Secure; HttpOnly; Path=/a",              Ok(())),
        (https,                    "__Host-Http-a=b; Secure; Path=/",                    Err(NotKept::PrefixBroken)),
    ];
    for (from, line, expected) in cases {
        let kept = Jar::default().keep(&url(from), &SetCookie::read(line.as_bytes()).unwrap(), 0);
        assert_eq!(kept, expected, "{line} from {from}");
    }
}

#[test]
fn a_host_without_a_path_gets_a_cookie_of_the_root_only_where_it_is_said() {
    // `/` is the default path here, and yet nothing said it.
    let cookie = SetCookie::read(b"__Host-a=b; Secure").unwrap();
    assert_eq!(Jar::default().keep(&url("https://app.example.org/"), &cookie, 0), Err(NotKept::PrefixBroken));
}

#[test]
fn a_cookie_goes_where_it_belongs() {
    #[rustfmt::skip]
    let cases = [
        ("https://a.example.org/",    "k=v",                      "https://a.example.org/x",      true),
        ("https://a.example.org/",    "k=v",                      "https://b.a.example.org/",     false),
        ("https://a.example.org/",    "k=v",                      "http://a.example.org:81/",     true),
        ("https://a.example.org/",    "k=v; Secure",              "http://a.example.org/",        false),
        ("https://a.example.org/",    "k=v; Domain=a.example.org", "https://b.a.example.org/",    true),
        ("https://a.example.org/",    "k=v; Domain=example.org",  "https://notexample.org/",      false),
        ("https://a.example.org/x/y", "k=v",                      "https://a.example.org/x",      true),
        ("https://a.example.org/x/y", "k=v",                      "https://a.example.org/x/z",    true),
        ("https://a.example.org/x/y", "k=v",                      "https://a.example.org/xz",     false),
        ("https://a.example.org/x/y", "k=v; Path=x",              "https://a.example.org/",       false),
        ("http://127.0.0.1:8080/",    "k=v; Secure",              "http://127.0.0.1:8080/",       true),
        ("http://[::1]/",             "k=v; Secure",              "http://[::1]/",                true),
    ];
    for (from, line, to, sent) in cases {
        assert_eq!(jar_of(from, &[line]).header(&url(to), 0).is_some(), sent, "{line} from {from} to {to}");
    }
}

#[test]
fn a_cookie_is_over_when_its_time_is() {
    #[rustfmt::skip]
    let cases = [
        ("k=v",                                                                0, u64::MAX, true),
        ("k=v; Max-Age=60",                                                    0,   59_999, true),
        ("k=v; Max-Age=60",                                                    0,   60_000, false),
        ("k=v; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT",             0,   59_999, true),
        ("k=v; Expires=Thu, 01 Jan 1970 00:01:00 GMT",                         0,   59_999, true),
        ("k=v; Expires=Thu, 01 Jan 1970 00:01:00 GMT",                         0,   60_000, false),
        ("k=v; Max-Age=99999999999",                                           0, 400 * 86_400_000 - 1, true),
        ("k=v; Max-Age=99999999999",                                           0, 400 * 86_400_000, false),
        ("k=v; Expires=Fri, 01 Jan 2100 00:00:00 GMT",                         5, 400 * 86_400_000 + 5, false),
        ("k=v; Max-Age=-1",                                                    0,        0, false),
        ("k=v; Max-Age=x",                                                     0, u64::MAX, true),
    ];
    for (line, set, asked, sent) in cases {
        let (mut jar, site) = (Jar::default(), url("https://a.example.org/"));
        jar.take(&site, [line.as_bytes()], set);
        assert_eq!(jar.header(&site, asked).is_some(), sent, "{line} at {asked}");
    }
}

#[test]
fn the_same_cookie_is_replaced_and_keeps_its_place() {
    let jar = jar_of("https://a.example.org/", &["a=1", "b=1", "a=2", "a=3; Path=/x", "a=4; Domain=a.example.org"]);
    assert_eq!(jar.header(&url("https://a.example.org/x"), 0).as_deref(), Some("a=3; a=2; b=1; a=4"));
    assert_eq!((jar.names(), jar.get("a"), jar.get("c")), (vec!["a".to_owned(), "b".to_owned()], Some("4"), None));
}

#[test]
fn plain_http_does_not_cover_up_a_secure_cookie() {
    let mut jar = jar_of("https://a.example.org/", &["a=1; Secure; Path=/login"]);
    let plain = url("http://a.example.org/");
    let keep = |jar: &mut Jar, line: &str| jar.keep(&plain, &SetCookie::read(line.as_bytes()).unwrap(), 0);
    assert_eq!(keep(&mut jar, "a=2; Path=/login/x; Domain=example.org"), Err(NotKept::CoversSecure));
    assert_eq!(keep(&mut jar, "a=2; Path=/"), Ok(()));
    assert_eq!(keep(&mut jar, "b=2; Path=/login"), Ok(()));
}

#[test]
fn a_removed_cookie_is_gone() {
    let mut jar = jar_of("https://a.example.org/", &["a=1", "b=2"]);
    jar.take(&url("https://a.example.org/"), [&b"a=; Max-Age=0"[..]], 1);
    assert_eq!(jar.names(), ["b"]);
    assert!(jar.remove("b") && !jar.remove("b") && jar.is_empty());
}

#[test]
fn a_planted_value_takes_the_place_of_the_old_one_or_is_the_hosts_alone() {
    let site = url("https://a.example.org/");
    let mut jar = jar_of("https://a.example.org/", &["a=1; Path=/x; Secure"]);
    jar.set(&site, "a", "2");
    jar.set(&site, "b", "3");
    assert_eq!(jar.header(&url("https://a.example.org/x"), 0).as_deref(), Some("a=2; b=3"));
    assert_eq!(jar.header(&url("http://a.example.org/x"), 0).as_deref(), Some("b=3"));
    assert_eq!(jar.header(&url("https://b.a.example.org/x"), 0), None);
}

#[test]
fn a_copy_of_a_jar_goes_its_own_way() {
    let mut jar = jar_of("https://a.example.org/", &["a=1"]);
    let copy = jar.clone();
    jar.remove("a");
    assert_eq!(copy.get("a"), Some("1"));
}

#[test]
fn four_thousand_cookies_leave_two_thousand() {
    let mut lines: Vec<_> = (0..4000).map(|number| format!("c{number}=v")).collect();
    lines.insert(0, "first=v; Secure".to_owned());
    let lines: Vec<_> = lines.iter().map(String::as_str).collect();
    let jar = jar_of("https://a.example.org/", &lines);
    assert_eq!(jar.iter().count(), 2000);
    assert!(jar.get("first").is_some() && jar.get("c3999").is_some() && jar.get("c0").is_none());
}

#[test]
fn values_are_not_printed() {
    let jar = jar_of("https://a.example.org/", &["id=hunter2"]);
    assert!(!format!("{jar:?} {:?}", jar.iter().next()).contains("hunter2"));
}

#[test]
fn loopback_counts_as_safe_and_plain_http_elsewhere_does_not() {
    #[rustfmt::skip]
    let cases = [
        ("https://a.example.org", true),  ("wss://a.example.org", true),    ("http://a.example.org", false),
        ("http://localhost:1",    true),  ("http://a.localhost",  true),    ("http://notlocalhost",  false),
        ("http://127.9.9.9",      true),  ("http://[::1]:1",      true),    ("http://192.168.0.1",   false),
    ];
    for (text, safe) in cases {
        assert_eq!(is_trustworthy(&url(text)), safe, "{text}");
    }
    assert!(is_public_suffix("co.uk") && is_public_suffix("github.io") && !is_public_suffix("example.org"));
}
