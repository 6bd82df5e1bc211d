//! A demo in a process of its own, clients with and without its cookies, and its operator.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

pub(crate) const LAPTOP: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
pub(crate) const SCRIPT: &str = "curl/8.5.0";
/// What the proxy in front would say; counts where the demo believes it.
pub(crate) const ADDRESS: &str = "203.0.113.77";
pub(crate) const EVENTS: &str = "[events.trail]\nfolder = \"trail\"\n[events.lines]\nfile = \"events.jsonl\"\n";

/// A demo that keeps an audit trail; dropping it ends it.
pub(crate) struct Demo {
    process: Child,
    pub(crate) authority: String,
    pub(crate) folder: TempDir,
    /// What it printed at its start.
    pub(crate) banner: Vec<String>,
}

impl Demo {
    pub(crate) fn start() -> Self {
        Self::with(EVENTS, &[])
    }

    /// With this policy file, and these words more on its command line.
    pub(crate) fn with(policy_text: &str, more: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        let policy = folder.path().join("policy.toml");
        fs::write(&policy, policy_text).unwrap();
        let mut process = counterfoil()
            .args(["demo", "--test-mode", "--listen", "127.0.0.1:0", "--policy"])
            .arg(&policy)
            .arg("--data")
            .arg(folder.path().join("data"))
            .args(more)
            .stdout(Stdio::piped())
            .stderr(fs::File::create(folder.path().join("log")).unwrap())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
        let authority = lines.next().unwrap().strip_prefix("listening on http://").unwrap().to_owned();
        let banner: Vec<_> = lines.take_while(|line| !line.contains("ctrl-c")).collect();
        assert!(banner.iter().any(|line| line.contains("counterfoil sessions list ada --data ")), "{banner:?}");
        Self { process, authority, folder, banner }
    }

    /// What is answered to a request of this client; its session cookie, if it sets one.
    pub(crate) fn ask(&self, head: &str, client: &str, cookie: &str, body: &str) -> (u16, Option<String>) {
        let answer = self.whole(head, client, cookie, body);
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        (status, cookies_of(&answer).find(|pair| pair.starts_with("dev-id=")))
    }

    /// All of an answer.
    pub(crate) fn whole(&self, head: &str, client: &str, cookie: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(&self.authority).unwrap();
        let cookie = if cookie.is_empty() { String::new() } else { format!("cookie: {cookie}\r\n") };
        let request = format!(
            "{head} HTTP/1.1\r\nhost: {at}\r\norigin: http://{at}\r\nsec-fetch-site: same-origin\r\naccept: application/json\r\n\
             user-agent: {client}\r\ncontent-type: application/x-www-form-urlencoded\r\n{cookie}content-length: {}\r\n\
             connection: close\r\nx-forwarded-for: {ADDRESS}\r\n\r\n{body}",
            body.len(),
            at = self.authority,
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// All of the answer to something that is no browser.
    pub(crate) fn whole_of(&self, path: &str, fields: &[(&str, &str)], body: &str) -> String {
        let mut stream = TcpStream::connect(&self.authority).unwrap();
        let fields: Vec<_> = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let fields = fields.concat();
        let (at, length) = (&self.authority, body.len());
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: {at}\r\n{fields}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// The cookie of somebody who signed in.
    pub(crate) fn signed_in(&self, name: &str) -> String {
        let body = format!("username={name}&password={name}-demo-1");
        let (status, cookie) = self.ask("POST /login", LAPTOP, "", &body);
        assert_eq!(status, 200);
        let cookie = cookie.unwrap();
        assert_eq!(self.ask("GET /me", LAPTOP, &cookie, "").0, 200);
        cookie
    }

    pub(crate) fn is_signed_in(&self, cookie: &str) -> bool {
        self.ask("GET /me", LAPTOP, cookie, "").0 == 200
    }

    /// Exit status, standard output and standard error of `counterfoil …` on the demo's folder.
    pub(crate) fn operate(&self, words: &[&str]) -> (Option<i32>, String, String) {
        run(words, &self.folder.path().join("data"))
    }

    pub(crate) fn sessions_of(&self, name: &str) -> Vec<Value> {
        let (_, said, errors) = self.operate(&["sessions", "list", name, "--json"]);
        serde_json::from_str::<Value>(&said).unwrap_or_else(|_| panic!("{said}{errors}")).as_array().unwrap().clone()
    }

    pub(crate) fn stop(&mut self) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        assert!(self.process.wait().unwrap().success());
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        // Looked through at the end of a test run.
        if let Some(folder) = std::env::var_os("KEPT_LOGS") {
            let _ = fs::copy(
                self.folder.path().join("log"),
                Path::new(&folder).join(format!("demo-{}.log", self.process.id())),
            );
        }
    }
}

/// A tail that listens already.
pub(crate) struct Tail(Child, BufReader<ChildStdout>);

impl Tail {
    pub(crate) fn of(demo: &Demo, only: &str) -> Self {
        let mut command = counterfoil();
        command.args(["events", "tail", "--only", only, "--data"]).arg(demo.folder.path().join("data"));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut errors = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        errors.read_line(&mut line).unwrap();
        assert_eq!(line, "listening; ctrl-c ends it\n");
        let out = BufReader::new(child.stdout.take().unwrap());
        Self(child, out)
    }

    pub(crate) fn next(&mut self) -> Value {
        let mut line = String::new();
        self.1.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn counterfoil() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_counterfoil"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("COUNTERFOIL")) {
        command.env_remove(name);
    }
    command
}

pub(crate) fn run(words: &[&str], folder: &Path) -> (Option<i32>, String, String) {
    let output = counterfoil().args(words).arg("--data").arg(folder).stdin(Stdio::null()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// What an answer puts into the jar.
pub(crate) fn cookies_of(answer: &str) -> impl Iterator<Item = String> {
    let set = answer.lines().filter_map(|line| line.strip_prefix("set-cookie: "));
    set.filter_map(|line| line.split(';').next()).map(str::to_owned)
}
