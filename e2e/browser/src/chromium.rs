//! A Chromium process: started on a profile of its own, spoken to over its socket, killed with everything it started.

use std::{
    io,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use serde_json::{Value, json};
use tokio::{
    process::{Child, Command},
    time::{sleep, timeout},
};

use crate::devtools::{DevTools, DevToolsError};

/// How browsers are started.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The browser's program.
    pub program: PathBuf,
    /// `--host-resolver-rules`: which host and port leads where.
    pub rules: String,
    /// Which certificates it believes.
    pub believes: Believes,
}

/// Which certificates a browser believes beside those of public authorities.
#[derive(Debug, Clone)]
pub enum Believes {
    /// Any. What it got with one that is not genuine it keeps in no cache.
    Anyone,
    /// Those with one of these public keys (SHA-256 of each `SubjectPublicKeyInfo`, base64), as if they were genuine.
    Keys(Vec<String>),
}

impl Believes {
    fn argument(&self) -> String {
        match self {
            Self::Anyone => "--ignore-certificate-errors".to_owned(),
            Self::Keys(keys) => format!("--ignore-certificate-errors-spki-list={}", keys.join(",")),
        }
    }
}

/// A running browser. Dropping it kills all its processes.
#[derive(Debug)]
pub struct Chromium {
    processes: Processes,
    devtools: DevTools,
}

/// There is no browser to show anything with.
#[derive(Debug, thiserror::Error)]
pub enum ChromiumError {
    /// It cannot be run.
    #[error("{} could not be started; on Debian `apt-get install chromium`, elsewhere name yours with --chromium", .0.display())]
    Spawn(PathBuf, #[source] io::Error),
    /// It ended by itself.
    #[error("the browser ended before it opened its socket: run it by hand to see why")]
    Ended,
    /// It took too long.
    #[error("the browser opened no socket within {}", humantime::format_duration(START))]
    Silent,
    /// Whether it runs is not known.
    #[error("the browser's process could not be watched")]
    Watch(#[from] io::Error),
    /// Its socket.
    #[error(transparent)]
    DevTools(#[from] DevToolsError),
}

impl Launch {
    /// Starts a browser on `profile`, which may have been used before.
    pub async fn start(&self, profile: &Path) -> Result<Chromium, ChromiumError> {
        self.start_with(profile, &["about:blank"]).await
    }

    /// The same, with more arguments.
    pub async fn start_with(&self, profile: &Path, more: &[&str]) -> Result<Chromium, ChromiumError> {
        let told = profile.join("DevToolsActivePort");
        // Of the browser that used this profile before; there may have been none.
        let _ = std::fs::remove_file(&told);
        let child = Command::new(&self.program)
            .args(ARGUMENTS)
            .arg(format!("--host-resolver-rules={}", self.rules))
            .arg(self.believes.argument())
            .arg(format!("--user-data-dir={}", profile.display()))
            .args(more)
            // What it leaves behind when it is killed goes with the profile.
            .env("TMPDIR", profile)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(|error| ChromiumError::Spawn(self.program.clone(), error))?;
        let group = child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw);
        let mut processes = Processes { child, group };
        let (port, path) = timeout(START, processes.socket(&told)).await.map_err(|_| ChromiumError::Silent)??;
        Ok(Chromium { processes, devtools: DevTools::connect(port, &path).await? })
    }
}

impl Chromium {
    /// Its socket.
    pub fn devtools(&self) -> &DevTools {
        &self.devtools
    }

    /// Its name and version, as it says.
    pub async fn version(&self) -> Result<String, DevToolsError> {
        let version = self.devtools.call(None, "Browser.getVersion", json!({})).await?;
        Ok(version.get("product").and_then(Value::as_str).unwrap_or_default().to_owned())
    }

    /// Kills it as a crash of the machine would: every process at once, with no time to write anything.
    pub async fn kill(mut self) -> Result<(), ChromiumError> {
        self.processes.kill();
        self.processes.child.wait().await?;
        Ok(())
    }

    /// Lets it end as if its last window was closed: it writes what it has.
    pub async fn close(mut self) -> Result<(), ChromiumError> {
        self.devtools.call(None, "Browser.close", json!({})).await?;
        timeout(START, self.processes.child.wait()).await.map_err(|_| ChromiumError::Silent)??;
        Ok(())
    }
}

/// The browser's process and its group, which all its children belong to.
#[derive(Debug)]
struct Processes {
    child: Child,
    group: Option<Pid>,
}

impl Processes {
    /// Port and path of the socket, once the browser has written them into its profile.
    async fn socket(&mut self, told: &Path) -> Result<(u16, String), ChromiumError> {
        loop {
            if let Some(found) = std::fs::read_to_string(told).ok().as_deref().and_then(port_and_path) {
                return Ok(found);
            }
            if self.child.try_wait()?.is_some() {
                return Err(ChromiumError::Ended);
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    fn kill(&mut self) {
        if let Some(group) = self.group {
            // They may all be gone already.
            let _ = killpg(group, Signal::SIGKILL);
        }
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Two lines: the port, and the path of the browser's own socket. The second comes last.
fn port_and_path(text: &str) -> Option<(u16, String)> {
    let (port, path) = text.split_once('\n')?;
    Some((port.parse().ok()?, path.starts_with("/devtools/").then(|| path.trim_end().to_owned())?))
}

/// No picture on a screen, nothing sent home, nothing slowed down because nobody looks.
/// The sandbox goes because the suite runs as root in containers; it visits nothing but itself.
const ARGUMENTS: [&str; 18] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    // Plain http is what some cases ask for.
    "--disable-features=HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,OptimizationHints,MediaRouter",
    "--password-store=basic",
    "--window-size=1280,900",
    "--remote-debugging-port=0",
];
const START: Duration = Duration::from_mins(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_socket_is_known_once_both_lines_are_there() {
        let both = Some((40_123, "/devtools/browser/ab-c".to_owned()));
        for (text, expected) in [
            ("40123\n/devtools/browser/ab-c", both.clone()),
            ("40123\n/devtools/browser/ab-c\n", both),
            ("40123\n", None),
            ("40123", None),
            ("", None),
            ("x\n/devtools/browser/ab-c", None),
        ] {
            assert_eq!(port_and_path(text), expected, "{text:?}");
        }
    }
}
