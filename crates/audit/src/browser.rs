//! A real browser at the site: started without a window, led out by the audit's own wire, gone when the audit is over.

mod chromium;
mod devtools;
mod outlet;
mod script;
mod tab;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{Mutex, MutexGuard};

pub use self::chromium::Program;
pub use self::devtools::DevToolsError;
pub(crate) use self::outlet::{Outlet, Passed, Trap};
pub(crate) use self::tab::{Tab, trap_at};

use self::chromium::Process;
use self::devtools::DevTools;
use crate::wire::Wire;

/// A running browser. Dropping it ends all its processes and removes what they wrote.
#[derive(Debug)]
pub struct Browser {
    // Before the process: whoever is connected is told first.
    devtools: DevTools,
    outlet: Outlet,
    turn: Mutex<()>,
    #[cfg_attr(not(test), expect(dead_code, reason = "it is there to be dropped"))]
    process: Process,
}

/// Why nothing can be shown in a browser.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BrowserError {
    /// The profile cannot do without.
    #[error("the profile signs in by the page's scripts (`browser = true`), which takes a browser: add --browser")]
    Needed,
    /// The named program is none.
    #[error("{} is no program that could be started; name Chromium's by --browser=PATH", .0.display())]
    NoProgram(PathBuf),
    /// None of the usual ones.
    #[error(
        "no Chromium was found: CHROMIUM_BIN is not set, and none of {0} is on PATH; install one (on Debian by `apt-get \
         install chromium`), or name yours by --browser=PATH"
    )]
    NotFound(String),
    /// It cannot be run.
    #[error("{} could not be started: {cause}", program.display())]
    Start {
        /// Which.
        program: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
    /// It ended, or waits for something.
    #[error("{} does not answer on its DevTools pipe: {why}; run it by hand with --headless to see why", program.display())]
    Silent {
        /// Which.
        program: PathBuf,
        /// What it did instead.
        why: &'static str,
    },
    /// There is nowhere to lead it out.
    #[error("the browser has no way out: {0}")]
    Outlet(std::io::Error),
    /// It does not do as told.
    #[error(transparent)]
    DevTools(#[from] DevToolsError),
}

impl Browser {
    /// Starts it, with `wire` for its only way out.
    ///
    /// # Errors
    ///
    /// It does not start.
    pub async fn start(program: &Program, wire: Arc<Wire>) -> Result<Self, BrowserError> {
        let outlet = Outlet::open(wire).await.map_err(BrowserError::Outlet)?;
        let (process, devtools) = Process::start(program, outlet.address(), outlet.key()).await?;
        Ok(Self { devtools, outlet, turn: Mutex::new(()), process })
    }

    /// The way out, and what went through it. Whoever looks at that waits for their turn.
    pub(crate) fn outlet(&self) -> &Outlet {
        &self.outlet
    }

    /// One after another: what goes out is told apart by when it does. What went out before is forgotten.
    pub(crate) async fn turn(&self) -> MutexGuard<'_, ()> {
        let turn = self.turn.lock().await;
        self.outlet.forget();
        turn
    }

    /// A tab of somebody who was never there before.
    pub(crate) async fn stranger(&self, agent: &str) -> Result<Tab, BrowserError> {
        Ok(Tab::open(&self.devtools, agent).await?)
    }
}
