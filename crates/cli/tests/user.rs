//! `counterfoil user` as people and scripts run it, from the first account to a lost telephone.

#[cfg(test)]
mod user {
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    use tempfile::TempDir;

    struct Folder(TempDir);

    impl Folder {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn path(&self, name: &str) -> std::path::PathBuf {
            self.0.path().join(name)
        }

        /// Exit status, standard output and standard error of `counterfoil user …` on this folder.
        fn user(&self, line: &str, input: &str) -> (Option<i32>, String, String) {
            run(&format!("{line} --data {}", self.0.path().display()), input)
        }

        fn notes(&self) -> usize {
            std::fs::read_dir(self.path("changes")).map_or(0, Iterator::count)
        }
    }

    fn run(line: &str, input: &str) -> (Option<i32>, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_counterfoil"));
        command.arg("user").args(line.split_whitespace()).env_remove("COUNTERFOIL_CONFIG");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // It may end without having read anything.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }

    #[test]
    fn accounts_are_made_listed_changed_disabled_and_enabled() {
        let folder = Folder::new();
        let (code, said, _) = folder.user("list", "");
        assert!(code == Some(0) && said.contains("counterfoil user add NAME"), "{said}");
        let (code, said, errors) = folder.user("add ada --password-stdin", "a long enough password\nsecond line");
        assert_eq!((code, said.as_str(), errors.as_str()), (Some(0), "`ada` may sign in from now on\n", ""));
        assert_eq!(folder.notes(), 0, "there are no sessions to tell");
        let (code, said, _) = folder.user("add grace --generate", "");
        let password = said.lines().last().unwrap().strip_prefix("its password, shown this once: ").unwrap();
        assert_eq!((code, password.len()), (Some(0), 24));

        let file = std::fs::read_to_string(folder.path("accounts.toml")).unwrap();
        assert_eq!(file.matches("$argon2id$v=19$m=19456,t=2,p=1$").count(), 2, "{file}");
        assert!(!file.contains("a long enough password") && !file.contains(password));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(folder.path("accounts.toml")).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }

        for (line, said, notes) in [
            ("passwd ada --generate", "`ada` has another password; every session of it ends", 1),
            ("disable ada", "`ada` is disabled; every session of it ends", 2),
            ("disable ada", "`ada` is disabled", 3),
            ("enable ada", "`ada` may sign in again", 3),
        ] {
            let (code, out, errors) = folder.user(line, "");
            assert!(code == Some(0) && out.contains(said), "{line}: {out}{errors}");
            assert_eq!(folder.notes(), notes, "{line}");
        }
        folder.user("disable grace", "");
        let (_, listed, _) = folder.user("list", "");
        let line = |name: &str| listed.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
        assert!(line("ada").ends_with("may sign in") && line("grace").contains("disabled since 20"), "{listed}");
    }

    #[test]
    fn what_cannot_be_done_is_said_with_what_to_do() {
        let folder = Folder::new();
        assert_eq!(folder.user("add ada --generate", "").0, Some(0));
        let before = std::fs::read(folder.path("accounts.toml")).unwrap();
        let long = "x".repeat(300);
        #[rustfmt::skip]
        let table = [
            ("add ada --generate",          "",         "there is an account `ada` already: `counterfoil user passwd ada`"),
            ("passwd grace --generate",     "",         "there is no account `grace`: `counterfoil user list`"),
            ("disable grace",               "",         "there is no account `grace`"),
            ("totp remove ada",             "",         "`ada` has no second factor"),
            ("passwd ada",                  "",         "nobody can be asked here: say --password-stdin or --generate"),
            ("passwd ada --password-stdin", "",         "its first line is empty"),
            ("passwd ada --password-stdin", "short",    "fewer than 15 characters"),
            ("passwd ada --password-stdin", &long,      "longer than 256 bytes"),
        ];
        for (line, input, says) in table {
            let (code, said, errors) = folder.user(line, input);
            assert_eq!((code, said.as_str()), (Some(1), ""), "{line}: {errors}");
            assert!(errors.starts_with("error: ") && errors.contains(says), "{line}: {errors}");
        }
        assert_eq!((std::fs::read(folder.path("accounts.toml")).unwrap(), folder.notes()), (before, 0));
        for line in ["list", "passwd ada --generate"] {
            let (code, _, errors) = run(&format!("{line} --data /no/such/folder"), "");
            assert!(code == Some(1) && errors.contains("/no/such/folder: there is no such folder"), "{line}: {errors}");
        }
    }

    #[test]
    fn the_first_account_makes_the_folder_for_its_owner_alone_and_says_so() {
        let folder = Folder::new();
        let data = folder.path("new/data");
        let add = || run(&format!("add ada --generate --data {}", data.display()), "");
        let (code, _, said) = add();
        assert!(code == Some(0) && said.contains("new/data: made, for `counterfoil serve` to use"), "{said}");
        assert!(data.join("accounts.toml").is_file());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&data).unwrap().permissions().mode() & 0o777, 0o700);
        }
        let (code, _, said) = add();
        assert!(code == Some(1) && !said.contains("made"), "{said}");
    }

    #[test]
    fn arguments_that_must_be_changed_end_with_2_and_no_password_is_one() {
        for (line, named) in [
            ("", "Usage"),
            ("add Ada --data x", "small letters only"),
            ("add a/b --data x", "`a/b` cannot be the name"),
            ("add ada --data x --generate --password-stdin", "cannot be used with"),
            ("add ada --data x --password secret", "--password"),
            ("totp --data x", "Usage"),
        ] {
            let (code, said, errors) = run(line, "");
            assert_eq!(code, Some(2), "{line}: {errors}");
            assert!(format!("{said}{errors}").contains(named), "{line}: {errors}");
        }
        let (code, help, _) = run("--help", "");
        let words = ["add", "passwd", "disable", "enable", "list", "totp", "Examples:", "never an argument"];
        assert!(code == Some(0) && words.iter().all(|word| help.contains(word)), "{help}");
    }

    #[test]
    fn without_a_word_about_it_the_folder_is_the_one_that_serve_would_use() {
        let state = tempfile::tempdir().unwrap();
        let config = state.path().join("counterfoil.toml");
        let text = "data = \"here\"\n[apps.wiki]\norigins = [\"https://wiki.example\"]\nproxy = \"nginx\"\n\
                    upstream = \"http://127.0.0.1:3000\"\nrules = [{ path = \"/*\", access = \"signed-in\" }]\n";
        std::fs::write(&config, text).unwrap();
        let user = |more: &[&str]| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_counterfoil"));
            command.args(["user", "add", "ada", "--generate"]).args(more);
            command.env_remove("COUNTERFOIL_CONFIG").env("XDG_STATE_HOME", state.path()).output().unwrap()
        };
        for (more, folder) in [(vec![], "counterfoil/gateway"), (vec!["--config", config.to_str().unwrap()], "here")] {
            let output = user(&more);
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            assert!(state.path().join(folder).join("accounts.toml").is_file(), "{folder}");
        }
        let output = user(&["--config", "/no/such/file"]);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(1) && errors.contains("/no/such/file"), "{errors}");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_may_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = Folder::new();
        folder.user("add ada --generate", "");
        let file = folder.path("accounts.toml");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        let (code, _, errors) = folder.user("list", "");
        assert_eq!(code, Some(1));
        assert!(errors.contains("(mode 0644): make it yours alone with `chmod 600`"), "{errors}");
    }
}
