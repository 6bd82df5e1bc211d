//! Programs that run as long as somebody holds them, in a folder and on a port of their own.

use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Why nothing could be compared.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("{0} is missing; `cargo xtask audit-apps` installs it")]
    Missing(PathBuf),
    #[error("cannot start {0}")]
    Start(&'static str, #[source] io::Error),
    #[error("{program} said: {said}")]
    Said { program: &'static str, said: String },
    /// The look of our own does not do what a person would: nothing is known by it.
    #[error("{0}")]
    Unfit(String),
    #[error("the profile: {0}")]
    Profile(#[from] toml::de::Error),
    #[error("the auditor's report: {0}")]
    Report(#[from] serde_json::Error),
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// One that was started here; dropping it ends it.
#[derive(Debug)]
pub(crate) struct Process(Child);

impl Process {
    /// Started in `folder`, where it prints into a file; ready when somebody listens.
    pub(crate) fn listening(
        mut command: Command,
        program: &'static str,
        folder: &Path,
        port: u16,
    ) -> Result<Self, Failure> {
        let path = folder.join(format!("{program}{LOG}"));
        let log = File::create(&path)?;
        command.current_dir(folder).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let mut process = command.spawn().map(Self).map_err(|error| Failure::Start(program, error))?;
        let end = Instant::now() + START;
        while Instant::now() < end && process.0.try_wait()?.is_none() {
            if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
                return Ok(process);
            }
            thread::sleep(Duration::from_millis(50));
        }
        let said = std::fs::read_to_string(path).unwrap_or_default();
        Err(Failure::Said { program, said })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// One that nobody has, a moment ago.
pub(crate) fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// What a program prints, if it succeeds.
pub(crate) fn output(command: &mut Command, program: &'static str) -> Result<String, Failure> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| Failure::Start(program, error))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(Failure::Said { program, said: String::from_utf8_lossy(&said).trim().to_owned() })
}

/// A program of an environment that `cargo xtask audit-apps` makes.
pub(crate) fn installed(place: &str) -> Result<PathBuf, Failure> {
    // Not canonical: Python finds its environment by the name it is called by.
    let path = std::path::absolute(Path::new("target").join(place))?;
    if path.exists() { Ok(path) } else { Err(Failure::Missing(path)) }
}

/// What programs of ours print ends with this, and is no state.
pub(crate) const LOG: &str = ".printed.log";
const START: Duration = Duration::from_mins(1);
