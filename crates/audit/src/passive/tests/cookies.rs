//! Rules about lines that set cookies.

use super::*;

#[test]
fn a_session_cookies_attributes_are_judged() {
    use rule::*;
    #[rustfmt::skip]
    let cases: &[(&Rule, &str, Verdict, Severity)] = &[
        (&COOKIE_NOT_SECURE,       "sid=1; Secure",                                    Sound, High),
        (&COOKIE_NOT_SECURE,       "sid=1; HttpOnly",                                  Flaw,  High),
        (&COOKIE_NOT_SECURE,       "sid=Secure",                                       Flaw,  High),
        (&COOKIE_NOT_HTTPONLY,     "sid=1; httponly",                                  Sound, Medium),
        (&COOKIE_NOT_HTTPONLY,     "sid=1; Secure",                                    Flaw,  Medium),
        (&COOKIE_NOT_HTTPONLY,     "sid=1; Http-Only",                                 Flaw,  Medium),
        (&COOKIE_SAMESITE_MISSING, "sid=1",                                            Flaw,  Low),
        (&COOKIE_SAMESITE_MISSING, "sid=1; SameSite=Sometimes",                        Flaw,  Low),
        (&COOKIE_SAMESITE_MISSING, "sid=1; SameSite=strict",                           Sound, Low),
        (&COOKIE_SAMESITE_MISSING, "sid=1; SameSite=None; Secure",                     Sound, Low),
        (&COOKIE_SAMESITE_NONE,    "sid=1; SameSite=None; Secure",                     Flaw,  Medium),
        (&COOKIE_SAMESITE_NONE,    "sid=1; SameSite=None",                             Flaw,  Medium),
        (&COOKIE_SAMESITE_NONE,    "sid=1; SameSite=None; SameSite=Lax",               Sound, Medium),
        (&COOKIE_SAMESITE_NONE,    "sid=1",                                            Sound, Medium),
        (&COOKIE_NO_PREFIX,        "sid=1",                                            Flaw,  Low),
        (&COOKIE_DOMAIN_WIDE,      "sid=1",                                            Sound, Medium),
        (&COOKIE_DOMAIN_WIDE,      "sid=1; Domain=.example.org",                       Flaw,  Medium),
        (&COOKIE_DOMAIN_WIDE,      "sid=1; Domain=app.example.org",                    Flaw,  Medium),
        (&COOKIE_DOMAIN_WIDE,      "sid=1; Domain=",                                   Sound, Medium),
        (&COOKIE_DOMAIN_WIDE,      "sid=1; Domain=other.example",                      Sound, Medium),
        (&COOKIE_DOMAIN_REFUSED,   "sid=1; Domain=other.example",                      Flaw,  Medium),
        (&COOKIE_DOMAIN_REFUSED,   "sid=1; Domain=org",                                Flaw,  Medium),
        (&COOKIE_DOMAIN_REFUSED,   "sid=1; Domain=sub.app.example.org",                Flaw,  Medium),
        (&COOKIE_DOMAIN_REFUSED,   "sid=1; Domain=example.org",                        Sound, Medium),
        (&COOKIE_LIVES_LONG,       "sid=1",                                            Sound, Low),
        (&COOKIE_LIVES_LONG,       "sid=1; Max-Age=2592000",                           Sound, Low),
        (&COOKIE_LIVES_LONG,       "sid=1; Max-Age=2678400",                           Flaw,  Low),
        (&COOKIE_LIVES_LONG,       "sid=1; Expires=Fri, 30 Jan 2026 00:00:00 GMT",     Sound, Low),
        (&COOKIE_LIVES_LONG,       "sid=1; Expires=Tue, 19 Jan 2038 03:14:07 GMT",     Flaw,  Low),
        (&COOKIE_LIVES_LONG,       "sid=1; Max-Age=60; Expires=Tue, 19 Jan 2038 03:14:07 GMT", Sound, Low),
        (&COOKIE_TELLS_PRODUCT,    "sid=1",                                            Sound, Info),
        (&COOKIE_MALFORMED,        "sid=a.b-c_d/e+f==",                                Sound, Low),
        (&COOKIE_MALFORMED,        "sid=\"quoted\"",                                   Sound, Low),
        (&COOKIE_MALFORMED,        "sid=1; Version=1; Priority=High",                  Sound, Low),
        (&COOKIE_MALFORMED,        "sid=a b",                                          Flaw,  Low),
        (&COOKIE_MALFORMED,        "sid=a,b",                                          Flaw,  Low),
        (&COOKIE_MALFORMED,        "sid=1; SameStie=Lax",                              Flaw,  Low),
        (&COOKIE_MALFORMED,        "sid=1; Secure=false",                              Flaw,  Low),
        (&COOKIE_MALFORMED,        "sid=1; Expires=soon",                              Flaw,  Low),
        (&COOKIE_MALFORMED,        "sid=1\x01",                                        Flaw,  Low),
    ];
    for (rule, line, verdict, severity) in cases {
        let world = World::of("sid").all(sets(SITE, &[line]));
        assert_is(&world.one(SITE, rule), *verdict, *severity, &format!("{} {line:?}", rule.id));
    }
}

