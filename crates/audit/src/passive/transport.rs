//! What plain http answers, what it sets, and whether browsers are told to stay on https.

use crate::exchange::{Answer, Exchange};
use crate::finding::Finding;
use crate::rule::{self, Rule, Severity};

use super::lines::{Cookies, Line, Role};
use super::{LOCAL_HTTP, Seen, place};

pub(super) fn judge(seen: &Seen<'_>, cookies: &Cookies<'_>) -> Vec<Finding> {
    let mut findings = over_http(seen, cookies);
    findings.push(redirected(seen));
    findings.push(hsts(seen));
    findings
}

/// What was asked without TLS, or why nothing can be said about it.
fn plain<'a>(rule: &'static Rule, seen: &Seen<'a>) -> Result<Vec<&'a Exchange>, Finding> {
    let skipped = |why| Finding::skipped(rule, seen.host(), why);
    match seen.plain_http {
        _ if seen.is_local_http() => Err(skipped(LOCAL_HTTP)),
        _ if seen.is_elsewhere_http() => Ok(seen.all.iter().chain(seen.signed_in).copied().collect()),
        Some(plain) => Ok(plain.to_vec()),
        None => Err(skipped("plain http was not asked; `plain_http` in the profile says where it is")),
    }
}

fn over_http(seen: &Seen<'_>, cookies: &Cookies<'_>) -> Vec<Finding> {
    let rule = &rule::COOKIE_OVER_HTTP;
    let plain = match plain(rule, seen) {
        Ok(plain) => plain,
        Err(skipped) => return vec![skipped],
    };
    let set: Vec<_> = plain.iter().flat_map(|exchange| Line::all_of(exchange)).collect();
    let verdict = |name: &str, role: Role| {
        // Browsers drop what is Secure and comes without TLS.
        let kept = |line: &Line<'_>| !line.removes && line.read.as_ref().is_ok_and(|cookie| !cookie.secure);
        match set.iter().find(|(other, line)| other == name && kept(line)) {
            Some((_, line)) => {
                let most = if role == Role::Session { Severity::Critical } else { Severity::Low };
                let what = format!("{} over plain http sets it", place(line.exchange));
                Finding::flaw(rule, name, what).at_most(most).because("sets the cookie without TLS", line.exchange)
            }
            None => Finding::sound(rule, name, "plain http does not set it"),
        }
    };
    let mut names: Vec<_> =
        cookies.sessions().map(|cookie| cookie.name.clone()).chain(seen.session_cookies.to_vec()).collect();
    names.extend(
        set.iter().map(|(name, _)| name.clone()).filter(|name| Role::of(name, seen.session_cookies) != Role::Other),
    );
    names.sort();
    names.dedup();
    if names.is_empty() {
        return vec![Finding::skipped(rule, seen.host(), "no cookie is known for a session")];
    }
    names.iter().map(|name| verdict(name, Role::of(name, seen.session_cookies))).collect()
}

fn redirected(seen: &Seen<'_>) -> Finding {
    let rule = &rule::HTTP_NOT_REDIRECTED;
    if seen.is_elsewhere_http() {
        return Finding::flaw(rule, seen.host(), "the site itself was given as plain http, and answers");
    }
    let plain = match plain(rule, seen) {
        Ok(plain) => plain,
        Err(skipped) => return skipped,
    };
    for exchange in &plain {
        let flaw = |what: String| Finding::flaw(rule, seen.host(), what).because("asked without TLS", exchange);
        match exchange.answer.status {
            200..=299 => {
                return flaw(format!("{} without TLS is answered with {}", place(exchange), exchange.answer.status));
            }
            _ if exchange.answer.redirects() => {
                let to = exchange.answer.first("location").and_then(|to| exchange.sent.url.join(&to).ok());
                let Some(to) = to else { continue };
                // A further step that was followed is judged by itself.
                let followed = plain.iter().any(|other| other.sent.url == to);
                if to.scheme() != "https" && !followed {
                    return flaw(format!("{} without TLS leads to plain http again", place(exchange)));
                }
            }
            _ => {}
        }
    }
    let how = if plain.is_empty() { "plain http does not answer" } else { "plain http leads to https, or refuses" };
    Finding::sound(rule, seen.host(), how)
}

fn hsts(seen: &Seen<'_>) -> Finding {
    let rule = &rule::HSTS_MISSING;
    let skipped = |why| Finding::skipped(rule, seen.host(), why);
    match seen.site.host() {
        _ if seen.is_local_http() => return skipped(LOCAL_HTTP),
        _ if seen.is_elsewhere_http() => {
            return skipped("browsers ignore it over plain http, which the site was given as");
        }
        Some(url::Host::Ipv4(_) | url::Host::Ipv6(_)) => {
            return skipped("browsers ignore it for addresses without a name");
        }
        _ => {}
    }
    let over_tls =
        seen.signed_in.iter().chain(seen.all).copied().filter(|exchange| exchange.sent.url.scheme() == "https");
    let Some((age, exchange)) =
        over_tls.map(|exchange| (max_age(&exchange.answer), exchange)).max_by_key(|(age, _)| *age)
    else {
        return skipped("no response was seen");
    };
    let flaw = |what: String| Finding::flaw(rule, seen.host(), what).because("over TLS", exchange);
    match age {
        Age::Missing => flaw("no response says Strict-Transport-Security".to_owned()),
        Age::Broken => flaw("Strict-Transport-Security is said in a way browsers ignore".to_owned()),
        Age::Seconds(age) if age < YEAR => {
            flaw(format!("Strict-Transport-Security holds for {age} s, less than a year"))
        }
        Age::Seconds(age) => Finding::sound(rule, seen.host(), format!("Strict-Transport-Security holds for {age} s")),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Age {
    Missing,
    Broken,
    Seconds(u64),
}

/// RFC 6797, 6.1 and 8.1: the first field counts, and no directive may be there twice.
fn max_age(answer: &Answer) -> Age {
    let Some(field) = answer.first("strict-transport-security") else { return Age::Missing };
    let mut seen = Vec::new();
    let mut age = None;
    for part in field.split(';').map(str::trim).filter(|part| !part.is_empty()) {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        let key = key.trim().to_ascii_lowercase();
        if seen.contains(&key) {
            return Age::Broken;
        }
        if key == "max-age" {
            age = value.trim().trim_matches('"').parse().ok();
        }
        seen.push(key);
    }
    age.map_or(Age::Broken, Age::Seconds)
}

const YEAR: u64 = 31_536_000;
