//! What a session cookie's attributes should be; of cookies that are not the session nothing is said.

use url::Host;

use crate::cookie::{Prefix, SameSite, SetCookie, is_public_suffix};
use crate::exchange::Exchange;
use crate::finding::Finding;
use crate::rule::{self, Rule, Severity};

use super::Seen;
use super::lines::{Cookie, Cookies, Role};

/// What is wrong with one line that sets a session, and how bad it is at most.
struct Wrong {
    what: String,
    most: Severity,
}

type Look = fn(&View<'_>, &Exchange, &SetCookie) -> Option<Wrong>;

/// What decides beside the line.
struct View<'a> {
    seen: &'a Seen<'a>,
    /// Plain http on this machine, and no cookie of the site is `Secure`: it may be one that says so over TLS only.
    cannot_tell: bool,
}

pub(super) fn judge(seen: &Seen<'_>, cookies: &Cookies<'_>) -> Vec<Finding> {
    let some_secure = cookies.all.iter().flat_map(Cookie::settings).any(|(_, cookie)| cookie.secure);
    let view = View { seen, cannot_tell: seen.is_local_http() && !some_secure };
    let mut findings = Vec::new();
    for (rule, look, sound) in RULES {
        let before = findings.len();
        findings.extend(cookies.sessions().filter_map(|cookie| view.verdict(rule, cookie, *look, sound)));
        if findings.len() == before {
            findings.push(Finding::skipped(rule, seen.host(), "no response was seen that sets a cookie for a session"));
        }
    }
    findings
}

impl View<'_> {
    fn verdict(&self, rule: &'static Rule, cookie: &Cookie<'_>, look: Look, sound: &str) -> Option<Finding> {
        cookie.settings().next()?;
        let wrong =
            cookie.settings().filter_map(|(exchange, set)| look(self, exchange, set).map(|wrong| (exchange, wrong)));
        let worst = wrong.max_by_key(|(_, wrong)| wrong.most);
        Some(match worst {
            Some((exchange, Wrong { what, most })) => {
                let (what, most) = match cookie.role {
                    Role::Session => (what, most),
                    _ => (format!("{what}; which cookie is the session was not looked at"), most.min(Severity::Low)),
                };
                Finding::flaw(rule, &cookie.name, what).at_most(most).because("sets the cookie", exchange)
            }
            None => Finding::sound(rule, &cookie.name, sound),
        })
    }
}

#[rustfmt::skip]
const RULES: &[(&Rule, Look, &str)] = &[
    (&rule::COOKIE_NOT_SECURE,       secure,      "it is Secure"),
    (&rule::COOKIE_NOT_HTTPONLY,     http_only,   "it is HttpOnly"),
    (&rule::COOKIE_SAMESITE_MISSING, same_site,   "it says SameSite"),
    (&rule::COOKIE_SAMESITE_NONE,    everywhere,  "other sites cannot cause it to be sent, but perhaps by a link"),
    (&rule::COOKIE_NO_PREFIX,        unprefixed,  "its prefix keeps others from planting it"),
    (&rule::COOKIE_DOMAIN_WIDE,      wide,        "it goes to this host alone"),
    (&rule::COOKIE_LIVES_LONG,       long,        "it does not outlive what is stated"),
];

fn secure(view: &View<'_>, _: &Exchange, cookie: &SetCookie) -> Option<Wrong> {
    (!cookie.secure).then(|| {
        if view.cannot_tell {
            Wrong::at_most(Severity::Info, "Secure is missing; over TLS, which was not used here, the site may say it")
        } else {
            Wrong::of("Secure is missing")
        }
    })
}

fn http_only(_: &View<'_>, _: &Exchange, cookie: &SetCookie) -> Option<Wrong> {
    (!cookie.http_only).then(|| Wrong::of("HttpOnly is missing"))
}

fn same_site(_: &View<'_>, _: &Exchange, cookie: &SetCookie) -> Option<Wrong> {
    cookie.same_site.is_none().then(|| Wrong::of("SameSite is missing, and browsers differ in what that means"))
}

fn everywhere(_: &View<'_>, _: &Exchange, cookie: &SetCookie) -> Option<Wrong> {
    let dropped = if cookie.secure { "" } else { " without Secure, which some browsers drop" };
    (cookie.same_site == Some(SameSite::None)).then(|| Wrong::of(&format!("SameSite=None{dropped}")))
}

fn unprefixed(view: &View<'_>, _: &Exchange, cookie: &SetCookie) -> Option<Wrong> {
    match cookie.prefix() {
        Some(Prefix::Host | Prefix::HostHttp | Prefix::Secure | Prefix::Http) => None,
        None if view.cannot_tell => {
            Some(Wrong::at_most(Severity::Info, "its name has no prefix; over plain http there can be none"))
        }
        None => Some(Wrong::of("its name has no prefix")),
    }
}

/// Domains that browsers refuse have a rule of their own.
fn wide(_: &View<'_>, exchange: &Exchange, cookie: &SetCookie) -> Option<Wrong> {
    let domain = cookie.domain.as_deref().filter(|domain| !domain.is_empty())?;
    let url = &exchange.sent.url;
    let host = url.host_str()?;
    let narrow = !matches!(url.host(), Some(Host::Domain(_))) || is_public_suffix(domain);
    match () {
        () if domain != host && (narrow || !host.ends_with(&format!(".{domain}"))) => None,
        () if narrow => {
            let what = format!("Domain={domain}; below a name instead of this address, every host would get it");
            Some(Wrong::at_most(Severity::Info, &what))
        }
        () => Some(Wrong::of(&format!("Domain={domain}: every host below it gets the cookie"))),
    }
}

fn long(view: &View<'_>, exchange: &Exchange, cookie: &SetCookie) -> Option<Wrong> {
    let now = i64::try_from(exchange.answer.at_millis / 1000).ok()?;
    let lives = cookie.max_age.or_else(|| cookie.expires.map(|at| at.saturating_sub(now)))?;
    let stated = view.seen.limits.absolute_seconds.and_then(|stated| i64::try_from(stated).ok());
    // A minute for clocks that differ.
    if lives <= stated.unwrap_or(MOST_SECONDS).saturating_add(60) {
        return None;
    }
    let more = if lives > 400 * 86_400 { ", of which browsers keep 400" } else { "" };
    let most = stated.map_or_else(|| "30 days".to_owned(), |stated| format!("the stated {stated} s"));
    let lives = if lives > 2 * 86_400 { format!("{} days", lives / 86_400) } else { format!("{lives} s") };
    Some(Wrong::of(&format!("it lives for {lives}{more}; more than {most}")))
}

impl Wrong {
    fn of(what: &str) -> Self {
        Self::at_most(Severity::Critical, what)
    }

    fn at_most(most: Severity, what: &str) -> Self {
        Self { what: what.to_owned(), most }
    }
}

/// Where the site states nothing.
const MOST_SECONDS: i64 = 30 * 86_400;
