//! What reports say of hand-made outcomes.

use super::samples::{self, CSRF, PASSWORD, TOKEN};
use super::terminal::Page;
use super::*;

const PLAIN: Page = Page { width: 100, colours: false, verbose: false };

/// In every format there is.
pub(crate) fn every_output(outcome: &Outcome) -> Vec<String> {
    let report = Report::of(outcome);
    let judged = alone(&report);
    let page = Page { width: 500, verbose: true, ..PLAIN };
    let files = [json::written, sarif::written, junit::written, html::written].map(|written| written(&judged));
    files.into_iter().chain([terminal::written(&judged, page)]).collect()
}

fn alone(report: &Report) -> Judged<'_> {
    Judged::new(report, None, Some(Severity::High))
}

fn report() -> Report {
    Report::of(&samples::outcome())
}

#[test]
fn the_terminal_is_told_what_is_wrong_first_and_what_holds_in_brief() {
    insta::assert_snapshot!("terminal", terminal::written(&alone(&report()), PLAIN));
}

#[test]
fn a_verbose_report_tells_of_what_holds_too() {
    let page = Page { verbose: true, ..PLAIN };
    let text = terminal::written(&alone(&report()), page);
    assert!(text.contains("cookie-not-httponly (connect.sid): HttpOnly is set"), "{text}");
}

#[test]
fn groups_of_which_nothing_was_tried_for_one_reason_are_told_together() {
    let mut outcome = samples::outcome();
    outcome.findings.truncate(4);
    let untried =
        [&crate::rule::FIXATION_KEPT, &crate::rule::FIXATION_URL, &crate::rule::CSRF_OPEN, &crate::rule::PENDING_RESET];
    outcome.findings.extend(
        untried.map(|rule| {
            Finding::skipped(rule, "", if rule.group == Group::Pending { "no flow" } else { "no profile" })
        }),
    );
    let report = Report::of(&outcome);
    let text = terminal::written(&alone(&report), PLAIN);
    assert!(
        text.ends_with("not tried\n  skipped   fixation, CSRF: no profile\n  skipped   pending states: no flow\n"),
        "{text}"
    );
    assert!(
        terminal::written(&alone(&report), Page { verbose: true, ..PLAIN })
            .contains("fixation-kept, fixation-url: no profile")
    );
}

#[test]
fn no_line_is_wider_than_the_page() {
    for width in [30, 45, 60, 80, 120] {
        let text = terminal::written(&alone(&report()), Page { width, ..PLAIN });
        let widest = text.lines().map(textwrap::core::display_width).max().unwrap();
        assert!(widest <= width, "{widest} > {width}:\n{text}");
    }
}

#[test]
fn colours_are_there_only_when_asked_for() {
    assert!(!terminal::written(&alone(&report()), PLAIN).contains('\u{1b}'));
    assert!(terminal::written(&alone(&report()), Page { colours: true, ..PLAIN }).contains("\u{1b}[1m"));
}

#[test]
fn what_a_site_sends_steers_no_terminal() {
    let mut outcome = samples::outcome();
    outcome.findings[0].seen = "red \u{1b}[31m, title \u{1b}]0;x\u{7}, back \u{202e}\r\nsound   forged".to_owned();
    let text = terminal::written(&alone(&Report::of(&outcome)), PLAIN);
    assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}', '\r']), "{text}");
    assert!(!text.contains("\nsound"), "{text}");
}

