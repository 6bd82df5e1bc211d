//! A `MariaDB` as Debian packages it, with its data in the application's folder.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::house::{Failure, Process, free_port, output};

/// Started, and the port it listens at.
pub(super) fn start(folder: &Path) -> Result<(Process, u16), Failure> {
    let data = folder.join("database");
    let data_is = format!("--datadir={}", data.display());
    let user = output(Command::new("id").arg("-un"), "id")?;
    let user_is = format!("--user={user}");
    let mut install = Command::new("mariadb-install-db");
    install.args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db", &data_is, &user_is]);
    output(&mut install, "mariadb-install-db")?;
    let port = free_port()?;
    let mut server = Command::new(program());
    server.args(["--no-defaults", "--bind-address=127.0.0.1", &data_is, &user_is, &format!("--port={port}")]);
    server.arg(format!("--socket={}", socket(folder).display()));
    Ok((Process::listening(server, "mariadbd", folder, port)?, port))
}

/// What it answers, a line for each row.
pub(super) fn ask(folder: &Path, query: &str) -> Result<String, Failure> {
    let mut client = Command::new("mariadb");
    client.args(["--no-defaults", "--user=root", "--batch", "--skip-column-names"]);
    client.arg(format!("--socket={}", socket(folder).display())).args(["--execute", query]);
    output(&mut client, "mariadb")
}

fn socket(folder: &Path) -> PathBuf {
    folder.join("mariadb.sock")
}

/// The one that is named, or Debian's, also where `/usr/sbin` is not on the path.
fn program() -> PathBuf {
    let named = std::env::var_os("MARIADB_BIN").map(PathBuf::from);
    named.unwrap_or_else(|| Path::new("/usr/sbin/mariadbd").to_owned())
}
