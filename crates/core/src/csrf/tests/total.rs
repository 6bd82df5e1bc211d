//! Every combination of facts there is (headers by their classes), held against the promises that matter most.

use std::collections::BTreeSet;

use super::*;

const ORIGINS: [HeaderCount<'static>; 6] = [HeaderCount::Absent, SELF, PARTNER, NULL, EVIL, HeaderCount::Repeated];
const SITES: [HeaderCount<'static>; 7] =
    [HeaderCount::Absent, SAME_ORIGIN, SAME_SITE, CROSS_SITE, NONE, HeaderCount::One(b"?"), HeaderCount::Repeated];
const METHODS: [MethodKind; 4] =
    [MethodKind::Safe, MethodKind::Unsafe, MethodKind::WebSocketUpgrade, MethodKind::Trace];

fn every_request(mut check: impl FnMut(&CsrfFacts<'static>, CsrfVerdict)) {
    for (origin, site, referer, method) in ORIGINS.iter().flat_map(|o| {
        SITES.iter().flat_map(move |s| ORIGINS.iter().flat_map(move |r| METHODS.map(|m| (*o, *s, *r, m))))
    }) {
        for flags in 0..64_u8 {
            let on = |bit: u8| flags & (1 << bit) != 0;
            let facts = CsrfFacts {
                method,
                route: RouteFlags { changes_state: on(0), sign_in: on(1), sensitive: on(2) },
                cookie_bearing: on(3),
                authorization_present: on(4),
                origin,
                sec_fetch_site: site,
                referer,
                x_csrf_is_1: on(5),
            };
            check(&facts, judged(&facts));
        }
    }
}

fn is_judged(facts: &CsrfFacts<'_>) -> bool {
    facts.method != MethodKind::Trace && (facts.method != MethodKind::Safe || facts.route.changes_state)
}

fn bears_cookie(facts: &CsrfFacts<'_>) -> bool {
    facts.cookie_bearing || facts.route.sign_in
}

#[test]
fn trace_never_passes_and_a_safe_read_always_does() {
    every_request(|facts, verdict| {
        if facts.method == MethodKind::Trace {
            assert_eq!(verdict, CsrfVerdict::Deny(DenyReason::Trace), "{facts:?}");
        } else {
            assert_eq!(verdict == CsrfVerdict::Pass(PassReason::SafeMethod), !is_judged(facts), "{facts:?}");
        }
    });
}

#[test]
fn a_foreign_request_with_a_cookie_is_denied_token_or_not() {
    every_request(|facts, verdict| {
        let site_is_foreign = [SAME_SITE, CROSS_SITE].contains(&facts.sec_fetch_site) && facts.origin != PARTNER;
        let repeated = [facts.origin, facts.sec_fetch_site].contains(&HeaderCount::Repeated);
        if is_judged(facts) && bears_cookie(facts) && (facts.origin == EVIL || site_is_foreign || repeated) {
            assert!(verdict.settle(true).is_err(), "{facts:?} {verdict:?}");
        }
    });
}

#[test]
fn without_a_token_nothing_sensitive_and_no_null_origin_passes() {
    every_request(|facts, verdict| {
        let null_with_cookie = facts.origin == NULL && bears_cookie(facts);
        if is_judged(facts) && (facts.route.sensitive || null_with_cookie) {
            assert!(verdict.settle(false).is_err(), "{facts:?} {verdict:?}");
        }
    });
}

#[test]
fn the_custom_header_decides_only_where_nothing_else_speaks() {
    every_request(|facts, verdict| {
        let without = judged(&CsrfFacts { x_csrf_is_1: false, ..*facts });
        if facts.x_csrf_is_1 && verdict != without {
            assert_eq!(without, CsrfVerdict::NeedsToken(NeedReason::NoHeaders), "{facts:?}");
        }
    });
}

#[test]
fn an_own_page_is_never_denied_for_good() {
    every_request(|facts, verdict| {
        let own = [SELF, HeaderCount::Absent].contains(&facts.origin) && facts.sec_fetch_site == SAME_ORIGIN;
        if own && facts.method != MethodKind::Trace {
            assert!(verdict.settle(true).is_ok(), "{facts:?} {verdict:?}");
        }
    });
}

#[test]
fn every_reason_is_reached_and_has_a_name_of_its_own() {
    let (mut verdicts, mut passes, mut denials) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    every_request(|_, verdict| {
        if !verdicts.contains(&verdict) {
            verdicts.push(verdict);
        }
        for valid in [false, true] {
            match verdict.settle(valid) {
                Ok(reason) => passes.insert(reason.as_str()),
                Err(reason) => denials.insert(reason.as_str()),
            };
        }
    });
    let names: BTreeSet<_> = verdicts.iter().map(|verdict| verdict.as_str()).collect();
    assert_eq!((verdicts.len(), names.len(), passes.len(), denials.len()), (21, 21, 11, 11));
    assert!(names.iter().all(|name| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')), "{names:?}");
}
