//! A gateway that runs, and is gone with its test.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;

pub(crate) const FILE: &str = r#"
data = "data"
[listen]
public = "127.0.0.1:0"
decision = "127.0.0.1:0"
health = "127.0.0.1:0"
[apps.wiki]
origins = ["https://wiki.example"]
proxy = "nginx"
[[apps.wiki.rules]]
path = "/*"
access = "signed-in"
"#;

pub(crate) fn counterfoil(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_counterfoil"));
    clean(command.args(arguments), home);
    command
}

/// Nothing of whoever runs the tests.
pub(crate) fn clean<'a>(command: &'a mut Command, home: &Path) -> &'a mut Command {
    let ours = std::env::vars_os().map(|(name, _)| name);
    for name in ours.filter(|name| name.to_string_lossy().starts_with("COUNTERFOIL")) {
        command.env_remove(name);
    }
    command.env("XDG_STATE_HOME", home).env_remove("NOTIFY_SOCKET").env_remove("LISTEN_FDS")
}

/// A folder with a configuration in it.
pub(crate) fn configured() -> (tempfile::TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("counterfoil.toml");
    std::fs::write(&file, FILE).unwrap();
    (home, file)
}

/// A process, ended with whatever held it: also where a test fails half way.
pub(crate) struct Running(Child);

impl Running {
    pub(crate) fn spawn(command: &mut Command) -> Self {
        Self(command.spawn().unwrap())
    }

    pub(crate) fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([name, &self.0.id().to_string()]).status().unwrap().success());
    }

    /// Ends it gently.
    pub(crate) fn stop(&mut self) -> ExitStatus {
        self.signal("-TERM");
        self.0.wait().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A gateway, and what it said.
pub(crate) struct Gateway {
    pub(crate) process: Running,
    pub(crate) banner: String,
    listening: Vec<(String, String)>,
    log: Option<JoinHandle<String>>,
}

impl Gateway {
    /// Its log is read all the time.
    pub(crate) fn start(command: Command) -> Self {
        let (mut gateway, mut errors) = Self::start_unread(command);
        gateway.log = Some(std::thread::spawn(move || {
            let mut log = String::new();
            errors.read_to_string(&mut log).unwrap();
            log
        }));
        gateway
    }

    /// With the pipe that it logs to, which nobody reads.
    pub(crate) fn start_unread(mut command: Command) -> (Self, ChildStderr) {
        let mut process = Running::spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
        let (mut listening, mut banner) = (Vec::new(), String::new());
        let mut out = BufReader::new(process.0.stdout.take().unwrap());
        let mut errors = process.0.stderr.take().unwrap();
        while !banner.contains("ctrl-c ends it") {
            let mut line = String::new();
            let (1..) = out.read_line(&mut line).unwrap() else {
                drop(process);
                let mut log = String::new();
                errors.read_to_string(&mut log).unwrap();
                panic!("it did not start: {banner}{log}");
            };
            if let Some((address, name)) =
                line.trim().strip_prefix("listening on http://").and_then(|line| line.split_once(' '))
            {
                listening.push((name.trim_matches(['(', ')']).to_owned(), address.to_owned()));
            }
            banner += &line;
        }
        (Self { process, banner, listening, log: None }, errors)
    }

    pub(crate) fn at(&self, name: &str) -> &str {
        &self.listening.iter().find(|(listener, _)| listener == name).unwrap().1
    }

    /// Ends it gently, and says what it logged.
    pub(crate) fn stop(mut self) -> (Option<i32>, String) {
        let (id, code) = (self.process.0.id(), self.process.stop().code());
        let log = self.log.take().map(|log| log.join().unwrap()).unwrap_or_default();
        // Looked through at the end of a test run.
        if let Some(folder) = std::env::var_os("KEPT_LOGS") {
            let _ = std::fs::write(Path::new(&folder).join(format!("gateway-{id}.log")), &log);
        }
        (code, log)
    }
}

pub(crate) fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn what_does_not_start_is_gone_before_its_test_fails() {
    let home = tempfile::tempdir().unwrap();
    let pid = home.path().join("pid");
    let mut command = Command::new("sh");
    command.args(["-c", "echo $$ > \"$1\"; exec >&-; exec sleep 600", "sh"]).arg(&pid);
    let failed = std::thread::spawn(|| Gateway::start(command)).join();
    assert!(failed.is_err());
    let process = format!("/proc/{}", std::fs::read_to_string(&pid).unwrap().trim());
    assert!(!Path::new(&process).exists(), "{process} is left behind");
}
