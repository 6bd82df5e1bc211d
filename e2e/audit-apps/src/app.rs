//! An application as it is published: how it is started, what is its session, and a look into what it keeps.

mod django;
mod dokuwiki;
mod jsreport;
mod jupyterlab;
mod mariadb;
mod otterwiki;
mod phpmyadmin;
mod wordpress;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use tempfile::TempDir;

use crate::browser::Browser;
use crate::house::{Failure, Process, free_port};
use crate::profile::{Account, Profile};
use crate::state::State;

/// Which one, on the command line and in tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Which {
    Django,
    Otterwiki,
    Dokuwiki,
    Jupyterlab,
    Phpmyadmin,
    Wordpress,
    Jsreport,
}

/// What is known of one from its own settings and its own store. Nothing of it comes from the auditor.
pub(crate) trait Application {
    /// For the auditor and for us, with `{port}` in it.
    fn profile(&self) -> &'static str;

    /// The cookies that are the session together, by the application's own settings.
    fn session(&self, port: u16) -> Vec<String>;

    /// The form field that keeps other sites' requests away.
    fn token(&self) -> Option<&'static str>;

    /// Writes settings and two accounts into `folder`, and starts it.
    fn start(&self, folder: &Path, port: u16) -> Result<Vec<Process>, Failure>;

    /// All it keeps but sessions, and what the profile declares to change.
    fn state(&self, folder: &Path) -> Result<State, Failure>;

    /// Whether the declared change was made with that word, by what is stored.
    fn keeps(&self, folder: &Path, word: &str) -> Result<bool, Failure>;

    /// Whether its store has a session by this value of its first cookie; nothing where it has no such store.
    fn holds(&self, folder: &Path, value: &str) -> Result<Option<bool>, Failure>;
}

/// One that runs.
pub(crate) struct Standing {
    pub(crate) app: Box<dyn Application>,
    pub(crate) profile: Profile,
    /// As the auditor gets it.
    pub(crate) written: String,
    pub(crate) port: u16,
    pub(crate) session: Vec<String>,
    _processes: Vec<Process>,
    folder: TempDir,
}

impl Which {
    pub(crate) const ALL: [Self; 7] = [
        Self::Django,
        Self::Otterwiki,
        Self::Dokuwiki,
        Self::Jupyterlab,
        Self::Phpmyadmin,
        Self::Wordpress,
        Self::Jsreport,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Django => "Django admin",
            Self::Otterwiki => "Otter Wiki",
            Self::Dokuwiki => "DokuWiki",
            Self::Jupyterlab => "JupyterLab",
            Self::Phpmyadmin => "phpMyAdmin",
            Self::Wordpress => "WordPress",
            Self::Jsreport => "jsreport",
        }
    }

    fn application(self) -> Box<dyn Application> {
        match self {
            Self::Django => Box::new(django::Django),
            Self::Otterwiki => Box::new(otterwiki::OtterWiki),
            Self::Dokuwiki => Box::new(dokuwiki::DokuWiki),
            Self::Jupyterlab => Box::new(jupyterlab::JupyterLab),
            Self::Phpmyadmin => Box::new(phpmyadmin::PhpMyAdmin),
            Self::Wordpress => Box::new(wordpress::WordPress),
            Self::Jsreport => Box::new(jsreport::JsReport),
        }
    }

    /// Started on a port and in a folder of its own.
    pub(crate) fn stand(self) -> Result<Standing, Failure> {
        let (app, port, folder) = (self.application(), free_port()?, tempfile::tempdir()?);
        let processes = app.start(folder.path(), port)?;
        let written = app.profile().replace("{port}", &port.to_string());
        let profile = Profile::read(&written)?;
        let session = app.session(port);
        Ok(Standing { app, profile, written, port, session, _processes: processes, folder })
    }
}

impl Standing {
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) const fn stranger(&self) -> Browser {
        Browser::new(self.port)
    }

    pub(crate) fn state(&self) -> Result<State, Failure> {
        self.app.state(self.folder())
    }

    /// Whether the application shows this browser what it shows `account` alone.
    pub(crate) fn knows(&self, browser: &Browser, account: &Account) -> Result<bool, Failure> {
        let marker = self.profile.signed_in.marker.replace("{user}", &account.user);
        let answer = browser.clone().open(&self.profile.signed_in.url)?;
        Ok(answer.status < 300 && answer.text.contains(&marker))
    }

    /// Signs `account` in; whether there was a form to do so.
    pub(crate) fn sign_in(&self, browser: &mut Browser, account: &Account) -> Result<bool, Failure> {
        Ok(self.profile.sign_in.perform(browser, &account.values(), self.app.token(), self.port)?)
    }

    /// Somebody who is signed in as the profile's account, which is checked.
    pub(crate) fn member(&self) -> Result<Browser, Failure> {
        self.member_as(&self.profile.account)
    }

    pub(crate) fn member_as(&self, account: &Account) -> Result<Browser, Failure> {
        let mut browser = self.stranger();
        self.sign_in(&mut browser, account)?;
        if self.knows(&browser, account)? {
            Ok(browser)
        } else {
            Err(Failure::Unfit(format!("{} cannot sign in", account.user)))
        }
    }

    /// The values of its session cookies, if it has them.
    pub(crate) fn values(&self, browser: &Browser) -> Vec<(String, String)> {
        let of = |name: &String| browser.jar.get(name).map(|value| (name.clone(), value.clone()));
        self.session.iter().filter_map(of).collect()
    }

    /// Somebody with nothing but these cookies.
    pub(crate) fn with(&self, values: &[(String, String)]) -> Browser {
        let mut browser = self.stranger();
        browser.jar.extend(values.iter().cloned());
        browser
    }
}

/// Debian's, or another that is named.
fn php() -> OsString {
    std::env::var_os("PHP_BIN").unwrap_or_else(|| "php".into())
}

/// Where Debian's package puts an application, or where the page of it is that is named.
fn package(variable: &str, usual: &str) -> Result<PathBuf, Failure> {
    let named = std::env::var_os(variable).map(PathBuf::from);
    let folder = named.as_deref().and_then(Path::parent).unwrap_or(Path::new(usual)).to_owned();
    if folder.exists() { Ok(folder) } else { Err(Failure::Missing(folder)) }
}

/// Somebody's password.
pub(crate) fn password(name: &str) -> String {
    format!("{name}-of-the-application-1")
}
