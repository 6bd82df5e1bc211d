//! Reloads and restarts while decisions are asked for.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::running::{FILE, Gateway, Running, clean, configured, counterfoil, get};

/// What nginx asks about a stranger. Where somebody must be signed in the answer is 401, and 204 where nobody must.
pub(crate) const QUESTION: &str = "GET /authz/auth-request/wiki HTTP/1.1\r\nHost: decisions\r\nX-Counterfoil-Method: GET\r\n\
    X-Counterfoil-Target: /page\r\nX-Counterfoil-Host: wiki.example\r\nX-Counterfoil-Server: wiki.example\r\n\
    X-Counterfoil-Scheme: https\r\nX-Forwarded-For: 192.0.2.7\r\n\r\n";

/// Asks for decisions on kept connections until `done`, from four threads, and says how many were answered; a broken
/// connection or anything but a decision is a failure.
fn under_load(address: SocketAddr, meanwhile: impl FnOnce()) -> u64 {
    let (done, answered, failures) = (AtomicBool::new(false), AtomicU64::new(0), Mutex::new(Vec::new()));
    let ask_on = || {
        while !done.load(Ordering::SeqCst) {
            if let Err(error) = ask_until_told_to_close(address, &done, &answered) {
                failures.lock().unwrap().push(error);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(ask_on);
        }
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(meanwhile));
        done.store(true, Ordering::SeqCst);
        if let Err(panic) = result {
            std::panic::resume_unwind(panic);
        }
    });
    assert_eq!(*failures.lock().unwrap(), Vec::<String>::new(), "of {}", answered.load(Ordering::SeqCst));
    answered.load(Ordering::SeqCst)
}

fn ask_until_told_to_close(address: SocketAddr, done: &AtomicBool, answered: &AtomicU64) -> Result<(), String> {
    let told = |error: std::io::Error| error.to_string();
    let mut stream = BufReader::new(TcpStream::connect(address).map_err(told)?);
    stream.get_ref().set_read_timeout(Some(Duration::from_mins(1))).map_err(told)?;
    loop {
        stream.get_mut().write_all(QUESTION.as_bytes()).map_err(told)?;
        let (mut head, mut line) = (String::new(), String::new());
        while line != "\r\n" {
            line.clear();
            if stream.read_line(&mut line).map_err(told)? == 0 {
                return Err(format!("the connection ended after {head:?}"));
            }
            head += &line.to_lowercase();
        }
        let length = head
            .split("content-length: ")
            .nth(1)
            .and_then(|rest| rest.lines().next())
            .map_or(0, |length| length.parse().unwrap());
        std::io::copy(&mut stream.by_ref().take(length), &mut std::io::sink()).map_err(told)?;
        if !head.starts_with("http/1.1 401") && !head.starts_with("http/1.1 204") {
            return Err(head);
        }
        answered.fetch_add(1, Ordering::SeqCst);
        if head.contains("connection: close") || done.load(Ordering::SeqCst) {
            return Ok(());
        }
    }
}

