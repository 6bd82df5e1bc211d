//! One process of the demo, on a store that others share.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::{env, io};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::client::{Client, NoAnswer};

/// A running demo. Dropping it kills the process.
#[derive(Debug)]
pub(crate) struct Node {
    child: Child,
    id: Pid,
    client: Client,
    log: Log,
}

/// The demo did not start, or could not be held.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NodeError {
    #[error("no demo at {}: build it (cargo build --release -p counterfoil-cli) or name it with --bin", .0.display())]
    Missing(PathBuf),
    #[error("the demo's process")]
    System(#[from] io::Error),
    #[error("the demo's process could not be told to stop or to go on")]
    Signal(#[from] nix::Error),
    #[error("the demo ended ({0}); its last words:\n{1}")]
    Ended(ExitStatus, String),
    #[error("the demo printed no address within {}; its last words:\n{}", humantime::format_duration(START), .0)]
    Silent(String),
    #[error("the demo's address is of no use")]
    Address(#[from] NoAnswer),
}

impl Node {
    /// Starts `binary demo` with its sessions at `store` and its keys in `folder`; returns when it has printed its address.
    pub(crate) async fn start(binary: &Path, store: &str, folder: &Path) -> Result<Self, NodeError> {
        if !binary.is_file() {
            return Err(NodeError::Missing(binary.to_owned()));
        }
        let mut command = Command::new(binary);
        // Nobody's shell may change what is tried.
        for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("COUNTERFOIL_")) {
            command.env_remove(name);
        }
        let mut child = command
            .args(["demo", "--test-mode", "--listen", "127.0.0.1:0", "--store", store, "--data"])
            .arg(folder)
            .env("COUNTERFOIL_LOG", "error")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // What ends this process from the terminal is for this process alone: it ends the nodes itself.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        let id = Pid::from_raw(id.ok_or_else(|| io::Error::other("the process has no id"))?);
        let log = Log::default();
        let (found, address) = oneshot::channel();
        if let Some(errors) = child.stderr.take() {
            tokio::spawn(listen(errors, log.clone()));
        }
        if let Some(output) = child.stdout.take() {
            tokio::spawn(find_address(output, found));
        }
        match timeout(START, address).await {
            Ok(Ok(address)) => Ok(Self { child, id, client: Client::new(address)?, log }),
            Ok(Err(_)) => Err(NodeError::Ended(child.wait().await?, log.text())),
            Err(_) => Err(NodeError::Silent(log.text())),
        }
    }

    /// Whoever speaks to it.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// It does nothing from now on.
    pub(crate) fn pause(&self) -> Result<(), NodeError> {
        Ok(kill(self.id, Signal::SIGSTOP)?)
    }

    /// It goes on.
    pub(crate) fn go_on(&self) -> Result<(), NodeError> {
        Ok(kill(self.id, Signal::SIGCONT)?)
    }

    /// What it wrote last.
    pub(crate) fn last_words(&self) -> String {
        self.log.text()
    }

    /// Whether it has ended by itself, which nothing here asks it to.
    pub(crate) fn check(&mut self) -> Result<(), NodeError> {
        match self.child.try_wait()? {
            Some(status) => Err(NodeError::Ended(status, self.log.text())),
            None => Ok(()),
        }
    }
}

/// The last lines a process wrote, for the error that may follow.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<VecDeque<String>>>);

impl Log {
    fn hear(&self, line: String) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == REMEMBERED_LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    fn text(&self) -> String {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().flat_map(|line| ["  ", line, "\n"]).collect()
    }
}

/// Reads to the end, so that the demo never blocks on a full pipe.
async fn listen(stream: impl AsyncRead + Unpin, log: Log) {
    let mut lines = BufReader::new(stream).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        log.hear(line);
    }
}

/// The same, for where the address is.
async fn find_address(stream: impl AsyncRead + Unpin, found: oneshot::Sender<SocketAddr>) {
    let (mut lines, mut found) = (BufReader::new(stream).lines(), Some(found));
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some(address) = address_in(&line)
            && let Some(found) = found.take()
        {
            // Nobody waits any more: the start has timed out.
            let _ = found.send(address);
        }
    }
}

fn address_in(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("http://127.0.0.1:")?;
    let port = rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok().filter(|port| *port != 0)?;
    Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
}

const START: Duration = Duration::from_secs(30);
const REMEMBERED_LINES: usize = 30;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_found_in_the_line_that_shows_it() {
        for (line, port) in [
            ("listening on http://127.0.0.1:4711", Some(4711)),
            ("http://127.0.0.1:8080/ is open, try /login", Some(8080)),
            ("http://127.0.0.1:0", None),
            ("http://127.0.0.1:99999", None),
            ("https://127.0.0.1:443", None),
            ("ada / ada-demo-1", None),
        ] {
            assert_eq!(address_in(line).map(|address| address.port()), port, "{line}");
        }
    }

    #[tokio::test]
    async fn a_demo_that_ends_at_once_is_an_error_with_its_status() {
        let outcome = Node::start(Path::new("/bin/false"), "memory", Path::new("/nowhere")).await;
        assert!(matches!(outcome, Err(NodeError::Ended(..) | NodeError::Missing(_))), "{outcome:?}");
    }
}
