//! Where a configuration comes from: a file, the environment above it; or, with neither, what is assumed.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::check::{Checked, check};
use super::error::{ConfigError, Mistake};
use super::tree::{Node, Place, Value};

/// What the names of variables begin with: `COUNTERFOIL__LISTEN__PUBLIC` is `listen.public`.
pub const VARIABLES: &str = "COUNTERFOIL__";

/// What the environment says: variables that begin with [`VARIABLES`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment(Vec<(String, String)>);

/// What was asked for on the command line, where there is no file: one app, for whoever is signed in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// `--origin`
    pub origins: Vec<String>,
    /// `--upstream`
    pub upstream: Option<String>,
    /// `--proxy`
    pub proxy: Option<String>,
    /// `--data`
    pub data: Option<PathBuf>,
}

/// Reads and checks a file, and what the environment says above it.
///
/// # Errors
/// [`ConfigError`] names every mistake that was found.
///
/// # Examples
/// ```
/// use counterfoil_gateway::config::{Environment, read};
///
/// let folder = tempfile::tempdir()?;
/// let file = folder.path().join("counterfoil.toml");
/// std::fs::write(&file, r#"
///     data = "data"
///     [apps.wiki]
///     origins = ["https://wiki.example"]
///     proxy = "nginx"
///     [[apps.wiki.rules]]
///     path = "/*"
///     access = "signed-in"
/// "#)?;
/// let variables = Environment::new([("COUNTERFOIL__LISTEN__PUBLIC", "127.0.0.1:9999")]);
/// let checked = read(&file, &variables)?;
/// assert_eq!(checked.config.listen.public.port(), 9_999);
///
/// std::fs::write(&file, "data = \"data\"\n[apps.wiki]\nproxy = \"ngnix\"")?;
/// let mistakes = read(&file, &variables).unwrap_err().to_string();
/// assert!(mistakes.ends_with(":3: apps.wiki.proxy: `ngnix` is none of nginx, traefik, caddy, haproxy, envoy, envoy-grpc; \
///     did you mean `nginx`?"), "{mistakes}");
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub fn read(file: &Path, environment: &Environment) -> Result<Checked, ConfigError> {
    let unreadable = |source| ConfigError::Unreadable { path: file.to_owned(), source };
    let text = std::fs::read_to_string(file).map_err(unreadable)?;
    read_text(file, &text, environment)
}

/// As [`read`], of a file that holds `text`.
pub(super) fn read_text(file: &Path, text: &str, environment: &Environment) -> Result<Checked, ConfigError> {
    let mut tree = Node::parse(file, text)?;
    environment.above(&mut tree)?;
    check(&tree, file.parent().unwrap_or(Path::new("")))
}

/// What is assumed where there is no file, the environment above it, and above that the command line.
///
/// # Errors
/// As [`read`].
pub fn assume(asked: &Asked, environment: &Environment) -> Result<Checked, ConfigError> {
    let mut tree = Node::empty(Place::Assumed);
    let mut assumed = |path: &[&str], value: Value| tree.set(path, &Place::Assumed, value);
    let text = |text: &str| Value::Text(text.to_owned());
    let data = counterfoil_serve::keep::state_folder("gateway");
    assumed(&["data"], Value::Text(data.to_string_lossy().into_owned()));
    assumed(&["apps", "app", "origins"], list(&[ASSUMED_ORIGIN], &Place::Assumed));
    assumed(&["apps", "app", "upstream"], text(ASSUMED_UPSTREAM));
    assumed(&["apps", "app", "proxy"], text("nginx"));
    assumed(&["apps", "app", "rules"], Value::List(Vec::new()));
    assumed(&["apps", "app", "rules", "0", "path"], text("/*"));
    assumed(&["apps", "app", "rules", "0", "access"], text("signed-in"));
    environment.above(&mut tree)?;

    let mut option = |name, path: &[&str], value: Option<Value>| {
        if let Some(value) = value {
            tree.set(path, &Place::Option(name), value);
        }
    };
    let given = |text: &Option<String>| text.clone().map(Value::Text);
    let origins = (!asked.origins.is_empty()).then(|| {
        let origins: Vec<_> = asked.origins.iter().map(String::as_str).collect();
        list(&origins, &Place::Option("--origin"))
    });
    option("--origin", &["apps", "app", "origins"], origins);
    option("--upstream", &["apps", "app", "upstream"], given(&asked.upstream));
    option("--proxy", &["apps", "app", "proxy"], given(&asked.proxy));
    let data = asked.data.as_ref().map(|data| Value::Text(data.to_string_lossy().into_owned()));
    option("--data", &["data"], data);
    check(&tree, Path::new(""))
}

/// The origin, where nobody named one.
pub const ASSUMED_ORIGIN: &str = "http://127.0.0.1:8080";
/// Where the app is, where nobody said.
pub const ASSUMED_UPSTREAM: &str = "http://127.0.0.1:3000";

impl Environment {
    /// These variables, if their names begin with [`VARIABLES`].
    pub fn new<N: Into<String>, T: Into<String>>(variables: impl IntoIterator<Item = (N, T)>) -> Self {
        let variables = variables.into_iter().map(|(name, text)| (name.into(), text.into()));
        let mut ours: Vec<(String, String)> = variables.filter(|(name, _)| name.starts_with(VARIABLES)).collect();
        // A list's elements in their order, whatever the order of the environment is.
        ours.sort();
        Self(ours)
    }

    /// Those of this process.
    pub fn of_process() -> Self {
        let lossy = |text: OsString| text.to_string_lossy().into_owned();
        Self::new(std::env::vars_os().map(|(name, text)| (lossy(name), lossy(text))))
    }

    /// Whether it says nothing.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn above(&self, tree: &mut Node) -> Result<(), Mistake> {
        for (name, text) in &self.0 {
            let place = Place::Variable(Arc::from(name.as_str()));
            let key = name.get(VARIABLES.len()..).unwrap_or_default().to_lowercase();
            let path: Vec<&str> = key.split("__").collect();
            if path.iter().any(|key| key.is_empty()) {
                let text = format!("this names no key; write {VARIABLES}LISTEN__PUBLIC for listen.public");
                return Err(Mistake::new(place, "", text));
            }
            tree.set(&path, &place, Value::Raw(text.clone()));
        }
        Ok(())
    }
}

fn list(texts: &[&str], place: &Place) -> Value {
    let node = |text: &&str| Node { place: place.clone(), value: Value::Text((*text).to_owned()) };
    Value::List(texts.iter().map(node).collect())
}
