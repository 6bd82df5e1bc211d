//! Everything the cases visit: one browser for most of them, the demos, and the sites of strangers, all on loopback.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use counterfoil_browser::{
    chromium::{Believes, Chromium, Launch},
    devtools::DevToolsError,
    form::fill,
    tab::{Landed, Opened, Person, Tab},
    waiting,
};
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    demo::{Demo, House},
    imitation::Defect,
    stranger::Stranger,
    verdict::{Failure, promise},
};

/// All of it. Dropping it ends every process.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) browser: Chromium,
    pub(crate) launch: Launch,
    pub(crate) stranger: Stranger,
    /// Where pictures go.
    pub(crate) pictures: PathBuf,
    /// The program that watches demos.
    pub(crate) prometheus: PathBuf,
    demos: HashMap<House, Demo>,
    _profile: TempDir,
}

/// The site a case is about: a demo, or an imitation of one.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    pub(crate) host: String,
    pub(crate) origin: String,
    /// What the names of its cookies begin with.
    prefix: &'static str,
}

/// What a case gets.
#[derive(Debug, Clone)]
pub(crate) struct Stage {
    pub(crate) world: Arc<World>,
    pub(crate) site: Site,
    /// Its tabs.
    pub(crate) opened: Opened,
}

impl World {
    /// Starts the demos that are needed, then a browser that finds them by name, and nothing beyond this machine.
    ///
    /// # Errors
    /// What could not be started.
    pub(crate) async fn open(
        demo: &Path,
        chromium: &Path,
        houses: impl IntoIterator<Item = House>,
        pictures: &Path,
        prometheus: &Path,
    ) -> Result<Self, Failure> {
        let mut demos = HashMap::new();
        for house in houses {
            if let std::collections::hash_map::Entry::Vacant(free) = demos.entry(house) {
                free.insert(Demo::start(demo, house).await?);
            }
        }
        let stranger = Stranger::open().await?;
        let launch =
            Launch { program: chromium.to_owned(), rules: rules(&demos, &stranger), believes: Believes::Anyone };
        let profile = tempfile::tempdir()?;
        allow_third_parties(profile.path())?;
        let browser = launch.start(profile.path()).await?;
        let (pictures, prometheus) = (pictures.to_owned(), prometheus.to_owned());
        Ok(Self { browser, launch, stranger, pictures, prometheus, demos, _profile: profile })
    }

    /// A demo, for what is done to it from outside.
    pub(crate) fn demo(&self, house: House) -> Result<&Demo, Failure> {
        self.demos.get(&house).ok_or_else(|| std::io::Error::other("that demo was not started").into())
    }

    /// A demo as a site.
    pub(crate) fn site(&self, house: House) -> Site {
        let host = house.host();
        if house.is_https() {
            return Site::https(host);
        }
        let port = self.demos.get(&house).map_or(0, |demo| demo.port);
        Site { host: host.to_owned(), origin: format!("http://{host}:{port}"), prefix: "dev-" }
    }
}

impl Site {
    /// A site at the usual port.
    pub(crate) fn https(host: &str) -> Self {
        Self { host: host.to_owned(), origin: format!("https://{host}"), prefix: "__Host-Http-" }
    }

    /// An imitation of the demo.
    pub(crate) fn imitation(defect: Defect) -> Self {
        Self { prefix: "sid-", ..Self::https(&defect.host()) }
    }

    /// An address on it.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// The name of a cookie of ours: `id`, `el` or `an`.
    pub(crate) fn cookie(&self, which: &str) -> String {
        format!("{}{which}", self.prefix)
    }
}

impl Stage {
    /// Somebody with an empty jar.
    pub(crate) async fn stranger(&self) -> Result<Person, DevToolsError> {
        Person::stranger(self.world.browser.devtools(), self.opened.clone()).await
    }

    /// Somebody who has just signed in as ada, and the tab they did it in. Its scripts may talk to the site.
    pub(crate) async fn member(&self) -> Result<(Person, Tab), Failure> {
        let person = self.stranger().await?;
        let tab = person.tab().await?;
        tab.ignore_policy().await?;
        self.sign_in(&tab).await?;
        Ok((person, tab))
    }

    /// Signs in by the form.
    pub(crate) async fn sign_in(&self, tab: &Tab) -> Result<Landed, Failure> {
        tab.go(&self.site.at("/login")).await?;
        let landed = tab.follow(&fill("/login", &[("username", "ada"), ("password", "ada-demo-1")])).await?;
        promise("a right password signs in", landed.path() == "/" && landed.status == 200, || {
            format!("it led to {} with status {}", landed.path(), landed.status)
        })?;
        Ok(landed)
    }

    /// Who the site says it is, by a navigation to `/me`; nobody where it leads elsewhere.
    pub(crate) async fn who(&self, tab: &Tab) -> Result<Option<String>, DevToolsError> {
        let landed = tab.go(&self.site.at("/me")).await?;
        if landed.path() != "/me" || landed.status != 200 {
            return Ok(None);
        }
        let me: Value = serde_json::from_str(&tab.text().await?).unwrap_or_default();
        Ok(me.get("subject").and_then(Value::as_str).map(str::to_owned))
    }

    /// The session cookie, which has to be there.
    pub(crate) async fn session_cookie(&self, person: &Person) -> Result<counterfoil_browser::jar::Cookie, Failure> {
        let name = self.site.cookie("id");
        person.cookie(&name).await?.ok_or(Failure::Broken {
            promise: "a signed-in browser has the session cookie",
            seen: format!("its jar has no {name}"),
        })
    }
}

/// Asks again and again until the answer is there.
///
/// # Errors
/// Those of asking, or that it never is.
pub(crate) async fn until<T, F: Future<Output = Result<Option<T>, Failure>>>(
    what: &str,
    ask: impl FnMut() -> F,
) -> Result<T, Failure> {
    waiting::until(what, ask).await
}

/// Every person of this browser is a private window, which would withhold cookies from other sites' requests whatever
/// their `SameSite`: then nothing would be shown about that.
fn allow_third_parties(profile: &Path) -> std::io::Result<()> {
    let folder = profile.join("Default");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("Preferences"), r#"{"profile":{"cookie_controls_mode":0}}"#)
}

/// Demos by name, plain http and all other names to the strangers: nothing leaves this machine.
fn rules(demos: &HashMap<House, Demo>, stranger: &Stranger) -> String {
    let houses = demos.iter().filter(|(house, _)| house.is_https());
    let houses = houses.map(|(house, demo)| format!("MAP {}:443 127.0.0.1:{}", house.host(), demo.port));
    let others = [format!("MAP *:443 127.0.0.1:{}", stranger.https), format!("MAP *:80 127.0.0.1:{}", stranger.http)];
    houses.chain(others).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_named_as_the_site_names_them() {
        assert_eq!(Site::https("a.test").cookie("id"), "__Host-Http-id");
        assert_eq!(Site::imitation(Defect::Wide).cookie("el"), "sid-el");
    }
}
