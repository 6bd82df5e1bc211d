//! Every proof against a site that is well made but for what it looks for.

use crate::finding::{Finding, Verdict};
use crate::fixture::Fixture;
use crate::outcome::Outcome;
use crate::rule::{Group, Severity};

fn flaws(outcome: &Outcome) -> Vec<&'static str> {
    let stateful = |one: &&Finding| !matches!(one.rule.group, Group::Attributes | Group::Transport);
    let found = outcome.findings.iter().filter(|one| one.verdict == Verdict::Flaw && one.severity > Severity::Info);
    found.filter(stateful).map(|one| one.rule.id).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_site_without_flaws_is_said_to_have_none() {
    let fixture = Fixture::with(&[]).await;
    let outcome = fixture.audited().await;
    assert_eq!(flaws(&outcome), Vec::<&str>::new());
    assert_eq!(outcome.session_cookies, ["sid"]);
    let sound = outcome.findings.iter().filter(|one| one.verdict == Verdict::Sound).count();
    assert!(sound >= 25, "{sound} rules were tried: {:#?}", outcome.findings);
    assert!(outcome.requests <= 300, "{}", outcome.requests);
    // Those for the slow page are not counted there.
    assert!(fixture.requests() <= outcome.requests && fixture.requests() + 4 >= outcome.requests);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_flaw_is_found_and_no_other_is() {
    #[rustfmt::skip]
    let cases: &[(&[&str], &[&str])] = &[
        (&["kept"],                      &["fixation-kept"]),
        (&["adopted"],                   &["fixation-adopted", "fixation-kept"]),
        (&["by-address"],                &["fixation-adopted", "fixation-url"]),
        (&["same"],                      &["rotation-none"]),
        (&["old-alive"],                 &["rotation-old-alive"]),
        (&["raise-same"],                &["rotation-raise-none"]),
        (&["raise-old"],                 &["rotation-raise-old-alive"]),
        (&["replay"],                    &["sign-out-replay"]),
        (&["replay", "no-effect"],       &["sign-out-no-effect"]),
        (&["revived"],                   &["sign-out-revived"]),
        (&["open"],                      &["csrf-open"]),
        (&["open", "last-only"],         &["csrf-open"]),
        (&["get"],                       &["csrf-get-changes"]),
        (&["null"],                      &["csrf-origin-null"]),
        (&["sibling"],                   &["csrf-origin-sibling"]),
        (&["loose"],                     &["csrf-origin-loose"]),
        (&["silent"],                    &["csrf-referer-absent"]),
        (&["token-only"],                &[]),
        (&["token-only", "last-only"],   &[]),
        (&["token-only", "optional"],    &["csrf-token-optional"]),
        (&["token-only", "unchecked"],   &["csrf-token-unchecked"]),
        (&["token-only", "global-token"], &["csrf-token-foreign"]),
        (&["sign-in"],                   &["csrf-sign-in"]),
        (&["sign-out"],                  &["csrf-sign-out"]),
        (&["half"],                      &["pending-second-factor"]),
        (&["unseen"],                    &["sessions-unseen"]),
        (&["password"],                  &["password-change-keeps"]),
    ];
    for (planted, expected) in cases {
        let outcome = Fixture::with(planted).await.audited().await;
        let mut found = flaws(&outcome);
        found.retain(|id| *id != "token-predictable");
        found.sort_unstable();
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        // A site that adopts what it is given keeps what it gave, where it gives anything to strangers.
        if planted == &["adopted"] {
            expected.retain(|id| found.contains(id));
        }
        let why: Vec<_> = outcome
            .findings
            .iter()
            .filter(|one| expected.contains(&one.rule.id))
            .map(|one| (one.rule.id, one.verdict, &one.seen))
            .collect();
        assert_eq!(found, expected, "{planted:?} {why:?}");
    }
}
