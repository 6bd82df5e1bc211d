//! Who may read what a signed-in person sees.

use super::*;

fn tried(origin: &str, headers: &[(&str, &str)]) -> Exchange {
    let mut exchange = get(SITE, headers);
    exchange.sent.headers.push(("Origin".to_owned(), origin.to_owned()));
    exchange
}

fn allows<'a>(origin: &'a str, credentials: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![("Access-Control-Allow-Origin", origin), ("Access-Control-Allow-Credentials", credentials)]
}

#[test]
fn only_what_browsers_let_be_read_is_a_flaw() {
    const THEM: &str = "https://attacker.example";
    #[rustfmt::skip]
    let cases = [
        (THEM,   vec![],                                                        true,  Sound),
        (THEM,   allows(THEM, "true"),                                          true,  Flaw),
        (THEM,   allows(THEM, "True"),                                          true,  Sound),
        (THEM,   allows(THEM, "false"),                                         true,  Sound),
        (THEM,   allows("*", "true"),                                           true,  Sound),
        (THEM,   allows("https://app.example.org", "true"),                     true,  Sound),
        (THEM,   [allows(THEM, "true"), allows(THEM, "true")].concat(),         true,  Sound),
        (THEM,   allows(THEM, "true"),                                          false, Inconclusive),
        ("null", allows("null", "true"),                                        true,  Flaw),
    ];
    for (origin, headers, readable, verdict) in cases {
        let mut world = World::of("sid");
        world.cors.push((CorsOrigin::Foreign, tried(origin, &headers), readable));
        assert_is(&world.one(SITE, &rule::CORS_ANY_ORIGIN), verdict, High, &format!("{origin} {headers:?} {readable}"));
    }
}

#[test]
fn who_may_read_and_whether_the_session_comes_along_decide_how_bad_it_is() {
    #[rustfmt::skip]
    let cases = [
        (CorsOrigin::Foreign,           "",     High),
        (CorsOrigin::LooksAlikeAtEnd,   "None", High),
        (CorsOrigin::Null,              "Lax",  Low),
        (CorsOrigin::Sibling,           "",     Medium),
        (CorsOrigin::PlainHttp,         "Lax",  Medium),
    ];
    for (kind, same_site, severity) in cases {
        let mut world = World::of("sid").all(sets(SITE, &[&format!("sid=1; SameSite={same_site}")]));
        world.cors.push((kind, tried("x://y", &allows("x://y", "true")), true));
        world.cors.push((CorsOrigin::Foreign, tried("https://attacker.example", &[]), true));
        assert_is(&world.one(SITE, &rule::CORS_ANY_ORIGIN), Flaw, severity, &format!("{kind:?} {same_site}"));
    }
}

#[test]
fn the_origins_to_try_look_like_the_sites_own() {
    #[rustfmt::skip]
    let cases: &[(&str, &[&str])] = &[
        ("https://app.example.org", &[
            "https://attacker.example", "null", "https://app.example.org.attacker.example", "https://attackerapp.example.org",
            "https://sibling.example.org", "http://app.example.org",
        ]),
        ("https://example.org",     &[
            "https://attacker.example", "null", "https://example.org.attacker.example", "https://attackerexample.org",
            "https://sibling.example.org", "http://example.org",
        ]),
        ("http://127.0.0.1:8080",   &[
            "http://attacker.example", "null", "http://127.0.0.1.attacker.example", "http://127.0.0.1.attacker.example:8080",
        ]),
    ];
    for (site, expected) in cases {
        let tries = CorsOrigin::tries(&site.parse::<Url>().unwrap());
        let origins: Vec<_> = tries.iter().map(|(_, origin)| origin.as_str()).collect();
        assert_eq!(origins, *expected, "{site}");
    }
}
