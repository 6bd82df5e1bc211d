//! Counterfoil: what is wrong there was switched off, or goes around it.

#[rustfmt::skip]
pub(super) const WORDS: &[(&str, &str)] = &[
    ("cookie-not-secure",        "name the site with https in `origins`: the cookie is then `__Host-` and Secure. This cookie may be the app's own."),
    ("cookie-samesite-none",     "leave `cookies.same_site` at its default."),
    ("cookie-no-prefix",         "name the site with https in `origins`: the cookie is then `__Host-`."),
    ("cookie-lives-long",        "`cookies.until_browser_closes = true`, or a shorter `timeouts.absolute`."),
    ("cached-private-page",      "`.layer(site.headers())` around the whole router, and no `Cache-Control` of the handler's own."),
    ("csp-missing",              "`.layer(site.headers())` around the whole router."),
    ("frameable",                "`.layer(site.headers())` around the whole router."),
    ("nosniff-missing",          "`.layer(site.headers())` around the whole router."),
    ("referrer-leaks",           "`.layer(site.headers())` around the whole router."),
    ("hsts-missing",             "`.layer(site.headers())` around the whole router, with https in `origins`."),
    ("isolation-missing",        "`.layer(site.headers())` around the whole router."),
    ("fixation-kept",            "the route behind `.sessions().public().sign_in()`, with `SignIn` and `attempt.complete()`: the sign-in seen here goes around it."),
    ("fixation-adopted",         "the route behind `.sessions().public().sign_in()`, with `SignIn` and `attempt.complete()`: the sign-in seen here goes around it."),
    ("sign-out-no-effect",       "`session.sign_out()`, and the route behind `.layer(site.sessions())`."),
    ("sign-out-replay",          "`session.sign_out()`: what was seen still working is a session of the app's own."),
    ("idle-not-enforced",        "`timeouts.idle` of the policy; no `danger.beyond_preset`."),
    ("absolute-not-enforced",    "`timeouts.absolute` of the policy; no `danger.beyond_preset`."),
    ("csrf-open",                "the route behind `.layer(site.sessions())`, and no `danger.csrf`."),
    ("csrf-token-optional",      "`.sessions().sensitive()` demands the token."),
    ("csrf-origin-sibling",      "no siblings in `csrf.trusted_origins`, and no `danger.csrf`."),
    ("sessions-unlimited",       "`sessions.limit` of the policy."),
];
