//! Every row of the design's table, and the rules it leaves out.

use super::*;
use crate::csrf::{DenyReason as D, NeedReason as N, PassReason as P};

type Row = (&'static str, CsrfFacts<'static>, bool, Result<PassReason, DenyReason>);

/// Method, override headers, what counts.
type Override = (&'static [u8], &'static [&'static [u8]], MethodKind);

fn check(rows: &[Row]) {
    for (name, facts, valid_token, settled) in rows {
        assert_eq!(judged(facts).settle(*valid_token), *settled, "{name}");
    }
}

#[test]
#[rustfmt::skip]
fn every_row_of_the_design() {
    let http = HeaderCount::One(b"http://shop.example");
    let sibling = HeaderCount::One(b"https://blog.shop.example");
    let websocket = CsrfFacts { method: MethodKind::Safe.upgrading_to_websocket(), ..POST };
    let unknown = HeaderCount::One(b"same-planet");
    let (absent, no, yes) = (HeaderCount::Absent, false, true);
    check(&[
        //  request                                                                                                  token verdict
        ("1a same-origin, Origin present",        CsrfFacts { origin: SELF, sec_fetch_site: SAME_ORIGIN, ..POST },      no,  Ok(P::SameOrigin)),
        ("1b same-origin, Origin absent",         CsrfFacts { origin: absent, sec_fetch_site: SAME_ORIGIN, ..POST },    no,  Ok(P::SameOrigin)),
        ("2  cross-site form",                    CsrfFacts { origin: EVIL, sec_fetch_site: CROSS_SITE, ..POST },       no,  Err(D::ForeignOrigin)),
        ("2b cross-site form, Origin absent",     CsrfFacts { origin: absent, sec_fetch_site: CROSS_SITE, ..POST },     no,  Err(D::CrossSite)),
        ("3  cross-site form with a valid token", CsrfFacts { origin: EVIL, sec_fetch_site: CROSS_SITE, ..POST },       yes, Err(D::ForeignOrigin)),
        ("3b the same, Origin absent",            CsrfFacts { origin: absent, sec_fetch_site: CROSS_SITE, ..POST },     yes, Err(D::CrossSite)),
        ("3c the same, Origin null",              CsrfFacts { origin: NULL, sec_fetch_site: CROSS_SITE, ..POST },       yes, Err(D::CrossSite)),
        ("4a sibling subdomain, Origin present",  CsrfFacts { origin: sibling, sec_fetch_site: SAME_SITE, ..POST },     yes, Err(D::ForeignOrigin)),
        ("4b sibling subdomain, Origin absent",   CsrfFacts { origin: absent, sec_fetch_site: SAME_SITE, ..POST },      yes, Err(D::SameSite)),
        ("5  http:// same host to https",         CsrfFacts { origin: http, sec_fetch_site: CROSS_SITE, ..POST },       yes, Err(D::ForeignOrigin)),
        ("6  same with Sec-Fetch stripped",       CsrfFacts { origin: http, ..POST },                                  yes, Err(D::ForeignOrigin)),
        ("7a old browser cross-site",             CsrfFacts { origin: EVIL, ..POST },                                  yes, Err(D::ForeignOrigin)),
        ("7b the same, only a Referer",           CsrfFacts { referer: HeaderCount::One(b"https://evil.example/"), ..POST }, yes, Err(D::ForeignReferer)),
        ("7c sandboxed null",                     CsrfFacts { origin: NULL, ..POST },                                  no,  Err(D::NoToken(N::NullOrigin))),
        ("7d sandboxed null, new browser",        CsrfFacts { origin: NULL, sec_fetch_site: CROSS_SITE, ..POST },       no,  Err(D::CrossSite)),
        ("8  cross-site WebSocket upgrade",       CsrfFacts { origin: EVIL, sec_fetch_site: CROSS_SITE, ..websocket },  no,  Err(D::ForeignOrigin)),
        ("8b the same, Origin alone",             CsrfFacts { origin: EVIL, ..websocket },                             no,  Err(D::ForeignOrigin)),
        ("8c our own WebSocket upgrade",          CsrfFacts { origin: SELF, sec_fetch_site: SAME_ORIGIN, ..websocket }, no,  Ok(P::SameOrigin)),
        ("9  unknown Sec-Fetch-Site, Origin = self", CsrfFacts { origin: SELF, sec_fetch_site: unknown, ..POST },       no,  Ok(P::PublicOrigin)),
        ("10 trusted partner form_post",          CsrfFacts { origin: PARTNER, sec_fetch_site: CROSS_SITE, ..POST },    no,  Ok(P::TrustedOrigin)),
        ("11 reload claims same-origin, Origin foreign", CsrfFacts { origin: EVIL, sec_fetch_site: SAME_ORIGIN, ..POST }, yes, Err(D::ForeignOrigin)),
        ("12 same, Origin null, no token",        CsrfFacts { origin: NULL, sec_fetch_site: SAME_ORIGIN, ..POST },      no,  Err(D::NoToken(N::NullOrigin))),
        ("13 own page with no-referrer + token",  CsrfFacts { origin: NULL, sec_fetch_site: SAME_ORIGIN, ..POST },      yes, Ok(P::ValidToken)),
        ("14 none, no Origin",                    CsrfFacts { sec_fetch_site: NONE, ..POST },                          no,  Ok(P::UserInitiated)),
        ("14b none, Origin = self",               CsrfFacts { origin: SELF, sec_fetch_site: NONE, ..POST },             no,  Ok(P::UserInitiated)),
        ("14c none, Origin null",                 CsrfFacts { origin: NULL, sec_fetch_site: NONE, ..POST },             no,  Err(D::NoToken(N::NullOrigin))),
        ("15 headers stripped, Origin = self",    CsrfFacts { origin: SELF, ..POST },                                  no,  Ok(P::PublicOrigin)),
        ("16 cookie, no headers at all",          POST,                                                               no,  Err(D::NoToken(N::NoHeaders))),
        ("16b the same with a token",             POST,                                                               yes, Ok(P::ValidToken)),
        ("17 same + X-CSRF: 1",                   CsrfFacts { x_csrf_is_1: true, ..POST },                             no,  Ok(P::CustomHeader)),
        ("18 bearer, no cookie",                  CsrfFacts { cookie_bearing: false, authorization_present: true, ..POST }, no, Ok(P::NoCookie)),
    ]);
}

#[test]
#[rustfmt::skip]
fn what_the_rules_say_beyond_the_table() {
    let nothing = CsrfFacts { cookie_bearing: false, ..POST };
    let get = CsrfFacts { method: MethodKind::Safe, ..POST };
    let changing = CsrfFacts { route: RouteFlags { changes_state: true, ..POST.route }, ..get };
    let sign_in = CsrfFacts { route: RouteFlags { sign_in: true, ..POST.route }, ..nothing };
    let sensitive = CsrfFacts { route: RouteFlags { sensitive: true, ..POST.route }, ..POST };
    let repeated = HeaderCount::Repeated;
    let (own_page, partners_page) = (HeaderCount::One(b"https://shop.example/cart"), HeaderCount::One(b"https://idp.example/"));
    let (no, yes) = (false, true);
    check(&[
        // Rule 1
        ("GET from anywhere",                    CsrfFacts { origin: EVIL, sec_fetch_site: CROSS_SITE, ..get },         no,  Ok(P::SafeMethod)),
        ("GET with a repeated Origin",           CsrfFacts { origin: repeated, ..get },                                 no,  Ok(P::SafeMethod)),
        ("GET that changes state, cross-site",   CsrfFacts { sec_fetch_site: CROSS_SITE, ..changing },                  no,  Err(D::CrossSite)),
        ("GET that changes state, same-origin",  CsrfFacts { sec_fetch_site: SAME_ORIGIN, ..changing },                 no,  Ok(P::SameOrigin)),
        ("TRACE, same-origin",                   CsrfFacts { method: MethodKind::Trace, sec_fetch_site: SAME_ORIGIN, ..POST }, yes, Err(D::Trace)),
        // Rule 2
        ("bearer beside a cookie, cross-site",   CsrfFacts { authorization_present: true, sec_fetch_site: CROSS_SITE, ..POST }, no, Err(D::CrossSite)),
        ("bearer at sign-in, cross-site",        CsrfFacts { authorization_present: true, sec_fetch_site: CROSS_SITE, ..sign_in }, no, Err(D::CrossSite)),
        ("bearer alone, cross-site",             CsrfFacts { authorization_present: true, origin: EVIL, ..nothing },     no,  Ok(P::NoCookie)),
        ("no cookie, no bearer, cross-site",     CsrfFacts { origin: EVIL, ..nothing },                                 no,  Err(D::ForeignOrigin)),
        // Rule 3
        ("repeated Origin",                      CsrfFacts { origin: repeated, sec_fetch_site: SAME_ORIGIN, ..POST },    yes, Err(D::RepeatedOrigin)),
        ("repeated Sec-Fetch-Site",              CsrfFacts { origin: SELF, sec_fetch_site: repeated, ..POST },          yes, Err(D::RepeatedFetchSite)),
        ("repeated before trusted",              CsrfFacts { origin: PARTNER, sec_fetch_site: repeated, ..POST },       yes, Err(D::RepeatedFetchSite)),
        // Rule 5
        ("own Origin, same-site",                CsrfFacts { origin: SELF, sec_fetch_site: SAME_SITE, ..POST },         yes, Err(D::SameSite)),
        ("own Origin, cross-site",               CsrfFacts { origin: SELF, sec_fetch_site: CROSS_SITE, ..POST },        yes, Err(D::CrossSite)),
        ("other case is unknown, not cross-site", CsrfFacts { sec_fetch_site: HeaderCount::One(b"Cross-Site"), ..POST }, no,  Err(D::NoToken(N::NoHeaders))),
        ("other case is not same-origin",        CsrfFacts { sec_fetch_site: HeaderCount::One(b"Same-Origin"), ..POST }, no,  Err(D::NoToken(N::NoHeaders))),
        ("empty Sec-Fetch-Site is unknown",      CsrfFacts { sec_fetch_site: HeaderCount::One(b""), ..POST },           no,  Err(D::NoToken(N::NoHeaders))),
        // Rule 6
        ("own Referer",                          CsrfFacts { referer: own_page, ..POST },                               no,  Ok(P::PublicReferer)),
        ("trusted Referer",                      CsrfFacts { referer: partners_page, ..POST },                          no,  Ok(P::TrustedReferer)),
        ("repeated Referer",                     CsrfFacts { referer: repeated, ..POST },                               yes, Err(D::RepeatedReferer)),
        ("empty Referer",                        CsrfFacts { referer: HeaderCount::One(b""), ..POST },                  yes, Err(D::ForeignReferer)),
        ("own Referer does not mend null",       CsrfFacts { origin: NULL, referer: own_page, ..POST },                 no,  Err(D::NoToken(N::NullOrigin))),
        ("own Referer does not mend cross-site", CsrfFacts { sec_fetch_site: CROSS_SITE, referer: own_page, ..POST },   no,  Err(D::CrossSite)),
        ("X-CSRF does not mend null",            CsrfFacts { origin: NULL, x_csrf_is_1: true, ..POST },                 no,  Err(D::NoToken(N::NullOrigin))),
        ("X-CSRF does not mend a foreign page",  CsrfFacts { referer: EVIL, x_csrf_is_1: true, ..POST },                no,  Err(D::ForeignReferer)),
        ("no cookie, no headers at all",         nothing,                                                             no,  Ok(P::NothingToMisuse)),
        ("sign-in, no headers at all",           sign_in,                                                             no,  Err(D::NoToken(N::NoHeaders))),
        // Rule 7
        ("sensitive, same-origin, no token",     CsrfFacts { sec_fetch_site: SAME_ORIGIN, ..sensitive },                no,  Err(D::NoToken(N::Sensitive))),
        ("sensitive, same-origin, token",        CsrfFacts { sec_fetch_site: SAME_ORIGIN, ..sensitive },                yes, Ok(P::ValidToken)),
        ("sensitive, cross-site, token",         CsrfFacts { sec_fetch_site: CROSS_SITE, ..sensitive },                 yes, Err(D::CrossSite)),
        ("sensitive, trusted, no token",         CsrfFacts { origin: PARTNER, ..sensitive },                            no,  Err(D::NoToken(N::Sensitive))),
        ("sensitive, X-CSRF: 1",                 CsrfFacts { x_csrf_is_1: true, ..sensitive },                          no,  Err(D::NoToken(N::Sensitive))),
        ("sensitive, GET",                       CsrfFacts { method: MethodKind::Safe, ..sensitive },                   no,  Ok(P::SafeMethod)),
    ]);
}

#[test]
fn an_override_makes_a_request_more_dangerous_never_safer() {
    use MethodKind::{Safe, Trace, Unsafe, WebSocketUpgrade};
    let rows: &[Override] = &[
        (b"GET", &[], Safe),
        (b"HEAD", &[], Safe),
        (b"OPTIONS", &[], Safe),
        (b"POST", &[], Unsafe),
        (b"DELETE", &[], Unsafe),
        (b"TRACE", &[], Trace),
        (b"CONNECT", &[], Unsafe),
        (b"PROPFIND", &[], Unsafe),
        (b"get", &[], Unsafe),
        (b"", &[], Unsafe),
        (b"GET", &[b"GET"], Safe),
        (b"GET", &[b"get"], Safe),
        (b"GET", &[b" get\t"], Safe),
        (b"GET", &[b" trace"], Trace),
        (b"GET", &[b"POST"], Unsafe),
        (b"GET", &[b"delete"], Unsafe),
        (b"GET", &[b" Patch "], Unsafe),
        (b"GET", &[b""], Unsafe),
        (b"GET", &[b"GET, POST"], Unsafe),
        (b"GET", &[b"GET", b"POST"], Unsafe),
        (b"GET", &[b"trace"], Trace),
        (b"POST", &[b"GET"], Unsafe),
        (b"POST", &[b"TRACE"], Trace),
        (b"TRACE", &[b"GET"], Trace),
    ];
    for (method, overrides, kind) in rows {
        assert_eq!(effective_method(method, overrides.iter().copied()), *kind, "{method:?} {overrides:?}");
    }
    assert_eq!(Safe.upgrading_to_websocket(), WebSocketUpgrade);
    assert_eq!(Trace.upgrading_to_websocket(), Trace);
}
