//! What a real browser lets happen: the same flaws as elsewhere, where attributes and defences are no longer read but met.

mod changes;
mod cookies;

use super::Proof;
use crate::browser::Browser;
use crate::exchange::Exchange;
use crate::finding::Finding;
use crate::rule::{self, Rule};
use crate::site::Site;

pub(super) static COOKIES: Proof = Proof {
    rules: &[&rule::BROWSER_COOKIE_READABLE, &rule::BROWSER_COOKIE_PLAIN, &rule::BROWSER_COOKIE_CROSS_SITE],
    repeats_itself: false,
    prove: |site, _| {
        Box::pin(async move {
            match wanted(site) {
                Ok(browser) => cookies::prove(site, browser).await,
                Err(why) => Ok(untried(COOKIES.rules, why)),
            }
        })
    },
};

pub(super) static CHANGES: Proof = Proof {
    rules: &[&rule::BROWSER_CHANGE_CROSS_SITE],
    repeats_itself: false,
    prove: |site, _| {
        Box::pin(async move {
            match wanted(site) {
                Ok(browser) => changes::prove(site, browser).await,
                Err(why) => Ok(untried(CHANGES.rules, why)),
            }
        })
    },
};

fn wanted(site: &Site) -> Result<&Browser, &'static str> {
    let browser = site.browser().ok_or("it takes a real browser; see --browser")?;
    if site.ways().session.is_empty() {
        return Err("no cookie signs anybody in, so browsers send nothing by themselves");
    }
    Ok(browser)
}

fn untried(rules: &[&'static Rule], why: &str) -> Vec<Finding> {
    rules.iter().map(|rule| Finding::skipped(rule, "", why)).collect()
}

/// Whether the browser sent all of these cookies.
fn carries(exchange: &Exchange, names: &[String]) -> bool {
    let header = exchange.sent.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("cookie"));
    let sent = names_in(header.map_or("", |(_, value)| value));
    names.iter().all(|name| sent.contains(&name.as_str()))
}

/// The names of `a=b; c=d`.
fn names_in(cookies: &str) -> Vec<&str> {
    cookies.split(';').map(|pair| pair.split_once('=').map_or("", |(name, _)| name.trim())).collect()
}

/// Text that stays text within an attribute.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The site of somebody else; reserved by RFC 2606, and served by the audit to its own browser alone.
const ELSEWHERE: &str = "attacker.example";
