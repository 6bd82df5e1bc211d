//! What the first command of the README prints, followed as a newcomer would: from sign-in to sign-out.

use std::{
    io::{self, BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
};

use counterfoil_proxies::{kind::Kind, site::free_port};
use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};

use crate::{
    verdict::{Failure, Shown, promise},
    world::{Stage, credentials, seen},
};

/// What it printed that a person needs.
#[derive(Debug, Default)]
struct Said {
    open: String,
    name: String,
    password: String,
    devices: String,
    attack: String,
}

pub(super) async fn from_sign_in_to_sign_out(stage: Arc<Stage>) -> Shown {
    let (kind, counterfoil) = (stage.house.kind, stage.world.counterfoil.clone());
    let started = tokio::task::spawn_blocking(move || Running::start(kind, &counterfoil));
    let (shown, said) = started.await.map_err(io::Error::other)??;
    let (person, tab) = stage.stranger().await?;
    let landed = tab.go(&said.open).await?;
    promise("the address leads to the sign-in page", landed.path().starts_with("/.session/login?next="), || {
        seen(&landed)
    })?;
    let landed = tab.follow(&credentials(&said.name, &said.password)).await?;
    promise("what was printed signs in", said.open.ends_with(landed.path()) && landed.status == 200, || seen(&landed))?;
    let text = tab.text().await?;
    promise("the app sees who it is", text.contains("You are ada"), || text.clone())?;
    let landed = tab
        .follow("{ const form = document.querySelector('form'); form.elements.text.value = 'kept'; form.submit(); }")
        .await?;
    let text = tab.text().await?;
    promise("and its form works", landed.status == 200 && text.contains("kept"), || text.clone())?;
    let landed = tab.go(&said.devices).await?;
    promise("the page of devices is there", landed.status == 200 && landed.url == said.devices, || seen(&landed))?;
    tab.follow("document.querySelector('form[action=\"/.session/logout\"]').submit()").await?;
    let landed = tab.go(&said.open).await?;
    promise("signing out there is signing out", landed.path().starts_with("/.session/login?next="), || seen(&landed))?;
    let attack = said.attack.clone();
    let examined = tokio::task::spawn_blocking(move || Command::new("sh").arg("-c").arg(attack).output());
    let examined = examined.await.map_err(io::Error::other)??;
    let text = String::from_utf8_lossy(&examined.stdout).into_owned();
    promise("the doctor it names finds nothing", examined.status.success(), || text.clone())?;
    drop(shown);
    person.leave().await?;
    Ok(format!("{}, {}", said.open, text.lines().last().unwrap_or_default()))
}

/// The command, running in a process group of its own, as in a terminal of its own.
struct Running {
    child: Child,
    _kept: tempfile::TempDir,
}

impl Running {
    /// Starts it, and reads what it prints until it says that it is ready.
    fn start(kind: Kind, counterfoil: &Path) -> Result<(Self, Said), Failure> {
        use std::os::unix::process::CommandExt as _;
        let kept = tempfile::tempdir()?;
        let beside = |name: &str| {
            let here = std::env::current_exe().unwrap_or_default();
            here.with_file_name(name)
        };
        let mut command = Command::new(beside("proxies"));
        command.args(["--show", "--proxy", kind.name(), "--port", &free_port()?.to_string()]);
        command.arg("--bin").arg(counterfoil).arg("--app").arg(beside("example-notes")).arg("--keep").arg(kept.path());
        let mut child = command.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let output = child.stdout.take();
        let shown = Self { child, _kept: kept };
        let mut said = Said::default();
        for line in BufReader::new(output.ok_or_else(|| io::Error::from(io::ErrorKind::BrokenPipe))?).lines() {
            let line = line?;
            let rest = |words: &str| line.strip_prefix(words).map(|rest| rest.trim().to_owned());
            match () {
                () if line.starts_with("ctrl-c") => return Ok((shown, said)),
                () if line.starts_with("open ") => said.open = rest("open").unwrap_or_default(),
                () if line.starts_with("attack it ") => said.attack = rest("attack it").unwrap_or_default(),
                () => {}
            }
            if let Some((name, password)) = rest("sign in as ").as_deref().and_then(|rest| rest.split_once(", ")) {
                (said.name, said.password) = (name.to_owned(), password.to_owned());
            }
            if let Some(rest) = rest("then look at ") {
                said.devices = rest.split_whitespace().next().unwrap_or_default().to_owned();
            }
        }
        Err(Failure::Broken { promise: "the first command of the README works", seen: "it ended".to_owned() })
    }
}

/// As ctrl-c does it.
impl Drop for Running {
    fn drop(&mut self) {
        if let Ok(id) = i32::try_from(self.child.id()) {
            // They may all be gone already.
            let _ = killpg(Pid::from_raw(id), Signal::SIGINT);
        }
        let _ = self.child.wait();
    }
}
