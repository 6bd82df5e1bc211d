//! Which responses speak of which framework, and which of none.

use std::time::Duration;

use super::*;
use crate::exchange::{Answer, Sent};

fn exchange(headers: &[(&str, &str)], body: &str) -> Exchange {
    Exchange {
        sent: Sent {
            method: http::Method::GET,
            url: "https://app.example.org/".parse().unwrap(),
            headers: Vec::new(),
            body: bytes::Bytes::new(),
        },
        answer: Answer {
            status: 200,
            headers: headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect(),
            body: body.to_owned().into(),
            cut: false,
            took: Duration::ZERO,
            at_millis: 0,
        },
    }
}

type Headers<'a> = &'a [(&'a str, &'a str)];

#[test]
fn a_framework_is_named_where_responses_speak_of_it_and_of_no_other() {
    use Framework::{AspNet, Counterfoil, Django, Express, Flask, Laravel, Nginx, Php, Rails, Spring};
    const FLASK: &str = "session=eyJ1IjoxfQ.ZxyzAB.aaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const SEALED: &str = "eyJpdiI6IkFBQUE9PSJ9";
    let laravel = format!("laravel_session={SEALED}");
    let renamed = [format!("shop_session={SEALED}"), format!("XSRF-TOKEN={SEALED}")];
    #[rustfmt::skip]
    let cases: &[(Headers<'_>, &str, Option<Framework>)] = &[
        (&[],                                                                       "",  None),
        (&[("Set-Cookie", "id=1")],                                                 "",  None),
        (&[("X-Powered-By", "Express")],                                            "",  Some(Express)),
        (&[("Set-Cookie", "connect.sid=s%3Aabc.def")],                              "",  Some(Express)),
        (&[("Set-Cookie", "connect.sid=abc")],                                      "",  None),
        (&[("Set-Cookie", "csrftoken=1"), ("Set-Cookie", "sessionid=1")],           "",  Some(Django)),
        (&[("Set-Cookie", "sessionid=1")],                                          "",  None),
        (&[], "<form><input name=csrfmiddlewaretoken value=x></form>",                   Some(Django)),
        (&[], "<p>csrfmiddlewaretoken</p>",                                              None),
        (&[("Set-Cookie", FLASK)],                                                  "",  Some(Flask)),
        (&[("Set-Cookie", "session=abc")],                                          "",  None),
        (&[("Server", "Werkzeug/3.1 Python/3.13")],                                 "",  None),
        (&[("Set-Cookie", "_shop_session=abc%3D--def--ghi"), ("X-Runtime", "0.01")], "", Some(Rails)),
        (&[("Set-Cookie", "_shop_session=abc")],                                    "",  None),
        (&[], "<meta name=csrf-param content=a><form><input name=authenticity_token></form>", Some(Rails)),
        (&[("Set-Cookie", &laravel), ("X-Powered-By", "PHP/8.4")],                  "",  Some(Laravel)),
        (&[("Set-Cookie", &renamed[0]), ("Set-Cookie", &renamed[1])],               "",  Some(Laravel)),
        (&[("Set-Cookie", "JSESSIONID=1")],                                         "",  None),
        (&[("Set-Cookie", "JSESSIONID=1")], "<form><input name=_csrf></form>",           Some(Spring)),
        (&[("Set-Cookie", ".AspNetCore.Session=1")],                                "",  Some(AspNet)),
        (&[("X-AspNet-Version", "4.0")],                                            "",  Some(AspNet)),
        (&[("Set-Cookie", "__Host-PHPSESSID=1"), ("Server", "nginx/1.28")],         "",  Some(Php)),
        (&[("Server", "nginx")],                                                    "",  Some(Nginx)),
        (&[("X-Powered-By", "Express"), ("Server", "nginx")],                       "",  Some(Express)),
        (&[("X-Powered-By", "Express"), ("Set-Cookie", "PHPSESSID=1")],             "",  None),
        (&[("Set-Cookie", "__Host-Http-id=1")],                                     "",  None),
        (&[("Set-Cookie", "__Host-Http-id=1"), ("Set-Cookie", "__Host-Http-an=1")], "",  Some(Counterfoil)),
        (&[("Set-Cookie", "dev-id=1"), ("Set-Cookie", "dev-an=1")],                 "",  Some(Counterfoil)),
    ];
    for (headers, body, expected) in cases {
        assert_eq!(told_by(&[&exchange(headers, body)]), *expected, "{headers:?} {body}");
    }
}

#[test]
fn what_several_responses_say_is_taken_together() {
    let (one, other) = (exchange(&[("Set-Cookie", "csrftoken=1")], ""), exchange(&[("Set-Cookie", "sessionid=1")], ""));
    assert_eq!(told_by(&[&one, &one]), None);
    assert_eq!(told_by(&[&one, &other]), Some(Framework::Django));
}
