//! Whether what is for one person may be stored for others (RFC 9111, section 3).

use std::collections::BTreeMap;

use crate::exchange::{Answer, Exchange};
use crate::finding::Finding;
use crate::rule::{self, Severity};

use super::lines::{Cookies, Role};
use super::{Seen, place};

/// What a response says about being stored, as a shared cache reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Storing {
    /// `no-store`.
    Never,
    /// By one browser alone, or not used again without asking; the text says which.
    Harmless(&'static str),
    /// It says nothing, and caches may guess.
    Guessed,
    /// It says nothing, and yet no cache stores such a response.
    Unstored,
    /// It may be used again as it is.
    Allowed,
}

pub(super) fn judge(seen: &Seen<'_>, cookies: &Cookies<'_>) -> Vec<Finding> {
    let mut findings = set_cookie(seen, cookies);
    findings.extend(pages(seen));
    findings
}

/// One verdict for each session cookie: about the worst of the responses that set it.
fn set_cookie(seen: &Seen<'_>, cookies: &Cookies<'_>) -> Vec<Finding> {
    let rule = &rule::CACHED_SET_COOKIE;
    let mut findings = Vec::new();
    for cookie in cookies.sessions() {
        let settings = cookie.settings().map(|(exchange, _)| (Storing::of_cookie(exchange), exchange));
        let Some((storing, exchange)) = settings.max_by_key(|(storing, _)| storing.rank()) else { continue };
        let at = place(exchange);
        let most = if cookie.role == Role::Session { Severity::Critical } else { Severity::Low };
        let flaw = |what: String, least: Severity| {
            Finding::flaw(rule, &cookie.name, what).at_most(most.min(least)).because("sets the session", exchange)
        };
        findings.push(match storing {
            Storing::Allowed => flaw(format!("{at} sets it and may be stored"), Severity::Critical),
            Storing::Guessed => {
                flaw(format!("{at} sets it and says nothing about caching, so caches may guess"), Severity::Low)
            }
            Storing::Harmless(why) => Finding::sound(rule, &cookie.name, format!("{at} sets it; {why}")),
            Storing::Unstored => Finding::sound(
                rule,
                &cookie.name,
                format!("{at} sets it, which caches do not store unasked; no-store would say so"),
            ),
            Storing::Never => Finding::sound(rule, &cookie.name, "whatever sets it is not stored"),
        });
    }
    if findings.is_empty() {
        findings.push(Finding::skipped(rule, seen.host(), "no response was seen that sets a cookie for a session"));
    }
    findings
}

fn pages(seen: &Seen<'_>) -> Vec<Finding> {
    let rule = &rule::CACHED_PRIVATE_PAGE;
    let mut worst: BTreeMap<String, (Storing, &Exchange)> = BTreeMap::new();
    for exchange in seen.signed_in.iter().copied().filter(|exchange| exchange.answer.status == 200) {
        let storing = Storing::of(exchange);
        let entry = worst.entry(place(exchange)).or_insert((storing, exchange));
        if storing.rank() > entry.0.rank() {
            *entry = (storing, exchange);
        }
    }
    if worst.is_empty() {
        return vec![Finding::skipped(rule, seen.host(), "no signed-in page was read")];
    }
    let verdict = |(at, (storing, exchange)): (String, (Storing, &Exchange))| {
        let flaw =
            |what: &str, most| Finding::flaw(rule, &at, what).at_most(most).because("a signed-in page", exchange);
        match storing {
            Storing::Allowed => flaw("any cache may store it and use it again", Severity::Critical),
            Storing::Guessed if varies(&exchange.answer, "cookie") => {
                flaw("it says nothing about caching but Vary: Cookie, so caches may guess", Severity::Low)
            }
            Storing::Guessed => flaw("it says nothing about caching, so caches may guess", Severity::Low),
            Storing::Harmless(why) => Finding::sound(rule, &at, why),
            Storing::Unstored => Finding::sound(rule, &at, "caches do not store answers to such requests unasked"),
            Storing::Never => Finding::sound(rule, &at, "it is not stored"),
        }
    };
    worst.into_iter().map(verdict).collect()
}

