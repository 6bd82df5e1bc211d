//! What public scanners say of a site behind the gateway: MDN's HTTP Observatory by its own rules, and testssl.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use counterfoil_proxies::{
    house::{at, serve},
    kind::Kind,
    process::{Process, listening},
    site::{HOST, Site, account, free_port},
    tls::{AUTHORITY, Tls},
};
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    app::App,
    verdict::{Failure, Shown, promise},
};

/// What stands at `/`.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scanned {
    /// Whoever comes is sent to sign in.
    SignIn,
    /// A page of the app, for everybody.
    App,
}

/// A site at the usual ports, as its name and its configuration say; where they really are, only scanners know.
struct Behind {
    folder: TempDir,
    plain: u16,
    secure: u16,
    _running: [Process; 2],
}

/// Opens a site behind a proxy of this kind, and has it scanned.
///
/// # Errors
/// A grade below A+, a finding of severity HIGH or above, or no scanner.
pub(crate) async fn scan(kind: Kind, scanned: Scanned, counterfoil: PathBuf) -> Shown {
    let app = App::open().await?;
    let upstream = app.address;
    let scanning = tokio::task::spawn_blocking(move || {
        let behind = Behind::open(kind, scanned, &counterfoil, upstream)?;
        let observed = behind.observatory()?;
        match scanned {
            // The connection is the same whatever is sent over it.
            Scanned::App => Ok(observed),
            Scanned::SignIn => Ok(format!("{observed}; {}", behind.testssl()?)),
        }
    });
    scanning.await.map_err(std::io::Error::other)?
}

impl Behind {
    fn open(kind: Kind, scanned: Scanned, counterfoil: &Path, upstream: std::net::SocketAddr) -> Result<Self, Failure> {
        let (folder, plain, secure) = (tempfile::tempdir()?, free_port()?, free_port()?);
        let (public, decision) = (at(free_port()?), at(free_port()?));
        let rules = match scanned {
            Scanned::SignIn => "[[apps.app.rules]]\npath = \"/*\"\naccess = \"signed-in\"\n",
            Scanned::App => "[[apps.app.rules]]\npath = \"/*\"\naccess = \"public\"\n",
        };
        let origin = format!("https://{HOST}");
        let site = Site { kind, origin, upstream, public, decision, cookie_return: "one", rules };
        let pem = Tls::new(HOST)?.write(folder.path())?;
        site.configure(counterfoil, folder.path(), Some(&pem))?;
        moved(kind, folder.path(), plain, secure)?;
        account(counterfoil, folder.path(), "ada")?;
        let gateway = serve(counterfoil, folder.path(), decision)?;
        let mut proxy = Process::start(kind.command(folder.path())?, kind.program())?;
        let printed = || fs::read_to_string(folder.path().join("error.log")).unwrap_or_default();
        for port in [plain, secure] {
            listening(at(port), &mut proxy, kind.name(), printed)?;
        }
        Ok(Self { folder, plain, secure, _running: [gateway, proxy] })
    }

    fn observatory(&self) -> Shown {
        let mut scan = Command::new("node");
        scan.arg("e2e/journeys/observatory/scan.mjs")
            .arg(HOST)
            .args([self.plain, self.secure].map(|port| port.to_string()));
        scan.env("NODE_EXTRA_CA_CERTS", self.folder.path().join(AUTHORITY));
        let output = scan.stdin(Stdio::null()).output()?;
        let found: Value = serde_json::from_slice(&output.stdout).map_err(|_| {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            std::io::Error::other(format!("the Observatory did not run (`cargo xtask scan` installs it): {said}"))
        })?;
        let text = |name: &str| found.get(name).and_then(Value::as_str).unwrap_or_default();
        let (grade, score) = (text("grade"), found.get("score").and_then(Value::as_u64).unwrap_or_default());
        promise("the Observatory says A+", grade == "A+", || format!("{grade}, {score}: {}", lost(&found)))?;
        Ok(format!("Observatory {} {grade} ({score} points)", text("version")))
    }

    fn testssl(&self) -> Shown {
        let (found, authority) = (self.folder.path().join("testssl.json"), self.folder.path().join(AUTHORITY));
        let program = std::env::var_os("TESTSSL_BIN").unwrap_or_else(|| "testssl".into());
        let mut testssl = Command::new(program);
        testssl
            .args(["--quiet", "--color", "0", "--warnings", "batch", "--ip", "127.0.0.1", "--add-ca"])
            .arg(authority);
        testssl.arg("--jsonfile").arg(&found).arg(format!("https://{HOST}:{}", self.secure));
        let output = testssl.stdin(Stdio::null()).output()?;
        let text = fs::read_to_string(&found).unwrap_or_default();
        let findings: Vec<Value> = serde_json::from_str(&text).map_err(|_| {
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            std::io::Error::other(format!("testssl did not run (`cargo xtask scan` installs it): {said}"))
        })?;
        let of = |severity: &str| {
            findings.iter().filter(|finding| says(finding, "severity") == severity).collect::<Vec<_>>()
        };
        let bad: Vec<_> = ["HIGH", "CRITICAL", "FATAL"].into_iter().flat_map(of).collect();
        promise("testssl finds nothing that is HIGH or above", bad.is_empty(), || named(&bad))?;
        let counts = ["OK", "INFO", "LOW", "MEDIUM"].map(|severity| format!("{} {severity}", of(severity).len()));
        // WARN is what the scanner itself could not do.
        let worst: Vec<_> = ["LOW", "MEDIUM", "WARN"].into_iter().flat_map(of).collect();
        promise("it looked", of("OK").len() > 20, || counts.join(", "))?;
        Ok(format!("testssl: {}; {}", counts.join(", "), named(&worst)))
    }
}

/// The generated configuration says 80 and 443; this leads both elsewhere, and changes nothing else.
fn moved(kind: Kind, folder: &Path, plain: u16, secure: u16) -> Result<(), Failure> {
    if kind == Kind::Caddy {
        let global = format!("{{\n\tadmin off\n\tpersist_config off\n\thttp_port {plain}\n\thttps_port {secure}\n}}\n");
        fs::write(folder.join("Caddyfile"), global + "import counterfoil-app.caddy\n")?;
        return Ok(());
    }
    let path = folder.join("counterfoil-app.conf");
    let text = fs::read_to_string(&path)?;
    let text = text.replace("listen 127.0.0.1:443 ", &format!("listen 127.0.0.1:{secure} "));
    fs::write(path, text.replace("listen 127.0.0.1:80;", &format!("listen 127.0.0.1:{plain};")))?;
    Ok(())
}

/// What cost points.
fn lost(found: &Value) -> String {
    let tests = found.get("tests").and_then(Value::as_array).into_iter().flatten();
    let lost = tests.filter(|test| test.get("points").and_then(Value::as_i64).is_some_and(|points| points < 0));
    lost.map(|test| format!("{} ({})", says(test, "name"), says(test, "says"))).collect::<Vec<_>>().join(", ")
}

fn named(findings: &[&Value]) -> String {
    let one = |finding: &&Value| {
        format!("{} {}: {}", says(finding, "severity"), says(finding, "id"), says(finding, "finding"))
    };
    findings.iter().map(one).collect::<Vec<_>>().join("; ")
}

fn says<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}
