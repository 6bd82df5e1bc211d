//! Whether the words fit the rules.

use std::collections::BTreeSet;

use super::*;
use crate::rule;

const ALL: [Framework; 10] = [
    Framework::Express,
    Framework::Django,
    Framework::Flask,
    Framework::Rails,
    Framework::Laravel,
    Framework::Spring,
    Framework::AspNet,
    Framework::Php,
    Framework::Nginx,
    Framework::Counterfoil,
];

#[test]
fn all_words_are_of_a_rule_that_there_is_and_once() {
    for framework in ALL {
        let ids: BTreeSet<_> = words(framework).iter().map(|(id, _)| *id).collect();
        assert_eq!(ids.len(), words(framework).len(), "{framework:?}");
        let unknown: Vec<_> = ids.into_iter().filter(|id| Rule::of_id(id).is_none()).collect();
        assert!(unknown.is_empty(), "{framework:?}: {unknown:?}");
    }
}

#[test]
fn code_is_closed_and_sentences_end() {
    for (id, text) in ALL.into_iter().flat_map(words) {
        assert!(text.ends_with('.') && text.matches('`').count() % 2 == 0, "{id}: {text}");
    }
}

#[test]
fn frameworks_with_sessions_have_words_for_what_is_most_often_wrong() {
    const MOST_OFTEN: [&str; 20] = [
        "cookie-not-secure",
        "cookie-not-httponly",
        "cookie-samesite-missing",
        "cookie-samesite-none",
        "cookie-no-prefix",
        "cookie-domain-wide",
        "cookie-lives-long",
        "cached-private-page",
        "hsts-missing",
        "csp-missing",
        "frameable",
        "cors-any-origin",
        "fixation-kept",
        "fixation-adopted",
        "rotation-none",
        "sign-out-replay",
        "idle-not-enforced",
        "absolute-not-enforced",
        "csrf-open",
        "csrf-get-changes",
    ];
    for framework in &ALL[..8] {
        let missing: Vec<_> =
            MOST_OFTEN.iter().filter(|id| !words(*framework).iter().any(|(own, _)| own == *id)).collect();
        assert!(missing.is_empty() && words(*framework).len() >= 25, "{framework:?}: {missing:?}");
    }
}

#[test]
fn a_fix_is_the_rules_own_and_then_the_frameworks() {
    let fix = of(&rule::SIGN_OUT_REPLAY, Some(Framework::Php));
    assert!(fix.starts_with(rule::SIGN_OUT_REPLAY.fix) && fix.contains(" In PHP: `$_SESSION = []`"), "{fix}");
    assert_eq!(of(&rule::SIGN_OUT_REPLAY, None), rule::SIGN_OUT_REPLAY.fix);
    assert_eq!(of(&rule::SIGN_OUT_REPLAY, Some(Framework::Nginx)), rule::SIGN_OUT_REPLAY.fix);
}
