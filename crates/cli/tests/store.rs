//! `counterfoil store`, and the demo whose sessions outlive it, as people run them.

#[cfg(test)]
mod store {
    use std::{
        io::{BufRead as _, BufReader, Read as _, Write as _},
        net::TcpStream,
        path::Path,
        process::{Child, Command, Stdio},
        sync::{
            Mutex,
            atomic::{AtomicBool, AtomicU64, Ordering},
        },
    };

    fn counterfoil(home: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_counterfoil"));
        command.args(arguments).env("XDG_STATE_HOME", home).env_remove("COUNTERFOIL_DEMO_DATA");
        command.env("COUNTERFOIL_KEY_FILE", home.join("counterfoil/demo/keys"));
        for variable in ["LISTEN", "ORIGIN", "TRUSTED_PROXY", "POLICY", "IDLE", "LIMIT"] {
            command.env_remove(format!("COUNTERFOIL_DEMO_{variable}"));
        }
        command
    }

    /// Exit status, and everything it said.
    fn said(home: &Path, arguments: &[&str]) -> (Option<i32>, String) {
        let output = counterfoil(home, arguments).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(text).unwrap())
    }

    struct Demo {
        child: Child,
        address: String,
    }

    impl Demo {
        fn start(home: &Path) -> Self {
            Self::start_with(home, &[])
        }

        fn start_with(home: &Path, more: &[&str]) -> Self {
            let arguments = [&["demo", "--listen", "127.0.0.1:0"], more].concat();
            let mut child = counterfoil(home, &arguments).stdout(Stdio::piped()).spawn().unwrap();
            let mut first = String::new();
            BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
            let address = first.trim().strip_prefix("listening on http://").unwrap().to_owned();
            Self { child, address }
        }

        /// The whole answer.
        fn ask(&self, head: &str, more: &str, body: &str) -> String {
            let address = &self.address;
            let mut stream = TcpStream::connect(address).unwrap();
            write!(
                stream,
                "{head} HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\nConnection: close\r\n{more}\
                 Content-Length: {}\r\n\r\n{body}",
                body.len()
            )
            .unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer
        }

        /// Signs ada in; her cookie.
        fn sign_in(&self) -> String {
            let form = "Content-Type: application/x-www-form-urlencoded\r\n";
            let answer = self.ask("POST /login", form, "username=ada&password=ada-demo-1");
            cookie_of(&answer).unwrap()
        }

        fn sees_ada(&self, cookie: &str) -> bool {
            self.ask("GET /session", &format!("Cookie: {cookie}\r\n"), "").contains("\"subject\":\"ada\"")
        }
    }

    /// The cookie that an answer sets.
    fn cookie_of(answer: &str) -> Option<String> {
        let set = answer.lines().find(|line| line.to_ascii_lowercase().starts_with("set-cookie:"))?;
        Some(set.split_once(": ")?.1.split(';').next()?.to_owned())
    }

    /// The id of the key that made the token in a cookie.
    fn key_of(cookie: &str) -> &str {
        cookie.split('_').nth(1).unwrap()
    }

    impl Drop for Demo {
        /// At once, as kill -9 does.
        fn drop(&mut self) {
            self.child.kill().unwrap();
            self.child.wait().unwrap();
        }
    }

    #[test]
    fn a_restart_signs_nobody_out_and_a_restore_everybody() {
        let home = tempfile::tempdir().unwrap();
        let (path, folder) = (home.path(), home.path().join("counterfoil/demo/sessions"));
        let (folder, backup) = (folder.to_str().unwrap(), home.path().join("backup"));
        let backup = backup.to_str().unwrap();
        let demo = Demo::start(path);
        let cookie = demo.sign_in();
        assert!(demo.sees_ada(&cookie));
        let (code, text) = said(path, &["store", "check", folder]);
        assert_eq!(code, Some(1), "{text}");
        assert!(text.contains("in use by process") && text.contains(folder), "{text}");
        drop(demo);
        let demo = Demo::start(path);
        assert!(demo.sees_ada(&cookie), "a restart signed somebody out");
        drop(demo);
        for (arguments, expected) in [
            (&["store", "check", folder][..], "all sound"),
            (&["store", "stats", folder], "sessions"),
            (&["store", "check", folder], "session records are written in format 2"),
            (&["store", "migrate", folder], "session records are written in format 2; nothing to do"),
            (&["store", "migrate", folder, "--dry-run"], "nothing to do"),
            (&["keys", "rotate"], "signs from now on"),
            (&["keys", "reseal", folder], "2 entries sealed anew, 0 already were"),
            (&["keys", "reseal", folder], "0 entries sealed anew, 2 already were"),
            (&["store", "backup", folder, backup], "a backup of 2 entries"),
        ] {
            let (code, text) = said(path, arguments);
            assert_eq!(code, Some(0), "{text}");
            assert!(text.contains(expected), "{text}");
        }
        std::fs::rename(folder, path.join("broken")).unwrap();
        let (code, text) = said(path, &["store", "restore", backup, folder]);
        assert_eq!(code, Some(0), "{text}");
        assert!(text.contains("everybody signs in again"), "{text}");
        let demo = Demo::start(path);
        assert!(!demo.sees_ada(&cookie), "a restore signed somebody in");
        assert!(demo.sees_ada(&demo.sign_in()));
    }

    #[test]
    fn a_folder_of_an_earlier_program_is_raised_by_an_operator_and_by_nothing_else() {
        let home = tempfile::tempdir().unwrap();
        let (path, folder) = (home.path(), home.path().join("counterfoil/demo/sessions"));
        drop(Demo::start(path));
        let said_there = || std::fs::read_to_string(folder.join("COUNTERFOIL")).unwrap();
        std::fs::write(folder.join("COUNTERFOIL"), said_there().replace("format = 2", "format = 1")).unwrap();
        let demo = Demo::start(path);
        let cookie = demo.sign_in();
        drop(demo);
        let folder = folder.to_str().unwrap();
        for (arguments, format, expected) in [
            (
                &["store", "check", folder][..],
                1,
                "written in format 1; once every node runs this version, `counterfoil store migrate`",
            ),
            (&["store", "stats", folder], 1, "written in format 1"),
            (&["store", "migrate", folder, "--dry-run"], 1, "written in format 2, no more in 1"),
            (&["store", "migrate", folder, "--dry-run"], 1, "nothing was changed"),
            (&["store", "migrate", folder], 2, "written in format 2 from now on, no more in 1"),
            (&["store", "migrate", folder], 2, "nothing to do"),
            (&["store", "stats", folder], 2, "earlier                  1  of these"),
            (&["store", "stats", folder], 2, "sessions                 1  "),
            (&["store", "stats", folder], 2, "devices                  1  subjects whose devices are known"),
            (&["store", "check", folder], 2, "all sound"),
        ] {
            let (code, text) = said(path, arguments);
            assert_eq!((code, text.contains(expected)), (Some(0), true), "{arguments:?}: {text}");
            assert!(said_there().contains(&format!("format = {format}\n")), "{arguments:?}");
        }
        let demo = Demo::start(path);
        assert!(demo.sees_ada(&cookie), "a migration signed somebody out");
        assert!(demo.sees_ada(&demo.sign_in()));
    }

    #[test]
    fn a_leaked_key_is_taken_out_and_whose_sessions_end_is_said_before() {
        let home = tempfile::tempdir().unwrap();
        let (path, folder) = (home.path(), home.path().join("counterfoil/demo/sessions"));
        let folder = folder.to_str().unwrap();
        let demo = Demo::start(path);
        let leaked = demo.sign_in();
        let (code, text) = said(path, &["keys", "rotate"]);
        assert_eq!(code, Some(0), "{text}");
        let key = text.lines().last().unwrap().split('`').nth(1).unwrap().to_owned();
        let retire = |more: &[&str]| said(path, &[&["keys", "retire", &key, "--now"], more].concat());
        let (code, text) = retire(&["--store", folder, "--yes"]);
        assert_eq!((code, text.contains("in use by process")), (Some(1), true), "{text}");
        drop(demo);
        let (code, text) = retire(&["--store", folder]);
        assert_eq!((code, text.contains("nobody can be asked here")), (Some(1), true), "{text}");
        let (code, text) = retire(&["--store", folder, "--yes"]);
        assert_eq!(code, Some(0), "{text}");
        for expected in [
            "1 of its 1 live sessions may end; people signed out: 1",
            "\n  ada ",
            "last seen 20",
            "2 entries sealed anew",
        ] {
            assert!(text.contains(expected), "{expected}: {text}");
        }
        let (code, text) = said(path, &["store", "check", folder]);
        assert_eq!((code, text.contains("all sound")), (Some(0), true), "{text}");
        let demo = Demo::start(path);
        assert!(!demo.sees_ada(&leaked), "a token of the leaked key is good");
        assert!(demo.sees_ada(&demo.sign_in()));
    }

    #[test]
    fn keys_rotate_under_a_demo_in_use_without_an_error_or_a_sign_out() {
        let home = tempfile::tempdir().unwrap();
        let (path, data) = (home.path(), home.path().join("counterfoil/demo"));
        let times = ["--test-mode", "--rotate-every", "1s", "--grace", "500ms", "--data", data.to_str().unwrap()];
        let demo = Demo::start_with(path, &times);
        let cookies: Vec<_> = (0..4).map(|_| Mutex::new(demo.sign_in())).collect();
        let (done, asked, wrong) = (AtomicBool::new(false), AtomicU64::new(0), Mutex::new(Vec::new()));
        let user = |cookie: &Mutex<String>| {
            while !done.load(Ordering::SeqCst) {
                let held = cookie.lock().unwrap().clone();
                let answer = demo.ask("GET /session", &format!("Cookie: {held}\r\n"), "");
                asked.fetch_add(1, Ordering::SeqCst);
                if !answer.starts_with("HTTP/1.1 200") || !answer.contains("\"subject\":\"ada\"") {
                    wrong.lock().unwrap().push(answer.clone());
                    return;
                }
                if let Some(new) = cookie_of(&answer) {
                    *cookie.lock().unwrap() = new;
                }
            }
        };
        let rotate_and_wait = || {
            for _ in 0..3 {
                let (code, text) = said(path, &["keys", "rotate"]);
                assert_eq!(code, Some(0), "{text}");
                let key = text.split('`').nth(1).unwrap().to_owned();
                let all_hold_it = || cookies.iter().all(|cookie| key_of(&cookie.lock().unwrap()) == key);
                while !all_hold_it() && wrong.lock().unwrap().is_empty() {
                    std::thread::sleep(std::time::Duration::from_millis(50));
                }
            }
        };
        std::thread::scope(|scope| {
            for cookie in &cookies {
                scope.spawn(|| user(cookie));
            }
            rotate_and_wait();
            done.store(true, Ordering::SeqCst);
        });
        assert_eq!(*wrong.lock().unwrap(), Vec::<String>::new());
        let (code, text) = said(path, &["keys", "list"]);
        assert_eq!((code, text.matches(" verifies ").count()), (Some(0), 3), "{text}");
        println!("{} requests over 3 rotations of the key: 0 errors, 0 sign-outs", asked.load(Ordering::SeqCst));
    }

    #[test]
    fn an_export_becomes_a_store_again_and_a_cut_one_does_not() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path();
        let demo = Demo::start(path);
        demo.sign_in();
        drop(demo);
        let at = |name: &str| path.join(name).to_str().unwrap().to_owned();
        let (folder, lines) = (at("counterfoil/demo/sessions"), at("lines"));
        let (code, text) = said(path, &["store", "export", &folder, &lines]);
        assert_eq!((code, text.contains(": 2 entries")), (Some(0), true), "{text}");
        let (code, text) = said(path, &["store", "export", &folder, &lines]);
        assert_eq!((code, text.contains("is there already; take another name")), (Some(1), true), "{text}");
        let (code, text) = said(path, &["store", "import", &lines, &at("imported")]);
        assert_eq!((code, text.contains("2 entries imported")), (Some(0), true), "{text}");
        let (code, text) = said(path, &["store", "check", &at("imported")]);
        assert_eq!((code, text.contains("all sound")), (Some(0), true), "{text}");
        let all = std::fs::read_to_string(&lines).unwrap();
        std::fs::write(&lines, all.lines().take(2).collect::<Vec<_>>().join("\n") + "\n").unwrap();
        let (code, text) = said(path, &["store", "import", &lines, &at("again")]);
        assert_eq!((code, text.contains("after line 2")), (Some(1), true), "{text}");
    }

    #[test]
    fn what_is_missing_is_named() {
        let home = tempfile::tempdir().unwrap();
        for (arguments, code, named) in [
            (&["store"][..], 2, "Usage: counterfoil store"),
            (&["store", "check"], 2, "<STORE>"),
            (&["store", "stats"], 2, "<DIR>"),
            (&["store", "check", "/no/such/folder"], 1, "counterfoil/demo/keys"),
            (&["demo", "--data", "x", "--memory"], 2, "--memory"),
        ] {
            let (status, text) = said(home.path(), arguments);
            assert_eq!((status, text.contains(named)), (Some(code), true), "{arguments:?}: {text}");
        }
    }

    #[test]
    fn what_cannot_be_done_with_a_server_is_said_with_what_to_do_instead_and_without_its_password() {
        let home = tempfile::tempdir().unwrap();
        let (redis, postgres) = ("redis://ada:hunter2@cache", "postgres://ada:hunter2@db/shop");
        #[rustfmt::skip]
        let table = [
            (&["store", "stats", redis][..],                "redis://cache: ask the server: `redis-cli INFO keyspace`"),
            (&["store", "stats", postgres],                 "postgres://db/shop: ask the server: `SELECT count(*)"),
            (&["store", "backup", redis, "x"],              "redis://cache: the server's own files are its backup"),
            (&["store", "backup", postgres, "x"],           "postgres://db/shop: the server's own tools back it up: `pg_dump"),
            (&["store", "backup", "x", redis],              "redis://cache: sessions do not move between"),
            (&["store", "export", postgres],                "postgres://db/shop: sessions do not move between"),
            (&["store", "import", "x", redis],              "redis://cache: sessions do not move between"),
            (&["store", "restore", "x", postgres],          "postgres://db/shop: a backup of a folder becomes a folder"),
            (&["store", "check", "redis://ada:hunter2@/1"], "the argument names no server: write redis://"),
            (&["store", "check", "mysql://ada:hunter2@db"], "the argument names no session store: write memory"),
            (&["store", "check", "embedded:"],              "the argument names no folder"),
        ];
        for (arguments, expected) in table {
            let (status, text) = said(home.path(), arguments);
            assert_eq!((status, text.contains(expected)), (Some(1), true), "{arguments:?}: {text}");
            assert!(!text.contains("hunter2"), "{arguments:?}: {text}");
        }
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0, "a folder of the name of an address");
    }

    mod at_a_server;
}
