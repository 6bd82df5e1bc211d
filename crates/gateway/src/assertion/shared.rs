//! The keys that an app which verifies HS256 shares with the gateway, for the app's configuration.

use std::fmt;
use std::path::{Path, PathBuf};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use counterfoil::FileKeys;
use counterfoil::keys::KeyError;
use counterfoil::{Clock, Moment};
use zeroize::Zeroizing;

use super::keys::SigningKeys;
use crate::app::{Algorithm, AppName};
use crate::config::Config;
use crate::private::{self, FileProblem};

/// One app's keys, each with its `kid`: the one that signs first, then those that will or did.
///
/// # Security
/// Who has them can make assertions for this app, and for no other. `Debug` shows none of them.
pub struct SharedKeys {
    text: Zeroizing<String>,
    kids: Vec<String>,
}

/// Why there is nothing to share.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoSharedKeys {
    /// Name one that is configured.
    #[error("there is no app `{app}`; the configuration has {known}")]
    NoSuchApp {
        /// What was asked for.
        app: AppName,
        /// What there is.
        known: String,
    },
    /// It verifies with published keys.
    #[error(
        "app `{app}` has assertion = \"{}\", whose keys are published: there is nothing to share; for a key of its own write \
         apps.{app}.assertion = \"hs256\"", algorithm.as_str()
    )]
    Published {
        /// Whose.
        app: AppName,
        /// How its assertions are signed.
        algorithm: Algorithm,
    },
    /// The gateway never ran.
    #[error("{}: there are no keys yet; `counterfoil serve` makes them when it starts", .0.display())]
    NotMade(PathBuf),
    /// The file cannot be used; the text says why.
    #[error(transparent)]
    Keys(#[from] KeyError),
}

impl SharedKeys {
    /// Those of `app` at this time.
    ///
    /// # Errors
    /// [`NoSharedKeys`]; [`NoSharedKeys::is_configuration`] tells whether the configuration is at fault.
    pub fn of(config: &Config, app: &AppName, clock: impl Clock) -> Result<Self, NoSharedKeys> {
        let configured = config.apps.iter().find(|configured| configured.name == *app);
        let Some(configured) = configured else {
            let known: Vec<_> = config.apps.iter().map(|app| app.name.as_str()).collect();
            return Err(NoSharedKeys::NoSuchApp { app: app.clone(), known: known.join(", ") });
        };
        if configured.assertion != Algorithm::Hs256 {
            return Err(NoSharedKeys::Published { app: app.clone(), algorithm: configured.assertion });
        }
        let path = config.assertion_keys();
        if std::fs::symlink_metadata(&path).is_err() {
            return Err(NoSharedKeys::NotMade(path));
        }
        let now = clock.now();
        Self::derived(&FileKeys::at(path).clock(clock), app, now)
    }

    fn derived(file: &FileKeys, app: &AppName, now: Moment) -> Result<Self, NoSharedKeys> {
        let (mut text, mut kids) = (Zeroizing::new(String::with_capacity(MOST)), Vec::new());
        for (kid, key) in SigningKeys::derive(&file.read()?)?.shared(app, now) {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(&kid);
            text.push('=');
            BASE64.encode_string(*key, &mut text);
            kids.push(kid);
        }
        Ok(Self { text, kids })
    }

    /// As an app is told them: `kid=key kid=key`, each key in base64url.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Which they are.
    pub fn kids(&self) -> &[String] {
        &self.kids
    }

    /// Puts them into a file that its owner alone may read, in place of any before it.
    ///
    /// # Errors
    /// [`FileProblem`]
    pub fn write(&self, path: &Path) -> Result<(), FileProblem> {
        let line = Zeroizing::new(format!("{}\n", self.as_str()));
        private::replace(path, &line).map(|_| ())
    }
}

impl NoSharedKeys {
    /// Whether another configuration, or another name, would help.
    pub const fn is_configuration(&self) -> bool {
        matches!(self, Self::NoSuchApp { .. } | Self::Published { .. })
    }
}

impl fmt::Debug for SharedKeys {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("SharedKeys").field("kids", &self.kids).finish_non_exhaustive()
    }
}

/// Several keys, so that the text is not left behind in memory as it grows.
const MOST: usize = 4_096;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use counterfoil::SystemClock;

    use super::*;
    use crate::assertion::Assertions;
    use crate::config::Listen;
    use crate::testing::app;

    #[test]
    fn an_app_is_told_the_keys_that_its_assertions_are_signed_with() {
        let folder = tempfile::tempdir().unwrap();
        let wiki = crate::app::AppConfig { assertion: Algorithm::Hs256, ..app("wiki") };
        let (name, apps) = (wiki.name.clone(), vec![wiki, app("shop")]);
        let (data, listen) = (folder.path().to_owned(), Listen::default());
        let near_cache = counterfoil::stores::near_cache::Settings::default();
        let limits = counterfoil::LimitSettings::default();
        let geo = counterfoil::geo::GeoSettings::default();
        let events = counterfoil_telemetry::EventSettings::default();
        let (store, detector, proxy_protocol) = (None, None, None);
        let config = Config { data, store, near_cache, limits, geo, events, detector, listen, proxy_protocol, apps };
        let of = |name: &str| SharedKeys::of(&config, &name.parse().unwrap(), SystemClock);
        assert!(matches!(of("wiki"), Err(NoSharedKeys::NotMade(_))), "and none are made for whoever runs the command");
        let assertions = Assertions::in_file(&config.assertion_keys(), SystemClock).unwrap();
        let signing = assertions.shared_keys(&name, SystemClock.now()).remove(0);
        let keys = of("wiki").unwrap();
        assert_eq!(keys.as_str(), format!("{}={}", signing.0, BASE64.encode(*signing.1)));
        assert_eq!(keys.kids(), std::slice::from_ref(&signing.0));
        assert!(!format!("{keys:?}").contains(&BASE64.encode(*signing.1)), "{keys:?}");
        assert!(of("shop").unwrap_err().is_configuration() && of("blog").unwrap_err().is_configuration());

        let out = folder.path().join("out");
        std::fs::write(&out, "before").unwrap();
        keys.write(&out).unwrap();
        assert_eq!(std::fs::read_to_string(&out).unwrap(), format!("{}\n", keys.as_str()));
        assert_eq!(std::fs::metadata(&out).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
