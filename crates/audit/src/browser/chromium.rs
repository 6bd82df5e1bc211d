//! Chromium's process: found, started on an empty profile of its own, ended with everything it started.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use command_fds::{CommandFdExt as _, FdMapping};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::{Pid, geteuid};
use tempfile::TempDir;
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};

use super::BrowserError;
use super::devtools::{DevTools, DevToolsError};

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
    /// Starts it, and waits until it does as told. All it asks for goes to `outlet`, which it believes by the hash of its
    /// `key`.
    pub(super) async fn start(
        program: &Program,
        outlet: SocketAddr,
        key: &str,
    ) -> Result<(Self, DevTools), BrowserError> {
        let Program(program) = program;
        let start = |cause| BrowserError::Start { program: program.clone(), cause };
        let profile = tempfile::Builder::new().prefix("counterfoil-audit-").tempdir().map_err(start)?;
        let (to, commands) = pipe::pipe().map_err(start)?;
        let (answers, from) = pipe::pipe().map_err(start)?;
        let theirs = [(commands.into_blocking_fd(), COMMANDS), (answers.into_blocking_fd(), ANSWERS)];
        let theirs = theirs.map(|(end, number)| Ok(FdMapping { parent_fd: end?, child_fd: number }));
        let theirs = theirs.into_iter().collect::<std::io::Result<Vec<_>>>().map_err(start)?;
        let mut command = Command::new(program);
        // A sandbox takes rights that root in a container often lacks, and Chromium refuses root otherwise.
        command.args(geteuid().is_root().then_some("--no-sandbox"));
        command
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
            .fd_mappings(theirs)
            .map_err(|error| start(std::io::Error::other(error)))?;
        let child = command.spawn().map_err(start)?;
        // It has the browser's ends of the pipes: as long as they are open here, nobody notices that it is gone.
        drop(command);
        let group = child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw);
        let process = Self { child, group, profile };
        let devtools = DevTools::over(to, from);
        let silent = |why| BrowserError::Silent { program: program.clone(), why };
        let version = devtools.call_within(START, None, "Browser.getVersion", serde_json::json!({}));
        match version.await {
            Ok(_) => Ok((process, devtools)),
            Err(DevToolsError::Gone) => Err(silent("it ended")),
            Err(_) => Err(silent("it takes more than a minute")),
        }
    }

    /// Where it writes.
    #[cfg(test)]
    pub(super) fn folder(&self) -> &Path {
        self.profile.path()
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
    "--remote-debugging-pipe",
];
/// What Chromium reads commands from.
const COMMANDS: i32 = 3;
/// Where it writes its answers.
const ANSWERS: i32 = 4;
const START: Duration = Duration::from_mins(1);

#[cfg(test)]
mod tests {
    use super::*;

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
