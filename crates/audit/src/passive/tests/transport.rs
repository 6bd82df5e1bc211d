//! Plain http, and staying on https.

use super::*;

fn plain(answers: Vec<Exchange>) -> World {
    World { plain: Some(answers), ..World::of("sid") }
}

fn answered(url: &str, status: u16, headers: &[(&str, &str)]) -> Exchange {
    exchange(Method::GET, url, status, headers, "")
}

const HTTP: &str = "http://app.example.org/";

#[test]
fn plain_http_leads_to_https_or_nowhere() {
    #[rustfmt::skip]
    let cases = [
        (vec![],                                                                     Sound),
        (vec![answered(HTTP, 301, &[("Location", SITE)])],                           Sound),
        (vec![answered(HTTP, 308, &[("Location", "https://other.example.org/")])],   Sound),
        (vec![answered(HTTP, 403, &[])],                                             Sound),
        (vec![answered(HTTP, 200, &[])],                                             Flaw),
        (vec![answered(HTTP, 301, &[("Location", "/login")])],                       Flaw),
        (vec![answered(HTTP, 301, &[("Location", "/login")]), answered("http://app.example.org/login", 301, &[("Location", SITE)])], Sound),
        (vec![answered(HTTP, 301, &[("Location", SITE)]), answered("http://app.example.org/account", 200, &[])], Flaw),
    ];
    for (number, (answers, verdict)) in cases.into_iter().enumerate() {
        assert_is(&plain(answers).one(SITE, &rule::HTTP_NOT_REDIRECTED), verdict, Medium, &format!("case {number}"));
    }
}

#[test]
fn a_session_set_over_plain_http_is_given_away() {
    #[rustfmt::skip]
    let cases = [
        ("sid=1",               Flaw),
        ("sid=1; HttpOnly",     Flaw),
        ("sid=1; Secure",       Sound),
        ("sid=; Max-Age=0",     Sound),
        ("lang=de",             Sound),
    ];
    for (line, verdict) in cases {
        let world = plain(vec![answered(HTTP, 301, &[("Location", SITE), ("Set-Cookie", line)])]);
        assert_is(&world.one(SITE, &rule::COOKIE_OVER_HTTP), verdict, High, line);
    }
}

#[test]
fn what_plain_http_sets_is_not_judged_as_what_https_sets() {
    let over_http = answered(HTTP, 301, &[("Location", SITE), ("Set-Cookie", "sid=1")]);
    let mut world = plain(vec![over_http]).all(sets(SITE, &["sid=1; Secure"]));
    world.all.extend(world.plain.iter().flatten().cloned());
    // Clones are other exchanges; only what is the same one is left out.
    assert_is(&world.one(SITE, &rule::COOKIE_OVER_HTTP), Flaw, High, "set over http");
}

#[test]
fn a_site_without_tls_is_judged_by_where_it_is() {
    #[rustfmt::skip]
    let cases: &[(&str, [Verdict; 3])] = &[
        //                           redirect  over http  hsts
        ("http://127.0.0.1:8080/",  [Skipped,  Skipped,   Skipped]),
        ("http://localhost/",       [Skipped,  Skipped,   Skipped]),
        ("http://app.example.org/", [Flaw,     Flaw,      Skipped]),
        ("https://192.0.2.7/",      [Skipped,  Skipped,   Skipped]),
        (SITE,                      [Skipped,  Skipped,   Flaw]),
    ];
    for (site, verdicts) in cases {
        let world = World::of("sid").all(sets(site, &["sid=1"])).signed_in(get(site, &[]));
        let rules = [&rule::HTTP_NOT_REDIRECTED, &rule::COOKIE_OVER_HTTP, &rule::HSTS_MISSING];
        assert_eq!(rules.map(|rule| world.one(site, rule).verdict), *verdicts, "{site}");
    }
}

#[test]
fn strict_transport_security_has_to_last_a_year() {
    #[rustfmt::skip]
    let cases: &[(&[&str], Verdict)] = &[
        (&[],                                                  Flaw),
        (&["max-age=31536000"],                                Sound),
        (&["Max-Age=\"63072000\"; includeSubDomains; preload"], Sound),
        (&["includeSubDomains; max-age = 31536000;"],          Sound),
        (&["max-age=31535999"],                                Flaw),
        (&["max-age=0"],                                       Flaw),
        (&["max-age"],                                         Flaw),
        (&["includeSubDomains"],                               Flaw),
        (&["max-age=31536000; max-age=31536000"],              Flaw),
        (&["max-age=60", "max-age=31536000"],                  Flaw),
        (&["max-age=31536000, max-age=60"],                    Flaw),
    ];
    for (fields, verdict) in cases {
        let fields: Vec<_> = fields.iter().map(|value| ("Strict-Transport-Security", *value)).collect();
        let world = World::of("sid").signed_in(get(SITE, &fields));
        assert_is(&world.one(SITE, &rule::HSTS_MISSING), *verdict, Low, &format!("{fields:?}"));
    }
}
