//! One person's browser, and its tabs: opened, driven by script or by keyboard, looked at.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use crate::{
    devtools::{DevTools, DevToolsError, Event, Log},
    exchange::Exchange,
    jar::Cookie,
};

/// A browser context: cookies, cache and storage of its own, as another person's browser has them.
#[derive(Debug, Clone)]
pub struct Person {
    devtools: DevTools,
    /// None for the profile's own context, which is the one that outlives the process.
    context: Option<String>,
    opened: Opened,
}

/// The tabs a case has opened, for a look at them when it fails.
#[derive(Debug, Clone, Default)]
pub struct Opened(Arc<Mutex<Vec<Tab>>>);

/// One tab. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Tab {
    devtools: DevTools,
    session: String,
    log: Arc<Log>,
}

/// Where a navigation ended.
#[derive(Debug, Clone)]
pub struct Landed {
    /// Where it led.
    pub url: String,
    /// With which status.
    pub status: u64,
}

/// What a request from within a page was answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its status.
    pub status: u64,
    /// Its body.
    pub text: String,
}

/// A key that does something by itself.
#[derive(Debug, Clone, Copy)]
pub enum Key {
    /// To the next thing that can have the focus.
    Tab,
    /// Does what has the focus.
    Enter,
}

impl Person {
    /// Somebody new.
    pub async fn stranger(devtools: &DevTools, opened: Opened) -> Result<Self, DevToolsError> {
        let created = devtools.call(None, "Target.createBrowserContext", json!({ "disposeOnDetach": true })).await?;
        let context = member(&created, "Target.createBrowserContext", "browserContextId")?;
        Ok(Self { devtools: devtools.clone(), context: Some(context), opened })
    }

    /// Whoever the profile belongs to.
    pub fn of_the_profile(devtools: &DevTools, opened: Opened) -> Self {
        Self { devtools: devtools.clone(), context: None, opened }
    }

    /// A new tab.
    pub async fn tab(&self) -> Result<Tab, DevToolsError> {
        let created =
            self.devtools.call(None, "Target.createTarget", self.with(json!({ "url": "about:blank" }))).await?;
        let target = member(&created, "Target.createTarget", "targetId")?;
        let tab = Tab::attach(self.devtools.clone(), target).await?;
        self.opened.0.lock().unwrap_or_else(PoisonError::into_inner).push(tab.clone());
        Ok(tab)
    }

    /// The tabs that show a page of this origin, however they came to be, once there are `enough`.
    pub async fn tabs(&self, origin: &str, enough: usize) -> Result<Option<Vec<Tab>>, DevToolsError> {
        let answer = self.devtools.call(None, "Target.getTargets", json!({})).await?;
        let targets = answer.get("targetInfos").and_then(Value::as_array).into_iter().flatten();
        let text = |target: &Value, name: &str| target.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let ours = targets.filter(|target| text(target, "type") == "page" && text(target, "url").starts_with(origin));
        let ids: Vec<_> = ours.map(|target| text(target, "targetId")).collect();
        if ids.len() < enough {
            return Ok(None);
        }
        let mut tabs = Vec::new();
        for id in ids {
            // One that was never looked at may not have been loaded yet.
            self.devtools.call(None, "Target.activateTarget", json!({ "targetId": id })).await?;
            tabs.push(Tab::attach(self.devtools.clone(), id).await?);
        }
        Ok(Some(tabs))
    }

    /// Every cookie it has.
    pub async fn jar(&self) -> Result<Vec<Cookie>, DevToolsError> {
        let answer = self.devtools.call(None, "Storage.getCookies", self.with(json!({}))).await?;
        Ok(answer.get("cookies").and_then(Value::as_array).into_iter().flatten().map(Cookie::read).collect())
    }

    /// The cookie of this name, if there is one.
    pub async fn cookie(&self, name: &str) -> Result<Option<Cookie>, DevToolsError> {
        Ok(self.jar().await?.into_iter().find(|cookie| cookie.name == name))
    }

    /// Puts a cookie into the browser, as one who has copied it would.
    pub async fn plant(&self, origin: &str, cookie: &Cookie) -> Result<(), DevToolsError> {
        let planted = json!({
            "name": cookie.name, "value": cookie.value.reveal(), "url": origin, "path": cookie.path,
            "secure": cookie.secure, "httpOnly": cookie.http_only,
        });
        self.devtools.call(None, "Storage.setCookies", self.with(json!({ "cookies": [planted] }))).await?;
        Ok(())
    }

    /// Forgets everything and closes the tabs. Of a profile's own context nothing is forgotten.
    pub async fn leave(self) -> Result<(), DevToolsError> {
        if let Some(context) = &self.context {
            let which = json!({ "browserContextId": context });
            self.devtools.call(None, "Target.disposeBrowserContext", which).await?;
        }
        Ok(())
    }

