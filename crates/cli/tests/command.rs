//! The command as people and scripts run it: exit status, output, and the end.

#[cfg(test)]
mod command {
    use std::{
        io::{BufRead as _, BufReader, Read as _, Write as _},
        net::TcpStream,
        process::{Command, Output, Stdio},
    };

    fn counterfoil(line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_counterfoil"));
        command.args(line.split_whitespace());
        command.env_remove("COUNTERFOIL_KEY_FILE");
        for variable in ["LISTEN", "ORIGIN", "TRUSTED_PROXY", "POLICY", "IDLE", "LIMIT"] {
            command.env_remove(format!("COUNTERFOIL_DEMO_{variable}"));
        }
        command
    }

    fn output(line: &str) -> (Option<i32>, String, String) {
        let Output { status, stdout, stderr } = counterfoil(line).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (status.code(), text(stdout), text(stderr))
    }

    #[test]
    fn the_version_is_the_packages() {
        let (code, text, _) = output("--version");
        assert_eq!((code, text.trim()), (Some(0), concat!("counterfoil ", env!("CARGO_PKG_VERSION"))));
    }

    #[test]
    fn help_names_every_option_of_the_demo() {
        let (code, text, _) = output("demo --help");
        assert_eq!(code, Some(0));
        for option in [
            "--listen",
            "--https",
            "--origin",
            "--trusted-proxy",
            "--policy",
            "--test-mode",
            "--rotate-every",
            "--grace",
            "--idle",
            "--absolute",
            "--elevated-for",
            "--remember-for",
            "--limit",
            "Examples:",
            "Exit status:",
        ] {
            assert!(text.contains(option), "{option}");
        }
    }

    #[test]
    fn arguments_that_must_be_changed_end_with_2_and_are_named() {
        let manifest = concat!("demo --policy ", env!("CARGO_MANIFEST_DIR"), "/src/main.rs");
        for (line, named) in [
            ("", "Usage"),
            ("serve-tea", "serve-tea"),
            ("demo --idle soon", "--idle"),
            ("demo --listen 0.0.0.0:0", "--listen 0.0.0.0:0"),
            ("demo --listen 0.0.0.0:0 --https --test-mode", "--test-mode"),
            ("demo --origin http://demo.example.org", "http://demo.example.org"),
            ("demo --policy /no/such/file", "--policy /no/such/file"),
            (manifest, "is not a policy"),
            ("demo --listen 127.0.0.1:0 --grace 34s", "timeouts.grace (34s) is below 35s"),
            ("demo --listen 127.0.0.1:0 --rotate-every 2s", "timeouts.rotate_every (2s) is below 5m"),
            ("demo --listen 127.0.0.1:0 --idle 2h", "timeouts.idle (2h) exceeds what preset aal2 allows (1h)"),
            (
                "demo --listen 127.0.0.1:0 --idle 50m --absolute 40m",
                "timeouts.idle (50m) exceeds timeouts.absolute (40m)",
            ),
            ("demo --listen 127.0.0.1:0 --trusted-proxy 0.0.0.0/0", "address.trusted_proxies"),
        ] {
            let (code, stdout, stderr) = output(line);
            assert_eq!(code, Some(2), "{line}: {stderr}");
            assert!(stderr.contains(named), "{line}: {stderr}");
            assert!(stdout.is_empty(), "{line}: {stdout}");
        }
    }

    #[test]
    fn a_policy_file_is_checked_and_weakens_only_in_test_mode() {
        let directory = std::env::temp_dir().join(format!("counterfoil-policy-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        for (number, (text, more, named)) in [
            ("[timeouts]\nidel = \"1h\"", "", "idel"),
            ("[timeouts]\nidle = \"soon\"", "", "soon"),
            ("[timeouts]\ngrace = \"1s\"", "", "timeouts.grace (1s) is below 35s"),
            ("[timeouts]\ngrace = \"1s\"", "--grace 2s", "timeouts.grace (2s) is below 35s"),
            ("[timeouts]\ngrace = \"1s\"\n[danger]\nbelow_floors = true", "", "--test-mode"),
            ("origins = [\"https://shop.example/\"]", "", "https://shop.example/"),
            ("origins = [\"http://shop.example\"]", "", "http://shop.example"),
            ("[address]\ntrusted_proxies = [\"10.0.0.0/8\"]", "", "address"),
        ]
        .into_iter()
        .enumerate()
        {
            let file = directory.join(format!("{number}.toml"));
            std::fs::write(&file, text).unwrap();
            let (code, stdout, stderr) =
                output(&format!("demo --listen 127.0.0.1:0 {more} --policy {}", file.display()));
            assert_eq!((code, stdout.as_str()), (Some(2), ""), "{text}: {stderr}");
            assert!(stderr.contains(named), "{text}: {stderr}");
        }
        std::fs::remove_dir_all(&directory).unwrap();
    }

    #[test]
    fn an_address_in_use_ends_with_1_and_is_named() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap().to_string();
        let (code, _, stderr) = output(&format!("demo --listen {address}"));
        assert_eq!(code, Some(1), "{stderr}");
        assert!(stderr.contains(&address), "{stderr}");
    }

