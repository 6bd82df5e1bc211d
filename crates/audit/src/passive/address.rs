//! Session tokens in addresses: where redirects lead and where links of pages go.

use std::collections::BTreeSet;

use crate::exchange::Exchange;
use crate::finding::Finding;
use crate::html::Page;
use crate::rule;

use super::lines::{Cookie, Cookies, Role};
use super::{Seen, is_html};

pub(super) fn judge(seen: &Seen<'_>, cookies: &Cookies<'_>) -> Finding {
    let rule = &rule::TOKEN_IN_URL;
    let tokens = tokens(seen, cookies);
    if tokens.is_empty() {
        return Finding::skipped(rule, seen.host(), "no cookie is known for a session");
    }
    for exchange in seen.all.iter().chain(seen.signed_in).copied() {
        let asked = exchange.sent.url.as_str();
        // What the request itself says, a page may well repeat.
        let holds = |address: &str| tokens.iter().any(|token| address.contains(token) && !asked.contains(token));
        if let Some(location) = exchange.answer.first("location").filter(|to| holds(to)) {
            let path = location.split(['?', ';', '#']).next().unwrap_or_default();
            let what = format!("a redirect to {} carries the session's token", masked(path, &tokens));
            return Finding::flaw(rule, seen.host(), what).because("redirects with the token", exchange);
        }
        if let Some(link) = links(exchange).into_iter().find(|to| holds(to)) {
            let path = link.split(['?', ';', '#']).next().unwrap_or_default();
            let what = format!("a page links to {} with the session's token", masked(path, &tokens));
            return Finding::flaw(rule, seen.host(), what).because("a page with such a link", exchange);
        }
    }
    Finding::sound(rule, seen.host(), "no redirect and no link carries the session's token")
}

/// Values of session cookies in the forms they may have in an address; short ones are everywhere by chance.
fn tokens(seen: &Seen<'_>, cookies: &Cookies<'_>) -> BTreeSet<String> {
    let from_site = cookies.sessions().flat_map(Cookie::settings).map(|(_, cookie)| cookie.value.clone());
    let to_site = seen.signed_in.iter().flat_map(|exchange| {
        let fields = exchange.sent.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("cookie"));
        let pairs = fields.flat_map(|(_, value)| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.filter(|(name, _)| Role::of(name, seen.session_cookies) != Role::Other).map(|(_, value)| value.to_owned())
    });
    from_site.chain(to_site).flat_map(|value| forms(&value)).filter(|token| token.len() >= SHORTEST).collect()
}

/// As it is, decoded, and without the signature that Express puts behind an id.
fn forms(value: &str) -> Vec<String> {
    let bare = value.trim_matches('"').to_owned();
    let decoded = decoded(&bare);
    let id = decoded.strip_prefix("s:").and_then(|signed| signed.split('.').next()).map(str::to_owned);
    [Some(bare), Some(decoded), id].into_iter().flatten().collect()
}

/// Percent signs undone.
fn decoded(text: &str) -> String {
    url::form_urlencoded::parse(text.replace('+', "%2B").replace('&', "%26").replace('=', "%3D").as_bytes())
        .map(|(key, _)| key.into_owned())
        .collect()
}

fn links(exchange: &Exchange) -> Vec<String> {
    if !is_html(exchange) {
        return Vec::new();
    }
    let page = Page::read(&exchange.answer.text());
    let refresh = page.meta("refresh").map(str::to_owned);
    page.links.into_iter().map(|link| link.to).chain(refresh).collect()
}

fn masked(text: &str, tokens: &BTreeSet<String>) -> String {
    tokens.iter().fold(text.to_owned(), |text, token| text.replace(token, "…"))
}

const SHORTEST: usize = 8;
