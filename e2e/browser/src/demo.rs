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
}

/// A running demo. Dropping it kills the process.
#[derive(Debug)]
pub(crate) struct Demo {
    _child: Child,
    _policy: Option<tempfile::NamedTempFile>,
    pub(crate) port: u16,
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
    #[error("the demo ended ({0}): start it by hand with `{1}`")]
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
        }
    }

    /// Whether it speaks https.
    pub(crate) const fn is_https(self) -> bool {
        !matches!(self, Self::Loopback)
    }

    const fn times(self) -> &'static str {
        match self {
            Self::Rotating => "--rotate-every 3s --grace 1500ms",
            Self::Idle => "--idle 8s",
            Self::Short => "--absolute 6s --idle 6s",
            Self::Remembering => "--idle 4s --rotate-every 3s --grace 1500ms",
            Self::Crash => "--rotate-every 1s --grace 1s",
            _ => "",
        }
    }

    const fn cookies(self) -> Option<&'static str> {
        match self {
            Self::Strict => Some("same_site = \"strict\""),
            Self::Embedded => Some("same_site = \"none\""),
            Self::Partitioned => Some("same_site = \"none_partitioned\""),
            Self::UntilClosed => Some("until_browser_closes = true"),
            _ => None,
        }
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
        let policy = house.cookies().map(policy_file).transpose()?;
        let mut command = Command::new(binary);
        for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("COUNTERFOIL_DEMO_")) {
            command.env_remove(name);
        }
        command.args(["demo", "--test-mode", "--listen", "127.0.0.1:0"]).args(house.times().split_whitespace());
        if house.is_https() {
            command.args(["--https", "--origin"]).arg(format!("https://{}", house.host()));
        }
        if let Some(policy) = &policy {
            command.arg("--policy").arg(policy.path());
        }
        let by_hand = format!("{:?}", command.as_std());
        let mut child = command
            .env("COUNTERFOIL_LOG", "error")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| DemoError::Spawn(binary.to_owned(), error))?;
        let listening = timeout(START, address(&mut child)).await.map_err(|_| DemoError::Silent)??;
        match listening {
            Some(address) => Ok(Self { _child: child, _policy: policy, port: address.port() }),
            None => Err(DemoError::Ended(child.wait().await?, by_hand)),
        }
    }
}

/// The first line that names one, `None` if the output ends before. What follows is read and dropped.
async fn address(child: &mut Child) -> io::Result<Option<SocketAddr>> {
    let Some(output) = child.stdout.take() else { return Ok(None) };
    let mut lines = BufReader::new(output).lines();
    while let Some(line) = lines.next_line().await? {
        if let Some(address) = address_in(&line) {
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return Ok(Some(address));
        }
    }
    Ok(None)
}

fn address_in(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("://127.0.0.1:")?;
    let port = rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok().filter(|port| *port != 0)?;
    Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
}

fn policy_file(cookies: &str) -> io::Result<tempfile::NamedTempFile> {
    let file = tempfile::Builder::new().suffix(".toml").tempfile()?;
    std::fs::write(file.path(), format!("[cookies]\n{cookies}\n"))?;
    Ok(file)
}

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