#[test]
fn prefixes_demand_and_protect() {
    use rule::*;
    #[rustfmt::skip]
    let cases: &[(&str, &str, Verdict, Verdict)] = &[
        //                                                             no prefix  broken
        ("__Host-id",      "Secure; Path=/",                            Sound,    Sound),
        ("__Host-id",      "Secure",                                    Sound,    Flaw),
        ("__Host-id",      "Path=/",                                    Sound,    Flaw),
        ("__Host-id",      "Secure; Path=/; Domain=app.example.org",    Sound,    Flaw),
        ("__Secure-id",    "Secure; Domain=example.org",                Sound,    Sound),
        ("__Secure-id",    "HttpOnly",                                  Sound,    Flaw),
        ("__Host-Http-id", "Secure; Path=/",                            Sound,    Flaw),
        ("__Http-id",      "Secure; HttpOnly",                          Sound,    Sound),
        ("__Hostid",       "Secure; Path=/",                            Flaw,     Sound),
    ];
    for (name, attributes, unprefixed, broken) in cases {
        let world = World::of(name).all(sets(SITE, &[&format!("{name}=1; {attributes}")]));
        assert_is(&world.one(SITE, &COOKIE_NO_PREFIX), *unprefixed, Low, &format!("{name}; {attributes}"));
        assert_is(&world.one(SITE, &COOKIE_PREFIX_BROKEN), *broken, Medium, &format!("{name}; {attributes}"));
    }
    let removed = World::of("__Host-id").all(sets(SITE, &["__Host-id=1; Secure; Path=/", "__Host-id=; Max-Age=0"]));
    assert_is(&removed.one(SITE, &COOKIE_PREFIX_BROKEN), Flaw, Low, "the removal is dropped");
}

#[test]
fn sizes_are_those_that_browsers_keep() {
    let value = |size: usize| format!("sid={}", "a".repeat(size));
    let path = |size: usize| format!("sid=1; Path=/{}", "a".repeat(size));
    #[rustfmt::skip]
    let cases = [
        (value(4093), Sound), (value(4094), Flaw), (path(1023), Sound), (path(1024), Flaw),
    ];
    for (line, verdict) in cases {
        let world = World::of("sid").all(sets(SITE, &[&line]));
        assert_is(&world.one(SITE, &rule::COOKIE_TOO_LARGE), verdict, Medium, &format!("{} bytes", line.len()));
    }
}

#[test]
fn twice_is_once_too_often() {
    #[rustfmt::skip]
    let cases: &[(&[&str], Verdict)] = &[
        (&["sid=1"],                                     Sound),
        (&["sid=1", "sid=2"],                            Flaw),
        (&["sid=1", "sid=1"],                            Flaw),
        (&["sid=1; Path=/a", "sid=1; Path=/b"],          Sound),
        (&["sid=1", "SID=1"],                            Sound),
        (&["sid=1", "sid=1; Domain=example.org"],        Sound),
    ];
    for (lines, verdict) in cases {
        let world = World::of("sid").all(sets(SITE, lines));
        assert_is(&world.one(SITE, &rule::COOKIE_DUPLICATED), *verdict, Low, &format!("{lines:?}"));
    }
    let twice = World::of("sid").all(sets(SITE, &["sid=1"])).all(sets(SITE, &["sid=2"]));
    assert_is(&twice.one(SITE, &rule::COOKIE_DUPLICATED), Sound, Low, "in two responses");
}

