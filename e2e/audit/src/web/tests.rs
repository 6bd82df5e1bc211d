//! What a request says, and what an answer looks like on the wire.

use std::io::BufReader;

use super::ask::{Ask, Whence};
use super::{Body, Reply};

fn ask(text: &str) -> Ask {
    Ask::read(&mut BufReader::new(text.as_bytes()), 80).unwrap().unwrap()
}

#[test]
fn a_request_is_read_whole() {
    let ask = ask("POST /a;x=1?b=%20c HTTP/1.1\r\nHost: h\r\nCookie: one=; one=2; three=\"4\"\r\n\
                   Content-Length: 9\r\n\r\nuser=a%2Bmore");
    assert_eq!((ask.on(), ask.param("b").as_deref()), (("POST", "/a;x=1"), Some(" c")));
    assert_eq!((ask.cookie("one"), ask.cookie("three"), ask.cookie("two")), (Some("2"), Some("\"4\""), None));
    assert_eq!(ask.field("user").as_deref(), Some("a+"));
}

#[test]
fn where_a_request_comes_from_is_the_browsers_word() {
    #[rustfmt::skip]
    let cases = [
        ("",                                                              Whence::Unsaid),
        ("Origin: http://h\r\n",                                          Whence::Here),
        ("Origin: http://h.evil.example\r\n",                             Whence::Elsewhere),
        ("Origin: null\r\n",                                              Whence::Elsewhere),
        ("Referer: http://h/page\r\n",                                    Whence::Here),
        ("Referer: http://h.evil.example/\r\n",                           Whence::Elsewhere),
        ("Sec-Fetch-Site: same-site\r\nOrigin: http://h\r\n",             Whence::Elsewhere),
        ("Sec-Fetch-Site: same-origin\r\n",                               Whence::Here),
    ];
    for (lines, expected) in cases {
        assert_eq!(ask(&format!("POST / HTTP/1.1\r\nHost: h\r\n{lines}\r\n")).from(), expected, "{lines}");
    }
}

#[test]
fn an_answer_has_each_field_once_but_for_cookies() {
    let reply =
        Reply::page("t", "x").header("cache-control", "public").without("Referrer-Policy").cookie("a=1").cookie("b=2");
    let head = String::from_utf8(reply.head(1, true)).unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.ends_with("Connection: close\r\n\r\n"), "{head}");
    assert!(
        !head.contains("no-store") && !head.contains("Referrer") && head.matches("Set-Cookie").count() == 2,
        "{head}"
    );
    assert!(matches!(Reply::raw("x").body, Body::Raw(_)));
}
