//! The CSRF decision: nothing that says it comes from elsewhere passes with a cookie, whatever else it says.

use counterfoil_core::csrf::{
    CsrfFacts, CsrfVerdict, DenyReason, HeaderCount, MethodKind, PassReason, RouteFlags, decide, effective_method,
};
use counterfoil_core::origin::{PublicOrigins, TrustedOrigins};

use crate::{Target, lines};

pub(crate) const TARGET: Target = Target {
    name: "csrf",
    check,
    words: &[
        "GET",
        "POST",
        "TRACE",
        "same-origin",
        "same-site",
        "cross-site",
        "none",
        "null",
        PUBLIC,
        TRUSTED,
        "https://evil.example",
        "\n",
        "/path?query",
    ],
};

/// The first byte holds the flags; then, a line each: method, override, `Origin`, `Sec-Fetch-Site`, `Referer`.
fn check(input: &[u8]) {
    let Some((flags, rest)) = input.split_first() else { return };
    let flag = |bit: u8| flags & (1 << bit) != 0;
    let mut values = lines(rest);
    let method = values.next().unwrap_or_default();
    let overrides = values.next().filter(|value| !value.is_empty());
    let mut header = |absent, twice| match values.next().unwrap_or_default() {
        _ if absent => HeaderCount::Absent,
        value if twice => HeaderCount::of([value, value]),
        value => HeaderCount::of([value]),
    };
    let facts = CsrfFacts {
        method: effective_method(method, overrides),
        route: RouteFlags { changes_state: flag(0), sign_in: flag(1), sensitive: false },
        cookie_bearing: flag(2),
        authorization_present: flag(3),
        origin: header(flag(4), false),
        sec_fetch_site: header(flag(5), flag(6)),
        referer: header(flag(7), false),
        x_csrf_is_1: flag(6) && flag(7),
    };
    let (public, trusted) = origins();
    let verdict = decide(&facts, &public, &trusted);
    holds(&facts, verdict, &public, &trusted);

    let sensitive = CsrfFacts { route: RouteFlags { sensitive: true, ..facts.route }, ..facts };
    let passes = matches!(decide(&sensitive, &public, &trusted), CsrfVerdict::Pass(_));
    assert!(!passes || verdict == CsrfVerdict::Pass(PassReason::SafeMethod), "a sensitive route needs a token");
    let stricter = effective_method(method, overrides.into_iter().chain([b"DELETE".as_slice()]));
    assert!(stricter >= facts.method && stricter != MethodKind::Safe, "an override makes nothing safer");
}

fn holds(facts: &CsrfFacts<'_>, verdict: CsrfVerdict, public: &PublicOrigins, trusted: &TrustedOrigins) {
    if facts.method == MethodKind::Trace {
        assert_eq!(verdict, CsrfVerdict::Deny(DenyReason::Trace));
        return;
    }
    let judged = facts.method != MethodKind::Safe || facts.route.changes_state;
    let bearing = facts.cookie_bearing || facts.route.sign_in;
    if !judged || (!bearing && facts.authorization_present) {
        return;
    }
    let passes = matches!(verdict, CsrfVerdict::Pass(_));
    let from_trusted = matches!(facts.origin, HeaderCount::One(value) if trusted.matches_header(value));
    if let HeaderCount::One(value) = facts.origin
        && !public.matches_header(value)
        && !from_trusted
    {
        assert!(!passes, "a foreign or unknown origin passed: {facts:?}");
    }
    if let HeaderCount::One(b"cross-site" | b"same-site") | HeaderCount::Repeated = facts.sec_fetch_site {
        let repeated = facts.sec_fetch_site == HeaderCount::Repeated;
        assert!(!passes || (from_trusted && !repeated), "a request from another site passed: {facts:?}");
    }
    let silent = facts.origin == HeaderCount::Absent && facts.sec_fetch_site == HeaderCount::Absent;
    if silent && facts.referer == HeaderCount::Absent && bearing && !facts.x_csrf_is_1 {
        assert!(!passes, "a request that says nothing passed");
    }
}

fn origins() -> (PublicOrigins, TrustedOrigins) {
    let parse = |text: &str| text.parse().expect("an origin");
    let public = PublicOrigins::new([parse(PUBLIC)]).expect("one origin");
    (public, TrustedOrigins::new([parse(TRUSTED)]))
}

const PUBLIC: &str = "https://shop.example";
const TRUSTED: &str = "https://partner.example:8443";