    #[cfg(unix)]
    #[test]
    fn the_demo_says_where_it_listens_answers_there_and_ends_when_told() {
        let mut demo = counterfoil("demo --listen 127.0.0.1:0 --test-mode").stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(demo.stdout.take().unwrap());
        let mut first = String::new();
        stdout.read_line(&mut first).unwrap();
        let address = first.trim().strip_prefix("listening on http://").unwrap();

        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(b"GET /style.css HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");

        assert!(Command::new("kill").arg(demo.id().to_string()).status().unwrap().success());
        assert_eq!(demo.wait().unwrap().code(), Some(0));
        let mut rest = String::new();
        stdout.read_to_string(&mut rest).unwrap();
        for expected in ["ada-demo-1", "grace-demo-1", "without Secure", "TEST MODE"] {
            assert!(rest.contains(expected), "{expected} in {rest}");
        }
    }

    #[test]
    fn keys_are_made_listed_rotated_and_retired_and_never_printed() {
        let folder = Folder::new();
        let file = folder.0.join("keys");
        let keys = |line: &str| output(&format!("keys {line} --file {}", file.display()));
        let (code, made, stderr) = keys("new --sessions-last 1day");
        assert_eq!((code, stderr.as_str()), (Some(0), ""));
        let first = made.split('`').nth(1).unwrap().to_owned();
        let (code, _, stderr) = keys("new");
        assert_eq!(code, Some(1));
        assert!(stderr.contains("exists already, and is never overwritten"), "{stderr}");

        let (code, rotated, stderr) = keys("rotate --signs-in 10m");
        assert_eq!((code, stderr.as_str()), (Some(0), ""));
        let second = rotated.split('`').nth(1).unwrap().to_owned();
        assert!(
            rotated.contains("bring the file to every node")
                && rotated.contains(&format!("key `{first}` verifies until"))
        );
        let (code, _, stderr) = keys("rotate");
        assert_eq!(code, Some(1));
        assert!(stderr.contains(&format!("key `{second}` was added and signs from")), "{stderr}");

        let (_, listed, _) = keys("list");
        let line = |key: &str| listed.lines().find(|line| line.starts_with(key)).unwrap_or_default().to_owned();
        assert!(line(&first).contains("signs ") && line(&second).contains("will sign"), "{listed}");
        assert!(listed.contains("Sessions last 1day at most"), "{listed}");

        let text = std::fs::read_to_string(&file).unwrap();
        let secrets: Vec<_> = text.lines().filter_map(|line| line.split_once("key=")).map(|(_, key)| key).collect();
        assert_eq!(secrets.len(), 3);
        for printed in [made, rotated, listed] {
            assert!(secrets.iter().all(|secret| !printed.contains(&secret[..8])), "{printed}");
        }

        for (line, says) in [
            (format!("retire {first} --now --yes"), "signs: `counterfoil keys rotate` first"),
            ("retire zzz".to_owned(), "there is no key `zzz` in the file"),
        ] {
            let (code, _, stderr) = keys(&line);
            assert_eq!(code, Some(1));
            assert!(stderr.contains(says), "{line}: {stderr}");
        }
        assert_eq!(keys(&format!("retire {second}")).0, Some(0), "nothing was made with it yet");
        assert_eq!(keys("rotate").0, Some(0));
        let (code, _, stderr) = keys(&format!("retire {first}"));
        assert!(code == Some(1) && stderr.contains("sessions made with it may last that long"), "{stderr}");
        let (code, _, stderr) = keys(&format!("retire {first} --now"));
        assert!(code == Some(1) && stderr.contains("nobody can be asked here: say --yes"), "{stderr}");
        let (code, _, stderr) = keys(&format!("retire {first} --now --yes"));
        assert!(code == Some(0) && stderr.contains("Every session whose token was made with it ends"), "{stderr}");
        assert_eq!(std::fs::read_to_string(&file).unwrap().matches("\nkey id=").count(), 1);
    }

    #[test]
    fn a_key_file_that_cannot_be_used_is_named_with_what_to_do() {
        let folder = Folder::new();
        let file = folder.0.join("keys");
        let list = || output(&format!("keys list --file {}", file.display()));
        let (code, _, stderr) = list();
        assert_eq!(code, Some(1));
        assert_eq!(
            stderr.trim(),
            format!("error: {}: there is no such file: make it with `counterfoil keys new`", file.display())
        );
        std::fs::write(&file, "counterfoil-keys 1\n").unwrap();
        let (_, _, stderr) = list();
        #[cfg(unix)]
        assert!(stderr.contains("can be read or changed by others than its owner (mode 0644)"), "{stderr}");
        for (line, named) in [
            ("keys", "Usage"),
            ("keys new", "--file"),
            ("keys rotate --file x --signs-in soon", "--signs-in"),
            ("keys retire A_ --file x", "1 to 8 characters of a-z and 0-9"),
            ("keys retire a --file x --yes", "--now"),
        ] {
            let (code, stdout, stderr) = output(line);
            assert_eq!(code, Some(2), "{line}: {stderr}");
            assert!(format!("{stdout}{stderr}").contains(named), "{line}: {stderr}");
        }
        let (code, help, _) = output("keys --help");
        assert!(
            code == Some(0) && ["new", "list", "rotate", "retire", "Examples:"].iter().all(|word| help.contains(word))
        );
    }

    /// A folder of its own, gone when dropped.
    struct Folder(std::path::PathBuf);

    impl Folder {
        fn new() -> Self {
            static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
            let count = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let path = std::env::temp_dir().join(format!("counterfoil-keys-{}-{count}", std::process::id()));
            std::fs::create_dir(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}
