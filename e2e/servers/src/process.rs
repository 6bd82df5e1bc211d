//! A server's process: ended, killed, or held up for a while; by its id, and with everything it started.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use crate::ServerError;

/// A process in a group of its own, and where it writes what it has to say.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    group: Pid,
    log: PathBuf,
}

impl Process {
    /// Starts `command`, whose output goes to `log`.
    pub(crate) fn start(mut command: Command, package: &'static str, log: &Path) -> Result<Self, ServerError> {
        let program = PathBuf::from(command.as_std().get_program());
        let out = std::fs::File::options().create(true).append(true).open(log)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|cause| ServerError::Missing { program, package, cause })?;
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        let group = Pid::from_raw(id.ok_or_else(|| std::io::Error::other("the process has no id"))?);
        Ok(Self { child, group, log: log.to_owned() })
    }

    /// Waits until `ready` says so, for as long as the process is there.
    pub(crate) async fn until<F: Future<Output = bool>>(
        &mut self,
        program: &'static str,
        within: Duration,
        ready: impl Fn() -> F,
    ) -> Result<(), ServerError> {
        let answered = async {
            while matches!(self.child.try_wait(), Ok(None)) {
                if ready().await {
                    return true;
                }
                sleep(Duration::from_millis(10)).await;
            }
            false
        };
        match timeout(within, answered).await {
            Ok(true) => Ok(()),
            _ => Err(ServerError::Silent { program, within, said: self.said() }),
        }
    }

    /// Asks it to end, and waits until it has.
    pub(crate) async fn end(mut self, signal: Signal) -> std::io::Result<()> {
        killpg(self.group, signal)?;
        self.child.wait().await.map(drop)
    }

    /// Asks the process that was started, and none that it started, to end, and waits until it has.
    pub(crate) async fn end_leader(mut self, signal: Signal) -> std::io::Result<()> {
        kill(self.group, signal)?;
        self.child.wait().await.map(drop)
    }

    /// As [`end_leader`](Self::end_leader), for whoever cannot wait but on the thread; and not for longer than a moment.
    pub(crate) fn end_leader_here(&mut self, signal: Signal) {
        let asked = self.go_on().is_ok() && kill(self.group, signal).is_ok();
        for _ in 0..MOMENT {
            if !asked || !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// It does nothing from now on, and keeps its connections.
    pub(crate) fn hold(&self) -> std::io::Result<()> {
        Ok(killpg(self.group, Signal::SIGSTOP)?)
    }

    /// It goes on.
    pub(crate) fn go_on(&self) -> std::io::Result<()> {
        Ok(killpg(self.group, Signal::SIGCONT)?)
    }

    /// The end of its log.
    pub(crate) fn said(&self) -> String {
        let text = std::fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let text = text.unwrap_or_default();
        let lines: Vec<_> = text.lines().collect();
        lines.iter().skip(lines.len().saturating_sub(LINES)).copied().collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already, or be held up: this ends it all the same.
        let _ = killpg(self.group, Signal::SIGKILL);
    }
}

/// Enough to see why it does not start.
const LINES: usize = 20;
/// Two seconds of looking whether it has ended.
const MOMENT: u32 = 400;
