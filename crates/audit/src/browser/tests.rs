//! A real Chromium at planted sites. What is ignored here is run in the browser stage of `cargo xtask test`,
//! which installs one.

use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::finding::Verdict;
use crate::fixture::Fixture;
use crate::outcome::Outcome;
use crate::rule::{Group, Severity};
use crate::run::Audit;
use crate::wire::WireLimits;

fn chromium() -> Program {
    Program::find(None).unwrap()
}

fn browser_alone(audit: &mut Audit) {
    audit.browser = Some(chromium());
    audit.groups = vec![Group::Browser];
}

type Flaw = (&'static str, Severity);

fn flaws(outcome: &Outcome) -> Vec<Flaw> {
    let shown = outcome.findings.iter().filter(|one| one.verdict == Verdict::Flaw);
    shown.map(|one| (one.rule.id, one.severity)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes Chromium: run in the stage that installs it"]
async fn what_a_browser_lets_happen_is_found_and_nothing_else_is() {
    let readable = ("browser-cookie-readable", Severity::Medium);
    let plain = ("browser-cookie-plain", Severity::High);
    let cross = ("browser-cookie-cross-site", Severity::Medium);
    let for_two_minutes = ("browser-cookie-cross-site", Severity::Low);
    let change = ("browser-change-cross-site", Severity::High);
    let change_for_two_minutes = ("browser-change-cross-site", Severity::Medium);
    #[rustfmt::skip]
    let cases: [(&[&str], &[Flaw]); 10] = [
        (&["lax"],                     &[]),
        (&["lax", "readable"],         &[readable]),
        (&["lax", "not-secure"],       &[plain]),
        (&[],                          &[cross]),
        (&["unsaid"],                  &[for_two_minutes]),
        (&["open"],                    &[cross, change]),
        (&["lax", "open"],             &[]),
        (&["unsaid", "open"],          &[for_two_minutes, change_for_two_minutes]),
        (&["token-only"],              &[cross]),
        (&["token-only", "unchecked"], &[cross, change]),
    ];
    for (planted, expected) in cases {
        let outcome = Fixture::over_tls(planted).await.try_audit(browser_alone).await.unwrap();
        assert_eq!(flaws(&outcome), expected, "{planted:?} {:#?}", outcome.findings);
        let open = outcome.findings.iter().filter(|one| one.verdict == Verdict::Inconclusive);
        assert_eq!(open.count(), 0, "{planted:?} {:#?}", outcome.findings);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes Chromium: run in the stage that installs it"]
async fn what_the_browser_does_not_keep_it_does_not_judge() {
    // SameSite=None without Secure.
    let outcome = Fixture::with(&[]).await.try_audit(browser_alone).await.unwrap();
    let cookie = outcome.findings.iter().find(|one| one.rule.id == "browser-cookie-readable").unwrap();
    assert_eq!(cookie.verdict, Verdict::Inconclusive);
    assert!(cookie.seen.contains("does not keep `sid`"), "{}", cookie.seen);
    assert_eq!(flaws(&outcome), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes Chromium: run in the stage that installs it"]
async fn who_signs_in_by_script_is_audited_as_everybody_is() {
    #[rustfmt::skip]
    let cases: [(&[&str], &[&str]); 3] = [
        (&["script", "lax"],           &[]),
        (&["script", "lax", "replay"], &["sign-out-replay"]),
        (&["script", "lax", "kept"],   &["fixation-kept"]),
    ];
    for (planted, expected) in cases {
        let fixture = Fixture::with(planted).await;
        let change = |audit: &mut Audit| {
            audit.browser = Some(chromium());
            let dear = [Group::Tokens, Group::Attributes, Group::Transport, Group::Browser];
            audit.groups.retain(|group| !dear.contains(group));
        };
        let outcome = fixture.try_audit(change).await.unwrap();
        let found: Vec<_> =
            flaws(&outcome).into_iter().filter(|(_, bad)| *bad > Severity::Info).map(|(id, _)| id).collect();
        assert_eq!(found, expected, "{planted:?} {:#?}", outcome.findings);
        assert_eq!(outcome.session_cookies, ["sid"]);
        let sound = outcome.findings.iter().filter(|one| one.verdict == Verdict::Sound).count();
        assert!(sound >= 12, "{planted:?} {:#?}", outcome.findings);
        // The browser has no other way out, and each request counts; those for the slow page are not counted there.
        assert!(fixture.requests() <= outcome.requests && fixture.requests() + 4 >= outcome.requests);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes Chromium: run in the stage that installs it"]
async fn a_form_that_is_not_there_is_said_with_those_that_are() {
    let fixture = Fixture::with(&["script", "lax"]).await;
    let elsewhere = "http://elsewhere.test:8081";
    #[rustfmt::skip]
    let cases = [
        ("usr",  None,              "/login shows no `usr` within 10 s; it shows `user`, `password`"),
        ("user", Some("#nothing"),  "/login shows no `#nothing`"),
        ("user", Some("#user"),     "nothing was sent within 15 s after the button was pressed"),
    ];
    for (name, submit, expected) in cases {
        let change = |audit: &mut Audit| {
            browser_alone(audit);
            let screen = &mut audit.profile.sign_in.script.as_mut().unwrap().screens[0];
            let user = screen.form.remove("user").unwrap();
            screen.form.insert(name.to_owned(), user);
            screen.submit = submit.map(str::to_owned);
        };
        let error = fixture.try_audit(change).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}\n  should say: {expected}");
        // Nothing is told but what the page wanted: the browser itself wants to go to many places.
        let refused = error.split_once("refused: ").map(|(_, refused)| refused);
        assert_eq!(refused, (submit != Some("#user")).then_some(elsewhere), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes Chromium: run in the stage that installs it"]
async fn a_budget_holds_for_the_browser_too() {
    let change = |audit: &mut Audit| {
        browser_alone(audit);
        audit.limits.budget = 14;
    };
    let fixture = Fixture::with(&["lax"]).await;
    let outcome = fixture.try_audit(change).await.unwrap();
    assert_eq!((outcome.requests, fixture.requests()), (14, 14));
    let open = outcome.findings.iter().filter(|one| one.verdict == Verdict::Inconclusive);
    assert!(open.clone().count() > 0 && open.clone().all(|one| one.seen.contains("budget")), "{:#?}", outcome.findings);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes Chromium: run in the stage that installs it"]
async fn nothing_of_a_browser_is_left() {
    let wire = Wire::new(&["http://127.0.0.1:1".parse().unwrap()], WireLimits::default(), None).unwrap();
    let browser = Browser::start(&chromium(), Arc::new(wire)).await.unwrap();
    let folder = browser.process.folder().to_owned();
    assert!(folder.read_dir().unwrap().next().is_some());
    drop(browser);
    assert!(!folder.exists());
}

#[tokio::test]
async fn a_program_that_is_no_browser_is_said_to_be_none() {
    let wire = || Arc::new(Wire::new(&["http://127.0.0.1:1".parse().unwrap()], WireLimits::default(), None).unwrap());
    let program = Program::find(Some(Path::new("/bin/true"))).unwrap();
    let error = Browser::start(&program, wire()).await.unwrap_err().to_string();
    assert!(error.starts_with("/bin/true does not answer on its DevTools pipe: it ended"), "{error}");
}

#[tokio::test]
async fn a_profile_for_a_browser_is_not_tried_without_one() {
    let fixture = Fixture::with(&["script"]).await;
    let error = fixture.try_audit(|_| ()).await.unwrap_err().to_string();
    assert!(error.contains("browser = true") && error.contains("add --browser"), "{error}");
    assert_eq!(fixture.requests(), 0);
}
