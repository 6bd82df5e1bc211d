//! Declared changes, sent by a form on another site in a browser, and looked for afterwards on the page that shows them.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use super::super::csrf::attacks::{bare, by_get};
use super::super::csrf::target::{Target, worded};
use super::{ELSEWHERE, carries, escaped};
use crate::browser::{Browser, BrowserError, Passed, Tab, Trap, trap_at};
use crate::exchange::Exchange;
use crate::finding::Finding;
use crate::profile::Change;
use crate::rule::{self, Severity};
use crate::shape;
use crate::site::Site;
use crate::visitor::{Body, Ready, Trouble, random};

pub(super) async fn prove(site: &Site, browser: &Browser) -> Result<Vec<Finding>, Trouble> {
    let rule = &rule::BROWSER_CHANGE_CROSS_SITE;
    if site.profile.changes.is_empty() {
        let why = "the profile names no request that changes something; see `changes`";
        return Ok(super::untried(super::CHANGES.rules, why));
    }
    let mut findings = Vec::new();
    for change in &site.profile.changes {
        findings.push(match one(site, browser, change).await {
            Ok(finding) => finding,
            Err(Trouble::Control(missing)) => Finding::inconclusive(rule, change.read.clone(), missing),
            Err(trouble) => return Err(trouble),
        });
    }
    Ok(findings)
}

async fn one(site: &Site, browser: &Browser, change: &Change) -> Result<Finding, Trouble> {
    let target = Target::new(site, change).await?;
    let _turn = browser.turn().await;
    let tab = browser.stranger(target.victim.agent()).await?;
    let mut attack = Attack { browser, tab: &tab, target };
    let found = attack.judged().await;
    // Whether it is closed now or at the end of the audit changes nothing.
    let _ = tab.close().await;
    found
}

/// A victim in front of a browser.
struct Attack<'a> {
    browser: &'a Browser,
    tab: &'a Tab,
    target: Target<'a>,
}

impl Attack<'_> {
    async fn judged(&mut self) -> Result<Finding, Trouble> {
        let (rule, place) = (&rule::BROWSER_CHANGE_CROSS_SITE, self.target.place());
        let home = &self.target.site.profile.site;
        let planted = self.tab.plant(self.browser.outlet(), home, &self.target.victim.jar, &[]).await;
        planted.map_err(BrowserError::from)?;
        let ready = self.target.ready().await?;
        let own = |ready: &Ready| form(ready).filter(|_| ready.headers.is_empty()).unwrap_or_else(|| script(ready));
        let Some((control, true)) = self.fire(&ready, own, home.host_str()).await? else {
            let missing = "in the browser, the site's own page could not make the change";
            return Ok(Finding::inconclusive(rule, place, missing));
        };
        let mut tried = None;
        for attack in attacks(&ready) {
            let write = |ready: &Ready| form(ready).unwrap_or_default();
            let Some((sent, worked)) = self.fire(&attack, write, Some(ELSEWHERE)).await? else { continue };
            let session = &self.target.site.ways().session;
            let carried = carries(&sent, session);
            if worked {
                let flaw = self.flaw(place, carried);
                return Ok(flaw.because(CONTROL, &control).because("the form on another site", &sent));
            }
            tried = Some((sent, carried));
        }
        let Some((sent, carried)) = tried else {
            return Ok(Finding::sound(rule, place, "no form can send it: browsers ask the site first"));
        };
        let why = if carried {
            format!("the browser sent the session along, and the site answered {} and did nothing", sent.answer.status)
        } else {
            "the browser left the session's cookie at home".to_owned()
        };
        let finding = Finding::sound(rule, place, why);
        Ok(finding.because(CONTROL, &control).because("the form on another site", &sent))
    }

    fn flaw(&self, place: String, carried: bool) -> Finding {
        let rule = &rule::BROWSER_CHANGE_CROSS_SITE;
        let session = &self.target.site.ways().session;
        let unsaid = self.target.victim.jar.iter().any(|one| session.contains(&one.name) && one.same_site.is_none());
        if carried && unsaid {
            let seen = "a form on another site made the change, in the two minutes after the sign-in in which browsers send \
                        a cookie without SameSite: what the CSRF rules say, shown";
            return Finding::flaw(rule, place, seen).at_most(Severity::Medium);
        }
        Finding::flaw(rule, place, "a form on another site made the change: what the CSRF rules say, shown")
    }

    /// Has a page of `host` send it with a word of its own, and looks for that; nothing where the browser did not send it.
    async fn fire(
        &mut self,
        ready: &Ready,
        write: impl Fn(&Ready) -> String,
        host: Option<&str>,
    ) -> Result<Option<(Exchange, bool)>, Trouble> {
        let (outlet, site) = (self.browser.outlet(), self.target.site);
        let word = random();
        if self.target.shows(&word).await? {
            return Err(Trouble::Control("a word nobody has sent shows already".to_owned()));
        }
        let ready = worded(ready, &word);
        let mut at = trap_at(&site.profile.site, "/");
        if host != at.host_str() {
            // What cannot be another host's stays the site's own, and is refused as such below.
            let _ = at.set_host(host).map(|()| at.set_port(None));
        }
        outlet.set(vec![Trap::new(&at, write(&ready))]);
        let mark = outlet.mark();
        self.tab.go(&at).await.map_err(BrowserError::from)?;
        let there = |one: &&Passed| one.exchange.sent.url.path() == ready.url.path() && !one.trapped;
        let sent = outlet.wait(mark, PATIENCE, |all| all.iter().find(there).map(|one| one.exchange.clone())).await;
        outlet.since(mark).iter().filter(|one| !one.trapped).for_each(|one| site.note(&one.exchange));
        if let Some(error) = site.wire().exhausted() {
            return Err(error.into());
        }
        // A token may have been exchanged meanwhile.
        let jar = self.tab.jar(&site.profile.site).await.map_err(BrowserError::from)?;
        if !jar.is_empty() {
            jar.iter().for_each(|kept| site.keep_secret(&kept.value));
            self.target.victim.jar = jar;
        }
        let Some(sent) = sent else { return Ok(None) };
        Ok(Some((sent, self.target.shows(&word).await?)))
    }
}

