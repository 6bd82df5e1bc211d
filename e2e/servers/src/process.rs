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

    /// It and what it started do nothing from now on, and keep their connections.
    pub(crate) fn hold(&self) -> std::io::Result<()> {
        // First itself: from then on it starts no other.
        killpg(self.group, Signal::SIGSTOP)?;
        self.tell_children(Signal::SIGSTOP)
    }

    /// They go on.
    pub(crate) fn go_on(&self) -> std::io::Result<()> {
        self.tell_children(Signal::SIGCONT)?;
        Ok(killpg(self.group, Signal::SIGCONT)?)
    }

    /// What it started leaves its group where that is the custom: a PostgreSQL's are in one each.
    fn tell_children(&self, signal: Signal) -> std::io::Result<()> {
        for entry in std::fs::read_dir("/proc")? {
            let name = entry?.file_name();
            let Some(id) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
            // Others come and go meanwhile.
            let status = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
            if parent(&status) == Some(self.group.as_raw()) {
                let _ = kill(Pid::from_raw(id), signal);
            }
        }
        Ok(())
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
        // What it started notices that it is gone, unless it is held up.
        let _ = self.tell_children(Signal::SIGCONT);
        // It may have ended already, or be held up: this ends it all the same.
        let _ = killpg(self.group, Signal::SIGKILL);
    }
}

/// Who started a process, by a line of `/proc/…/stat`: after its name, which may contain anything, and its state.
fn parent(status: &str) -> Option<i32> {
    let (_, rest) = status.rsplit_once(") ")?;
    rest.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// Enough to see why it does not start.
const LINES: usize = 20;
/// Two seconds of looking whether it has ended.
const MOMENT: u32 = 400;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parent_is_found_whatever_the_process_calls_itself() {
        for (line, expected) in
            [("7 (postgres) S 6 7 7 0", Some(6)), ("7 (a) 1 (b)) R 42 7", Some(42)), ("7 (x) Z", None), ("", None)]
        {
            assert_eq!(parent(line), expected, "{line}");
        }
    }
}
