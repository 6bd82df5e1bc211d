//! Scripts, frames, types, referrers and windows.

use super::*;

fn page(headers: &[(&str, &str)]) -> World {
    World::of("sid").all(sets(SITE, &["sid=1"])).signed_in(get(SITE, headers))
}

#[test]
fn a_policy_for_scripts_holds_or_does_not() {
    #[rustfmt::skip]
    let cases: &[(&[&str], Verdict, Verdict, Severity)] = &[
        //                                                                    missing  weak
        (&[],                                                                 Flaw,    Skipped, Low),
        (&["frame-ancestors 'none'"],                                         Flaw,    Skipped, Low),
        (&["default-src 'self'"],                                             Sound,   Sound,   Low),
        (&["default-src 'none'; img-src *"],                                  Sound,   Sound,   Low),
        (&["script-src 'self' https://cdn.example.org"],                      Sound,   Sound,   Low),
        (&["script-src 'self' *.example.org"],                                Sound,   Sound,   Low),
        (&["default-src *"],                                                  Sound,   Flaw,    Low),
        (&["script-src https:"],                                              Sound,   Flaw,    Low),
        (&["script-src 'self' data:"],                                        Sound,   Flaw,    Low),
        (&["script-src 'self' https://*"],                                    Sound,   Flaw,    Low),
        (&["default-src *; script-src 'self'"],                               Sound,   Sound,   Low),
        (&["script-src 'self'; script-src *"],                                Sound,   Sound,   Low),
        (&["script-src 'self' 'unsafe-inline'"],                              Sound,   Flaw,    Low),
        (&["SCRIPT-SRC 'self' 'UNSAFE-INLINE'"],                              Sound,   Flaw,    Low),
        (&["script-src 'unsafe-inline' 'nonce-abc'; base-uri 'none'"],        Sound,   Sound,   Low),
        (&["script-src 'unsafe-inline' 'sha256-abc='"],                       Sound,   Sound,   Low),
        (&["script-src 'strict-dynamic' 'nonce-abc' https: 'unsafe-inline'; base-uri 'self'"], Sound, Sound, Low),
        (&["script-src 'nonce-abc' https:; base-uri 'none'"],                 Sound,   Flaw,    Low),
        (&["script-src 'nonce-abc'"],                                         Sound,   Flaw,    Info),
        (&["script-src 'self' 'unsafe-eval'"],                                Sound,   Flaw,    Info),
        (&["script-src 'self' 'wasm-unsafe-eval'"],                           Sound,   Sound,   Low),
        (&["script-src 'self'; script-src-attr 'unsafe-inline'"],             Sound,   Flaw,    Low),
        (&["script-src 'unsafe-inline'; script-src-elem 'self'; script-src-attr 'none'"], Sound, Sound, Low),
        (&["sandbox allow-forms"],                                            Sound,   Sound,   Low),
        (&["sandbox allow-scripts"],                                          Flaw,    Skipped, Low),
        (&["script-src *", "script-src 'self'"],                              Sound,   Sound,   Low),
        (&["script-src *, script-src 'self'"],                                Sound,   Sound,   Low),
        (&["; ;"],                                                            Flaw,    Skipped, Low),
    ];
    for (policies, missing, weak, severity) in cases {
        let headers: Vec<_> = policies.iter().map(|policy| ("Content-Security-Policy", *policy)).collect();
        let world = page(&headers);
        assert_is(&world.one(SITE, &rule::CSP_MISSING), *missing, Low, &format!("{policies:?}"));
        assert_is(&world.one(SITE, &rule::CSP_WEAK), *weak, *severity, &format!("{policies:?}"));
    }
}

#[test]
fn a_policy_that_only_reports_prevents_nothing() {
    let world = page(&[("Content-Security-Policy-Report-Only", "script-src 'none'")]);
    let finding = world.one(SITE, &rule::CSP_MISSING);
    assert!(finding.verdict == Flaw && finding.seen.contains("reports"));
}

#[test]
fn a_policy_in_the_page_counts_for_scripts_and_not_for_frames() {
    let body = "<meta http-equiv=content-security-policy content=\"script-src 'self'; frame-ancestors 'none'\">";
    let world = World::of("sid").signed_in(exchange(Method::GET, SITE, 200, &[("Content-Type", "text/html")], body));
    assert_is(&world.one(SITE, &rule::CSP_MISSING), Sound, Low, "scripts");
    assert_is(&world.one(SITE, &rule::FRAMEABLE), Flaw, Medium, "frames");
}

#[test]
fn a_nonce_that_comes_again_is_none() {
    let with = |nonce: &str| {
        let policy = format!("script-src 'nonce-{nonce}'; base-uri 'none'");
        get(SITE, &[("Content-Security-Policy", &policy)])
    };
    for (second, verdict) in [("two", Sound), ("one", Flaw)] {
        let world = World::of("sid").signed_in(with("one")).signed_in(with(second));
        assert_is(&world.one(SITE, &rule::CSP_WEAK), verdict, Low, second);
    }
}

#[test]
fn one_page_without_a_policy_is_found_among_others() {
    let world =
        page(&[("Content-Security-Policy", "script-src 'self'")]).signed_in(get("https://app.example.org/more", &[]));
    let finding = world.one(SITE, &rule::CSP_MISSING);
    assert_eq!((finding.verdict, finding.evidence[0].exchange.sent.url.path()), (Flaw, "/more"));
}