    fn with(&self, mut arguments: Value) -> Value {
        if let (Some(context), Some(arguments)) = (&self.context, arguments.as_object_mut()) {
            arguments.insert("browserContextId".to_owned(), context.as_str().into());
        }
        arguments
    }
}

impl Tab {
    async fn attach(devtools: DevTools, target: String) -> Result<Self, DevToolsError> {
        let how = json!({ "targetId": target, "flatten": true });
        let attached = devtools.call(None, "Target.attachToTarget", how).await?;
        let session = member(&attached, "Target.attachToTarget", "sessionId")?;
        let log = devtools.log(&session);
        let tab = Self { devtools, session, log };
        tab.call("Page.enable", json!({})).await?;
        tab.call("Network.enable", json!({})).await?;
        Ok(tab)
    }

    /// Sends a command to this tab.
    pub async fn call(&self, method: &str, arguments: Value) -> Result<Value, DevToolsError> {
        self.devtools.call(Some(&self.session), method, arguments).await
    }

    /// Opens an address and waits until the page has loaded.
    pub async fn go(&self, url: &str) -> Result<Landed, DevToolsError> {
        let mark = self.mark();
        let answer = self.call("Page.navigate", json!({ "url": url })).await?;
        match answer.get("errorText").and_then(Value::as_str) {
            Some(text) if !text.is_empty() => {
                Err(DevToolsError::Refused { method: format!("opening {url}"), text: text.to_owned() })
            }
            _ => self.landed(mark).await,
        }
    }

    /// Runs a script that leads to another page, and waits until that has loaded.
    pub async fn follow(&self, script: &str) -> Result<Landed, DevToolsError> {
        let mark = self.mark();
        self.run(script).await?;
        self.landed(mark).await
    }

    /// Loads the page again.
    pub async fn reload(&self) -> Result<Landed, DevToolsError> {
        let mark = self.mark();
        self.call("Page.reload", json!({})).await?;
        self.landed(mark).await
    }

    /// Waits for the page that something done since `mark` leads to.
    pub async fn landed(&self, mark: usize) -> Result<Landed, DevToolsError> {
        self.log.wait(mark, "a page to load", landing).await
    }

    /// Runs a script in the page and waits for its value, also where that is a promise.
    pub async fn run(&self, script: &str) -> Result<Value, DevToolsError> {
        let how = json!({ "expression": script, "awaitPromise": true, "returnByValue": true, "userGesture": true });
        let answer = self.call("Runtime.evaluate", how).await?;
        if let Some(thrown) = answer.get("exceptionDetails") {
            let text = thrown.pointer("/exception/description").or_else(|| thrown.get("text"));
            let text = text.and_then(Value::as_str).unwrap_or_default().to_owned();
            return Err(DevToolsError::Refused { method: "a script in the page".to_owned(), text });
        }
        Ok(answer.pointer("/result/value").cloned().unwrap_or_default())
    }

    /// As [`run`](Self::run), for a script whose value is text; anything else is empty.
    pub async fn read(&self, script: &str) -> Result<String, DevToolsError> {
        Ok(self.run(script).await?.as_str().unwrap_or_default().to_owned())
    }

    /// What the page shows.
    pub async fn text(&self) -> Result<String, DevToolsError> {
        self.read("document.body ? document.body.innerText : ''").await
    }

    /// Asks the page's own site from within the page. Needs [`ignore_policy`](Self::ignore_policy) where that forbids it.
    pub async fn ask(&self, method: &str, path: &str, form: &str) -> Result<Answer, DevToolsError> {
        let body = if method == "GET" { Value::Null } else { form.into() };
        let script = format!(
            "fetch({path}, {{ method: {method}, body: {body}, headers: {{ Accept: 'application/json', \
             'Content-Type': 'application/x-www-form-urlencoded' }}, redirect: 'manual' }})\
             .then(async answer => [answer.status, await answer.text()])",
            path = json!(path),
            method = json!(method),
        );
        let answer = self.run(&script).await?;
        let text = answer.get(1).and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(Answer { status: answer.get(0).and_then(Value::as_u64).unwrap_or_default(), text })
    }

    /// Lets scripts run in the pages to come, whatever their content security policy says: what is shown then does not
    /// depend on that policy.
    pub async fn ignore_policy(&self) -> Result<(), DevToolsError> {
        self.call("Page.setBypassCSP", json!({ "enabled": true })).await.map(drop)
    }

    /// Lets no page run a script any more. Our own looking at them still works.
    pub async fn without_scripts(&self) -> Result<(), DevToolsError> {
        self.call("Emulation.setScriptExecutionDisabled", json!({ "value": true })).await.map(drop)
    }

    /// Sends another `User-Agent` from now on.
    pub async fn call_itself(&self, user_agent: &str) -> Result<(), DevToolsError> {
        self.call("Emulation.setUserAgentOverride", json!({ "userAgent": user_agent })).await.map(drop)
    }

