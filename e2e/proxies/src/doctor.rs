//! The doctor, tried out: it passes the generated configuration of every proxy, and says what is wrong with a spoiled one.

mod spoils;

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use self::spoils::Spoil;
pub(crate) use self::spoils::of;
use crate::chain::HOST;
use crate::kind::{Kind, LOG};
use crate::process::{Process, listening};
use crate::server::{Answer, Says, Server};
use crate::site::{FILE, Site, account, command, free_port};
use crate::verdict::{Failure, Shown, promise};

/// A gateway behind a proxy, for the doctor to look at.
#[derive(Debug)]
pub(crate) struct Patient {
    pub(super) kind: Kind,
    port: u16,
    folder: TempDir,
    /// The proxy's configuration as it was written.
    written: Vec<(String, String)>,
    pub(super) app: Server,
    /// Ada's.
    pub(super) password: String,
    _gateway: Process,
}

impl Patient {
    /// Starts a gateway, and has it write its proxy's configuration.
    ///
    /// # Errors
    /// What could not be started.
    pub(crate) fn admit(kind: Kind, counterfoil: &Path) -> Result<Self, Failure> {
        let app = Server::open(Says::Answer(Answer::new(200).saying("the app")))?;
        let folder = tempfile::tempdir()?;
        let port = free_port()?;
        let at = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let site = Site {
            kind,
            origin: format!("http://{HOST}:{port}"),
            upstream: app.address,
            public: at(free_port()?),
            decision: at(free_port()?),
            cookie_return: "one",
        };
        site.configure(counterfoil, folder.path(), None)?;
        let password = account(counterfoil, folder.path())?.unwrap_or_default();
        let log = fs::File::create(folder.path().join("gateway.log"))?;
        let mut serve = command(counterfoil, folder.path());
        serve.args(["serve", "--config", FILE]).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let mut gateway = Process::start(serve, counterfoil.to_owned())?;
        let printed = || fs::read_to_string(folder.path().join("gateway.log")).unwrap_or_default();
        listening(site.decision, &mut gateway)
            .map_err(|()| Failure::NotReady { program: "counterfoil", said: printed() })?;
        let mut written = Vec::new();
        for entry in fs::read_dir(folder.path())?.flatten().filter(|entry| entry.path().is_file()) {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name != FILE && entry.path().extension().is_none_or(|kind| kind != "log") {
                written.push((name, fs::read_to_string(entry.path())?));
            }
        }
        Ok(Self { kind, port, folder, written, app, password, _gateway: gateway })
    }

    /// Has the doctor look at the configuration as it was written.
    pub(crate) fn is_well(&self, counterfoil: &Path) -> Shown {
        let said = self.examined(counterfoil, &[])?;
        promise("no false alarm", said.status == Some(0), || said.text.clone())?;
        Ok(said.text.lines().last().unwrap_or_default().to_owned())
    }

    /// Has the doctor look at a spoiled one.
    pub(crate) fn is_ill(&self, counterfoil: &Path, spoil: &Spoil) -> Shown {
        let said = self.examined(counterfoil, spoil.edits)?;
        let failed: Vec<_> = said.text.split("\nFAIL  ").skip(1).collect();
        let named = failed.iter().any(|failure| failure.starts_with(spoil.promise));
        promise("the doctor names the broken promise", named && said.status == Some(1), || said.text.clone())?;
        let fixes = failed.iter().find(|failure| failure.starts_with(spoil.promise)).copied().unwrap_or_default();
        let fix = fixes.split_whitespace().collect::<Vec<_>>().join(" ");
        promise("and the fix", fix.contains(spoil.fix), || said.text.clone())?;
        Ok(format!("{} broken", failed.len()))
    }

    /// Starts the proxy with what lies in the folder.
    pub(super) fn proxy(&self) -> Result<(Process, SocketAddr), Failure> {
        let mut proxy = Process::start(self.kind.command(self.folder.path())?, self.kind.program())?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let printed = || fs::read_to_string(self.folder.path().join(LOG)).unwrap_or_default();
        listening(address, &mut proxy)
            .map_err(|()| Failure::NotReady { program: self.kind.name(), said: printed() })?;
        Ok((proxy, address))
    }

    /// `Host`, as browsers write it.
    pub(super) fn host(&self) -> String {
        format!("{HOST}:{}", self.port)
    }

    fn examined(&self, counterfoil: &Path, edits: &[(&str, &str)]) -> Result<Said, Failure> {
        for (name, text) in &self.written {
            let mut text = text.clone();
            for (old, new) in edits {
                text = text.replace(old, new);
            }
            fs::write(self.folder.path().join(name), text)?;
        }
        let all: String = self.written.iter().map(|(_, text)| text.as_str()).collect();
        for (old, _) in edits {
            promise("what is spoiled is there", all.contains(old), || (*old).to_owned())?;
        }
        let (_proxy, address) = self.proxy()?;
        let site = format!("http://{HOST}:{}", self.port);
        let mut said = Said::default();
        // A port may be open before the routes behind it are known.
        for _ in 0..5 {
            let mut doctor = command(counterfoil, self.folder.path());
            doctor.args(["doctor", &site, "--data", "data", "--connect", &address.to_string()]);
            let output = doctor.output().map_err(|error| Failure::Start(counterfoil.to_owned(), error))?;
            let text = [output.stdout, output.stderr].concat();
            said = Said { status: output.status.code(), text: format!("\n{}", String::from_utf8_lossy(&text)) };
            if said.text.contains(" kept, ") {
                break;
            }
            thread::sleep(Duration::from_millis(300));
        }
        Ok(said)
    }
}

/// What the doctor printed, and how it ended.
#[derive(Debug, Default)]
struct Said {
    status: Option<i32>,
    text: String,
}
