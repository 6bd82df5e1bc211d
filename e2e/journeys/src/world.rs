//! Everything a case visits: one browser for all of them, and for each case a house of its own.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use counterfoil_browser::{
    chromium::{Believes, Chromium, Launch},
    devtools::{DevToolsError, Event},
    form::fill,
    jar::Cookie,
    tab::{Landed, Opened, Person, Tab},
};
use counterfoil_proxies::{
    house::{House, Over, Plan},
    kind::Kind,
    process::Process,
    site::HOST,
    tls::Tls,
};
use serde_json::json;
use tempfile::TempDir;

use crate::{
    app::App,
    case::Case,
    spoil::Spoil,
    verdict::{Failure, promise},
};

/// The browser, and what all houses share. Dropping it ends the browser.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) browser: Chromium,
    pub(crate) pictures: PathBuf,
    pub(crate) counterfoil: PathBuf,
    tls: Tls,
    _profile: TempDir,
}

/// An app behind the gateway behind a proxy. Dropping it ends them.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) world: Arc<World>,
    pub(crate) house: House,
    pub(crate) app: App,
    /// The tabs of the case.
    pub(crate) opened: Opened,
    _proxy: Process,
}

impl World {
    /// Starts a browser that believes one certificate of ours, and finds nothing beyond this machine.
    ///
    /// # Errors
    /// What could not be started.
    pub(crate) async fn open(counterfoil: &Path, chromium: &Path, pictures: &Path) -> Result<Self, Failure> {
        let tls = Tls::new(HOST)?;
        let key = BASE64_STANDARD.encode(digest(&SHA256, tls.public_key()));
        let launch = Launch {
            program: chromium.to_owned(),
            // Names below localhost are this machine's in every browser.
            rules: "MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE *.localhost, EXCLUDE 127.0.0.1".to_owned(),
            believes: Believes::Keys(vec![key]),
        };
        let profile = tempfile::tempdir()?;
        let browser = launch.start(profile.path()).await?;
        let (counterfoil, pictures) = (counterfoil.to_owned(), pictures.to_owned());
        Ok(Self { browser, pictures, counterfoil, tls, _profile: profile })
    }
}

impl Stage {
    /// Opens a house for a case behind a proxy of this kind; where it is spoiled, with that mistake in it.
    ///
    /// # Errors
    /// What could not be started.
    pub(crate) async fn open(
        world: Arc<World>,
        case: Case,
        kind: Kind,
        spoil: Option<&'static Spoil>,
        opened: Opened,
    ) -> Result<Self, Failure> {
        let app = App::open().await?;
        let (upstream, shared) = (app.address, Arc::clone(&world));
        // Programs are waited for.
        let house = tokio::task::spawn_blocking(move || {
            let rules = format!("{RULES}{}{}", case.policy, spoil.map_or("", |spoil| spoil.policy));
            let (counterfoil, over) = (shared.counterfoil.as_path(), Over::Https(&shared.tls));
            let house = House::open(Plan { kind, counterfoil, over, upstream, rules: &rules, people: case.people })?;
            if let Some(spoil) = spoil {
                spoil.apply(house.folder())?;
            }
            let proxy = house.ready()?;
            Ok::<_, Failure>((house, proxy))
        });
        let (house, proxy) = house.await.map_err(std::io::Error::other)??;
        app.heard();
        Ok(Self { world, house, app, opened, _proxy: proxy })
    }

