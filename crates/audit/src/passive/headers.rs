//! What responses tell browsers beside scripts: frames, types, referrers, windows.

use crate::exchange::Exchange;
use crate::finding::Finding;
use crate::html::Page;
use crate::rule::{self, Rule, Severity};

use super::lines::Cookies;
use super::{Seen, csp};

/// What is wrong with one page, and how bad it is at most.
type Look = fn(&Exchange) -> Result<String, (String, Severity)>;

pub(super) fn judge(seen: &Seen<'_>, cookies: &Cookies<'_>) -> Vec<Finding> {
    let rules: [(&'static Rule, Look); 4] = [
        (&rule::FRAMEABLE, frames),
        (&rule::NOSNIFF_MISSING, sniffed),
        (&rule::REFERRER_LEAKS, referrer),
        (&rule::ISOLATION_MISSING, isolated),
    ];
    let pages = seen.pages();
    // What strangers are shown gives nobody away.
    let most = if seen.signed_in.is_empty() { Severity::Low } else { Severity::Critical };
    let verdict = |(rule, look): (&'static Rule, Look)| {
        let mut sound = None;
        for page in &pages {
            match look(page) {
                Ok(how) => sound = Some(how),
                Err((what, least)) => {
                    let most = most.min(least);
                    let stays = rule.id == rule::FRAMEABLE.id && cookies.stay_home();
                    let home = if stays { "; its SameSite keeps the session out of frames of other sites" } else { "" };
                    let most = if stays { most.min(Severity::Low) } else { most };
                    return Finding::flaw(rule, seen.host(), what + home).at_most(most).because("a page", page);
                }
            }
        }
        match sound {
            Some(how) => Finding::sound(rule, seen.host(), how),
            None => Finding::skipped(rule, seen.host(), "no page was read that a browser would show"),
        }
    };
    rules.into_iter().map(verdict).collect()
}

/// `frame-ancestors` where there is one, and only otherwise `X-Frame-Options`.
fn frames(page: &Exchange) -> Result<String, (String, Severity)> {
    let ancestors = csp::frame_ancestors(page);
    if !ancestors.is_empty() {
        let open = |sources: &Vec<String>| sources.iter().any(|source| csp::is_anywhere(source));
        return if ancestors.iter().all(open) {
            Err(("frame-ancestors lets any site put it into a frame".to_owned(), Severity::Critical))
        } else {
            Ok("frame-ancestors says who may frame pages".to_owned())
        };
    }
    let Some(field) = page.answer.joined("x-frame-options") else {
        return Err(("neither frame-ancestors nor X-Frame-Options is said".to_owned(), Severity::Critical));
    };
    let mut said: Vec<_> = field.split(',').map(|one| one.trim().to_ascii_lowercase()).collect();
    said.dedup();
    // HTML has several that differ mean none, where one of them is known.
    let known = |one: &String| matches!(one.as_str(), "deny" | "sameorigin" | "allowall");
    match said.as_slice() {
        [one] if one == "deny" || one == "sameorigin" => Ok(format!("X-Frame-Options: {one}")),
        [_] => Err((format!("X-Frame-Options: {field} is nothing browsers know"), Severity::Critical)),
        many if many.iter().any(known) => {
            Ok("X-Frame-Options is said in several ways, which browsers take as a refusal".to_owned())
        }
        _ => Err((format!("X-Frame-Options: {field} is nothing browsers know"), Severity::Critical)),
    }
}

/// Fetch, 3.6: the first value counts.
fn sniffed(page: &Exchange) -> Result<String, (String, Severity)> {
    let field = page.answer.joined("x-content-type-options").unwrap_or_default();
    match field.split(',').next().unwrap_or_default().trim() {
        "" => Err(("X-Content-Type-Options is missing".to_owned(), Severity::Critical)),
        one if one.eq_ignore_ascii_case("nosniff") => Ok("X-Content-Type-Options: nosniff".to_owned()),
        _ => Err(("X-Content-Type-Options does not say nosniff".to_owned(), Severity::Critical)),
    }
}

/// The last policy that is known counts; a page's own comes after the header's.
fn referrer(page: &Exchange) -> Result<String, (String, Severity)> {
    let header = page.answer.joined("referrer-policy").unwrap_or_default().to_ascii_lowercase();
    let html = Page::read(&page.answer.text());
    let meta = html.meta("referrer").unwrap_or_default().trim().to_ascii_lowercase();
    let mut said = header.split(',').map(str::trim).chain([meta.as_str()]);
    match said.rfind(|one| POLICIES.contains(one)) {
        Some(one @ ("unsafe-url" | "no-referrer-when-downgrade")) => {
            Err((format!("Referrer-Policy: {one} tells other sites the whole address"), Severity::Critical))
        }
        Some(one) => Ok(format!("Referrer-Policy: {one}")),
        None => Err((
            "no Referrer-Policy is said; today's browsers tell other sites the origin alone, older ones all".to_owned(),
            Severity::Info,
        )),
    }
}

fn isolated(page: &Exchange) -> Result<String, (String, Severity)> {
    let first = |name: &str| page.answer.first(name).unwrap_or_default();
    let opener = first("cross-origin-opener-policy");
    let resource = first("cross-origin-resource-policy");
    let alone = opener.split(';').next().unwrap_or_default().trim();
    let more = if resource.is_empty() { "; Cross-Origin-Resource-Policy is missing" } else { "" };
    match alone {
        "same-origin" | "same-origin-allow-popups" | "noopener-allow-popups" => {
            Ok(format!("Cross-Origin-Opener-Policy: {alone}{more}"))
        }
        "" => Err((format!("Cross-Origin-Opener-Policy is missing{more}"), Severity::Info)),
        other => Err((format!("Cross-Origin-Opener-Policy: {other} separates nothing{more}"), Severity::Info)),
    }
}

const POLICIES: &[&str] = &[
    "no-referrer",
    "no-referrer-when-downgrade",
    "same-origin",
    "origin",
    "strict-origin",
    "origin-when-cross-origin",
    "strict-origin-when-cross-origin",
    "unsafe-url",
];
