//! A gateway to look at: a real proxy before a small app, until somebody ends it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use counterfoil_proxies::house::{GATEWAY_LOG, at, serve};
use counterfoil_proxies::kind::{Kind, LOG};
use counterfoil_proxies::process::{Process, listening};
use counterfoil_proxies::site::{FILE, RULES, Site, account, free_port};
use counterfoil_proxies::verdict::Failure;

/// What is shown, and where.
#[derive(Debug)]
pub(crate) struct Show {
    pub(crate) kind: Kind,
    pub(crate) counterfoil: PathBuf,
    /// The app that stands behind the gateway.
    pub(crate) app: PathBuf,
    /// Where browsers find it.
    pub(crate) port: u16,
    /// Where its accounts, sessions and logs are kept.
    pub(crate) keep: PathBuf,
}

impl Show {
    /// Starts all of it, and stays until one of its programs ends. Accounts and sessions are kept for the next time.
    ///
    /// # Errors
    /// What could not be started.
    pub(crate) fn run(&self) -> Result<(), Failure> {
        fs::create_dir_all(&self.keep)?;
        let folder = fs::canonicalize(&self.keep)?;
        let origin = format!("http://127.0.0.1:{}", self.port);
        let (upstream, public, decision) = (at(free_port()?), at(free_port()?), at(free_port()?));
        let site = Site { kind: self.kind, origin, upstream, public, decision, cookie_return: "one", rules: RULES };
        site.configure(&self.counterfoil, &folder, None)?;
        let known = folder.join("data/accounts.toml").exists();
        let password = if known { None } else { Some(account(&self.counterfoil, &folder, "ada")?) };

        let mut app = Process::start(self.app_of(&site), self.app.clone())?;
        let mut gateway = serve(&self.counterfoil, &folder, decision)?;
        let mut proxy = Process::start(self.kind.command(&folder)?, self.kind.program())?;
        let said = |name: &str| fs::read_to_string(folder.join(name)).unwrap_or_default();
        let parts = [("the app", upstream, &mut app, ""), (self.kind.name(), at(self.port), &mut proxy, LOG)];
        for (program, address, process, name) in parts {
            listening(address, process, program, || said(name))?;
        }
        println!("{}", self.banner(&site, &folder, password.as_deref()));
        loop {
            for (program, process, name) in [
                ("the app", &mut app, ""),
                ("counterfoil", &mut gateway, GATEWAY_LOG),
                (self.kind.name(), &mut proxy, LOG),
            ] {
                if process.has_ended()? {
                    return Err(Failure::NotReady { program, said: said(name) });
                }
            }
            thread::sleep(Duration::from_millis(500));
        }
    }

    /// It reads who is there from the assertion, and knows no sessions.
    fn app_of(&self, site: &Site<'_>) -> Command {
        let mut app = Command::new(&self.app);
        app.env("PORT", site.upstream.port().to_string())
            .env("COUNTERFOIL_APP", "app")
            .env("COUNTERFOIL_ORIGINS", &site.origin)
            .env("COUNTERFOIL_JWKS", format!("http://{}/.well-known/counterfoil/jwks.json", site.public))
            .stdin(Stdio::null());
        app
    }

    fn banner(&self, site: &Site<'_>, folder: &Path, password: Option<&str>) -> String {
        let (kind, origin, counterfoil) = (self.kind, &site.origin, self.counterfoil.display());
        let folder = folder.display();
        let sign_in = match password {
            Some(password) => format!("sign in as    ada, {password}"),
            None => format!(
                "sign in as    ada, with the password of the first time; another one by\n              \
                 {counterfoil} user passwd ada --generate --data {folder}/data"
            ),
        };
        format!(
            "
A real {kind} stands before a small app that knows nothing of sessions; the gateway decides about every request.

open          {origin}/me
{sign_in}
then look at  {origin}/.session/devices   and sign out there, or in another browser
attack it     {counterfoil} doctor {origin} --data {folder}/data

What was written and logged is in {folder}: {FILE}, the configuration of {kind}, gateway.log.
ctrl-c ends it; sessions are kept."
        )
    }
}
