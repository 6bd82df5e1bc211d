//! From settings to a configuration: whatever contradicts itself, or cannot be meant, is named.

mod app;
mod listen;
mod near_cache;

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use counterfoil::geo::GeoSettings;
use counterfoil_core::origin::Origin;
use counterfoil_serve::detector::DetectorSettings;
use counterfoil_serve::place as store;
use serde::de::DeserializeOwned;

use super::Config;
use super::error::{ConfigError, Mistake};
use super::reader::{Found, read};
use super::settings::Settings;
use super::tree::{Node, Place, Value};
use crate::app::AppConfig;

/// A configuration without mistakes, and what somebody should know about it.
#[derive(Debug, Clone)]
pub struct Checked {
    /// What is in force.
    pub config: Config,
    /// What may not be meant.
    pub warnings: Vec<Mistake>,
    /// What nobody said, and the gateway assumed: a key and its value.
    pub assumed: Vec<(String, String)>,
}

/// Checks a whole tree. `folder` is the one that relative paths begin in.
pub(super) fn check(tree: &Node, folder: &Path) -> Result<Checked, ConfigError> {
    let checking = Checking { tree, mistakes: Found::default(), warnings: RefCell::default() };
    let config = checking.config(folder);
    let mut mistakes = checking.mistakes.into_inner();
    match config {
        Some(config) if mistakes.is_empty() => {
            let warnings = checking.warnings.into_inner();
            Ok(Checked { config, warnings, assumed: assumed(tree, "") })
        }
        _ => {
            // A mistake in the common policy is found once for each app.
            let mut told: Vec<Mistake> = Vec::new();
            mistakes.retain(|mistake| {
                let first = !told.contains(mistake);
                told.push(mistake.clone());
                first
            });
            Err(ConfigError::Mistakes(mistakes))
        }
    }
}

/// What is looked at, and what was found.
struct Checking<'a> {
    tree: &'a Node,
    mistakes: Found,
    warnings: RefCell<Vec<Mistake>>,
}

