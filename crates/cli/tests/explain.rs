//! `counterfoil explain` as people and builds run it: what is printed, and the exit status.

#[cfg(test)]
mod explain {
    use std::path::Path;
    use std::process::Command;

    const FILE: &str = r#"
data = "data"
[policy.timeouts]
idle = "30m"
[apps.wiki]
origins = ["https://wiki.example"]
proxy = "nginx"
[[apps.wiki.rules]]
path = "/*"
access = "signed-in"
"#;

    /// Exit status, standard output and standard error.
    fn explain(folder: &Path, line: &str, variables: &[(&str, &str)]) -> (Option<i32>, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_counterfoil"));
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("COUNTERFOIL")) {
            command.env_remove(name);
        }
        command.arg("explain").args(line.split_whitespace()).envs(variables.iter().copied()).current_dir(folder);
        let output = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    #[test]
    fn the_defaults_are_explained_where_nothing_is_named() {
        let (code, out, err) = explain(folder(&[]).path(), "", &[]);
        assert_eq!(code, Some(0), "{err}");
        for said in [
            "FALLS SHORT OF A STANDARD (2)",
            "\n  timeouts.idle = 1h\n",
            "\n  sessions.limit = none\n",
            "\n  limits.sign_in.address = 10 per minute\n",
            "\n  detection.decisions.impossible_travel = notify; on sensitive routes step_up\n",
            "\n  people.session.places\n",
        ] {
            assert!(out.contains(said), "{said}: {out}");
        }
        assert!(err.contains("these are the defaults, for a site at https://app.example"), "{err}");
    }

    #[test]
    fn what_is_named_is_explained_and_the_environment_counts_as_for_serve() {
        let folder = folder(&[
            ("counterfoil.toml", FILE),
            ("policy.toml", "preset = \"aal3\"\n[limits.sign_in]\naddress = \"3 per minute\""),
        ]);
        let run = |line: &str, variables: &[(&str, &str)]| {
            let (code, out, err) = explain(folder.path(), line, variables);
            assert_eq!(code, Some(0), "{line}: {err}");
            out
        };
        let gateway = run("--config counterfoil.toml", &[]);
        assert!(gateway.contains("IN FORCE FOR THE APP wiki") && gateway.contains("timeouts.idle = 30m"), "{gateway}");
        assert_eq!(run("", &[("COUNTERFOIL_CONFIG", "counterfoil.toml")]), gateway);
        let overridden = run("--config counterfoil.toml", &[("COUNTERFOIL__POLICY__TIMEOUTS__IDLE", "20m")]);
        assert!(overridden.contains("timeouts.idle = 20m"), "{overridden}");
        let assumed = run("", &[("COUNTERFOIL__POLICY__PRESET", "aal3")]);
        assert!(assumed.contains("IN FORCE FOR THE APP app") && assumed.contains("preset = aal3"), "{assumed}");
        let policy = run("--policy policy.toml", &[("COUNTERFOIL_CONFIG", "counterfoil.toml")]);
        assert!(
            policy.contains("timeouts.idle = 15m") && policy.contains("limits.sign_in.address = 3 per minute"),
            "{policy}"
        );
        assert!(!policy.contains("wiki"), "{policy}");
    }

    #[test]
    fn the_exit_status_says_whether_something_changed() {
        let folder = folder(&[("counterfoil.toml", FILE)]);
        let (code, json, err) = explain(folder.path(), "--config counterfoil.toml --json", &[]);
        assert_eq!(code, Some(0), "{err}");
        std::fs::write(folder.path().join("old.json"), json).unwrap();
        let diff = "--config counterfoil.toml --diff old.json";
        assert_eq!(explain(folder.path(), diff, &[]), (Some(0), "nothing has changed\n".into(), String::new()));

        std::fs::write(folder.path().join("counterfoil.toml"), FILE.replace("30m", "1h")).unwrap();
        let (code, out, err) = explain(folder.path(), diff, &[]);
        assert_eq!((code, err.as_str()), (Some(1), ""), "{out}");
        assert_eq!(out, "apps.wiki timeouts.idle: 30m -> 1h, which is weaker\n\n1 change, 1 weaker\n");
        let (code, out, _) = explain(folder.path(), &format!("{diff} --json"), &[]);
        assert_eq!(code, Some(1));
        assert!(out.contains("\"effect\": \"weaker\"") && out.ends_with("}\n"), "{out}");
    }

    #[test]
    fn what_cannot_be_explained_or_compared_ends_with_2_and_says_why() {
        let long = format!("#{}", "x".repeat(1 << 20));
        let folder = folder(&[
            ("counterfoil.toml", FILE),
            ("typo.toml", "[timeouts]\nidel = \"1h\""),
            ("weak.toml", "[timeouts]\nidle = \"2h\""),
            ("wrong.toml", &FILE.replace("\"nginx\"", "\"ngnix\"")),
            ("long.toml", &long),
            ("other.json", "{\"hello\": \"world\"}"),
            ("later.json", "{\"format\": \"counterfoil-explain\", \"version\": 7}"),
        ]);
        let (_, json, _) = explain(folder.path(), "--json", &[]);
        std::fs::write(folder.path().join("policy.json"), json).unwrap();
        for (line, named) in [
            ("--policy none.toml", "--policy none.toml: cannot be read"),
            ("--policy typo.toml", "idel"),
            ("--policy weak.toml", "--policy weak.toml: timeouts.idle (2h) exceeds what preset aal2 allows (1h)"),
            ("--policy long.toml", "--policy long.toml: is longer than 1024 KiB"),
            ("--config none.toml", "none.toml: cannot be read"),
            ("--config wrong.toml", "did you mean `nginx`?"),
            ("--config a --policy b", "cannot be used with"),
            ("--diff none.json", "--diff none.json: cannot be read"),
            ("--diff other.json", "--diff other.json: is not what `counterfoil explain --json` writes"),
            ("--diff later.json", "--diff later.json: is of version 7, and this program compares version 1"),
            (
                "--config counterfoil.toml --diff policy.json",
                "is about one policy, and this is about a gateway's configuration",
            ),
        ] {
            let (code, out, err) = explain(folder.path(), line, &[]);
            assert_eq!((code, out.as_str()), (Some(2), ""), "{line}: {err}");
            assert!(err.contains(named), "{line}: {err}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_document_without_an_end_is_refused_and_a_reader_that_leaves_is_no_error() {
        let folder = folder(&[]);
        let (code, _, err) = explain(folder.path(), "--diff /dev/zero", &[]);
        assert_eq!(code, Some(2), "{err}");
        assert!(err.contains("is longer than 16 MiB"), "{err}");

        let program = env!("CARGO_BIN_EXE_counterfoil");
        let line = format!("'{program}' explain 2>/dev/null; echo $? >&2");
        let output = Command::new("sh").args(["-c", &format!("({line}) | true")]).output().unwrap();
        assert_eq!(String::from_utf8(output.stderr).unwrap().trim(), "0");
    }

    #[test]
    fn help_says_what_a_newcomer_needs() {
        let (code, help, _) = explain(folder(&[]).path(), "--help", &[]);
        assert_eq!(code, Some(0));
        for said in
            ["--config", "--policy", "--json", "--diff", "Examples:", "Exit status:", "COUNTERFOIL_CONFIG", "NIST"]
        {
            assert!(help.contains(said), "{said}");
        }
    }
}
