//! Outcomes made by hand, for tests.

use std::time::Duration;

use bytes::Bytes;
use http::Method;

use crate::exchange::{Answer, Exchange, Sent};
use crate::finding::Finding;
use crate::outcome::{Framework, Outcome};
use crate::rule::{self, Severity};

/// What the site of [`outcome`] keeps to itself.
pub(crate) const TOKEN: &str = "s%3AXk3fQm9vT0pLw8Zr2JdYhN6aUe.41nBcGi7oSxKq5";
pub(crate) const CSRF: &str = "b7Yw2-Vd9sQ0_kLmP3xT";
pub(crate) const PASSWORD: &str = "correct horse battery";

/// An audit that found something of each kind.
pub(crate) fn outcome() -> Outcome {
    let signed_in = exchange(Method::GET, "/account", "", 200, "<h1>Signed in as alice</h1>");
    let anonymous = exchange(Method::GET, "/account", "", 302, "");
    let change = exchange(Method::POST, "/note", &format!("text=r4nd0m&csrf_token={CSRF}"), 200, "<p>saved</p>");
    let findings = vec![
        Finding::flaw(&rule::COOKIE_NOT_SECURE, "connect.sid", "Set-Cookie has no Secure attribute")
            .because("the sign-in's response", &signed_in),
        Finding::flaw(&rule::COOKIE_NO_PREFIX, "theme", "the name has no prefix").at_most(Severity::Info),
        Finding::sound(&rule::COOKIE_NOT_HTTPONLY, "connect.sid", "HttpOnly is set"),
        Finding::sound(&rule::COOKIE_DOMAIN_WIDE, "connect.sid", "no Domain attribute"),
        Finding::flaw(
            &rule::SIGN_OUT_REPLAY,
            "POST /logout",
            format!("a clean client that sent {TOKEN} was signed in after sign-out"),
        )
        .because("control: signed in before", &signed_in)
        .because("control: without the cookie nobody is", &anonymous)
        .because("after sign-out, by a clean client", &signed_in),
        Finding::inconclusive(&rule::IDLE_NOT_ENFORCED, "connect.sid", "the site was slower than the stated limit"),
        Finding::skipped(&rule::SIGN_OUT_BEARER_ALIVE, "tokens", "the profile names no [tokens]"),
        Finding::skipped(&rule::SIGN_OUT_REFRESH_ALIVE, "tokens", "the profile names no [tokens]"),
        Finding::flaw(&rule::CSRF_TOKEN_OPTIONAL, "POST /note", "without csrf_token the note was saved all the same")
            .because("control: as the site's own page sends it", &change)
            .because("without the token", &change),
    ];
    Outcome {
        site: "https://app.example.org".to_owned(),
        session_cookies: vec!["connect.sid".to_owned()],
        framework: Some(Framework::Express),
        findings,
        requests: 143,
        took: Duration::from_millis(12_430),
        began_millis: 1_763_800_000_000,
        secrets: vec![TOKEN.to_owned(), CSRF.to_owned(), PASSWORD.to_owned()],
    }
}

/// A request with a session and a response that sets one.
pub(crate) fn exchange(method: Method, path: &str, body: &str, status: u16, page: &str) -> Exchange {
    let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let bytes = |name: &str, value: &str| (name.to_owned(), value.as_bytes().to_vec());
    Exchange {
        sent: Sent {
            method,
            url: format!("https://app.example.org{path}").parse().unwrap(),
            headers: vec![
                field("Host", "app.example.org"),
                field("Cookie", &format!("theme=dark; connect.sid={TOKEN}")),
            ],
            body: Bytes::copy_from_slice(body.as_bytes()),
        },
        answer: Answer {
            status,
            headers: vec![
                bytes("Content-Type", "text/html; charset=utf-8"),
                bytes("Set-Cookie", &format!("connect.sid={TOKEN}; Path=/; HttpOnly")),
            ],
            body: Bytes::copy_from_slice(page.as_bytes()),
            cut: false,
            took: Duration::from_millis(12),
            at_millis: 1_763_800_000_100,
        },
    }
}
