//! What caches may store.

use super::*;

#[test]
fn a_response_that_sets_a_session_is_judged_as_a_shared_cache_reads_it() {
    const PAST: &str = "Thu, 19 Nov 1981 08:52:00 GMT";
    const LATER: &str = "Fri, 02 Jan 2026 00:00:00 GMT";
    #[rustfmt::skip]
    let cases: &[(Method, u16, Headers<'_>, Verdict, Severity)] = &[
        (Method::GET,  200, &[("Cache-Control", "no-store")],                                   Sound, Low),
        (Method::GET,  200, &[("Cache-Control", "private, max-age=60")],                        Sound, Low),
        (Method::GET,  200, &[("cache-control", "No-Cache")],                                   Sound, Low),
        (Method::GET,  200, &[("Cache-Control", "max-age=0, must-revalidate")],                 Sound, Low),
        (Method::GET,  200, &[("Cache-Control", "no-cache=\"Set-Cookie\", max-age=60")],        Sound, Low),
        (Method::GET,  200, &[("Cache-Control", "private=\"X-Other\", max-age=60")],            Flaw,  Medium),
        (Method::GET,  200, &[("Cache-Control", "max-age=60")],                                 Flaw,  Medium),
        (Method::GET,  200, &[("Cache-Control", "max-age=0, s-maxage=60")],                     Flaw,  Medium),
        (Method::GET,  200, &[("Cache-Control", "max-age=soon")],                               Sound, Low),
        (Method::GET,  200, &[("Cache-Control", "public")],                                     Flaw,  Medium),
        (Method::GET,  200, &[("Cache-Control", "x=\"a, no-store\", public")],                  Flaw,  Medium),
        (Method::GET,  200, &[("Cache-Control", "public"), ("Cache-Control", "no-store")],      Sound, Low),
        (Method::GET,  200, &[("Expires", PAST)],                                               Sound, Low),
        (Method::GET,  200, &[("Expires", "0")],                                                Sound, Low),
        (Method::GET,  200, &[("Expires", LATER)],                                              Flaw,  Medium),
        (Method::GET,  200, &[("Expires", LATER), ("Date", "Sat, 03 Jan 2026 00:00:00 GMT")],   Sound, Low),
        (Method::GET,  200, &[("Pragma", "no-cache")],                                          Sound, Low),
        (Method::GET,  200, &[("Vary", "Accept, *"), ("Cache-Control", "max-age=60")],          Sound, Low),
        (Method::GET,  200, &[("Vary", "Cookie")],                                              Flaw,  Low),
        (Method::GET,  200, &[],                                                                Flaw,  Low),
        (Method::GET,  302, &[],                                                                Sound, Low),
        (Method::GET,  302, &[("Cache-Control", "public, max-age=60")],                         Flaw,  Medium),
        (Method::POST, 200, &[],                                                                Sound, Low),
        (Method::POST, 303, &[("Cache-Control", "public, max-age=60")],                         Flaw,  Medium),
    ];
    for (method, status, headers, verdict, severity) in cases {
        let mut headers = headers.to_vec();
        headers.push(("Set-Cookie", "sid=0123456789abcdef"));
        let world = World::of("sid").all(exchange(method.clone(), SITE, *status, &headers, ""));
        assert_is(
            &world.one(SITE, &rule::CACHED_SET_COOKIE),
            *verdict,
            *severity,
            &format!("{method} {status} {headers:?}"),
        );
    }
}

#[test]
fn a_response_that_removes_a_session_or_sets_something_else_may_be_stored() {
    let public = ("Cache-Control", "public, max-age=60");
    let careful = exchange(Method::POST, SITE, 303, &[("Set-Cookie", "sid=1"), ("Cache-Control", "no-store")], "");
    for line in ["sid=; Max-Age=0", "lang=de"] {
        let world = World::of("sid").all(careful.clone()).all(get(SITE, &[("Set-Cookie", line), public]));
        assert_is(&world.one(SITE, &rule::CACHED_SET_COOKIE), Sound, Low, line);
    }
}

#[test]
fn a_signed_in_page_is_not_for_everybody() {
    #[rustfmt::skip]
    let cases: &[(Headers<'_>, Verdict, Severity)] = &[
        (&[("Cache-Control", "no-store")],                       Sound, Low),
        (&[("Cache-Control", "private")],                        Sound, Low),
        (&[("Cache-Control", "no-cache, must-revalidate")],      Sound, Low),
        (&[("Cache-Control", "public, max-age=3600")],           Flaw,  Medium),
        (&[("Cache-Control", "max-age=3600")],                   Flaw,  Medium),
        (&[("Vary", "Cookie")],                                  Flaw,  Low),
        (&[],                                                    Flaw,  Low),
    ];
    for (headers, verdict, severity) in cases {
        let world = World::of("sid").signed_in(get(SITE, headers));
        assert_is(&world.one(SITE, &rule::CACHED_PRIVATE_PAGE), *verdict, *severity, &format!("{headers:?}"));
    }
}

#[test]
fn each_page_is_judged_by_its_worst_answer() {
    let world = World::of("sid")
        .signed_in(get(SITE, &[("Cache-Control", "no-store")]))
        .signed_in(get(SITE, &[("Cache-Control", "public")]))
        .signed_in(get("https://app.example.org/more", &[("Cache-Control", "no-store")]))
        .signed_in(exchange(Method::GET, "https://app.example.org/away", 302, &[("Location", "/")], ""));
    let said: Vec<_> = world.judge(SITE).into_iter().filter(|one| one.rule.id == "cached-private-page").collect();
    let places: Vec<_> = said.iter().map(|one| (one.place.as_str(), one.verdict)).collect();
    assert_eq!(places, [("GET /", Flaw), ("GET /more", Sound)]);
}