    /// An address behind the proxy.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.house.origin)
    }

    /// Somebody with an empty jar.
    pub(crate) async fn stranger(&self) -> Result<(Person, Tab), DevToolsError> {
        let person = Person::stranger(self.world.browser.devtools(), self.opened.clone()).await?;
        let tab = self.tab(&person).await?;
        Ok((person, tab))
    }

    /// Another tab of theirs, whose console is listened to.
    pub(crate) async fn tab(&self, person: &Person) -> Result<Tab, DevToolsError> {
        let tab = person.tab().await?;
        tab.call("Log.enable", json!({})).await?;
        tab.call("Runtime.enable", json!({})).await?;
        Ok(tab)
    }

    /// Somebody who has just signed in, in the tab they did it in; it shows the app.
    pub(crate) async fn member(&self, name: &str) -> Result<(Person, Tab), Failure> {
        let (person, tab) = self.stranger().await?;
        self.sign_in(&tab, name, self.house.password(name)).await?;
        Ok((person, tab))
    }

    /// Signs in by the form that the app's page leads to.
    pub(crate) async fn sign_in(&self, tab: &Tab, name: &str, password: &str) -> Result<(), Failure> {
        tab.go(&self.at("/page")).await?;
        let landed = tab.follow(&credentials(name, password)).await?;
        promise("a right password signs in, and leads back", landed.path() == "/page" && landed.status == 200, || {
            seen(&landed)
        })
    }

    /// Who the app says it is; nobody where its page leads to the sign-in page.
    pub(crate) async fn who(&self, tab: &Tab) -> Result<Option<String>, Failure> {
        let landed = tab.go(&self.at("/page")).await?;
        if landed.path().starts_with("/.session/login?next=") {
            return Ok(None);
        }
        promise("a page is the app's or the sign-in page", landed.path() == "/page" && landed.status == 200, || {
            seen(&landed)
        })?;
        let text = tab.text().await?;
        let name = text.split_once("You are ").and_then(|(_, rest)| rest.split_whitespace().next());
        Ok(name.map(str::to_owned))
    }

    /// The session cookie, which has to be there.
    pub(crate) async fn cookie(&self, person: &Person) -> Result<Cookie, Failure> {
        person.cookie(COOKIE).await?.ok_or(Failure::Broken {
            promise: "a signed-in browser has the session cookie",
            seen: format!("its jar has no {COOKIE}"),
        })
    }

    /// What no page may cause: something in the console, or a part of it that did not come.
    pub(crate) fn complaints(&self) -> Vec<String> {
        self.opened.tabs().iter().flat_map(|tab| complaints(&tab.events(0))).collect()
    }

    /// What was logged, for a case that failed.
    pub(crate) fn printed(&self) -> String {
        let log = fs::read_to_string(self.house.folder().join("gateway.log")).unwrap_or_default();
        let lines: Vec<_> = log.lines().filter(|line| line.contains("WARN") || line.contains("ERROR")).collect();
        lines.into_iter().rev().take(5).collect::<Vec<_>>().join("\n  ")
    }
}

/// A script that fills in the sign-in form and sends it.
pub(crate) fn credentials(name: &str, password: &str) -> String {
    fill("/.session/login", &[("username", name), ("password", password)])
}

/// Where a navigation ended, for the report.
pub(crate) fn seen(landed: &Landed) -> String {
    format!("it led to {} with status {}", landed.path(), landed.status)
}

fn complaints(events: &[Event]) -> Vec<String> {
    let said = events.iter().filter_map(|event| match event.name.as_str() {
        // Documents themselves may be 401, 403 and 404.
        "Log.entryAdded" if event.text("/entry/source") != "network" => Some(event.text("/entry/text").to_owned()),
        "Runtime.exceptionThrown" => Some(event.text("/exceptionDetails/text").to_owned()),
        "Runtime.consoleAPICalled" => Some(event.body.to_string()),
        "Network.responseReceived" => {
            let status = event.body.pointer("/response/status").and_then(serde_json::Value::as_u64);
            let part = ["Stylesheet", "Image", "Script", "Font"].contains(&event.text("/type"));
            (part && status.is_none_or(|status| status >= 400)).then(|| event.text("/response/url").to_owned())
        }
        _ => None,
    });
    said.collect()
}

/// The cookie of a site of its own over https.
pub(crate) const COOKIE: &str = "__Host-Http-id";

/// The last rule is for what the others leave.
const RULES: &str = "\
[[apps.app.rules]]
path = \"/public/*\"
access = \"public\"
[[apps.app.rules]]
path = \"/admin/*\"
access = \"step-up\"
[[apps.app.rules]]
path = \"/*\"
access = \"signed-in\"
";
