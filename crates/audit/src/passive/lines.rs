//! Set-Cookie lines by cookie, and what is wrong with a line whoever's it is.

use std::collections::BTreeMap;

use crate::cookie::{Jar, NotKept, Oddity, Refused, SetCookie};
use crate::exchange::Exchange;
use crate::finding::Finding;
use crate::rule::{self, Rule, Severity};

use super::Seen;

/// The cookies of a site, by name.
pub(super) struct Cookies<'a> {
    pub(super) all: Vec<Cookie<'a>>,
}

/// A cookie with the lines that set it.
pub(super) struct Cookie<'a> {
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) lines: Vec<Line<'a>>,
}

/// A Set-Cookie line, with what browsers do with it.
pub(super) struct Line<'a> {
    pub(super) exchange: &'a Exchange,
    pub(super) read: Result<SetCookie, Refused>,
    kept: Result<(), NotKept>,
    pub(super) removes: bool,
}

/// What a cookie is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// It carries the session.
    Session,
    /// Nobody looked, and its name speaks of a session.
    Perhaps,
    /// Anything else.
    Other,
}

impl<'a> Cookies<'a> {
    pub(super) fn of(seen: &Seen<'a>) -> Self {
        let mut by_name: BTreeMap<String, Vec<Line<'a>>> = BTreeMap::new();
        // What plain http sets is judged where plain http is; and a signed-in page is among all, too.
        let mut judged: Vec<&Exchange> = seen.plain_http.unwrap_or_default().to_vec();
        for exchange in seen.all.iter().chain(seen.signed_in).copied() {
            if judged.iter().any(|one| std::ptr::eq(*one, exchange)) {
                continue;
            }
            judged.push(exchange);
            for (name, line) in Line::all_of(exchange) {
                if by_name.len() < MOST || by_name.contains_key(&name) || seen.session_cookies.contains(&name) {
                    by_name.entry(name).or_default().push(line);
                }
            }
        }
        let role = |name: &str| Role::of(name, seen.session_cookies);
        let all = by_name.into_iter().map(|(name, lines)| Cookie { role: role(&name), name, lines });
        Self { all: all.collect() }
    }

    /// Those that are the session, or may be.
    pub(super) fn sessions(&self) -> impl Iterator<Item = &Cookie<'a>> {
        self.all.iter().filter(|cookie| cookie.role != Role::Other)
    }

    /// Whether other sites cannot cause the session to be sent, but by a link.
    pub(super) fn stay_home(&self) -> bool {
        use crate::cookie::SameSite::{Lax, Strict};
        let mut settings = self.sessions().flat_map(Cookie::settings).peekable();
        settings.peek().is_some() && settings.all(|(_, cookie)| matches!(cookie.same_site, Some(Lax | Strict)))
    }
}

impl<'a> Cookie<'a> {
    /// The lines that browsers read and that do not remove it.
    pub(super) fn settings(&self) -> impl Iterator<Item = (&'a Exchange, &SetCookie)> {
        let set = self.lines.iter().filter(|line| !line.removes);
        set.filter_map(|line| line.read.as_ref().ok().map(|cookie| (line.exchange, cookie)))
    }
}

impl<'a> Line<'a> {
    pub(super) fn all_of(exchange: &'a Exchange) -> impl Iterator<Item = (String, Self)> {
        exchange.answer.all("set-cookie").map(move |line| {
            let read = SetCookie::read(line);
            let (url, now) = (&exchange.sent.url, exchange.answer.at_millis);
            let kept = read.as_ref().map_or(Ok(()), |cookie| Jar::default().keep(url, cookie, now));
            let removes = read.as_ref().is_ok_and(|cookie| removes(cookie, now));
            let name = read.as_ref().map_or_else(|_| name_of(line), |cookie| cookie.name.clone());
            (name, Self { exchange, read, kept, removes })
        })
    }
}

impl Role {
    pub(super) fn of(name: &str, sessions: &[String]) -> Self {
        match () {
            () if sessions.iter().any(|one| one == name) => Self::Session,
            () if sessions.is_empty() && speaks_of_session(name) => Self::Perhaps,
            () => Self::Other,
        }
    }
}

