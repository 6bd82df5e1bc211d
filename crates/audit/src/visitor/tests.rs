//! How a step of the profile and the form of a page become a request.

use bytes::Bytes;
use http::Method;
use std::time::Duration;

use super::ready::fill;
use super::*;
use crate::exchange::Answer;
use crate::profile::Profile;
use crate::wire::{Wire, WireLimits};

fn site(more: &str) -> Site {
    let profile: Profile = format!(
        "site = \"https://app.example.org\"\n{more}\n[sign_in]\npage = \"/login\"\n[account]\nuser = \"alice\"\npassword = \"wonder\"\n\
         [signed_in]\nurl = \"/\"\nmarker = \"alice\"\n"
    )
    .parse()
    .unwrap();
    let wire = Wire::new(std::slice::from_ref(&profile.site), WireLimits::default(), None).unwrap();
    Site::new(profile, wire)
}

fn page(text: &str) -> Exchange {
    let url = Url::parse("https://app.example.org/login?next=/a").unwrap();
    let sent = Sent { method: Method::GET, url, headers: Vec::new(), body: Bytes::new() };
    let body = Bytes::copy_from_slice(text.as_bytes());
    let answer = Answer { status: 200, headers: Vec::new(), body, cut: false, took: Duration::ZERO, at_millis: 0 };
    Exchange { sent, answer }
}

fn step(form: &[(&str, &str)], request: Option<(Method, &str)>) -> Step {
    Step {
        form: form.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        request: request.map(|(method, path)| (method, path.to_owned())),
        ..Step::default()
    }
}

fn filled(site: &Site, step: &Step, text: &str) -> Ready {
    fill(&site.visitor(), step, &Values::of(&site.profile.account), Some(page(text))).unwrap()
}

fn body(ready: &Ready) -> String {
    String::from_utf8(ready.encoded().1).unwrap()
}

const LOGIN: &str = "<form action=/search><input name=q></form>
    <form method=post action=/session><input type=hidden name=_csrf value=t0k3n><input name=user><input type=password name=password>
    <input type=checkbox name=remember><button name=do value=login>Go</button></form>";

#[test]
fn the_form_that_has_the_fields_is_the_one() {
    let ready = filled(&site(""), &step(&[("user", "{user}"), ("password", "{password}")], None), LOGIN);
    assert_eq!((ready.method.as_str(), ready.url.path()), ("POST", "/session"));
    assert_eq!(body(&ready), "_csrf=t0k3n&do=login&password=wonder&user=alice");
    assert_eq!(ready.token, Some(TokenPlace::Field("_csrf".to_owned())));
}

#[test]
fn what_the_page_adds_to_the_address_is_kept() {
    let text = "<form method=post action='/session;jsessionid=A1?n=2'><input type=hidden name=k value=v></form>";
    let ready = filled(&site(""), &step(&[], Some((Method::POST, "/session"))), text);
    assert_eq!(ready.url.as_str(), "https://app.example.org/session;jsessionid=A1?n=2");
    assert_eq!(body(&ready), "k=v");
}

#[test]
fn a_token_is_taken_from_wherever_pages_have_it() {
    let mut wanted = step(&[], Some((Method::POST, "/session")));
    wanted.headers.insert("X-CSRF-Token".to_owned(), "{csrf}".to_owned());
    let cases = [
        ("meta", "<meta name=csrf-token content=t0k3n>"),
        ("hidden field", "<form action=/other><input type=hidden name=authenticity_token value=t0k3n></form>"),
        ("JSON", "{\"csrf\": \"t0k3n\"}"),
    ];
    for (name, text) in cases {
        let ready = filled(&site(""), &wanted, text);
        assert_eq!(ready.headers, [("X-CSRF-Token".to_owned(), "t0k3n".to_owned())], "{name}");
        assert_eq!(ready.token_value().as_deref(), Some("t0k3n"), "{name}");
    }
    let site = site("");
    let mut visitor = site.visitor();
    visitor.jar.set(&site.profile.site, "XSRF-TOKEN", "a%3Db");
    let ready = fill(&visitor, &wanted, &Values::default(), None).unwrap();
    assert_eq!(ready.token_value().as_deref(), Some("a=b"));
}

#[test]
fn a_token_that_is_nowhere_is_said_to_be_missing() {
    let site = site("");
    let step = step(&[("csrf", "{csrf}")], Some((Method::POST, "/session")));
    let error = fill(&site.visitor(), &step, &Values::default(), Some(page("nothing"))).unwrap_err();
    assert!(error.to_string().starts_with("/login has no CSRF token"), "{error}");
    let nowhere = fill(&site.visitor(), &Step::default(), &Values::default(), Some(page("nothing"))).unwrap_err();
    assert!(nowhere.to_string().contains("no form that fits (status 200)"), "{nowhere}");
}

#[test]
fn the_profile_may_name_the_token() {
    let text = "<form method=post><input type=hidden name=page value=3><input type=hidden name=seal value=abc><input name=user></form>";
    let named = filled(&site("token_field = \"seal\""), &step(&[("user", "{user}")], None), text);
    assert_eq!(named.token, Some(TokenPlace::Field("seal".to_owned())));
    assert_eq!(filled(&site(""), &step(&[("user", "{user}")], None), text).token, None);
    assert_eq!(named.url.as_str(), "https://app.example.org/login?next=/a");
}

#[test]
fn a_token_is_exchanged_or_left_out_alone() {
    let ready = filled(&site(""), &step(&[("user", "{user}")], None), LOGIN);
    assert_eq!(body(&ready.clone().with_token(None)), "password=&do=login&user=alice");
    assert_eq!(ready.clone().with_token(Some("x")).token_value().as_deref(), Some("x"));
    assert_eq!(body(&ready.with_word("alice", "bob")), "_csrf=t0k3n&password=&do=login&user=bob");
}

#[test]
fn bodies_are_what_their_types_say() {
    let fields = vec![("a".to_owned(), "1 &".to_owned()), ("b\"".to_owned(), "é".to_owned())];
    let of = |body: Body| {
        let ready = Ready { body, ..Ready::get(Url::parse("https://a.example").unwrap()) };
        let (kind, bytes) = ready.encoded();
        (kind.unwrap_or_default(), String::from_utf8(bytes).unwrap())
    };
    assert_eq!(of(Body::Empty), (String::new(), String::new()));
    assert_eq!(of(Body::Form(fields.clone())).1, "a=1+%26&b%22=%C3%A9");
    let (kind, text) = of(Body::Multipart(fields));
    let boundary = kind.split("boundary=").nth(1).unwrap();
    assert_eq!(text.matches(boundary).count(), 3);
    assert!(text.contains("name=\"a\"\r\n\r\n1 &\r\n") && text.contains("name=\"b%22\"\r\n\r\né\r\n"), "{text}");
    assert_eq!(of(Body::Raw("text/plain", "x".to_owned())), ("text/plain".to_owned(), "x".to_owned()));
}

#[test]
fn nothing_of_it_is_printed() {
    let site = site("");
    let mut visitor = site.visitor();
    visitor.jar.set(&site.profile.site, "sid", "hidden-id");
    visitor.bearer = Some(Bearer("hidden-token".to_owned()));
    let ready = filled(&site, &step(&[("user", "{user}"), ("password", "{password}")], None), LOGIN);
    let printed = format!("{visitor:?} {ready:?} {:?}", ready.body);
    assert!(!printed.contains("hidden-") && !printed.contains("wonder\"") && !printed.contains("t0k3n"), "{printed}");
}