#[test]
fn frames_are_refused_by_one_of_two_ways() {
    #[rustfmt::skip]
    let cases: &[(&[&str], &[&str], Verdict)] = &[
        //  policies                                        X-Frame-Options
        (&[],                                               &[],                       Flaw),
        (&[],                                               &["DENY"],                 Sound),
        (&[],                                               &["SameOrigin"],           Sound),
        (&[],                                               &["ALLOWALL"],             Flaw),
        (&[],                                               &["ALLOW-FROM https://a"], Flaw),
        (&[],                                               &["DENY", "DENY"],         Sound),
        (&[],                                               &["DENY", "SAMEORIGIN"],   Sound),
        (&[],                                               &["a", "b"],               Flaw),
        (&["frame-ancestors 'none'"],                       &[],                       Sound),
        (&["frame-ancestors 'self' https://a.example"],     &[],                       Sound),
        (&["frame-ancestors *"],                            &["DENY"],                 Flaw),
        (&["frame-ancestors https:"],                       &[],                       Flaw),
        (&["frame-ancestors *", "frame-ancestors 'none'"],  &[],                       Sound),
        (&["default-src 'none'"],                           &[],                       Flaw),
    ];
    for (policies, options, verdict) in cases {
        let mut headers: Vec<_> = policies.iter().map(|policy| ("Content-Security-Policy", *policy)).collect();
        headers.extend(options.iter().map(|option| ("X-Frame-Options", *option)));
        assert_is(&page(&headers).one(SITE, &rule::FRAMEABLE), *verdict, Medium, &format!("{headers:?}"));
    }
}

#[test]
fn a_session_that_stays_home_is_not_in_foreign_frames() {
    for (line, severity) in [("sid=1; SameSite=Lax", Low), ("sid=1", Medium), ("sid=1; SameSite=None", Medium)] {
        let world = World::of("sid").all(sets(SITE, &[line])).signed_in(get(SITE, &[]));
        assert_is(&world.one(SITE, &rule::FRAMEABLE), Flaw, severity, line);
    }
}

#[test]
fn types_referrers_and_windows_are_read_as_browsers_read_them() {
    use rule::*;
    #[rustfmt::skip]
    let cases: &[(&Rule, Headers<'_>, Verdict, Severity)] = &[
        (&NOSNIFF_MISSING,   &[],                                                                    Flaw,  Low),
        (&NOSNIFF_MISSING,   &[("X-Content-Type-Options", "NoSniff")],                               Sound, Low),
        (&NOSNIFF_MISSING,   &[("X-Content-Type-Options", "nosniff, x")],                            Sound, Low),
        (&NOSNIFF_MISSING,   &[("X-Content-Type-Options", "x, nosniff")],                            Flaw,  Low),
        (&REFERRER_LEAKS,    &[],                                                                    Flaw,  Info),
        (&REFERRER_LEAKS,    &[("Referrer-Policy", "no-referrer")],                                  Sound, Low),
        (&REFERRER_LEAKS,    &[("Referrer-Policy", "unsafe-url")],                                   Flaw,  Low),
        (&REFERRER_LEAKS,    &[("Referrer-Policy", "no-referrer-when-downgrade")],                   Flaw,  Low),
        (&REFERRER_LEAKS,    &[("Referrer-Policy", "unsafe-url, strict-origin-when-cross-origin")],  Sound, Low),
        (&REFERRER_LEAKS,    &[("Referrer-Policy", "no-referrer, invented")],                        Sound, Low),
        (&REFERRER_LEAKS,    &[("Referrer-Policy", "no-referrer"), ("Referrer-Policy", "unsafe-url")], Flaw, Low),
        (&REFERRER_LEAKS,    &[("Referrer-Policy", "invented")],                                     Flaw,  Info),
        (&ISOLATION_MISSING, &[],                                                                    Flaw,  Info),
        (&ISOLATION_MISSING, &[("Cross-Origin-Opener-Policy", "same-origin; report-to=\"x\"")],      Sound, Info),
        (&ISOLATION_MISSING, &[("Cross-Origin-Opener-Policy", "unsafe-none")],                       Flaw,  Info),
    ];
    for (rule, headers, verdict, severity) in cases {
        assert_is(&page(headers).one(SITE, rule), *verdict, *severity, &format!("{} {headers:?}", rule.id));
    }
}

#[test]
fn what_no_browser_shows_is_not_judged_as_a_page() {
    let json = exchange(Method::GET, SITE, 200, &[("Content-Type", "application/json")], "{}");
    let world = World::of("sid").signed_in(json);
    for rule in [&rule::CSP_MISSING, &rule::CSP_WEAK, &rule::FRAMEABLE, &rule::NOSNIFF_MISSING] {
        assert_is(&world.one(SITE, rule), Skipped, Low, rule.id);
    }
}

#[test]
fn strangers_pages_stand_in_where_nobody_signed_in() {
    let world = World::of("").all(get(SITE, &[]));
    assert_is(&world.one(SITE, &rule::FRAMEABLE), Flaw, Low, "a stranger's page");
    assert_is(&world.one(SITE, &rule::CACHED_PRIVATE_PAGE), Skipped, Low, "nobody's page");
}
