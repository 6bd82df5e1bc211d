//! Each rule, right, wrong and at the border.

mod caching;
mod cookies;
mod cors;
mod headers;
mod transport;

use std::collections::BTreeSet;
use std::time::Duration;

use http::Method;
use url::Url;

use super::*;
use crate::exchange::{Answer, Sent};
use crate::finding::Verdict::{self, Flaw, Inconclusive, Skipped, Sound};
use crate::rule::Severity::{self, High, Info, Low, Medium};
use crate::rule::{self, Group, Rule};

/// 1 January 2026.
const NOW_MILLIS: u64 = 1_767_225_600_000;
const SITE: &str = "https://app.example.org/";

type Headers<'a> = &'a [(&'a str, &'a str)];

/// What the rules were shown, by a test.
#[derive(Default)]
struct World {
    session: Vec<String>,
    signed_in: Vec<Exchange>,
    all: Vec<Exchange>,
    plain: Option<Vec<Exchange>>,
    cors: Vec<(CorsOrigin, Exchange, bool)>,
    limits: Limits,
}

impl World {
    fn of(session: &str) -> Self {
        let session = Some(session).filter(|name| !name.is_empty()).map(str::to_owned);
        Self { session: session.into_iter().collect(), ..Self::default() }
    }

    fn all(mut self, exchange: Exchange) -> Self {
        self.all.push(exchange);
        self
    }

    fn signed_in(mut self, exchange: Exchange) -> Self {
        self.signed_in.push(exchange);
        self
    }

    fn judge(&self, site: &str) -> Vec<Finding> {
        fn lent(of: &[Exchange]) -> Vec<&Exchange> {
            of.iter().collect()
        }
        let plain = self.plain.as_deref().map(lent);
        let cors: Vec<_> = self
            .cors
            .iter()
            .map(|(origin, exchange, readable)| CorsTry { origin: *origin, exchange, readable: *readable })
            .collect();
        judge(&Seen {
            site: &site.parse().unwrap(),
            session_cookies: &self.session,
            signed_in: &lent(&self.signed_in),
            all: &lent(&self.all),
            plain_http: plain.as_deref(),
            cors: &cors,
            limits: self.limits,
        })
    }

    /// What is said of one rule, at one place.
    fn one(&self, site: &str, rule: &Rule) -> Finding {
        let mut found: Vec<_> = self.judge(site).into_iter().filter(|one| one.rule.id == rule.id).collect();
        assert_eq!(found.len(), 1, "{}: {found:?}", rule.id);
        found.remove(0)
    }
}

fn exchange(method: Method, url: &str, status: u16, headers: Headers<'_>, body: &str) -> Exchange {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect();
    Exchange {
        sent: Sent { method, url: url.parse().unwrap(), headers: Vec::new(), body: bytes::Bytes::new() },
        answer: Answer {
            status,
            headers,
            body: body.to_owned().into(),
            cut: false,
            took: Duration::ZERO,
            at_millis: NOW_MILLIS,
        },
    }
}

fn get(url: &str, headers: Headers<'_>) -> Exchange {
    exchange(Method::GET, url, 200, headers, "<!doctype html><p>Signed in as alice")
}

/// A sign-in that sets these cookies.
fn sets(url: &str, lines: &[&str]) -> Exchange {
    let lines: Vec<_> = lines.iter().map(|line| ("Set-Cookie", *line)).collect();
    exchange(Method::POST, url, 303, &lines, "")
}

#[track_caller]
fn assert_is(finding: &Finding, verdict: Verdict, severity: Severity, case: &str) {
    assert_eq!(finding.verdict, verdict, "{case}: {}", finding.seen);
    if verdict == Flaw {
        assert_eq!(finding.severity, severity, "{case}: {}", finding.seen);
        assert!(!finding.evidence.is_empty() || finding.rule.id == "http-not-redirected", "{case}: no evidence");
    }
}

#[test]
fn of_every_rule_something_is_said_even_of_nothing() {
    let said = World::default().judge(SITE);
    let ids: BTreeSet<_> = said.iter().map(|one| one.rule.id).collect();
    let rules = rule::ALL.iter().filter(|rule| matches!(rule.group, Group::Attributes | Group::Transport));
    assert_eq!(ids, rules.map(|rule| rule.id).collect());
    assert_eq!(said.len(), ids.len());
    assert!(said.iter().all(|one| one.verdict == Skipped && !one.seen.is_empty()));
}

#[test]
fn a_site_that_does_everything_right_has_no_flaw() {
    let line = "__Host-id=0123456789abcdef; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=3600";
    let headers = [
        ("Content-Type", "text/html; charset=utf-8"),
        ("Cache-Control", "no-store"),
        ("Strict-Transport-Security", "max-age=63072000; includeSubDomains"),
        (
            "Content-Security-Policy",
            "default-src 'none'; script-src 'nonce-abc'; base-uri 'none'; frame-ancestors 'none'",
        ),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
    ];
    let mut world = World::of("__Host-id").all(sets(SITE, &[line])).signed_in(get(SITE, &headers));
    world.plain = Some(vec![exchange(Method::GET, "http://app.example.org/", 301, &[("Location", SITE)], "")]);
    world.cors.push((CorsOrigin::Foreign, get(SITE, &headers), true));
    let said = world.judge(SITE);
    assert!(said.iter().all(|one| one.verdict == Sound), "{said:#?}");
}

#[test]
fn no_rule_says_two_things_of_one_place() {
    let line = "sid=0123456789abcdef; Domain=example.org; SameSite=None";
    let world = World::of("sid")
        .all(sets(SITE, &[line, line, "lang=de", "lang=en"]))
        .all(get(SITE, &[("Set-Cookie", line)]))
        .signed_in(get(SITE, &[]))
        .signed_in(get("https://app.example.org/more", &[]));
    let said = world.judge(SITE);
    let places: BTreeSet<_> = said.iter().map(|one| (one.rule.id, one.place.clone())).collect();
    assert_eq!(places.len(), said.len());
}

#[test]
fn a_thousand_cookies_are_judged_in_part() {
    let lines: Vec<_> = (0..1000).map(|number| format!("c{number}=a b")).collect();
    let lines: Vec<_> = lines.iter().map(String::as_str).chain(["zz=0123456789abcdef"]).collect();
    let said = World::of("zz").all(sets(SITE, &lines)).judge(SITE);
    assert!(said.len() < 200);
    assert!(said.iter().any(|one| one.place == "zz" && one.rule.id == "cookie-not-secure" && one.verdict == Flaw));
}

#[test]
fn tokens_are_in_no_sentence() {
    let token = "0123456789abcdef";
    let world = World::of("sid")
        .all(sets(SITE, &[&format!("sid={token}; Domain=example.org; Colour={token}")]))
        .all(exchange(Method::GET, SITE, 302, &[("Location", &format!("/a/{token}?sid={token}"))], ""))
        .signed_in(get(SITE, &[]));
    assert!(world.judge(SITE).iter().all(|one| !one.seen.contains(token)));
    assert_eq!(world.one(SITE, &rule::TOKEN_IN_URL).seen, "a redirect to /a/… carries the session's token");
}