/// What is wrong with lines whoever's they are: one verdict for each session cookie, and for others where there is a flaw.
pub(super) fn judge(seen: &Seen<'_>, cookies: &Cookies<'_>) -> Vec<Finding> {
    let rules: [(&'static Rule, Wrong, &str); 5] = [
        (&rule::COOKIE_PREFIX_BROKEN, prefix, "its attributes are what its name demands"),
        (&rule::COOKIE_DOMAIN_REFUSED, domain, "browsers accept its domain"),
        (&rule::COOKIE_TOO_LARGE, size, "it is as large as browsers keep"),
        (&rule::COOKIE_MALFORMED, form, "every client reads it alike"),
        (&rule::COOKIE_TELLS_PRODUCT, product, "its name tells nothing"),
    ];
    let mut findings = Vec::new();
    for (rule, wrong, sound) in rules {
        let before = findings.len();
        findings.extend(cookies.all.iter().filter_map(|cookie| first_wrong(rule, cookie, wrong, sound)));
        if findings.len() == before {
            findings.push(Finding::skipped(rule, seen.host(), "no response sets a cookie this could be said of"));
        }
    }
    findings.extend(duplicates(seen, cookies));
    findings
}

/// What is wrong with one line of a cookie.
type Wrong = fn(&str, &Line<'_>) -> Option<(String, Severity)>;

fn first_wrong(rule: &'static Rule, cookie: &Cookie<'_>, wrong: Wrong, sound: &str) -> Option<Finding> {
    let found = cookie.lines.iter().filter_map(|line| wrong(&cookie.name, line).map(|what| (line, what)));
    match found.max_by_key(|(_, (_, severity))| *severity) {
        Some((line, (what, severity))) => {
            let most = if cookie.role == Role::Other { Severity::Info } else { severity };
            Some(Finding::flaw(rule, &cookie.name, what).at_most(most).because("sets the cookie", line.exchange))
        }
        None => (cookie.role != Role::Other).then(|| Finding::sound(rule, &cookie.name, sound)),
    }
}

fn prefix(_name: &str, line: &Line<'_>) -> Option<(String, Severity)> {
    let broken = line.kept == Err(NotKept::PrefixBroken);
    let what = match (broken, line.removes) {
        (false, _) => return None,
        (true, true) => (
            "the line that should remove it does not keep what its prefix demands: browsers ignore it".to_owned(),
            Severity::Low,
        ),
        (true, false) => {
            ("its attributes are not what its prefix demands: browsers drop it".to_owned(), Severity::Critical)
        }
    };
    Some(what)
}

fn domain(_name: &str, line: &Line<'_>) -> Option<(String, Severity)> {
    let domain = line.read.as_ref().ok().and_then(|cookie| cookie.domain.as_deref()).unwrap_or_default();
    let host = line.exchange.sent.url.host_str().unwrap_or_default();
    let what = match line.kept {
        Err(NotKept::PublicSuffix) => format!("Domain={domain} is a public suffix: browsers drop the cookie"),
        Err(NotKept::ForeignDomain) => format!("Domain={domain} is not {host} or above it: browsers drop the cookie"),
        _ => return None,
    };
    Some((what, Severity::Critical))
}

fn size(_name: &str, line: &Line<'_>) -> Option<(String, Severity)> {
    let what = match &line.read {
        Err(Refused::TooLarge(size)) => format!("name and value have {size} bytes: browsers drop the cookie"),
        Ok(cookie) => cookie.oddities.iter().find(|one| matches!(one, Oddity::LongAttribute(_)))?.to_string(),
        Err(_) => return None,
    };
    Some((what, Severity::Critical))
}

fn form(_name: &str, line: &Line<'_>) -> Option<(String, Severity)> {
    match &line.read {
        // Whether somebody is out is seen at sign-out.
        _ if line.removes => None,
        Err(Refused::TooLarge(_)) => None,
        Err(refused) => Some((format!("{refused}: browsers drop it"), Severity::Critical)),
        Ok(cookie) => {
            let odd: Vec<_> = cookie.oddities.iter().filter(|one| matters(one)).map(Oddity::to_string).collect();
            (!odd.is_empty()).then(|| (odd.join("; "), Severity::Critical))
        }
    }
}

/// Long attributes have a rule of their own, and what all clients ignore alike does no harm.
fn matters(odd: &Oddity) -> bool {
    match odd {
        Oddity::LongAttribute(_) => false,
        Oddity::Unknown(name) => !HARMLESS.iter().any(|known| known.eq_ignore_ascii_case(name)),
        _ => true,
    }
}

fn product(name: &str, _line: &Line<'_>) -> Option<(String, Severity)> {
    let bare = ["__Host-Http-", "__Host-", "__Http-", "__Secure-"].iter().find_map(|prefix| name.strip_prefix(prefix));
    let bare = bare.unwrap_or(name);
    let (_, product) = PRODUCTS.iter().find(|(known, _)| match known.strip_suffix('*') {
        Some(begin) => bare.starts_with(begin),
        None => bare == *known,
    })?;
    Some((format!("the name is that of {product}"), Severity::Info))
}

/// A cookie is the same where name, domain and path are.
fn duplicates(seen: &Seen<'_>, cookies: &Cookies<'_>) -> Vec<Finding> {
    let rule = &rule::COOKIE_DUPLICATED;
    let mut findings = Vec::new();
    for cookie in &cookies.all {
        let twice = cookie.lines.iter().enumerate().find(|(at, line)| {
            cookie
                .lines
                .iter()
                .take(*at)
                .any(|before| std::ptr::eq(before.exchange, line.exchange) && before.is_same(line))
        });
        match twice {
            Some((_, line)) => {
                let most = if cookie.role == Role::Other { Severity::Info } else { Severity::Critical };
                let found = Finding::flaw(
                    rule,
                    &cookie.name,
                    "one response sets it more than once, for the same domain and path",
                );
                findings.push(found.at_most(most).because("sets the cookie more than once", line.exchange));
            }
            None if cookie.role != Role::Other => {
                findings.push(Finding::sound(rule, &cookie.name, "no response sets it more than once"));
            }
            None => {}
        }
    }
    if findings.is_empty() {
        findings.push(Finding::skipped(rule, seen.host(), "no response sets a cookie this could be said of"));
    }
    findings
}

impl Line<'_> {
    fn is_same(&self, other: &Self) -> bool {
        match (&self.read, &other.read) {
            (Ok(one), Ok(other)) => (&one.domain, &one.path) == (&other.domain, &other.path),
            _ => false,
        }
    }
}

fn removes(cookie: &SetCookie, now_millis: u64) -> bool {
    let now = i64::try_from(now_millis / 1000).unwrap_or(i64::MAX);
    match (cookie.max_age, cookie.expires) {
        (Some(age), _) => age <= 0,
        (None, Some(at)) => at <= now,
        (None, None) => false,
    }
}

/// Of a line that browsers refuse.
fn name_of(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let pair = text.split(';').next().unwrap_or_default();
    pair.split_once('=').map_or("", |(name, _)| name).trim().chars().take(100).collect()
}

fn speaks_of_session(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let other = ["csrf", "xsrf", "lang", "theme", "consent"].iter().any(|word| name.contains(word));
    !other
        && ["sess", "sid", "auth", "token", "jwt", "login", "remember", "identity"]
            .iter()
            .any(|word| name.contains(word))
}

/// Of cookies that are not the session.
const MOST: usize = 100;

/// Attributes of other times and of single browsers.
const HARMLESS: &[&str] = &["Version", "Comment", "CommentURL", "Discard", "Port", "Priority"];

#[rustfmt::skip]
const PRODUCTS: &[(&str, &str)] = &[
    ("PHPSESSID", "PHP"),                 ("JSESSIONID*", "Java servlets"),     ("connect.sid", "Express"),
    ("sessionid", "Django"),              ("csrftoken", "Django"),              ("ASP.NET_SessionId", "ASP.NET"),
    (".AspNetCore.*", "ASP.NET Core"),    (".ASPXAUTH", "ASP.NET"),             ("ASPSESSIONID*", "ASP"),
    ("laravel_session", "Laravel"),       ("ci_session", "CodeIgniter"),        ("CAKEPHP", "CakePHP"),
    ("rack.session", "Rack"),             ("_rails_*", "Rails"),                ("koa.sess*", "Koa"),
    ("sails.sid", "Sails"),               ("PLAY_SESSION", "Play"),             ("CFID", "ColdFusion"),
    ("CFTOKEN", "ColdFusion"),            ("wordpress_*", "WordPress"),         ("wp-settings-*", "WordPress"),
    ("DokuWiki*", "DokuWiki"),            ("DW*", "DokuWiki"),                  ("phpMyAdmin*", "phpMyAdmin"),
    ("beaker.session.id", "Beaker"),      ("_xsrf", "Tornado"),                 ("BIGipServer*", "BIG-IP"),
    ("AWSALB*", "an AWS load balancer"),  ("MoodleSession*", "Moodle"),         ("SSESS*", "Drupal"),
];