impl Checking<'_> {
    fn config(&self, folder: &Path) -> Option<Config> {
        let settings: Option<Settings> = self.read(self.tree, "");
        let apps = self.apps();
        let settings = settings?;
        let proxies = apps.iter().flat_map(|app| app.trusted_proxies.iter().map(String::as_str));
        let (listen, proxy_protocol) = self.listen(&settings.listen, &settings.danger, proxies)?;
        let data = self.data(&settings.data, folder)?;
        let store = match settings.store {
            Some(store) => Some(self.store(&store, folder)?),
            None => None,
        };
        let near_cache = self.near_cache(settings.near_cache.as_ref(), store.as_ref())?;
        let apps = apps.into_iter().map(|app| app.config).collect();
        let (limits, geo) = (settings.limits, self.geo(settings.geo, folder)?);
        // What is written lies with the rest of the gateway's data, unless somebody says otherwise.
        let events = settings.events.within(&data);
        let detector = match settings.detector {
            Some(detector) => Some(self.detector(detector, folder)?),
            None => None,
        };
        Some(Config { data, store, near_cache, limits, geo, events, detector, listen, proxy_protocol, apps })
    }

    fn data(&self, text: &str, folder: &Path) -> Option<PathBuf> {
        if text.is_empty() {
            return self.wrong("data", "is empty; name the folder of sessions, keys and accounts");
        }
        Some(folder.join(text))
    }

    fn store(&self, text: &str, folder: &Path) -> Option<store::Place> {
        match text.parse() {
            Ok(store::Place::Embedded(sessions)) => Some(store::Place::Embedded(folder.join(sessions))),
            Ok(place) => Some(place),
            // What was written may have a password in it.
            Err(why) => self.wrong("store", why.to_string()),
        }
    }

    /// Whether the files are any good is seen when they are read.
    fn geo(&self, settings: GeoSettings, folder: &Path) -> Option<GeoSettings> {
        let named = [("city", &settings.city), ("asn", &settings.asn), ("networks", &settings.networks)];
        let empty = |path: &PathBuf| path.as_os_str().is_empty();
        if let Some((key, _)) = named.into_iter().find(|(_, path)| path.as_ref().is_some_and(empty)) {
            return self.wrong(&format!("geo.{key}"), "is empty; name the file, or remove the key");
        }
        Some(settings.within(folder))
    }

    /// As for places: its files are read when it is opened.
    fn detector(&self, settings: DetectorSettings, folder: &Path) -> Option<DetectorSettings> {
        match settings.check() {
            Ok(()) => Some(settings.within(folder)),
            Err(why) => self.wrong(&format!("detector.{}", why.key()), why.to_string()),
        }
    }

    /// The apps without mistakes of their own.
    fn apps(&self) -> Vec<app::Read> {
        let Some(node) = self.tree.get("apps") else {
            self.wrong::<()>(
                "apps",
                "nothing is protected: add a table such as [apps.wiki] with origins, proxy and rules",
            );
            return Vec::new();
        };
        let Value::Table(entries) = &node.value else {
            self.wrong::<()>(
                "apps",
                format!("wants a table for each app, such as [apps.wiki], and is {}", node.value.described()),
            );
            return Vec::new();
        };
        if entries.is_empty() {
            self.wrong::<()>(
                "apps",
                "nothing is protected: add a table such as [apps.wiki] with origins, proxy and rules",
            );
        }
        let apps: Vec<_> = entries.iter().filter_map(|(name, node)| self.app(name, node)).collect();
        self.apart(apps.iter().map(|app| &app.config));
        apps
    }

    /// Apps do not share an origin; those that share a host share cookies.
    fn apart<'a>(&self, apps: impl Iterator<Item = &'a AppConfig>) {
        let (mut origins, mut hosts) = (HashMap::<&Origin, &AppConfig>::new(), HashMap::<&str, &AppConfig>::new());
        for app in apps {
            let key = format!("apps.{}.origins", app.name);
            for origin in app.policy.public_origins().iter() {
                let (there, host) = (origins.insert(origin, app), hosts.insert(origin.host(), app));
                if let Some(other) = there {
                    let where_else = self.tree.place_of(&format!("apps.{}.origins", other.name));
                    let text = format!(
                        "{origin} is also an origin of apps.{} ({where_else}); a request must tell whose it is",
                        other.name
                    );
                    self.wrong::<()>(&key, text);
                } else if let Some(other) = host.filter(|other| other.name != app.name) {
                    let text = format!(
                        "{origin} shares its host with apps.{}: browsers send each the other's cookies, so whoever is \
                         signed in to one is signed in to both",
                        other.name
                    );
                    self.doubtful(&key, text);
                }
            }
        }
    }

    fn read<T: DeserializeOwned>(&self, node: &Node, key: &str) -> Option<T> {
        read(node, key, &self.mistakes).map_err(|mistake| self.mistakes.borrow_mut().push(mistake)).ok()
    }

    /// Notes what is wrong with the value at a dotted path.
    fn wrong<T>(&self, path: &str, text: impl Into<String>) -> Option<T> {
        self.mistakes.borrow_mut().push(self.mistake(path, text));
        None
    }

    fn doubtful(&self, path: &str, text: impl Into<String>) {
        self.warnings.borrow_mut().push(self.mistake(path, text));
    }

    fn mistake(&self, path: &str, text: impl Into<String>) -> Mistake {
        Mistake::new(self.tree.place_of(path), key(path), text)
    }
}

/// A dotted path as people read it: `rules.1` is `rules[1]`.
fn key(path: &str) -> String {
    path.split('.').fold(String::new(), |key, part| match part.parse::<usize>() {
        Ok(index) => format!("{key}[{index}]"),
        Err(_) if key.is_empty() => part.to_owned(),
        Err(_) => format!("{key}.{part}"),
    })
}

/// What stands nowhere, and is in force.
fn assumed(node: &Node, path: &str) -> Vec<(String, String)> {
    match &node.value {
        Value::Table(entries) => {
            let below = |(name, node): &(String, Node)| {
                assumed(node, &if path.is_empty() { name.clone() } else { format!("{path}.{name}") })
            };
            entries.iter().flat_map(below).collect()
        }
        Value::List(nodes) => {
            nodes.iter().enumerate().flat_map(|(index, node)| assumed(node, &format!("{path}.{index}"))).collect()
        }
        value if node.place == Place::Assumed => vec![(key(path), value.described())],
        _ => Vec::new(),
    }
}