    /// Presses a key.
    pub async fn press(&self, key: Key) -> Result<(), DevToolsError> {
        let (name, code, text) = match key {
            Key::Tab => ("Tab", 9, ""),
            Key::Enter => ("Enter", 13, "\r"),
        };
        let how = |kind: &str| json!({ "type": kind, "key": name, "code": name, "windowsVirtualKeyCode": code, "text": text });
        self.call("Input.dispatchKeyEvent", how(if text.is_empty() { "rawKeyDown" } else { "keyDown" })).await?;
        self.call("Input.dispatchKeyEvent", how("keyUp")).await.map(drop)
    }

    /// Types text into whatever has the focus.
    pub async fn type_text(&self, text: &str) -> Result<(), DevToolsError> {
        for letter in text.chars() {
            let how = json!({ "type": "char", "text": letter });
            self.call("Input.dispatchKeyEvent", how).await?;
        }
        Ok(())
    }

    /// A picture of the page, as far as the window shows it.
    ///
    /// # Errors
    /// Also where the file cannot be written.
    pub async fn picture(&self, folder: &Path, name: &str) -> Result<PathBuf, DevToolsError> {
        let answer = self.call("Page.captureScreenshot", json!({ "format": "png" })).await?;
        let data = member(&answer, "Page.captureScreenshot", "data")?;
        let path = folder.join(format!("{name}.png"));
        let bytes = BASE64_STANDARD.decode(data).map_err(|error| DevToolsError::Picture(io::Error::other(error)))?;
        std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&path, bytes)).map_err(DevToolsError::Picture)?;
        Ok(path)
    }

    /// This moment in the tab's events.
    pub fn mark(&self) -> usize {
        self.log.mark()
    }

    /// What the tab was told since `mark`.
    pub fn events(&self, mark: usize) -> Vec<Event> {
        self.log.since(mark)
    }

    /// What went over the wire since `mark`.
    pub fn exchanges(&self, mark: usize) -> Vec<Exchange> {
        Exchange::all(&self.log.since(mark))
    }

    /// The same, once every page that was asked for since `mark` was answered.
    pub async fn answered(&self, mark: usize) -> Result<Vec<Exchange>, DevToolsError> {
        self.wait(mark, "the headers of all pages", Exchange::answered).await
    }

    /// Waits for something in the tab's events since `mark`.
    pub async fn wait<T>(
        &self,
        mark: usize,
        what: &str,
        find: impl Fn(&[Event]) -> Option<T>,
    ) -> Result<T, DevToolsError> {
        self.log.wait(mark, what, find).await
    }
}

impl Opened {
    /// Those tabs.
    pub fn tabs(&self) -> Vec<Tab> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Pictures of the tabs that still are open, and where each is.
    pub async fn pictures(&self, folder: &Path, name: &str) -> Vec<String> {
        let tabs = self.tabs();
        let mut pictures = Vec::new();
        for (number, tab) in tabs.iter().enumerate() {
            let Ok(url) = tab.read("location.href").await else { continue };
            if let Ok(path) = tab.picture(folder, &format!("{name}-{number}")).await {
                pictures.push(format!("{url} looked like {}", path.display()));
            }
        }
        pictures
    }
}

impl Landed {
    /// Path and query.
    pub fn path(&self) -> &str {
        let rest = self.url.split_once("://").map_or(self.url.as_str(), |(_, rest)| rest);
        rest.find('/').and_then(|start| rest.get(start..)).unwrap_or("/")
    }
}

/// The last document answered for, once its page has loaded.
fn landing(events: &[Event]) -> Option<Landed> {
    let loaded = events.iter().rposition(|event| event.name == "Page.loadEventFired")?;
    let before = events.get(..loaded)?;
    let document =
        before.iter().rfind(|event| event.name == "Network.responseReceived" && event.text("/type") == "Document")?;
    let status = document.body.pointer("/response/status").and_then(Value::as_u64).unwrap_or_default();
    Some(Landed { url: document.text("/response/url").to_owned(), status })
}

fn member(answer: &Value, method: &'static str, member: &'static str) -> Result<String, DevToolsError> {
    let text = answer.get(member).and_then(Value::as_str).map(str::to_owned);
    text.ok_or(DevToolsError::Incomplete { method, member })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_landing_is_the_last_document_before_the_last_load() {
        let event = |name: &str, body| Event { name: name.to_owned(), body };
        let document = |url: &str, status: u64| {
            event(
                "Network.responseReceived",
                json!({ "type": "Document", "response": { "url": url, "status": status } }),
            )
        };
        let image =
            event("Network.responseReceived", json!({ "type": "Image", "response": { "url": "i", "status": 200 } }));
        let load = || event("Page.loadEventFired", json!({}));
        assert!(landing(&[document("https://a/", 200)]).is_none());
        let landed = landing(&[document("https://a.test/x?y=1", 404), image, load()]).unwrap();
        assert_eq!((landed.status, landed.path()), (404, "/x?y=1"));
    }
}
