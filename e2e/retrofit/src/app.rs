//! An application as it is published: where it is, how it is started on its own settings, and how people use it.

pub(crate) mod dokuwiki;
pub(crate) mod jupyterlab;
pub(crate) mod otterwiki;

use std::fmt;
use std::path::Path;
use std::process::Command;

use clap::ValueEnum;
use counterfoil_browser::devtools::DevToolsError;
use counterfoil_browser::tab::Tab;

use crate::stage::Stage;
use crate::verdict::{Failure, Shown};

/// Which one, on the command line and in tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Which {
    Dokuwiki,
    Jupyterlab,
    Otterwiki,
}

/// An application with a sign-in of its own, and nothing changed but its settings.
pub(crate) trait Program {
    /// The program that runs it, in messages.
    const NAME: &'static str;
    /// The app's table of the gateway's configuration below `upstream`: its cookies and its rules.
    const TABLE: &'static str;
    /// A page that says who is signed in there, and whose path alone does nothing.
    const PAGE: &'static str;
    /// What only a page for somebody who is signed in to the application says.
    const MARK: &'static str;
    /// A `WebSocket` of its own.
    const SOCKET: Option<&'static str>;
    /// Links that do something. What they would do to ada is seen by [`who`](Self::who), or is [`MARKER`] in its data.
    const LINKS: &'static [&'static str];
    /// A form that does something, sent from elsewhere: where, and its fields.
    const FORM: (&'static str, &'static [(&'static str, &'static str)]);
    /// The same done by a script of the application's own pages.
    const OWN_WRITE: &'static str;

    /// The name of its session cookie on this host.
    fn session_cookie(host: &str) -> String;

    /// Its version, as its package says.
    fn version() -> Result<String, Failure>;

    /// Writes settings and data into `folder`, and says how to start it at `port` of loopback.
    fn prepare(folder: &Path, port: u16) -> Result<Command, Failure>;

    /// Signs `name` in to the application, by its own form. The gateway has let them through.
    async fn sign_in(stage: &Stage, tab: &Tab, name: &str) -> Result<(), Failure>;

    /// Whom the application takes this browser for; empty for nobody.
    async fn who(stage: &Stage, tab: &Tab) -> Result<String, DevToolsError>;

    /// Whether that is `name`.
    fn is(name: &str, shown: &str) -> bool {
        shown.to_lowercase().contains(name)
    }

    async fn read(stage: &Stage, tab: &Tab) -> Shown;
    async fn write(stage: &Stage, tab: &Tab) -> Shown;
    async fn upload(stage: &Stage, tab: &Tab) -> Shown;
    async fn search(stage: &Stage, tab: &Tab) -> Shown;
    /// A second tab sees what was written in the first.
    async fn second_tab(stage: &Stage, tab: &Tab) -> Shown;
}

impl Which {
    pub(crate) const ALL: [Self; 3] = [Self::Dokuwiki, Self::Jupyterlab, Self::Otterwiki];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Dokuwiki => "DokuWiki",
            Self::Jupyterlab => "JupyterLab",
            Self::Otterwiki => "Otter Wiki",
        }
    }

    /// Its version, as its package says.
    pub(crate) fn version(self) -> Result<String, Failure> {
        match self {
            Self::Dokuwiki => dokuwiki::DokuWiki::version(),
            Self::Jupyterlab => jupyterlab::JupyterLab::version(),
            Self::Otterwiki => otterwiki::OtterWiki::version(),
        }
    }
}

impl fmt::Display for Which {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

/// Somebody's password at the application, which is not the gateway's.
pub(crate) fn password(name: &str) -> String {
    format!("{name}-of-the-application-1")
}

/// What is written from elsewhere, and must be nowhere in the application's data.
pub(crate) const MARKER: &str = "written-from-elsewhere";
/// What people write in a normal day.
pub(crate) const SENTENCE: &str = "An analytical engine weaves algebraic patterns";
