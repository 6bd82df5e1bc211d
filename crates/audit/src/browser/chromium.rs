//! Chromium's process: found, started on an empty profile of its own, ended with everything it started.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::{Pid, geteuid};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use super::BrowserError;

/// A browser's program, which is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program(PathBuf);

impl Program {
    /// The named one; otherwise what `CHROMIUM_BIN` names, or the first of the usual ones that is on `PATH`.
    ///
    /// # Errors
    ///
    /// There is none.
    pub fn find(named: Option<&Path>) -> Result<Self, BrowserError> {
        let variable = std::env::var_os("CHROMIUM_BIN").filter(|value| !value.is_empty()).map(PathBuf::from);
        Self::among(named.map(Path::to_owned).or(variable), std::env::var_os("PATH").as_deref())
    }

    fn among(named: Option<PathBuf>, path: Option<&OsStr>) -> Result<Self, BrowserError> {
        let folders: Vec<_> = path.map(|path| std::env::split_paths(path).collect()).unwrap_or_default();
        let search = |name: &Path| folders.iter().map(|folder| folder.join(name)).find(|file| runs(file));
        if let Some(named) = named {
            let bare = named.components().count() == 1;
            let found = if bare { search(&named) } else { Some(named.clone()).filter(|file| runs(file)) };
            return found.map(Self).ok_or(BrowserError::NoProgram(named));
        }
        let elsewhere = || ELSEWHERE.iter().map(PathBuf::from).find(|file| runs(file));
        let found = USUAL.iter().find_map(|name| search(Path::new(name))).or_else(elsewhere);
        found.map(Self).ok_or_else(|| BrowserError::NotFound(USUAL.join(", ")))
    }
}

/// The process and everything it started.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    group: Option<Pid>,
    /// Goes last: the processes write into it.
    #[cfg_attr(not(test), expect(dead_code, reason = "it is there to be dropped"))]
    profile: TempDir,
}

impl Process {
    /// Starts it, and waits for the port and the path of its socket. All it asks for goes to `outlet`, which it believes
    /// by the hash of its `key`.
    pub(super) async fn start(
        program: &Program,
        outlet: SocketAddr,
        key: &str,
    ) -> Result<(Self, u16, String), BrowserError> {
        let Program(program) = program;
        let start = |cause| BrowserError::Start { program: program.clone(), cause };
        let profile = tempfile::Builder::new().prefix("counterfoil-audit-").tempdir().map_err(start)?;
        let mut command = Command::new(program);
        // A sandbox takes rights that root in a container often lacks, and Chromium refuses root otherwise.
        command.args(geteuid().is_root().then_some("--no-sandbox"));
        let child = command
            .args(ARGUMENTS)
            .arg(format!("--proxy-server=http://{outlet}"))
            .arg(format!("--ignore-certificate-errors-spki-list={key}"))
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            // What it would leave behind goes with the profile.
            .env("TMPDIR", profile.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(start)?;
        let group = child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw);
        let told = profile.path().join("DevToolsActivePort");
        let mut process = Self { child, group, profile };
        let silent = |why| BrowserError::Silent { program: program.clone(), why };
        let socket = timeout(START, process.socket(&told)).await;
        let (port, path) = socket.map_err(|_| silent("it takes more than a minute"))?.ok_or(silent("it ended"))?;
        Ok((process, port, path))
    }

    /// Where it writes.
    #[cfg(test)]
    pub(super) fn folder(&self) -> &Path {
        self.profile.path()
    }

    /// Once the browser has written them into its profile; nothing where it has ended.
    async fn socket(&mut self, told: &Path) -> Option<(u16, String)> {
        loop {
            if let Some(found) = std::fs::read_to_string(told).ok().as_deref().and_then(port_and_path) {
                return Some(found);
            }
            if !matches!(self.child.try_wait(), Ok(None)) {
                return None;
            }
            sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(group) = self.group {
            // They may all be gone already.
            let _ = killpg(group, Signal::SIGKILL);
        }
        // What still runs could write into the folder while it is removed.
        for _ in 0..200 {
            if !matches!(self.child.try_wait(), Ok(None)) {
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn runs(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    file.metadata().is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

/// Two lines: the port, and the path of the browser's own socket. The second comes last.
fn port_and_path(text: &str) -> Option<(u16, String)> {
    let (port, path) = text.split_once('\n')?;
    Some((port.parse().ok()?, path.starts_with("/devtools/").then(|| path.trim_end().to_owned())?))
}

const USUAL: [&str; 5] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
const ELSEWHERE: [&str; 2] = [
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

/// No window, nothing sent home, nothing slowed down because nobody looks, and no host exempt from the way out.
const ARGUMENTS: [&str; 19] = [
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    // Plain http is what some proofs ask for; the way out is on this machine, and the site elsewhere.
    "--disable-features=HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,LocalNetworkAccessChecks,OptimizationHints,MediaRouter",
    "--password-store=basic",
    "--window-size=1280,900",
    "--proxy-bypass-list=<-loopback>",
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
            ("40123\n/devtools/browser/ab-c\n", both.clone()),
            ("40123\n/devtools/browser/ab-c", both),
            ("40123\n", None),
            ("40123", None),
            ("x\n/devtools/browser/ab-c", None),
        ] {
            assert_eq!(port_and_path(text), expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_named_has_to_be_there_and_what_is_not_found_is_told_with_a_way_out() {
        let nowhere = Program::among(Some("/no/such/chromium".into()), None).unwrap_err().to_string();
        assert!(nowhere.starts_with("/no/such/chromium is no program") && nowhere.contains("--browser=PATH"));
        // A folder and a file that nobody may run are none either.
        assert!(Program::among(Some("/".into()), None).is_err());
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        assert!(Program::among(Some(file.into()), None).is_err());
        let shell = Program::among(Some("sh".into()), Some(OsStr::new("/no/such/folder:/bin"))).unwrap();
        assert_eq!(shell, Program("/bin/sh".into()));
        match Program::among(None, Some(OsStr::new("/no/such/folder"))) {
            Err(error) => {
                let text = error.to_string();
                assert!(text.contains("chromium-browser") && text.contains("apt-get install chromium"), "{text}");
            }
            Ok(found) => assert!(ELSEWHERE.iter().any(|one| found.0 == Path::new(one))),
        }
    }
}
