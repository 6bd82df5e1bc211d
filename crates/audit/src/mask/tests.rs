//! Whether anything secret gets past, and whether anything else is held back.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::Method;
use proptest::prelude::*;

use super::*;
use crate::report::samples;

fn mask(secrets: &[&str]) -> Mask {
    let mut outcome = samples::outcome();
    outcome.findings.clear();
    outcome.secrets = secrets.iter().map(|secret| (*secret).to_owned()).collect();
    Mask::of(&outcome)
}

const SECRET: &str = "Xk3f\"Qm&9v/T0<pL w8";

#[test]
fn a_secret_is_found_however_it_is_written() {
    let mask = mask(&[SECRET]);
    #[rustfmt::skip]
    let ways = [
        ("as it is",               SECRET.to_owned()),
        ("percent-encoded",        "Xk3f%22Qm%269v%2FT0%3CpL%20w8".to_owned()),
        ("in lower-case hex",      "Xk3f%22Qm%269v%2fT0%3cpL%20w8".to_owned()),
        ("as a form has it",       "Xk3f%22Qm%269v%2FT0%3CpL+w8".to_owned()),
        ("as HTML",                "Xk3f&quot;Qm&amp;9v/T0&lt;pL w8".to_owned()),
        ("as HTML, by number",     "Xk3f&#34;Qm&#x26;9v&#x2f;T0&#60;pL w8".to_owned()),
        ("as JSON",                r#"Xk3f\"Qm&9v\/T0<pL w8"#.to_owned()),
        ("as JSON, by number",     r"Xk3f\u0022Qm\u00269v\u002fT0\u003cpL w8".to_owned()),
        ("as JSON as HTML",        "Xk3f\\&quot;Qm&amp;9v\\/T0&lt;pL w8".to_owned()),
        ("encoded twice",          "Xk3f%2522Qm%25269v%252FT0%253CpL%2520w8".to_owned()),
        ("base64",                 STANDARD.encode(SECRET)),
        ("base64, for addresses",  URL_SAFE_NO_PAD.encode(SECRET)),
        ("a piece of it",          "Qm&9v/T0".to_owned()),
        ("twice",                  SECRET.repeat(2)),
    ];
    for (name, way) in ways {
        let masked = mask.text(&format!("it was {way}, you see"));
        assert!(masked.starts_with("it was ") && masked.ends_with(", you see"), "{name}: {masked}");
        assert!(!masked.contains("Qm") && masked.contains('…'), "{name}: {masked}");
    }
}

#[test]
fn a_password_inside_encoded_credentials_is_found_at_every_alignment() {
    let mask = mask(&["hunter2-hunter2"]);
    for user in ["a", "al", "ali", "alice"] {
        let encoded = STANDARD.encode(format!("{user}:hunter2-hunter2:more"));
        let masked = mask.text(&format!("sent [{encoded}]"));
        let decoded = STANDARD.encode("nter2-hun");
        assert!(masked.contains('…') && !masked.contains(&decoded), "{masked}");
        let left: usize = masked.split(|letter: char| !letter.is_ascii_alphanumeric()).map(str::len).max().unwrap();
        assert!(left < 16, "{masked}");
    }
}

#[test]
fn only_long_tokens_keep_their_beginning() {
    #[rustfmt::skip]
    let cases = [
        ("abcdefghijklmnopqrst",  "abcd…(20)"),
        ("abcdefghijklmnopqrs",   "…(19)"),
        ("hunter2",               "…(7)"),
        ("äöüßäöüßäöüßäöüßäöüß",  "…(20)"),
    ];
    for (secret, expected) in cases {
        assert_eq!(mask(&[secret]).text(&format!("<{secret}>")), format!("<{expected}>"));
    }
    assert_eq!(mask(&["abcdefghijklmnopqrstuvwxyz"]).text("cdefghijklmnopqrstuvwxyz"), "…(24)", "not its middle");
}

#[test]
fn words_that_only_look_alike_stay() {
    let mask = mask(&["dark", "1", "en", "", "https://app.example.org/account"]);
    let text = "darkness at https://app.example.org: 1 of 2 in English";
    assert_eq!(mask.text(text), text);
    assert_eq!(mask.text("theme=dark"), "theme=…(4)");
}

#[test]
fn what_stands_where_secrets_stand_is_hidden_though_nobody_named_it() {
    let mask = mask(&[]);
    #[rustfmt::skip]
    let cases = [
        ("GET /reset?token=abc&page=2",                        "GET /reset?token=…(3)&page=2"),
        ("/a;jsessionid=1A2B?x=1",                             "/a;jsessionid=…(4)?x=1"),
        (r#"{"access_token": "ab\"c", "id": 7, "pin": 1234}"#, r#"{"access_token": "…(5)", "id": 7, "pin": …(4)}"#),
        (r#"<input name="csrf" type=hidden value='ab'>"#,      r#"<input name="csrf" type=hidden value='…(2)'>"#),
        (r"<input value=ab name=_token>",                    r"<input value=…(2) name=_token>"),
        (r#"<meta name="csrf-token" content="ab c">"#,         r#"<meta name="csrf-token" content="…(4)">"#),
        ("SameSite=None; Max-Age=3, author=bob",               "SameSite=None; Max-Age=3, author=bob"),
    ];
    for (text, expected) in cases {
        assert_eq!(mask.text(text), expected);
    }
}

#[test]
fn messages_are_masked_by_field_and_then_cut() {
    let mut exchange =
        samples::exchange(Method::POST, "/in?sid=q1w2&tab=1", "user=al&password=pw", 200, &"x".repeat(5000));
    exchange.sent.headers.push(("Authorization".to_owned(), "Bearer abc".to_owned()));
    exchange.sent.headers.push(("X-CSRF-Token".to_owned(), "def".to_owned()));
    exchange.answer.headers.push(("Set-Cookie".to_owned(), b"a=1; Secure".to_vec()));
    let masked = mask(&[samples::TOKEN]).exchange(&exchange);
    assert_eq!(
        masked.request,
        "POST /in?sid=…(4)&tab=1 HTTP/1.1\nHost: app.example.org\nCookie: theme=…(4); connect.sid=s%3A…(45)\n\
         Authorization: Bearer …(3)\nX-CSRF-Token: …(3)\n\nuser=al&password=…(2)"
    );
    assert!(masked.response.starts_with("HTTP/1.1 200 OK\nContent-Type: text/html; charset=utf-8\n"));
    assert!(masked.response.contains("\nSet-Cookie: a=…(1); Secure\n"), "{}", masked.response);
    assert!(masked.response.ends_with("xxx\n[cut]"));
}

#[test]
fn parts_of_a_form_are_masked() {
    let body = "--b\r\nContent-Disposition: form-data; name=\"csrf_token\"\r\n\r\nabc\r\n--b--";
    let exchange = samples::exchange(Method::POST, "/", body, 204, "");
    let request = mask(&[]).exchange(&exchange).request;
    assert!(request.contains("…(3)") && !request.contains("abc"), "{request}");
}

fn written(secret: &str, way: u8) -> String {
    let percent: String = secret.bytes().fold(String::new(), |out, byte| format!("{out}%{byte:02X}"));
    match way {
        0 => secret.to_owned(),
        1 => percent,
        2 => secret
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&#34;")
            .replace('\'', "&#x27;"),
        3 => serde_json::to_string(secret).unwrap(),
        4 => STANDARD.encode(secret),
        5 => secret.chars().skip(secret.chars().count() / 3).collect(),
        _ => secret.bytes().fold(String::new(), |out, byte| format!("{out}\\u{byte:04x}")),
    }
}

/// An outcome with `put` wherever something of the site's is told.
fn outcome_of(secrets: &[String], put: impl Fn(usize) -> String) -> Outcome {
    let mut outcome = samples::outcome();
    let mut exchange = samples::exchange(Method::POST, "/a", &put(0), 200, &put(1));
    exchange.sent.url.set_query(Some(&put(2)));
    exchange.sent.headers.push(("X-Other".to_owned(), put(3)));
    exchange.answer.headers.push(("Location".to_owned(), put(4).into_bytes()));
    for (index, finding) in outcome.findings.iter_mut().enumerate() {
        (finding.seen, finding.place) = (put(index + 5), put(index + 6));
        finding.evidence.push(crate::finding::Proof { note: put(index), exchange: exchange.clone() });
    }
    outcome.secrets = secrets.to_vec();
    outcome
}

/// Every report of it, as it is and as whoever decodes it reads it.
fn shown(outcome: &Outcome) -> String {
    let outputs = crate::report::tests::every_output(outcome);
    let views = outputs.iter().flat_map(|output| view::View::all(output));
    views.map(|view| String::from_utf8_lossy(&view.bytes).into_owned()).collect::<Vec<_>>().join("\n")
}

proptest! {
    #[test]
    fn nothing_of_a_secret_is_in_any_output(
        secrets in prop::collection::vec(r#"[a-zA-Z0-9%&<>"'\\/+=_.~ -]{8,60}"#, 1..6),
        ways in prop::collection::vec(0_u8..7, 12),
        noise in r#"[a-z<>&%"' ]{0,12}"#,
    ) {
        // What reports say of their own, and what stands around a secret.
        let ours = shown(&outcome_of(&[], |_| format!("{noise}  {noise}")));
        let put = |at: usize| format!("{noise} {} {noise}", written(&secrets[at % secrets.len()], ways[at % ways.len()]));
        let text = shown(&outcome_of(&secrets, put));
        for secret in &secrets {
            let letters: Vec<char> = secret.chars().collect();
            for piece in letters.windows(8).map(|piece| piece.iter().collect::<String>()) {
                // What is no more than blanks and dots may be ours by chance.
                let telling = piece.chars().filter(char::is_ascii_alphanumeric).count() >= 5 && !ours.contains(&piece);
                prop_assert!(!telling || !text.contains(&piece), "{piece:?} of {secret:?} is in\n{text}");
            }
        }
    }

    #[test]
    fn no_text_makes_the_mask_fail(text in ".{0,200}", secret in ".{0,40}") {
        let _ = mask(&[&secret, "%", "\\u00", "&#x"]).text(&text);
    }
}
