//! Where the session's cookies go: to scripts, over plain http, along with other sites' requests.
//!
//! Two cookies of the audit's own are the controls: one that goes everywhere, and one that must not.

use std::time::Duration;

use serde_json::json;
use url::Url;

use super::{ELSEWHERE, carries, escaped, names_in};
use crate::browser::{Browser, BrowserError, Tab, Trap, trap_at};
use crate::cookie::is_trustworthy;
use crate::exchange::Exchange;
use crate::finding::Finding;
use crate::rule::{self, Severity};
use crate::run::plain;
use crate::site::{Site, State};
use crate::visitor::{Trouble, Visitor};

pub(super) async fn prove(site: &Site, browser: &Browser) -> Result<Vec<Finding>, Trouble> {
    let member = site.member().await?.visitor;
    let _turn = browser.turn().await;
    let tab = browser.stranger(member.agent()).await?;
    let found = Look { site, browser, tab: &tab, member: &member }.all().await;
    // Whether it is closed now or at the end of the audit changes nothing.
    let _ = tab.close().await;
    found
}

/// A member in front of a browser.
struct Look<'a> {
    site: &'a Site,
    browser: &'a Browser,
    tab: &'a Tab,
    member: &'a Visitor<'a>,
}

impl Look<'_> {
    async fn all(&self) -> Result<Vec<Finding>, Trouble> {
        let (home, outlet) = (&self.site.profile.site, self.browser.outlet());
        let secure = if home.scheme() == "https" { "; Secure" } else { "" };
        let markers = [format!("{OPEN}=1; Path=/"), format!("{SHUT}=1; Path=/; HttpOnly; SameSite=Strict{secure}")];
        self.tab.plant(outlet, home, &self.member.jar, &markers).await.map_err(BrowserError::from)?;
        let page = match self.signed_in().await? {
            Ok(page) => page,
            Err(missing) => {
                let rules = super::COOKIES.rules.iter();
                return Ok(rules
                    .map(|rule| Finding::inconclusive(rule, self.names().join(" and "), &missing))
                    .collect());
            }
        };
        let mut findings = self.readable(&page).await?;
        findings.extend(self.plain().await?);
        findings.extend(self.cross_site().await?);
        Ok(findings)
    }

    /// The cookies that sign somebody in: each list does, as a whole.
    fn sets(&self) -> impl Iterator<Item = &Vec<String>> {
        let ways = self.site.ways();
        [&ways.session, &ways.also].into_iter().filter(|names| !names.is_empty())
    }

    fn names(&self) -> Vec<String> {
        self.sets().flatten().cloned().collect()
    }

    /// The page that shows it, or what is wrong.
    async fn signed_in(&self) -> Result<Result<Exchange, String>, Trouble> {
        let (outlet, url) = (self.browser.outlet(), self.site.url(self.site.marker_at()));
        let mark = outlet.mark();
        self.tab.go(&url).await.map_err(BrowserError::from)?;
        let passed = outlet.since(mark);
        passed.iter().filter(|one| !one.trapped).for_each(|one| self.site.note(&one.exchange));
        if let Some(error) = self.site.wire().exhausted() {
            return Err(error.into());
        }
        let page = passed.into_iter().find(|one| one.exchange.sent.url.path() == url.path()).map(|one| one.exchange);
        let jar = self.tab.jar(&self.site.profile.site).await.map_err(BrowserError::from)?;
        jar.iter().for_each(|kept| self.site.keep_secret(&kept.value));
        Ok(match page {
            Some(page) if self.site.read(&page, &self.site.profile.account) == State::In => Ok(page),
            _ => Err(match self.names().into_iter().find(|name| jar.get(name).is_none()) {
                Some(name) => format!("the browser does not keep `{name}`, so nobody can be signed in there"),
                None => format!("with the same cookies {} does not show the marker in the browser", url.path()),
            }),
        })
    }

    async fn readable(&self, page: &Exchange) -> Result<Vec<Finding>, Trouble> {
        let rule = &rule::BROWSER_COOKIE_READABLE;
        let text = self.tab.run("document.cookie").await.map_err(BrowserError::from)?;
        let read = names_in(text.as_str().unwrap_or_default());
        let judge = |names: &Vec<String>| {
            let place = names.join(" and ");
            if !read.contains(&OPEN) || read.contains(&SHUT) {
                return Finding::inconclusive(rule, place, "the page's scripts do not read cookies as they should");
            }
            let all = names.iter().all(|name| read.contains(&name.as_str()));
            let finding = if all {
                let seen = "`document.cookie` on a signed-in page holds it: what `cookie-not-httponly` says, shown";
                Finding::flaw(rule, place, seen)
            } else {
                Finding::sound(rule, place, "`document.cookie` on a signed-in page does not hold it")
            };
            finding.because("the page whose scripts were asked", page)
        };
        Ok(self.sets().map(judge).collect())
    }

    /// The audit itself answers on plain http: the site need not.
    async fn plain(&self) -> Result<Vec<Finding>, Trouble> {
        let rule = &rule::BROWSER_COOKIE_PLAIN;
        let home = &self.site.profile.site;
        let without_tls = plain(&self.site.profile).or_else(|| {
            let mut url = home.clone();
            url.set_scheme("http").is_ok().then_some(url)
        });
        let Some(without_tls) = without_tls.filter(|_| home.scheme() == "https") else {
            return Ok(vec![Finding::skipped(rule, "", "the site is not on https at all")]);
        };
        if is_trustworthy(&without_tls) {
            let why = "the site is on this machine, where browsers take plain http for as good as https";
            return Ok(vec![Finding::skipped(rule, "", why)]);
        }
        let mut findings = Vec::new();
        for names in self.sets() {
            let (at, place) = (trap_at(&without_tls, self.path_of(names)), names.join(" and "));
            let Some(sent) = self.visit(&at, vec![Trap::new(&at, "")], &at).await? else {
                findings.push(Finding::inconclusive(rule, place, "the browser did not go there"));
                continue;
            };
            let has = |name: &str| carries(&sent, &[name.to_owned()]);
            let finding = if sent.sent.url.scheme() == "https" {
                Finding::sound(rule, place, "the browser keeps to https by itself, since the site told it to (HSTS)")
            } else if has(SHUT) {
                Finding::inconclusive(rule, place, "the browser takes this host's plain http for as good as https")
            } else if !has(OPEN) {
                Finding::inconclusive(rule, place, "the browser sends no cookie there at all")
            } else if carries(&sent, names) {
                Finding::flaw(rule, place, "a request without TLS carries it: what `cookie-not-secure` says, shown")
            } else {
                Finding::sound(rule, place, "a request without TLS does not carry it")
            };
            findings.push(finding.because("answered by the audit itself, not by the site", &sent));
        }
        Ok(findings)
    }

    async fn cross_site(&self) -> Result<Vec<Finding>, Trouble> {
        let mut findings = Vec::new();
        for names in self.sets() {
            findings.push(self.cross_site_of(names).await?);
        }
        Ok(findings)
    }

    async fn cross_site_of(&self, names: &[String]) -> Result<Finding, Trouble> {
        let (rule, place) = (&rule::BROWSER_COOKIE_CROSS_SITE, names.join(" and "));
        let home = &self.site.profile.site;
        let path = self.path_of(names);
        let (own, form, part) = (trap_at(home, "/"), trap_at(home, path), trap_at(home, path));
        let mut other = trap_at(home, "/");
        if other
            .set_host(Some(ELSEWHERE))
            .and_then(|()| other.set_port(None).map_err(|()| url::ParseError::EmptyHost))
            .is_err()
        {
            return Ok(Finding::inconclusive(rule, place, "another site cannot be made for it"));
        }
        let page = page(&form, &part);
        let traps: Vec<_> = [(&own, page.as_str()), (&other, &page), (&form, ""), (&part, "")]
            .map(|(url, html)| Trap::new(url, html))
            .into();
        let home_sent = self.visit(&own, traps.clone(), &form).await?;
        let mark = self.browser.outlet().mark();
        let sent = self.visit(&other, traps, &form).await?;
        let (Some(home_sent), Some(sent)) = (home_sent, sent) else {
            return Ok(Finding::inconclusive(rule, place, "the browser did not send the form"));
        };
        let passed = self.browser.outlet().since(mark);
        let embedded = passed.iter().any(|one| one.exchange.sent.url == part && carries(&one.exchange, names));
        let shut = [SHUT.to_owned()];
        let finding = if !carries(&home_sent, names) || !carries(&home_sent, &shut) {
            Finding::inconclusive(rule, place, "the browser does not send it with the site's own forms either")
        } else if carries(&sent, &shut) {
            Finding::inconclusive(rule, place, "the browser sends cookies that are SameSite=Strict too")
        } else if !carries(&sent, names) && !embedded {
            Finding::sound(rule, place, "neither a form nor a fetch on another site carries it")
        } else if self.unsaid(names) {
            let seen = "a form on another site carries it in the two minutes after it was set: the exception browsers make \
                        for a cookie without SameSite";
            Finding::flaw(rule, place, seen).at_most(Severity::Low)
        } else {
            let how = if embedded { "a form and a fetch" } else { "a form" };
            let seen = format!("{how} on another site carries it: what `cookie-samesite-none` says, shown");
            Finding::flaw(rule, place, seen)
        };
        Ok(finding
            .because("control: the site's own form; answered by the audit itself", &home_sent)
            .because("the same form on another site; answered by the audit itself", &sent))
    }

    /// What the browser sent to `target` after it was led to `at`.
    async fn visit(&self, at: &Url, traps: Vec<Trap>, target: &Url) -> Result<Option<Exchange>, Trouble> {
        let outlet = self.browser.outlet();
        outlet.set(traps);
        let mark = outlet.mark();
        self.tab.go(at).await.map_err(BrowserError::from)?;
        let there = |one: &&crate::browser::Passed| one.exchange.sent.url.path() == target.path();
        let found = outlet.wait(mark, PATIENCE, |all| all.iter().find(there).map(|one| one.exchange.clone())).await;
        Ok(found)
    }

    /// The narrowest of their paths.
    fn path_of(&self, names: &[String]) -> &str {
        let paths = self.member.jar.iter().filter(|kept| names.contains(&kept.name)).map(|kept| kept.path.as_str());
        paths.max_by_key(|path| path.len()).unwrap_or("/")
    }

    fn unsaid(&self, names: &[String]) -> bool {
        self.member.jar.iter().any(|kept| names.contains(&kept.name) && kept.same_site.is_none())
    }
}

/// Asks for `part` as a script does, and then sends a form to `form`.
fn page(form: &Url, part: &Url) -> String {
    format!(
        "<form method=post action=\"{}\"><input name=a value=b></form><script>\
         fetch({}, {{ mode: 'no-cors', credentials: 'include' }}).catch(() => 0)\
         .finally(() => document.forms[0].submit())</script>",
        escaped(form.as_str()),
        json!(part.as_str()),
    )
}

/// Goes everywhere.
const OPEN: &str = "counterfoil-open";
/// Not to scripts, not over plain http, not from other sites.
const SHUT: &str = "counterfoil-shut";
const PATIENCE: Duration = Duration::from_secs(15);
