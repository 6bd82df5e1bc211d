//! The page on how to put an app of one's own behind the gateway, followed to the letter.

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
};

use counterfoil_browser::waiting::until;
use counterfoil_proxies::{kind::Kind, site::free_port};
use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};

use crate::{
    verdict::{Failure, Shown, promise},
    world::{Stage, credentials, seen},
};

/// By Caddy: its lines need no rights.
pub(super) async fn to_the_letter(stage: Arc<Stage>) -> Shown {
    let page = std::fs::read_to_string(PAGE)?;
    let lines = blocks(&page);
    promise("the page has lines to follow", lines.len() == 5, || format!("{} blocks", lines.len()))?;
    let folder = tempfile::tempdir()?;
    let origin = format!("http://127.0.0.1:{}", free_port()?);
    let Some(((says_where, doctor), steps)) = lines.split_first().and_then(|(first, rest)| {
        let (last, rest) = rest.split_last()?;
        Some(((first, last), rest))
    }) else {
        return Err(Failure::Broken { promise: "the page has lines to follow", seen: String::new() });
    };
    let here = says_where
        .replace("http://127.0.0.1:3000", &format!("http://{}", stage.app.address))
        .replace("http://127.0.0.1:8080", &origin);
    promise(
        "it begins with the addresses",
        here.contains(&origin) && here.contains(&stage.app.address.to_string()),
        || here.clone(),
    )?;
    let shell = Shell::start(folder.path(), &stage.world.counterfoil, &(here.clone() + &steps.concat()))?;
    let password = until("the account", || async { shell.password() }).await?;
    let (person, tab) = stage.stranger().await?;
    let opened = || async {
        let landed = tab.go(&format!("{origin}/page")).await.ok();
        Ok::<_, Failure>(landed.filter(|landed| landed.status == 200))
    };
    let landed = until("the sign-in page", opened).await?;
    promise("the address leads to the sign-in page", landed.path().starts_with("/.session/login?next="), || {
        seen(&landed)
    })?;
    let landed = tab.follow(&credentials("ada", &password)).await?;
    let text = tab.text().await?;
    promise("then to the app", landed.path() == "/page" && text.contains("You are ada"), || text.clone())?;
    let script = here + doctor;
    let (at, counterfoil) = (folder.path().to_owned(), stage.world.counterfoil.clone());
    let examined = tokio::task::spawn_blocking(move || command(&at, &counterfoil, &script)?.output());
    let examined = examined.await.map_err(io::Error::other)??;
    let said = String::from_utf8_lossy(&examined.stdout).into_owned();
    promise("the doctor finds nothing", examined.status.success(), || said.clone())?;
    person.leave().await?;
    Ok(format!("signed in at {origin}; {}", said.lines().last().unwrap_or_default()))
}

/// The lines between "```sh" and "```".
fn blocks(page: &str) -> Vec<String> {
    let after = page.split("```sh\n").skip(1);
    after.filter_map(|rest| rest.split_once("```").map(|(block, _)| block.to_owned())).collect()
}

/// A terminal in which the lines were typed. Dropping it ends what was started there.
struct Shell {
    child: Child,
    printed: PathBuf,
}

impl Shell {
    fn start(folder: &Path, counterfoil: &Path, lines: &str) -> io::Result<Self> {
        use std::os::unix::process::CommandExt as _;
        let printed = folder.join("printed");
        let out = std::fs::File::create(&printed)?;
        let mut command = command(folder, counterfoil, &format!("set -e\n{lines}\nwait\n"))?;
        let child = command.process_group(0).stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out).spawn()?;
        Ok(Self { child, printed })
    }

    fn password(&self) -> Result<Option<String>, Failure> {
        let text = std::fs::read_to_string(&self.printed)?;
        promise("every line can be typed", !text.contains("error: "), || text.clone())?;
        let line = text.lines().find_map(|line| line.split_once("shown this once: "));
        Ok(line.map(|(_, password)| password.to_owned()))
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        if let Ok(id) = i32::try_from(self.child.id()) {
            // They may all be gone already.
            let _ = killpg(Pid::from_raw(id), Signal::SIGTERM);
        }
        let _ = self.child.wait();
    }
}

/// A shell that finds the gateway and Caddy by name, with a home of its own and the gateway at free ports.
fn command(folder: &Path, counterfoil: &Path, lines: &str) -> io::Result<Command> {
    let script = folder.join("lines.sh");
    std::fs::File::create(&script)?.write_all(lines.as_bytes())?;
    let programs = folder.join("bin");
    std::fs::create_dir_all(&programs)?;
    for (name, program) in [("counterfoil", counterfoil), ("caddy", &Kind::Caddy.program())] {
        let link = programs.join(name);
        if !link.exists() && program.is_file() {
            std::os::unix::fs::symlink(std::fs::canonicalize(program)?, &link)?;
        }
    }
    let ports = folder.join("ports");
    if !ports.exists() {
        std::fs::write(&ports, format!("{} {} {} {}", free_port()?, free_port()?, free_port()?, free_port()?))?;
    }
    let ports = std::fs::read_to_string(ports)?;
    let mut command = Command::new("sh");
    command.arg(&script).current_dir(folder).env("HOME", folder).env("XDG_STATE_HOME", folder);
    let names = ["COUNTERFOIL__LISTEN__PUBLIC", "COUNTERFOIL__LISTEN__DECISION", "COUNTERFOIL__LISTEN__HEALTH"];
    for (name, port) in names.into_iter().chain(["CADDY_ADMIN"]).zip(ports.split(' ')) {
        command.env(name, format!("127.0.0.1:{port}"));
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let paths = std::iter::once(programs).chain(std::env::split_paths(&path));
    command.env("PATH", std::env::join_paths(paths).map_err(io::Error::other)?);
    Ok(command)
}

const PAGE: &str = "docs/gateway/your-app.md";
