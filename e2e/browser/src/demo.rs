//! The demos the suite visits: each started once, with the times its cases need, on a free port behind a name of its own.

use std::{
    env, io,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    sync::Mutex,
    time::timeout,
};

/// Which demo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum House {
    /// As it is, but for test mode's cheap passwords.
    Plain,
    /// Tokens change every three seconds.
    Rotating,
    /// Idle after eight seconds: activity is noted every five at most.
    Idle,
    /// Over a few seconds after sign-in.
    Short,
    /// Tokens change every three seconds.and the grace is as short; for the crash row.
    Crash,
    /// Idle after four seconds, with rotation meanwhile; who asks for it stays known.
    Remembering,
    /// `SameSite=Strict`.
    Strict,
    /// `SameSite=None`.
    Embedded,
    /// `SameSite=None; Partitioned`.
    Partitioned,
    /// Cookies without an age.
    UntilClosed,
    /// Plain http on loopback, with cookies named `dev-*`.
    Loopback,
    /// Keeps sessions and keys in a folder, and dies.
    Lasting,
    /// Keeps an audit trail, and is watched.
    Watched,
}

/// A demo, running but for what a case does to it. Dropping it kills the process.
#[derive(Debug)]
pub(crate) struct Demo {
    binary: PathBuf,
    house: House,
    policy: Option<tempfile::NamedTempFile>,
    /// Its keys and sessions, where they are kept.
    pub(crate) data: Option<tempfile::TempDir>,
    child: Mutex<Option<Child>>,
    pub(crate) port: u16,
    /// Where its metrics are, if it is watched.
    pub(crate) metrics: Option<SocketAddr>,
}

/// The demo did not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DemoError {
    #[error("no demo at {}: build it (cargo build -p counterfoil-cli) or name it with --bin", .0.display())]
    Missing(PathBuf),
    #[error("{} could not be started", .0.display())]
    Spawn(PathBuf, #[source] io::Error),
    #[error("the demo printed no address within {}", humantime::format_duration(START))]
    Silent,
    #[error("the demo ended ({0}): run by hand: `{1}`")]
    Ended(ExitStatus, String),
    #[error("the demo's output could not be read")]
    Read(#[from] io::Error),
}

impl House {
    /// The name it is reached by over https.
    pub(crate) const fn host(self) -> &'static str {
        match self {
            Self::Plain => "app.shop.test",
            Self::Rotating => "rotating.shop.test",
            Self::Idle => "idle.shop.test",
            Self::Short => "short.shop.test",
            Self::Crash => "crash.shop.test",
            Self::Remembering => "remembering.shop.test",
            Self::Strict => "strict.shop.test",
            Self::Embedded => "embedded.shop.test",
            Self::Partitioned => "partitioned.shop.test",
            Self::UntilClosed => "until-closed.shop.test",
            Self::Loopback => "127.0.0.1",
            Self::Lasting => "lasting.shop.test",
            Self::Watched => "watched.shop.test",
        }
    }

    /// Whether it speaks https.
    pub(crate) const fn is_https(self) -> bool {
        !matches!(self, Self::Loopback)
    }

    const fn options(self) -> &'static str {
        match self {
            Self::Rotating => "--rotate-every 3s --grace 1500ms",
            Self::Idle => "--idle 8s",
            Self::Short => "--absolute 6s --idle 6s",
            Self::Remembering => "--idle 4s --rotate-every 3s --grace 1500ms",
            Self::Crash => "--rotate-every 1s --grace 1s",
            Self::Watched => "--metrics 127.0.0.1:0",
            _ => "",
        }
    }

    const fn policy(self) -> Option<&'static str> {
        match self {
            Self::Strict => Some("[cookies]\nsame_site = \"strict\"\n"),
            Self::Embedded => Some("[cookies]\nsame_site = \"none\"\n"),
            Self::Partitioned => Some("[cookies]\nsame_site = \"none_partitioned\"\n"),
            Self::UntilClosed => Some("[cookies]\nuntil_browser_closes = true\n"),
            Self::Watched => Some("[events.trail]\nfolder = \"trail\"\n"),
            _ => None,
        }
    }

    const fn keeps_a_folder(self) -> bool {
        matches!(self, Self::Lasting | Self::Watched)
    }
}

impl Demo {
    /// Starts `binary demo --test-mode …` and returns when it has printed its address.
    ///
    /// # Errors
    /// The binary is missing, ends, or stays silent.
    pub(crate) async fn start(binary: &Path, house: House) -> Result<Self, DemoError> {
        if !binary.is_file() {
            return Err(DemoError::Missing(binary.to_owned()));
        }
        let policy = house.policy().map(policy_file).transpose()?;
        let data = house.keeps_a_folder().then(tempfile::tempdir).transpose()?;
        let mut demo =
            Self { binary: binary.to_owned(), house, policy, data, child: Mutex::default(), port: 0, metrics: None };
        (demo.port, demo.metrics) = demo.begin().await?;
        Ok(demo)
    }

