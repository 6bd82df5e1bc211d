//! `counterfoil audit` as people and scripts run it, against small sites of this file.

#[cfg(test)]
mod audit {
    use std::collections::HashSet;
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};
    use std::path::Path;
    use std::process::{Command, Output, Stdio};
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::{Arc, Mutex};
    use std::thread;

    use tempfile::TempDir;

    #[derive(Clone, Copy, PartialEq)]
    enum SignOut {
        EndsTheSession,
        RemovesTheCookie,
    }

    /// A site with one account; its sessions are random enough for a test, and rotate at sign-in.
    struct App {
        sign_out: SignOut,
        sessions: Mutex<HashSet<String>>,
        made: AtomicU64,
    }

    const PASSWORD: &str = "correct-horse-battery";

    fn site(sign_out: SignOut) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let app = Arc::new(App { sign_out, sessions: Mutex::default(), made: AtomicU64::new(0) });
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let app = Arc::clone(&app);
                thread::spawn(move || app.serve(stream));
            }
        });
        format!("http://{address}")
    }

    impl App {
        fn serve(&self, stream: TcpStream) {
            let mut reader = BufReader::new(stream);
            let mut head = Vec::new();
            while let Some(line) = reader.by_ref().lines().next().and_then(Result::ok).filter(|line| !line.is_empty()) {
                head.push(line);
            }
            let field = |name: &str| {
                let mut fields = head.iter().filter_map(|line| line.split_once(": "));
                fields.find(|(key, _)| key.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
            };
            let mut body = vec![0; field("content-length").parse().unwrap_or(0)];
            let _ = reader.read_exact(&mut body);
            let Some(first) = head.first() else { return };
            let answer = self.answer(first, field("cookie"), field("sec-fetch-site"), &String::from_utf8_lossy(&body));
            let _ = reader.into_inner().write_all(answer.as_bytes());
        }

        fn answer(&self, first: &str, cookies: &str, from: &str, body: &str) -> String {
            let session = cookies.split("; ").find_map(|pair| pair.strip_prefix("id=")).unwrap_or_default();
            let is_in = self.sessions.lock().unwrap().contains(session);
            let foreign = matches!(from, "cross-site" | "same-site");
            match first.trim_end_matches(" HTTP/1.1") {
                "GET /login" => {
                    page("", "<form method=post><input name=user><input name=password type=password></form>")
                }
                "POST /login" if !foreign && body.contains("user=alice") && body.contains(PASSWORD) => {
                    self.sessions.lock().unwrap().remove(session);
                    let id = self.new_id();
                    self.sessions.lock().unwrap().insert(id.clone());
                    page(&format!("Set-Cookie: id={id}; Path=/; HttpOnly; SameSite=Lax\r\nLocation: /account\r\n"), "")
                        .replace("200 OK", "303 See Other")
                }
                "GET /account" if is_in => {
                    page("", "<p>Signed in as alice</p><form method=post action=/logout></form>")
                }
                "POST /logout" if !foreign => {
                    if self.sign_out == SignOut::EndsTheSession {
                        self.sessions.lock().unwrap().remove(session);
                    }
                    page("Set-Cookie: id=; Path=/; Max-Age=0\r\n", "bye")
                }
                _ => page("", "<p>Please sign in</p>"),
            }
        }

        fn new_id(&self) -> String {
            let count = self.made.fetch_add(1, Ordering::Relaxed);
            let random = |salt: u64| std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), (count, salt));
            format!("{:016x}{:016x}", random(1), random(2))
        }
    }

    fn page(more: &str, text: &str) -> String {
        format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\
             Cache-Control: no-store\r\n{more}\r\n{text}",
            text.len()
        )
    }

    fn profile(folder: &Path, site: &str, marker: &str, more: &str) -> String {
        let path = folder.join("app.toml");
        let text = format!(
            "site = \"{site}\"\n[sign_in]\npage = \"/login\"\nform = {{ user = \"{{user}}\", password = \"{{password}}\" }}\n\
             [account]\nuser = \"alice\"\n[signed_in]\nurl = \"/account\"\nmarker = \"{marker}\"\n\
             [sign_out]\nrequest = \"POST /logout\"\n{more}"
        );
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn run(line: &str, password: Option<&str>) -> (Option<i32>, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_counterfoil"));
        command.arg("audit").args(line.split_whitespace()).stdin(Stdio::null());
        command.env_remove("AUDIT_PASSWORD").env_remove("AUDIT_SECOND_PASSWORD");
        if let Some(password) = password {
            command.env("AUDIT_PASSWORD", password);
        }
        let Output { status, stdout, stderr } = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (status.code(), text(stdout), text(stderr))
    }

    const MARKER: &str = "Signed in as {user}";

    #[test]
    fn help_names_every_option_with_examples() {
        let (code, text, _) = run("--help", None);
        assert_eq!(code, Some(0));
        #[rustfmt::skip]
        let options = [
            "--profile", "--password-env", "--password-file", "--format", "--out", "--baseline", "--fail-on", "--yes",
            "--budget", "--rate", "--ca", "--only", "--skip", "--wait", "--verbose", "--discover", "--user", "Examples:", "Exit status:",
        ];
        for option in options {
            assert!(text.contains(option), "{option}");
        }
    }

    #[test]
    fn what_must_be_changed_ends_with_2_and_is_named() {
        let folder = TempDir::new().unwrap();
        let profile = profile(folder.path(), "http://127.0.0.1:1", MARKER, "");
        #[rustfmt::skip]
        let cases = [
            (String::new(),                                                    "Usage"),
            ("app.example.org".to_owned(),                                     "\"app.example.org\" is no address of a site"),
            ("https://a.example --fail-on bad".to_owned(),                     "--fail-on"),
            ("https://a.example --format pdf".to_owned(),                      "--format"),
            ("https://a.example --only everything".to_owned(),                 "--only"),
            ("https://a.example --rate 0".to_owned(),                          "--rate"),
            ("https://a.example --out report.pdf".to_owned(),                  "its extension names no format"),
            ("https://a.example --format json --format html".to_owned(),       "only one report fits on standard output"),
            ("--profile no-such-file.toml".to_owned(),                         "no-such-file.toml"),
            (format!("--profile {profile} --baseline {profile}"),              "it is no report of"),
            (format!("--profile {profile}"),                                   "no password of `alice`: AUDIT_PASSWORD is not set"),
            (format!("--profile {profile} --password-file no-such-file"),      "no-such-file"),
            (format!("--profile {profile} --password-env HOME"),               "cannot connect to 127.0.0.1:1"),
            ("http://127.0.0.1:1 --discover a.toml".to_owned(),                 "--user"),
            ("--discover a.toml --user al".to_owned(),                         "URL"),
            ("http://127.0.0.1:1 --discover no/a.toml --user al".to_owned(),    "there is no such folder"),
            ("http://127.0.0.1:1 --discover a.toml --user al --password-env HOME".to_owned(), "no profile can be proposed"),
            ("http://127.0.0.1:1".to_owned(),                                  "cannot connect to 127.0.0.1:1"),
        ];
        for (line, expected) in cases {
            let (code, stdout, stderr) = run(&line, None);
            assert!(code == Some(2) && stderr.contains(expected), "{line}: {code:?}\n{stdout}{stderr}");
        }
    }

    #[test]
    fn a_marker_that_shows_nothing_is_noticed_before_anything_is_judged() {
        let folder = TempDir::new().unwrap();
        let site = site(SignOut::EndsTheSession);
        for marker in ["no such words", "i"] {
            let profile = profile(folder.path(), &site, marker, "");
            let (code, stdout, stderr) = run(&format!("--profile {profile}"), Some(PASSWORD));
            assert_eq!((code, stdout.as_str()), (Some(2), ""), "{marker}: {stderr}");
            assert!(stderr.starts_with("error: nothing can be judged: "), "{stderr}");
            assert_eq!(stderr.matches("/account").count(), 1, "a cause is told once: {stderr}");
        }
        let profile = profile(folder.path(), &site, MARKER, "");
        let (code, ..) = run(&format!("--profile {profile}"), Some("wrong"));
        assert_eq!(code, Some(2), "a wrong password");
    }

    #[test]
    fn a_flaw_fails_the_run_and_is_in_every_report_and_the_secrets_in_none() {
        let folder = TempDir::new().unwrap();
        let site = site(SignOut::RemovesTheCookie);
        let profile = profile(folder.path(), &site, MARKER, "");
        let files = ["r.txt", "r.json", "r.sarif", "r.xml", "r.html"].map(|name| folder.path().join(name));
        let outs = files.iter().fold(String::new(), |outs, file| format!("{outs} --out {}", file.display()));
        let (code, stdout, stderr) = run(&format!("--profile {profile}{outs}"), Some(PASSWORD));
        assert_eq!(code, Some(1), "{stdout}{stderr}");
        assert!(!stdout.contains('\u{1b}') && !stderr.contains('\u{1b}'), "neither is a terminal");
        let written = files.iter().map(|file| std::fs::read_to_string(file).unwrap());
        for text in written.chain([stdout]) {
            assert!(text.contains("sign-out-replay"), "{text}");
            assert!(!text.contains(PASSWORD), "{text}");
            let longest = text
                .split(|letter: char| !letter.is_ascii_hexdigit())
                .map(str::len)
                .filter(|length| *length == 32)
                .count();
            assert_eq!(longest, 0, "an id is in\n{text}");
        }
    }

    #[test]
    fn a_known_flaw_fails_nothing_and_a_baseline_can_be_written_over() {
        let folder = TempDir::new().unwrap();
        let profile = profile(folder.path(), &site(SignOut::RemovesTheCookie), MARKER, "");
        let report = folder.path().join("report.json");
        let line = format!("--profile {profile} --only sign-out --only csrf --out {}", report.display());
        let (first, ..) = run(&line, Some(PASSWORD));
        let (second, stdout, _) = run(&format!("{line} --baseline {}", report.display()), Some(PASSWORD));
        assert_eq!((first, second), (Some(1), Some(0)), "{stdout}");
        assert!(stdout.contains("0 new, 0 changed, 0 gone"), "{stdout}");
        let (never, ..) = run(&format!("--profile {profile} --fail-on never --only sign-out"), Some(PASSWORD));
        assert_eq!(never, Some(0));
    }

    #[test]
    fn a_site_that_holds_passes() {
        let folder = TempDir::new().unwrap();
        let profile = profile(folder.path(), &site(SignOut::EndsTheSession), MARKER, "");
        let (code, stdout, stderr) =
            run(&format!("--profile {profile} --only sign-out --only fixation"), Some(PASSWORD));
        assert_eq!(code, Some(0), "{stdout}{stderr}");
        assert!(stdout.contains("no flaw") && !stdout.contains("CSRF"), "{stdout}");
    }

    #[test]
    fn what_would_change_the_account_is_not_tried_where_nobody_agreed() {
        let folder = TempDir::new().unwrap();
        let change = "[password_change]\npage = \"/account\"\nform = { password = \"{new_password}\" }\n";
        let profile = profile(folder.path(), &site(SignOut::EndsTheSession), MARKER, change);
        let line = format!("--profile {profile} --only concurrency");
        let (_, _, stderr) = run(&line, Some(PASSWORD));
        assert!(stderr.contains("change the password of \"alice\" and change it back (--yes allows it)"), "{stderr}");
        let (_, _, stderr) = run(&format!("{line} --yes"), Some(PASSWORD));
        assert!(!stderr.contains("--yes"), "{stderr}");
    }

    #[test]
    fn from_a_sign_in_page_to_a_report_in_two_commands() {
        let folder = TempDir::new().unwrap();
        let (profile, report) = (folder.path().join("app.toml"), folder.path().join("report.html"));
        let first = format!("{}/login --discover {} --user alice", site(SignOut::RemovesTheCookie), profile.display());
        let (code, stdout, stderr) = run(&first, Some(PASSWORD));
        assert_eq!(code, Some(0), "{stdout}{stderr}");
        let text = std::fs::read_to_string(&profile).unwrap();
        assert!(text.contains("alice") && !text.contains(PASSWORD), "{text}");
        let (again, _, stderr) = run(&first, Some(PASSWORD));
        assert!(again == Some(2) && stderr.contains("it exists already"), "{stderr}");
        let second = format!("--profile {} --format html --out {}", profile.display(), report.display());
        let (code, stdout, stderr) = run(&second, Some(PASSWORD));
        assert!(matches!(code, Some(0 | 1)), "{stdout}{stderr}");
        assert!(std::fs::read_to_string(&report).unwrap().contains("fixation-kept"));
    }

    #[test]
    fn without_a_profile_it_looks_at_what_anybody_sees() {
        let (code, stdout, stderr) = run(&format!("{}/login", site(SignOut::EndsTheSession)), None);
        assert_eq!(code, Some(0), "{stdout}{stderr}");
        assert!(stdout.contains("csp-missing") && stdout.contains("it takes a profile"), "{stdout}");
    }
}