#[test]
fn a_response_that_is_shown_twice_is_one() {
    let exchange = get(SITE, &[("Set-Cookie", "sid=1")]);
    let said = judge(&Seen {
        site: &SITE.parse().unwrap(),
        session_cookies: &["sid".to_owned()],
        signed_in: &[&exchange],
        all: &[&exchange],
        plain_http: None,
        cors: &[],
        limits: Limits::default(),
    });
    assert!(said.iter().any(|one| one.rule.id == "cookie-duplicated" && one.verdict == Sound));
}

#[test]
fn products_are_known_by_their_cookies() {
    for (name, verdict) in
        [("PHPSESSID", Flaw), ("__Host-JSESSIONID", Flaw), ("session", Sound), ("sessionid", Flaw), ("id", Sound)]
    {
        let world = World::of(name).all(sets(SITE, &[&format!("{name}=1; Secure; Path=/")]));
        assert_is(&world.one(SITE, &rule::COOKIE_TELLS_PRODUCT), verdict, Info, name);
    }
}

#[test]
fn cookies_that_are_not_the_session_are_no_flaw_of_the_session() {
    let line = "__Host-id=1; Secure; HttpOnly; Path=/; SameSite=Lax";
    let world = World::of("__Host-id").all(sets(SITE, &[line, "csrftoken=2; Max-Age=31449600", "lang=de", "token=3"]));
    let flaws: Vec<_> = world
        .judge(SITE)
        .into_iter()
        .filter(|one| one.verdict == Flaw && one.rule.group == Group::Attributes)
        .collect();
    let names: Vec<_> = flaws.iter().map(|one| (one.rule.id, one.place.as_str(), one.severity)).collect();
    assert_eq!(names, [("cookie-tells-product", "csrftoken", Info)]);
}

#[test]
fn what_is_wrong_with_the_line_of_another_cookie_is_information() {
    let world = World::of("id").all(sets(SITE, &["id=1", "note=a b; Domain=org", "note=c d; Domain=org"]));
    for rule in [&rule::COOKIE_MALFORMED, &rule::COOKIE_DUPLICATED, &rule::COOKIE_DOMAIN_REFUSED] {
        let said = world.judge(SITE);
        let of_note = said.iter().find(|one| one.rule.id == rule.id && one.place == "note").unwrap();
        assert_is(of_note, Flaw, Info, rule.id);
    }
}

#[test]
fn where_nobody_looked_for_the_session_names_decide_and_severity_is_low() {
    let world = World::of("").all(sets(SITE, &["PHPSESSID=1", "csrf_token=2", "lang=3"]));
    let said = world.judge(SITE);
    let insecure: Vec<_> = said.iter().filter(|one| one.rule.id == "cookie-not-secure").collect();
    assert_eq!(insecure.len(), 1);
    assert_eq!((insecure[0].place.as_str(), insecure[0].severity), ("PHPSESSID", Low));
    assert!(insecure[0].seen.contains("not looked at"));
}

#[test]
fn a_removed_cookie_needs_no_attributes() {
    let right = "sid=1; Secure; HttpOnly; SameSite=Lax";
    for removal in
        ["sid=; Max-Age=0", "sid=; Max-Age=60; Max-Age=0", "sid=deleted; Expires=Thu, 01 Jan 1970 00:00:01 GMT"]
    {
        let world = World::of("sid").all(sets(SITE, &[right])).all(sets(SITE, &[removal]));
        assert_is(&world.one(SITE, &rule::COOKIE_NOT_SECURE), Sound, High, removal);
        assert_is(&world.one(SITE, &rule::COOKIE_NOT_HTTPONLY), Sound, Medium, removal);
        assert_is(&world.one(SITE, &rule::COOKIE_MALFORMED), Sound, Low, removal);
    }
}

