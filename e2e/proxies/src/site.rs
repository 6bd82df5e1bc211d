//! A site as an operator configures it: the gateway's file, and what the gateway writes for the proxy from it.

use std::fs::{self, File, TryLockError};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::kind::Kind;
use crate::verdict::Failure;

/// An app behind one proxy.
#[derive(Debug)]
pub struct Site<'a> {
    /// The proxy.
    pub kind: Kind,
    /// Where browsers find it.
    pub origin: String,
    /// Where the app is.
    pub upstream: SocketAddr,
    /// Where the gateway listens for browsers.
    pub public: SocketAddr,
    /// Where it listens for the proxy.
    pub decision: SocketAddr,
    /// `one` or `none`: whether answers of the app bring cookies of ours.
    pub cookie_return: &'a str,
    /// Which paths demand what, as the gateway's file says it; [`RULES`] is enough for most.
    pub rules: &'a str,
}

impl Site<'_> {
    /// Writes the gateway's configuration into `folder`, and has it write the proxy's beside it.
    ///
    /// # Errors
    /// [`Failure::Config`] with what the gateway says.
    pub fn configure(&self, counterfoil: &Path, folder: &Path, pem: Option<&Path>) -> Result<(), Failure> {
        fs::write(folder.join(FILE), self.file(folder))?;
        let mut command = command(counterfoil, folder);
        command.args(["proxy-config", self.kind.name(), "--app", "app", "--config", FILE, "--out", "."]);
        if let Some(pem) = pem {
            command.arg("--certificate").arg(pem).arg("--key").arg(pem);
        }
        let written = command.output().map_err(|error| Failure::Start(counterfoil.to_owned(), error))?;
        if !written.status.success() {
            return Err(Failure::Config(String::from_utf8_lossy(&written.stderr).trim().to_owned()));
        }
        Ok(())
    }

    fn file(&self, folder: &Path) -> String {
        let Self { kind, origin, upstream, public, decision, cookie_return, rules } = self;
        let data = folder.join("data");
        format!(
            r#"data = "{}"
[listen]
public = "{public}"
decision = "{decision}"
health = "127.0.0.1:0"
[apps.app]
origins = ["{origin}"]
proxy = "{kind}"
upstream = "http://{upstream}"
cookie_return = "{cookie_return}"
{rules}"#,
            data.display()
        )
    }
}

/// Makes somebody's account, and says the password.
///
/// # Errors
/// [`Failure::Config`] with what the gateway's command says.
pub fn account(counterfoil: &Path, folder: &Path, name: &str) -> Result<String, Failure> {
    // The gateway makes it when it starts; accounts may be there before.
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder.join("data"))?;
    let mut add = command(counterfoil, folder);
    add.args(["user", "add", name, "--generate", "--data", "data"]);
    let output = add.output().map_err(|error| Failure::Start(counterfoil.to_owned(), error))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let shown = text.lines().find_map(|line| line.split_once("shown this once: "));
    match shown {
        Some((_, password)) if output.status.success() => Ok(password.trim().to_owned()),
        _ => Err(Failure::Config(text + &String::from_utf8_lossy(&output.stderr))),
    }
}

/// A command of the gateway's in `folder`, with nothing of whoever runs the suite in its environment.
pub fn command(counterfoil: &Path, folder: &Path) -> Command {
    let program = fs::canonicalize(counterfoil).unwrap_or_else(|_| counterfoil.to_owned());
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("COUNTERFOIL")) {
        command.env_remove(name);
    }
    command.current_dir(folder);
    command
}

/// A port nobody listens at. It is none of those that the system gives to outgoing connections, or one of them could have it
/// before the program that is to listen there starts; and no other process that asks here is told it while this one runs.
///
/// # Errors
/// If there is none.
pub fn free_port() -> io::Result<u16> {
    static TOLD: AtomicU32 = AtomicU32::new(0);
    static CLAIMS: Mutex<Vec<File>> = Mutex::new(Vec::new());
    let first = std::process::id().wrapping_mul(PORTS / 7);
    for _ in 0..PORTS {
        let number = first.wrapping_add(TOLD.fetch_add(1, Ordering::Relaxed)) % PORTS;
        let port = u16::try_from(FIRST_PORT + number).map_err(io::Error::other)?;
        let Some(claim) = claimed(port)? else { continue };
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            CLAIMS.lock().unwrap_or_else(PoisonError::into_inner).push(claim);
            return Ok(port);
        }
    }
    Err(io::ErrorKind::AddrInUse.into())
}

/// A lock on a file that stands for the port, which ends with the process; nothing if somebody has it.
fn claimed(port: u16) -> io::Result<Option<File>> {
    let folder = std::env::temp_dir().join("counterfoil-ports");
    fs::create_dir_all(&folder)?;
    let file = File::options().create(true).append(true).open(folder.join(port.to_string()))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Below what Linux, macOS and others use for outgoing connections, above what services are assigned.
const FIRST_PORT: u32 = 20_000;
const PORTS: u32 = 12_000;

/// The gateway's configuration.
pub const FILE: &str = "counterfoil.toml";

/// Everybody sees what is public, and whoever is signed in sees the rest.
pub const RULES: &str = "\
[[apps.app.rules]]
path = \"/public/*\"
access = \"public\"
[[apps.app.rules]]
path = \"/*\"
access = \"signed-in\"
";

/// Found on this machine by every resolver, and an origin that may go without https.
pub const HOST: &str = "app.localhost";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_told_once_and_one_that_is_taken_never() {
        let first = free_port().unwrap();
        // Whoever listens at the next ones, they are passed over.
        let taken: Vec<_> = (1..4).map(|next| TcpListener::bind((Ipv4Addr::LOCALHOST, first + next))).collect();
        let others: Vec<_> = (0..200).map(|_| free_port().unwrap()).collect();
        assert!(
            !others.contains(&first) && (1..4).all(|next| !others.contains(&(first + next))),
            "{first}: {others:?}"
        );
        let distinct: std::collections::BTreeSet<_> = others.iter().collect();
        assert_eq!(distinct.len(), others.len());
        drop(taken);
    }

    #[test]
    fn a_port_that_another_process_was_told_is_not_told_again() {
        let port = free_port().unwrap();
        assert!(claimed(port).unwrap().is_none(), "whoever asks next, from here or elsewhere, passes it over");
        assert!(TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok(), "though nobody listens there yet");
    }
}