#[test]
fn json_has_every_key_that_it_promises() {
    let text = json::written(&alone(&report()));
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
    for text in every_output(&samples::outcome()) {
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

/// The official schema, as `serde-sarif` brings it along.
fn schema() -> String {
    let metadata = cargo_metadata::MetadataCommand::new()
        .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .other_options(["--locked".to_owned(), "--offline".to_owned()])
        .exec()
        .unwrap();
    let package = metadata.packages.iter().find(|package| package.name.as_str() == "serde-sarif").unwrap();
    let text = std::fs::read_to_string(package.manifest_path.with_file_name("src").join("schema.json")).unwrap();
    // Errata 01 of the standard put this right.
    text.replace("^[a-zA-Z]{2}|^[a-zA-Z]{2}-[a-zA-Z]{2}]?$", "^[a-zA-Z]{2}(-[a-zA-Z]{2})?$")
}

#[test]
fn sarif_is_what_its_schema_says() {
    let schema: serde_json::Value = serde_json::from_str(&schema()).unwrap();
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    let (report, mut before) = (report(), report());
    before.findings.remove(0);
    let empty = Report { findings: Vec::new(), ..report.clone() };
    for judged in [alone(&report), Judged::new(&report, Some(&before), None), alone(&empty)] {
        let log: serde_json::Value = serde_json::from_str(&sarif::written(&judged)).unwrap();
        let errors: Vec<_> =
            validator.iter_errors(&log).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }
    assert!(
        validator.iter_errors(&serde_json::json!({"version": "2.1.0"})).next().is_some(),
        "the schema refuses nothing"
    );
}

#[test]
fn sarif_says_where_how_bad_and_since_when() {
    let report = report();
    let mut before = report.clone();
    before.findings.retain(|entry| entry.rule != "cookie-not-secure");
    before
        .findings
        .iter_mut()
        .filter(|entry| entry.rule == "csrf-token-optional")
        .for_each(|entry| entry.severity = Severity::Low);
    let log: serde_json::Value =
        serde_json::from_str(&sarif::written(&Judged::new(&report, Some(&before), None))).unwrap();
    let results = log["runs"][0]["results"].as_array().unwrap();
    let told: Vec<_> = results
        .iter()
        .map(|result| {
            let at = result["ruleIndex"].as_u64().unwrap();
            let rule = &log["runs"][0]["tool"]["driver"]["rules"][usize::try_from(at).unwrap()];
            assert_eq!(rule["id"], result["ruleId"]);
            let uri = &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
            [
                &result["ruleId"],
                &result["level"],
                &result["baselineState"],
                uri,
                &rule["properties"]["security-severity"],
            ]
            .map(|value| value.as_str().unwrap().to_owned())
            .join(" ")
        })
        .collect();
    assert_eq!(
        told,
        [
            "cookie-not-secure error new https://app.example.org/ 8.0",
            "cookie-no-prefix note unchanged https://app.example.org/ 0.0",
            "sign-out-replay error unchanged https://app.example.org/logout 8.0",
            "csrf-token-optional error updated https://app.example.org/note 8.0",
        ]
    );
}

#[test]
fn junit_reads_back_as_one_case_for_each_rule_and_place() {
    let mut report = report();
    report.findings[0].seen = "]]> <&\"'\u{1} hostile".to_owned();
    let text = junit::written(&alone(&report));
    let mut reader = quick_xml::Reader::from_str(&text);
    let mut told: Vec<String> = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            quick_xml::events::Event::Start(tag) | quick_xml::events::Event::Empty(tag) => {
                let name = tag.name().as_ref().to_owned();
                let attributes = tag.attributes().map(|attribute| attribute.unwrap());
                let value = attributes.filter(|attribute| matches!(attribute.key.as_ref(), "name" | "type"));
                let value: Vec<_> = value.map(|one| one.value.into_owned()).collect();
                told.push(format!("{name} {}", value.join(" ")));
            }
            quick_xml::events::Event::Eof => break,
            _ => {}
        }
    }
    insta::assert_snapshot!("junit", told.join("\n"));
}

#[test]
fn what_was_known_before_fails_nothing() {
    let report = report();
    let mut before = report.clone();
    let fails = |before: Option<&Report>, fail_on| Judged::new(&report, before, fail_on).failures().count();
    assert_eq!((fails(None, Some(Severity::High)), fails(None, Some(Severity::Info)), fails(None, None)), (3, 4, 0));
    assert_eq!(fails(Some(&before), Some(Severity::Info)), 0);
    before
        .findings
        .iter_mut()
        .filter(|entry| entry.rule == "sign-out-replay")
        .for_each(|entry| entry.severity = Severity::Low);
    assert_eq!(fails(Some(&before), Some(Severity::High)), 1, "what got worse");
    before.findings.retain(|entry| entry.rule != "csrf-token-optional");
    assert_eq!(fails(Some(&before), Some(Severity::High)), 2, "and what is new");
}

