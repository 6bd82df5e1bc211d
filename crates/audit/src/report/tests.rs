//! What reports say of hand-made outcomes.

use super::samples::{self, CSRF, PASSWORD, TOKEN};
use super::terminal::Page;
use super::*;

const PLAIN: Page = Page { width: 100, colours: false, verbose: false };

/// In every format there is.
pub(crate) fn every_output(outcome: &Outcome) -> Vec<String> {
    let report = Report::of(outcome);
    let page = Page { width: 500, verbose: true, ..PLAIN };
    vec![json::written(&report), terminal::written(&report, page)]
}

fn report() -> Report {
    Report::of(&samples::outcome())
}

#[test]
fn the_terminal_is_told_what_is_wrong_first_and_what_holds_in_brief() {
    insta::assert_snapshot!("terminal", terminal::written(&report(), PLAIN));
}

#[test]
fn a_verbose_report_tells_of_what_holds_too() {
    let page = Page { verbose: true, ..PLAIN };
    let text = terminal::written(&report(), page);
    assert!(text.contains("cookie-not-httponly (connect.sid): HttpOnly is set"), "{text}");
}

#[test]
fn no_line_is_wider_than_the_page() {
    for width in [30, 45, 60, 80, 120] {
        let text = terminal::written(&report(), Page { width, ..PLAIN });
        let widest = text.lines().map(textwrap::core::display_width).max().unwrap();
        assert!(widest <= width, "{widest} > {width}:\n{text}");
    }
}

#[test]
fn colours_are_there_only_when_asked_for() {
    assert!(!terminal::written(&report(), PLAIN).contains('\u{1b}'));
    assert!(terminal::written(&report(), Page { colours: true, ..PLAIN }).contains("\u{1b}[1m"));
}

#[test]
fn what_a_site_sends_steers_no_terminal() {
    let mut outcome = samples::outcome();
    outcome.findings[0].seen = "red \u{1b}[31m, title \u{1b}]0;x\u{7}, back \u{202e}\r\nsound   forged".to_owned();
    let text = terminal::written(&Report::of(&outcome), PLAIN);
    assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}', '\r']), "{text}");
    assert!(!text.contains("\nsound"), "{text}");
}

#[test]
fn json_has_every_key_that_it_promises() {
    let text = json::written(&report());
    insta::assert_snapshot!("json", text);
    assert_eq!(json::read(&text).unwrap(), report());
}

#[test]
fn what_is_no_report_is_said_to_be_none() {
    #[rustfmt::skip]
    let cases = [
        ("",                                    "it is no report of `counterfoil audit --format json`"),
        ("{\"runs\":[]}",                       "it is no report of `counterfoil audit --format json`"),
        ("{\"format\":\"counterfoil-audit/2\"}", "it says format \"counterfoil-audit/2\", and this version reads \"counterfoil-audit/1\""),
        ("{\"format\":\"counterfoil-audit/1\"}", "it is no report of `counterfoil audit --format json`"),
    ];
    for (text, expected) in cases {
        assert_eq!(json::read(text).unwrap_err().to_string(), expected);
    }
}

#[test]
fn what_the_site_keeps_to_itself_is_in_no_report() {
    let report = report();
    for text in [json::written(&report), terminal::written(&report, PLAIN)] {
        for secret in [TOKEN, CSRF, PASSWORD, "Xk3fQm9vT", "41nBcGi7"] {
            assert!(!text.contains(secret), "{secret} in\n{text}");
        }
        assert!(text.contains("s%3A…(45)"), "{text}");
    }
}

#[test]
fn findings_have_the_same_fingerprint_in_every_run_and_no_two_the_same() {
    let (mut first, second) = (samples::outcome(), report());
    first.findings[2].place = "POST /note/1".to_owned();
    first.findings[3] = first.findings[2].clone();
    let first = Report::of(&first);
    assert_eq!(first.findings[0].fingerprint, second.findings[0].fingerprint);
    let unique: std::collections::BTreeSet<_> = first.findings.iter().map(|entry| &entry.fingerprint).collect();
    assert_eq!(unique.len(), first.findings.len());
}