#[test]
fn a_reload_under_load_fails_nobody_and_a_bad_one_changes_nothing() {
    let (home, file) = configured();
    let gateway = Gateway::start(counterfoil(home.path(), &["serve", "--config", file.to_str().unwrap()]));
    let (decisions, health) = (gateway.at("decision").parse().unwrap(), gateway.at("health").to_owned());
    let wait_for = |metric: &str| {
        while !get(&health, "/metrics").contains(metric) {
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    let answered = under_load(decisions, || {
        for round in 1..=10 {
            std::fs::write(&file, FILE.replace("signed-in", "public")).unwrap();
            gateway.process.signal("-HUP");
            wait_for(&format!("counterfoil_config_reloads_total{{result=\"done\"}} {round}\n"));
            std::fs::write(&file, FILE.replace("signed-in", "everybody")).unwrap();
            gateway.process.signal("-HUP");
            wait_for(&format!("counterfoil_config_reloads_total{{result=\"refused\"}} {round}\n"));
        }
    });
    assert!(get(&health, "/metrics").contains("counterfoil_config_stale 1\n"));
    assert!(get(&health, "/readyz").ends_with("ready\n"), "an older configuration is one");
    let (code, log) = gateway.stop();
    assert_eq!(code, Some(0));
    let refused = "counterfoil.toml:12: apps.wiki.rules[0].access: `everybody` is none of public, signed-in, step-up";
    assert!(log.contains(refused), "{log}");
    assert!(log.contains("the configuration before stays in force"), "{log}");
    println!("{answered} decisions over 20 reloads: 0 failed");
}

#[test]
fn what_cannot_change_while_it_runs_is_said_at_a_reload() {
    let (home, file) = configured();
    let gateway = Gateway::start(counterfoil(home.path(), &["serve", "--config", file.to_str().unwrap()]));
    let changed = FILE.replace("\"data\"", "\"elsewhere\"").replacen("127.0.0.1:0", "127.0.0.1:7", 1);
    std::fs::write(&file, changed.replace("[apps.wiki]", "proxy_protocol = true\n[apps.wiki]")).unwrap();
    gateway.process.signal("-HUP");
    while !get(gateway.at("health"), "/metrics").contains("result=\"done\"} 1\n") {
        std::thread::sleep(Duration::from_millis(20));
    }
    let (_, log) = gateway.stop();
    for expected in
        ["data (", "listen.public (127.0.0.1:0, now 127.0.0.1:7) is as before until", "listen.proxy_protocol, "]
    {
        assert!(log.contains(expected), "{expected} in {log}");
    }
}

/// Sockets that stay while gateways come and go, as a service manager holds them.
struct ServiceManager {
    home: PathBuf,
    file: PathBuf,
    sockets: [TcpListener; 3],
}

impl ServiceManager {
    fn address(&self, index: usize) -> SocketAddr {
        self.sockets[index].local_addr().unwrap()
    }

    /// The descriptors are 3, 4 and 5: a shell puts them there, as nothing here may be unsafe.
    fn start(&self) -> Running {
        let handed = self.sockets.each_ref().map(|socket| Stdio::from(OwnedFd::from(socket.try_clone().unwrap())));
        let [one, two, three] = handed;
        let log = self.home.join("log");
        File::options().create(true).append(true).open(&log).unwrap();
        let script =
            "exec 3<&0 4<&1 5<&2 </dev/null >/dev/null 2>>\"$LOG\"; exec env LISTEN_PID=$$ LISTEN_FDS=3 \"$@\"";
        let mut command = Command::new("sh");
        command.args(["-c", script, "sh", env!("CARGO_BIN_EXE_counterfoil"), "serve", "--config"]).arg(&self.file);
        clean(&mut command, &self.home).env("LOG", log);
        for (index, listener) in ["PUBLIC", "DECISION", "HEALTH"].iter().enumerate() {
            command.env(format!("COUNTERFOIL__LISTEN__{listener}"), self.address(index).to_string());
        }
        let running = Running::spawn(command.stdin(one).stdout(two).stderr(three));
        // The socket is there all the time: this waits in its queue until the gateway answers.
        assert!(get(&self.address(2).to_string(), "/readyz").ends_with("ready\n"), "{}", self.log());
        running
    }

    /// Stops the old one, waits, and only then starts the new one: they share a store that one process may open.
    fn restart(&self, old: &mut Running) {
        assert_eq!(old.stop().code(), Some(0), "{}", self.log());
        *old = self.start();
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.home.join("log")).unwrap()
    }
}

#[test]
fn a_restart_under_load_fails_nobody_where_the_service_manager_holds_the_sockets() {
    let (home, file) = configured();
    let sockets = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let manager = ServiceManager { home: home.path().to_owned(), file, sockets };
    let mut running = manager.start();
    let answered = under_load(manager.address(1), || {
        for _ in 0..3 {
            manager.restart(&mut running);
        }
    });
    assert_eq!(running.stop().code(), Some(0), "{}", manager.log());
    println!("{answered} decisions over 3 restarts: 0 failed");
}