#[test]
fn drift_is_told_alone_and_written_beside_the_whole() {
    let mut report = report();
    let before = report.clone();
    report.findings.remove(0);
    report
        .findings
        .iter_mut()
        .filter(|entry| entry.rule == "cookie-no-prefix")
        .for_each(|entry| entry.severity = Severity::Medium);
    let judged = Judged::new(&report, Some(&before), Some(Severity::High));
    insta::assert_snapshot!("drift", terminal::written(&judged, PLAIN));
    let text = json::written(&judged);
    assert_eq!(json::read(&text).unwrap(), report, "it is the next baseline");
    let drift: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(drift["drift"]["gone"][0]["rule"], "cookie-not-secure");
    assert_eq!(drift["drift"]["changed"][0]["severity_before"], "info");
    assert!(html::written(&judged).contains("worse: it was info"));
}

#[test]
fn nothing_that_a_site_sends_becomes_markup() {
    let hostile =
        "</pre></details><script>alert(1)</script><img src=x onerror=alert(1)>\"'><style>*{display:none}</style>&lt;";
    let mut outcome = samples::outcome();
    for finding in &mut outcome.findings {
        (finding.seen, finding.place) = (hostile.to_owned(), hostile.to_owned());
        let mut proof = crate::finding::Proof {
            note: hostile.to_owned(),
            exchange: samples::exchange(http::Method::POST, "/a", hostile, 200, hostile),
        };
        proof.exchange.answer.headers.push((hostile.to_owned(), hostile.as_bytes().to_vec()));
        finding.evidence.push(proof);
    }
    outcome.session_cookies.push(hostile.to_owned());
    outcome.site = hostile.to_owned();
    let page = html::written(&alone(&Report::of(&outcome)));
    for markup in ["<script", "<img", "<style>*", "</pre></details><"] {
        assert!(!page.contains(markup), "{markup}");
    }
    assert_eq!(page.matches("<style>").count(), 1);
}

#[test]
fn the_page_is_allowed_its_own_style_and_nothing_else() {
    let page = html::written(&alone(&report()));
    let style = page.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, style.as_bytes());
    let hash = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, hash);
    let policy = format!("default-src &#39;none&#39;; style-src &#39;sha256-{hash}&#39;").replace("&#39;", "'");
    assert!(page.contains(&policy) || page.contains(&policy.replace('+', "&#43;")), "{policy}");
    assert!(!page.contains(" style=") && !page.contains("javascript:"));
}

/// For `docs/images/audit-report.png`: `chromium --headless --screenshot=… --window-size=1200,1600 file://…`.
#[test]
#[ignore = "writes a page to look at"]
fn a_page_to_look_at() {
    let mut outcome = samples::outcome();
    let page = samples::exchange(http::Method::GET, "/account", "", 200, "<h1>Signed in as alice</h1>");
    let more = [
        Finding::flaw(
            &crate::rule::TOKEN_KNOWN_SECRET,
            "connect.sid",
            "the signature is that of a secret from an example: a cookie made with it was taken for alice's",
        ),
        Finding::flaw(&crate::rule::FRAMEABLE, "GET /account", "neither frame-ancestors nor X-Frame-Options"),
        Finding::flaw(&crate::rule::HSTS_MISSING, "app.example.org", "no Strict-Transport-Security on any page"),
        Finding::sound(
            &crate::rule::FIXATION_KEPT,
            "POST /login",
            "a new cookie at sign-in; the one from before signs nobody in",
        ),
        Finding::sound(&crate::rule::FIXATION_ADOPTED, "POST /login", "an invented cookie was replaced"),
    ];
    outcome.findings.extend(more.into_iter().map(|finding| finding.because("what was seen", &page)));
    let report = Report::of(&outcome);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/audit-report.html");
    std::fs::write(path, html::written(&alone(&report))).unwrap();
}
