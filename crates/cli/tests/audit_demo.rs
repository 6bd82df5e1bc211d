//! `counterfoil audit` over `counterfoil demo`: the auditor finds nothing in our own house above what is merely said.

#[cfg(test)]
mod audit_demo {
    use std::io::{BufRead as _, BufReader};
    use std::process::{Child, Command, Stdio};

    use tempfile::TempDir;

    /// A demo over https; dropping it ends it.
    struct Demo {
        process: Child,
        origin: String,
        folder: TempDir,
    }

    impl Demo {
        fn start() -> Self {
            let folder = TempDir::new().unwrap();
            let mut process = Command::new(env!("CARGO_BIN_EXE_counterfoil"))
                .args(["demo", "--https", "--test-mode", "--listen", "127.0.0.1:0", "--write-certificate"])
                .arg(folder.path().join("demo.pem"))
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
            let origin = lines.find_map(|line| {
                line.split_whitespace().find(|word| word.starts_with("https://127")).map(str::to_owned)
            });
            let origin = origin.unwrap().trim_end_matches('/').to_owned();
            Self { process, origin, folder }
        }
    }

    impl Drop for Demo {
        fn drop(&mut self) {
            let _ = self.process.kill();
            let _ = self.process.wait();
        }
    }

    #[test]
    fn nothing_above_informational_is_found_in_the_demo() {
        let demo = Demo::start();
        let profile = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/audit/demo.toml");
        let report = demo.folder.path().join("report.json");
        let audit = Command::new(env!("CARGO_BIN_EXE_counterfoil"))
            .args(["audit", &demo.origin, "--profile", profile, "--yes", "--fail-on", "low", "--ca"])
            .arg(demo.folder.path().join("demo.pem"))
            .args(["--verbose", "--format", "text", "--out"])
            .arg(demo.folder.path().join("report.txt"))
            .args(["--format", "json", "--out"])
            .arg(&report)
            .output()
            .unwrap();
        let said = std::fs::read_to_string(demo.folder.path().join("report.txt")).unwrap_or_default();
        assert_eq!(audit.status.code(), Some(0), "{}\n{said}", String::from_utf8_lossy(&audit.stderr));
        let report = std::fs::read_to_string(report).unwrap();
        // That nothing was found must not be because nothing was tried.
        for rule in PROVEN {
            let tried = format!("\"rule\":\"{rule}\"");
            let compact: String = report.chars().filter(|one| !one.is_whitespace()).collect();
            let verdict =
                compact.split(&tried).nth(1).map(|rest| rest.split('}').next().unwrap_or_default().to_owned());
            assert!(
                verdict.as_deref().is_some_and(|rest| rest.contains("\"verdict\":\"sound\"")),
                "{rule}: {verdict:?}"
            );
        }
    }

    const PROVEN: [&str; 18] = [
        "cookie-not-secure",
        "cookie-not-httponly",
        "fixation-kept",
        "fixation-adopted",
        "fixation-url",
        "fixation-form",
        "rotation-none",
        "rotation-raise-none",
        "rotation-raise-old-alive",
        "sign-out-no-effect",
        "sign-out-replay",
        "sign-out-revived",
        "csrf-open",
        "csrf-origin-null",
        "csrf-get-changes",
        "csrf-sign-in",
        "password-change-keeps",
        "sessions-unseen",
    ];
}
