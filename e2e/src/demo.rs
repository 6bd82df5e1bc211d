//! Starts the demo on a free loopback port, waits for its address, and takes it down again, also on panic or timeout.

use std::{
    collections::VecDeque,
    env, io,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::{Child, Command},
    sync::oneshot,
    time::timeout,
};

/// The settings of the demo that the races change.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flags {
    pub(crate) rotate_every: Duration,
    pub(crate) grace: Duration,
    pub(crate) limit: u32,
}

/// A running demo. Dropping it kills the process.
#[derive(Debug)]
pub(crate) struct Demo {
    child: Child,
    address: SocketAddr,
    last_words: LastWords,
}

/// The demo did not start, or did not stay.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DemoError {
    #[error("no demo at {}: build it (cargo build --release -p counterfoil-cli) or name it with --bin", .0.display())]
    Missing(PathBuf),
    #[error("{} could not be started", .0.display())]
    Spawn(PathBuf, #[source] io::Error),
    #[error("the demo printed no line with {ADDRESS}PORT within {}; its last words:\n{}", humantime::format_duration(*.0), .1)]
    Silent(Duration, String),
    #[error("the demo ended ({0}); its last words:\n{1}")]
    Ended(ExitStatus, String),
    #[error("the demo's process could not be watched")]
    Watch(#[source] io::Error),
}

impl Demo {
    /// Starts `binary demo --test-mode …` and returns when it has printed its address.
    ///
    /// # Errors
    /// The binary is missing, ends, or stays silent: each with what it said last.
    pub(crate) async fn start(binary: &Path, flags: Flags) -> Result<Self, DemoError> {
        if !binary.is_file() {
            return Err(DemoError::Missing(binary.to_owned()));
        }
        let mut command = Command::new(binary);
        for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with(SETTINGS)) {
            command.env_remove(name);
        }
        let mut child = command
            .args(flags.arguments())
            .env(LOG, "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| DemoError::Spawn(binary.to_owned(), error))?;
        let last_words = LastWords::default();
        let (found, address) = oneshot::channel();
        if let Some(errors) = child.stderr.take() {
            tokio::spawn(listen(errors, last_words.clone(), None));
        }
        if let Some(output) = child.stdout.take() {
            tokio::spawn(listen(output, last_words.clone(), Some(found)));
        }
        match timeout(START, address).await {
            Ok(Ok(address)) => Ok(Self { child, address, last_words }),
            // Its output is closed. Killing one that has ended already changes nothing about its status.
            Ok(Err(_)) => {
                let _ = timeout(FAREWELL, child.wait()).await;
                let _ = child.start_kill();
                Err(Self::ended(&mut child, &last_words).await)
            }
            Err(_) => Err(DemoError::Silent(START, last_words.text())),
        }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Resolves only if the demo ends by itself, which no race asks it to.
    pub(crate) async fn ends(&mut self) -> DemoError {
        Self::ended(&mut self.child, &self.last_words).await
    }

    /// Kills the process and waits until it is gone.
    pub(crate) async fn stop(mut self) {
        // It may have ended already; either way it is gone afterwards.
        let _ = self.child.kill().await;
    }

    async fn ended(child: &mut Child, last_words: &LastWords) -> DemoError {
        match child.wait().await {
            Ok(status) => DemoError::Ended(status, last_words.text()),
            Err(error) => DemoError::Watch(error),
        }
    }
}

impl Flags {
    fn arguments(self) -> Vec<String> {
        let milliseconds = |time: Duration| format!("{}ms", time.as_millis());
        ["demo", "--test-mode", "--listen", "127.0.0.1:0", "--rotate-every"]
            .into_iter()
            .map(str::to_owned)
            .chain([milliseconds(self.rotate_every), "--grace".to_owned(), milliseconds(self.grace)])
            .chain(["--limit".to_owned(), self.limit.to_string()])
            .collect()
    }
}

/// The last lines a process wrote, for the error that may follow.
#[derive(Debug, Clone, Default)]
struct LastWords(Arc<Mutex<VecDeque<String>>>);

impl LastWords {
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
async fn listen(stream: impl AsyncRead + Unpin, last_words: LastWords, mut found: Option<oneshot::Sender<SocketAddr>>) {
    let mut lines = BufReader::new(stream).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some(address) = address_in(&line)
            && let Some(found) = found.take()
        {
            // Nobody waits any more: the start has timed out.
            let _ = found.send(address);
        }
        last_words.hear(line);
    }
}

fn address_in(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once(ADDRESS)?;
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    let port = digits.parse().ok().filter(|port| *port != 0)?;
    Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
}

const ADDRESS: &str = "http://127.0.0.1:";
/// Settings of the demo in the environment: nobody's shell may change what is raced.
const SETTINGS: &str = "COUNTERFOIL_DEMO_";
const LOG: &str = "COUNTERFOIL_LOG";
const START: Duration = Duration::from_secs(20);
const FAREWELL: Duration = Duration::from_secs(1);
const REMEMBERED_LINES: usize = 30;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_found_in_any_line_that_shows_it() {
        for (line, port) in [
            ("listening on http://127.0.0.1:4711", Some(4711)),
            ("http://127.0.0.1:8080/ is open, try /login", Some(8080)),
            ("\u{1b}[1mhttp://127.0.0.1:9\u{1b}[0m", Some(9)),
            ("http://127.0.0.1:0", None),
            ("http://127.0.0.1:99999", None),
            ("http://127.0.0.1:", None),
            ("https://127.0.0.1:443", None),
            ("http://10.0.0.1:80", None),
            ("ada / ada-demo-1", None),
        ] {
            assert_eq!(address_in(line).map(|address| address.port()), port, "{line}");
        }
    }

    #[test]
    fn times_are_written_in_one_unit() {
        let flags = Flags { rotate_every: Duration::from_secs(2), grace: Duration::from_millis(1500), limit: 3 };
        let words = "demo --test-mode --listen 127.0.0.1:0 --rotate-every 2000ms --grace 1500ms --limit 3";
        assert_eq!(flags.arguments().join(" "), words);
    }

    #[tokio::test]
    async fn a_demo_that_ends_at_once_is_an_error_with_its_status() {
        let flags = Flags { rotate_every: Duration::ZERO, grace: Duration::ZERO, limit: 1 };
        let outcome = Demo::start(Path::new("/bin/false"), flags).await;
        assert!(matches!(outcome, Err(DemoError::Ended(..) | DemoError::Missing(_))), "{outcome:?}");
    }
}
