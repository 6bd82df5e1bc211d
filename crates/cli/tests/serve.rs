//! `counterfoil serve` and `counterfoil config check`, as people and service managers run them.

#[cfg(test)]
mod serve {
    use std::{
        fs::File,
        io::{BufRead as _, BufReader, Read as _, Write as _},
        net::{SocketAddr, TcpListener, TcpStream},
        os::fd::OwnedFd,
        os::unix::fs::PermissionsExt as _,
        path::{Path, PathBuf},
        process::{Child, Command, Stdio},
        sync::{
            Mutex,
            atomic::{AtomicBool, AtomicU64, Ordering},
        },
        thread::JoinHandle,
        time::Duration,
    };

    const FILE: &str = r#"
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

    fn counterfoil(home: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_counterfoil"));
        clean(command.args(arguments), home);
        command
    }

    /// Nothing of whoever runs the tests.
    fn clean<'a>(command: &'a mut Command, home: &Path) -> &'a mut Command {
        let ours = std::env::vars_os().map(|(name, _)| name);
        for name in ours.filter(|name| name.to_string_lossy().starts_with("COUNTERFOIL")) {
            command.env_remove(name);
        }
        command.env("XDG_STATE_HOME", home).env_remove("NOTIFY_SOCKET").env_remove("LISTEN_FDS")
    }

    /// A folder with a configuration in it.
    fn configured() -> (tempfile::TempDir, PathBuf) {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("counterfoil.toml");
        std::fs::write(&file, FILE).unwrap();
        (home, file)
    }

    fn signal(child: &Child, name: &str) {
        assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
    }

    /// A gateway, ended with the test.
    struct Gateway {
        child: Child,
        listening: Vec<(String, String)>,
        banner: String,
        log: Option<JoinHandle<String>>,
    }

    impl Gateway {
        fn start(mut command: Command) -> Self {
            let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            // Read all the time: a log that nobody reads fills its pipe, and then whoever writes to it waits.
            let mut errors = child.stderr.take().unwrap();
            let log = std::thread::spawn(move || {
                let mut log = String::new();
                errors.read_to_string(&mut log).unwrap();
                log
            });
            let (mut listening, mut banner) = (Vec::new(), String::new());
            let mut out = BufReader::new(child.stdout.take().unwrap());
            while !banner.contains("ctrl-c ends it") {
                let mut line = String::new();
                let (1..) = out.read_line(&mut line).unwrap() else {
                    panic!("it did not start: {banner}{}", log.join().unwrap());
                };
                if let Some((address, name)) =
                    line.trim().strip_prefix("listening on http://").and_then(|line| line.split_once(' '))
                {
                    listening.push((name.trim_matches(['(', ')']).to_owned(), address.to_owned()));
                }
                banner += &line;
            }
            Self { child, listening, banner, log: Some(log) }
        }

        fn at(&self, name: &str) -> &str {
            &self.listening.iter().find(|(listener, _)| listener == name).unwrap().1
        }

        /// Ends it gently, and says what it logged.
        fn stop(mut self) -> (Option<i32>, String) {
            signal(&self.child, "-TERM");
            let log = self.log.take().unwrap().join().unwrap();
            (self.child.wait().unwrap().code(), log)
        }
    }

    impl Drop for Gateway {
        fn drop(&mut self) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }

    fn get(address: &str, path: &str) -> String {
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn without_a_file_it_runs_keeps_its_secrets_and_says_what_it_protects_and_what_to_do_next() {
        let home = tempfile::tempdir().unwrap();
        let mut command = counterfoil(home.path(), &["serve", "--origin", "https://wiki.example", "--proxy", "caddy"]);
        for listener in ["PUBLIC", "DECISION", "HEALTH"] {
            command.env(format!("COUNTERFOIL__LISTEN__{listener}"), "127.0.0.1:0");
        }
        let gateway = Gateway::start(command);
        let data = home.path().join("counterfoil/gateway");
        for said in [
            "app app: https://wiki.example\n",
            "/*                       signed-in\n",
            "anything else            denied\n",
            "apps.app.upstream is `http://127.0.0.1:3000`\n",
            "counterfoil user add NAME --data ",
            "counterfoil proxy-config caddy --origin https://wiki.example --upstream http://127.0.0.1:3000/\n",
            data.to_str().unwrap(),
        ] {
            assert!(gateway.banner.contains(said), "{said} in\n{}", gateway.banner);
        }
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&data), mode(&data.join("keys"))), (0o700, 0o600));
        assert!(get(gateway.at("health"), "/healthz").starts_with("HTTP/1.1 200"));
        assert!(get(gateway.at("health"), "/readyz").ends_with("ready\n"));
        let metrics = get(gateway.at("health"), "/metrics");
        assert!(metrics.contains("counterfoil_sessions 0\n") && metrics.ends_with("# EOF\n"), "{metrics}");
        for inner in ["public", "decision"] {
            let answer = get(gateway.at(inner), "/metrics");
            assert!(answer.starts_with("HTTP/1.1 4") && !answer.contains("counterfoil_"), "{inner}: {answer}");
        }
        let (code, log) = gateway.stop();
        assert_eq!(code, Some(0), "{log}");
        assert!(log.contains("stopping: what is under way is answered first"), "{log}");
    }

    /// Arguments, variables, the exit status, and a part of what is said.
    type Row<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], i32, &'a str);

    #[test]
    fn what_is_wrong_is_said_with_the_status_of_its_kind() {
        let (home, file) = configured();
        let file = file.to_str().unwrap();
        let said = |arguments: &[&str], variables: &[(&str, &str)]| {
            let output = counterfoil(home.path(), arguments).envs(variables.iter().copied()).output().unwrap();
            let text = [output.stdout, output.stderr].concat();
            (output.status.code().unwrap(), String::from_utf8(text).unwrap())
        };
        let taken = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let held = TcpListener::bind(taken).unwrap();
        let taken = taken.to_string();
        #[rustfmt::skip]
        let table: &[Row<'_>] = &[
            (&["config", "check", "--config", file], &[], 0, "app wiki: https://wiki.example\n"),
            (&["config", "check"], &[("COUNTERFOIL_CONFIG", file)], 0, "app wiki: https://wiki.example\n"),
            (&["config", "check"], &[], 0, "app app: http://127.0.0.1:8080\n"),
            (&["config", "check", "--config", file], &[("COUNTERFOIL__LISTEN__PUBLIC", "0.0.0.0:80")], 0, "warning: COUNTERFOIL__LISTEN__PUBLIC: listen.public: "),
            (&["config", "check", "--config", file], &[("COUNTERFOIL__APPS__WIKI__PROXY", "ngnix")], 2, "error: COUNTERFOIL__APPS__WIKI__PROXY: apps.wiki.proxy: "),
            (&["config", "check", "--config", "/nowhere.toml"], &[], 1, "error: /nowhere.toml: cannot be read: No such file"),
            (&["serve", "--config", file], &[("COUNTERFOIL__APPS__WIKI__PROXY", "ngnix")], 2, "error: COUNTERFOIL__APPS__WIKI__PROXY: apps.wiki.proxy: "),
            (&["serve", "--config", file], &[("COUNTERFOIL__LISTEN__PUBLIC", &taken)], 1, "cannot listen there: Address already in use"),
            (&["serve", "--config", file, "--origin", "https://a.example"], &[], 2, "cannot be used with"),
            (&["serve", "--proxy", "iis"], &[], 2, "error: --proxy: apps.app.proxy: `iis` is none of nginx, "),
        ];
        for (arguments, variables, code, expected) in table {
            let (found, text) = said(arguments, variables);
            assert_eq!(found, *code, "{arguments:?} {variables:?}: {text}");
            assert!(text.contains(expected), "{arguments:?} {variables:?}: {text}");
        }
        drop(held);
    }

    #[test]
    fn the_log_is_json_where_that_is_asked_for() {
        let (home, file) = configured();
        let arguments = ["serve", "--config", file.to_str().unwrap(), "--log-format", "json"];
        let (_, log) = Gateway::start(counterfoil(home.path(), &arguments)).stop();
        assert!(!log.is_empty());
        for line in log.lines() {
            assert!(line.starts_with("{\"timestamp\":\"") && line.ends_with('}'), "{line}");
        }
        assert!(log.contains("\"message\":\"stopped\""), "{log}");
    }

    /// What nginx asks about a stranger. Where somebody must be signed in the answer is 401, and 204 where nobody must.
    const QUESTION: &str = "GET /authz/auth-request/wiki HTTP/1.1\r\nHost: decisions\r\nX-Counterfoil-Method: GET\r\n\
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
                signal(&gateway.child, "-HUP");
                wait_for(&format!("counterfoil_config_reloads_total{{result=\"done\"}} {round}\n"));
                std::fs::write(&file, FILE.replace("signed-in", "everybody")).unwrap();
                signal(&gateway.child, "-HUP");
                wait_for(&format!("counterfoil_config_reloads_total{{result=\"refused\"}} {round}\n"));
            }
        });
        assert!(get(&health, "/metrics").contains("counterfoil_config_stale 1\n"));
        assert!(get(&health, "/readyz").ends_with("ready\n"), "an older configuration is one");
        let (code, log) = gateway.stop();
        assert_eq!(code, Some(0));
        let refused =
            "counterfoil.toml:12: apps.wiki.rules[0].access: `everybody` is none of public, signed-in, step-up";
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
        signal(&gateway.child, "-HUP");
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
        fn start(&self) -> Child {
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
            let child = command.stdin(one).stdout(two).stderr(three).spawn().unwrap();
            // The socket is there all the time: this waits in its queue until the gateway answers.
            assert!(get(&self.address(2).to_string(), "/readyz").ends_with("ready\n"), "{}", self.log());
            child
        }

        /// Stops the old one, waits, and only then starts the new one: they share a store that one process may open.
        fn restart(&self, old: &mut Child) {
            signal(old, "-TERM");
            assert_eq!(old.wait().unwrap().code(), Some(0), "{}", self.log());
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
        signal(&running, "-TERM");
        assert_eq!(running.wait().unwrap().code(), Some(0), "{}", manager.log());
        println!("{answered} decisions over 3 restarts: 0 failed");
    }
}
