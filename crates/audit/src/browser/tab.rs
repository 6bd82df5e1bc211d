//! A tab with cookies of its own: led somewhere, asked something, given a visitor's cookies and asked for its own.

use serde_json::{Value, json};
use url::Url;

use super::devtools::{DevTools, DevToolsError};
use super::{Outlet, Trap};
use crate::cookie::{Jar, Kept, SameSite, SetCookie};
use crate::visitor::random;
use crate::wire::now_millis;

/// Somebody's only tab.
#[derive(Debug)]
pub(crate) struct Tab {
    devtools: DevTools,
    context: String,
    session: String,
}

impl Tab {
    pub(super) async fn open(devtools: &DevTools, agent: &str) -> Result<Self, DevToolsError> {
        let ask = |method, arguments, member| devtools.ask(method, arguments, member);
        let context =
            ask("Target.createBrowserContext", json!({ "disposeOnDetach": true }), "browserContextId").await?;
        let where_to = json!({ "url": "about:blank", "browserContextId": context });
        let target = ask("Target.createTarget", where_to, "targetId").await?;
        let how = json!({ "targetId": target, "flatten": true });
        let session = ask("Target.attachToTarget", how, "sessionId").await?;
        let tab = Self { devtools: devtools.clone(), context, session };
        tab.call("Emulation.setUserAgentOverride", json!({ "userAgent": agent })).await?;
        Ok(tab)
    }

    /// Opens an address, and waits until its page has loaded.
    ///
    /// # Errors
    ///
    /// There is no page.
    pub(crate) async fn go(&self, url: &Url) -> Result<(), DevToolsError> {
        let method = "Page.navigate";
        let answer = self.call(method, json!({ "url": url.as_str() })).await?;
        match answer.get("errorText").and_then(Value::as_str) {
            Some(why) if !why.is_empty() => {
                Err(DevToolsError::Refused { method, why: format!("{why} at {}", url.path()) })
            }
            _ => self.run(LOADED).await.map(drop),
        }
    }

    /// The value of a script in its page, also where that is a promise. A page that goes elsewhere meanwhile is asked
    /// again where it got to.
    pub(crate) async fn run(&self, script: &str) -> Result<Value, DevToolsError> {
        let how = json!({ "expression": script, "awaitPromise": true, "returnByValue": true, "userGesture": true });
        let mut turns = 0;
        let answer = loop {
            match self.call("Runtime.evaluate", how.clone()).await {
                Err(DevToolsError::Refused { .. }) if turns < MOST_TURNS => turns += 1,
                other => break other?,
            }
        };
        match answer.pointer("/exceptionDetails/exception/description") {
            Some(thrown) => {
                let why = thrown.as_str().unwrap_or_default().to_owned();
                Err(DevToolsError::Refused { method: "a script in the page", why })
            }
            None => Ok(answer.pointer("/result/value").cloned().unwrap_or_default()),
        }
    }

    /// Gives it cookies, by an answer that seems to be the site's: the browser keeps what it would keep of one.
    pub(crate) async fn plant(
        &self,
        outlet: &Outlet,
        site: &Url,
        jar: &Jar,
        more: &[String],
    ) -> Result<(), DevToolsError> {
        let cookies = jar.iter().map(line).chain(more.iter().cloned()).collect();
        let at = trap_at(site, "/");
        outlet.set(vec![Trap { cookies, ..Trap::new(&at, "") }]);
        self.go(&at).await
    }

    /// What it would send to the site.
    pub(crate) async fn jar(&self, site: &Url) -> Result<Jar, DevToolsError> {
        let which = json!({ "browserContextId": self.context });
        let answer = self.devtools.call(None, "Storage.getCookies", which).await?;
        let mut jar = Jar::default();
        for cookie in answer.get("cookies").and_then(Value::as_array).into_iter().flatten() {
            if let Some(cookie) = read(cookie, site) {
                // What is another host's is not kept.
                let _ = jar.keep(site, &cookie, now_millis());
            }
        }
        Ok(jar)
    }

    /// Forgets everything.
    pub(crate) async fn close(self) -> Result<(), DevToolsError> {
        let which = json!({ "browserContextId": self.context });
        self.devtools.call(None, "Target.disposeBrowserContext", which).await.map(drop)
    }

    async fn call(&self, method: &'static str, arguments: Value) -> Result<Value, DevToolsError> {
        self.devtools.call(Some(&self.session), method, arguments).await
    }
}

/// An address below `path` that no site has.
pub(crate) fn trap_at(site: &Url, path: &str) -> Url {
    let mut url = site.clone();
    url.set_path(&format!("{}/counterfoil-audit-{}", path.trim_end_matches('/'), random()));
    url.set_query(None);
    url
}

/// As the site would have written it.
fn line(kept: &Kept) -> String {
    let domain = if kept.host_only { String::new() } else { format!("; Domain={}", kept.domain) };
    let mut line = format!("{}={}; Path={}{domain}", kept.name, kept.value, kept.path);
    if kept.secure {
        line += "; Secure";
    }
    if kept.http_only {
        line += "; HttpOnly";
    }
    line += match kept.same_site {
        Some(SameSite::Strict) => "; SameSite=Strict",
        Some(SameSite::Lax) => "; SameSite=Lax",
        Some(SameSite::None) => "; SameSite=None",
        None => "",
    };
    match kept.until_millis {
        Some(until) => format!("{line}; Max-Age={}", until.saturating_sub(now_millis()).div_ceil(1000)),
        None => line,
    }
}

fn read(cookie: &Value, site: &Url) -> Option<SetCookie> {
    let text = |name: &str| cookie.get(name).and_then(Value::as_str).map(str::to_owned);
    let flag = |name: &str| cookie.get(name).and_then(Value::as_bool).unwrap_or(false);
    let host = text("domain")?;
    let domain = host.strip_prefix('.').map(str::to_owned);
    if domain.is_none()
        && site.host_str().map(|host| host.trim_matches(['[', ']'])) != Some(host.trim_matches(['[', ']']))
    {
        return None;
    }
    let whole = |seconds: f64| format!("{seconds:.0}").parse().ok();
    Some(SetCookie {
        name: text("name")?,
        value: text("value")?,
        domain,
        path: text("path"),
        expires: cookie.get("expires").and_then(Value::as_f64).filter(|at| *at > 0.0).and_then(whole),
        max_age: None,
        secure: flag("secure"),
        http_only: flag("httpOnly"),
        partitioned: false,
        same_site: match text("sameSite").as_deref() {
            Some("Strict") => Some(SameSite::Strict),
            Some("Lax") => Some(SameSite::Lax),
            Some("None") => Some(SameSite::None),
            _ => None,
        },
        oddities: Vec::new(),
    })
}

/// Whatever is still not there after ten seconds is not waited for.
const LOADED: &str = "new Promise(done => { if (document.readyState === 'complete') done(); \
                      else { addEventListener('load', () => done()); setTimeout(done, 10000); } })";
/// A page that leads to another, which leads to another.
const MOST_TURNS: usize = 5;