impl Storing {
    pub(super) fn of(exchange: &Exchange) -> Self {
        let answer = &exchange.answer;
        let said = directives(&answer.joined("cache-control").unwrap_or_default());
        let says = |name: &str| said.iter().any(|(key, _)| key == name);
        let seconds = |name: &str| {
            let value =
                said.iter().find(|(key, _)| key == name).map(|(_, value)| value.trim_matches('"').parse::<u64>());
            // What is no number is stale (RFC 9111, 4.2.1).
            value.map(|value| value.unwrap_or(0))
        };
        match () {
            () if says("no-store") => Self::Never,
            () if varies(answer, "*") => Self::Harmless("Vary: * keeps it from being used again"),
            () if says("private") => {
                Self::Harmless("only the person's own browser stores it; no-store would keep it out of there too")
            }
            () if says("no-cache") => {
                Self::Harmless("it is not used again without asking; no-store would keep it from being stored")
            }
            () => match seconds("s-maxage").or(seconds("max-age")) {
                Some(0) => Self::Harmless(STALE),
                Some(_) => Self::Allowed,
                None if answer.first("expires").is_some() => {
                    if is_over(answer) {
                        Self::Harmless(STALE)
                    } else {
                        Self::Allowed
                    }
                }
                None if says("public") => Self::Allowed,
                None if said.is_empty() && pragma(answer) => Self::Harmless(STALE),
                None if guessable(exchange) => Self::Guessed,
                None => Self::Unstored,
            },
        }
    }

    /// `no-cache` and `private` may name the field.
    fn of_cookie(exchange: &Exchange) -> Self {
        let said = exchange.answer.joined("cache-control").unwrap_or_default().to_ascii_lowercase();
        match Self::of(exchange) {
            Self::Allowed | Self::Guessed if said.contains("=\"set-cookie") => {
                Self::Harmless("shared caches leave the field out")
            }
            storing => storing,
        }
    }

    /// From the best.
    fn rank(self) -> u8 {
        match self {
            Self::Never => 0,
            Self::Harmless(_) => 1,
            Self::Unstored => 2,
            Self::Guessed => 3,
            Self::Allowed => 4,
        }
    }
}

/// Names in lower case. Commas in quotes do not separate.
fn directives(text: &str) -> Vec<(String, String)> {
    let mut quoted = false;
    let parts = text.split(|one: char| {
        quoted ^= one == '"';
        one == ',' && !quoted
    });
    parts
        .map(|part| part.split_once('=').unwrap_or((part, "")))
        .map(|(key, value)| (key.trim().to_ascii_lowercase(), value.trim().to_owned()))
        // What names fields is about them alone.
        .filter(|(key, value)| !key.is_empty() && (value.is_empty() || !matches!(key.as_str(), "private" | "no-cache")))
        .collect()
}

fn varies(answer: &Answer, by: &str) -> bool {
    answer.joined("vary").is_some_and(|list| list.split(',').any(|one| one.trim().eq_ignore_ascii_case(by)))
}

fn pragma(answer: &Answer) -> bool {
    answer.joined("pragma").is_some_and(|said| said.to_ascii_lowercase().contains("no-cache"))
}

/// A date that is none is over (RFC 9111, 5.3).
fn is_over(answer: &Answer) -> bool {
    let date = |name: &str| answer.first(name).and_then(|text| crate::cookie::date(&text));
    let now = date("date").or_else(|| i64::try_from(answer.at_millis / 1000).ok());
    date("expires").is_none_or(|until| now.is_none_or(|now| until <= now))
}

/// Whether a cache may make up how long it holds: by method and status (RFC 9110, 15.1).
fn guessable(exchange: &Exchange) -> bool {
    matches!(exchange.sent.method.as_str(), "GET" | "HEAD")
        && matches!(exchange.answer.status, 200 | 203 | 204 | 206 | 300 | 301 | 308 | 404 | 405 | 410 | 414 | 501)
}

const STALE: &str = "it is stale at once and not used again without asking; no-store would keep it from being stored";
