//! Twins in other languages, for what their frameworks' own sessions do. Each is a process of its own.

use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use crate::house::PEOPLE;
use crate::web::SOUND;

/// A twin that runs; dropping it ends it.
pub(crate) struct Running {
    /// Where it listens.
    pub(crate) port: u16,
    child: Child,
    _folder: TempDir,
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Whether that is one of them.
pub(crate) fn is(name: &str) -> bool {
    ALL.contains(&name)
}

/// Whether all it needs is there; `corpus install` sees to that.
pub(crate) fn is_installed(name: &str) -> bool {
    match name {
        "php" => Command::new("php").arg("-v").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok(),
        "express" => installed().join("express/node_modules/express-session").is_dir(),
        _ => python().is_file(),
    }
}

/// Starts a twin, on a free port for 0, and waits until it answers.
pub(crate) fn open(name: &str, fixed: bool, port: u16) -> io::Result<Running> {
    if !is_installed(name) {
        return Err(io::Error::other(format!("what {name} needs is not there: run `corpus install` first")));
    }
    let folder = tempfile::tempdir()?;
    let port = if port == 0 { free_port()? } else { port };
    let mut child = command(name, port)
        .env("CORPUS_PORT", port.to_string())
        .env("CORPUS_FLAWED", if fixed { "0" } else { "1" })
        .env("CORPUS_FOLDER", folder.path())
        .env("CORPUS_PEOPLE", serde_json::Value::Object(object(&PEOPLE)).to_string())
        .env("CORPUS_HEADERS", serde_json::Value::Object(object(SOUND)).to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    for _ in 0..300 {
        if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(Running { port, child, _folder: folder });
        }
        if let Some(status) = child.try_wait()? {
            return Err(io::Error::other(format!("{name} ended at once: {status}")));
        }
        thread::sleep(Duration::from_millis(100));
    }
    drop(Running { port, child, _folder: folder });
    Err(io::Error::other(format!("{name} does not listen")))
}

fn command(name: &str, port: u16) -> Command {
    let app = apps().join(name);
    match name {
        "php" => {
            let mut command = Command::new("php");
            command.args(["-S", &format!("127.0.0.1:{port}")]).arg(app.join("index.php"));
            command
        }
        "express" => {
            let mut command = Command::new("node");
            command.arg(app.join("app.js")).env("NODE_PATH", installed().join("express/node_modules"));
            command
        }
        _ => {
            let mut command = Command::new(python());
            command.arg(app.join("app.py"));
            command
        }
    }
}

fn object(pairs: &[(&str, &str)]) -> serde_json::Map<String, serde_json::Value> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect()
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Where their sources are.
pub(crate) fn apps() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("apps")
}

/// Where what they need is.
pub(crate) fn installed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/audit")
}

fn python() -> PathBuf {
    installed().join("venv/bin/python")
}

const ALL: [&str; 4] = ["django", "express", "flask", "php"];