#[test]
fn one_careless_line_among_careful_ones_is_found() {
    let right = "sid=1; Secure; HttpOnly; SameSite=Lax";
    let world = World::of("sid").all(sets(SITE, &[right])).signed_in(get(SITE, &[("Set-Cookie", "sid=2; HttpOnly")]));
    assert_is(&world.one(SITE, &rule::COOKIE_NOT_SECURE), Flaw, High, "the second line");
}

#[test]
fn without_tls_on_this_machine_a_missing_secure_is_information_until_another_cookie_has_it() {
    let local = "http://127.0.0.1:8080/";
    #[rustfmt::skip]
    let cases: &[(&str, &[&str], Verdict, Severity)] = &[
        (local,                     &["sid=1"],                   Flaw,  Info),
        (local,                     &["sid=1; Secure"],           Sound, Info),
        (local,                     &["sid=1", "x=2; Secure"],    Flaw,  High),
        ("http://localhost/",       &["sid=1"],                   Flaw,  Info),
        ("http://app.example.org/", &["sid=1"],                   Flaw,  High),
        (SITE,                      &["sid=1"],                   Flaw,  High),
    ];
    for (site, lines, verdict, severity) in cases {
        let world = World::of("sid").all(sets(site, lines));
        assert_is(&world.one(site, &rule::COOKIE_NOT_SECURE), *verdict, *severity, &format!("{site} {lines:?}"));
    }
    let world = World::of("sid").all(sets(local, &["sid=1; Domain=127.0.0.1"]));
    assert_is(&world.one(local, &rule::COOKIE_DOMAIN_WIDE), Flaw, Info, "an address has nothing below it");
}

#[test]
fn a_lifetime_is_compared_with_the_stated_one() {
    for (age, verdict) in [(3600, Sound), (3660, Sound), (3661, Flaw), (7200, Flaw)] {
        let mut world = World::of("sid").all(sets(SITE, &[&format!("sid=1; Max-Age={age}")]));
        world.limits.absolute_seconds = Some(3600);
        assert_is(&world.one(SITE, &rule::COOKIE_LIVES_LONG), verdict, Low, &age.to_string());
    }
}

#[test]
fn tokens_in_addresses_are_found_where_the_site_puts_them() {
    const ID: &str = "0123456789abcdef";
    let page = |body: &str| exchange(Method::GET, SITE, 200, &[("Content-Type", "text/html")], body);
    let leads = |to: &str| exchange(Method::GET, SITE, 302, &[("Location", to)], "");
    #[rustfmt::skip]
    let cases = [
        (leads("/home"),                                          Sound),
        (leads(&format!("/home;jsessionid={ID}")),                Flaw),
        (leads(&format!("/home?sid={ID}#x")),                     Flaw),
        (page(&format!("<a href='/x?s={ID}'>x</a>")),             Flaw),
        (page(&format!("<form action='/x;jsessionid={ID}'>")),    Flaw),
        (page(&format!("<p>{ID}")),                               Sound),
        (page(&format!("<input name=csrf value={ID}>")),          Sound),
        (page(&format!("<meta http-equiv=refresh content='0;url=/{ID}'>")), Flaw),
        (exchange(Method::GET, SITE, 200, &[("Content-Type", "text/plain")], &format!("<a href='/{ID}'>")), Sound),
        (exchange(Method::GET, &format!("{SITE}?s={ID}"), 302, &[("Location", &format!("/home?s={ID}"))], ""), Sound),
    ];
    for (number, (exchange, verdict)) in cases.into_iter().enumerate() {
        let world = World::of("sid").all(sets(SITE, &[&format!("sid={ID}")])).signed_in(exchange);
        assert_is(&world.one(SITE, &rule::TOKEN_IN_URL), verdict, High, &format!("case {number}"));
    }
    let signed =
        World::of("sid").all(sets(SITE, &["sid=s%3Aabcdefghijkl.sig%2Bnature"])).all(leads("/?id=abcdefghijkl"));
    assert_is(&signed.one(SITE, &rule::TOKEN_IN_URL), Flaw, High, "the id below a signature");
    let short = World::of("sid").all(sets(SITE, &["sid=1"])).all(leads("/1"));
    assert_is(&short.one(SITE, &rule::TOKEN_IN_URL), Skipped, High, "too short to know again");
}
