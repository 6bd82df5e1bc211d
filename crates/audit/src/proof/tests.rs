//! Every proof against a site that is well made but for what it looks for.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::{OwnCheck, Proving};
use crate::finding::{Finding, Verdict};
use crate::fixture::{Fixture, LIMITS};
use crate::outcome::Outcome;
use crate::rule::{self, Group, Rule, Severity};
use crate::run::Audit;
use crate::site::Site;

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
        (&["reset"],                     &["pending-reset"]),
        (&["unseen"],                    &["sessions-unseen"]),
        (&["password"],                  &["password-change-keeps"]),
    ];
    for (planted, expected) in cases {
        // Tokens are not what is planted here, and sampling them takes longer than all the rest.
        let without_tokens = |audit: &mut Audit| audit.groups.retain(|group| *group != Group::Tokens);
        let outcome = Fixture::with(planted).await.try_audit(without_tokens).await.unwrap();
        let mut found = flaws(&outcome);
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_nobody_is_in_without_a_key_everybody_registers_one() {
    let only = |audit: &mut Audit| audit.groups = vec![Group::SignOut, Group::DeviceBound];
    let outcome = Fixture::with(&["needs-key", "replay"]).await.try_audit(only).await.unwrap();
    assert_eq!(flaws(&outcome), ["sign-out-replay"]);
    // It registers and never refreshes: without that control nothing is said of the key.
    let of_keys = outcome.findings.iter().filter(|one| one.rule.group == Group::DeviceBound);
    assert!(of_keys.clone().count() == 8 && of_keys.clone().all(|one| one.verdict == Verdict::Inconclusive));
}

#[tokio::test]
async fn where_no_key_is_asked_for_nothing_is_said_of_keys() {
    let only = |audit: &mut Audit| audit.groups = vec![Group::DeviceBound];
    let outcome = Fixture::with(&[]).await.try_audit(only).await.unwrap();
    assert!(outcome.findings.iter().all(|one| one.verdict == Verdict::Skipped), "{:?}", outcome.findings);
    assert_eq!(outcome.findings.len(), 8);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_outlives_what_is_stated_is_found_and_one_that_does_not_is_not() {
    let looked = |planted: &'static [&'static str]| async move {
        let change = |audit: &mut Audit| {
            audit.groups = vec![Group::Expiry];
            audit.reach.wait = Some(Duration::from_mins(1));
            let (idle, absolute) = LIMITS;
            audit.profile.limits.idle_seconds = Some(idle.as_secs());
            audit.profile.limits.absolute_seconds = Some(absolute.as_secs());
        };
        Fixture::with(planted).await.try_audit(change).await.unwrap()
    };
    let (sound, idle, absolute, both) = tokio::join!(
        looked(&["limits"]),
        looked(&["limits", "no-idle"]),
        looked(&["limits", "no-absolute"]),
        looked(&["limits", "no-idle", "no-absolute"]),
    );
    // Where there is an end to all, what nobody uses ends by that: a second after the other limit it is still alive.
    assert_eq!(flaws(&sound), Vec::<&str>::new());
    let of_limits = |one: &&Finding| one.rule.group == Group::Expiry && one.verdict == Verdict::Sound;
    assert_eq!(sound.findings.iter().filter(of_limits).count(), 2, "{:?}", sound.findings);
    assert_eq!(flaws(&absolute), ["absolute-not-enforced"]);
    assert_eq!(flaws(&both), ["idle-not-enforced", "absolute-not-enforced"]);
    assert!(!flaws(&idle).contains(&"absolute-not-enforced"));
}

#[tokio::test]
async fn nobody_waits_for_a_limit_unless_that_is_allowed() {
    let change = |audit: &mut Audit| {
        audit.groups = vec![Group::Expiry];
        audit.profile.limits.idle_seconds = Some(1);
    };
    let outcome = Fixture::with(&["limits"]).await.try_audit(change).await.unwrap();
    let seen = |id| outcome.findings.iter().find(|one| one.rule.id == id).map(|one| (one.verdict, one.seen.as_str()));
    assert_eq!(seen("idle-not-enforced"), Some((Verdict::Skipped, "it takes 2 s of waiting; allow it with --wait")));
    assert!(seen("absolute-not-enforced").unwrap().1.contains("states no such limit"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signed_token_is_believed_as_far_as_the_site_believes_it() {
    #[rustfmt::skip]
    let cases: &[(&[&str], &[&str])] = &[
        (&["jwt"],                    &[]),
        (&["jwt", "alg-none"],        &["token-alg-none"]),
        (&["jwt", "any-signature"],   &["token-signature-ignored"]),
        (&["jwt", "known-secret"],    &["token-known-secret"]),
        (&["counter"],                &["token-predictable"]),
    ];
    for (planted, expected) in cases {
        let only = |audit: &mut Audit| audit.groups = vec![Group::Tokens];
        let outcome = Fixture::with(planted).await.try_audit(only).await.unwrap();
        let implied = |id: &&str| !matches!(*id, "token-unsigned" | "token-short");
        let found: Vec<_> = flaws(&outcome).into_iter().filter(implied).collect();
        assert_eq!(found, *expected, "{planted:?} {:?}", outcome.findings);
    }
}

static RARE: Rule = Rule { id: "own-rare", group: Group::Own, ..rule::FIXATION_KEPT };

/// Finds something every second time.
#[derive(Default)]
struct Fickle(AtomicU32);

impl OwnCheck for Fickle {
    fn rules(&self) -> Vec<&'static Rule> {
        vec![&RARE]
    }

    fn prove<'a>(&'a self, site: &'a Site) -> Proving<'a> {
        Box::pin(async move {
            site.member().await?;
            let again = self.0.fetch_add(1, Ordering::Relaxed) % 2 == 1;
            Ok(vec![if again { Finding::sound(&RARE, "", "not now") } else { Finding::flaw(&RARE, "", "now") }])
        })
    }
}

#[tokio::test]
async fn what_is_not_found_twice_is_not_found() {
    let change = |audit: &mut Audit| {
        audit.groups = vec![Group::Own];
        audit.own = vec![Box::new(Fickle::default())];
    };
    let outcome = Fixture::with(&[]).await.try_audit(change).await.unwrap();
    let [only] = outcome.findings.as_slice() else { panic!("{:?}", outcome.findings) };
    assert_eq!(
        (only.verdict, only.seen.as_str()),
        (Verdict::Inconclusive, "shown once; when it was tried again: not now")
    );
}

#[tokio::test]
async fn a_budget_that_is_spent_leaves_what_could_not_be_judged_open() {
    let outcome = Fixture::with(&[]).await.try_audit(|audit| audit.limits.budget = 30).await.unwrap();
    assert_eq!(outcome.requests, 30);
    let open = outcome.findings.iter().filter(|one| one.verdict == Verdict::Inconclusive);
    assert!(
        open.clone().count() > 5 && open.clone().all(|one| one.seen.contains("budget")),
        "{:?}",
        open.collect::<Vec<_>>()
    );
    assert_eq!(flaws(&outcome), Vec::<&str>::new());
}

#[tokio::test]
async fn a_marker_that_strangers_see_is_noticed_before_anything_is_judged() {
    let fixture = Fixture::with(&[]).await;
    let change = |audit: &mut Audit| {
        audit.profile.signed_in.marker = "password".to_owned();
        audit.profile.signed_in.url = "/login".to_owned();
    };
    let error = fixture.try_audit(change).await.unwrap_err();
    assert!(error.to_string().contains("shows the marker to strangers"), "{error}");
    assert_eq!(fixture.requests(), 1);
}

#[tokio::test]
async fn a_password_that_does_not_sign_in_is_said() {
    let error = Fixture::with(&[])
        .await
        .try_audit(|audit| audit.profile.account.password = "wrong".to_owned())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("the sign-in did not sign in"), "{error}");
}

#[tokio::test]
async fn the_account_is_not_changed_unless_that_is_allowed() {
    let outcome =
        Fixture::with(&["password"]).await.try_audit(|audit| audit.reach.change_account = false).await.unwrap();
    let keeps = outcome.findings.iter().find(|one| one.rule.id == "password-change-keeps").unwrap();
    assert!(keeps.verdict == Verdict::Skipped && keeps.seen.contains("--yes"), "{keeps:?}");
}
