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
}