    /// Kills it, as nothing can be prepared for.
    pub(crate) async fn kill(&self) -> Result<(), DemoError> {
        let child = self.child.lock().await.take();
        if let Some(mut child) = child {
            child.kill().await?;
        }
        Ok(())
    }

    /// Starts it again, where it was.
    pub(crate) async fn resume(&self) -> Result<(), DemoError> {
        self.begin().await.map(drop)
    }

    /// Runs `counterfoil` with these arguments, with its keys.
    pub(crate) async fn command(&self, arguments: &[&Path]) -> Result<(), DemoError> {
        let mut command = Command::new(&self.binary);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null());
        if let Some(data) = &self.data {
            command.env("COUNTERFOIL_KEY_FILE", data.path().join("keys"));
        }
        let by_hand = format!("{:?}", command.as_std());
        let status = command.status().await?;
        if status.success() { Ok(()) } else { Err(DemoError::Ended(status, by_hand)) }
    }

    /// What a demo that keeps its sessions has logged so far.
    pub(crate) fn log(&self) -> io::Result<String> {
        self.data
            .as_ref()
            .map(|data| std::fs::read_to_string(data.path().join(LOG)))
            .transpose()
            .map(Option::unwrap_or_default)
    }

    /// What `counterfoil` with these words says of its folder.
    pub(crate) async fn said(&self, words: &str) -> Result<String, DemoError> {
        let mut command = Command::new(&self.binary);
        command.args(words.split_whitespace()).stdin(Stdio::null()).env("COUNTERFOIL_LOG", "error");
        if let Some(data) = &self.data {
            command.arg("--data").arg(data.path());
        }
        let by_hand = format!("{:?}", command.as_std());
        let output = command.output().await?;
        if !output.status.success() {
            return Err(DemoError::Ended(output.status, by_hand));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    async fn begin(&self) -> Result<(u16, Option<SocketAddr>), DemoError> {
        let mut command = Command::new(&self.binary);
        for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("COUNTERFOIL_DEMO_")) {
            command.env_remove(name);
        }
        command.args(["demo", "--test-mode", "--listen"]).arg(format!("127.0.0.1:{}", self.port));
        command.args(self.house.options().split_whitespace());
        if self.house.is_https() {
            command.args(["--https", "--origin"]).arg(format!("https://{}", self.house.host()));
        }
        if let Some(policy) = &self.policy {
            command.arg("--policy").arg(policy.path());
        }
        command.env("COUNTERFOIL_LOG", "error");
        if let Some(data) = &self.data {
            let log = std::fs::File::options().create(true).append(true).open(data.path().join(LOG))?;
            command.arg("--data").arg(data.path()).env("COUNTERFOIL_LOG", "info").stderr(log);
        }
        let by_hand = format!("{:?}", command.as_std());
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| DemoError::Spawn(self.binary.clone(), error))?;
        let listening = timeout(START, addresses(&mut child, self.house)).await.map_err(|_| DemoError::Silent)??;
        let Some((address, metrics)) = listening else { return Err(DemoError::Ended(child.wait().await?, by_hand)) };
        *self.child.lock().await = Some(child);
        Ok((address.port(), metrics))
    }
}

/// The address in the first line that names one, and that of the metrics of a house that is watched; `None` if the output
/// ends before. What follows is read and dropped.
async fn addresses(child: &mut Child, house: House) -> io::Result<Option<(SocketAddr, Option<SocketAddr>)>> {
    let Some(output) = child.stdout.take() else { return Ok(None) };
    let mut lines = BufReader::new(output).lines();
    let mut listening = None;
    while let Some(line) = lines.next_line().await? {
        let found = address_in(&line);
        listening = listening.or(found);
        let metrics = found.filter(|_| line.contains("/metrics"));
        let Some(address) = listening.filter(|_| house != House::Watched || metrics.is_some()) else { continue };
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        return Ok(Some((address, metrics)));
    }
    Ok(None)
}

fn address_in(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("://127.0.0.1:")?;
    let port = rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok().filter(|port| *port != 0)?;
    Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
}

fn policy_file(policy: &str) -> io::Result<tempfile::NamedTempFile> {
    let file = tempfile::Builder::new().suffix(".toml").tempfile()?;
    std::fs::write(file.path(), policy)?;
    Ok(file)
}

/// Below the folder where a demo keeps its sessions.
const LOG: &str = "log";
const START: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_found_in_the_line_that_shows_it() {
        for (line, port) in [
            ("listening on https://127.0.0.1:4711", Some(4711)),
            ("listening on http://127.0.0.1:80/", Some(80)),
            ("http://127.0.0.1:0", None),
            ("ada / ada-demo-1", None),
        ] {
            assert_eq!(address_in(line).map(|address| address.port()), port, "{line}");
        }
    }
}
