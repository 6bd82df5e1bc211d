//! `counterfoil proxy-config` and `counterfoil doctor`, as people run them: what is written, and what must be changed.

#[cfg(test)]
mod proxy_config {
    use std::{path::Path, process::Command};

    const FILE: &str = r#"
data = "data"
[apps.wiki]
origins = ["https://wiki.example"]
proxy = "haproxy"
upstream = "http://127.0.0.1:8080"
[[apps.wiki.rules]]
path = "/*"
access = "signed-in"
[apps.notes]
origins = ["https://notes.example"]
proxy = "caddy"
[[apps.notes.rules]]
path = "/*"
access = "signed-in"
"#;

    /// Exit status, standard output and standard error.
    fn counterfoil(folder: &Path, line: &str) -> (Option<i32>, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_counterfoil"));
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("COUNTERFOIL")) {
            command.env_remove(name);
        }
        let output = command.args(line.split_whitespace()).current_dir(folder).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }

    fn configured() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("counterfoil.toml"), FILE).unwrap();
        folder
    }

    #[test]
    fn the_files_of_an_app_are_written_where_asked_for() {
        let folder = configured();
        let line = "proxy-config haproxy --config counterfoil.toml --app wiki --out there";
        let (code, out, err) = counterfoil(folder.path(), line);
        assert_eq!(code, Some(0), "{err}");
        assert_eq!(out, "there/counterfoil-wiki.cfg\nthere/counterfoil-wiki.lua\n");
        let written = std::fs::read_to_string(folder.path().join("there/counterfoil-wiki.cfg")).unwrap();
        assert!(written.contains("127.0.0.1:8080") && written.ends_with('\n'), "{written}");
    }

    #[test]
    fn without_a_file_the_configuration_is_for_what_serve_assumes() {
        let folder = configured();
        let line = "proxy-config nginx --origin https://a.example --upstream http://127.0.0.1:7000";
        let (code, out, err) = counterfoil(folder.path(), line);
        assert_eq!(code, Some(0), "{err}");
        for part in
            ["server_name a.example;", "server 127.0.0.1:7000 ", "server 127.0.0.1:9401 ", "/authz/auth-request/app;"]
        {
            assert!(out.contains(part), "{part}: {out}");
        }
    }

    #[test]
    fn what_must_be_changed_is_named() {
        let folder = configured();
        for (line, says) in [
            ("proxy-config haproxy --config counterfoil.toml", "name one by --app: there is `wiki`, `notes`"),
            ("proxy-config nginx --config counterfoil.toml --app wiki", "configured for haproxy (`apps.wiki.proxy`)"),
            ("proxy-config nginx --config counterfoil.toml --app shop", "there is no app `shop`"),
            ("proxy-config caddy --config counterfoil.toml --app notes", "set its `upstream`"),
            ("proxy-config squid", "squid"),
            ("doctor wiki.example --data .", "name the site as browsers do"),
            ("doctor http://127.0.0.1:9 --data no-such-folder", "must be able to write"),
            ("doctor http://127.0.0.1:1 --data .", "does not answer"),
        ] {
            let (code, out, err) = counterfoil(folder.path(), line);
            assert_eq!((code, out.as_str()), (Some(2), ""), "{line}: {err}");
            assert!(err.contains(says), "{line}: {err}");
        }
        assert!(!folder.path().join("doctor-key").exists());
    }
}