/// As another site's form sends it: without its token, and with one that nobody made.
fn attacks(ready: &Ready) -> Vec<Ready> {
    if ready.method == Method::GET {
        return vec![by_get(ready).ready];
    }
    let bare = bare(ready);
    let invented = ready.token_value().map(|token| {
        let mut ready = ready.clone().with_token(Some(&shape::invented(&token)));
        (ready.method, ready.headers) = (bare.method.clone(), Vec::new());
        ready
    });
    let invented = invented.filter(|ready| matches!(ready.body, Body::Form(_) | Body::Multipart(_)));
    [Some(bare), invented].into_iter().flatten().filter(|ready| form(ready).is_some()).collect()
}

/// A page that sends it by a form, or by going there; nothing where no form can.
fn form(ready: &Ready) -> Option<String> {
    let url = escaped(ready.url.as_str());
    if ready.method == Method::GET {
        return Some(format!("<a href=\"{url}\">go</a><script>document.links[0].click()</script>"));
    }
    let (kind, fields) = match &ready.body {
        Body::Empty => ("application/x-www-form-urlencoded", Vec::new()),
        Body::Form(fields) => ("application/x-www-form-urlencoded", fields.clone()),
        Body::Multipart(fields) => ("multipart/form-data", fields.clone()),
        Body::Raw("text/plain", text) => ("text/plain", vec![as_field(text)?]),
        Body::Json(_) | Body::Raw(..) => return None,
    };
    let input = |(name, value): &(String, String)| {
        format!("<textarea name=\"{}\">\n{}</textarea>", escaped(name), escaped(value))
    };
    let inputs: String = fields.iter().map(input).collect();
    let form = format!("<form method=post enctype=\"{kind}\" action=\"{url}\">{inputs}</form>");
    // A field may be named `submit`.
    (ready.method == Method::POST)
        .then(|| format!("{form}<script>HTMLFormElement.prototype.submit.call(document.forms[0])</script>"))
}

/// The one field whose `name=value` is the JSON object, but for a member nobody asked for.
fn as_field(json: &str) -> Option<(String, String)> {
    let members = serde_json::from_str::<Value>(json).ok()?.as_object()?.len();
    let open = json.trim_end().strip_suffix('}')?;
    let comma = if members == 0 { "" } else { "," };
    Some((format!("{open}{comma}\"counterfoil\":\""), "\"}".to_owned()))
}

/// A page of the site's own that sends it by a script.
fn script(ready: &Ready) -> String {
    let (kind, body) = ready.encoded();
    let mut headers: Vec<_> = ready.headers.iter().map(|(name, value)| json!([name, value])).collect();
    headers.extend(kind.map(|kind| json!(["Content-Type", kind])));
    let mut how = json!({ "method": ready.method.as_str(), "headers": headers });
    if let (false, Some(how)) = (body.is_empty(), how.as_object_mut()) {
        how.insert("body".to_owned(), String::from_utf8_lossy(&body).into_owned().into());
    }
    let (url, how) = (json!(ready.url.as_str()).to_string(), how.to_string());
    format!("<script>fetch({}, {})</script>", inert(&url), inert(&how))
}

/// JSON that cannot end the script it is in.
fn inert(json: &str) -> String {
    json.replace('<', "\\u003c")
}

const CONTROL: &str = "control: the same from a page of the site's own";
const PATIENCE: Duration = Duration::from_secs(15);
